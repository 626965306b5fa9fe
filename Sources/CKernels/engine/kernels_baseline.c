#include "engine_internal.h"



#define TARGET(name) name##_baseline
#define INSTRUCTION_SET "baseline"
#define PANEL_VECTORS 1
#define TILE_ROWS 6
#define TILE_CASES \
  TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4) TILE_CASE(5) TILE_CASE(6) 
#define HAS_INT8 0
#define BLOCKED 1
#define INLINE __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#include "kernels.inc"


