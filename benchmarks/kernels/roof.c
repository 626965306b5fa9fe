// The roof of matrix products: how long a library needs for the very products of a model, and nothing else. Served on standard input and
// output for peers.py:
//
//   load LIBRARY THREADS ROWS PRODUCT…   answers {"contender": …, "library": …}
//   run N                                answers a JSON list of N seconds, one a pass over all products, in order
//   quit
//
// LIBRARY is edgetwin (our packed kernels), onednn (dnnl_sgemm), onednn_packed (matmul primitive, weights reordered once) or openblas
// (cblas_sgemm). A PRODUCT is one of
//   linear:M:N:K              [M, K] · [N, K]ᵀ with weights of its own, as PyTorch stores them
//   scores:COUNT:M:D:H        COUNT × H products [M, D] · [M, D]ᵀ of queries and keys that lie H · D apart by row
//   contexts:COUNT:M:D:H      COUNT × H products [M, M] · [M, D]
// Threads share each linear product by rows and the others by whole products; they meet at the end of a pass only, so that the
// roof knows no barriers. A corner of every product is checked against double arithmetic at load.
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../Sources/CKernels/include/edgetwin_engine.h"

#if WITH_ONEDNN
#include <dnnl.h>
#if DNNL_VERSION_MAJOR == 2
#define PACKED_ONEDNN 1
#endif
#endif

typedef void (*gemm_type)(
    int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta,
    float *c, int ldc);
typedef int (*sgemm_type)(
    char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
    float beta, float *c, int64_t ldc);

enum { MOST_THREADS = 64 };
typedef enum { OWN, SGEMM, PACKED, OPENBLAS } library_kind;
typedef enum { LINEAR, SCORES, CONTEXTS } product_kind;

typedef struct product {
  product_kind kind;
  size_t m, n, k;      // of one product
  size_t count, heads; // of scores and contexts
  float *weights;      // [n, k], packed for our kernels
#if PACKED_ONEDNN
  dnnl_primitive_t primitives[MOST_THREADS];
  dnnl_exec_arg_t arguments[MOST_THREADS][3];
#endif
} product;

static library_kind library;
static const edgetwin_kernels *own;
static gemm_type cblas;
static sgemm_type sgemm;
static product *products;
static size_t product_count, threads, widest, rows;
static float *input, *output, *zeros;
static size_t input_ld, output_ld;
#if PACKED_ONEDNN
static dnnl_engine_t engine;
static dnnl_stream_t streams[MOST_THREADS];
#endif

static void fail(const char *what) {
  fprintf(stderr, "roof: %s\n", what);
  exit(1);
}

static void *block(size_t floats) {
  void *memory = NULL;
  if (posix_memalign(&memory, 64, sizeof(float) * (floats + 256))) fail("out of memory");
  memset(memory, 0, sizeof(float) * (floats + 256));
  return memory;
}

