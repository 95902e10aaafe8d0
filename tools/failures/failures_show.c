/* waymark failures show: everything of one failure, and the record that it is about. */
#include "core/codec/json.h"
#include "core/codec/write.h"
#include "tools/failures/failures.h"
#include "tools/failures/originals.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"
#include "tools/lib/ways.h"

struct showing {
  const char *wanted; /* an id, or topic/partition/offset */
  bool json, offline;
  const struct loaded *loaded;
  struct wm_arena arena;
  struct failure *found; /* in the arena; 'value' is not kept */
  size_t count, capacity;
};

static bool is_wanted(const struct showing *showing, const struct failure *failure) {
  char place[300];
  const struct wm_origin *origin = &failure->origin;
  snprintf(place, sizeof place, "%.*s/%d/%lld", WM_TEXT_ARG(origin->topic), origin->partition,
           (long long)origin->offset);
  return wm_text_is(failure->id, showing->wanted) || strcmp(place, showing->wanted) == 0;
}

static int keep(void *taker, const struct failure *failure) {
  struct showing *showing = taker;
  struct wm_arena *arena = &showing->arena;
  if (!is_wanted(showing, failure))
    return EXIT_FINE;
  if (showing->count == showing->capacity) {
    size_t capacity = showing->capacity ? 2 * showing->capacity : 8;
    struct failure *larger = WM_ARENA_ARRAY(arena, struct failure, capacity);
    if (!larger)
      return say_memory();
    if (showing->count > 0)
      memcpy(larger, showing->found, showing->count * sizeof *larger);
    showing->found = larger;
    showing->capacity = capacity;
  }
  struct failure *kept = &showing->found[showing->count];
  *kept = (struct failure){.at_us = failure->at_us, .rejected = failure->rejected, .origin = failure->origin};
  if (wm_arena_text(arena, failure->json, &kept->json) < 0 || wm_arena_text(arena, failure->id, &kept->id) < 0 ||
      wm_arena_text(arena, failure->code, &kept->code) < 0 ||
      wm_arena_text(arena, failure->origin.topic, &kept->origin.topic) < 0)
    return say_memory();
  showing->count++;
  return EXIT_FINE;
}

/* --- telling --- */

static void print_failure(const struct failure *failure, struct wm_arena *arena) {
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_value value;
  show_time(failure->at_us, &buf);
  style_print(stdout, STYLE_BAD, "%.*s", WM_TEXT_ARG(failure->code));
  style_print(stdout, STYLE_PLAIN, " at %.*s: %.*s", (int)buf.size, buf.bytes ? buf.bytes : "",
              WM_TEXT_ARG(failure->id));
  putchar('\n');
  wm_buf_clear(&buf);
  if (wm_json_parse(failure->json, arena, &value, NULL) == 0)
    wm_json_pretty(&value, &buf);
  if (buf.bytes)
    puts(buf.bytes);
  wm_buf_release(&buf);
}

static int print_record(void *taker, size_t index, const struct wm_record *record) {
  const struct failure *failure = taker;
  (void)index;
  putchar('\n');
  if (record)
    originals_print(record);
  else
    printf("The %s is there no more: retention has deleted it.\n",
           failure->rejected ? "dead letter" : "record of the event");
  return EXIT_FINE;
}

static int print_record_json(void *taker, size_t index, const struct wm_record *record) {
  struct wm_buf *buf = taker;
  (void)index;
  wm_buf_add_text(buf, WM_KEY("record"));
  if (record)
    originals_to_json(record, buf);
  else
    wm_buf_add_string(buf, "null,");
  return EXIT_FINE;
}

/* --- what was redriven --- */

struct redrives {
  struct wm_text failure;
  bool json;
  struct wm_buf told;
};

static struct wm_text header(const struct wm_record *record, const char *name) {
  const struct wm_header *found = originals_header(record, name);
  return found && wm_text_is_utf8(found->value, NULL) ? found->value : WM_NO_TEXT;
}

static void add_redrive(struct redrives *redrives, const struct wm_record *record) {
  struct wm_buf *told = &redrives->told;
  struct wm_text run = header(record, "wm-run"), by = header(record, "wm-by"), reason = header(record, "wm-reason");
  if (!wm_text_equal(header(record, "wm-failure"), redrives->failure))
    return;
  if (redrives->json) {
    wm_write_open(told, WM_NO_KEY, '{');
    wm_write_text(told, WM_KEY("run"), run);
    wm_write_moment(told, WM_KEY("at"), record->timestamp_ms * 1000);
    wm_write_text(told, WM_KEY("by"), by);
    wm_write_text(told, WM_KEY("reason"), reason);
    wm_write_close(told, '}');
    return;
  }
  wm_buf_add_string(told, "redriven ");
  show_time(record->timestamp_ms * 1000, told);
  wm_buf_add_string(told, " in ");
  say_safe(told, run);
  wm_buf_add_string(told, by.bytes ? " by " : "");
  say_safe(told, by);
  wm_buf_add_string(told, reason.bytes ? ": " : "");
  say_safe(told, reason);
  wm_buf_add_char(told, '\n');
}

