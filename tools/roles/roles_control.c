#include "tools/roles/roles_control.h"

#include <stdlib.h>
#include <sys/random.h>

#include "core/codec/control.h"
#include "tools/command.h"
#include "tools/lib/events.h"
#include "tools/lib/say.h"
#include "worker/client.h"
#include "worker/clock.h"

#define WRITE_TIMEOUT_MS 15000

/* --- reading --- */

static int take(struct wm_running *running, const struct wm_record *record, struct wm_arena *arena) {
  struct wm_error error = {0};
  struct wm_running_word word;
  enum wm_control what;
  wm_arena_rewind(arena);
  int result = wm_control_decode(record, arena, &what, &word, &error);
  if (result == 0 && what == WM_CONTROL_WORD)
    result = wm_running_take(running, &word, &error);
  if (result < 0 && error.code == WM_E_OUT_OF_MEMORY)
    return say_memory();
  if (result < 0)
    say_error(EXIT_FINE, &error);
  return EXIT_FINE;
}

static int read_all(struct client *client, const char *topic, struct wm_running *ret) {
  const struct client_reading reading = {
      .topic = topic, .partition = CLIENT_ALL_PARTITIONS, .from_ms = CLIENT_BEGINNING, .optional = true};
  struct wm_error error = {0};
  struct wm_record record;
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  int exit_code = EXIT_FINE, got = client_read(client, &reading, &error) < 0 ? -1 : 1;
  while (got > 0 && exit_code == EXIT_FINE) {
    got = client_read_next(client, &record, &error);
    if (got > 0)
      exit_code = take(ret, &record, &arena);
  }
  wm_arena_release(&arena);
  return got < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

int roles_control_read(const struct settings *settings, struct wm_running *ret) {
  struct wm_error error = {0};
  wm_running_init(ret);
  struct client *client = client_open(settings, &error);
  int exit_code = client ? read_all(client, settings->topics.control, ret) : say_error(EXIT_BAD_NEWS, &error);
  client_close(client);
  return exit_code;
}

int roles_control_follow(const struct settings *settings, struct wm_workspace *workspace) {
  struct wm_running running;
  struct wm_overlay overlay;
  struct wm_error error = {0};
  int exit_code = roles_control_read(settings, &running);
  if (exit_code == EXIT_FINE && wm_workspace_overlay(workspace, &running, &overlay, &error) < 0)
    exit_code = say_memory();
  wm_running_release(&running);
  return exit_code;
}

/* --- writing --- */

static int make_record(const struct settings *settings, const struct wm_running_word *word, size_t index,
                       struct wm_arena *arena, struct wm_record *ret) {
  struct wm_buf key = WM_BUF_INIT, value = WM_BUF_INIT;
  char id[48];
  uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
    number = (uint64_t)system_clock.wall_us(system_clock.self);
  snprintf(id, sizeof id, "%016llx-%zu", (unsigned long long)number, index);
  wm_control_key(word, &key);
  if (word->state != WM_RUNNING_AS_WRITTEN)
    wm_control_value(word, wm_text_of(id), &value);
  *ret = (struct wm_record){
      .topic = wm_text_of(settings->topics.control), .timestamp_ms = -1, .headers = events_headers, .header_count = 1};
  int result = key.failed || value.failed || wm_arena_text(arena, (struct wm_text){key.bytes, key.size}, &ret->key) ||
                       wm_arena_text(arena, (struct wm_text){value.bytes, value.size}, &ret->value)
                   ? -1
                   : 0;
  wm_buf_release(&key);
  wm_buf_release(&value);
  return result;
}

int roles_control_write(const struct settings *settings, const struct wm_running_word *words, size_t count) {
  struct wm_error error = {0};
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  struct wm_record *records = WM_ARENA_ARRAY(&arena, struct wm_record, count + 1);
  int result = records ? 0 : wm_error_memory(&error);
  for (size_t i = 0; i < count && result == 0; i++)
    if (make_record(settings, &words[i], i, &arena, &records[i]) < 0)
      result = wm_error_memory(&error);
  struct client *client = result == 0 ? client_open(settings, &error) : NULL;
  if (client)
    result = client_send(client, records, count, WRITE_TIMEOUT_MS, NULL, &error);
  else
    result = -1;
  client_close(client);
  wm_arena_release(&arena);
  return result < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}
