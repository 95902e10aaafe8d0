#include "worker/expose.h"

/* --- one line each: NULL is fine --- */

static const char *check_loop(const struct expose *expose) {
  const struct snapshot *snapshot = expose->snapshot;
  if (snapshot && snapshot->phase == LOOP_STOPPED)
    return "has stopped";
  if (snapshot && expose->monotonic_us - snapshot->monotonic_us > EXPOSE_STALL_US)
    return "has not taken a step for half a minute";
  return NULL;
}

static const char *check_doors(const struct expose *expose) {
  return expose->snapshot ? NULL : "Kafka and Redis are being looked at, nothing was decided yet";
}

static const char *check_group(const struct expose *expose) {
  return expose->snapshot && expose->snapshot->assigned ? NULL : "the consumer group has not told yet what is ours";
}

static const char *check_stopping(const struct expose *expose) {
  return expose->snapshot && expose->snapshot->phase == LOOP_RUNNING ? NULL : "is about to stop, or has not begun";
}

static const char *check_kafka(const struct expose *expose) {
  return expose->snapshot && expose->snapshot->kafka_is_down ? "no broker can be reached" : NULL;
}

static const char *check_redis(const struct expose *expose) {
  return expose->snapshot && expose->snapshot->redis_is_down ? "can't be reached, or refuses" : NULL;
}

static const char *check_control(const struct expose *expose) {
  return expose->snapshot && expose->snapshot->control_is_known ? NULL : "the control topic is not read to its end yet";
}

static const char *check_partitions(const struct expose *expose) {
  const struct snapshot *snapshot = expose->snapshot;
  if (!snapshot)
    return "none yet";
  if (snapshot->spare)
    return NULL;
  if (snapshot->partitions[PARTITION_SPLIT] > 0)
    return "another worker of the group has some topics of a partition: all must read the same";
  if (snapshot->partitions[PARTITION_BEHIND] > 0)
    return "Redis is being brought to where the log is";
  if (snapshot->partitions[PARTITION_LIVE] == 0)
    return "none is ours";
  return snapshot->clear && (snapshot->ready || snapshot->spare) ? NULL : "paused";
}

static const struct {
  const char *name;
  unsigned probes; /* bit per enum expose_probe */
  const char *(*trouble)(const struct expose *expose);
} checks[] = {
    {"loop", 1u << EXPOSE_LIVE | 1u << EXPOSE_READY, check_loop},
    {"doors", 1u << EXPOSE_STARTED, check_doors},
    {"group", 1u << EXPOSE_STARTED | 1u << EXPOSE_READY, check_group},
    {"running", 1u << EXPOSE_READY, check_stopping},
    {"kafka", 1u << EXPOSE_READY, check_kafka},
    {"redis", 1u << EXPOSE_READY, check_redis},
    {"control", 1u << EXPOSE_READY, check_control},
    {"partitions", 1u << EXPOSE_READY, check_partitions},
};
_Static_assert(sizeof checks / sizeof *checks <= EXPOSE_CHECKS, "room for all of them");

size_t expose_checks(const struct expose *expose, enum expose_probe probe,
                     struct expose_check ret[static EXPOSE_CHECKS], bool *ret_fine) {
  size_t count = 0;
  *ret_fine = true;
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    if (!(checks[i].probes & 1u << probe))
      continue;
    ret[count] = (struct expose_check){checks[i].name, checks[i].trouble(expose)};
    *ret_fine &= !ret[count++].trouble;
  }
  return count;
}

bool expose_probe(const struct expose *expose, enum expose_probe probe, bool verbose, struct wm_buf *ret) {
  static const char *const names[] = {"livez", "readyz", "startupz"};
  struct expose_check found[EXPOSE_CHECKS];
  bool fine;
  size_t count = expose_checks(expose, probe, found, &fine);
  if (fine && !verbose) {
    wm_buf_add_string(ret, "ok\n");
    return true;
  }
  for (size_t i = 0; i < count; i++) {
    if (found[i].trouble)
      wm_buf_printf(ret, "[-]%s failed: %s\n", found[i].name, found[i].trouble);
    else
      wm_buf_printf(ret, "[+]%s ok\n", found[i].name);
  }
  wm_buf_printf(ret, "%s check %s\n", names[probe], fine ? "passed" : "failed");
  return fine;
}

const char *expose_state(const struct expose *expose) {
  struct expose_check found[EXPOSE_CHECKS];
  bool fine;
  if (!expose->snapshot)
    return "starting";
  if (expose->snapshot->phase != LOOP_RUNNING)
    return "stopped";
  expose_checks(expose, EXPOSE_READY, found, &fine);
  if (!fine)
    return "not ready";
  return expose->snapshot->spare ? "stands by" : "ready";
}

const char *expose_partition_state(enum partition_state state) {
  static const char *const names[] = {[PARTITION_FOREIGN] = "foreign",
                                      [PARTITION_SPLIT] = "split",
                                      [PARTITION_BEHIND] = "behind",
                                      [PARTITION_LIVE] = "live"};
  return names[state];
}
