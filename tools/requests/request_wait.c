/* Sending requests and waiting for what comes of them. The outcomes are followed from their end before anything is
 * sent, so no answer is missed; a piece is sent, then the answers that are there are taken, so that neither side waits
 * for the other. A delegation has two answers: the giver's worker approves and sends a request on, whose id is
 * 'delegation:' and the place of ours, and the receiver's decides that. The second may be read before the first, since
 * they stand in two partitions; so what may be it is kept. What can go wrong: Kafka is away (said, 3), a request is
 * rejected (a record of topics.failures in place of an outcome), or nobody decides in time (said, 3: the requests stay
 * in the log). */
#include <stdlib.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "core/moment.h"
#include "tools/lib/events.h"
#include "tools/lib/progress.h"
#include "tools/lib/say.h"
#include "tools/lib/send.h"
#include "tools/requests/request.h"
#include "worker/client.h"
#include "worker/clock.h"

enum { PIECE = 1000, SEND_TIMEOUT_MS = 15000, LOOK_MS = 100, EARLY_LIMIT = 64 };

#define APPROVED_SOURCE "/waymark"
#define APPROVED_ID "delegation:"

/* The request that a giver's worker sent on for ours; only one delegation is under way. */
struct approval {
  struct wm_buf id;                  /* empty: not approved yet */
  struct wm_text early[EARLY_LIMIT]; /* records of the receiver that came before the approval */
  size_t early_count;
  struct wm_arena arena; /* of them */
};

struct talk {
  struct requests *requests;
  const struct request_waiting *waiting;
  request_told_fn *tell;
  void *taker;
  struct client *outcomes; /* sends, and follows the outcomes */
  struct client *failures;
  struct wm_arena arena; /* of one piece or one record */
  struct approval approval;
  size_t answered;
  int64_t last_us; /* the last answer, monotonic */
  struct progress progress;
};

static int64_t monotonic_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

/* --- answers --- */

static void answer(struct talk *talk, const struct request_told *told) {
  struct request *request = &talk->requests->items[told->index];
  if (request->answer != REQUEST_WAITING)
    return;
  request->answer = told->rejection ? REQUEST_REJECTED : REQUEST_ANSWERED;
  talk->answered++;
  talk->last_us = monotonic_us();
  progress_end(&talk->progress);
  talk->tell(talk->taker, told);
  progress_set(&talk->progress, talk->answered);
}

static const struct wm_value *get(const struct wm_value *value, const char *name) {
  return wm_value_member(value, wm_text_of(name));
}

static bool find(const struct talk *talk, const struct wm_value *data, size_t *ret_index) {
  const struct wm_value *event = get(data, "event");
  return requests_find(talk->requests, wm_value_text(get(event, "source")), wm_value_text(get(event, "id")), ret_index);
}

/* The member of 'tasks' that says it; NULL: there is none. */
static const struct wm_value *task_of(const struct wm_value *data) {
  const struct wm_value *tasks = get(data, "tasks");
  return tasks && tasks->type == WM_LIST && tasks->list.count > 0 ? &tasks->list.items[0] : NULL;
}

/* --- the receiver's answer --- */

/* What the giver's worker called the request that it sent on: by where ours stood. */
static void approve(struct talk *talk, const struct wm_value *data) {
  const struct wm_value *origin = get(data, "origin"), *partition = get(origin, "partition"),
                        *offset = get(origin, "offset");
  if (!partition || !offset || partition->type != WM_INTEGER || offset->type != WM_INTEGER)
    return;
  wm_buf_printf(&talk->approval.id, APPROVED_ID "%.*s/%lld/%lld", WM_TEXT_ARG(wm_value_text(get(origin, "topic"))),
                (long long)partition->integer, (long long)offset->integer);
  talk->last_us = monotonic_us();
}

/* Might the record be about a request that was sent on for ours? */
static bool is_sent_on(const struct talk *talk, const struct wm_value *data) {
  const struct wm_value *event = get(data, "event");
  return talk->requests->items[0].terms->kind == REQUEST_DELEGATE &&
         wm_text_is(wm_value_text(get(event, "source")), APPROVED_SOURCE) &&
         wm_text_starts_with(wm_value_text(get(event, "id")), WM_TEXT(APPROVED_ID));
}

static void take_sent_on(struct talk *talk, const struct wm_value *data) {
  struct wm_text id = wm_value_text(get(get(data, "event"), "id"));
  struct request_told told = {.receiver = task_of(data)};
  if (talk->approval.id.size == 0 ||
      !wm_text_equal(id, (struct wm_text){talk->approval.id.bytes, talk->approval.id.size}))
    return;
  if (!told.receiver && get(data, "task"))
    return; /* the failure of a task: its outcome says the same */
  if (!told.receiver)
    told.rejection = data;
  answer(talk, &told);
}

