/* waymark replay apply: copies of the events that a plan means, to topics.replay.
 *
 * Happy path: check that the plan still fits; claim the run's transactional id, so that no other process is at work for
 * it; read how far the run is; then, piece by piece, the copies and the new position in one transaction. A kill at any
 * moment leaves either a whole piece or nothing of it, and the position says which. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/lib/rate.h"
#include "tools/lib/say.h"
#include "tools/lib/ways.h"
#include "tools/replay/replay_watch.h"
#include "tools/requests/asker.h"
#include "tools/roles/roles_control.h"
#include "worker/clock.h"
#include "worker/sender.h"

enum { PIECE = 4000, PIECE_READ = 20000, PIECE_BYTES = 4 * 1024 * 1024, MARKS = 8, STALLED_US = 30 * 1000 * 1000 };

struct applying {
  const struct options *options;
  struct loaded loaded;
  struct replay_plan plan;
  struct ranges *ranges; /* NULL: a file is read */
  struct sender *sender;
  struct replay_runs runs;
  struct replay_run run;
  struct replay_watch watch;
  struct replay_records records;
  char name[64], transactional_id[400], by[ASKER_SIZE];
  double rate; /* 0: as fast as it goes */
  size_t max_changes;
  bool resumed, ended;
  struct wm_arena arena; /* of one piece */
  struct wm_record copies[PIECE + 1];
  size_t count, bytes, read;
};

/* --- what was asked for --- */

static int read_options(struct applying *applying) {
  const struct options *options = applying->options;
  const char *rate = options_value(options, "rate"), *name = options_value(options, "run");
  applying->rate = REPLAY_RATE;
  applying->max_changes = SIZE_MAX;
  if (asker_reason(options, "the run") != EXIT_FINE)
    return EXIT_USAGE;
  if (name && (!wm_text_is_name(wm_text_of(name)) || strcmp(name, "live") == 0))
    return say(EXIT_USAGE, "--run: '%s' is no name of a run ([a-z0-9][a-z0-9-]{0,62}, not 'live')", name);
  if (rate_read_limit("rate", rate, &applying->rate) != EXIT_FINE ||
      rate_read_count("max-changes", options_value(options, "max-changes"), &applying->max_changes) != EXIT_FINE)
    return EXIT_USAGE;
  return asker_read(options, applying->by);
}

/* --- does the plan still fit? --- */

static int check_rules(struct applying *applying) {
  const struct replay_plan *plan = &applying->plan;
  struct replay_plan now;
  replay_plan_init(&now);
  int exit_code = replay_know(&applying->loaded, &now);
  if (exit_code == EXIT_FINE && !wm_text_equal(plan->workspace, now.workspace))
    exit_code = say(EXIT_BAD_NEWS, "the workspace is another one than that of the plan (%.*s, now %.*s): plan again",
                    WM_TEXT_ARG(plan->workspace), WM_TEXT_ARG(now.workspace));
  else if (exit_code == EXIT_FINE && !wm_text_equal(plan->catalogue, now.catalogue))
    exit_code = say(EXIT_BAD_NEWS, "a role was archived or brought back since the plan was made: plan again");
  else if (exit_code == EXIT_FINE && !wm_text_equal(plan->running, now.running))
    exit_code = say(EXIT_BAD_NEWS, "an automation was switched on or off since the plan was made: plan again");
  replay_plan_release(&now);
  return exit_code;
}

static int check_input(const struct replay_plan *plan) {
  char digest[WM_DIGEST_SIZE];
  int exit_code = replay_file_digest(plan->input.bytes, digest);
  if (exit_code == EXIT_FINE && !wm_text_is(plan->input_digest, digest))
    return say(EXIT_BAD_NEWS, "'%.*s' is not what it was when the plan was made: plan again", WM_TEXT_ARG(plan->input));
  return exit_code;
}

/* Offsets mean nothing in a topic of the same name elsewhere. */
static int check_cluster(struct applying *applying) {
  const struct wm_text planned = applying->plan.cluster;
  struct wm_text now;
  if (ranges_cluster(applying->ranges, &applying->plan.arena, &now) < 0)
    return say_memory();
  if (!planned.bytes || !now.bytes || wm_text_equal(planned, now))
    return EXIT_FINE;
  return say(EXIT_BAD_NEWS, "the plan was made in another Kafka cluster (%.*s, this is %.*s): plan again",
             WM_TEXT_ARG(planned), WM_TEXT_ARG(now));
}

