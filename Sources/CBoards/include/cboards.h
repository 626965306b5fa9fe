#ifndef CBOARDS_H
#define CBOARDS_H

/// Cores that the calling thread may run on, ascending.
/// Returns how many there are (at most `capacity` are written), or a negative errno.
int cboards_get_affinity(int *cores, int capacity);

/// Binds the calling thread, and what it starts from now on, to cores.
/// Returns 0, or a negative errno; -ENOSYS where the system has no such call.
int cboards_set_affinity(const int *cores, int count);

/// How often the kernel took a core away from a thread of this process that wanted to go on.
long long cboards_involuntary_switches(void);

#endif
