/* waymark send: events to Kafka with the right key, partition and headers; all of them, or none. */
#include <stdio.h>
#include <stdlib.h>

#include "tools/lib/events.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/send.h"
#include "tools/lib/show.h"
#include "worker/client.h"

#define SEND_TIMEOUT_MS 15000
#define TOPICS_LIMIT 3 /* an event goes to the first events topic, the directory or the requests, or to --topic */

struct sending {
  const struct settings *settings;
  const char *path;
  const char *topic; /* NULL: by type */
  enum wm_topic_kind kind;
  struct events events;
  struct wm_arena arena; /* keeps every event until it is sent */
  struct wm_record *records;
  struct wm_header headers[2];
  size_t refused;
};

static int unknown_topic(const struct settings *settings, const char *name) {
  const char **names = calloc(settings->topics.event_count + 3, sizeof *names);
  if (!names)
    return say_memory();
  names[0] = settings->topics.directory;
  names[1] = settings->topics.requests;
  for (size_t i = 0; i < settings->topics.event_count; i++)
    names[2 + i] = settings->topics.events[i];
  const char *nearest = wm_text_nearest(wm_text_of(name), names);
  say(EXIT_USAGE, "'%s' is no input topic of the settings%s%s%s", name, nearest ? " (did you mean '" : "",
      nearest ? nearest : "", nearest ? "'?)" : "");
  free(names);
  return EXIT_USAGE;
}

/* Is it one of the input topics, and of which kind? */
static int find_topic(struct sending *sending, const char *name) {
  const struct settings *settings = sending->settings;
  sending->topic = name;
  sending->kind = WM_TOPIC_EVENTS;
  for (size_t i = 0; i < settings->topics.event_count; i++)
    if (strcmp(settings->topics.events[i], name) == 0)
      return EXIT_FINE;
  sending->kind = WM_TOPIC_DIRECTORY;
  if (strcmp(settings->topics.directory, name) == 0)
    return EXIT_FINE;
  sending->kind = WM_TOPIC_REQUESTS;
  return strcmp(settings->topics.requests, name) == 0 ? EXIT_FINE : unknown_topic(settings, name);
}

static enum wm_topic_kind kind_of(const struct wm_event *event) {
  if (wm_text_starts_with(event->type, WM_TEXT("directory.")))
    return WM_TOPIC_DIRECTORY;
  return wm_text_starts_with(event->type, WM_TEXT("role.")) ? WM_TOPIC_REQUESTS : WM_TOPIC_EVENTS;
}

static void refuse(struct sending *sending, size_t index, enum wm_code code, struct wm_text message) {
  sending->refused++;
  fprintf(stderr, "%s:%lld:1: error: ", sending->path, (long long)sending->events.lines[index]);
  style_print(stderr, STYLE_PLAIN, "%.*s [%s]", WM_TEXT_ARG(message), wm_code_name(code));
  fputc('\n', stderr);
}

/* Decodes everything before anything is sent. */
static int prepare(struct sending *sending) {
  struct wm_decode_rules rules = events_rules_now(sending->settings);
  for (size_t i = 0; i < sending->events.count; i++) {
    struct decoded decoded;
    if (events_decode(sending->events.items[i], sending->events.lines[i] - 1, &rules, &sending->arena, &decoded) < 0)
      return say_memory();
    if (decoded.what != WM_DECODED_EVENT)
      refuse(sending, i, decoded.rejection.code, decoded.rejection.message);
    else if (sending->topic && kind_of(&decoded.event) != sending->kind)
      refuse(sending, i, WM_E_EVENT_FORBIDDEN, WM_TEXT("an event of this type does not belong on this topic"));
    else
      send_record(sending->settings, &decoded.event, sending->events.items[i], sending->topic, &sending->records[i]);
  }
  if (sending->refused)
    return say(EXIT_BAD_NEWS, "nothing was sent: %zu of %zu events would be rejected", sending->refused,
               sending->events.count);
  return EXIT_FINE;
}