/* What is still to be read must be there. */
static int check_ranges(struct applying *applying) {
  const struct replay_plan *plan = &applying->plan;
  struct wm_error error = {0};
  struct range *list = NULL;
  size_t count = 0;
  int exit_code = ranges_ask(applying->ranges, plan->topic.bytes, RANGES_ALL, &list, &count, &error) < 0
                      ? say_error(EXIT_OUTSIDE, &error)
                      : check_cluster(applying);
  for (size_t i = 0; i < plan->range_count && exit_code == EXIT_FINE; i++) {
    const struct range *range = &plan->ranges[i].range;
    if (range->from >= range->to)
      continue;
    if ((size_t)range->partition >= count || range->to > list[range->partition].high)
      exit_code =
          say(EXIT_BAD_NEWS, "'%.*s' does not reach offset %lld of partition %d: it is not the topic of the plan",
              WM_TEXT_ARG(plan->topic), (long long)range->to, range->partition);
    else if (range->from < list[range->partition].low)
      exit_code = say(EXIT_BAD_NEWS,
                      "retention has deleted records of the plan: partition %d begins at %lld now, not at "
                      "%lld; plan again",
                      range->partition, (long long)list[range->partition].low, (long long)range->from);
  }
  free(list);
  return exit_code;
}

static int check_plan(struct applying *applying) {
  const struct replay_plan *plan = &applying->plan;
  enum wm_topic_kind kind;
  int exit_code = check_rules(applying);
  if (exit_code == EXIT_FINE)
    exit_code = replay_topic_kind(&applying->loaded.settings, plan->topic, &kind);
  if (exit_code == EXIT_FINE && plan->counts.changes > applying->max_changes)
    exit_code = say(EXIT_BAD_NEWS, "the plan counts %zu changes of effective roles, more than --max-changes",
                    plan->counts.changes);
  return exit_code == EXIT_FINE && plan->input.bytes ? check_input(plan) : exit_code;
}

/* --- the run --- */

static int check_run(struct applying *applying) {
  const struct replay_run *known = replay_runs_find(&applying->runs, wm_text_of(applying->name));
  const char *state = known ? replay_run_state(known) : NULL;
  if (!known)
    return EXIT_FINE;
  if (!known->begun || !wm_text_is(known->plan, applying->plan.digest))
    return say(EXIT_BAD_NEWS, "the name '%s' is taken by a replay of another plan: give this one another --run",
               applying->name);
  if (known->done || known->ask == ASK_CANCEL)
    return say(EXIT_BAD_NEWS,
               "the run '%s' is %s, and a name is never used twice: to send it all again, give another "
               "--run",
               applying->name, state);
  if (known->notify != options_has(applying->options, "notify"))
    return say(EXIT_BAD_NEWS, "the run '%s' began %s --notify and goes on only so", applying->name,
               known->notify ? "with" : "without");
  return EXIT_FINE;
}

static void begin_run(struct applying *applying) {
  struct replay_plan *plan = &applying->plan;
  struct replay_run *run = &applying->run;
  const struct replay_run *known = replay_runs_find(&applying->runs, wm_text_of(applying->name));
  applying->resumed = known && known->begun;
  if (applying->resumed) {
    *run = *known;
    return;
  }
  *run = (struct replay_run){.name = wm_text_of(applying->name),
                             .plan = wm_text_of(plan->digest),
                             .topic = plan->topic,
                             .by = wm_text_of(applying->by),
                             .reason = wm_text_of(options_value(applying->options, "reason")),
                             .notify = options_has(applying->options, "notify"),
                             .started_us = system_clock.wall_us(system_clock.self),
                             .planned = plan->counts.selected};
}

