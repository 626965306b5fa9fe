#include "../include/edgetwin_training.h"

#include <string.h>

#include "sizes.h"
#include "training_internal.h"

extern const edgetwin_training_kernels edgetwin_training_kernels_baseline, edgetwin_training_kernels_float64;
#if defined(__x86_64__)
extern const edgetwin_training_kernels edgetwin_training_kernels_avx512, edgetwin_training_kernels_avx2;
#endif

const edgetwin_training_kernels *edgetwin_training_kernels_best(const char *limit) {
#if defined(__x86_64__)
  // What the engine takes is what training takes; 8-bit dot products have no use here.
  const char *name = edgetwin_kernels_best(limit)->name;
  if (strncmp(name, "avx512", 6) == 0) return &edgetwin_training_kernels_avx512;
  if (strcmp(name, "avx2") == 0) return &edgetwin_training_kernels_avx2;
#else
  (void)limit;
#endif
  return &edgetwin_training_kernels_baseline;
}

const edgetwin_training_kernels *edgetwin_training_kernels_double(void) { return &edgetwin_training_kernels_float64; }

static size_t rounded(size_t n) { return (n + 15) / 16 * 16; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

// Panels are at most 32 columns wide.
static size_t panels(size_t columns, size_t rows) { return (columns + 31) / 32 * 32 * rows; }

size_t edgetwin_training_linear_packed(size_t inputs, size_t outputs) {
  return larger(panels(outputs, inputs), panels(inputs, outputs));
}

size_t edgetwin_training_scratch(size_t longest, size_t widest_head, size_t widest) {
  const size_t n = longest, np = rounded(n), d = rounded(widest_head);
  const size_t copies = 20 * n * d + 64 * n + 2 * d * np, windows = (2 * n + 16) * d + d * (2 * n + 48);
  const size_t weights = 8 * d * d + 96 * d, blocks = 3 * SCORE_ROWS * np + SCORE_ROWS * (np + SCORE_ROWS + 64 + d);
  const size_t attention = copies + windows + weights + blocks + 1024;
  // A panel is at most 32 columns, a tile at most 16, and strips reach a little beyond theirs.
  const size_t columns = (COLUMN_BLOCK + 2 * 32) * (DEPTH + 1);
  return larger(larger(attention, columns), rounded(widest)) + 64;
}

size_t edgetwin_training_table_ld(size_t n) { return rounded(n) + 16; }

size_t edgetwin_training_norm_partials(size_t rows, size_t width) { return (rows + 63) / 64 * 2 * rounded(width); }

size_t edgetwin_training_attention_partials(const edgetwin_training_attention *step) {
  size_t own = 0;
  for (size_t i = 0; i < step->head_count; i++) own = larger(own, step->heads[i].count);
  return rounded(own) + (step->relative ? (2 * step->longest - 1) * rounded(step->head_size) : 0);
}

size_t edgetwin_training_chunk(const edgetwin_training_segment *segment) {
  const size_t size = 1 << 14;
  if (!segment->touched) return size;
  return larger(size / segment->width, 1) * segment->width;
}

size_t edgetwin_training_chunks(const edgetwin_training_segment *segment) {
  const size_t size = edgetwin_training_chunk(segment);
  return (segment->count + size - 1) / size;
}

size_t edgetwin_training_square_partials(const edgetwin_training_segment *segments, size_t count) {
  size_t chunks = 0;
  for (size_t i = 0; i < count; i++) chunks += edgetwin_training_chunks(segments + i);
  return chunks;
}
