#ifndef EDGETWIN_TRAINING_SIZES_H
#define EDGETWIN_TRAINING_SIZES_H

enum {
  // Most of a contraction at a time: a packed panel of so many rows stays in the first-level cache.
  DEPTH = 384,
  // Rows of a product that one task goes through: their part of the contraction stays in the second-level cache.
  ROW_BLOCK = 192,
  // Outputs whose gradient of weights is one task; for each such block the inputs are read once.
  COLUMN_BLOCK = 512,
  // Rows of attention weights that are alive at a time.
  SCORE_ROWS = 48,
};

#endif
