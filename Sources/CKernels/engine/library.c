#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "engine_internal.h"

// Libraries that multiply matrices, opened at run time: nothing is linked with them. Each is told to use one thread, since the pool's
// threads call it side by side.

typedef int (*dnnl_sgemm_type)(
    char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
    float beta, float *c, int64_t ldc);
typedef void (*cblas_sgemm_type)(
    int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta,
    float *c, int ldc);

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

static dnnl_sgemm_type dnnl_sgemm;
static void (*limit_openmp)(int);
static cblas_sgemm_type openblas_sgemm, accelerate_sgemm;

static void multiply_onednn(
    size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc) {
  // OpenMP keeps the number for each calling thread.
  if (limit_openmp) limit_openmp(1);
  dnnl_sgemm('N', 'T', (int64_t)m, (int64_t)n, (int64_t)k, 1, a, (int64_t)lda, b, (int64_t)ldb, 0, c, (int64_t)ldc);
}

static void multiply_openblas(
    size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc) {
  openblas_sgemm(
      ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb, 0, c, (int)ldc);
}

static void multiply_accelerate(
    size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc) {
  accelerate_sgemm(
      ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb, 0, c, (int)ldc);
}

static char onednn_version[32], openblas_version[32], openblas_core[32];
static edgetwin_library onednn = {.name = "oneDNN", .version = onednn_version, .core = "", .multiply = multiply_onednn};
static edgetwin_library openblas = {.name = "OpenBLAS", .version = openblas_version, .core = openblas_core, .multiply = multiply_openblas};
static edgetwin_library accelerate = {.name = "Accelerate", .version = "", .core = "", .multiply = multiply_accelerate};

static void *open_first(const char *const *names) {
  void *handle = NULL;
  for (; *names && !handle; names++) handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
  return handle;
}

// Also what the library itself depends on is searched. Found functions are data pointers to the C language; POSIX says that they may be
// called, and how they are to be assigned.
static void *function(void *handle, const char *name) { return handle ? dlsym(handle, name) : NULL; }

static bool open_onednn(void) {
  static const char *const names[] = {"libdnnl.so.3", "libdnnl.so.2", "libdnnl.so", NULL};
  void *handle = open_first(names);
  *(void **)&dnnl_sgemm = function(handle, "dnnl_sgemm");
  if (!dnnl_sgemm) return false;
  struct version { int major, minor, patch; };
  const struct version *(*version)(void);
  *(void **)&version = function(handle, "dnnl_version");
  if (version) {
    const struct version *v = version();
    snprintf(onednn_version, sizeof onednn_version, "%d.%d.%d", v->major, v->minor, v->patch);
  }
  *(void **)&limit_openmp = function(handle, "omp_set_num_threads");
  return true;
}

static bool open_openblas(void) {
  static const char *const names[] = {"libopenblas.so.0", "libopenblas.so", "libopenblas.dylib",
                                      "/opt/homebrew/opt/openblas/lib/libopenblas.dylib", NULL};
  void *handle = open_first(names);
  *(void **)&openblas_sgemm = function(handle, "cblas_sgemm");
  if (!openblas_sgemm) return false;
  char *(*text)(void);
  *(void **)&text = function(handle, "openblas_get_corename");
  if (text) snprintf(openblas_core, sizeof openblas_core, "%s", text());
  *(void **)&text = function(handle, "openblas_get_config");
  if (text) sscanf(text(), "OpenBLAS %31s", openblas_version);
  void (*set_threads)(int);
  *(void **)&set_threads = function(handle, "openblas_set_num_threads");
  if (set_threads) set_threads(1);
  return true;
}

static bool open_accelerate(void) {
#if defined(__APPLE__)
  static const char *const names[] = {"/System/Library/Frameworks/Accelerate.framework/Accelerate", NULL};
  *(void **)&accelerate_sgemm = function(open_first(names), "cblas_sgemm");
  return accelerate_sgemm != NULL;
#else
  return false;
#endif
}

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

const edgetwin_library *edgetwin_library_open(const char *name) {
  static edgetwin_library *const known[] = {&onednn, &openblas, &accelerate};
  static bool (*const open[])(void) = {open_onednn, open_openblas, open_accelerate};
  static const char *const names[] = {"onednn", "openblas", "accelerate"};
  static enum { UNTRIED, ABSENT, PRESENT } state[3];
  const edgetwin_library *found = NULL;
  pthread_mutex_lock(&opening);
  for (int i = 0; i < 3; i++) {
    if (strcmp(name, names[i]) != 0) continue;
    if (state[i] == UNTRIED) state[i] = open[i]() ? PRESENT : ABSENT;
    if (state[i] == PRESENT) found = known[i];
  }
  pthread_mutex_unlock(&opening);
  return found;
}
