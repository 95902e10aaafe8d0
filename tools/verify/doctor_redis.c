/* Redis as the doctor sees it: version, eviction, persistence, memory, clock, and what the workers say there. */
#include <stdlib.h>
#include <string.h>

#include "tools/verify/doctor.h"
#include "worker/clock.h"
#include "worker/examine.h"
#include "worker/meta.h"

#define VERSION_MAJOR 6
#define VERSION_MINOR 2 /* ZADD LT, SMISMEMBER */
#define SKEW_DOUBTFUL_US (2 * INT64_C(1000000))
#define SILENT_MS 10000
#define FULL 0.85

static void look_at_server(struct doctor *doctor, const struct examined_redis *found) {
  char *rest;
  long major = strtol(found->version, &rest, 10);
  long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
  bool old = major < VERSION_MAJOR || (major == VERSION_MAJOR && minor < VERSION_MINOR);
  if (old)
    doctor_say(doctor, "redis", "version", DOCTOR_WRONG, "%s: %d.%d or newer is needed", found->version, VERSION_MAJOR,
               VERSION_MINOR);
  else
    doctor_say(doctor, "redis", "version", DOCTOR_OK, "%s", found->version);
  if (strcmp(found->role, "slave") == 0)
    doctor_say(doctor, "redis", "role", DOCTOR_WRONG,
               "a replica, which can't be written: name the primary in redis.address");
  if (found->cluster)
    doctor_say(doctor, "redis", "cluster", DOCTOR_WRONG,
               "cluster mode: scripts touch several slots; use one without it");
}

static void look_at_memory(struct doctor *doctor, const struct examined_redis *found) {
  bool keeps = strcmp(found->policy, "noeviction") == 0;
  if (keeps)
    doctor_say(doctor, "redis", "eviction", DOCTOR_OK, "noeviction");
  else
    doctor_say(doctor, "redis", "eviction", DOCTOR_WRONG,
               "maxmemory-policy is '%s': roles would disappear, and no worker starts; set it to noeviction",
               found->policy);
  if (found->evicted > 0)
    doctor_say(doctor, "redis", "evicted keys", DOCTOR_WRONG, "%lld since it was started: run 'waymark verify'",
               (long long)found->evicted);
  if (found->limit > 0)
    doctor_say(
        doctor, "redis", "memory", (double)found->used > FULL * (double)found->limit ? DOCTOR_DOUBTFUL : DOCTOR_OK,
        "%lld of %lld MiB are used%s", (long long)(found->used >> 20), (long long)(found->limit >> 20),
        (double)found->used > FULL * (double)found->limit ? ": workers pause when it is full; raise maxmemory" : "");
  else
    doctor_say(doctor, "redis", "memory", DOCTOR_DOUBTFUL,
               "%lld MiB are used, without a limit: set maxmemory, so that it is Redis that says when it is full",
               (long long)(found->used >> 20));
}

static void look_at_persistence(struct doctor *doctor, const struct examined_redis *found) {
  bool failed = strcmp(found->save_status, "err") == 0 || (found->appends && strcmp(found->append_status, "err") == 0);
  if (failed)
    doctor_say(doctor, "redis", "persistence", DOCTOR_WRONG, "the last write to disk failed: look at its log and disk");
  else if (found->appends || found->saves > 0)
    doctor_say(doctor, "redis", "persistence", DOCTOR_OK, "%s", found->appends ? "append-only file" : "snapshots");
  else
    doctor_say(doctor, "redis", "persistence", DOCTOR_DOUBTFUL,
               "%s: after a restart applications find no roles until the workers have filled it anew; "
               "'appendonly yes' spares that",
               found->saves < 0 ? "no append-only file, and snapshots are not known (CONFIG is not allowed)" : "none");
}

