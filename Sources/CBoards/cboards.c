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
