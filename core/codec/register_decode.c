/* The happy path: the JSON text becomes a value in a passing arena, the value a register that borrows from it, and
 * that one is cloned into memory of its own. Every step trusts nothing: the bytes may come from anywhere. */
#include "core/codec/check.h"
#include "core/codec/json.h"
#include "core/codec/register.h"
#include "core/moment.h"

#define DEPTH_LIMIT 64
#define TEXT_LIMIT 1024 /* of names, sources and ids */

struct reading {
  struct wm_arena *arena;
  struct wm_error *error;
};

static int fail(const struct reading *reading, const char *what) {
  return wm_error_set(reading->error, WM_E_REGISTER_INVALID, "%s", what);
}

static const struct wm_value *member(const struct wm_value *object, const char *name) {
  const struct wm_value *value = wm_value_member(object, wm_text_of(name));
  return value && value->type != WM_NULL ? value : NULL;
}

static bool is_text(const struct wm_value *value, size_t least) {
  return value->type == WM_STRING && value->string.size >= least && value->string.size <= TEXT_LIMIT;
}

/* NULL: no clock. */
static int read_clock(const struct reading *reading, const struct wm_value *value, struct wm_clock *ret) {
  *ret = WM_NO_CLOCK;
  if (!value)
    return 0;
  if (value->type != WM_LIST || value->list.count != 5)
    return fail(reading, "a clock is not a list of five");
  const struct wm_value *items = value->list.items;
  if (items[0].type != WM_INTEGER || !is_text(&items[1], 1) || !is_text(&items[2], 1) || !is_text(&items[3], 0) ||
      items[4].type != WM_INTEGER)
    return fail(reading, "a clock is not time, source, id, automation and sequence");
  *ret = (struct wm_clock){items[0].integer, items[1].string, items[2].string, items[3].string, items[4].integer};
  return 0;
}

static int read_profile(const struct reading *reading, const struct wm_value *value, struct wm_profile *ret) {
  struct wm_fault fault;
  if (!value)
    return 0;
  if (value->type != WM_OBJECT)
    return fail(reading, "'profile' is not an object");
  if (read_clock(reading, member(value, "clock"), &ret->clock))
    return -1;
  if (!wm_clock_is_set(&ret->clock))
    return fail(reading, "'profile' has no clock");
  if (!wm_check_object(value, wm_kept_profile_rows, WM_TEXT("/profile"), reading->arena, &ret->fields, &fault)) {
    wm_profile_read(ret);
    return 0;
  }
  return fault.reason ? wm_error_set(reading->error, WM_E_REGISTER_INVALID, "%.*s", WM_TEXT_ARG(fault.message))
                      : wm_error_memory(reading->error);
}

static int read_until(const struct reading *reading, const struct wm_value *value, int64_t *ret_us) {
  *ret_us = WM_NEVER;
  if (!value || (value->type == WM_STRING && wm_moment_parse(value->string, ret_us)))
    return 0;
  if (value->type != WM_INTEGER)
    return fail(reading, "'until' is not a time");
  *ret_us = value->integer;
  return 0;
}

static int read_number(const struct reading *reading, const struct wm_value *value, int64_t limit, int64_t *ret) {
  *ret = 0;
  if (!value)
    return 0;
  if (value->type != WM_INTEGER || value->integer < 0 || value->integer > limit)
    return fail(reading, "'home', 'partition' or 'offset' is not a number in its range");
  *ret = value->integer;
  return 0;
}

static int read_by(const struct reading *reading, const struct wm_value *value, struct wm_by *ret) {
  int64_t partition;
  if (!value)
    return 0;
  if (value->type != WM_OBJECT)
    return fail(reading, "'by' is not an object");
  ret->version = wm_value_text(member(value, "version"));
  ret->by = wm_value_text(member(value, "by"));
  ret->reason = wm_value_text(member(value, "reason"));
  ret->run = wm_value_text(member(value, "run"));
  ret->delegable = wm_text_is(wm_value_text(member(value, "delegation")), "holders");
  ret->origin.topic = wm_value_text(member(value, "topic"));
  if (read_number(reading, member(value, "partition"), INT32_MAX, &partition) ||
      read_number(reading, member(value, "offset"), INT64_MAX, &ret->origin.offset))
    return -1;
  ret->origin.partition = (int32_t)partition;
  return 0;
}