static float scattered(size_t i) { return (float)((i * 2654435761u >> 8) & 0xffff) / 32768.0f - 1.0f; }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void gemm(
    bool transposed, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc) {
  if (library == OPENBLAS)
    cblas(101, 111, transposed ? 112 : 111, (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb, 0, c, (int)ldc);
  else
    sgemm(
        'N', transposed ? 'T' : 'N', (int64_t)m, (int64_t)n, (int64_t)k, 1, a, (int64_t)lda, b, (int64_t)ldb, 0, c, (int64_t)ldc);
}

static void linear(const product *p, size_t thread) {
  const size_t first = p->m * thread / threads, last = p->m * (thread + 1) / threads;
  if (first == last) return;
  if (library == OWN) {
    edgetwin_linear step = {
        .input = input, .input_ld = input_ld, .weights = p->weights, .inputs = p->k, .outputs = p->n, .output = output,
        .output_ld = output_ld};
    own->linear(&step, first, last, 0, (p->n + own->panel_columns - 1) / own->panel_columns, NULL);
    return;
  }
#if PACKED_ONEDNN
  if (library == PACKED) {
    if (dnnl_primitive_execute(p->primitives[thread], streams[thread], 3, p->arguments[thread])) fail("oneDNN's matmul failed");
    return;
  }
#endif
  gemm(
      true, last - first, p->n, p->k, input + first * input_ld, input_ld, p->weights, p->k, output + first * output_ld,
      output_ld);
}

// Queries, keys and values of head h of sequence s: columns of the input; scores and keys by column lie in the output.
static void attention(const product *p, size_t thread) {
  const size_t all = p->count * p->heads, size = p->kind == SCORES ? p->k : p->n, length = p->m;
  for (size_t i = all * thread / threads; i < all * (thread + 1) / threads; i++) {
    const float *q = input + i / p->heads * length * input_ld + i % p->heads * size;
    float *c = output + i / p->heads * length * output_ld + i % p->heads * (p->kind == SCORES ? length : size);
    const float *other = q + p->heads * size;
    if (library == OWN)  // our kernels write whole vectors: what is beyond the width belongs to the next head
      own->product(
          length, (p->n + 15) / 16 * 16, p->k, p->kind == SCORES ? q : zeros, p->kind == SCORES ? input_ld : (length + 15) / 16 * 16,
          p->kind == SCORES ? zeros : other, p->kind == SCORES ? (length + 15) / 16 * 16 : input_ld, c, output_ld);
    else if (p->kind == SCORES)
      gemm(true, length, length, size, q, input_ld, other, input_ld, c, output_ld);
    else
      gemm(false, length, size, length, zeros, length, other, input_ld, c, output_ld);
  }
}

static void pass(size_t thread) {
  for (size_t i = 0; i < product_count; i++)
    if (products[i].kind == LINEAR)
      linear(products + i, thread);
    else
      attention(products + i, thread);
}

static _Atomic size_t round_number, finished;

static void *work(void *argument) {
  const size_t thread = (size_t)argument;
  for (size_t seen = 0;; seen++) {
    for (size_t spins = 0; atomic_load_explicit(&round_number, memory_order_acquire) == seen; spins++)
      if (spins > 200000) nanosleep(&(struct timespec){0, 2000000}, NULL);
    pass(thread);
    atomic_fetch_add_explicit(&finished, 1, memory_order_release);
  }
  return NULL;
}

static double timed_pass(void) {
  atomic_store(&finished, 0);
  const double start = now();
  atomic_fetch_add_explicit(&round_number, 1, memory_order_release);
  pass(0);
  while (atomic_load_explicit(&finished, memory_order_acquire) != threads - 1) {
  }
  return now() - start;
}

#if PACKED_ONEDNN
static void check_onednn(dnnl_status_t status) {
  if (status != dnnl_success) fail("oneDNN refuses a product");
}

// Weights in the form that the primitive likes best; those of a thread's rows are shared where the form is the same.
static void prepare_packed(product *p) {
  dnnl_memory_desc_t weights_form[MOST_THREADS];
  dnnl_memory_t packed[MOST_THREADS];
  for (size_t t = 0; t < threads; t++) {
    const size_t first = p->m * t / threads, count = p->m * (t + 1) / threads - first;
    if (count == 0) continue;
    dnnl_dims_t source_size = {(int64_t)count, (int64_t)p->k}, source_strides = {(int64_t)input_ld, 1};
    dnnl_dims_t weights_size = {(int64_t)p->k, (int64_t)p->n}, weights_strides = {1, (int64_t)p->k};
    dnnl_dims_t result_size = {(int64_t)count, (int64_t)p->n}, result_strides = {(int64_t)output_ld, 1};
    dnnl_memory_desc_t source, plain, any, result;
    check_onednn(dnnl_memory_desc_init_by_strides(&source, 2, source_size, dnnl_f32, source_strides));
    check_onednn(dnnl_memory_desc_init_by_strides(&plain, 2, weights_size, dnnl_f32, weights_strides));
    check_onednn(dnnl_memory_desc_init_by_tag(&any, 2, weights_size, dnnl_f32, dnnl_format_tag_any));
    check_onednn(dnnl_memory_desc_init_by_strides(&result, 2, result_size, dnnl_f32, result_strides));
    dnnl_matmul_desc_t matmul;
    check_onednn(dnnl_matmul_desc_init(&matmul, &source, &any, NULL, &result));
    dnnl_primitive_desc_t description;
    check_onednn(dnnl_primitive_desc_create(&description, &matmul, NULL, engine, NULL));
    check_onednn(dnnl_primitive_create(&p->primitives[t], description));
    weights_form[t] = *dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    size_t same = 0;
    while (same < t && !(p->primitives[same] && dnnl_memory_desc_equal(&weights_form[same], &weights_form[t]))) same++;
    if (same < t) {
      packed[t] = packed[same];
    } else {
      dnnl_memory_t from;
      check_onednn(dnnl_memory_create(&from, &plain, engine, p->weights));
      check_onednn(dnnl_memory_create(&packed[t], &weights_form[t], engine, DNNL_MEMORY_ALLOCATE));
      dnnl_primitive_desc_t reorder_description;
      dnnl_primitive_t reorder;
      check_onednn(dnnl_reorder_primitive_desc_create(&reorder_description, &plain, engine, &weights_form[t], engine, NULL));
      check_onednn(dnnl_primitive_create(&reorder, reorder_description));
      dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, packed[t]}};
      check_onednn(dnnl_primitive_execute(reorder, streams[0], 2, arguments));
      check_onednn(dnnl_stream_wait(streams[0]));
      dnnl_primitive_destroy(reorder);
      dnnl_primitive_desc_destroy(reorder_description);
      dnnl_memory_destroy(from);
    }
    dnnl_primitive_desc_destroy(description);
    dnnl_memory_t a, c;
    check_onednn(dnnl_memory_create(&a, &source, engine, input + first * input_ld));
    check_onednn(dnnl_memory_create(&c, &result, engine, output + first * output_ld));
    p->arguments[t][0] = (dnnl_exec_arg_t){DNNL_ARG_SRC, a};
    p->arguments[t][1] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, packed[t]};
    p->arguments[t][2] = (dnnl_exec_arg_t){DNNL_ARG_DST, c};
  }
}
#endif

