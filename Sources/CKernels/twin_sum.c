#include "edgetwin_kernels.h"

// The widest vectors that the processor has, chosen when the program is loaded. The thread sanitizer cannot run the resolvers.
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer)
#define EDGETWIN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EDGETWIN_CLONES
#endif

// Packed into pairs of 8 lanes, which fit one register of the widest kind each.
typedef double lanes8 __attribute__((vector_size(64), aligned(8)));

static inline __attribute__((always_inline)) void add(lanes8 *low, lanes8 *high, const double *entry) {
  *low += *(const lanes8 *)entry;
  *high += *(const lanes8 *)(entry + 8);
}

EDGETWIN_CLONES
void edgetwin_sum_points(const edgetwin_twin_tables *tables, const uint32_t *points, size_t count, double *sums) {
  const edgetwin_twin_tables t = *tables;
  for (size_t index = 0; index < count; index++) {
    const uint32_t *layers = points + 16 * index;
    const uint32_t layer_count = layers[12];
    lanes8 low = {0}, high = {0};
    if (layer_count > 0 && layer_count <= 12) {
      uint32_t hidden = layers[0] >> 28;
      const uint32_t last = layers[layer_count - 1] >> 28;
      add(&low, &high, t.ends + EDGETWIN_LANES * (hidden * t.hidden_count + last));
      for (uint32_t layer = 0; layer < layer_count; layer++) {
        const uint32_t packed = layers[layer];
        const uint8_t *kinds = t.combinations + 8 * (packed & 0xFFFF);
        const size_t shape = hidden * t.head_count_count + kinds[7];
        add(&low, &high, t.attention + EDGETWIN_LANES * shape);
        const double *heads = t.heads + EDGETWIN_LANES * 7 * shape;
        for (int kind = 0; kind < 7; kind++) {
          const double number = kinds[kind];
          low += number * *(const lanes8 *)(heads + EDGETWIN_LANES * kind);
          high += number * *(const lanes8 *)(heads + EDGETWIN_LANES * kind + 8);
        }
        add(&low, &high, t.feed_forward + EDGETWIN_LANES * (hidden * t.stack_count + (packed >> 16 & 0xFFF)));
        if (layer + 1 < layer_count) {
          const uint32_t next = layers[layer + 1] >> 28;
          add(&low, &high, t.joins + EDGETWIN_LANES * (hidden * t.hidden_count + next));
          hidden = next;
        }
      }
    }
    *(lanes8 *)(sums + EDGETWIN_LANES * index) = low;
    *(lanes8 *)(sums + EDGETWIN_LANES * index + 8) = high;
  }
}

double edgetwin_polynomial(
    const double *weights, const uint8_t *parents, const uint8_t *variables, size_t count, const double *z,
    double *scratch) {
  scratch[0] = 1;
  double sum = weights[0];
  for (size_t i = 1; i < count; i++) {
    const double value = scratch[parents[i]] * z[variables[i]];
    scratch[i] = value;
    sum += weights[i] * value;
  }
  return sum;
}