static void look_at_clock(struct doctor *doctor, const struct examined_redis *found) {
  if (found->ahead_us == EXAMINED_NOT_ALLOWED) {
    doctor_say(doctor, "clock", "redis and here", DOCTOR_DOUBTFUL, "not known: allow TIME");
    return;
  }
  double ahead_s = (double)found->ahead_us / 1e6;
  bool apart = llabs(found->ahead_us) > SKEW_DOUBTFUL_US;
  doctor_say(doctor, "clock", "redis and here", apart ? DOCTOR_DOUBTFUL : DOCTOR_OK, "%.3f s apart%s",
             ahead_s < 0 ? -ahead_s : ahead_s,
             apart ? ": roles end and events are refused by the clocks of workers; run NTP on all hosts" : "");
}

static void look_at_rights(struct doctor *doctor, const struct examined_rights *rights) {
  if (rights->state == EXAMINED_MAY)
    doctor_say(doctor, "permissions", "redis", DOCTOR_OK, "redis.username may do all that a worker does");
  else if (rights->state == EXAMINED_LACKS)
    doctor_say(doctor, "permissions", "redis", DOCTOR_DOUBTFUL,
               "redis.username may not %s: a worker must; who only looks need not", rights->lacks);
  else
    doctor_say(doctor, "permissions", "redis", DOCTOR_DOUBTFUL,
               "not known: Redis tells it from 7.0 on, to whoever may EVAL; see 'ACL LIST'");
}

static struct wm_text field(const struct meta_field *fields, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (wm_text_is(fields[i].name, name))
      return fields[i].value;
  return WM_TEXT("");
}

static void look_at_workers(struct doctor *doctor, int64_t ahead_us) {
  struct wm_error error = {0};
  struct meta_field *fields;
  size_t count, pending = 0;
  if (meta_read(&doctor->loaded->settings, &doctor->arena, &fields, &count, &error) < 0) {
    doctor_say(doctor, "workers", "wm:meta", DOCTOR_WRONG, "%s", error.text);
    return;
  }
  int64_t now_ms = (system_clock.wall_us(system_clock.self) + ahead_us) / 1000;
  int64_t alive_ms = strtoll(field(fields, count, "alive-at").bytes, NULL, 10);
  for (size_t i = 0; i < count; i++)
    pending += wm_text_starts_with(fields[i].name, WM_TEXT("rebuild:"));
  if (alive_ms == 0)
    doctor_say(doctor, "workers", "alive", DOCTOR_WRONG, "no worker has ever used this Redis: start one");
  else if (now_ms - alive_ms > SILENT_MS)
    doctor_say(doctor, "workers", "alive", DOCTOR_WRONG, "the last word is %lld s old: look at the workers",
               (long long)((now_ms - alive_ms) / 1000));
  else if (!wm_text_is(field(fields, count, "ready"), "1"))
    doctor_say(doctor, "workers", "ready", DOCTOR_DOUBTFUL,
               "at work, but not ready: some partition is paused or catches up; 'waymark status' says why");
  else
    doctor_say(doctor, "workers", "ready", DOCTOR_OK, "all partitions that are owned are caught up");
  if (pending > 0)
    doctor_say(doctor, "workers", "rebuild", DOCTOR_DOUBTFUL, "under way in %zu partitions", pending);
}

void doctor_redis(struct doctor *doctor) {
  struct wm_error error = {0};
  struct examined_redis found;
  if (examine_redis(&doctor->loaded->settings, &doctor->arena, &found, &error) < 0) {
    doctor->unreachable = true;
    doctor_say(doctor, "redis", "connection", DOCTOR_WRONG, "%s; look at redis.address, username and password-file",
               error.text);
    return;
  }
  look_at_server(doctor, &found);
  look_at_memory(doctor, &found);
  look_at_persistence(doctor, &found);
  look_at_clock(doctor, &found);
  look_at_rights(doctor, &found.rights);
  look_at_workers(doctor, found.ahead_us == EXAMINED_NOT_ALLOWED ? 0 : found.ahead_us);
}
