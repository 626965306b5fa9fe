#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif
#include <errno.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "cboards.h"

#if defined(__linux__)

int cboards_get_affinity(int *cores, int capacity) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return -errno;
  int count = 0;
  for (int core = 0; core < CPU_SETSIZE; core++) {
    if (!CPU_ISSET(core, &set)) continue;
    if (count < capacity) cores[count] = core;
    count++;
  }
  return count;
}

int cboards_set_affinity(const int *cores, int count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int index = 0; index < count; index++) {
    if (cores[index] < 0 || cores[index] >= CPU_SETSIZE) return -EINVAL;
    CPU_SET(cores[index], &set);
  }
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

#else

int cboards_get_affinity(int *cores, int capacity) {
  (void)cores;
  (void)capacity;
  return -ENOSYS;
}

int cboards_set_affinity(const int *cores, int count) {
  (void)cores;
  (void)count;
  return -ENOSYS;
}

#endif

long long cboards_involuntary_switches(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return usage.ru_nivcsw;
}

// 64 KiB: more than a first-level cache holds on most processors, and not more than the second does.
enum { PACE_NUMBERS = 16384, PACE_PASSES = 40 };

static double pace(void) {
  static _Thread_local float numbers[PACE_NUMBERS];
  struct timespec begin, end;
  for (int pass = -2; pass < PACE_PASSES; pass++) {
    if (pass == 0) clock_gettime(CLOCK_MONOTONIC, &begin);  // the passes before bring the numbers into cache
    for (int i = 0; i < PACE_NUMBERS; i++) numbers[i] = numbers[i] * 0.5f + 1.0f;
    __asm__ volatile("" : : "r"(numbers) : "memory");
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}

double cboards_pace_seconds(const int *cores, int count) {
  enum { CAPACITY = 1024 };
  int before[CAPACITY];
  const int known = cboards_get_affinity(before, CAPACITY);
  if (count <= 0 || known <= 0 || known > CAPACITY) return pace();
  double slowest = 0;
  for (int index = 0; index < count; index++) {
    if (cboards_set_affinity(cores + index, 1) != 0) continue;
    const double seconds = pace();
    if (seconds > slowest) slowest = seconds;
  }
  cboards_set_affinity(before, known);
  return slowest;
}
