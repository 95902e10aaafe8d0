#include "tools/lib/play.h"

#include <stdlib.h>

#include "core/codec/out.h"
#include "core/codec/register.h"
#include "core/hash.h"
#include "tools/lib/files.h"

struct wm_terms play_terms(const struct settings *settings, bool with_age) {
  return (struct wm_terms){
      .users_closed = settings->users_closed,
      .notify_age_us = with_age ? settings->limits.notify_age_us : 0,
      .register_bytes = settings->limits.register_bytes,
      .register_size = wm_register_size,
  };
}

void play_init(struct play *play, const struct loaded *loaded) {
  *play = (struct play){.loaded = loaded, .terms = play_terms(&loaded->settings, false)};
  wm_arena_init(&play->arena, 0);
}

void play_release(struct play *play) {
  for (size_t i = 0; i < play->user_capacity; i++)
    wm_user_free(play->users[i]);
  free(play->users);
  wm_user_free(play->replaced);
  wm_buf_release(&play->request);
  wm_arena_release(&play->arena);
}

/* The slot of a user: his own, or the free one where he belongs. */
static struct wm_user **find_slot(struct wm_user **users, size_t capacity, struct wm_text id) {
  size_t at = (size_t)wm_hash(id) & (capacity - 1);
  while (users[at] && !wm_text_equal(users[at]->id, id))
    at = (at + 1) & (capacity - 1);
  return &users[at];
}

static int grow(struct play *play) {
  size_t capacity = play->user_capacity ? 2 * play->user_capacity : 256;
  struct wm_user **users = calloc(capacity, sizeof *users);
  if (!users)
    return -1;
  for (size_t i = 0; i < play->user_capacity; i++)
    if (play->users[i])
      *find_slot(users, capacity, play->users[i]->id) = play->users[i];
  free(play->users);
  play->users = users;
  play->user_capacity = capacity;
  return 0;
}

const struct wm_user *play_user(const struct play *play, struct wm_text id) {
  return play->user_capacity && id.bytes ? *find_slot(play->users, play->user_capacity, id) : NULL;
}

int play_keep(struct play *play, struct wm_user *user) {
  if (2 * (play->user_count + 1) > play->user_capacity && grow(play) < 0) {
    wm_user_free(user);
    return -1;
  }
  struct wm_user **slot = find_slot(play->users, play->user_capacity, user->id);
  play->user_count += *slot ? 0 : 1;
  wm_user_free(play->replaced);
  play->replaced = *slot;
  *slot = user;
  return 0;
}

static int decide(struct play *play, struct playing *ret, struct wm_error *error) {
  static const enum played fates[] = {
      [WM_FATE_NOTHING] = PLAYED_NOTHING,
      [WM_FATE_DUPLICATE] = PLAYED_DUPLICATE,
      [WM_FATE_IGNORED] = PLAYED_IGNORED,
      [WM_FATE_DECIDED] = PLAYED_DECIDED,
  };
  const struct wm_user *before = play_user(play, ret->decoded.event.user);
  if (wm_decide(play->loaded->workspace, &play->terms, &ret->decoded.event, before, 0, NULL, &play->arena,
                &ret->decision, error) < 0)
    return -1;
  ret->played = fates[ret->decision.fate];
  if (ret->decision.user && play_keep(play, ret->decision.user) < 0)
    return wm_error_memory(error);
  ret->user = play_user(play, ret->decoded.event.user);
  if (ret->decision.approval)
    wm_approval_to_json(&ret->decoded.event, ret->decision.approval, &play->request);
  play->request_offset = ret->decoded.record.offset;
  return play->request.failed ? wm_error_memory(error) : 0;
}

static int play_text(struct play *play, struct wm_text text, int64_t offset, struct playing *ret,
                     struct wm_error *error) {
  struct wm_decode_rules rules = events_rules(&play->loaded->settings, play->last_us);
  if (events_decode(text, offset, &rules, &play->arena, &ret->decoded) < 0)
    return wm_error_memory(error);
  if (ret->decoded.what == WM_DECODED_REJECTED)
    ret->played = PLAYED_REJECTED;
  if (ret->decoded.what != WM_DECODED_EVENT)
    return 0;
  play->last_us = ret->decoded.event.time_us;
  return decide(play, ret, error);
}

int play_request(struct play *play, struct playing *ret, bool *ret_more, struct wm_error *error) {
  *ret = (struct playing){.played = PLAYED_BLANK};
  *ret_more = play->request.size > 0;
  if (!*ret_more)
    return 0;
  wm_arena_rewind(&play->arena);
  struct wm_text text = {wm_arena_copy(&play->arena, play->request.bytes, play->request.size), play->request.size};
  wm_buf_clear(&play->request);
  return text.bytes ? play_text(play, text, play->request_offset, ret, error) : wm_error_memory(error);
}

int play_line(struct play *play, struct wm_text line, struct playing *ret, struct wm_error *error) {
  static const struct wm_text byte_order_mark = {"\xef\xbb\xbf", 3};
  *ret = (struct playing){.played = PLAYED_BLANK};
  if (play->line == 0 && wm_text_starts_with(line, byte_order_mark))
    line = (struct wm_text){line.bytes + 3, line.size - 3};
  int64_t offset = play->line++;
  if (line_is_blank(line))
    return 0;
  wm_arena_rewind(&play->arena);
  wm_buf_clear(&play->request);
  return play_text(play, line, offset, ret, error);
}

static int compare_users(const void *a, const void *b) {
  const struct wm_user *const *left = a, *const *right = b;
  return wm_text_compare((*left)->id, (*right)->id);
}

struct wm_user **play_users_sorted(const struct play *play) {
  struct wm_user **sorted = calloc(play->user_count + 1, sizeof(struct wm_user *));
  size_t count = 0;
  for (size_t i = 0; sorted && i < play->user_capacity; i++)
    if (play->users[i])
      sorted[count++] = play->users[i];
  if (sorted)
    qsort(sorted, count, sizeof(struct wm_user *), compare_users);
  return sorted;
}

int play_user_to_json(const struct wm_workspace *workspace, const struct wm_user *user, int64_t now_us,
                      struct wm_arena *arena, struct wm_buf *buf) {
  struct wm_role_set roles;
  if (wm_project(workspace, user, now_us, arena, &roles) < 0)
    return -1;
  wm_buf_add_string(buf, "{\"user\":");
  wm_buf_add_json(buf, user->id);
  wm_buf_add_string(buf, ",\"effective\":[");
  for (size_t i = 0; i < roles.count; i++) {
    wm_buf_add_string(buf, i ? "," : "");
    wm_buf_add_json(buf, roles.roles[i]->name);
  }
  wm_buf_add_string(buf, "],\"register\":");
  wm_register_encode(user, buf);
  wm_buf_add_char(buf, '}');
  return buf->failed ? -1 : 0;
}
