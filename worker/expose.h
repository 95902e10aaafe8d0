/* A snapshot as others want to read it: Prometheus, probes, people, `waymark status`. Pure: text out of values. */
#ifndef WM_WORKER_EXPOSE_H
#define WM_WORKER_EXPOSE_H

#include "core/buf.h"
#include "worker/snapshot.h"

/* Who this is; everything is borrowed. */
struct expose_worker {
  const char *instance, *group;
  bool exactly_once;
};

/* What is shown; 'snapshot' NULL: the loop has not taken a step yet. */
struct expose {
  const struct expose_worker *worker;
  const struct snapshot *snapshot;
  int64_t monotonic_us; /* now */
};

/* Prometheus' text format 0.0.4, everything but the process (worker/process.h). */
void expose_metrics(const struct expose *expose, struct wm_buf *ret);

/* One page for people, without anything from elsewhere; 'still': it does not load itself anew. And the same as one JSON
 * object. */
void expose_page(const struct expose *expose, bool still, struct wm_buf *ret);
void expose_json(const struct expose *expose, struct wm_buf *ret);

/* The failure before 'index' later ones; NULL: so many are not known. */
const struct metrics_failure *expose_failure(const struct snapshot *snapshot, size_t index);

/* --- probes, as Kubernetes has them --- */

enum expose_probe { EXPOSE_LIVE, EXPOSE_READY, EXPOSE_STARTED };

/* What is wrong with this worker; all false: nothing. */
struct expose_check {
  const char *name;
  const char *trouble; /* NULL: it is as it should be */
};

#define EXPOSE_CHECKS 8

/* The checks of a probe; returns how many, 'ret_fine' whether none has trouble. */
size_t expose_checks(const struct expose *expose, enum expose_probe probe,
                     struct expose_check ret[static EXPOSE_CHECKS], bool *ret_fine);

/* text/plain: "ok", or what is checked, line by line. Returns whether it is fine. */
bool expose_probe(const struct expose *expose, enum expose_probe probe, bool verbose, struct wm_buf *ret);

#define EXPOSE_STALL_US (30 * INT64_C(1000000)) /* a loop that took no step for so long hangs */

/* "ready", "stands by", "not ready", "starting", "stopped". */
const char *expose_state(const struct expose *expose);
const char *expose_partition_state(enum partition_state state);

#endif
