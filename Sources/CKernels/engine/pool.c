#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine_internal.h"

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE()
#endif

// Long enough for the gap between two steps, short enough to give the core away when another program needs it.
enum { SPINS = 2000 };

typedef struct worker {
  edgetwin_pool *pool;
  size_t index;
  int32_t core;
  pthread_t thread;
} worker;

struct edgetwin_pool {
  size_t threads;
  worker *workers;
  size_t started;
  void (*body)(void *, size_t);
  void *context;
  _Alignas(64) atomic_uint generation;
  _Alignas(64) atomic_uint arrived;
  _Alignas(64) atomic_uint phase;
  // Two counters by turns: the one of the next step is cleared by the last thread to finish this one.
  _Alignas(64) atomic_size_t claims[2];
  atomic_uint sleepers;
  atomic_bool stopping;
  pthread_mutex_t lock;
  pthread_cond_t changed;
};

static void wait_for_change(edgetwin_pool *pool, atomic_uint *value, unsigned old) {
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load_explicit(value, memory_order_acquire) != old) return;
    PAUSE();
  }
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->sleepers, 1);
  while (atomic_load(value) == old) pthread_cond_wait(&pool->changed, &pool->lock);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->lock);
}

static void change(edgetwin_pool *pool, atomic_uint *value) {
  atomic_fetch_add(value, 1);
  if (atomic_load(&pool->sleepers) > 0) {
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
  }
}

static void arrive(edgetwin_pool *pool, atomic_size_t *cleared) {
  const unsigned phase = atomic_load(&pool->phase);
  if (atomic_fetch_add(&pool->arrived, 1) + 1 == pool->threads) {
    atomic_store(&pool->arrived, 0);
    if (cleared) atomic_store(cleared, 0);
    change(pool, &pool->phase);
  } else {
    wait_for_change(pool, &pool->phase, phase);
  }
}

bool edgetwin_pin_thread(int32_t core) {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (core < 0 || core >= CPU_SETSIZE) return false;
  CPU_SET(core, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
#else
  (void)core;
  return false;
#endif
}

static void *work(void *argument) {
  worker *self = argument;
  edgetwin_pool *pool = self->pool;
  if (self->core >= 0) edgetwin_pin_thread(self->core);
  unsigned seen = 0;
  while (true) {
    wait_for_change(pool, &pool->generation, seen);
    seen++;
    if (atomic_load(&pool->stopping)) return NULL;
    pool->body(pool->context, self->index);
    arrive(pool, NULL);
  }
}

edgetwin_pool *edgetwin_pool_create(size_t threads, const int32_t *cores) {
  edgetwin_pool *pool = NULL;
  if (threads == 0 || posix_memalign((void **)&pool, 64, sizeof *pool) != 0) return NULL;
  *pool = (edgetwin_pool){.threads = threads};
  pool->workers = calloc(threads, sizeof *pool->workers);
  if (!pool->workers) {
    free(pool);
    return NULL;
  }
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->changed, NULL);
  if (cores) edgetwin_pin_thread(cores[0]);
  for (size_t i = 1; i < threads; i++) {
    pool->workers[i] = (worker){.pool = pool, .index = i, .core = cores ? cores[i] : -1};
    if (pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]) != 0) {
      edgetwin_pool_destroy(pool);
      return NULL;
    }
    pool->started++;
  }
  return pool;
}

void edgetwin_pool_destroy(edgetwin_pool *pool) {
  if (!pool) return;
  atomic_store(&pool->stopping, true);
  change(pool, &pool->generation);
  for (size_t i = 1; i <= pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->changed);
  pthread_mutex_destroy(&pool->lock);
  free(pool->workers);
  free(pool);
}

size_t edgetwin_pool_threads(const edgetwin_pool *pool) { return pool->threads; }

void edgetwin_pool_run(edgetwin_pool *pool, void (*body)(void *, size_t), void *context) {
  pool->body = body;
  pool->context = context;
  atomic_store(&pool->claims[0], 0);
  atomic_store(&pool->claims[1], 0);
  if (pool->threads > 1) change(pool, &pool->generation);
  body(context, 0);
  if (pool->threads > 1) arrive(pool, NULL);
}

size_t edgetwin_pool_claim(edgetwin_pool *pool, size_t step) {
  return atomic_fetch_add_explicit(&pool->claims[step & 1], 1, memory_order_relaxed);
}

void edgetwin_pool_barrier(edgetwin_pool *pool, size_t step) {
  if (pool->threads == 1) {
    atomic_store_explicit(&pool->claims[step & 1], 0, memory_order_relaxed);
    return;
  }
  // Nobody still claims from the counter of the step before when the last thread arrives here.
  arrive(pool, &pool->claims[step & 1]);
}
