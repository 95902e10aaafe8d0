/* Sending requests and waiting for what comes of them. The outcomes are followed from their end before anything is
 * sent, so no answer is missed; a piece is sent, then the answers that are there are taken, so that neither side waits
 * for the other. What can go wrong: Kafka is away (said, 3), a request is rejected (a record of topics.failures in
 * place of an outcome), or nobody decides in time (said, 3: the requests stay in the log). */
#include <stdlib.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "core/moment.h"
#include "tools/events.h"
#include "tools/request.h"
#include "tools/say.h"
#include "tools/send.h"
#include "worker/client.h"
#include "worker/clock.h"

enum { PIECE = 1000, SEND_TIMEOUT_MS = 15000, LOOK_MS = 100 };

struct talk {
  struct requests *requests;
  const struct request_waiting *waiting;
  request_told_fn *tell;
  void *taker;
  struct client *outcomes; /* sends, and follows the outcomes */
  struct client *failures;
  struct wm_arena arena; /* of one piece or one record */
  size_t answered;
  int64_t last_us; /* the last answer, monotonic */
  bool progress;   /* a line is on the terminal */
};

static int64_t monotonic_us(void) {
  return system_clock.monotonic_us(system_clock.self);
}

static void show_progress(struct talk *talk, bool always) {
  size_t count = talk->requests->count;
  if (count < 100 || !isatty(STDERR_FILENO) || (!always && talk->answered % 97 != 0))
    return;
  fprintf(stderr, "\r%zu of %zu %s\033[K", talk->answered, count, talk->waiting->what);
  talk->progress = true;
}

static void end_progress(struct talk *talk) {
  if (talk->progress)
    fputs("\r\033[K", stderr);
  talk->progress = false;
}

/* --- answers --- */

static void answer(struct talk *talk, const struct request_told *told, enum request_answer kind) {
  struct request *request = &talk->requests->items[told->index];
  bool first = request->answer == REQUEST_WAITING;
  if (!first && !told->receiver)
    return;
  request->answer = kind;
  talk->answered += first;
  talk->last_us = monotonic_us();
  end_progress(talk);
  talk->tell(talk->taker, told);
  show_progress(talk, false);
}

static const struct wm_value *get(const struct wm_value *value, const char *name) {
  return wm_value_member(value, wm_text_of(name));
}

static bool find(const struct talk *talk, const struct wm_value *data, size_t *ret_index) {
  const struct wm_value *event = get(data, "event");
  return requests_find(talk->requests, wm_value_text(get(event, "source")), wm_value_text(get(event, "id")), ret_index);
}

static void take_outcome(struct talk *talk, const struct wm_value *data) {
  struct request_told told = {0};
  const struct wm_value *tasks = get(data, "tasks");
  if (!tasks || tasks->type != WM_LIST || tasks->list.count == 0 || !find(talk, data, &told.index))
    return;
  told.task = &tasks->list.items[0];
  answer(talk, &told, REQUEST_ANSWERED);
}

/* Failed tasks stand there too; their outcome says the same. */
static void take_failure(struct talk *talk, const struct wm_value *data) {
  struct request_told told = {.rejection = data};
  if (!get(data, "task") && find(talk, data, &told.index))
    answer(talk, &told, REQUEST_REJECTED);
}

typedef void take_fn(struct talk *talk, const struct wm_value *data);

/* One record, if there is one within 'timeout_ms'; most are of others, which a look at the bytes tells. */
static int look(struct talk *talk, struct client *client, int timeout_ms, take_fn *take, bool *ret_any) {
  struct wm_record record;
  struct wm_error error = {0};
  int got = client_next(client, timeout_ms, &record, &error);
  *ret_any = got > 0;
  if (got < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (got == 0 || !wm_text_contains(record.value, wm_text_of(talk->requests->batch)))
    return EXIT_FINE;
  struct wm_value value;
  wm_arena_rewind(&talk->arena);
  if (wm_json_parse(record.value, &talk->arena, &value, &error) == 0 && get(&value, "data"))
    take(talk, get(&value, "data"));
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
  end_progress(talk);
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
  end_progress(talk);
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
    end_progress(talk);
    say(EXIT_OUTSIDE, "%zu of %zu requests were sent", from + sent, talk->requests->count);
    exit_code = say_error(EXIT_OUTSIDE, &error);
  }
  if (exit_code == EXIT_FINE)
    talk->requests->sent = from + count;
  free(records);
  return exit_code;
}

static int send_all(struct talk *talk) {
  int exit_code = EXIT_FINE;
  size_t count = talk->requests->count;
  for (size_t from = 0; from < count && exit_code == EXIT_FINE; from += PIECE) {
    exit_code = send_piece(talk, from, count - from < PIECE ? count - from : PIECE);
    if (exit_code == EXIT_FINE && talk->waiting->wait)
      exit_code = look_around(talk, 0);
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
  requests->time_us = system_clock.wall_us(system_clock.self);
  int exit_code = follow(&talk);
  if (exit_code == EXIT_FINE)
    exit_code = send_all(&talk);
  if (exit_code == EXIT_FINE && waiting->wait)
    exit_code = wait_for_rest(&talk);
  client_close(talk.failures);
  client_close(talk.outcomes);
  wm_arena_release(&talk.arena);
  return exit_code;
}