/* Where each range goes on; a file has one position, its line. */
static int set_positions(struct applying *applying) {
  struct replay_plan *plan = &applying->plan;
  struct replay_run *run = &applying->run;
  size_t wanted = plan->input.bytes ? 1 : plan->range_count;
  if (!applying->resumed) {
    run->position_count = wanted;
    run->positions = WM_ARENA_ARRAY(&plan->arena, struct replay_position, wanted + 1);
    if (!run->positions)
      return say_memory();
    for (size_t i = 0; i < plan->range_count; i++)
      run->positions[i] = (struct replay_position){plan->ranges[i].range.partition, plan->ranges[i].range.from};
  }
  if (run->position_count != wanted)
    return say(EXIT_BAD_NEWS, "what the control topic knows of the run '%s' does not fit the plan", applying->name);
  for (size_t i = 0; i < plan->range_count; i++) {
    if (run->positions[i].partition != plan->ranges[i].range.partition)
      return say(EXIT_BAD_NEWS, "what the control topic knows of the run '%s' does not fit the plan", applying->name);
    plan->ranges[i].range.from = run->positions[i].offset;
  }
  return EXIT_FINE;
}

/* --- copies --- */

static int add_mark(struct applying *applying, struct wm_record *copy, struct wm_header *headers, const char *name,
                    struct wm_text value) {
  struct wm_header *header = &headers[copy->header_count++];
  header->name = wm_text_of(name);
  return wm_arena_text(&applying->arena, value, &header->value);
}

static int add_number(struct applying *applying, struct wm_record *copy, struct wm_header *headers, const char *name,
                      int64_t number) {
  char digits[24];
  snprintf(digits, sizeof digits, "%lld", (long long)number);
  return add_mark(applying, copy, headers, name, wm_text_of(digits));
}

static int add_marks(struct applying *applying, const struct wm_record *from, struct wm_record *copy,
                     struct wm_header *headers) {
  struct wm_text automation = applying->plan.filter.automation;
  if (add_mark(applying, copy, headers, "wm-run", applying->run.name) ||
      add_mark(applying, copy, headers, "wm-origin-topic", from->topic) ||
      add_number(applying, copy, headers, "wm-origin-partition", from->partition) ||
      add_number(applying, copy, headers, "wm-origin-offset", from->offset) ||
      add_number(applying, copy, headers, "wm-origin-timestamp", from->timestamp_ms < 0 ? 0 : from->timestamp_ms) ||
      add_mark(applying, copy, headers, "wm-notify", applying->run.notify ? WM_TEXT("true") : WM_TEXT("false")))
    return -1;
  return automation.bytes ? add_mark(applying, copy, headers, "wm-automation", automation) : 0;
}

/* The original's key, value and headers, but none that is Waymark's to give. */
static int add_copy(struct applying *applying, const struct replay_record *record) {
  const struct wm_record *from = &record->record;
  struct wm_arena *arena = &applying->arena;
  struct wm_record *copy = &applying->copies[applying->count];
  struct wm_header *headers = WM_ARENA_ARRAY(arena, struct wm_header, from->header_count + MARKS);
  *copy = (struct wm_record){.topic = wm_text_of(applying->loaded.settings.topics.replay),
                             .partition = record->home,
                             .timestamp_ms = -1,
                             .headers = headers};
  for (size_t i = 0; headers && i < from->header_count; i++) {
    if (wm_text_starts_with(from->headers[i].name, WM_TEXT("wm-")))
      continue;
    struct wm_header *header = &headers[copy->header_count++];
    if (wm_arena_text(arena, from->headers[i].name, &header->name) < 0 ||
        wm_arena_text(arena, from->headers[i].value, &header->value) < 0)
      return say_memory();
  }
  if (!headers || add_marks(applying, from, copy, headers) < 0 || wm_arena_text(arena, from->key, &copy->key) < 0 ||
      wm_arena_text(arena, from->value, &copy->value) < 0)
    return say_memory();
  applying->count++;
  applying->bytes += from->value.size;
  return EXIT_FINE;
}

static void pass(struct applying *applying, const struct wm_record *record) {
  struct replay_run *run = &applying->run;
  bool file = applying->plan.input.bytes != NULL;
  for (size_t i = 0; i < run->position_count; i++)
    if (file || run->positions[i].partition == record->partition)
      run->positions[i].offset = record->offset + 1;
}

