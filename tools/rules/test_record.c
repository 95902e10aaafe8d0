/* waymark test --record: what an event does now becomes a test. The event and the register are written as YAML that
 * people can read; where that would not come back as it was (very deep data, numbers that YAML reads otherwise), their
 * JSON is written instead. Nothing is given out that was not read back, run, and passed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "core/codec/load.h"
#include "core/codec/register.h"
#include "core/moment.h"
#include "tools/lib/events.h"
#include "tools/lib/files.h"
#include "tools/lib/register_text.h"
#include "tools/lib/say.h"
#include "tools/lib/yaml_write.h"
#include "tools/rules/test.h"
#include "worker/clock.h"

struct recording {
  const struct loaded *loaded;
  struct wm_terms terms;
  struct wm_arena arena;
  struct wm_text name;
  struct wm_text text; /* of the event */
  struct decoded decoded;
  struct wm_user *before; /* NULL: no register was given */
  struct wm_buf head;     /* name, what is given, the event */
  struct wm_buf then;
};

/* --- what is read --- */

static int read_event(struct recording *recording, const char *path, struct events *events) {
  int exit_code = events_read(path, events);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (events->count > 1)
    return say(EXIT_USAGE, "'%s' holds %zu events, a test is recorded from one", path, events->count);
  int64_t now_us = system_clock.wall_us(system_clock.self);
  struct wm_decode_rules rules = events_rules(&recording->loaded->settings, now_us);
  recording->text = events->items[0];
  if (events_decode(recording->text, 0, &rules, &recording->arena, &recording->decoded) < 0)
    return say_memory();
  const struct decoded *decoded = &recording->decoded;
  if (decoded->what == WM_DECODED_REJECTED)
    return say(EXIT_BAD_NEWS, "the event would be rejected, so there is nothing to test: %.*s [%s]",
               WM_TEXT_ARG(decoded->rejection.message), wm_code_name(decoded->rejection.code));
  if (decoded->what != WM_DECODED_EVENT)
    return say(EXIT_USAGE, "'%s' holds no event", path);
  if (recording->before && !wm_text_equal(recording->before->id, decoded->event.user))
    return say(EXIT_USAGE, "the register is of '%.*s', the event of '%.*s'", WM_TEXT_ARG(recording->before->id),
               WM_TEXT_ARG(decoded->event.user));
  return EXIT_FINE;
}

/* --- given and when --- */

static void add_register(struct recording *recording, bool as_json) {
  struct wm_buf json = WM_BUF_INIT;
  struct wm_value value;
  struct wm_error error;
  if (!recording->before)
    return;
  wm_register_encode(recording->before, &json);
  struct wm_text text = {json.bytes, json.size};
  wm_buf_add_string(&recording->head, "given:\n");
  if (as_json || json.failed || wm_json_parse(text, &recording->arena, &value, &error) < 0)
    value = (struct wm_value){.type = WM_STRING, .string = text};
  yaml_member(&recording->head, 2, WM_TEXT("register"), &value);
  recording->head.failed |= json.failed;
  wm_buf_release(&json);
}

static bool is_left_out(struct wm_text attribute) {
  static const char *const names[] = {"specversion", "datacontenttype", NULL};
  for (const char *const *name = names; *name; name++)
    if (wm_text_is(attribute, *name))
      return true;
  return false;
}

/* {type: ..., data: ...}, attribute by attribute. */
static void add_event(struct recording *recording) {
  const struct wm_event *event = &recording->decoded.event;
  struct wm_buf *head = &recording->head;
  struct wm_value original;
  struct wm_error error;
  wm_buf_add_string(head, "when:\n");
  yaml_member_text(head, 2, "type", event->type);
  for (size_t i = 0; i < event->attributes.object.count; i++) {
    const struct wm_member *member = &event->attributes.object.members[i];
    if (!wm_text_is(member->name, "type") && !is_left_out(member->name))
      yaml_member(head, 2, member->name, &member->value);
  }
  if (!wm_value_member(&event->attributes, WM_TEXT("subject")))
    wm_buf_add_string(head, "  subject: null\n");
  const struct wm_value *data = NULL; /* as it came: a profile's unknown members too */
  if (wm_json_parse(recording->text, &recording->arena, &original, &error) == 0)
    data = wm_value_member(&original, WM_TEXT("data"));
  if (data && data->type != WM_NULL)
    yaml_member(head, 2, WM_TEXT("data"), data);
}

