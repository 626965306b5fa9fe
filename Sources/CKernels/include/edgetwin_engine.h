#ifndef EDGETWIN_ENGINE_H
#define EDGETWIN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A planned forward pass: steps over buffers that were allocated once. Matrices are row-major, `ld` is the distance between rows in
// floats. Rows are the tokens of all sequences one after another, without padding.

typedef enum edgetwin_activation {
  EDGETWIN_ACTIVATION_NONE = 0,
  EDGETWIN_ACTIVATION_GELU = 1,  // z·Φ(z), by the error function
  EDGETWIN_ACTIVATION_TANH = 2,
} edgetwin_activation;

typedef enum edgetwin_precision {
  EDGETWIN_FP32 = 0,
  EDGETWIN_INT8 = 1,  // 8-bit weights a column, 8-bit activations a row, 32-bit sums
} edgetwin_precision;

typedef enum edgetwin_step_kind {
  EDGETWIN_STEP_EMBEDDING = 0,
  EDGETWIN_STEP_LINEAR = 1,
  EDGETWIN_STEP_ATTENTION = 2,
  EDGETWIN_STEP_FIRST = 3,  // the first token of each sequence
  EDGETWIN_STEP_MEAN = 4,   // the mean over the tokens of each sequence
  EDGETWIN_STEP_NORM = 5,   // layer norm of every token's row, in place
} edgetwin_step_kind;

typedef enum edgetwin_head_kind {
  EDGETWIN_HEAD_SCALED_DOT_PRODUCT = 0,
  EDGETWIN_HEAD_WEIGHTED = 1,
  EDGETWIN_HEAD_FOURIER = 2,
  EDGETWIN_HEAD_COSINE = 3,
  EDGETWIN_HEAD_CONVOLUTION = 4,
} edgetwin_head_kind;

// The sequences of one call. `offsets` has batch + 1 entries: the first row of each sequence, then the number of rows.
// `fourier[b]` and `cosine[b]` are the token transforms of sequence b's length (edgetwin_fourier_table, edgetwin_cosine_table), or null.
typedef struct edgetwin_tokens {
  size_t batch;
  const int32_t *offsets;
  const int32_t *ids;
  const int32_t *types;
  const float *const *fourier;
  const float *const *cosine;
} edgetwin_tokens;

// A library that multiplies matrices instead of the packed kernels: c[m, n] = a[m, k] · b[n, k]ᵀ on one thread.
typedef struct edgetwin_library {
  const char *name;
  const char *version, *core;
  void (*multiply)(
      size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc);
} edgetwin_library;

// onednn, openblas or accelerate, loaded at the first call; null where it is not installed.
const edgetwin_library *edgetwin_library_open(const char *name);

typedef struct edgetwin_norm {
  const float *gamma;
  const float *beta;
  float epsilon;
} edgetwin_norm;

typedef struct edgetwin_embedding {
  const float *word, *type, *position;  // position may be null
  size_t width;
  edgetwin_norm norm;
  float *output;
  size_t output_ld;
} edgetwin_embedding;

// output = norm(activation(input · weightsᵀ + bias) + residual); bias, residual and norm may be absent.
typedef struct edgetwin_linear {
  const float *input;
  size_t input_ld;
  const void *weights;  // packed by the kernels of the precision; of a library [outputs, inputs] as they are
  const edgetwin_library *library;  // null: the packed kernels; with a library there is no norm
  const float *scales;  // of int8: a column's weights are scales[j] times their integers
  const int32_t *sums;  // of int8: the sum of a column's integers
  const float *bias;    // padded to whole panels
  const float *residual;
  size_t residual_ld;
  edgetwin_norm norm;  // gamma null: none
  size_t inputs, outputs;
  float *output;
  size_t output_ld;
  int32_t activation;
  int32_t precision;
  bool by_sequence;  // a row a sequence instead of a row a token
} edgetwin_linear;

typedef struct edgetwin_head {
  int32_t kind;
  int32_t taps;
  const float *weighted;     // [d, d padded]: W of a weighted head
  const float *depthwise;    // [taps, d padded]
  const float *pointwise;    // [d, d padded], transposed
  const float *pointwise_bias;
  const float *span;         // [d, 16], transposed
  const float *span_bias;    // 16 long
  const float *value;        // [d, d padded], transposed
  const float *value_bias;
} edgetwin_head;

typedef struct edgetwin_attention {
  const float *input;  // q, k and v side by side, each `heads · head_size` wide
  size_t input_ld;
  float *output;  // concatenated contexts
  size_t output_ld;
  size_t head_count, head_size, head_size_padded;
  const edgetwin_head *heads;
  const float *distances;  // transposed and reversed: column c is R[2P − 2 − c]; null for absolute positions
  size_t distances_ld;
  size_t maximum_positions;
  const float *fourier;  // [d, 2·d padded]: cosines, then sines
  const float *cosine;   // [d, d padded]
} edgetwin_attention;

typedef struct edgetwin_rows {
  const float *input;
  size_t input_ld, width;
  float *output;
  size_t output_ld;
} edgetwin_rows;

