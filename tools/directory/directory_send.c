#include "tools/directory/directory_send.h"

#include <inttypes.h>

#include "core/hash.h"
#include "core/moment.h"
#include "tools/command.h"
#include "tools/lib/events.h"
#include "tools/lib/say.h"
#include "tools/lib/send.h"

#define SEND_TIMEOUT_MS 30000
#define UPDATED "directory.user.updated"
#define DELETED "directory.user.deleted"

void dispatch_init(struct dispatch *dispatch, const struct settings *settings) {
  *dispatch = (struct dispatch){.settings = settings};
  wm_arena_init(&dispatch->arena, 0);
}

void dispatch_release(struct dispatch *dispatch) {
  client_close(dispatch->client);
  wm_arena_release(&dispatch->arena);
  wm_buf_release(&dispatch->line);
}

static void add_member(struct wm_buf *buf, const char *name, struct wm_text text) {
  wm_buf_printf(buf, ",\"%s\":", name);
  wm_buf_add_json(buf, text);
}

void dispatch_write(const struct dispatch *dispatch, struct wm_text user, struct wm_text profile, struct wm_buf *buf) {
  char time[WM_MOMENT_SIZE];
  bool deletes = !profile.bytes;
  uint64_t content = wm_hash_pair(user, deletes ? WM_TEXT(DELETED) : profile);
  wm_buf_printf(buf, "{\"specversion\":\"1.0\",\"id\":\"%016" PRIx64 "-%" PRId64 "\"", content, dispatch->time_us);
  add_member(buf, "source", wm_text_of(dispatch->source));
  add_member(buf, "type", deletes ? WM_TEXT(DELETED) : WM_TEXT(UPDATED));
  add_member(buf, "subject", user);
  add_member(buf, "time", (struct wm_text){time, wm_moment_format(dispatch->time_us, time)});
  if (dispatch->reason)
    add_member(buf, "reason", wm_text_of(dispatch->reason));
  if (!deletes) {
    wm_buf_add_string(buf, ",\"data\":");
    wm_buf_add_text(buf, profile);
  }
  wm_buf_add_char(buf, '}');
}

size_t dispatch_size(struct dispatch *dispatch, struct wm_text user, struct wm_text profile) {
  wm_buf_clear(&dispatch->line);
  dispatch_write(dispatch, user, profile, &dispatch->line);
  return dispatch->line.size + events_headers[0].name.size + events_headers[0].value.size;
}

int dispatch_flush(struct dispatch *dispatch) {
  struct wm_error error = {0};
  size_t sent = 0;
  if (dispatch->output || dispatch->count == 0)
    return EXIT_FINE;
  if (!dispatch->client)
    dispatch->client = client_open(dispatch->settings, &error);
  if (!dispatch->client)
    return say_error(EXIT_BAD_NEWS, &error);
  int result = client_send(dispatch->client, dispatch->records, dispatch->count, SEND_TIMEOUT_MS, &sent, &error);
  dispatch->sent += sent;
  dispatch->count = 0;
  wm_arena_rewind(&dispatch->arena);
  return result < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

static int write_line(struct dispatch *dispatch) {
  wm_buf_add_char(&dispatch->line, '\n');
  if (dispatch->line.failed)
    return say_memory();
  fwrite(dispatch->line.bytes, 1, dispatch->line.size, dispatch->output); /* output_close() looks for errors */
  dispatch->sent++;
  return EXIT_FINE;
}

int dispatch_send(struct dispatch *dispatch, struct wm_text user, struct wm_text profile) {
  struct wm_event event = {.user = user, .type = profile.bytes ? WM_TEXT(UPDATED) : WM_TEXT(DELETED)};
  struct wm_text text;
  wm_buf_clear(&dispatch->line);
  dispatch_write(dispatch, user, profile, &dispatch->line);
  if (dispatch->output)
    return write_line(dispatch);
  if (dispatch->line.failed ||
      wm_arena_text(&dispatch->arena, (struct wm_text){dispatch->line.bytes, dispatch->line.size}, &text) < 0)
    return say_memory();
  send_record(dispatch->settings, &event, text, NULL, &dispatch->records[dispatch->count++]);
  return dispatch->count == DISPATCH_BATCH || dispatch->arena.used > DISPATCH_BYTES ? dispatch_flush(dispatch)
                                                                                    : EXIT_FINE;
}
