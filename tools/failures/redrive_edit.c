/* waymark redrive --edit: a rejected event as its dead letter has it, in the user's editor, checked as the worker
 * would, and sent as a new event that names the old one. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "core/codec/write.h"
#include "tools/failures/originals.h"
#include "tools/failures/redrive.h"
#include "tools/lib/events.h"
#include "tools/lib/say.h"
#include "tools/lib/send.h"

#define CORRECTS "wmcorrects" /* extension attribute: topic/partition/offset of the record that was rejected */
#define SEND_TIMEOUT_MS 15000

struct editing {
  struct redrive *redrive;
  const char *wanted; /* the failure's id */
  bool found, rejected;
  struct wm_origin origin;
  struct wm_buf text; /* what is edited, then what is sent */
  char path[300];     /* the file that is edited; "": none */
  struct wm_event event;
  struct wm_header trace[2]; /* of the record that was rejected */
  size_t trace_count;
};

/* --- the dead letter --- */

static int take_failure(void *taker, const struct failure *failure) {
  struct editing *editing = taker;
  if (!wm_text_is(failure->id, editing->wanted))
    return EXIT_FINE;
  editing->found = true;
  editing->rejected = failure->rejected;
  editing->origin = failure->origin;
  return wm_arena_text(&editing->redrive->arena, failure->origin.topic, &editing->origin.topic) < 0 ? say_memory()
                                                                                                    : FAILURES_ENOUGH;
}

static int find_failure(struct editing *editing) {
  struct redrive *redrive = editing->redrive;
  struct failures_walk walk = {.take = take_failure, .taker = editing};
  int exit_code = failures_filter_read(redrive->options, &walk.filter);
  if (exit_code == EXIT_FINE)
    exit_code = failures_each(&redrive->loaded, redrive->options, &walk);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (!editing->found)
    return say(EXIT_BAD_NEWS, "no failure '%s': 'waymark failures --rejected' lists them with their ids",
               editing->wanted);
  if (!editing->rejected)
    return say(EXIT_USAGE, "'%s' is a failed task, whose event is fine: 'waymark redrive' runs it again",
               editing->wanted);
  return EXIT_FINE;
}

/* Of an event in binary mode: its attributes and its data as one JSON object, as far as they can be written so. */
static void add_binary(struct editing *editing, const struct wm_record *record) {
  struct wm_buf *buf = &editing->text;
  struct wm_value data;
  wm_write_open(buf, WM_NO_KEY, '{');
  for (size_t i = 0; i < record->header_count; i++) {
    const struct wm_header *header = &record->headers[i];
    if (!header->value.bytes || !wm_text_starts_with(header->name, WM_TEXT("ce_")) ||
        !wm_text_is_utf8(header->name, NULL) || !wm_text_is_utf8(header->value, NULL))
      continue;
    wm_write_name(buf, (struct wm_text){header->name.bytes + 3, header->name.size - 3});
    wm_write_text(buf, WM_NO_KEY, header->value);
  }
  if (record->value.size > 0 && wm_json_parse(record->value, &editing->redrive->arena, &data, NULL) == 0) {
    wm_buf_add_text(buf, WM_KEY("data"));
    wm_buf_add_text(buf, record->value);
    wm_buf_add_char(buf, ',');
  } else if (record->value.size > 0 && wm_text_is_utf8(record->value, NULL)) {
    wm_write_text(buf, WM_KEY("data"), record->value);
  }
  wm_write_close(buf, '}');
  wm_write_end(buf);
}

static bool is_binary(const struct wm_record *record) {
  for (size_t i = 0; i < record->header_count; i++)
    if (wm_text_starts_with(record->headers[i].name, WM_TEXT("ce_")))
      return true;
  return false;
}

/* The trace of the record goes on; one that the event itself names comes before it. */
static int keep_trace(struct editing *editing, const struct wm_record *record) {
  static const char *const names[] = {"traceparent", "tracestate"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const struct wm_header *header = originals_header(record, names[i]);
    struct wm_header *kept = &editing->trace[editing->trace_count];
    if (!header)
      continue;
    kept->name = wm_text_of(names[i]);
    if (wm_arena_text(&editing->redrive->arena, header->value, &kept->value) < 0)
      return -1;
    editing->trace_count++;
  }
  return 0;
}

