/* A plan as a file. Its digest is that of the whole without the digest, written compactly: a plan may be laid out anew,
 * but not changed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/check.h"
#include "core/codec/json.h"
#include "core/codec/write.h"
#include "core/moment.h"
#include "tools/lib/say.h"
#include "tools/replay/replay.h"

#define RANGES_LIMIT 100000

void replay_plan_init(struct replay_plan *plan) {
  *plan = (struct replay_plan){0};
  wm_arena_init(&plan->arena, 0);
}

void replay_plan_release(struct replay_plan *plan) {
  replay_filter_release(&plan->filter);
  wm_arena_release(&plan->arena);
}

/* --- numbers by name --- */

#define COUNT_ROW(name, member)                                                                                        \
  { name, offsetof(struct replay_counts, member) }
static const struct {
  const char *name;
  size_t at;
} count_rows[] = {
    COUNT_ROW("read", read),
    COUNT_ROW("rejected", rejected),
    COUNT_ROW("selected", selected),
    COUNT_ROW("duplicates", duplicates),
    COUNT_ROW("elsewhere", elsewhere),
    COUNT_ROW("executions", executions),
    COUNT_ROW("failed-first", failed_first),
    COUNT_ROW("added", added),
    COUNT_ROW("removed", removed),
    COUNT_ROW("unchanged", unchanged),
    COUNT_ROW("superseded", superseded),
    COUNT_ROW("failed", failed),
    COUNT_ROW("skipped", skipped),
    COUNT_ROW("notifications", notifications),
    COUNT_ROW("delegations", delegations),
    COUNT_ROW("users", users),
    COUNT_ROW("users-gaining", users_gaining),
    COUNT_ROW("users-losing", users_losing),
    COUNT_ROW("users-written", users_written),
    COUNT_ROW("changes", changes),
};
#define COUNT_ROWS (sizeof count_rows / sizeof *count_rows)

static size_t *count_at(struct replay_counts *counts, size_t row) {
  return (size_t *)(void *)((char *)counts + count_rows[row].at);
}

/* --- writing --- */

static void write_texts(struct wm_buf *buf, const char *name, const struct wm_text *texts, size_t count) {
  if (count == 0)
    return;
  wm_write_name(buf, wm_text_of(name));
  wm_write_open(buf, WM_NO_KEY, '[');
  for (size_t i = 0; i < count; i++)
    wm_write_text(buf, WM_NO_KEY, texts[i]);
  wm_write_close(buf, ']');
}

static void write_ranges(struct wm_buf *buf, const struct replay_plan *plan) {
  wm_write_open(buf, WM_KEY("ranges"), '[');
  for (size_t i = 0; i < plan->range_count; i++) {
    const struct replay_range *range = &plan->ranges[i];
    wm_write_open(buf, WM_NO_KEY, '{');
    wm_write_integer(buf, WM_KEY("partition"), range->range.partition);
    wm_write_integer(buf, WM_KEY("from"), range->range.from);
    wm_write_integer(buf, WM_KEY("to"), range->range.to);
    wm_write_integer(buf, WM_KEY("deleted"), range->deleted);
    wm_write_boolean(buf, WM_KEY("cut"), range->cut);
    wm_write_integer(buf, WM_KEY("selected"), (int64_t)range->selected);
    wm_write_close(buf, '}');
  }
  wm_write_close(buf, ']');
}

static void write_filter(struct wm_buf *buf, const struct replay_filter *filter) {
  wm_write_open(buf, WM_KEY("filter"), '{');
  write_texts(buf, "users", filter->users.items, filter->users.count);
  write_texts(buf, "types", filter->types, filter->type_count);
  wm_write_text(buf, WM_KEY("automation"), filter->automation);
  wm_write_text(buf, WM_KEY("where"), filter->where);
  wm_write_close(buf, '}');
}

static void write_body(struct wm_buf *buf, struct replay_plan *plan) {
  wm_write_integer(buf, WM_KEY("v"), 1);
  wm_write_moment(buf, WM_KEY("made"), plan->made_us);
  wm_write_text(buf, WM_KEY("topic"), plan->topic);
  wm_write_text(buf, WM_KEY("cluster"), plan->cluster);
  wm_write_text(buf, WM_KEY("input"), plan->input);
  wm_write_text(buf, WM_KEY("input-digest"), plan->input_digest);
  write_ranges(buf, plan);
  write_filter(buf, &plan->filter);
  wm_write_text(buf, WM_KEY("workspace"), plan->workspace);
  wm_write_text(buf, WM_KEY("catalogue"), plan->catalogue);
  wm_write_text(buf, WM_KEY("running"), plan->running);
  wm_write_open(buf, WM_KEY("counts"), '{');
  for (size_t i = 0; i < COUNT_ROWS; i++) {
    wm_write_name(buf, wm_text_of(count_rows[i].name));
    wm_buf_add_integer(buf, (int64_t)*count_at(&plan->counts, i));
    wm_buf_add_char(buf, ',');
  }
  wm_write_close(buf, '}');
}