static int read_grant(const struct reading *reading, const struct wm_member *from, struct wm_grant *ret) {
  if (from->name.size < 1 || from->name.size > TEXT_LIMIT || from->value.type != WM_OBJECT)
    return fail(reading, "a grant is not an object with a source");
  ret->source = from->name;
  if (read_clock(reading, member(&from->value, "clock"), &ret->clock) ||
      read_clock(reading, member(&from->value, "taken"), &ret->taken) ||
      read_until(reading, member(&from->value, "until"), &ret->until_us) ||
      read_by(reading, member(&from->value, "by"), &ret->by))
    return -1;
  bool known = wm_clock_is_set(&ret->clock) || wm_clock_is_set(&ret->taken);
  return known ? 0 : fail(reading, "a grant has no clock and was not taken back");
}

static int grants_by_source(const void *a, const void *b) {
  return wm_text_compare(((const struct wm_grant *)a)->source, ((const struct wm_grant *)b)->source);
}

static int roles_by_name(const void *a, const void *b) {
  return wm_text_compare(((const struct wm_user_role *)a)->name, ((const struct wm_user_role *)b)->name);
}

static int ran_by_automation(const void *a, const void *b) {
  return wm_text_compare(((const struct wm_ran *)a)->automation, ((const struct wm_ran *)b)->automation);
}

static int read_grants(const struct reading *reading, const struct wm_value *value, struct wm_user_role *ret) {
  if (!value)
    return 0;
  if (value->type != WM_OBJECT)
    return fail(reading, "'grants' is not an object");
  ret->grant_count = value->object.count;
  ret->grants = WM_ARENA_ARRAY(reading->arena, struct wm_grant, ret->grant_count);
  if (!ret->grants)
    return wm_error_memory(reading->error);
  for (size_t i = 0; i < ret->grant_count; i++)
    if (read_grant(reading, &value->object.members[i], &ret->grants[i]))
      return -1;
  qsort(ret->grants, ret->grant_count, sizeof *ret->grants, grants_by_source);
  return 0;
}