static int take_letter(void *taker, size_t index, const struct wm_record *record) {
  struct editing *editing = taker;
  (void)index;
  if (!record)
    return say(EXIT_BAD_NEWS, "the dead letter of '%s' is there no more: retention has deleted it", editing->wanted);
  if (originals_header(record, "wm-truncated"))
    say(0, "the dead letter was too large for the broker and is cut: what you see is not all");
  if (is_binary(record))
    add_binary(editing, record);
  else
    wm_buf_add_text(&editing->text, record->value);
  return editing->text.failed || keep_trace(editing, record) < 0 ? say_memory() : EXIT_FINE;
}

/* --- the editor --- */

static int failed(const char *path, const char *what) {
  return say(EXIT_USAGE, "%s: can't %s: %s", path, what, strerror(errno));
}

static int write_file(struct editing *editing) {
  const char *folder = getenv("TMPDIR");
  snprintf(editing->path, sizeof editing->path, "%.200s/waymark-XXXXXX.json", folder && *folder ? folder : "/tmp");
  int fd = mkstemps(editing->path, (int)strlen(".json"));
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (!file) {
    int exit_code = failed(editing->path, "make it");
    if (fd >= 0)
      close(fd);
    editing->path[0] = '\0';
    return exit_code;
  }
  size_t written = fwrite(editing->text.bytes ? editing->text.bytes : "", 1, editing->text.size, file);
  bool fine = fclose(file) == 0 && written == editing->text.size;
  return fine ? EXIT_FINE : failed(editing->path, "write it");
}

/* The shell takes an editor with options ("code --wait"); the path is an argument of its own. */
static int run_editor(const struct editing *editing) {
  const char *editor = getenv("VISUAL");
  char command[1024];
  int status = 0;
  editor = editor && *editor ? editor : getenv("EDITOR");
  editor = editor && *editor ? editor : "vi";
  if ((size_t)snprintf(command, sizeof command, "%s \"$1\"", editor) >= sizeof command)
    return say(EXIT_USAGE, "$EDITOR is too long");
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command, "sh", editing->path, (char *)NULL);
    _exit(127);
  }
  if (child < 0 || waitpid(child, &status, 0) < 0)
    return failed(editor, "run it");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return EXIT_FINE;
  return say(EXIT_BAD_NEWS, "the editor '%s' ended without success: nothing was sent", editor);
}

static int edit(struct editing *editing) {
  char *bytes = NULL;
  size_t size = 0;
  int exit_code = write_file(editing);
  if (exit_code == EXIT_FINE)
    exit_code = run_editor(editing);
  if (exit_code == EXIT_FINE)
    exit_code = file_read(editing->path, &bytes, &size);
  wm_buf_clear(&editing->text);
  if (exit_code == EXIT_FINE)
    wm_buf_add(&editing->text, bytes, size);
  free(bytes);
  return exit_code;
}

/* --- the new event --- */

/* Names the record that it corrects. What is no JSON object stays as it is: the check tells. */
static int add_name(struct editing *editing) {
  struct wm_value value;
  const struct wm_origin *origin = &editing->origin;
  struct wm_text text = {editing->text.bytes, editing->text.size};
  struct wm_buf buf = WM_BUF_INIT;
  if (wm_json_parse(text, &editing->redrive->arena, &value, NULL) < 0 || value.type != WM_OBJECT)
    return EXIT_FINE;
  wm_write_open(&buf, WM_NO_KEY, '{');
  for (size_t i = 0; i < value.object.count; i++) {
    const struct wm_member *member = &value.object.members[i];
    if (wm_text_is(member->name, CORRECTS))
      continue;
    wm_write_name(&buf, member->name);
    wm_value_to_json(&member->value, &buf);
    wm_buf_add_char(&buf, ',');
  }
  wm_buf_printf(&buf, "\"" CORRECTS "\":\"%.*s/%d/%lld\",", WM_TEXT_ARG(origin->topic), origin->partition,
                (long long)origin->offset);
  wm_write_close(&buf, '}');
  wm_write_end(&buf);
  wm_buf_release(&editing->text);
  editing->text = buf;
  return buf.failed ? say_memory() : EXIT_FINE;
}

