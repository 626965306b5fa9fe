#ifndef EDGETWIN_TRAINING_H
#define EDGETWIN_TRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edgetwin_engine.h"

// Forward and backward passes of every operation, for training. Numbers are `real`: float in all kernels but the double ones, which are the same
// source compiled for checks of gradients. Matrices are row-major, `ld` is the distance between rows in reals, a multiple of 16; rows of activations may be
// written up to the next multiple of 16 columns. Weights are as PyTorch stores them, [outputs, inputs] without padding; behind the last one there are 64 reals
// that may be read.
//
// Work is cut by outputs, or into parts that depend on the batch only and are summed in order: the same bits for any number of threads.

// What the threads of one call share. `scratch` holds one block of `scratch_bytes` a thread, `packed` one operand of a matrix product.
typedef struct edgetwin_workspace {
  edgetwin_pool *pool;
  void *scratch;
  size_t scratch_bytes;
  void *packed;
} edgetwin_workspace;

// Zeroes by Philox 4×32 with 7 rounds (Salmon et al. 2011), a number an element, counted by (column, row, site, pass) and keyed by the seed.
typedef struct edgetwin_dropout {
  uint64_t key;
  uint32_t site;
  uint32_t pass;
  uint32_t threshold;  // of 2³²: elements whose number is below are zeroed; 0 for no dropout
  double scale;        // of the others
} edgetwin_dropout;

typedef struct edgetwin_training_norm {
  const void *gamma;  // null: no norm
  const void *beta;
  double epsilon;
  void *normalised;  // before gamma and beta, for the backward pass
  size_t normalised_ld;
  void *inverse_deviations;  // a real a row
  void *output;
  size_t output_ld;
} edgetwin_training_norm;

typedef struct edgetwin_training_embedding {
  const edgetwin_tokens *tokens;
  const void *word, *type, *position;  // position may be null
  size_t width;
  edgetwin_training_norm norm;
  edgetwin_dropout dropout;  // of the norm's output
} edgetwin_training_embedding;

typedef struct edgetwin_training_embedding_gradient {
  const edgetwin_tokens *tokens;
  const void *upstream;  // by the sum of the embeddings
  size_t upstream_ld, width;
  void *word, *type, *position;  // added to; position may be null
} edgetwin_training_embedding_gradient;

// output = dropout(activation(input · weightsᵀ + bias)) + residual; then the norm, whose `normalised` is `output` itself.
typedef struct edgetwin_training_linear {
  size_t rows, inputs, outputs;
  const void *input;
  size_t input_ld;
  const void *weights, *bias;
  int32_t activation;
  void *slope;  // derivative of the activation, rows output_ld apart; null where nobody asks for it
  edgetwin_dropout dropout;
  const void *residual;
  size_t residual_ld;
  void *output;
  size_t output_ld;
  edgetwin_training_norm norm;
} edgetwin_training_linear;

// weight_gradient (+)= upstreamᵀ · input, bias_gradient (+)= its column sums, input_gradient = (upstream · weights) ⊙ slope + added.
typedef struct edgetwin_training_linear_gradient {
  size_t rows, inputs, outputs;
  const void *input;
  size_t input_ld;
  const void *weights;
  const void *upstream;
  size_t upstream_ld;
  void *weight_gradient, *bias_gradient;
  bool accumulate;  // false: what the two held is overwritten
  void *input_gradient;  // null: not wanted
  size_t input_gradient_ld;
  const void *slope;  // null: 1
  size_t slope_ld;
  const void *added;  // null: 0; not input_gradient
  size_t added_ld;
} edgetwin_training_linear_gradient;

// Backward pass of a layer norm, whose output went through `before`, and whose input was a residual plus `after` of something.
typedef struct edgetwin_training_norm_gradient {
  size_t rows, width;
  const void *upstream;
  size_t upstream_ld;
  edgetwin_dropout before, after;
  const void *gamma;
  const void *normalised;
  size_t normalised_ld;
  const void *inverse_deviations;
  void *input_gradient;  // may be upstream
  size_t input_gradient_ld;
  void *dropped_gradient;  // input_gradient ⊙ after; null without that
  size_t dropped_gradient_ld;
  void *gamma_gradient, *beta_gradient;  // added to
  void *partials;                        // edgetwin_training_norm_partials reals
} edgetwin_training_norm_gradient;

size_t edgetwin_training_norm_partials(size_t rows, size_t width);

// A head's own weights lie one after another from `first` of the parameters on, `count` reals with gaps; the others are offsets from there.
typedef struct edgetwin_training_head {
  int32_t kind;  // edgetwin_head_kind
  int32_t taps;
  size_t first, count;
  size_t weighted;
  size_t depthwise, pointwise, pointwise_bias, span, span_bias, value, value_bias;
} edgetwin_training_head;

typedef struct edgetwin_training_attention {
  const edgetwin_tokens *tokens;  // its tables are not used
  size_t longest;                 // tokens of the longest sequence
  size_t head_count, head_size;
  const edgetwin_training_head *heads;
  const void *parameters;
  void *gradients;             // laid out as the parameters; added to
  bool relative;               // with a table of distances
  size_t distances;            // its place in the parameters, [2P − 1, head size]
  size_t maximum_positions;    // P
  const void *projections;     // q, k and v side by side
  size_t projections_ld;
  const void *const *fourier;  // a sequence: edgetwin_training_fourier_table of its length, or null
  const void *const *cosine;
  const void *fourier_width;  // edgetwin_training_kernels.fourier_width of the head size
  const void *cosine_width;
  edgetwin_dropout dropout;  // of the attention weights; head i's site is `site` + i
  void *contexts;
  size_t contexts_ld;
  // Backward only. Sequences from groups[g] to groups[g + 1] are one task a head, which sums up gradients of weights by itself.
  const void *contexts_gradient;
  size_t contexts_gradient_ld;
  void *projections_gradient;
  size_t projections_gradient_ld;
  size_t group_count;
  const int32_t *groups;
  void *partials;  // group_count · head_count blocks of partial_count reals; unused where that is 0
  size_t partial_count;
} edgetwin_training_attention;