static size_t piece_of(const struct applying *applying) {
  double rate = applying->watch.rate;
  size_t piece = rate > 0 ? (size_t)(rate / 4) + 1 : PIECE;
  return piece < PIECE ? piece : PIECE;
}

/* Reads the next piece; a file is read from its beginning, and passed over up to where the run is. */
static int gather(struct applying *applying) {
  struct replay_record record;
  int exit_code = EXIT_FINE;
  size_t piece = piece_of(applying);
  applying->count = applying->bytes = applying->read = 0;
  wm_arena_rewind(&applying->arena);
  while (exit_code == EXIT_FINE && applying->count < piece && applying->bytes < PIECE_BYTES &&
         applying->read < PIECE_READ) {
    exit_code = replay_records_next(&applying->records, &applying->arena, &record, &applying->ended);
    if (exit_code != EXIT_FINE || applying->ended)
      break;
    applying->read++;
    bool passed = applying->plan.input.bytes && record.record.offset < applying->run.positions[0].offset;
    if (passed)
      continue;
    if (record.selected)
      exit_code = add_copy(applying, &record);
    pass(applying, &record.record);
  }
  return exit_code;
}

static int send_piece(struct applying *applying) {
  struct wm_error error = {0};
  struct replay_run *run = &applying->run;
  size_t before = run->sent;
  run->sent += applying->count;
  run->done = applying->ended;
  if (replay_run_record(&applying->loaded.settings, run, &applying->arena, &applying->copies[applying->count]) < 0)
    return say_memory();
  if (sender_send(applying->sender, applying->copies, applying->count + 1, &error) == 0)
    return EXIT_FINE;
  run->sent = before;
  replay_watch_clear(&applying->watch);
  if (error.code == WM_E_KAFKA_FENCED)
    return say(EXIT_BAD_NEWS, "another process has taken the run '%s' over and goes on with it", applying->name);
  say(0, "%zu of %zu were sent; the same command goes on there", run->sent, run->planned);
  return say_error(EXIT_OUTSIDE, &error);
}

/* --- the pace --- */

static volatile sig_atomic_t stopping;

static void on_stop(int number) {
  (void)number;
  stopping = 1;
}

/* Ctrl-C, a terminal that is closed and 'kill' end it between two pieces; once more, at once. */
static void catch_stops(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  const struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct sigaction before;
    if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup */
      sigaction(numbers[i], &action, NULL);
  }
}

/* Waits as long as somebody wants the run to rest. */
static int rest(struct applying *applying) {
  int exit_code = EXIT_FINE;
  if (applying->watch.ask == ASK_PAUSE) {
    replay_watch_clear(&applying->watch);
    say(0, "the run '%s' is paused: 'waymark replay resume %s' lets it go on", applying->name, applying->name);
  }
  while (exit_code == EXIT_FINE && applying->watch.ask == ASK_PAUSE && !stopping) {
    usleep(300 * 1000);
    exit_code = replay_watch_look(&applying->watch, &applying->run, true);
  }
  if (exit_code == EXIT_FINE && applying->watch.ask == ASK_CANCEL) {
    replay_watch_clear(&applying->watch);
    return say(EXIT_BAD_NEWS, "the run '%s' was cancelled after %zu of %zu; what was sent stays", applying->name,
               applying->run.sent, applying->run.planned);
  }
  return exit_code;
}

static int check_changes(struct applying *applying) {
  const struct replay_watch *watch = &applying->watch;
  if (watch->results[WM_RESULT_CHANGED] <= applying->max_changes)
    return EXIT_FINE;
  replay_watch_clear(&applying->watch);
  return say(EXIT_BAD_NEWS, "%zu tasks have changed roles, more than --max-changes; stopped after %zu of %zu",
             watch->results[WM_RESULT_CHANGED], applying->run.sent, applying->run.planned);
}