/* One row or line per topic. */
static void report(const struct sending *sending, bool json) {
  static const char *const heads[] = {"TOPIC", "SENT", NULL};
  const char *topics[TOPICS_LIMIT];
  size_t counts[TOPICS_LIMIT] = {0}, count = 0;
  for (size_t i = 0; i < sending->events.count; i++) {
    const char *topic = sending->records[i].topic.bytes;
    size_t at = 0;
    while (at < count && topics[at] != topic)
      at++;
    if (at == count)
      topics[count++] = topic;
    counts[at]++;
  }
  struct table table;
  table_init(&table, heads);
  for (size_t i = 0; i < count; i++) {
    if (json)
      printf("{\"topic\":\"%s\",\"sent\":%zu}\n", topics[i], counts[i]);
    table_cell(&table, STYLE_PLAIN, "%s", topics[i]);
    table_cell(&table, STYLE_GOOD, "%zu", counts[i]);
  }
  if (!json)
    table_print(&table, stdout);
  table_release(&table);
}

static int deliver(struct sending *sending, const struct options *options) {
  struct wm_error error = {0};
  char question[160];
  size_t sent = 0;
  snprintf(question, sizeof question, "Send %zu events to %s?", sending->events.count,
           sending->settings->kafka.bootstrap);
  if (!options_has(options, "yes") && !say_ask(question))
    return say(EXIT_BAD_NEWS, "nothing was sent");
  struct client *client = client_open(sending->settings, &error);
  if (!client)
    return say_error(EXIT_BAD_NEWS, &error);
  int result = client_send(client, sending->records, sending->events.count, SEND_TIMEOUT_MS, &sent, &error);
  client_close(client);
  if (result < 0) {
    say(EXIT_OUTSIDE, "%zu of %zu events were sent", sent, sending->events.count);
    return say_error(EXIT_OUTSIDE, &error);
  }
  report(sending, options_has(options, "json"));
  return EXIT_FINE;
}

/* A reason goes along as one more header of every record. */
static void add_reason(struct sending *sending, const char *reason) {
  sending->headers[0] = events_headers[0];
  sending->headers[1] = (struct wm_header){WM_TEXT("wm-reason"), wm_text_of(reason)};
  for (size_t i = 0; i < sending->events.count; i++) {
    sending->records[i].headers = sending->headers;
    sending->records[i].header_count = 2;
  }
}

static int send_all(struct sending *sending, const struct options *options) {
  const char *topic = options_value(options, "topic"), *reason = options_value(options, "reason");
  sending->path = options_argument(options, 0);
  int exit_code = topic ? find_topic(sending, topic) : EXIT_FINE;
  if (exit_code == EXIT_FINE)
    exit_code = events_read(sending->path, &sending->events);
  if (exit_code != EXIT_FINE)
    return exit_code;
  sending->records = calloc(sending->events.count, sizeof *sending->records);
  if (!sending->records)
    return say_memory();
  exit_code = prepare(sending);
  if (exit_code == EXIT_FINE && reason)
    add_reason(sending, reason);
  return exit_code == EXIT_FINE ? deliver(sending, options) : exit_code;
}

static int run(const struct invocation *invocation) {
  struct loaded loaded;
  struct sending sending = {.settings = &loaded.settings};
  wm_arena_init(&sending.arena, 0);
  int exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = send_all(&sending, &invocation->options);
  free(sending.records);
  events_release(&sending.events);
  wm_arena_release(&sending.arena);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {
    OPTION_WORKSPACE, {"topic", 0, "TOPIC", "this input topic of the settings, whatever the type"},
    OPTION_YES,       OPTION_REASON,
    OPTION_JSON,      {0},
};

const struct command command_send = {
    .name = "send",
    .arguments = "FILE",
    .summary = "send events with the right key, partition and headers",
    .options = options,
    .help =
        "FILE is one CloudEvent in JSON, or one a line ('-' is stdin). All of them are checked before the first is\n"
        "sent; when one would be rejected, nothing is. directory.* events go to topics.directory, role.* events to\n"
        "topics.requests, all others to the first of topics.events; the key is the user id, the partition his home.\n"
        "Waits until Kafka has all of them. Exit 3 when it can't be reached.\n\n"
        "  waymark send events.jsonl -C /etc/waymark --yes",
    .run = run,
};