/* The digest of what was parsed: the same for a plan that was just written and one that was read. */
static int digest_of(const struct wm_value *plan, char ret[static WM_DIGEST_SIZE]) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_buf_add_char(&buf, '{');
  for (size_t i = 0; i < plan->object.count; i++) {
    const struct wm_member *member = &plan->object.members[i];
    if (wm_text_is(member->name, "digest"))
      continue;
    wm_buf_add_json(&buf, member->name);
    wm_buf_add_char(&buf, ':');
    wm_value_to_json(&member->value, &buf);
    wm_buf_add_char(&buf, ',');
  }
  wm_digest((struct wm_text){buf.bytes, buf.size}, ret);
  bool failed = buf.failed;
  wm_buf_release(&buf);
  return failed ? -1 : 0;
}

static int render(struct replay_plan *plan, struct wm_buf *buf) {
  struct wm_value value;
  struct wm_error error;
  struct wm_buf body = WM_BUF_INIT;
  wm_write_open(&body, WM_NO_KEY, '{');
  write_body(&body, plan);
  wm_write_close(&body, '}');
  wm_write_end(&body);
  int failed = body.failed || wm_json_parse((struct wm_text){body.bytes, body.size}, &plan->arena, &value, &error) ||
               digest_of(&value, plan->digest) < 0;
  if (!failed) {
    wm_buf_add(buf, body.bytes, body.size - 1);
    wm_buf_printf(buf, ",\"digest\":\"%s\"}\n", plan->digest);
    failed = buf->failed;
  }
  wm_buf_release(&body);
  return failed ? say_memory() : EXIT_FINE;
}

int replay_plan_write(struct replay_plan *plan, const char *path) {
  struct wm_buf buf = WM_BUF_INIT;
  FILE *file = NULL;
  int exit_code = render(plan, &buf);
  if (exit_code == EXIT_FINE)
    exit_code = output_open(path, &file);
  if (exit_code == EXIT_FINE) {
    fwrite(buf.bytes, 1, buf.size, file);
    exit_code = output_close(path, file);
  }
  wm_buf_release(&buf);
  return exit_code;
}

/* --- reading --- */

struct reading {
  const char *path;
  struct replay_plan *plan;
};

static int refuse(const struct reading *reading, const char *what) {
  return say(EXIT_USAGE, "'%s' is no plan of 'waymark replay plan': %s", reading->path, what);
}

static const struct wm_value *member(const struct wm_value *object, const char *name) {
  return wm_value_member(object, wm_text_of(name));
}

static bool read_number(const struct wm_value *object, const char *name, int64_t *ret) {
  const struct wm_value *value = member(object, name);
  if (!value || value->type != WM_INTEGER || value->integer < 0)
    return false;
  *ret = value->integer;
  return true;
}

static int read_ranges(const struct reading *reading, const struct wm_value *list) {
  struct replay_plan *plan = reading->plan;
  if (!list || list->type != WM_LIST || list->list.count > RANGES_LIMIT)
    return refuse(reading, "'ranges' is not a list");
  plan->ranges = WM_ARENA_ARRAY(&plan->arena, struct replay_range, list->list.count + 1);
  if (!plan->ranges)
    return say_memory();
  for (size_t i = 0; i < list->list.count; i++) {
    const struct wm_value *item = &list->list.items[i];
    struct replay_range *range = &plan->ranges[plan->range_count++];
    int64_t partition, selected;
    if (!read_number(item, "partition", &partition) || partition > INT32_MAX ||
        !read_number(item, "from", &range->range.from) || !read_number(item, "to", &range->range.to) ||
        !read_number(item, "deleted", &range->deleted) || !read_number(item, "selected", &selected))
      return refuse(reading, "a range has no partition, from, to, deleted or selected");
    range->range.partition = (int32_t)partition;
    range->selected = (size_t)selected;
    const struct wm_value *cut = member(item, "cut");
    range->cut = cut && cut->type == WM_BOOLEAN && cut->boolean;
  }
  return EXIT_FINE;
}

static int read_texts(const struct reading *reading, const struct wm_value *list, struct wm_text **ret,
                      size_t *ret_count) {
  if (!list)
    return EXIT_FINE;
  if (list->type != WM_LIST || list->list.count > USER_LIST_LIMIT)
    return refuse(reading, "'users' and 'types' are lists");
  *ret = WM_ARENA_ARRAY(&reading->plan->arena, struct wm_text, list->list.count + 1);
  if (!*ret)
    return say_memory();
  for (size_t i = 0; i < list->list.count; i++) {
    (*ret)[i] = wm_value_text(&list->list.items[i]);
    if (!(*ret)[i].bytes ||
        (i > 0 && wm_text_compare((*ret)[i - 1], (*ret)[i]) > 0 && ret == &reading->plan->filter.users.items))
      return refuse(reading, "'users' and 'types' hold texts, users in order");
  }
  *ret_count = list->list.count;
  return EXIT_FINE;
}

