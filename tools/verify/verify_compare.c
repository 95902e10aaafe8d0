/* One register of the log against what Redis has of the user; and what is told of those who differ. */
#include <stdlib.h>
#include <string.h>

#include "core/codec/register.h"
#include "core/hash.h"
#include "core/project.h"
#include "tools/verify/verify.h"

#define ROLES_TOLD 2000 /* bytes of role names in a report */

uint64_t verify_state(struct wm_text json, const struct wm_text *roles, size_t count, struct wm_buf *scratch) {
  wm_buf_clear(scratch);
  for (size_t i = 0; i < count; i++) {
    wm_buf_add_text(scratch, roles[i]);
    wm_buf_add_char(scratch, '\0');
  }
  return wm_hash_pair(json, (struct wm_text){scratch->size ? scratch->bytes : "", scratch->size});
}

/* Both lists are sorted: who is in 'a' alone, joined. */
static int only_in(const struct wm_text *a, size_t a_count, const struct wm_text *b, size_t b_count,
                   struct wm_arena *arena, struct wm_text *ret) {
  struct wm_buf buf = WM_BUF_INIT;
  size_t j = 0;
  *ret = WM_NO_TEXT;
  for (size_t i = 0; i < a_count; i++) {
    while (j < b_count && wm_text_compare(b[j], a[i]) < 0)
      j++;
    if ((j < b_count && wm_text_equal(a[i], b[j])) || buf.size > ROLES_TOLD)
      continue;
    wm_buf_add_string(&buf, buf.size ? ", " : "");
    wm_buf_add_text(&buf, buf.size > ROLES_TOLD ? WM_TEXT("...") : a[i]);
  }
  int failed = buf.failed || (buf.size && wm_arena_text(arena, (struct wm_text){buf.bytes, buf.size}, ret) < 0);
  wm_buf_release(&buf);
  return failed ? -1 : 0;
}

static unsigned offsets_drift(const struct verify_pair *pair) {
  const struct cache_user *user = &pair->entry->user;
  if (!user->json.bytes)
    return VERIFY_MISSING;
  if (user->at != pair->record->offset)
    return user->at < pair->record->offset ? VERIFY_OLDER : VERIFY_NEWER;
  return wm_text_equal(user->json, pair->record->value) ? 0 : VERIFY_REGISTER;
}

static int compare_roles(struct verify *verify, const struct wm_user *user, struct verify_pair *pair) {
  struct wm_role_set set;
  struct wm_buf scratch = WM_BUF_INIT;
  const struct cache_user *held = &pair->entry->user;
  if (wm_project(verify->loaded->workspace, user, verify->now_us, &verify->arena, &set) < 0)
    return -1;
  struct wm_text *roles = WM_ARENA_ARRAY(&verify->arena, struct wm_text, set.count + 1);
  if (!roles)
    return -1;
  for (size_t i = 0; i < set.count; i++)
    roles[i] = set.roles[i]->name;
  pair->log_state = verify_state(pair->record->value, roles, set.count, &scratch);
  bool failed = scratch.failed;
  wm_buf_release(&scratch);
  if (failed || only_in(held->roles, held->role_count, roles, set.count, &verify->arena, &pair->extra) < 0 ||
      only_in(roles, set.count, held->roles, held->role_count, &verify->arena, &pair->absent) < 0)
    return -1;
  if (pair->extra.bytes || pair->absent.bytes)
    pair->drifts |= VERIFY_ROLES;
  return 0;
}

int verify_compare(struct verify *verify, struct verify_pair *pair) {
  struct wm_error error = {0};
  struct wm_user *user = pair->record->value.bytes ? wm_register_decode(pair->record->value, &error) : NULL;
  pair->drifts = 0;
  pair->log_state = 0;
  pair->extra = pair->absent = WM_NO_TEXT;
  if (!user && error.code == WM_E_OUT_OF_MEMORY)
    return -1;
  if (!user || !wm_text_equal(user->id, pair->record->key)) {
    pair->drifts = VERIFY_UNREADABLE;
    wm_user_free(user);
    return 0;
  }
  pair->drifts = offsets_drift(pair);
  int64_t end_us = wm_project_next_turn(verify->loaded->workspace, user, verify->now_us);
  if (end_us != WM_NEVER && pair->entry->end_us > end_us)
    pair->drifts |= VERIFY_END;
  int result = compare_roles(verify, user, pair);
  wm_user_free(user);
  return result;
}

/* --- what is told --- */

static void release(struct verify_report *report) {
  free(report->id);
  free(report->extra);
  free(report->absent);
}

static struct verify_report *find(const struct verify *verify, uint64_t hash) {
  for (size_t i = 0; i < verify->report_count; i++)
    if (verify->reports[i].hash == hash)
      return &verify->reports[i];
  return NULL;
}

static int copy(const char *text, char **ret) {
  *ret = text ? strdup(text) : NULL;
  return text && !*ret ? -1 : 0;
}

int verify_report(struct verify *verify, const struct verify_report *report) {
  struct verify_report *kept = find(verify, report->hash), own = *report;
  if (report->drifts == 0 || (!kept && verify->report_count >= verify->limit)) {
    if (kept) {
      release(kept);
      *kept = verify->reports[--verify->report_count];
    }
    return 0;
  }
  if (copy(report->id, &own.id) | copy(report->extra, &own.extra) | copy(report->absent, &own.absent)) {
    release(&own);
    return -1;
  }
  if (kept)
    release(kept);
  else
    kept = &verify->reports[verify->report_count++];
  *kept = own;
  return 0;
}

void verify_reports_release(struct verify *verify) {
  for (size_t i = 0; i < verify->report_count; i++)
    release(&verify->reports[i]);
  free(verify->reports);
  verify->reports = NULL;
  verify->report_count = 0;
}