static void add_event_json(struct recording *recording) {
  const struct wm_value value = {.type = WM_STRING, .string = recording->text};
  wm_buf_add_string(&recording->head, "when:\n");
  yaml_member(&recording->head, 2, WM_TEXT("json"), &value);
}

/* --- then --- */

static bool is_reserved(struct wm_text role) {
  static const char *const names[] = {"roles", "automations", "request", "notifications", "nothing", NULL};
  for (const char *const *name = names; *name; name++)
    if (wm_text_is(role, *name))
      return true;
  return false;
}

static bool holds(const struct wm_role_set *set, const struct wm_role *role) {
  for (size_t i = 0; i < set->count; i++)
    if (set->roles[i] == role)
      return true;
  return false;
}

/* "ROLE: gained", and "ROLE: held" of those that stay. */
static void add_role(const struct wm_case_run *run, const struct wm_role *role, struct wm_buf *then) {
  bool before = holds(&run->before, role), after = holds(&run->after, role);
  const char *word = after ? (before ? "held" : "gained") : "lost";
  if (!before && !after)
    return;
  bool reserved = is_reserved(role->name);
  wm_buf_printf(then, reserved ? "  roles: { %.*s: %s }\n" : "  %.*s: %s\n", WM_TEXT_ARG(role->name), word);
}

static void add_outcome(const struct wm_outcome *outcome, struct wm_buf *then) {
  wm_buf_printf(then, "%s%s%s\n", wm_result_name(outcome->result), outcome->code ? " " : "",
                outcome->code ? wm_code_name(outcome->code) : "");
}

static void add_executions(const struct wm_decision *decision, struct wm_buf *then) {
  bool first = true;
  for (size_t i = 0; i < decision->execution_count; i++) {
    const struct wm_execution *execution = &decision->executions[i];
    if (!execution->automation) {
      wm_buf_add_string(then, "  request: ");
      add_outcome(&execution->outcomes[0], then);
      continue;
    }
    wm_buf_printf(then, "%s    %.*s:\n", first ? "  automations:\n" : "", WM_TEXT_ARG(execution->automation->name));
    first = false;
    for (size_t task = 0; task < execution->count; task++) {
      wm_buf_printf(then, "      %lld: ", (long long)execution->outcomes[task].task->sequence);
      add_outcome(&execution->outcomes[task], then);
    }
  }
}

static void add_message(const struct wm_notification *message, struct wm_buf *then) {
  wm_buf_add_string(then, "    - ");
  yaml_member_text(then, 0, "channel", message->task->channel);
  if (message->recipient.size || message->address.size)
    yaml_member_text(then, 6, "to", message->recipient.size ? message->recipient : message->address);
  if (message->title.size)
    yaml_member_text(then, 6, "title", message->title);
  if (message->message.size)
    yaml_member_text(then, 6, "message", message->message);
}

/* The lines below 'then:'. */
static void add_then(const struct wm_case_run *run, struct wm_buf *then) {
  const struct wm_decision *decision = &run->moments[0].decision;
  bool nothing = decision->change_count == 0;
  for (size_t i = 0; i < decision->execution_count; i++)
    nothing = nothing && !wm_execution_ran(&decision->executions[i]);
  if (nothing)
    wm_buf_add_string(then, "  nothing: true\n");
  for (size_t i = 0; i < run->workspace->role_count; i++)
    add_role(run, &run->workspace->roles[i], then);
  add_executions(decision, then);
  if (decision->notification_count)
    wm_buf_add_string(then, "  notifications:\n");
  for (size_t i = 0; i < decision->notification_count; i++)
    add_message(&decision->notifications[i], then);
}

