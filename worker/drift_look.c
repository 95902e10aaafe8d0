/* One user compared, and the list of those who differ. */
#include <stdlib.h>

#include "core/buf.h"
#include "core/codec/register.h"
#include "core/hash.h"
#include "core/moment.h"
#include "core/project.h"
#include "worker/drift.h"
#include "worker/fetch.h"
#include "worker/loop.h"

#define NEAR_US (60 * WM_SECOND_US)       /* no judgement so near to an end: clocks of workers differ */
#define SECOND_LOOK_US (3 * WM_SECOND_US) /* time enough for whatever is under way */
#define LOOK_AGAIN_US (10 * WM_SECOND_US)
#define MINUTE_US (60 * WM_SECOND_US)
#define LINES_A_MINUTE 10

static const struct {
  enum drift_kind kind;
  const char *word;
} words[] = {
    {DRIFT_MISSING, "missing"}, {DRIFT_UNBACKED, "unbacked"},     {DRIFT_OLDER, "older"},
    {DRIFT_NEWER, "newer"},     {DRIFT_REGISTER, "register"},     {DRIFT_ROLES, "roles"},
    {DRIFT_END, "end"},         {DRIFT_UNREADABLE, "unreadable"},
};

/* --- one user --- */

/* What (gen, at) says: the register of the log, another one, or one that can't be. */
static unsigned place_drift(const struct loop *loop, const struct drift_user *user, const struct cache_user *held) {
  const struct partition *home = &loop->partitions.items[user->partition];
  if (held->gen > home->generation || held->at >= home->progress)
    return DRIFT_NEWER;
  if (user->at >= 0 && (held->gen < home->generation || held->at < user->at))
    return DRIFT_OLDER;
  return 0;
}

static bool same_roles(const struct wm_role_set *set, const struct cache_user *held) {
  if (set->count != held->role_count)
    return false;
  for (size_t i = 0; i < set->count; i++)
    if (!wm_text_equal(set->roles[i]->name, held->roles[i]))
      return false;
  return true;
}

/* The register is the log's: are role set and end what it gives? */
static int compare_roles(const struct loop *loop, struct drift_user *user, const struct cache_user *held,
                         struct wm_arena *arena, enum drift_answer *ret) {
  struct wm_error error = {0};
  struct wm_role_set set;
  int64_t now_us = loop_wall(loop);
  struct wm_user *decoded = wm_register_decode(held->json, &error);
  if (!decoded) {
    user->kinds |= DRIFT_UNREADABLE;
    return error.code == WM_E_OUT_OF_MEMORY ? -1 : 0;
  }
  int64_t turn_us = wm_project_next_turn(loop->workspace, decoded, now_us - NEAR_US);
  int result = 0;
  if (turn_us - NEAR_US < now_us)
    *ret = DRIFT_LATER;
  else if (wm_project(loop->workspace, decoded, now_us, arena, &set) < 0)
    result = -1;
  else
    user->kinds |=
        (same_roles(&set, held) ? 0U : DRIFT_ROLES) | (turn_us != WM_NEVER && held->end_us > turn_us ? DRIFT_END : 0U);
  wm_user_free(decoded);
  return result;
}

int drift_compare(const struct loop *loop, struct drift_user *user, const struct cache_user *held,
                  struct wm_arena *arena, enum drift_answer *ret) {
  const struct partition *home = &loop->partitions.items[user->partition];
  user->kinds = 0;
  *ret = DRIFT_AGREES;
  if (held->strange)
    user->kinds = DRIFT_UNREADABLE;
  else if (held->at < 0 || (user->at >= 0 && !held->json.bytes))
    user->kinds = user->at >= 0 ? DRIFT_MISSING : held->role_count > 0 ? DRIFT_UNBACKED : 0;
  else
    user->kinds = place_drift(loop, user, held);
  if (user->kinds == 0 && user->at >= 0) {
    if (held->at > user->at && held->at < home->progress)
      *ret = DRIFT_MOVED;
    else if (wm_hash(held->json) != user->hash)
      user->kinds = DRIFT_REGISTER;
    else if (compare_roles(loop, user, held, arena, ret) < 0)
      return -1;
  }
  if (user->kinds)
    *ret = DRIFT_DIFFERS;
  return 0;
}

bool drift_look(struct loop *loop, struct drift_user *users, size_t count, enum drift_answer **ret) {
  struct wm_arena *arena = &loop->drift.arena;
  struct cache_user *held = WM_ARENA_ARRAY(arena, struct cache_user, count + 1);
  *ret = WM_ARENA_ARRAY(arena, enum drift_answer, count + 1);
  if (!held || !*ret)
    return loop_fail_memory(loop);
  for (size_t i = 0; i < count; i++)
    held[i] = (struct cache_user){.id = users[i].id, .lenient = true, .bare = users[i].at < 0};
  if (!fetch_as_they_are(loop, held, count, arena))
    return false;
  for (size_t i = 0; i < count; i++)
    if (drift_compare(loop, &users[i], &held[i], arena, &(*ret)[i]) < 0)
      return loop_fail_memory(loop);
  return true;
}

/* --- those who differ --- */

