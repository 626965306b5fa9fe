#include "engine_internal.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi,bmi2,f16c"))), apply_to = function)

#define TARGET(name) name##_avx512
#define INSTRUCTION_SET "avx512"
#define PANEL_VECTORS 2
#define TILE_ROWS 14
#define TILE_CASES \
  TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4) TILE_CASE(5) TILE_CASE(6) TILE_CASE(7) TILE_CASE(8) TILE_CASE(9) TILE_CASE(10) TILE_CASE(11) TILE_CASE(12) TILE_CASE(13) TILE_CASE(14) 
#define HAS_INT8 0
#define BLOCKED 0
#define INLINE __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#include "kernels.inc"

#pragma clang attribute pop
#endif
