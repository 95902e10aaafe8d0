/* What `waymark verify` says: a line a partition, and the first users who differ. */
#include <stdlib.h>

#include "core/codec/write.h"
#include "tools/lib/say.h"
#include "tools/lib/table.h"
#include "tools/verify/verify.h"

struct part {
  size_t log, cache, drift, moving;
  uint64_t log_hash, cache_hash;
};

static const struct {
  enum verify_drift drift;
  const char *name, *sentence;
} words[VERIFY_DRIFTS] = {
    {VERIFY_MISSING, "missing", "Redis does not have this user"},
    {VERIFY_UNBACKED, "unbacked", "no register in the log stands behind what Redis has"},
    {VERIFY_OLDER, "older", "Redis has an earlier register than the log"},
    {VERIFY_NEWER, "newer", "Redis has a register of an offset that the log does not have"},
    {VERIFY_REGISTER, "register", "the register in Redis is not the one that the log has"},
    {VERIFY_ROLES, "roles", "the role set is not what the register gives"},
    {VERIFY_END, "end", "the next end in wm:ends is too late, or not there"},
    {VERIFY_UNREADABLE, "unreadable", NULL},
};

/* Order does not matter: what every user adds is added up. */
static uint64_t mix(uint64_t hash, int64_t at, uint64_t state) {
  uint64_t x = hash ^ (uint64_t)at * UINT64_C(0x9e3779b97f4a7c15) ^ (state << 23 | state >> 41);
  x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
  return x ^ x >> 31;
}

static void add_slot(const struct verify_slot *slot, struct part *part) {
  bool agrees = verify_slot_agrees(slot);
  part->log += slot->log_at != SLOT_NONE;
  part->cache += slot->cache_at != SLOT_NONE;
  part->moving += !agrees && slot->moving;
  part->drift += !agrees && !slot->moving;
  if (!agrees && slot->moving)
    return;
  if (slot->log_at != SLOT_NONE)
    part->log_hash += mix(slot->hash, slot->log_at, slot->log_state);
  if (slot->cache_at != SLOT_NONE)
    part->cache_hash += mix(slot->hash, slot->cache_at, slot->cache_state);
}

static struct part *sum_up(const struct verify *verify, int32_t count, struct part *ret_all) {
  struct part *parts = calloc((size_t)count + 1, sizeof *parts);
  const struct verify_slot *slot;
  size_t at = 0;
  while (parts && (slot = verify_slots_next(&verify->slots, &at)))
    add_slot(slot, &parts[slot->partition < count ? slot->partition : count]);
  for (int32_t p = 0; parts && p <= count; p++) {
    ret_all->log += parts[p].log;
    ret_all->cache += parts[p].cache;
    ret_all->drift += parts[p].drift;
    ret_all->moving += parts[p].moving;
  }
  return parts;
}

/* --- for programs --- */

static void end_line(struct wm_buf *line) {
  wm_write_close(line, '}');
  wm_write_end(line);
  if (!line->failed)
    puts(line->bytes);
  wm_buf_clear(line);
}

static void write_hash(struct wm_buf *line, struct wm_text key, uint64_t hash) {
  char digits[24];
  snprintf(digits, sizeof digits, "%016llx", (unsigned long long)hash);
  wm_write_string(line, key, digits);
}

static void print_part_json(int32_t p, const struct part *part, struct wm_buf *line) {
  wm_write_open(line, WM_NO_KEY, '{');
  wm_write_integer(line, WM_KEY("partition"), p);
  wm_write_integer(line, WM_KEY("log"), (int64_t)part->log);
  wm_write_integer(line, WM_KEY("redis"), (int64_t)part->cache);
  wm_write_integer(line, WM_KEY("drift"), (int64_t)part->drift);
  wm_write_integer(line, WM_KEY("moving"), (int64_t)part->moving);
  write_hash(line, WM_KEY("log-hash"), part->log_hash);
  write_hash(line, WM_KEY("redis-hash"), part->cache_hash);
  end_line(line);
}

static void print_report_json(const struct verify_report *report, struct wm_buf *line) {
  wm_write_open(line, WM_NO_KEY, '{');
  wm_write_string(line, report->log_at < 0 && report->drifts & VERIFY_UNREADABLE ? WM_KEY("key") : WM_KEY("user"),
                  report->id);
  wm_write_open(line, WM_KEY("drift"), '[');
  for (size_t i = 0; i < VERIFY_DRIFTS; i++)
    if (report->drifts & words[i].drift)
      wm_write_string(line, WM_NO_KEY, words[i].name);
  wm_write_close(line, ']');
  if (report->log_at >= 0)
    wm_write_integer(line, WM_KEY("log-at"), report->log_at);
  if (report->cache_at >= 0)
    wm_write_integer(line, WM_KEY("redis-at"), report->cache_at);
  if (report->extra)
    wm_write_string(line, WM_KEY("too-many"), report->extra);
  if (report->absent)
    wm_write_string(line, WM_KEY("too-few"), report->absent);
  if (report->drifts & VERIFY_UNREADABLE)
    wm_write_string(line, WM_KEY("fault"), report->fault);
  end_line(line);
}

