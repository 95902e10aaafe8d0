/* The passes over Redis and over the log. */
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "tools/lib/progress.h"
#include "tools/lib/say.h"
#include "tools/verify/verify.h"
#include "worker/clock.h"
#include "worker/kafka.h"

#define ROUNDS 4 /* over the log, for those who differ */
#define ROUND_PAUSE_US 1000000

/* --- Redis --- */

static int32_t home_of(const struct verify *verify, struct wm_text user) {
  const struct settings *settings = &verify->loaded->settings;
  return kafka_home(settings->kafka.partitioner, user, settings->kafka.partitions);
}

static bool is_wanted(const struct verify *verify, int32_t partition) {
  return verify->partition == CLIENT_ALL_PARTITIONS || partition == verify->partition;
}

static int keep_fault(struct verify *verify, struct wm_text key, const char *fault) {
  struct wm_buf shown = WM_BUF_INIT;
  verify->faults++;
  say_safe(&shown, key);
  struct verify_report report = {.hash = wm_hash(key) ^ 1,
                                 .drifts = VERIFY_UNREADABLE,
                                 .id = shown.bytes ? shown.bytes : "",
                                 .log_at = SLOT_NONE,
                                 .cache_at = SLOT_NONE,
                                 .fault = fault};
  int result = shown.failed ? -1 : verify_report(verify, &report);
  wm_buf_release(&shown);
  return result < 0 ? say_memory() : EXIT_FINE;
}

static void note_cache(const struct registers_entry *entry, struct wm_buf *scratch, struct verify_slot *slot) {
  const struct cache_user *user = &entry->user;
  struct wm_text json = user->json.bytes ? user->json : WM_TEXT("");
  bool there = user->json.bytes || user->role_count > 0;
  int64_t at = !there ? SLOT_NONE : user->json.bytes && user->at >= 0 ? user->at : SLOT_STRAY;
  int64_t end_s = entry->end_us / 1000000;
  slot->moving = slot->cache_at != at;
  slot->cache_at = at;
  slot->cache_state = there ? verify_state(json, user->roles, user->role_count, scratch) : 0;
  slot->end_s = end_s < 0 ? 0 : end_s < SLOT_NO_END ? (uint32_t)end_s : SLOT_NO_END;
  slot->seen = there;
}

struct cache_pass {
  struct verify *verify;
  struct wm_buf scratch;
  struct progress progress;
  size_t users;
};

static int take_entry(void *taker, const struct registers_entry *entry) {
  struct cache_pass *pass = taker;
  struct verify *verify = pass->verify;
  progress_set(&pass->progress, ++pass->users);
  if (entry->fault)
    return keep_fault(verify, entry->user.id, entry->fault);
  int32_t home = home_of(verify, entry->user.id);
  if (!is_wanted(verify, home))
    return EXIT_FINE;
  struct verify_slot *slot = verify_slots_at(&verify->slots, wm_hash(entry->user.id));
  if (!slot)
    return say_memory();
  slot->partition = (uint16_t)home;
  note_cache(entry, &pass->scratch, slot);
  return pass->scratch.failed ? say_memory() : EXIT_FINE;
}

