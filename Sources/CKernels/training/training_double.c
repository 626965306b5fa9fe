#include "../include/edgetwin_training.h"

#define TARGET(name) name##_float64
#define INSTRUCTION_SET "float64"
#define PANEL_VECTORS 1
#define TILE_ROWS 2
#define STRIP 2
#define TILE_CASES \
  TILE_CASE(1) TILE_CASE(2)
#define REAL double
#define INTEGER int64_t
#define REAL_IS_FLOAT 0
#define INLINE __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#include "training.inc"