/* Until the next piece is due; looks around once a second meanwhile. */
static int keep_pace(struct applying *applying, int64_t began_us) {
  int exit_code = EXIT_FINE;
  int64_t left_us;
  do {
    double rate = applying->watch.rate;
    int64_t due_us = began_us + (rate > 0 ? (int64_t)((double)applying->count / rate * 1e6) : 0);
    left_us = due_us - system_clock.monotonic_us(system_clock.self);
    if (left_us > 0)
      usleep((useconds_t)(left_us < 900000 ? left_us : 900000));
    exit_code = replay_watch_look(&applying->watch, &applying->run, false);
    if (exit_code == EXIT_FINE)
      exit_code = check_changes(applying);
  } while (exit_code == EXIT_FINE && left_us > 900000 && applying->watch.ask < ASK_PAUSE && !stopping);
  return exit_code == EXIT_FINE ? rest(applying) : exit_code;
}

static int send_all(struct applying *applying) {
  catch_stops();
  int exit_code = rest(applying);
  while (exit_code == EXIT_FINE && !applying->ended && !stopping) {
    int64_t began_us = system_clock.monotonic_us(system_clock.self);
    exit_code = gather(applying);
    if (exit_code == EXIT_FINE)
      exit_code = send_piece(applying);
    if (exit_code == EXIT_FINE)
      exit_code = keep_pace(applying, began_us);
  }
  if (exit_code != EXIT_FINE || applying->ended)
    return exit_code;
  replay_watch_clear(&applying->watch);
  return say(EXIT_BAD_NEWS, "stopped: %zu of %zu were sent; the same command goes on there", applying->run.sent,
             applying->run.planned);
}

/* Until the workers have taken all of it up, or nothing moves any more. */
static int wait_taken(struct applying *applying) {
  int64_t moved_us = system_clock.monotonic_us(system_clock.self), last = INT64_MAX;
  int exit_code = replay_watch_look(&applying->watch, &applying->run, true);
  while (exit_code == EXIT_FINE && applying->watch.replay_lag > 0) {
    if (stopping) {
      replay_watch_clear(&applying->watch);
      return say(EXIT_BAD_NEWS, "all was sent; the workers take up what is left");
    }
    int64_t now_us = system_clock.monotonic_us(system_clock.self);
    if (applying->watch.replay_lag < last)
      moved_us = now_us;
    last = applying->watch.replay_lag;
    if (now_us - moved_us > STALLED_US) {
      replay_watch_clear(&applying->watch);
      say(0, "all was sent; no worker takes up what is left of it, they will when one runs");
      return EXIT_FINE;
    }
    usleep(200 * 1000);
    exit_code = replay_watch_look(&applying->watch, &applying->run, true);
  }
  return exit_code == EXIT_FINE ? replay_watch_finish(&applying->watch) : exit_code;
}

/* --- the end --- */

static void tell(const struct applying *applying) {
  const struct replay_watch *watch = &applying->watch;
  bool json = options_has(applying->options, "json");
  if (json)
    printf("{\"run\":\"%s\",\"sent\":%zu,\"planned\":%zu,\"resumed\":%s,\"executions\":%zu", applying->name,
           applying->run.sent, applying->run.planned, applying->resumed ? "true" : "false", watch->executions);
  else
    printf("The run '%s' is done: %zu of %zu sent.", applying->name, applying->run.sent, applying->run.planned);
  for (unsigned r = 0; r < SHOW_RESULTS; r++)
    if (json || watch->results[r])
      printf(json ? ",\"%s\":%zu" : " %s %zu.", wm_result_name((enum wm_result)r), watch->results[r]);
  puts(json ? "}" : "");
}

static int confirm(struct applying *applying) {
  struct wm_buf question = WM_BUF_INIT;
  const struct replay_counts *counts = &applying->plan.counts;
  const struct replay_run *known = replay_runs_find(&applying->runs, wm_text_of(applying->name));
  const char *loud = options_has(applying->options, "notify") ? ", with notifications" : "";
  if (known)
    wm_buf_printf(&question, "Go on with run '%s'%s, of which %zu of %zu events were sent?", applying->name, loud,
                  known->sent, known->planned);
  else
    wm_buf_printf(&question, "Send %zu events again as run '%s'%s (%zu changes of roles planned)?", counts->selected,
                  applying->name, loud, counts->changes);
  fflush(stdout);
  bool yes = options_has(applying->options, "yes") || question.failed || say_ask(question.bytes);
  wm_buf_release(&question);
  return yes ? EXIT_FINE : say(EXIT_BAD_NEWS, "nothing was sent");
}

