/* From what people type to ranges by offsets: a replay is always bounded, and a plan means the same records tomorrow.
 */
#include <stdlib.h>

#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/when.h"
#include "tools/replay/replay.h"
#include "worker/clock.h"

/* One end of what is asked for. */
struct edge {
  bool is_offset;
  int64_t value; /* offset, or microseconds */
};

static bool is_number(const char *text) {
  return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 19;
}

static int read_edge(const char *name, const char *text, bool end_of_day, struct edge *ret) {
  ret->is_offset = is_number(text);
  if (ret->is_offset) {
    ret->value = strtoll(text, NULL, 10);
    return EXIT_FINE;
  }
  return when_parse(name, text, end_of_day, system_clock.wall_us(system_clock.self), &ret->value);
}

static int read_partition(const struct options *options, int32_t *ret) {
  const char *text = options_value(options, "partition");
  *ret = RANGES_ALL;
  if (!text)
    return EXIT_FINE;
  if (!is_number(text) || strlen(text) > 9)
    return say(EXIT_USAGE, "--partition needs a number, not '%s'", text);
  *ret = (int32_t)strtol(text, NULL, 10);
  return EXIT_FINE;
}

/* What --to could be: the present end. */
static int tell_ends(const struct range *list, size_t count) {
  struct wm_buf now = WM_BUF_INIT;
  char moment[WM_MOMENT_SIZE];
  wm_moment_format(system_clock.wall_us(system_clock.self) / WM_SECOND_US * WM_SECOND_US, moment);
  for (size_t i = 0; i < count && i < 8; i++)
    wm_buf_printf(&now, "%s%lld of partition %d", i ? ", " : "", (long long)list[i].high, list[i].partition);
  say(0, "--to is missing: a replay is always bounded. The topic ends now at offset %s%s. Up to now: --to %s",
      now.bytes ? now.bytes : "", count > 8 ? ", ..." : "", moment);
  wm_buf_release(&now);
  return EXIT_USAGE;
}

/* Offsets mean something in one partition only; 0 is the beginning of each. */
static int check_offset(const char *name, const struct edge *edge, size_t count) {
  if (!edge->is_offset || edge->value == 0 || count == 1)
    return EXIT_FINE;
  return say(EXIT_USAGE, "--%s %lld is an offset: say of which --partition, or give a time", name,
             (long long)edge->value);
}

static int look_up(struct ranges *client, const char *topic, const struct edge *edge, bool end,
                   const struct range *list, size_t count, int64_t *ret) {
  struct wm_error error = {0};
  if (edge->is_offset) {
    for (size_t i = 0; i < count; i++)
      ret[i] = edge->value;
    return EXIT_FINE;
  }
  int64_t time_ms = end ? edge->value / 1000 + 1 : (edge->value + 999) / 1000;
  return ranges_at(client, topic, list, count, time_ms, ret, &error) < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

static void bound(struct replay_range *ret, const struct range *range, int64_t from, int64_t to, bool by_time) {
  *ret = (struct replay_range){.range = *range};
  ret->range.to = to < range->high ? to : range->high;
  ret->range.from = from > range->low ? from : range->low;
  if (ret->range.to < ret->range.from)
    ret->range.to = ret->range.from;
  ret->cut = by_time && range->low > 0 && ret->range.from == range->low;
  ret->deleted = from < range->low ? (to < range->low ? to : range->low) - from : 0;
}

static int fill(struct ranges *client, const char *topic, const struct edge *edges, const struct range *list,
                size_t count, struct replay_plan *plan) {
  int64_t *from = WM_ARENA_ARRAY(&plan->arena, int64_t, count + 1),
          *to = WM_ARENA_ARRAY(&plan->arena, int64_t, count + 1);
  plan->ranges = WM_ARENA_ARRAY(&plan->arena, struct replay_range, count + 1);
  if (!from || !to || !plan->ranges)
    return say_memory();
  int exit_code = check_offset("from", &edges[0], count);
  if (exit_code == EXIT_FINE)
    exit_code = check_offset("to", &edges[1], count);
  if (exit_code == EXIT_FINE)
    exit_code = look_up(client, topic, &edges[0], false, list, count, from);
  if (exit_code == EXIT_FINE)
    exit_code = look_up(client, topic, &edges[1], true, list, count, to);
  for (size_t i = 0; i < count && exit_code == EXIT_FINE; i++)
    bound(&plan->ranges[plan->range_count++], &list[i], from[i], to[i], !edges[0].is_offset);
  return exit_code;
}

/* Both are times, or both are offsets. */
static int check_order(const struct edge edges[2]) {
  if (edges[0].is_offset && edges[0].value >= edges[1].value)
    return say(EXIT_USAGE, "--from %lld is not before --to %lld: no record can be meant", (long long)edges[0].value,
               (long long)edges[1].value);
  if (edges[0].value > edges[1].value)
    return say(EXIT_USAGE, "--from is after --to: no record can be meant");
  return EXIT_FINE;
}

static int read_edges(const struct options *options, struct edge edges[2], int32_t *ret_partition) {
  const char *from = options_value(options, "from"), *to = options_value(options, "to");
  if (!from)
    return say(EXIT_USAGE, "--from is missing: a time, how long ago (7d), or an offset; 0 is the beginning");
  int exit_code = read_edge("from", from, false, &edges[0]);
  if (exit_code == EXIT_FINE && to)
    exit_code = read_edge("to", to, true, &edges[1]);
  if (exit_code == EXIT_FINE && to && edges[0].is_offset == edges[1].is_offset)
    exit_code = check_order(edges);
  return exit_code == EXIT_FINE ? read_partition(options, ret_partition) : exit_code;
}

int replay_resolve_check(const struct options *options) {
  struct edge edges[2];
  int32_t partition;
  return read_edges(options, edges, &partition);
}

static int check_partition(const struct settings *settings, const char *topic, int32_t partition) {
  if (partition == RANGES_ALL || partition < settings->kafka.partitions)
    return EXIT_FINE;
  return say(EXIT_USAGE, "--partition %d: '%s' has the partitions 0 to %d", partition, topic,
             settings->kafka.partitions - 1);
}

int replay_resolve(const struct options *options, const struct settings *settings, struct ranges *client,
                   struct replay_plan *plan) {
  const char *topic = options_value(options, "topic"), *to = options_value(options, "to");
  struct wm_error error = {0};
  struct edge edges[2];
  struct range *list = NULL;
  size_t count = 0;
  int32_t partition = RANGES_ALL;
  int exit_code = read_edges(options, edges, &partition);
  if (exit_code == EXIT_FINE)
    exit_code = check_partition(settings, topic, partition);
  if (exit_code == EXIT_FINE && ranges_ask(client, topic, partition, &list, &count, &error) < 0)
    exit_code = say_error(EXIT_OUTSIDE, &error);
  if (exit_code == EXIT_FINE)
    exit_code = to ? fill(client, topic, edges, list, count, plan) : tell_ends(list, count);
  free(list);
  return exit_code;
}