static void check(const product *p, size_t index) {
  for (size_t t = 0; t < threads; t++) linear(p, t);
  const size_t corners[2][2] = {{0, 0}, {p->m - 1, p->n - 1}};
  for (int i = 0; i < 2; i++) {
    const size_t row = corners[i][0], column = corners[i][1];
    double sum = 0;
    for (size_t j = 0; j < p->k; j++)
      sum += (double)input[row * input_ld + j] * (double)scattered(index * 7919 + column * p->k + j);
    if (!(fabs(sum - (double)output[row * output_ld + column]) <= 1e-4 * (1 + fabs(sum)) + 1e-5 * (double)p->k))
      fail("a product came out wrong");
  }
}

static const char *open_library(const char *name) {
  static char described[160];
  void *handle = NULL;
  if (strcmp(name, "edgetwin") == 0) {
    library = OWN;
    own = edgetwin_kernels_best(NULL);
    snprintf(described, sizeof described, "our packed kernels (%s)", own->name);
    return described;
  }
  if (strcmp(name, "openblas") == 0) {
    library = OPENBLAS;
    handle = dlopen("libopenblas.so.0", RTLD_NOW);
    if (handle) cblas = (gemm_type)dlsym(handle, "cblas_sgemm");
    char *(*configuration)(void) = handle ? (char *(*)(void))dlsym(handle, "openblas_get_config") : NULL;
    void (*set)(int) = handle ? (void (*)(int))dlsym(handle, "openblas_set_num_threads") : NULL;
    if (!cblas) fail("OpenBLAS is not installed");
    if (set) set(1);
    snprintf(described, sizeof described, "%.140s", configuration ? configuration() : "OpenBLAS");
    return described;
  }
  if (strcmp(name, "onednn") != 0 && strcmp(name, "onednn_packed") != 0) fail("unknown library");
  library = strcmp(name, "onednn") == 0 ? SGEMM : PACKED;
  const char *names[] = {"libdnnl.so.3", "libdnnl.so.2"};
  for (int i = 0; i < 2 && !handle; i++) handle = dlopen(names[i], RTLD_NOW);
  if (handle) sgemm = (sgemm_type)dlsym(handle, "dnnl_sgemm");
  if (!sgemm) fail("oneDNN is not installed");
#if PACKED_ONEDNN
  if (library == PACKED) {
    if (dnnl_engine_create(&engine, dnnl_cpu, 0)) fail("oneDNN has no engine for this processor");
    for (size_t t = 0; t < threads; t++)
      if (dnnl_stream_create(&streams[t], engine, dnnl_stream_default_flags)) fail("oneDNN has no stream");
  }
#else
  if (library == PACKED) fail("built without oneDNN 2's headers");
#endif
  struct version { int major, minor, patch; };
  const struct version *(*version)(void) = (const struct version *(*)(void))dlsym(handle, "dnnl_version");
  snprintf(
      described, sizeof described, "oneDNN %d.%d.%d, %s", version ? version()->major : 0, version ? version()->minor : 0,
      version ? version()->patch : 0, library == SGEMM ? "sgemm" : "packed matmul");
  return described;
}