/* The kind of the input that it came from; false: it is no input of the settings, or the replay topic. */
static bool find_kind(const struct settings *settings, struct wm_text topic, enum wm_topic_kind *ret) {
  for (size_t i = 0; i < settings->topics.event_count; i++)
    if (wm_text_is(topic, settings->topics.events[i])) {
      *ret = WM_TOPIC_EVENTS;
      return true;
    }
  *ret = wm_text_is(topic, settings->topics.directory) ? WM_TOPIC_DIRECTORY : WM_TOPIC_REQUESTS;
  return wm_text_is(topic, settings->topics.directory) || wm_text_is(topic, settings->topics.requests);
}

static int check(struct editing *editing, enum wm_topic_kind kind) {
  struct wm_decode_rules rules = events_rules_now(&editing->redrive->loaded.settings);
  struct decoded decoded;
  rules.topic = kind;
  if (events_decode((struct wm_text){editing->text.bytes, editing->text.size}, 0, &rules, &editing->redrive->arena,
                    &decoded) < 0)
    return say_memory();
  if (decoded.what == WM_DECODED_EVENT) {
    editing->event = decoded.event;
    return EXIT_FINE;
  }
  return say(EXIT_BAD_NEWS, "it would be rejected again: %.*s [%s]; nothing was sent",
             WM_TEXT_ARG(decoded.rejection.message), wm_code_name(decoded.rejection.code));
}

static int send_it(struct editing *editing) {
  struct redrive *redrive = editing->redrive;
  struct wm_record record;
  struct wm_error error = {0};
  const struct wm_header headers[] = {
      events_headers[0], {WM_TEXT("wm-reason"), wm_text_of(redrive->reason)}, editing->trace[0], editing->trace[1]};
  char question[400];
  snprintf(question, sizeof question, "Send the mended event to %.*s?", WM_TEXT_ARG(editing->origin.topic));
  if (!options_has(redrive->options, "yes") && !say_ask(question))
    return say(EXIT_BAD_NEWS, "nothing was sent");
  send_record(&redrive->loaded.settings, &editing->event, (struct wm_text){editing->text.bytes, editing->text.size},
              editing->origin.topic.bytes, &record);
  record.headers = headers;
  record.header_count = 2 + editing->trace_count;
  if (client_send(redrive->client, &record, 1, SEND_TIMEOUT_MS, NULL, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (redrive->json)
    printf("{\"sent\":%s}\n", editing->text.bytes);
  else
    puts("sent: the new event is in the log ('waymark event SOURCE ID' tells what becomes of it)");
  return EXIT_FINE;
}

static int work(struct editing *editing) {
  struct redrive *redrive = editing->redrive;
  struct wm_error error = {0};
  enum wm_topic_kind kind;
  int exit_code = find_failure(editing);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (!find_kind(&redrive->loaded.settings, editing->origin.topic, &kind))
    return say(EXIT_BAD_NEWS, "'%.*s' is no input for events of the settings: what was rejected there was a copy",
               WM_TEXT_ARG(editing->origin.topic));
  redrive->client = client_open(&redrive->loaded.settings, &error);
  if (!redrive->client)
    return say_error(EXIT_OUTSIDE, &error);
  exit_code = originals_dead_letter(redrive->client, &editing->origin, take_letter, editing);
  if (exit_code == EXIT_FINE)
    exit_code = edit(editing);
  if (exit_code == EXIT_FINE)
    exit_code = add_name(editing);
  if (exit_code == EXIT_FINE)
    exit_code = check(editing, kind);
  return exit_code == EXIT_FINE ? send_it(editing) : exit_code;
}

int redrive_edit(struct redrive *redrive) {
  struct editing editing = {.redrive = redrive, .wanted = options_value(redrive->options, "edit")};
  int exit_code = work(&editing);
  if (editing.path[0] && exit_code == EXIT_FINE)
    unlink(editing.path);
  else if (editing.path[0])
    say(0, "what was edited stays in %s", editing.path);
  wm_buf_release(&editing.text);
  return exit_code;
}
