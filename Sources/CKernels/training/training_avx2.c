#include "../include/edgetwin_training.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,f16c"))), apply_to = function)

#define TARGET(name) name##_avx2
#define INSTRUCTION_SET "avx2"
#define PANEL_VECTORS 1
#define TILE_ROWS 6
#define STRIP 8
#define TILE_CASES \
  TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4) TILE_CASE(5) TILE_CASE(6)
#define REAL float
#define INTEGER int32_t
#define REAL_IS_FLOAT 1
#define INLINE __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#include "training.inc"

#pragma clang attribute pop
#endif