/* --- reading back --- */

static bool is_same_value(const struct wm_value *a, const struct wm_value *b) {
  struct wm_buf left = WM_BUF_INIT, right = WM_BUF_INIT;
  if (a)
    wm_value_to_json(a, &left);
  if (b)
    wm_value_to_json(b, &right);
  bool same = !left.failed && !right.failed &&
              wm_text_equal((struct wm_text){left.bytes, left.size}, (struct wm_text){right.bytes, right.size});
  wm_buf_release(&left);
  wm_buf_release(&right);
  return same;
}

static bool is_same_event(const struct wm_event *a, const struct wm_event *b) {
  bool same = wm_text_equal(a->user, b->user) && a->time_us == b->time_us && is_same_value(a->data, b->data);
  for (size_t i = 0; same && i < a->attributes.object.count; i++) {
    const struct wm_member *member = &a->attributes.object.members[i];
    same = is_left_out(member->name) || is_same_value(&member->value, wm_value_member(&b->attributes, member->name));
  }
  return same;
}

static bool is_same_register(const struct recording *recording, const struct wm_user *given) {
  struct wm_buf left = WM_BUF_INIT, right = WM_BUF_INIT;
  if (!recording->before || !given)
    return !recording->before && !given;
  wm_register_encode(recording->before, &left);
  wm_register_encode(given, &right);
  bool same = !left.failed && !right.failed &&
              wm_text_equal((struct wm_text){left.bytes, left.size}, (struct wm_text){right.bytes, right.size});
  wm_buf_release(&left);
  wm_buf_release(&right);
  return same;
}

/* The one test of a text. NULL: it can't be read. */
static struct wm_workspace *read_back(struct wm_text text) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  struct wm_workspace *read = NULL;
  if (loader && wm_loader_add(loader, WM_TEXT("recorded"), text) == 0)
    read = wm_loader_finish(loader);
  wm_loader_free(loader);
  wm_findings_release(&findings);
  if (read && read->case_count == 1 && read->cases[0].steps[0].event_count == 1)
    return read;
  wm_workspace_free(read);
  return NULL;
}

/* Reads what is written so far, runs it, and hands the run on. False: it is not what was recorded. */
static bool rehearse(struct recording *recording, struct wm_text text, bool is_whole) {
  struct wm_workspace *read = read_back(text);
  struct wm_case_run run = {0};
  struct wm_user *given = NULL;
  struct wm_error error;
  bool fine = false;
  if (!read || test_given(&read->cases[0], &given) < 0)
    goto out;
  fine = is_same_event(&recording->decoded.event, &read->cases[0].steps[0].events[0].event) &&
         is_same_register(recording, given) &&
         wm_case_run(recording->loaded->workspace, &recording->terms, &read->cases[0], given, &recording->arena, &run,
                     &error) == 0 &&
         run.difference_count == 0;
  if (fine && !is_whole) {
    wm_buf_clear(&recording->then);
    wm_buf_add_string(&recording->then, "then:\n");
    add_then(&run, &recording->then);
  }
out:
  wm_case_run_release(&run);
  wm_user_free(given);
  wm_workspace_free(read);
  return fine;
}

int test_then(const struct loaded *loaded, struct wm_text document, struct wm_buf *then) {
  struct wm_terms terms = test_terms(&loaded->settings);
  struct wm_workspace *read = read_back(document);
  struct wm_case_run run = {0};
  struct wm_user *given = NULL;
  struct wm_arena arena;
  struct wm_error error;
  wm_arena_init(&arena, 0);
  bool fine = read && test_given(&read->cases[0], &given) == 0 &&
              wm_case_run(loaded->workspace, &terms, &read->cases[0], given, &arena, &run, &error) == 0;
  if (fine)
    add_then(&run, then);
  wm_case_run_release(&run);
  wm_user_free(given);
  wm_workspace_free(read);
  wm_arena_release(&arena);
  return fine ? 0 : -1;
}

