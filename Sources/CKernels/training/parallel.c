#include "parallel.h"

#include "../engine/engine_internal.h"

typedef struct work {
  const edgetwin_workspace *workspace;
  size_t tasks;
  void (*body)(const void *, size_t, void *);
  const void *context;
} work;

static void claim_tasks(void *argument, size_t thread) {
  const work *w = argument;
  void *scratch = (char *)w->workspace->scratch + thread * w->workspace->scratch_bytes;
  for (size_t task = edgetwin_pool_claim(w->workspace->pool, 0); task < w->tasks;
       task = edgetwin_pool_claim(w->workspace->pool, 0))
    w->body(w->context, task, scratch);
}

void edgetwin_parallel(
    const edgetwin_workspace *workspace, size_t tasks, void (*body)(const void *, size_t, void *), const void *context) {
  if (tasks <= 1 || edgetwin_pool_threads(workspace->pool) == 1) {
    for (size_t task = 0; task < tasks; task++) body(context, task, workspace->scratch);
    return;
  }
  work w = {workspace, tasks, body, context};
  edgetwin_pool_run(workspace->pool, claim_tasks, &w);
}