/* Keeps a record for the time when the approval is known. */
static void keep_early(struct talk *talk, struct wm_text record) {
  struct approval *approval = &talk->approval;
  if (approval->early_count < EARLY_LIMIT &&
      wm_arena_text(&approval->arena, record, &approval->early[approval->early_count]) == 0)
    approval->early_count++;
}

/* --- one record --- */

static void take_outcome(struct talk *talk, const struct wm_value *data) {
  struct request_told told = {.task = task_of(data)};
  if (!told.task || !find(talk, data, &told.index))
    return;
  if (wm_text_is(wm_value_text(get(told.task, "result")), "requested"))
    approve(talk, data);
  else
    answer(talk, &told);
}

/* Failed tasks stand there too; their outcome says the same. */
static void take_failure(struct talk *talk, const struct wm_value *data) {
  struct request_told told = {.rejection = data};
  if (!get(data, "task") && find(talk, data, &told.index))
    answer(talk, &told);
}

typedef void take_fn(struct talk *talk, const struct wm_value *data);

/* Most records are of others, which a look at the bytes tells. */
static bool may_be_ours(const struct talk *talk, struct wm_text record) {
  return wm_text_contains(record, wm_text_of(talk->requests->batch)) ||
         (talk->requests->items[0].terms->kind == REQUEST_DELEGATE &&
          wm_text_contains(record, WM_TEXT("\"" APPROVED_ID)));
}

static void take_record(struct talk *talk, struct wm_text record, take_fn *take) {
  struct wm_value value;
  struct wm_error error;
  wm_arena_rewind(&talk->arena);
  if (wm_json_parse(record, &talk->arena, &value, &error) < 0)
    return;
  const struct wm_value *data = get(&value, "data");
  if (!data)
    return;
  if (!is_sent_on(talk, data))
    take(talk, data);
  else if (talk->approval.id.size > 0)
    take_sent_on(talk, data);
  else
    keep_early(talk, record);
}

static void take_early(struct talk *talk) {
  size_t count = talk->approval.early_count;
  talk->approval.early_count = 0;
  for (size_t i = 0; i < count; i++)
    take_record(talk, talk->approval.early[i], take_outcome);
}

