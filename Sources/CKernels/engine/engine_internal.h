#ifndef EDGETWIN_ENGINE_INTERNAL_H
#define EDGETWIN_ENGINE_INTERNAL_H

#include "../include/edgetwin_engine.h"

// Rows that an int8 linear map quantises at a time, and the bytes between them.
enum { EDGETWIN_INT8_ROWS = 112 };
static inline size_t edgetwin_int8_row_bytes(size_t inputs) { return ((inputs + 3) / 4 * 4 + 63) / 64 * 64 + 64; }

// Runs `body` on every thread of the pool, the caller among them, and returns when all are done.
void edgetwin_pool_run(edgetwin_pool *, void (*body)(void *context, size_t thread), void *context);
// The next task of step `step` that no thread has taken.
size_t edgetwin_pool_claim(edgetwin_pool *, size_t step);
// Waits until every thread has finished step `step`.
void edgetwin_pool_barrier(edgetwin_pool *, size_t step);

#endif