static int read_roles(const struct reading *reading, const struct wm_value *value, struct wm_user *ret) {
  if (!value)
    return 0;
  if (value->type != WM_OBJECT)
    return fail(reading, "'roles' is not an object");
  ret->role_count = value->object.count;
  ret->roles = WM_ARENA_ARRAY(reading->arena, struct wm_user_role, ret->role_count);
  if (!ret->roles)
    return wm_error_memory(reading->error);
  for (size_t i = 0; i < ret->role_count; i++) {
    const struct wm_member *from = &value->object.members[i];
    struct wm_user_role *role = &ret->roles[i];
    if (from->name.size < 1 || from->name.size > TEXT_LIMIT || from->value.type != WM_OBJECT)
      return fail(reading, "a role is not an object with a name");
    role->name = from->name;
    if (read_clock(reading, member(&from->value, "removed"), &role->removed) ||
        read_grants(reading, member(&from->value, "grants"), role))
      return -1;
  }
  qsort(ret->roles, ret->role_count, sizeof *ret->roles, roles_by_name);
  return 0;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 'ret' has room for 'limit' hashes. */
static int read_hashes(const struct reading *reading, const struct wm_value *value, size_t limit, uint64_t *ret,
                       size_t *ret_count) {
  struct wm_text hex = wm_value_text(value);
  if (!hex.bytes || hex.size % 16 != 0 || hex.size / 16 > limit)
    return fail(reading, "'ran', 'recent' or 'replay' is not a text of 16 hex digits each");
  *ret_count = hex.size / 16;
  for (size_t i = 0; i < hex.size; i++) {
    int digit = hex_digit(hex.bytes[i]);
    if (digit < 0)
      return fail(reading, "'ran', 'recent' or 'replay' is not a text of 16 hex digits each");
    ret[i / 16] = ret[i / 16] << 4 | (uint64_t)digit;
  }
  return 0;
}

static int read_ran(const struct reading *reading, const struct wm_value *value, struct wm_user *ret) {
  if (!value)
    return 0;
  if (value->type != WM_OBJECT)
    return fail(reading, "'ran' is not an object");
  ret->ran_count = value->object.count;
  ret->ran = WM_ARENA_ARRAY(reading->arena, struct wm_ran, ret->ran_count);
  if (!ret->ran)
    return wm_error_memory(reading->error);
  for (size_t i = 0; i < ret->ran_count; i++) {
    const struct wm_member *from = &value->object.members[i];
    struct wm_ran *ran = &ret->ran[i];
    if (from->name.size < 1 || from->name.size > TEXT_LIMIT)
      return fail(reading, "'ran' has a name out of range");
    ran->automation = from->name;
    ran->journeys = WM_ARENA_ARRAY(reading->arena, uint64_t, wm_value_text(&from->value).size / 16);
    if (!ran->journeys)
      return wm_error_memory(reading->error);
    if (read_hashes(reading, &from->value, WM_JOURNEYS_LIMIT, ran->journeys, &ran->count))
      return -1;
  }
  qsort(ret->ran, ret->ran_count, sizeof *ret->ran, ran_by_automation);
  return 0;
}

static int read_replayed(const struct reading *reading, const struct wm_value *value, struct wm_replayed *ret) {
  if (!value)
    return 0;
  if (value->type != WM_OBJECT)
    return fail(reading, "'replay' is not an object");
  ret->run = wm_value_text(member(value, "run"));
  if (!wm_text_is_name(ret->run))
    return fail(reading, "'replay' does not name its run");
  ret->events = WM_ARENA_ARRAY(reading->arena, uint64_t, WM_RECENT_COUNT);
  if (!ret->events)
    return wm_error_memory(reading->error);
  return read_hashes(reading, member(value, "recent"), WM_RECENT_COUNT, ret->events, &ret->count);
}

static int read_register(const struct reading *reading, const struct wm_value *value, struct wm_user *ret) {
  int64_t home;
  const struct wm_value *version = member(value, "v");
  const struct wm_value *recent = member(value, "recent");
  if (!version || version->type != WM_INTEGER || version->integer != 1)
    return fail(reading, "'v' is not 1: not a register that this version can read");
  ret->id = wm_value_text(member(value, "user"));
  if (!wm_text_is_user_id(ret->id))
    return fail(reading, "'user' is not a user id");
  if (read_number(reading, member(value, "home"), INT32_MAX, &home) ||
      read_profile(reading, member(value, "profile"), &ret->profile) ||
      read_clock(reading, member(value, "cleared"), &ret->cleared) ||
      read_clock(reading, member(value, "signed-in"), &ret->signed_in) ||
      read_roles(reading, member(value, "roles"), ret) || read_ran(reading, member(value, "ran"), ret) ||
      read_replayed(reading, member(value, "replay"), &ret->replayed))
    return -1;
  ret->home = (int32_t)home;
  return recent ? read_hashes(reading, recent, WM_RECENT_COUNT, ret->recent, &ret->recent_count) : 0;
}

struct wm_user *wm_register_decode(struct wm_text json, struct wm_error *error) {
  struct wm_error own;
  struct wm_arena arena;
  struct reading reading = {&arena, error ? error : &own};
  struct wm_value value;
  struct wm_user borrowing = {0};
  struct wm_user *user = NULL;
  wm_arena_init(&arena, 4096 + 4 * json.size);
  if (wm_json_depth(json) > DEPTH_LIMIT) {
    fail(&reading, "lists and objects are nested too deep");
    goto out;
  }
  if (wm_json_parse(json, &arena, &value, reading.error)) {
    if (reading.error->code == WM_E_JSON_INVALID)
      reading.error->code = WM_E_REGISTER_INVALID;
    goto out;
  }
  if (read_register(&reading, &value, &borrowing))
    goto out;
  borrowing.arena.used = json.size; /* about what the clone will need, so that it gets one chunk of that size */
  user = wm_user_clone(&borrowing);
  if (!user)
    wm_error_memory(reading.error);
out:
  wm_arena_release(&arena);
  return user;
}
