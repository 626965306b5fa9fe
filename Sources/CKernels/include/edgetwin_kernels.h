#ifndef EDGETWIN_KERNELS_H
#define EDGETWIN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/// Number of lanes of a twin's vectors.
#define EDGETWIN_LANES 16

/// Tables of a compiled twin: every entry is EDGETWIN_LANES doubles, indices run as the names say, last one fastest.
typedef struct {
  const double *ends;          ///< first hidden size, last hidden size
  const double *attention;     ///< hidden size, number of heads
  const double *heads;         ///< hidden size, number of heads, kind (7)
  const double *feed_forward;  ///< hidden size, stack
  const double *joins;         ///< hidden size, next hidden size
  /// 8 bytes a head combination: how many heads of each of the 7 kinds, then the index of their number.
  const uint8_t *combinations;
  int32_t hidden_count;
  int32_t head_count_count;
  int32_t stack_count;
} edgetwin_twin_tables;

/// Sums the vectors of everything that each design point is made of.
/// @param points 16 words a point: up to 12 layers of packed indices (hidden size 4 bits, stack 12, heads 16), then their number.
/// @param sums EDGETWIN_LANES doubles a point.
void edgetwin_sum_points(const edgetwin_twin_tables *tables, const uint32_t *points, size_t count, double *sums);

/// Values of a polynomial in up to 6 variables: `sum_i weight_i · monomial_i`, where monomial 0 is 1 and monomial i is an earlier one
/// (`parents[i]`) times a variable (`variables[i]`).
/// @param scratch room for `count` doubles.
double edgetwin_polynomial(
    const double *weights, const uint8_t *parents, const uint8_t *variables, size_t count, const double *z,
    double *scratch);

#endif