static struct drift_user *find(const struct drift *drift, struct wm_text id) {
  for (size_t i = 0; i < drift->count; i++)
    if (wm_text_equal(drift->users[i].id, id))
      return &drift->users[i];
  return NULL;
}

bool drift_suspect(struct loop *loop, const struct drift_user *user) {
  struct drift *drift = &loop->drift;
  struct drift_user *known = find(drift, user->id);
  if (known) {
    if (user->at > known->at) {
      known->at = user->at;
      known->hash = user->hash;
    }
    return true;
  }
  if (drift->count == DRIFT_KEPT) {
    drift->beyond++;
    return true;
  }
  if (!drift->users && !(drift->users = calloc(DRIFT_KEPT, sizeof *drift->users)))
    return loop_fail_memory(loop);
  char *id = malloc(user->id.size);
  if (!id)
    return loop_fail_memory(loop);
  memcpy(id, user->id.bytes, user->id.size);
  known = &drift->users[drift->count++];
  *known = *user;
  known->id.bytes = id;
  known->stands = false;
  known->due_us = loop_now(loop) + SECOND_LOOK_US;
  return true;
}

static void forget(struct drift *drift, size_t index) {
  drift->standing -= drift->users[index].stands;
  free((char *)(uintptr_t)drift->users[index].id.bytes);
  drift->users[index] = drift->users[--drift->count];
}

/* One line a user, ten in a minute; how many more there were is told afterwards. */
static void say(struct loop *loop, const struct drift_user *user) {
  struct drift *drift = &loop->drift;
  struct wm_buf what = WM_BUF_INIT;
  if (drift->said == LINES_A_MINUTE) {
    drift->unsaid++;
    return;
  }
  drift->said++;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (user->kinds & words[i].kind) {
      wm_buf_add_string(&what, what.size ? "," : "");
      wm_buf_add_string(&what, words[i].word);
    }
  loop_say(loop, LOGGER_WARNING,
           "redis does not hold what the log says of a user: see 'waymark verify', and 'waymark rebuild'",
           (const struct logger_field[]){{.name = "user", .text = user->id},
                                         {.name = "what", .text = {what.bytes ? what.bytes : "", what.size}},
                                         {.name = "partition", .number = user->partition},
                                         {.name = "offset", .number = user->at},
                                         {0}});
  wm_buf_release(&what);
}

static void next_minute(struct loop *loop) {
  struct drift *drift = &loop->drift;
  if (loop_now(loop) < drift->minute_us + MINUTE_US)
    return;
  if (drift->unsaid > 0)
    loop_say(loop, LOGGER_WARNING, "redis does not hold what the log says of more users",
             (const struct logger_field[]){{.name = "users", .number = (int64_t)drift->unsaid}, {0}});
  drift->minute_us = loop_now(loop);
  drift->said = drift->unsaid = 0;
}

/* A second time: it was no moment's difference. */
static void confirm(struct loop *loop, struct drift_user *user) {
  user->due_us = loop_now(loop) + LOOK_AGAIN_US;
  if (user->stands)
    return;
  user->stands = true;
  loop->drift.standing++;
  loop->counters.drift_found++;
  say(loop, user);
}

bool drift_is_due(const struct loop *loop) {
  for (size_t i = 0; i < loop->drift.count; i++)
    if (loop->drift.users[i].due_us <= loop_now(loop))
      return true;
  return false;
}

/* The answers belong to users[indexes[i]], ascending; from the back, because those who agree leave the list. */
static void judge(struct loop *loop, const struct drift_user *seen, const size_t *indexes, size_t count,
                  const enum drift_answer *answers) {
  struct drift *drift = &loop->drift;
  bool any = drift->standing > 0;
  for (size_t i = count; i-- > 0;) {
    struct drift_user *user = &drift->users[indexes[i]];
    if (answers[i] == DRIFT_DIFFERS) {
      user->kinds = seen[i].kinds;
      confirm(loop, user);
    } else if (answers[i] == DRIFT_LATER && user->stands) {
      user->due_us = loop_now(loop) + LOOK_AGAIN_US;
    } else {
      forget(drift, indexes[i]);
    }
  }
  if (any && drift_users(drift) == 0)
    loop_say(loop, LOGGER_INFO, "redis holds again what the log says of all users that were looked at", NULL);
}

bool drift_look_again(struct loop *loop, size_t most) {
  struct drift *drift = &loop->drift;
  struct drift_user *due = WM_ARENA_ARRAY(&drift->arena, struct drift_user, drift->count + 1);
  size_t *indexes = WM_ARENA_ARRAY(&drift->arena, size_t, drift->count + 1);
  enum drift_answer *answers;
  size_t count = 0;
  if (!due || !indexes)
    return loop_fail_memory(loop);
  next_minute(loop);
  for (size_t i = 0; i < drift->count && count < most; i++)
    if (drift->users[i].due_us <= loop_now(loop)) {
      due[count] = drift->users[i];
      indexes[count++] = i;
    }
  if (!drift_look(loop, due, count, &answers))
    return false;
  judge(loop, due, indexes, count, answers);
  return true;
}