/* The records on topics.replay that name it, as long as retention keeps them. */
static int find_redrives(const struct showing *showing, const struct failure *failure, struct redrives *ret) {
  const struct client_reading reading = {.topic = showing->offline ? "" : showing->loaded->settings.topics.replay,
                                         .partition = CLIENT_ALL_PARTITIONS,
                                         .from_ms = (failure->at_us - ORIGINALS_CLOCKS_US) / 1000,
                                         .optional = true};
  struct wm_error error = {0};
  struct wm_record record;
  *ret = (struct redrives){.failure = failure->id, .json = showing->json, .told = WM_BUF_INIT};
  if (showing->offline || failure->rejected)
    return EXIT_FINE;
  struct client *client = client_open(&showing->loaded->settings, &error);
  int more = client && client_read(client, &reading, &error) == 0 ? 1 : -1;
  while (more > 0 && (more = client_read_next(client, &record, &error)) > 0)
    add_redrive(ret, &record);
  client_close(client);
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

/* --- all of one --- */

static int find_record(const struct showing *showing, const struct failure *failure, original_fn *take, void *taker) {
  struct wm_error error = {0};
  if (showing->offline)
    return EXIT_FINE;
  struct client *client = client_open(&showing->loaded->settings, &error);
  if (!client)
    return say_error(EXIT_OUTSIDE, &error);
  int exit_code = failure->rejected ? originals_dead_letter(client, &failure->origin, take, taker)
                                    : originals_each(client, &failure->origin, 1, take, taker);
  client_close(client);
  return exit_code;
}

static int show_text(struct showing *showing, struct failure *failure, const struct redrives *redrives) {
  print_failure(failure, &showing->arena);
  if (redrives->told.size > 0)
    printf("\n%s", redrives->told.bytes);
  return find_record(showing, failure, print_record, failure);
}

static int show_json(struct showing *showing, struct failure *failure, const struct redrives *redrives) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_write_open(&buf, WM_NO_KEY, '{');
  wm_write_moment(&buf, WM_KEY("at"), failure->at_us);
  wm_buf_add_text(&buf, WM_KEY("failure"));
  wm_buf_add_text(&buf, failure->json);
  wm_buf_add_char(&buf, ',');
  if (!showing->offline && !failure->rejected) {
    wm_write_open(&buf, WM_KEY("redriven"), '[');
    wm_buf_add(&buf, redrives->told.bytes, redrives->told.size);
    wm_write_close(&buf, ']');
  }
  int exit_code = find_record(showing, failure, print_record_json, &buf);
  wm_write_close(&buf, '}');
  wm_write_end(&buf);
  if (exit_code == EXIT_FINE && !buf.failed)
    puts(buf.bytes);
  wm_buf_release(&buf);
  return exit_code;
}

static int show(struct showing *showing, struct failure *failure) {
  struct redrives redrives;
  int exit_code = find_redrives(showing, failure, &redrives);
  if (exit_code == EXIT_FINE)
    exit_code = showing->json ? show_json(showing, failure, &redrives) : show_text(showing, failure, &redrives);
  wm_buf_release(&redrives.told);
  return exit_code;
}

static int show_all(struct showing *showing) {
  int exit_code = EXIT_FINE;
  if (showing->count == 0)
    return say(EXIT_BAD_NEWS, "no failure '%s': 'waymark failures' lists them with their ids", showing->wanted);
  for (size_t i = 0; i < showing->count && exit_code == EXIT_FINE; i++) {
    if (i > 0 && !showing->json)
      putchar('\n');
    exit_code = show(showing, &showing->found[i]);
  }
  return exit_code;
}

int failures_show(const struct invocation *invocation) {
  const struct options *options = &invocation->options;
  struct loaded loaded = {0};
  struct showing showing = {.wanted = options_argument(options, WAY_FIRST),
                            .json = options_has(options, "json"),
                            .offline = options_has(options, "failures"),
                            .loaded = &loaded};
  struct failures_walk walk = {.take = keep, .taker = &showing};
  wm_arena_init(&showing.arena, 0);
  int exit_code = failures_filter_read(options, &walk.filter);
  if (exit_code == EXIT_FINE && !showing.offline)
    exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = failures_each(&loaded, options, &walk);
  if (exit_code == EXIT_FINE)
    exit_code = show_all(&showing);
  wm_arena_release(&showing.arena);
  files_unload(&loaded);
  return exit_code;
}