/* One way to write it. False: it does not come back as it was. */
static bool compose(struct recording *recording, bool register_json, bool event_json, struct wm_buf *ret) {
  wm_buf_clear(&recording->head);
  yaml_member_text(&recording->head, 0, "test", recording->name);
  add_register(recording, register_json);
  if (event_json)
    add_event_json(recording);
  else
    add_event(recording);
  struct wm_text head = {recording->head.bytes, recording->head.size};
  if (recording->head.failed || !rehearse(recording, head, false))
    return false;
  wm_buf_clear(ret);
  wm_buf_add_text(ret, head);
  wm_buf_add(ret, recording->then.bytes, recording->then.size);
  return !ret->failed && !recording->then.failed && rehearse(recording, (struct wm_text){ret->bytes, ret->size}, true);
}

static int write_new(const char *path, const struct wm_buf *text) {
  if (!path || strcmp(path, "-") == 0) {
    fwrite(text->bytes, 1, text->size, stdout);
    return EXIT_FINE;
  }
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0)
    return say(EXIT_USAGE, "can't write '%s': %s", path, strerror(errno));
  ssize_t written = write(fd, text->bytes, text->size);
  if (close(fd) < 0 || written != (ssize_t)text->size)
    return say(EXIT_OUTSIDE, "can't write all of '%s'", path);
  puts(path);
  return EXIT_FINE;
}

/* "event evt-1 of /journeys", unless another name was given. */
static int find_name(struct recording *recording, const char *given) {
  struct wm_buf name = WM_BUF_INIT;
  const struct wm_event *event = &recording->decoded.event;
  if (given && *given)
    wm_buf_add_string(&name, given);
  else
    wm_buf_printf(&name, "event %.*s of %.*s", WM_TEXT_ARG(event->id), WM_TEXT_ARG(event->source));
  bool kept =
      !name.failed && wm_arena_text(&recording->arena, (struct wm_text){name.bytes, name.size}, &recording->name) == 0;
  wm_buf_release(&name);
  if (!kept)
    return say_memory();
  if (!wm_text_is_utf8(recording->name, NULL))
    return say(EXIT_USAGE, "the name is not UTF-8");
  for (size_t i = 0; i < recording->loaded->workspace->case_count; i++)
    if (wm_text_equal(recording->loaded->workspace->cases[i].name, recording->name))
      return say(EXIT_USAGE, "the workspace has a test '%.*s' already: give it another --name",
                 WM_TEXT_ARG(recording->name));
  return EXIT_FINE;
}

static int record(struct recording *recording, const char *output) {
  struct wm_buf text = WM_BUF_INIT;
  int exit_code = EXIT_BAD_NEWS;
  for (unsigned way = 0; way < 4 && exit_code != EXIT_FINE; way++)
    if (compose(recording, way & 1, way & 2, &text))
      exit_code = EXIT_FINE;
  if (exit_code == EXIT_FINE)
    exit_code = write_new(output, &text);
  else
    say(0, "this event can't be written as a test: it does not fit into a document of a workspace");
  wm_buf_release(&text);
  return exit_code;
}

int test_record(const struct invocation *invocation, const struct loaded *loaded, const char *path) {
  const struct options *options = &invocation->options;
  struct recording recording = {.loaded = loaded, .terms = test_terms(&loaded->settings)};
  struct events events = {0};
  wm_arena_init(&recording.arena, 0);
  int exit_code = register_of_file(options_value(options, "user"), &recording.arena, &recording.before);
  if (exit_code == EXIT_FINE)
    exit_code = read_event(&recording, path, &events);
  if (exit_code == EXIT_FINE)
    exit_code = find_name(&recording, options_value(options, "name"));
  if (exit_code == EXIT_FINE)
    exit_code = record(&recording, options_value(options, "output"));
  events_release(&events);
  wm_user_free(recording.before);
  wm_buf_release(&recording.head);
  wm_buf_release(&recording.then);
  wm_arena_release(&recording.arena);
  return exit_code;
}
