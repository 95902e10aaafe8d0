#include "core/codec/register.h"
#include "core/codec/write.h"

static void write_hashes(struct wm_buf *buf, struct wm_text key, const uint64_t *hashes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  wm_buf_add_text(buf, key);
  wm_buf_add_char(buf, '"');
  for (size_t i = 0; i < count; i++) {
    char hex[16];
    for (unsigned at = 0; at < sizeof hex; at++)
      hex[at] = digits[(hashes[i] >> (60 - 4 * at)) & 15];
    wm_buf_add(buf, hex, sizeof hex);
  }
  wm_buf_add_text(buf, WM_TEXT("\","));
}

static void write_profile(struct wm_buf *buf, const struct wm_profile *profile) {
  if (!wm_clock_is_set(&profile->clock)) {
    wm_write_null(buf, WM_KEY("profile"));
    return;
  }
  wm_write_open(buf, WM_KEY("profile"), '{');
  wm_write_clock(buf, WM_KEY("clock"), &profile->clock);
  for (size_t i = 0; i < profile->fields.object.count; i++) {
    const struct wm_member *field = &profile->fields.object.members[i];
    wm_write_name(buf, field->name);
    wm_value_to_json(&field->value, buf);
    wm_buf_add_char(buf, ',');
  }
  wm_write_close(buf, '}');
}

static void write_by(struct wm_buf *buf, const struct wm_by *by) {
  wm_write_open(buf, WM_KEY("by"), '{');
  wm_write_text(buf, WM_KEY("version"), by->version);
  wm_write_text(buf, WM_KEY("by"), by->by);
  wm_write_text(buf, WM_KEY("reason"), by->reason);
  wm_write_text(buf, WM_KEY("run"), by->run);
  wm_write_text(buf, WM_KEY("delegation"), by->delegable ? WM_TEXT("holders") : WM_NO_TEXT);
  wm_write_origin(buf, &by->origin);
  wm_write_close(buf, '}');
}

static void write_grant(struct wm_buf *buf, const struct wm_grant *grant) {
  wm_write_name(buf, grant->source);
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_clock(buf, WM_KEY("clock"), &grant->clock);
  if (grant->until_us == WM_NEVER)
    wm_write_null(buf, WM_KEY("until"));
  else
    wm_write_integer(buf, WM_KEY("until"), grant->until_us);
  if (wm_clock_is_set(&grant->taken))
    wm_write_clock(buf, WM_KEY("taken"), &grant->taken);
  write_by(buf, &grant->by);
  wm_write_close(buf, '}');
}

static void write_roles(struct wm_buf *buf, const struct wm_user *user) {
  wm_write_open(buf, WM_KEY("roles"), '{');
  for (size_t i = 0; i < user->role_count; i++) {
    const struct wm_user_role *role = &user->roles[i];
    wm_write_name(buf, role->name);
    wm_write_open(buf, WM_NO_KEY, '{');
    wm_write_clock(buf, WM_KEY("removed"), &role->removed);
    wm_write_open(buf, WM_KEY("grants"), '{');
    for (size_t at = 0; at < role->grant_count; at++)
      write_grant(buf, &role->grants[at]);
    wm_write_close(buf, '}');
    wm_write_close(buf, '}');
  }
  wm_write_close(buf, '}');
}

void wm_register_encode(const struct wm_user *user, struct wm_buf *buf) {
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_integer(buf, WM_KEY("v"), 1);
  wm_write_text(buf, WM_KEY("user"), user->id);
  wm_write_integer(buf, WM_KEY("home"), user->home);
  write_profile(buf, &user->profile);
  wm_write_clock(buf, WM_KEY("cleared"), &user->cleared);
  if (wm_clock_is_set(&user->signed_in))
    wm_write_clock(buf, WM_KEY("signed-in"), &user->signed_in);
  write_roles(buf, user);
  wm_write_open(buf, WM_KEY("ran"), '{');
  for (size_t i = 0; i < user->ran_count; i++) {
    wm_write_name(buf, user->ran[i].automation);
    write_hashes(buf, WM_NO_KEY, user->ran[i].journeys, user->ran[i].count);
  }
  wm_write_close(buf, '}');
  write_hashes(buf, WM_KEY("recent"), user->recent, user->recent_count);
  if (user->replayed.run.bytes) {
    wm_write_open(buf, WM_KEY("replay"), '{');
    wm_write_text(buf, WM_KEY("run"), user->replayed.run);
    write_hashes(buf, WM_KEY("recent"), user->replayed.events, user->replayed.count);
    wm_write_close(buf, '}');
  }
  wm_write_close(buf, '}');
  wm_write_end(buf);
}

size_t wm_register_size(const struct wm_user *user) {
  struct wm_buf buf = WM_BUF_INIT;
  wm_write_reserve(&buf, 2000);
  wm_register_encode(user, &buf);
  size_t size = buf.failed ? SIZE_MAX : buf.size;
  wm_buf_release(&buf);
  return size;
}