/* Claims the run, then reads how far it is: from here on nobody else sends for it. */
static int claim(struct applying *applying) {
  const struct settings *settings = &applying->loaded.settings;
  struct wm_error error = {0};
  snprintf(applying->transactional_id, sizeof applying->transactional_id, "waymark.%s.replay.%s", settings->kafka.group,
           applying->name);
  applying->sender = sender_open(settings, applying->transactional_id, &error);
  if (!applying->sender)
    return say_error(EXIT_OUTSIDE, &error);
  replay_runs_release(&applying->runs);
  replay_runs_init(&applying->runs);
  int exit_code = replay_runs_read(settings, &applying->runs);
  if (exit_code == EXIT_FINE)
    exit_code = check_run(applying);
  if (exit_code == EXIT_FINE)
    begin_run(applying);
  if (exit_code == EXIT_FINE)
    exit_code = replay_watch_open(&applying->watch, settings, wm_text_of(applying->name), applying->rate,
                                  applying->resumed ? applying->run.started_us : 0);
  if (exit_code != EXIT_FINE)
    return exit_code;
  applying->watch.ask = applying->run.ask;
  exit_code = set_positions(applying);
  return exit_code == EXIT_FINE && applying->ranges ? check_ranges(applying) : exit_code;
}

static int prepare(struct applying *applying) {
  struct wm_error error = {0};
  const char *name = options_value(applying->options, "run");
  int exit_code = replay_plan_read(options_argument(applying->options, WAY_FIRST), &applying->plan);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (name)
    snprintf(applying->name, sizeof applying->name, "%s", name);
  else
    snprintf(applying->name, sizeof applying->name, "replay-%.12s", applying->plan.digest);
  if (!applying->plan.input.bytes && !(applying->ranges = ranges_open(&applying->loaded.settings, &error)))
    return say_error(EXIT_BAD_NEWS, &error);
  exit_code = roles_control_follow(&applying->loaded.settings, applying->loaded.workspace);
  if (exit_code == EXIT_FINE)
    exit_code = check_plan(applying);
  if (exit_code == EXIT_FINE)
    exit_code = replay_runs_read(&applying->loaded.settings, &applying->runs);
  if (exit_code == EXIT_FINE)
    exit_code = check_run(applying);
  return exit_code == EXIT_FINE ? confirm(applying) : exit_code;
}

static int apply(struct applying *applying) {
  int exit_code = claim(applying);
  if (exit_code == EXIT_FINE)
    exit_code = replay_records_open(&applying->records, &applying->loaded, &applying->plan, applying->ranges);
  if (exit_code == EXIT_FINE)
    exit_code = send_all(applying);
  if (applying->records.loaded)
    replay_records_close(&applying->records);
  if (exit_code == EXIT_FINE)
    exit_code = wait_taken(applying);
  if (exit_code == EXIT_FINE) {
    replay_watch_clear(&applying->watch);
    tell(applying);
  }
  return exit_code;
}

int replay_apply_run(const struct invocation *invocation) {
  struct applying *applying = calloc(1, sizeof *applying);
  if (!applying)
    return say_memory();
  applying->options = &invocation->options;
  replay_plan_init(&applying->plan);
  replay_runs_init(&applying->runs);
  wm_arena_init(&applying->arena, 0);
  int exit_code = read_options(applying);
  if (exit_code == EXIT_FINE)
    exit_code = workspace_open(invocation, NULL, SETTINGS_FULL, &applying->loaded);
  if (exit_code == EXIT_FINE)
    exit_code = prepare(applying);
  if (exit_code == EXIT_FINE)
    exit_code = apply(applying);
  if (applying->watch.settings)
    replay_watch_close(&applying->watch);
  sender_close(applying->sender);
  ranges_close(applying->ranges);
  replay_runs_release(&applying->runs);
  replay_plan_release(&applying->plan);
  wm_arena_release(&applying->arena);
  files_unload(&applying->loaded);
  free(applying);
  return exit_code;
}
