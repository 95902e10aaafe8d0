/* Keys of users read back: which user is it about? */
#include "worker/redis_internal.h"

struct wm_text redis_users_pattern(const struct redis *redis, bool all, struct wm_buf *buf) {
  wm_buf_clear(buf);
  for (const char *c = redis->prefix; *c; c++) {
    if (strchr("*?[]^\\", *c))
      wm_buf_add_char(buf, '\\');
    wm_buf_add_char(buf, *c);
  }
  wm_buf_add_string(buf, all ? ":{*" : ":{*}:user");
  return (struct wm_text){buf->bytes, buf->size};
}

static bool decode_one(struct wm_buf *buf, struct wm_text rest, size_t *at) {
  static const struct {
    const char *code;
    char byte;
  } codes[] = {{"%7B", '{'}, {"%7D", '}'}, {"%25", '%'}};
  if (rest.bytes[*at] == '{' || rest.bytes[*at] == '}')
    return false;
  if (rest.bytes[*at] != '%') {
    wm_buf_add_char(buf, rest.bytes[(*at)++]);
    return true;
  }
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (rest.size - *at >= 3 && memcmp(rest.bytes + *at, codes[i].code, 3) == 0) {
      wm_buf_add_char(buf, codes[i].byte);
      *at += 3;
      return true;
    }
  return false;
}

/* How long the end of a key of a user's is; 0: it is none. */
static size_t behind_user(struct wm_text key, bool all) {
  if (wm_text_ends_with(key, WM_TEXT("}:user")))
    return sizeof "}:user" - 1;
  return all && wm_text_ends_with(key, WM_TEXT("}:roles")) ? sizeof "}:roles" - 1 : 0;
}

struct wm_text redis_user_of(const struct redis *redis, struct wm_text key, bool all, struct wm_buf *buf) {
  size_t before = strlen(redis->prefix) + 2, behind = behind_user(key, all);
  wm_buf_clear(buf);
  if (behind == 0 || key.size <= before + behind)
    return WM_NO_TEXT;
  struct wm_text inner = {key.bytes + before, key.size - before - behind};
  for (size_t at = 0; at < inner.size;)
    if (!decode_one(buf, inner, &at))
      return WM_NO_TEXT;
  struct wm_text user = {buf->bytes, buf->size};
  return !buf->failed && wm_text_is_user_id(user) ? user : WM_NO_TEXT;
}