static void load(char *line) {
  char *state = NULL;
  strtok_r(line, " \n", &state);
  const char *name = strtok_r(NULL, " \n", &state), *thread_text = strtok_r(NULL, " \n", &state);
  const char *row_text = strtok_r(NULL, " \n", &state);
  threads = thread_text ? (size_t)atoi(thread_text) : 0;
  rows = row_text ? (size_t)atoi(row_text) : 0;
  if (threads < 1 || threads > MOST_THREADS || rows < 1) fail("load LIBRARY THREADS ROWS PRODUCT…");
  const char *described = open_library(name);
  size_t room = 256, longest = 0, broadest = 0;
  products = calloc(room, sizeof(product));
  for (char *text; (text = strtok_r(NULL, " \n", &state)) != NULL;) {
    if (product_count == room) products = realloc(products, (room *= 2) * sizeof(product));
    product *p = products + product_count++;
    memset(p, 0, sizeof *p);
    size_t a, b, c, d;
    if (sscanf(text, "linear:%zu:%zu:%zu", &a, &b, &c) == 3) {
      *p = (product){.kind = LINEAR, .m = a, .n = b, .k = c};
      if (p->m > rows) fail("a product has more rows than were said");
      if (c > widest) widest = c;
      if (b > broadest) broadest = b;
    } else if (sscanf(text, "scores:%zu:%zu:%zu:%zu", &a, &b, &c, &d) == 4) {
      *p = (product){.kind = SCORES, .m = b, .n = b, .k = c, .count = a, .heads = d};
    } else if (sscanf(text, "contexts:%zu:%zu:%zu:%zu", &a, &b, &c, &d) == 4) {
      *p = (product){.kind = CONTEXTS, .m = b, .n = c, .k = b, .count = a, .heads = d};
    } else {
      fail("a product is not understood");
    }
    if (p->kind != LINEAR) {
      if (p->count * p->m > rows) fail("a product has more rows than were said");
      if (p->m > longest) longest = p->m;
      if (3 * p->heads * c > widest) widest = 3 * p->heads * c;
      if (d * b > broadest) broadest = d * b;
      if (d * c > broadest) broadest = d * c;
    }
  }
  input_ld = (widest + 15) / 16 * 16 + 16;
  output_ld = (broadest + 15) / 16 * 16 + 16;
  input = block(rows * input_ld);
  output = block(rows * output_ld);
  const size_t square = (longest + 16) * (longest + 16);
  zeros = block(square > 1024 * 1024 ? square : 1024 * 1024);
  for (size_t i = 0; i < rows * input_ld; i++) input[i] = scattered(i);
  for (size_t i = 0; i < square; i++) zeros[i] = scattered(i);
  for (size_t i = 0; i < product_count; i++) {
    product *p = products + i;
    if (p->kind != LINEAR) continue;
    float *weights = block(p->n * p->k);
    for (size_t j = 0; j < p->n * p->k; j++) weights[j] = scattered(i * 7919 + j);
    p->weights = weights;
    if (library == OWN) {
      p->weights = block(edgetwin_packed_floats(own, p->n, p->k));
      own->pack(weights, p->n, p->k, p->weights);
      free(weights);
    }
#if PACKED_ONEDNN
    if (library == PACKED) {
      prepare_packed(p);
      free(weights);
    }
#endif
    check(p, i);
  }
  for (size_t t = 1; t < threads; t++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, (void *)t)) fail("a thread cannot be started");
  }
  printf("{\"contender\":\"roof\",\"library\":\"%s\"}\n", described);
}

int main(void) {
  static char line[1 << 20];
  while (fgets(line, sizeof line, stdin)) {
    int count;
    if (strncmp(line, "load ", 5) == 0) {
      load(line);
    } else if (sscanf(line, "run %d", &count) == 1 && products) {
      printf("[");
      for (int i = 0; i < count; i++) printf("%s%.9f", i > 0 ? "," : "", timed_pass());
      printf("]\n");
    } else {
      break;
    }
    fflush(stdout);
  }
  return 0;
}
