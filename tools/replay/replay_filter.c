#include "core/codec/load.h"
#include "tools/lib/say.h"
#include "tools/replay/replay.h"

/* --- types --- */

/* One, or several between commas. */
static int read_types(struct replay_filter *filter, const char *given, struct wm_arena *arena) {
  if (!given)
    return EXIT_FINE;
  struct wm_text rest = wm_text_of(given);
  filter->types = WM_ARENA_ARRAY(arena, struct wm_text, rest.size / 2 + 1);
  if (!filter->types)
    return say_memory();
  for (bool more = true; more;) {
    const char *comma = rest.size ? memchr(rest.bytes, ',', rest.size) : NULL;
    struct wm_text type = {rest.bytes, comma ? (size_t)(comma - rest.bytes) : rest.size};
    if (type.size == 0)
      return say(EXIT_USAGE, "--type: '%s' names no event type; several have a comma between them", given);
    filter->types[filter->type_count++] = type;
    more = comma != NULL;
    if (more)
      rest = (struct wm_text){comma + 1, rest.size - type.size - 1};
  }
  return EXIT_FINE;
}

/* --- where --- */

/* The condition stands in a document of its own, so that it is read, checked and told of as in an automation. */
static void write_document(const struct replay_filter *filter, struct wm_buf *buf) {
  bool whole = filter->where.size > 0 && filter->where.bytes[0] == '{';
  wm_buf_printf(buf, "automation: where\ntrigger: '*'\nwhen: %s%.*s%s\ntasks: [{name: t, sequence: 1, ",
                whole ? "" : "{ ", WM_TEXT_ARG(filter->where), whole ? "" : " }");
  wm_buf_add_string(buf, "type: notify, channel: c, title: t, message: m}]\n");
}

static void tell_findings(const struct wm_findings *findings) {
  for (size_t i = 0; i < findings->count; i++)
    if (findings->items[i].severity == WM_INVALID)
      say(0, "--where: %.*s [%s]", WM_TEXT_ARG(findings->items[i].text), wm_code_name(findings->items[i].code));
}

int replay_filter_compile(struct replay_filter *filter) {
  struct wm_buf document = WM_BUF_INIT;
  struct wm_findings findings;
  if (!filter->where.bytes)
    return EXIT_FINE;
  if (filter->where.size == 0 || memchr(filter->where.bytes, '\n', filter->where.size))
    return say(EXIT_USAGE, "--where: a condition of one line, such as 'data.journey: onboarding'");
  wm_findings_init(&findings);
  write_document(filter, &document);
  struct wm_loader *loader = wm_loader_new(&findings);
  if (loader && !document.failed &&
      wm_loader_add(loader, WM_TEXT("--where"), (struct wm_text){document.bytes, document.size}) == 0)
    filter->where_document = wm_loader_finish(loader);
  wm_loader_free(loader);
  wm_buf_release(&document);
  int exit_code = EXIT_FINE;
  if (!filter->where_document || filter->where_document->automation_count != 1) {
    tell_findings(&findings);
    exit_code = say(EXIT_USAGE, "--where: this is no condition; write it as behind 'when:' on one line, such as "
                                "'data.journey: onboarding' or '{ data.score: { at-least: 80 } }'");
  } else {
    filter->condition = &filter->where_document->automations[0].when;
    if (wm_condition_reads_user(filter->condition))
      exit_code = say(EXIT_USAGE, "--where: only 'event.' and 'data.' can be asked for: what a user was when the event "
                                  "came is not known any more");
  }
  wm_findings_release(&findings);
  return exit_code;
}

/* --- all of them --- */

int replay_filter_read(const struct options *options, const struct wm_workspace *workspace, struct wm_arena *arena,
                       struct replay_filter *ret) {
  *ret = (struct replay_filter){0};
  const char *automation = options_value(options, "automation"), *where = options_value(options, "where");
  int exit_code = user_list_read(options_value(options, "user"), arena, &ret->users);
  if (exit_code == EXIT_FINE)
    exit_code = read_types(ret, options_value(options, "type"), arena);
  if (exit_code == EXIT_FINE && automation) {
    ret->automation = wm_text_of(automation);
    if (!wm_workspace_automation(workspace, ret->automation)) {
      struct wm_text near = wm_workspace_near_automation(workspace, ret->automation);
      exit_code = say(EXIT_BAD_NEWS, "the workspace has no automation '%s'%s%.*s%s", automation,
                      near.bytes ? ", did you mean '" : "", WM_TEXT_ARG(near), near.bytes ? "'" : "");
    }
  }
  if (exit_code == EXIT_FINE && where) {
    ret->where = wm_text_of(where);
    exit_code = replay_filter_compile(ret);
  }
  return exit_code;
}

void replay_filter_release(struct replay_filter *filter) {
  wm_workspace_free(filter->where_document);
  filter->where_document = NULL;
  filter->condition = NULL;
}

/* Not as a trigger: 'directory.*' and 'role.*' are fine here. */
static bool fits(struct wm_text pattern, struct wm_text type) {
  if (!wm_text_ends_with(pattern, WM_TEXT("*")))
    return wm_text_equal(pattern, type);
  return wm_text_starts_with(type, (struct wm_text){pattern.bytes, pattern.size - 1});
}

bool replay_filter_takes_type(const struct replay_filter *filter, struct wm_text type) {
  for (size_t i = 0; i < filter->type_count; i++)
    if (fits(filter->types[i], type))
      return true;
  return filter->type_count == 0;
}

bool replay_filter_takes(const struct replay_filter *filter, const struct wm_event *event) {
  const struct wm_scope scope = {.event = event, .now_us = event->now_us};
  if (!replay_filter_takes_type(filter, event->type))
    return false;
  if (!user_list_has(&filter->users, event->user))
    return false;
  return !filter->condition || wm_condition_answer(filter->condition, &scope) == WM_YES;
}