static int read_one(struct verify *verify, registers_fn *take, void *taker) {
  struct wm_error error = {0};
  struct registers_entry entry;
  if (registers_look(verify->registers, verify->user, &entry, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  return entry.fault || entry.user.json.bytes || entry.user.role_count > 0 ? take(taker, &entry) : EXIT_FINE;
}

static int each_in_cache(struct verify *verify, registers_fn *take, void *taker) {
  struct wm_error error = {0};
  if (verify->user.bytes)
    return read_one(verify, take, taker);
  int said = registers_each(verify->registers, take, taker, &error);
  return said < 0 ? say_error(EXIT_OUTSIDE, &error) : said;
}

int verify_read_cache(struct verify *verify) {
  struct cache_pass pass = {.verify = verify};
  progress_begin(&pass.progress, "users in Redis", 0);
  int exit_code = each_in_cache(verify, take_entry, &pass);
  progress_end(&pass.progress);
  wm_buf_release(&pass.scratch);
  return exit_code;
}

/* --- the log --- */

typedef int record_fn(struct verify *verify, const struct wm_record *record);

/* The first record of a partition is its birth, no register. */
static bool is_about(const struct verify *verify, const struct wm_record *record) {
  if (record->key.size > 0 && record->key.bytes[0] == '\0')
    return false;
  return !verify->user.bytes || wm_text_equal(verify->user, record->key);
}

static int each_in_log(struct verify *verify, const char *what, record_fn *take) {
  const struct settings *settings = &verify->loaded->settings;
  const struct client_reading reading = {.topic = settings->topics.users,
                                         .partition =
                                             verify->user.bytes ? home_of(verify, verify->user) : verify->partition,
                                         .from_ms = CLIENT_BEGINNING};
  struct wm_error error = {0};
  struct wm_record record;
  struct progress progress;
  size_t records = 0;
  int exit_code = EXIT_FINE, got = client_read(verify->client, &reading, &error) < 0 ? -1 : 1;
  progress_begin(&progress, what, 0);
  while (got > 0 && exit_code == EXIT_FINE) {
    got = client_read_next(verify->client, &record, &error);
    verify->now_us = system_clock.wall_us(system_clock.self);
    wm_arena_rewind(&verify->arena);
    if (got > 0 && is_about(verify, &record))
      exit_code = take(verify, &record);
    progress_set(&progress, ++records);
  }
  progress_end(&progress);
  return got < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

static struct wm_text key_of(const struct wm_record *record) {
  return record->key.bytes ? record->key : WM_TEXT("");
}

/* Only the state of the register is asked for: what Redis has is known by its hash. */
static int take_record(struct verify *verify, const struct wm_record *record) {
  struct verify_slot *slot = verify_slots_at(&verify->slots, wm_hash(key_of(record)));
  if (!slot)
    return say_memory();
  int64_t end_us = slot->end_s == SLOT_NO_END ? INT64_MAX : (int64_t)slot->end_s * 1000000;
  struct registers_entry entry = {.end_us = end_us};
  struct verify_pair pair = {.record = record, .entry = &entry};
  if (verify_compare(verify, &pair) < 0)
    return say_memory();
  slot->partition = (uint16_t)record->partition;
  slot->log_at = record->offset;
  slot->log_state = pair.log_state;
  slot->late = pair.drifts & VERIFY_END;
  slot->drifts = pair.drifts & VERIFY_UNREADABLE;
  return EXIT_FINE;
}

int verify_read_log(struct verify *verify) {
  return each_in_log(verify, "registers in the log", take_record);
}

/* --- those who differ --- */

static int report_of(struct verify *verify, const struct verify_pair *pair, const struct verify_slot *slot) {
  struct verify_report report = {.hash = slot->hash,
                                 .drifts = slot->drifts,
                                 .log_at = slot->log_at,
                                 .cache_at = slot->cache_at < 0 ? SLOT_NONE : slot->cache_at,
                                 .fault = "the record in the log is no register of this user"};
  struct wm_buf shown = WM_BUF_INIT;
  say_safe(&shown, pair->record ? key_of(pair->record) : pair->entry->user.id);
  report.id = shown.bytes ? shown.bytes : "";
  report.extra = (char *)(uintptr_t)pair->extra.bytes; /* NUL-terminated, and copied */
  report.absent = (char *)(uintptr_t)pair->absent.bytes;
  int result = shown.failed ? -1 : verify_report(verify, &report);
  wm_buf_release(&shown);
  return result < 0 ? say_memory() : EXIT_FINE;
}

static int look_again(struct verify *verify, const struct wm_record *record) {
  struct verify_slot *slot = verify_slots_at(&verify->slots, wm_hash(key_of(record)));
  struct wm_error error = {0};
  struct registers_entry entry;
  if (!slot)
    return say_memory();
  if (verify_slot_agrees(slot) || record->offset < slot->log_at)
    return EXIT_FINE;
  if (registers_look(verify->registers, key_of(record), &entry, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  struct verify_pair pair = {.record = record, .entry = &entry};
  struct wm_buf scratch = WM_BUF_INIT;
  if (verify_compare(verify, &pair) < 0)
    return say_memory();
  bool moved = slot->log_at != record->offset;
  slot->partition = (uint16_t)record->partition;
  slot->log_at = record->offset;
  slot->log_state = pair.log_state;
  slot->late = pair.drifts & VERIFY_END;
  slot->drifts = (uint8_t)pair.drifts;
  note_cache(&entry, &scratch, slot);
  slot->moving = slot->moving || moved;
  wm_buf_release(&scratch);
  return report_of(verify, &pair, slot);
}

/* Of whom the log has nothing: what Redis has of them now. */
static int name_unbacked(void *taker, const struct registers_entry *entry) {
  struct verify *verify = ((struct cache_pass *)taker)->verify;
  struct verify_slot *slot = entry->fault ? NULL : verify_slots_find(&verify->slots, wm_hash(entry->user.id));
  if (!slot || slot->log_at != SLOT_NONE)
    return EXIT_FINE;
  note_cache(entry, &((struct cache_pass *)taker)->scratch, slot);
  slot->moving = false;
  slot->drifts = VERIFY_UNBACKED;
  wm_arena_rewind(&verify->arena);
  struct verify_pair pair = {.entry = entry};
  struct wm_buf roles = WM_BUF_INIT;
  for (size_t i = 0; i < entry->user.role_count && i < 100; i++) {
    wm_buf_add_string(&roles, i ? ", " : "");
    wm_buf_add_text(&roles, entry->user.roles[i]);
  }
  int failed = roles.size && wm_arena_text(&verify->arena, (struct wm_text){roles.bytes, roles.size}, &pair.extra) < 0;
  wm_buf_release(&roles);
  return failed ? say_memory() : report_of(verify, &pair, slot);
}

static void count_rest(const struct verify *verify, size_t *ret_suspects, size_t *ret_moving, size_t *ret_unbacked) {
  size_t at = 0;
  const struct verify_slot *slot;
  *ret_suspects = *ret_moving = *ret_unbacked = 0;
  while ((slot = verify_slots_next(&verify->slots, &at))) {
    bool suspect = !verify_slot_agrees(slot);
    *ret_suspects += suspect;
    *ret_moving += suspect && slot->moving;
    *ret_unbacked += slot->log_at == SLOT_NONE && slot->cache_at != SLOT_NONE;
  }
}

/* Those of whom Redis has nothing any more either are gone. */
static int look_for_unbacked(struct verify *verify) {
  struct cache_pass pass = {.verify = verify};
  struct verify_slot *slot;
  size_t at = 0;
  while ((slot = verify_slots_next(&verify->slots, &at)))
    slot->seen = slot->log_at != SLOT_NONE;
  int exit_code = each_in_cache(verify, name_unbacked, &pass);
  for (at = 0; exit_code == EXIT_FINE && (slot = verify_slots_next(&verify->slots, &at));)
    if (!slot->seen) {
      slot->cache_at = SLOT_NONE;
      slot->cache_state = 0;
      slot->drifts = 0;
    }
  wm_buf_release(&pass.scratch);
  return exit_code;
}

/* A difference is drift when it is still there a second later; of those who move on meanwhile nothing can be said but
 * that they do, so they get a few rounds. */
int verify_settle(struct verify *verify) {
  size_t suspects, moving, unbacked;
  int exit_code = EXIT_FINE;
  for (int round = 0; exit_code == EXIT_FINE && round < ROUNDS; round++) {
    count_rest(verify, &suspects, &moving, &unbacked);
    if (suspects == 0 || (round >= 2 && moving == 0))
      break;
    if (round > 0)
      usleep(ROUND_PAUSE_US);
    exit_code = each_in_log(verify, "looking again", look_again);
  }
  count_rest(verify, &suspects, &moving, &unbacked);
  return exit_code == EXIT_FINE && unbacked > 0 ? look_for_unbacked(verify) : exit_code;
}