static int read_filter(const struct reading *reading, const struct wm_value *value) {
  struct replay_filter *filter = &reading->plan->filter;
  if (!value || value->type != WM_OBJECT)
    return refuse(reading, "'filter' is not an object");
  filter->automation = wm_value_text(member(value, "automation"));
  filter->where = wm_value_text(member(value, "where"));
  int exit_code = read_texts(reading, member(value, "users"), &filter->users.items, &filter->users.count);
  if (exit_code == EXIT_FINE)
    exit_code = read_texts(reading, member(value, "types"), &filter->types, &filter->type_count);
  return exit_code == EXIT_FINE ? replay_filter_compile(filter) : exit_code;
}

static int read_counts(const struct reading *reading, const struct wm_value *value) {
  for (size_t i = 0; i < COUNT_ROWS; i++) {
    int64_t number;
    if (!read_number(value, count_rows[i].name, &number))
      return refuse(reading, "'counts' is not whole");
    *count_at(&reading->plan->counts, i) = (size_t)number;
  }
  return EXIT_FINE;
}

static int read_head(const struct reading *reading, const struct wm_value *value) {
  struct replay_plan *plan = reading->plan;
  int64_t version;
  if (!read_number(value, "v", &version) || version != 1)
    return refuse(reading, "'v' is not 1");
  plan->topic = wm_value_text(member(value, "topic"));
  plan->cluster = wm_value_text(member(value, "cluster"));
  plan->input = wm_value_text(member(value, "input"));
  plan->input_digest = wm_value_text(member(value, "input-digest"));
  plan->workspace = wm_value_text(member(value, "workspace"));
  plan->catalogue = wm_value_text(member(value, "catalogue"));
  plan->running = wm_value_text(member(value, "running"));
  if (!wm_moment_parse(wm_value_text(member(value, "made")), &plan->made_us))
    return refuse(reading, "'made' is not a time");
  if ((!plan->topic.bytes && !plan->input.bytes) || !plan->workspace.bytes || !plan->catalogue.bytes ||
      !plan->running.bytes || !plan->input.bytes != !plan->input_digest.bytes)
    return refuse(reading, "it does not say what it was made from");
  return EXIT_FINE;
}

static int read_value(const struct reading *reading, struct wm_text text) {
  struct replay_plan *plan = reading->plan;
  struct wm_value value;
  struct wm_error error;
  if (wm_json_parse(text, &plan->arena, &value, &error) < 0)
    return error.code == WM_E_OUT_OF_MEMORY ? say_memory() : refuse(reading, error.text);
  if (value.type != WM_OBJECT)
    return refuse(reading, "it is not an object");
  if (digest_of(&value, plan->digest) < 0)
    return say_memory();
  if (!wm_text_is(wm_value_text(member(&value, "digest")), plan->digest))
    return say(EXIT_BAD_NEWS,
               "'%s' was changed after it was made: its digest is not that of what stands in it; make "
               "the plan again",
               reading->path);
  int exit_code = read_head(reading, &value);
  if (exit_code == EXIT_FINE)
    exit_code = read_ranges(reading, member(&value, "ranges"));
  if (exit_code == EXIT_FINE)
    exit_code = read_filter(reading, member(&value, "filter"));
  return exit_code == EXIT_FINE ? read_counts(reading, member(&value, "counts")) : exit_code;
}

int replay_plan_read(const char *path, struct replay_plan *ret) {
  struct reading reading = {path, ret};
  char *bytes = NULL;
  size_t size = 0;
  int exit_code = file_read(path, &bytes, &size);
  struct wm_text text = {0};
  if (exit_code == EXIT_FINE && wm_arena_text(&ret->arena, (struct wm_text){bytes, size}, &text) < 0)
    exit_code = say_memory();
  free(bytes);
  return exit_code == EXIT_FINE ? read_value(&reading, text) : exit_code;
}

/* --- digests --- */

/* In pieces: a dump may be larger than memory. */
int replay_file_digest(const char *path, char ret[static WM_DIGEST_SIZE]) {
  static const size_t piece = (size_t)1 << 20;
  char *bytes = malloc(piece);
  FILE *file = bytes ? fopen(path, "rb") : NULL;
  if (!file) {
    free(bytes);
    return bytes ? say(EXIT_USAGE, "'%s' can't be read: %s", path, strerror(errno)) : say_memory();
  }
  ret[0] = '\0';
  for (size_t size; (size = fread(bytes, 1, piece, file)) > 0;) {
    char before[WM_DIGEST_SIZE];
    snprintf(before, sizeof before, "%s", ret);
    const struct wm_text texts[] = {wm_text_of(before), {bytes, size}};
    wm_digest_all(texts, 2, ret);
  }
  bool failed = ferror(file);
  fclose(file);
  free(bytes);
  return failed ? say(EXIT_USAGE, "'%s' can't be read", path) : EXIT_FINE;
}

void replay_running_digest(const struct wm_workspace *workspace, char ret[static WM_DIGEST_SIZE]) {
  struct wm_buf buf = WM_BUF_INIT;
  for (size_t i = 0; i < workspace->automation_count; i++)
    if (workspace->automations[i].enabled) {
      wm_buf_add_text(&buf, workspace->automations[i].name);
      wm_buf_add_char(&buf, '\n');
    }
  wm_digest((struct wm_text){buf.bytes, buf.size}, ret);
  ret[12] = '\0';
  wm_buf_release(&buf);
}
