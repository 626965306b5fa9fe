
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine_internal.h"

extern const edgetwin_kernels edgetwin_kernels_baseline;
#if defined(__x86_64__)
extern const edgetwin_kernels edgetwin_kernels_avx512_vnni, edgetwin_kernels_avx512, edgetwin_kernels_avx2;
#endif

const edgetwin_kernels *edgetwin_kernels_best(const char *limit) {
#if defined(__x86_64__)
  // 3: with 8-bit dot products, 2: AVX-512, 1: AVX2 and FMA, 0: what every x86-64 has.
  int level = 3;
  if (limit && strcmp(limit, "avx512") == 0) level = 2;
  if (limit && strcmp(limit, "avx2") == 0) level = 1;
  if (limit && strcmp(limit, "baseline") == 0) level = 0;
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512cd");
  if (level >= 3 && wide && __builtin_cpu_supports("avx512vnni")) return &edgetwin_kernels_avx512_vnni;
  if (level >= 2 && wide) return &edgetwin_kernels_avx512;
  if (level >= 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    return &edgetwin_kernels_avx2;
#else
  (void)limit;
#endif
  return &edgetwin_kernels_baseline;
}

static size_t panels(const edgetwin_kernels *kernels, size_t outputs) {
  return (outputs + kernels->panel_columns - 1) / kernels->panel_columns;
}

size_t edgetwin_packed_floats(const edgetwin_kernels *kernels, size_t outputs, size_t inputs) {
  return panels(kernels, outputs) * kernels->panel_columns * inputs;
}

size_t edgetwin_packed_int8_bytes(const edgetwin_kernels *kernels, size_t outputs, size_t inputs) {
  return panels(kernels, outputs) * kernels->panel_columns * ((inputs + 3) / 4 * 4);
}

static size_t rounded(size_t n) { return (n + 15) / 16 * 16; }

size_t edgetwin_attention_scratch(const edgetwin_kernels *kernels, const edgetwin_attention *step, size_t longest) {
  const size_t d = step->head_size, dp = step->head_size_padded, n = longest, np = rounded(n), rows = kernels->head_rows;
  const size_t extra = 3 * (n + 2) * dp + 16 * n;
  const size_t attention = rows * (np + rounded(n + rows) + dp) + d * np + 2 * n * dp;
  return n * dp + (extra > attention ? extra : attention) + 64;
}

size_t edgetwin_linear_scratch(const edgetwin_linear *step) {
  if (step->precision != EDGETWIN_INT8) return 0;
  return EDGETWIN_INT8_ROWS * (1 + edgetwin_int8_row_bytes(step->inputs) / sizeof(float));
}

// Rows a multiple of 4 KiB apart would fall into the same few sets of the first-level cache.
size_t edgetwin_table_ld(size_t columns) { return rounded(columns) + 16; }

size_t edgetwin_fourier_floats(size_t n) { return 2 * (n / 2 + 1) * edgetwin_table_ld(n / 2 + 1); }

void edgetwin_fourier_table(size_t n, float *table) {
  const size_t half = n / 2 + 1, ld = edgetwin_table_ld(half);
  memset(table, 0, sizeof(float) * edgetwin_fourier_floats(n));
  for (size_t j = 0; j < half; j++)
    for (size_t l = 0; l < half; l++) {
      const double angle = 2 * M_PI * (double)(j * l % n) / (double)n;
      table[j * ld + l] = (float)(cos(angle) / sqrt((double)n));
      const bool zero = 2 * j % n == 0 || 2 * l % n == 0;
      table[(half + j) * ld + l] = zero ? 0 : (float)(sin(angle) / sqrt((double)n));
    }
}

size_t edgetwin_cosine_floats(size_t n) { return n * edgetwin_table_ld((n + 1) / 2); }

void edgetwin_cosine_table(size_t n, float *table) {
  const size_t half = (n + 1) / 2, odd = n / 2, ld = edgetwin_table_ld(half);
  memset(table, 0, sizeof(float) * edgetwin_cosine_floats(n));
  for (size_t j = 0; j < n; j++) {
    float *row = table + (j % 2 == 0 ? j / 2 : half + j / 2) * ld;
    const double norm = sqrt((j == 0 ? 1.0 : 2.0) / (double)n);
    for (size_t l = 0; l < (j % 2 == 0 ? half : odd); l++)
      row[l] = (float)(norm * cos(M_PI * (double)((2 * l + 1) * j % (4 * n)) / (2.0 * (double)n)));
  }
}

double edgetwin_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// MARK: running a plan

typedef struct run {
  const edgetwin_kernels *kernels;
  edgetwin_pool *pool;
  const edgetwin_step *steps;
  size_t count;
  const edgetwin_tokens *tokens;
  const edgetwin_parts *parts;  // null: every step takes the whole batch
  float *scratch;
  size_t scratch_floats;
  double *times;
} run;

static size_t rows_of(const run *r, const edgetwin_linear *step) {
  return step->by_sequence ? r->tokens->batch : (size_t)r->tokens->offsets[r->tokens->batch];
}

// A library's bits may depend on the size of what it is asked for: its tasks are of one size, whatever the number of threads.
enum { LIBRARY_ROWS = 128, LIBRARY_COLUMNS = 256 };

// Rows of a task of our own products, where the columns suffice to divide them further.
enum { TASK_ROWS = 128 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// How a step is cut into tasks: rows × columns, or sequences × heads.
static void cut(const run *r, const edgetwin_step *step, size_t *across, size_t *down) {
  const size_t threads = edgetwin_pool_threads(r->pool), wanted = threads == 1 ? 1 : 2 * threads;
  const size_t rows = (size_t)r->tokens->offsets[r->tokens->batch];
  *down = 1;
  switch (step->kind) {
    case EDGETWIN_STEP_LINEAR: {
      const size_t own = rows_of(r, &step->of.linear);
      if (step->of.linear.library) {
        *across = (own + LIBRARY_ROWS - 1) / LIBRARY_ROWS;
        *down = (step->of.linear.outputs + LIBRARY_COLUMNS - 1) / LIBRARY_COLUMNS;
        break;
      }
      const size_t columns = panels(r->kernels, step->of.linear.outputs);
      if (step->of.linear.norm.gamma) {
        *across = least(own, wanted);
      } else if (threads > 1 && step->of.linear.precision == EDGETWIN_FP32) {
        // Columns rather than rows: a task then reads only its own weights. Many tasks, since cores are not equally fast at all times.
        const size_t most = 2 * wanted, blocks = own / TASK_ROWS;
        *across = blocks < 1 ? 1 : least(blocks, most);
        *down = least((most + *across - 1) / *across, columns);
      } else if ((own + r->kernels->tile_rows - 1) / r->kernels->tile_rows >= wanted) {
        *across = wanted;  // every task of 8-bit products converts its rows first
      } else {
        *across = 1;
        *down = least(columns, wanted);
      }
      break;
    }
    case EDGETWIN_STEP_ATTENTION:
      *across = r->tokens->batch;
      *down = step->of.attention.head_count;
      break;
    case EDGETWIN_STEP_NORM: *across = rows < wanted ? rows : wanted; break;
    case EDGETWIN_STEP_EMBEDDING:
      *across = r->tokens->batch;
      *down = wanted < 1 + rows / r->tokens->batch / 16 ? wanted : 1 + rows / r->tokens->batch / 16;
      break;
    default: *across = r->tokens->batch;
  }
}

static void perform_by_library(const run *r, const edgetwin_linear *step, size_t i, size_t j) {
  const size_t row = i * LIBRARY_ROWS, end = least(row + LIBRARY_ROWS, rows_of(r, step));
  const size_t column = j * LIBRARY_COLUMNS, stop = least(column + LIBRARY_COLUMNS, step->outputs);
  step->library->multiply(
      end - row, stop - column, step->inputs, step->input + row * step->input_ld, step->input_ld,
      (const float *)step->weights + column * step->inputs, step->inputs, step->output + row * step->output_ld + column,
      step->output_ld);
  r->kernels->finish(step, row, end, column, stop);
}

static void perform(const run *r, const edgetwin_step *step, size_t task, size_t across, size_t down, float *scratch) {
  const size_t i = task / down, j = task % down;
  const int32_t *offsets = r->tokens->offsets;
  switch (step->kind) {
    case EDGETWIN_STEP_LINEAR: {
      const edgetwin_linear *linear = &step->of.linear;
      if (linear->library) {
        perform_by_library(r, linear, i, j);
        break;
      }
      const size_t rows = rows_of(r, linear), columns = panels(r->kernels, linear->outputs);
      r->kernels->linear(
          linear, rows * i / across, rows * (i + 1) / across, columns * j / down, columns * (j + 1) / down, scratch);
      break;
    }
    case EDGETWIN_STEP_ATTENTION: r->kernels->attention(&step->of.attention, r->tokens, i, j, scratch); break;
    case EDGETWIN_STEP_NORM: {
      const size_t rows = (size_t)offsets[r->tokens->batch];
      r->kernels->norm(&step->of.norm, rows * i / across, rows * (i + 1) / across);
      break;
    }
    case EDGETWIN_STEP_EMBEDDING: {
      const size_t rows = (size_t)(offsets[i + 1] - offsets[i]);
      r->kernels->embedding(&step->of.embedding, r->tokens, i, rows * j / down, rows * (j + 1) / down);
      break;
    }
    case EDGETWIN_STEP_FIRST: {
      const edgetwin_rows *rows = &step->of.rows;
      memcpy(
          rows->output + i * rows->output_ld, rows->input + (size_t)offsets[i] * rows->input_ld,
          sizeof(float) * rows->width);
      break;
    }
    case EDGETWIN_STEP_MEAN:
      r->kernels->mean(&step->of.rows, i, (size_t)offsets[i], (size_t)offsets[i + 1]);
      break;
  }
}

// MARK: groups of steps, by parts of the batch

// The sequence after the last one of the part that begins with `first`.
static size_t part_end(const edgetwin_tokens *tokens, size_t first, size_t rows) {
  size_t end = first + 1;
  while (end < tokens->batch && (size_t)(tokens->offsets[end + 1] - tokens->offsets[first]) <= rows) end++;
  return end;
}

static size_t count_parts(const edgetwin_tokens *tokens, size_t rows) {
  size_t count = 0;
  for (size_t first = 0; first < tokens->batch; first = part_end(tokens, first, rows)) count++;
  return count;
}

// Parts gain where no thread waits long for another that has one part more.
static bool has_parts(const edgetwin_tokens *tokens, const edgetwin_parts *parts, size_t threads) {
  if (!parts || parts->rows == 0) return false;
  const size_t count = count_parts(tokens, parts->rows);
  return count > 1 && (count % threads == 0 || count >= 4 * threads);
}

// Where a part's rows of a buffer begin, `row` being the first of them.
static float *rows_of_part(const edgetwin_parts *parts, const float *buffer, size_t ld, size_t row, size_t thread) {
  float *shared = parts->shared;
  if (buffer < shared || buffer >= shared + parts->planned_rows * parts->width) return (float *)buffer + row * ld;
  const size_t before = (size_t)(buffer - shared) / parts->planned_rows;
  return shared + thread * parts->rows * parts->width + before * parts->rows;
}

static void perform_part(
    const run *r, const edgetwin_step *step, size_t first, size_t end, size_t thread, float *scratch) {
  const edgetwin_tokens *tokens = r->tokens;
  const size_t row = (size_t)tokens->offsets[first], rows = (size_t)tokens->offsets[end] - row;
  if (step->kind == EDGETWIN_STEP_LINEAR) {
    edgetwin_linear linear = step->of.linear;
    linear.input = rows_of_part(r->parts, linear.input, linear.input_ld, row, thread);
    linear.output = rows_of_part(r->parts, linear.output, linear.output_ld, row, thread);
    if (linear.residual) linear.residual = rows_of_part(r->parts, linear.residual, linear.residual_ld, row, thread);
    r->kernels->linear(&linear, 0, rows, 0, panels(r->kernels, linear.outputs), scratch);
    return;
  }
  edgetwin_attention attention = step->of.attention;
  const float *input = rows_of_part(r->parts, attention.input, attention.input_ld, row, thread);
  float *output = rows_of_part(r->parts, attention.output, attention.output_ld, row, thread);
  for (size_t i = first; i < end; i++) {
    const size_t begin = (size_t)tokens->offsets[i] - row;
    const int32_t offsets[2] = {0, tokens->offsets[i + 1] - tokens->offsets[i]};
    const edgetwin_tokens own = {
        .batch = 1, .offsets = offsets, .ids = tokens->ids + tokens->offsets[i], .types = tokens->types + tokens->offsets[i],
        .fourier = tokens->fourier + i, .cosine = tokens->cosine + i};
    attention.input = input + begin * attention.input_ld;
    attention.output = output + begin * attention.output_ld;
    for (size_t head = 0; head < attention.head_count; head++) r->kernels->attention(&attention, &own, 0, head, scratch);
  }
}

// `times` are those of the steps' ends; before the call, times[0] is that of the group's start.
static void perform_group(
    const run *r, const edgetwin_step *steps, size_t count, size_t phase, size_t thread, float *scratch, double *times) {
  if (times) memset(times + 1, 0, sizeof(double) * count);
  size_t part = 0, first = 0;
  for (size_t task = edgetwin_pool_claim(r->pool, phase); first < r->tokens->batch;) {
    const size_t end = part_end(r->tokens, first, r->parts->rows);
    if (part == task) {
      double before = times ? edgetwin_clock() : 0;
      for (size_t s = 0; s < count; s++) {
        perform_part(r, steps + s, first, end, thread, scratch);
        if (!times) continue;
        const double now = edgetwin_clock();
        times[s + 1] += now - before;
        before = now;
      }
      task = edgetwin_pool_claim(r->pool, phase);
    }
    part++;
    first = end;
  }
}

// Durations that add up to less than the time of the group, into the steps' ends.
static void share_time(size_t count, double *times) {
  const double whole = edgetwin_clock() - times[0];
  double sum = 0;
  for (size_t s = 1; s <= count; s++) sum += times[s];
  for (size_t s = 1; s <= count; s++) times[s] = times[s - 1] + whole * (sum > 0 ? times[s] / sum : 1.0 / (double)count);
}

static void run_steps(void *context, size_t thread) {
  const run *r = context;
  float *scratch = r->scratch + thread * r->scratch_floats;
  double *times = thread == 0 ? r->times : NULL;
  if (times) times[0] = edgetwin_clock();
  size_t count;
  for (size_t s = 0, phase = 0; s < r->count; s += count, phase++) {
    const edgetwin_step *step = r->steps + s;
    count = 1;
    if (r->parts && step->group > 0) {
      while (s + count < r->count && step[count].group == step->group) count++;
      perform_group(r, step, count, phase, thread, scratch, times ? times + s : NULL);
      edgetwin_pool_barrier(r->pool, phase);
      if (times) share_time(count, times + s);
      continue;
    }
    size_t across, down;
    cut(r, step, &across, &down);
    const size_t tasks = across * down;
    for (size_t task = edgetwin_pool_claim(r->pool, phase); task < tasks; task = edgetwin_pool_claim(r->pool, phase))
      perform(r, step, task, across, down, scratch);
    edgetwin_pool_barrier(r->pool, phase);
    if (times) times[s + 1] = edgetwin_clock();
  }
}

void edgetwin_run(
    const edgetwin_kernels *kernels, edgetwin_pool *pool, const edgetwin_step *steps, size_t count,
    const edgetwin_tokens *tokens, const edgetwin_parts *parts, float *scratch, size_t scratch_floats, double *times) {
  if (!has_parts(tokens, parts, edgetwin_pool_threads(pool))) parts = NULL;
  run r = {kernels, pool, steps, count, tokens, parts, scratch, scratch_floats, times};
  edgetwin_pool_run(pool, run_steps, &r);
}
