/* Giving a role on the working copy: no register may pass limits.register-bytes. */
#include "core/run.h"

/* Bytes that this event may still add to the register: its hash, and that the automation has run. */
static size_t memory_size(const struct wm_run *run) {
  size_t size = 16;
  if (run->automation && run->automation->repeat != WM_EVERY_EVENT)
    size += run->automation->name.size + 32;
  return size;
}

static size_t text_sizes(const struct wm_grant *grant) {
  return grant->source.size + 2 * (grant->clock.source.size + grant->clock.id.size + grant->clock.automation.size) +
         grant->by.version.size + grant->by.by.size + grant->by.reason.size + grant->by.run.size +
         grant->by.origin.topic.size;
}

/* A cheap bound, so that small registers need no measuring: no byte of text takes more than six in JSON, and the
 * structs in the arena, six times over, are larger than the JSON around their texts. Grants are counted apart since
 * they may share their texts. */
static bool may_be_too_large(const struct wm_run *run, struct wm_text role, const struct wm_grant *grant) {
  if (!run->terms->register_size)
    return false;
  const struct wm_user *user = run->user;
  size_t size = user->arena.used + sizeof(*grant) + role.size + text_sizes(grant);
  for (size_t i = 0; i < user->role_count; i++)
    for (size_t g = 0; g < user->roles[i].grant_count; g++)
      size += text_sizes(&user->roles[i].grants[g]) + user->roles[i].grants[g].taken.source.size +
              user->roles[i].grants[g].taken.id.size + user->roles[i].grants[g].taken.automation.size;
  return 6 * size + 4096 + memory_size(run) > run->terms->register_bytes;
}

/* What stands is borrowed from the working copy, which the outcome outlives. */
static int keep_stands(struct wm_run *run, enum wm_write write, struct wm_clock *stands) {
  if (write != WM_WRITE_SUPERSEDED) {
    *stands = WM_NO_CLOCK;
    return 0;
  }
  struct wm_clock borrowed = *stands;
  return wm_clock_copy(&borrowed, run->arena, stands) < 0 ? wm_error_memory(run->error) : 0;
}

/* Adds to a copy, and keeps that only if it is not too large: the working copy stays as it was. */
static int add_measured(struct wm_run *run, struct wm_text role, const struct wm_grant *grant, enum wm_write *ret,
                        struct wm_clock *ret_stands, size_t *ret_too_large) {
  struct wm_user *copy = wm_user_clone(run->user);
  if (!copy || wm_user_add_grant(copy, role, grant, run->event->now_us, ret, ret_stands) < 0) {
    wm_user_free(copy);
    return wm_error_memory(run->error);
  }
  int kept = keep_stands(run, *ret, ret_stands);
  size_t size = run->terms->register_size(copy) + memory_size(run);
  if (kept < 0 || size > run->terms->register_bytes) {
    wm_user_free(copy);
    *ret_too_large = *ret == WM_WRITE_SUPERSEDED ? 0 : size;
    return kept;
  }
  run->wrote = true;
  wm_user_free(run->user);
  run->user = copy;
  return 0;
}

int wm_run_add_grant(struct wm_run *run, struct wm_text role, const struct wm_grant *grant, enum wm_write *ret,
                     struct wm_clock *ret_stands, size_t *ret_too_large) {
  *ret_too_large = 0;
  if (may_be_too_large(run, role, grant))
    return add_measured(run, role, grant, ret, ret_stands, ret_too_large);
  if (wm_user_add_grant(run->user, role, grant, run->event->now_us, ret, ret_stands) < 0)
    return wm_error_memory(run->error);
  run->wrote = true;
  return keep_stands(run, *ret, ret_stands);
}
