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

static int show(struct showing *showing, struct failure *failure) {
  struct wm_buf buf = WM_BUF_INIT;
  if (!showing->json) {
    print_failure(failure, &showing->arena);
    return find_record(showing, failure, print_record, failure);
  }
  wm_write_open(&buf, WM_NO_KEY, '{');
  wm_write_moment(&buf, WM_KEY("at"), failure->at_us);
  wm_buf_add_text(&buf, WM_KEY("failure"));
  wm_buf_add_text(&buf, failure->json);
  wm_buf_add_char(&buf, ',');
  int exit_code = find_record(showing, failure, print_record_json, &buf);
  wm_write_close(&buf, '}');
  wm_write_end(&buf);
  if (exit_code == EXIT_FINE && !buf.failed)
    puts(buf.bytes);
  wm_buf_release(&buf);
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
