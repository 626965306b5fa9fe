#ifndef EDGETWIN_TRAINING_PARALLEL_H
#define EDGETWIN_TRAINING_PARALLEL_H

#include "../include/edgetwin_training.h"

// Calls body(context, task, scratch of the thread) once for each task, on all threads of the pool.
void edgetwin_parallel(
    const edgetwin_workspace *, size_t tasks, void (*body)(const void *context, size_t task, void *scratch), const void *context);

#endif
