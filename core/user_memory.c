/* What a register remembers of events and automations: duplicates and repeat. */
#include "core/user.h"

bool wm_user_remembers(const struct wm_user *user, uint64_t event_hash) {
  for (size_t i = 0; i < user->recent_count; i++)
    if (user->recent[i] == event_hash)
      return true;
  return false;
}

void wm_user_remember(struct wm_user *user, uint64_t event_hash) {
  if (wm_user_remembers(user, event_hash))
    return;
  if (user->recent_count == WM_RECENT_COUNT) {
    memmove(user->recent, user->recent + 1, (WM_RECENT_COUNT - 1) * sizeof(*user->recent));
    user->recent_count--;
  }
  user->recent[user->recent_count++] = event_hash;
}

bool wm_user_remembers_replay(const struct wm_user *user, struct wm_text run, uint64_t event_hash) {
  const struct wm_replayed *replayed = &user->replayed;
  if (!wm_text_equal(replayed->run, run))
    return false;
  for (size_t i = 0; i < replayed->count; i++)
    if (replayed->events[i] == event_hash)
      return true;
  return false;
}

/* Room for all of them is taken at once: a register is not to grow with each event of a long replay. */
static int begin_replay(struct wm_user *user, struct wm_text run) {
  struct wm_replayed *replayed = &user->replayed;
  struct wm_text name;
  uint64_t *events = WM_ARENA_ARRAY(&user->arena, uint64_t, WM_RECENT_COUNT);
  if (!events || wm_arena_text(&user->arena, run, &name) < 0)
    return -1;
  *replayed = (struct wm_replayed){.run = name, .events = events};
  return 0;
}

int wm_user_remember_replay(struct wm_user *user, struct wm_text run, uint64_t event_hash) {
  struct wm_replayed *replayed = &user->replayed;
  if (wm_user_remembers_replay(user, run, event_hash))
    return 0;
  if (!wm_text_equal(replayed->run, run) && begin_replay(user, run) < 0)
    return -1;
  if (replayed->count == WM_RECENT_COUNT) {
    memmove(replayed->events, replayed->events + 1, (WM_RECENT_COUNT - 1) * sizeof(*replayed->events));
    replayed->count--;
  }
  replayed->events[replayed->count++] = event_hash;
  return 0;
}

/* Where 'automation' stands, or would have to. */
static size_t ran_position(const struct wm_user *user, struct wm_text automation, bool *ret_found) {
  return wm_text_position(user->ran, user->ran_count, sizeof(*user->ran), automation, ret_found);
}

static struct wm_ran *find_ran(const struct wm_user *user, struct wm_text automation) {
  bool found;
  size_t at = ran_position(user, automation, &found);
  return found ? &user->ran[at] : NULL;
}

bool wm_user_has_run(const struct wm_user *user, struct wm_text automation) {
  const struct wm_ran *ran = find_ran(user, automation);
  return ran && ran->count > 0;
}

bool wm_user_has_run_journey(const struct wm_user *user, struct wm_text automation, uint64_t journey) {
  const struct wm_ran *ran = find_ran(user, automation);
  for (size_t i = 0; ran && i < ran->count; i++)
    if (ran->journeys[i] == journey)
      return true;
  return false;
}

/* 'journeys' and one more; the oldest goes when there are too many. */
static int add_journey(struct wm_user *user, struct wm_ran *ran, uint64_t journey) {
  size_t kept = ran->count < WM_JOURNEYS_LIMIT ? ran->count : WM_JOURNEYS_LIMIT - 1;
  uint64_t *journeys = WM_ARENA_ARRAY(&user->arena, uint64_t, kept + 1);
  if (!journeys)
    return -1;
  if (kept > 0)
    memcpy(journeys, ran->journeys + (ran->count - kept), kept * sizeof(*journeys));
  journeys[kept] = journey;
  ran->journeys = journeys;
  ran->count = kept + 1;
  return 0;
}

int wm_user_mark_run(struct wm_user *user, struct wm_text automation, uint64_t journey) {
  if (wm_user_has_run_journey(user, automation, journey))
    return 0;
  bool found;
  size_t at = ran_position(user, automation, &found);
  if (found)
    return add_journey(user, &user->ran[at], journey);

  struct wm_ran fresh = {0};
  struct wm_ran *ran = WM_ARENA_ARRAY(&user->arena, struct wm_ran, user->ran_count + 1);
  if (!ran || wm_arena_text(&user->arena, automation, &fresh.automation) < 0 || add_journey(user, &fresh, journey) < 0)
    return -1;
  if (at > 0)
    memcpy(ran, user->ran, at * sizeof(*ran));
  ran[at] = fresh;
  if (at < user->ran_count)
    memcpy(ran + at + 1, user->ran + at, (user->ran_count - at) * sizeof(*ran));
  user->ran = ran;
  user->ran_count++;
  return 0;
}
