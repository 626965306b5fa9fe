#include "../include/edgetwin_training.h"

#define TARGET(name) name##_baseline
#define INSTRUCTION_SET "baseline"
#define PANEL_VECTORS 1
#define TILE_ROWS 3
#define STRIP 4
#define TILE_CASES \
  TILE_CASE(1) TILE_CASE(2) TILE_CASE(3)
#define REAL float
#define INTEGER int32_t
#define REAL_IS_FLOAT 1
#define INLINE __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#include "training.inc"