typedef struct edgetwin_row_norm {
  float *rows;
  size_t ld, width;
  edgetwin_norm norm;
} edgetwin_row_norm;

typedef struct edgetwin_step {
  int32_t kind;
  int32_t group;  // steps next to each other with the same number above zero may be run for parts of the batch, one part after another
  union {
    edgetwin_embedding embedding;
    edgetwin_linear linear;
    edgetwin_attention attention;
    edgetwin_rows rows;
    edgetwin_row_norm norm;
  } of;
} edgetwin_step;

// The kernels for one instruction set.
typedef struct edgetwin_kernels {
  const char *name;
  size_t panel_columns;  // packed weights come in panels of so many columns
  size_t tile_rows;
  size_t head_rows;  // tokens whose scores a head has at a time
  bool int8;
  int32_t int8_weight_levels;  // largest whole number of an 8-bit weight
  // Weights [outputs, inputs] as PyTorch stores them, into panels.
  void (*pack)(const float *weights, size_t outputs, size_t inputs, float *packed);
  // The same as integers; `scales` and `sums` are padded to whole panels.
  void (*pack_int8)(
      const float *weights, size_t outputs, size_t inputs, int8_t *packed, float *scales, int32_t *sums);
  void (*embedding)(const edgetwin_embedding *, const edgetwin_tokens *, size_t sequence, size_t row, size_t end);
  void (*linear)(
      const edgetwin_linear *, size_t row, size_t end, size_t panel, size_t panel_end, float *scratch);
  // Bias, activation and residual of sums that are in place; columns from a multiple of 16 on.
  void (*finish)(const edgetwin_linear *, size_t row, size_t end, size_t column, size_t column_end);
  void (*norm)(const edgetwin_row_norm *, size_t row, size_t end);
  void (*attention)(
      const edgetwin_attention *, const edgetwin_tokens *, size_t sequence, size_t head, float *scratch);
  void (*mean)(const edgetwin_rows *, size_t sequence, size_t first, size_t end);
  // c[m, n] = a[m, k] · b[k, n]: for tests and for measuring roofs; n a multiple of 16.
  void (*product)(
      size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc);
  // exp(scale·(s − max)) of each row in place, one over their sum behind them: for measuring roofs.
  void (*softmax_rows)(float *scores, size_t rows, size_t columns, size_t ld, float scale);
} edgetwin_kernels;

// The best kernels that this processor runs. `limit` names an instruction set not to go above (avx512, avx2, baseline), or is null.
const edgetwin_kernels *edgetwin_kernels_best(const char *limit);

size_t edgetwin_packed_floats(const edgetwin_kernels *, size_t outputs, size_t inputs);
size_t edgetwin_packed_int8_bytes(const edgetwin_kernels *, size_t outputs, size_t inputs);
// Floats that one thread needs for the longest sequence.
size_t edgetwin_attention_scratch(const edgetwin_kernels *, const edgetwin_attention *, size_t longest);
size_t edgetwin_linear_scratch(const edgetwin_linear *);

// Tables of the transforms over n tokens, folded by their symmetries, rows edgetwin_table_ld apart.
// Fourier: cos(2πjl/n)/√n for j, l ≤ n/2, then the sines in the same shape.
size_t edgetwin_table_ld(size_t columns);
size_t edgetwin_fourier_floats(size_t n);
void edgetwin_fourier_table(size_t n, float *table);
// The orthonormal DCT-II: its even rows over the first ⌈n/2⌉ tokens, then its odd rows over the first ⌊n/2⌋.
size_t edgetwin_cosine_floats(size_t n);
void edgetwin_cosine_table(size_t n, float *table);

// Threads of our own: the caller is thread 0. They spin a little, then sleep.
typedef struct edgetwin_pool edgetwin_pool;
// `cores` pins thread i to cores[i]; null leaves that to the system. Returns null where a thread cannot be made.
edgetwin_pool *edgetwin_pool_create(size_t threads, const int32_t *cores);
void edgetwin_pool_destroy(edgetwin_pool *);
size_t edgetwin_pool_threads(const edgetwin_pool *);
// Pins the calling thread; false where the system refuses.
bool edgetwin_pin_thread(int32_t core);

// How groups of steps are run for parts of a batch: a part is as many whole sequences as have no more than `rows` tokens together, and
// one thread takes it through all steps of a group. Buffers that lie in `shared`, which has `width` floats for each of `planned_rows` rows,
// hold nothing from one group to the next: there each thread has a place of its own.
typedef struct edgetwin_parts {
  size_t rows;
  float *shared;
  size_t planned_rows, width;
} edgetwin_parts;

// Runs the steps in order; groups of them by parts where `parts` is given and the threads get as many each. `scratch` is one block of
// `scratch_floats` a thread. With `times` (steps + 1 entries) the clock is read between steps, in seconds; the time of a group is divided
// among its steps as the first thread took it.
void edgetwin_run(
    const edgetwin_kernels *, edgetwin_pool *, const edgetwin_step *steps, size_t count, const edgetwin_tokens *,
    const edgetwin_parts *parts, float *scratch, size_t scratch_floats, double *times);

double edgetwin_clock(void);

#endif
