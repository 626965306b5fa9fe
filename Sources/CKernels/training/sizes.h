#ifndef EDGETWIN_TRAINING_SIZES_H
#define EDGETWIN_TRAINING_SIZES_H

enum {
  // Most of a contraction at a time: a packed panel of so many rows stays in the first-level cache.
  DEPTH = 384,
  // Rows of a product that one task goes through, and columns of a gradient of weights: their part of the contraction stays in the second-level cache.
  ROW_BLOCK = 96,
  COLUMN_BLOCK = 96,
  // Rows of attention weights that are alive at a time.
  SCORE_ROWS = 48,
};

#endif