// Reals of one block of partial sums: the largest head's own weights, then its share of the distances.
size_t edgetwin_training_attention_partials(const edgetwin_training_attention *);

// Softmax cross-entropy of each row of scores, which become its gradient (softmax − 1 at the target) where wanted.
typedef struct edgetwin_training_cross_entropy {
  size_t rows, classes;
  void *scores;
  size_t scores_ld;
  const int32_t *targets;
  bool wants_gradient;
  double *losses;    // a row
  uint8_t *correct;  // a row: 1 where the target's score is the highest
} edgetwin_training_cross_entropy;

// Runs of tensors that are treated alike.
typedef struct edgetwin_training_segment {
  size_t first, count;
  bool decays;
  // Of a table whose rows of `width` are mostly without gradient: per row, 1 where it has one now, 2 where it ever had one. Null: all have.
  const uint8_t *touched;
  size_t width;
} edgetwin_training_segment;

typedef struct edgetwin_training_adamw {
  const edgetwin_training_segment *segments;
  size_t segment_count;
  void *parameters, *gradients, *first_moments, *second_moments;
  double gradient_scale;
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  double correction1, correction2;  // 1 − beta^step
} edgetwin_training_adamw;

typedef enum edgetwin_row_move {
  EDGETWIN_ROWS_GATHER = 0,       // output[i] = input[index[i]]
  EDGETWIN_ROWS_SCATTER = 1,      // output = 0, then output[index[i]] = input[i]
  EDGETWIN_ROWS_MEAN = 2,         // output[s] = mean of the rows of sequence s
  EDGETWIN_ROWS_SPREAD = 3,       // output[t] = input[sequence of t] / its length
  EDGETWIN_ROWS_DROPOUT = 4,      // output = dropout(input)
  EDGETWIN_ROWS_MULTIPLY = 5,     // output = input ⊙ other
} edgetwin_row_move;

typedef struct edgetwin_training_rows {
  int32_t move;
  size_t width;
  const void *input;
  size_t input_ld;
  const void *other;
  size_t other_ld;
  void *output;
  size_t output_ld;
  size_t count;                   // rows of the shorter side of a gather or scatter, rows of the others
  size_t output_rows;             // of a scatter
  const int32_t *index;           // rising
  const edgetwin_tokens *tokens;  // of means and spreads
  edgetwin_dropout dropout;
} edgetwin_training_rows;

typedef struct edgetwin_training_kernels {
  const char *name;
  size_t real_bytes;
  void (*embedding)(const edgetwin_workspace *, const edgetwin_training_embedding *);
  void (*embedding_gradient)(const edgetwin_workspace *, const edgetwin_training_embedding_gradient *);
  void (*linear)(const edgetwin_workspace *, const edgetwin_training_linear *);
  void (*linear_gradient)(const edgetwin_workspace *, const edgetwin_training_linear_gradient *);
  void (*norm_gradient)(const edgetwin_workspace *, const edgetwin_training_norm_gradient *);
  void (*attention)(const edgetwin_workspace *, const edgetwin_training_attention *);
  void (*attention_gradient)(const edgetwin_workspace *, const edgetwin_training_attention *);
  void (*cross_entropy)(const edgetwin_workspace *, const edgetwin_training_cross_entropy *);
  void (*rows)(const edgetwin_workspace *, const edgetwin_training_rows *);
  // Sum of the squares of a gradient. `partials` holds edgetwin_training_square_partials doubles.
  double (*square_sum)(
      const edgetwin_workspace *, const void *gradients, const edgetwin_training_segment *, size_t count, double *partials);
  void (*adamw)(const edgetwin_workspace *, const edgetwin_training_adamw *);
  // Zeroes gradients: rows of a touched table that have one, everything else whole.
  void (*clear)(const edgetwin_workspace *, void *gradients, const edgetwin_training_segment *, size_t count);
  // Tables of the transforms over n tokens: cosines, then sines with a minus, n × n each; orthonormal DCT-II, n × n. Rows table_ld apart.
  void (*fourier_table)(size_t n, void *table);
  void (*cosine_table)(size_t n, void *table);
  // Over the head size d: [d, cosines | sines], the halves padded; [d, DCT-II], then its transpose. Rows padded to 16.
  void (*fourier_width)(size_t d, void *table);
  void (*cosine_width)(size_t d, void *table);
} edgetwin_training_kernels;

// The best kernels that this processor runs; `limit` as in edgetwin_kernels_best.
const edgetwin_training_kernels *edgetwin_training_kernels_best(const char *limit);
// The same source in double precision.
const edgetwin_training_kernels *edgetwin_training_kernels_double(void);

// Reals of what a call needs.
size_t edgetwin_training_linear_packed(size_t inputs, size_t outputs);
size_t edgetwin_training_scratch(size_t longest, size_t widest_head, size_t widest_layer);
size_t edgetwin_training_table_ld(size_t n);
size_t edgetwin_training_square_partials(const edgetwin_training_segment *, size_t count);

#endif