/* One record, if there is one within 'timeout_ms'. */
static int look(struct talk *talk, struct client *client, int timeout_ms, take_fn *take, bool *ret_any) {
  struct wm_record record;
  struct wm_error error = {0};
  int got = client_next(client, timeout_ms, &record, &error);
  *ret_any = got > 0;
  if (got < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (got > 0 && may_be_ours(talk, record.value))
    take_record(talk, record.value, take);
  if (talk->approval.id.size > 0 && talk->approval.early_count > 0)
    take_early(talk);
  return EXIT_FINE;
}

/* All that is there, and if nothing is, what comes within 'timeout_ms'. */
static int look_around(struct talk *talk, int timeout_ms) {
  bool any = true;
  int exit_code = EXIT_FINE;
  for (bool first = true; any && exit_code == EXIT_FINE; first = false)
    exit_code = look(talk, talk->outcomes, first ? timeout_ms : 0, take_outcome, &any);
  for (any = true; any && exit_code == EXIT_FINE;)
    exit_code = look(talk, talk->failures, 0, take_failure, &any);
  return exit_code;
}

static int missing(struct talk *talk) {
  size_t left = talk->requests->count - talk->answered;
  progress_end(&talk->progress);
  if (talk->approval.id.size > 0)
    return say(EXIT_OUTSIDE,
               "the giver's worker has approved and sent the request on, it will be decided; but no worker of the "
               "receiver has answered within %lld s",
               (long long)(talk->waiting->timeout_us / WM_SECOND_US));
  if (talk->requests->count == 1)
    return say(EXIT_OUTSIDE,
               "the request is in the log and will be decided, but no worker has answered within %lld s: is one at "
               "work on this partition? (its log and its metrics tell)",
               (long long)(talk->waiting->timeout_us / WM_SECOND_US));
  return say(EXIT_OUTSIDE,
             "%zu of %zu requests are in the log and will be decided, but no worker has answered for %lld s: is one at "
             "work on every partition?",
             left, talk->requests->count, (long long)(talk->waiting->timeout_us / WM_SECOND_US));
}

static int wait_for_rest(struct talk *talk) {
  int exit_code = EXIT_FINE;
  talk->last_us = monotonic_us();
  while (exit_code == EXIT_FINE && talk->answered < talk->requests->count) {
    if (monotonic_us() - talk->last_us > talk->waiting->timeout_us)
      return missing(talk);
    exit_code = look_around(talk, LOOK_MS);
  }
  progress_end(&talk->progress);
  return exit_code;
}

/* --- sending --- */

/* A worker would refuse what does not pass here, for the same reason. */
static int make_record(struct talk *talk, size_t index, struct wm_record *ret) {
  struct wm_decode_rules rules = events_rules_now(talk->requests->settings);
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_text text;
  struct decoded decoded;
  request_to_json(talk->requests, index, &buf);
  bool made = !buf.failed && wm_arena_text(&talk->arena, (struct wm_text){buf.bytes, buf.size}, &text) == 0 &&
              events_decode(text, 0, &rules, &talk->arena, &decoded) == 0;
  wm_buf_release(&buf);
  if (!made)
    return say_memory();
  if (decoded.what != WM_DECODED_EVENT)
    return say(EXIT_BAD_NEWS, "the request for '%.*s' would be rejected: %.*s [%s]",
               WM_TEXT_ARG(talk->requests->items[index].user), WM_TEXT_ARG(decoded.rejection.message),
               wm_code_name(decoded.rejection.code));
  send_record(talk->requests->settings, &decoded.event, text, NULL, ret);
  return EXIT_FINE;
}

static int send_piece(struct talk *talk, size_t from, size_t count) {
  struct wm_record *records = calloc(count, sizeof *records);
  struct wm_error error = {0};
  size_t sent = 0;
  int exit_code = records ? EXIT_FINE : say_memory();
  wm_arena_rewind(&talk->arena);
  for (size_t i = 0; i < count && exit_code == EXIT_FINE; i++)
    exit_code = make_record(talk, from + i, &records[i]);
  if (exit_code == EXIT_FINE && client_send(talk->outcomes, records, count, SEND_TIMEOUT_MS, &sent, &error) < 0) {
    progress_end(&talk->progress);
    say(EXIT_OUTSIDE, "%zu of %zu requests were sent", from + sent, talk->requests->count);
    exit_code = say_error(EXIT_OUTSIDE, &error);
  }
  if (exit_code == EXIT_FINE)
    talk->requests->sent = from + count;
  free(records);
  return exit_code;
}

static size_t piece_of(const struct talk *talk) {
  double rate = talk->waiting->rate;
  size_t piece = rate > 0 && rate < 4 * PIECE ? (size_t)(rate / 4) + 1 : PIECE;
  return piece < PIECE ? piece : PIECE;
}

/* Rests, or takes answers, until so many may have been sent since 'began_us'. */
static int keep_pace(struct talk *talk, size_t sent, int64_t began_us) {
  double rate = talk->waiting->rate;
  int64_t due_us = rate > 0 ? began_us + (int64_t)((double)sent / rate * 1e6) : 0;
  int exit_code = talk->waiting->wait ? look_around(talk, 0) : EXIT_FINE;
  while (exit_code == EXIT_FINE && monotonic_us() < due_us) {
    int64_t left_us = due_us - monotonic_us();
    int rest_ms = left_us > LOOK_MS * 1000 ? LOOK_MS : (int)(left_us / 1000) + 1;
    if (talk->waiting->wait)
      exit_code = look_around(talk, rest_ms);
    else
      usleep((useconds_t)rest_ms * 1000);
  }
  return exit_code;
}

static int send_all(struct talk *talk) {
  int exit_code = EXIT_FINE;
  int64_t began_us = monotonic_us();
  size_t count = talk->requests->count, piece = piece_of(talk);
  for (size_t from = 0; from < count && exit_code == EXIT_FINE; from += piece) {
    exit_code = send_piece(talk, from, count - from < piece ? count - from : piece);
    if (exit_code == EXIT_FINE)
      exit_code = keep_pace(talk, talk->requests->sent, began_us);
  }
  return exit_code;
}

static int follow(struct talk *talk) {
  const struct settings *settings = talk->requests->settings;
  struct wm_error error = {0};
  talk->outcomes = client_open(settings, &error);
  talk->failures = talk->outcomes ? client_open(settings, &error) : NULL;
  if (!talk->failures)
    return say_error(EXIT_BAD_NEWS, &error);
  if (talk->waiting->wait && (client_follow(talk->outcomes, settings->topics.outcomes, false, &error) < 0 ||
                              client_follow(talk->failures, settings->topics.failures, false, &error) < 0))
    return say_error(EXIT_OUTSIDE, &error);
  return EXIT_FINE;
}

int requests_run(struct requests *requests, const struct request_waiting *waiting, request_told_fn *tell, void *taker) {
  struct talk talk = {.requests = requests, .waiting = waiting, .tell = tell, .taker = taker};
  wm_arena_init(&talk.arena, 0);
  wm_arena_init(&talk.approval.arena, 0);
  progress_begin(&talk.progress, waiting->what, requests->count);
  requests->time_us = system_clock.wall_us(system_clock.self);
  int exit_code = follow(&talk);
  if (exit_code == EXIT_FINE)
    exit_code = send_all(&talk);
  if (exit_code == EXIT_FINE && waiting->wait)
    exit_code = wait_for_rest(&talk);
  client_close(talk.failures);
  client_close(talk.outcomes);
  wm_buf_release(&talk.approval.id);
  wm_arena_release(&talk.approval.arena);
  wm_arena_release(&talk.arena);
  return exit_code;
}