static void print_json(const struct verify *verify, const struct part *parts, int32_t count, const struct part *all) {
  struct wm_buf line = WM_BUF_INIT;
  for (int32_t p = 0; p < count; p++)
    if (verify->partition == CLIENT_ALL_PARTITIONS || verify->partition == p)
      print_part_json(p, &parts[p], &line);
  for (size_t i = 0; i < verify->report_count; i++)
    print_report_json(&verify->reports[i], &line);
  wm_write_open(&line, WM_NO_KEY, '{');
  wm_write_integer(&line, WM_KEY("users"), (int64_t)all->log);
  wm_write_integer(&line, WM_KEY("drifted"), (int64_t)all->drift);
  wm_write_integer(&line, WM_KEY("moving"), (int64_t)all->moving);
  wm_write_integer(&line, WM_KEY("strange-keys"), (int64_t)verify->faults);
  wm_write_boolean(&line, WM_KEY("equal"), all->drift + verify->faults == 0);
  end_line(&line);
  wm_buf_release(&line);
}

/* --- for people --- */

static void print_parts(const struct verify *verify, const struct part *parts, int32_t count) {
  static const char *const heads[] = {"PARTITION",       "IN THE LOG", "IN REDIS", "DRIFT",
                                      "HASH OF THE LOG", "OF REDIS",   NULL};
  struct table table;
  table_init(&table, heads);
  for (int32_t p = 0; p < count; p++) {
    const struct part *part = &parts[p];
    if (verify->partition != CLIENT_ALL_PARTITIONS && verify->partition != p)
      continue;
    table_cell(&table, STYLE_PLAIN, "%d", (int)p);
    table_cell(&table, STYLE_PLAIN, "%zu", part->log);
    table_cell(&table, STYLE_PLAIN, "%zu", part->cache);
    table_cell(&table, part->drift ? STYLE_BAD : STYLE_GOOD, "%zu", part->drift);
    table_cell(&table, STYLE_DIM, "%016llx", (unsigned long long)part->log_hash);
    table_cell(&table, part->log_hash == part->cache_hash ? STYLE_DIM : STYLE_BAD, "%016llx",
               (unsigned long long)part->cache_hash);
  }
  table_print(&table, stdout);
  table_release(&table);
}

static void add_sentence(struct wm_buf *buf, const char *sentence) {
  wm_buf_add_string(buf, buf->size ? "; " : "");
  wm_buf_add_string(buf, sentence);
}

static void explain(const struct verify_report *report, struct wm_buf *buf) {
  for (size_t i = 0; i < VERIFY_DRIFTS; i++)
    if (report->drifts & words[i].drift)
      add_sentence(buf, words[i].sentence ? words[i].sentence : report->fault);
  if (report->drifts & (VERIFY_OLDER | VERIFY_NEWER))
    wm_buf_printf(buf, " (%lld, the log %lld)", (long long)report->cache_at, (long long)report->log_at);
  if (report->extra) {
    add_sentence(buf, "too many: ");
    wm_buf_add_string(buf, report->extra);
  }
  if (report->absent) {
    add_sentence(buf, "too few: ");
    wm_buf_add_string(buf, report->absent);
  }
}

static void print_reports(const struct verify *verify) {
  static const char *const heads[] = {"USER", "WHAT IS WRONG", NULL};
  struct table table;
  if (verify->report_count == 0)
    return;
  putchar('\n');
  table_init(&table, heads);
  for (size_t i = 0; i < verify->report_count; i++) {
    struct wm_buf buf = WM_BUF_INIT;
    explain(&verify->reports[i], &buf);
    table_cell(&table, STYLE_PLAIN, "%s", verify->reports[i].id);
    table_cell(&table, STYLE_BAD, "%s", buf.bytes ? buf.bytes : "");
    wm_buf_release(&buf);
  }
  table_print(&table, stdout);
  table_release(&table);
}

static void summarize(const struct verify *verify, const struct part *all) {
  putchar('\n');
  size_t equal = all->log - all->moving;
  if (all->drift == 0)
    printf("Redis is what the log says, for %zu user%s\n", equal, equal == 1 ? "" : "s");
  else
    printf("%zu of %zu users differ; 'waymark rebuild' makes Redis what the log says\n", all->drift, all->log);
  if (verify->faults > 0)
    printf("%zu %s nothing that Waymark wrote: look at them, and delete keys by hand\n", verify->faults,
           verify->faults == 1 ? "key or record is" : "keys or records are");
  if (all->moving > 0)
    printf("%zu user%s changed all the time and %s not compared\n", all->moving, all->moving == 1 ? "" : "s",
           all->moving == 1 ? "was" : "were");
}

/* A user who moved on last was perhaps told of before that. */
static void drop_moving(struct verify *verify) {
  for (size_t i = verify->report_count; i-- > 0;) {
    const struct verify_slot *slot = verify_slots_find(&verify->slots, verify->reports[i].hash);
    struct verify_report none = {.hash = verify->reports[i].hash};
    if (slot && (slot->moving || verify_slot_agrees(slot)))
      verify_report(verify, &none);
  }
}

int verify_tell(struct verify *verify) {
  int32_t count = verify->loaded->settings.kafka.partitions;
  struct part all = {0}, *parts = sum_up(verify, count, &all);
  if (!parts)
    return say_memory();
  drop_moving(verify);
  if (verify->json) {
    print_json(verify, parts, count, &all);
  } else {
    print_parts(verify, parts, count);
    print_reports(verify);
    summarize(verify, &all);
  }
  free(parts);
  return all.drift + verify->faults > 0 ? EXIT_BAD_NEWS : EXIT_FINE;
}
