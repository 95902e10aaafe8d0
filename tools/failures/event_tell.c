#include <stdio.h>

#include "core/codec/json.h"
#include "core/codec/write.h"
#include "core/moment.h"
#include "tools/failures/event.h"
#include "tools/failures/originals.h"
#include "tools/lib/rows.h"
#include "tools/lib/say.h"
#include "tools/lib/show.h"

/* --- the dead letter --- */

struct letter {
  bool found;
  int32_t partition;
  int64_t offset;
};

static int take_letter(void *taker, size_t index, const struct wm_record *record) {
  struct letter *letter = taker;
  (void)index;
  if (record)
    *letter = (struct letter){true, record->partition, record->offset};
  return EXIT_FINE;
}

static int find_letter(struct event_finding *finding, const struct event_place *place, struct letter *ret) {
  *ret = (struct letter){0};
  if (place->state != EVENT_REJECTED)
    return EXIT_FINE;
  const struct wm_origin *origin = place->record.topic.bytes ? &place->record : &place->origin;
  return originals_dead_letter(finding->client, origin, take_letter, ret);
}

/* --- text --- */

static void print_head(const struct event_place *place) {
  struct wm_buf buf = WM_BUF_INIT;
  const struct wm_origin *at = place->record.topic.bytes ? &place->record : &place->origin;
  if (place->at_us != INT64_MIN)
    show_time(place->at_us, &buf);
  style_print(stdout, STYLE_BOLD, "%.*s/%d/%lld", WM_TEXT_ARG(at->topic), at->partition, (long long)at->offset);
  style_print(stdout, STYLE_DIM, "  %s", buf.bytes ? buf.bytes : "");
  if (place->readable)
    style_print(stdout, STYLE_PLAIN, "  %.*s of %.*s", WM_TEXT_ARG(place->event.type),
                WM_TEXT_ARG(place->event.user.bytes ? place->event.user : WM_TEXT("no user")));
  if (!wm_text_is(place->run, "live"))
    style_print(stdout, STYLE_PLAIN, "  run %.*s of %.*s/%d/%lld", WM_TEXT_ARG(place->run),
                WM_TEXT_ARG(place->origin.topic), place->origin.partition, (long long)place->origin.offset);
  putchar('\n');
  if (!place->record.topic.bytes)
    puts("The record was not found: retention has deleted it, or the time leaves it out.");
  wm_buf_release(&buf);
}

static void print_outcomes(struct event_finding *finding, const struct event_place *place) {
  struct table table;
  struct wm_value value;
  table_init(&table, rows_heads);
  for (size_t i = 0; i < place->outcome_count; i++)
    if (wm_json_parse(place->outcomes[i], &finding->arena, &value, NULL) == 0)
      rows_add_outcome(&table, &value);
  table_print(&table, stdout);
  table_release(&table);
}

static void print_rejection(struct event_finding *finding, const struct event_place *place,
                            const struct letter *letter) {
  struct wm_value value;
  const struct wm_origin *at = place->record.topic.bytes ? &place->record : &place->origin;
  if (wm_json_parse(place->rejection, &finding->arena, &value, NULL) < 0)
    return;
  const struct wm_value *data = wm_value_member(&value, WM_TEXT("data"));
  style_print(stdout, STYLE_BAD, "rejected: %.*s", WM_TEXT_ARG(wm_value_text(wm_value_member(data, WM_TEXT("code")))));
  style_print(stdout, STYLE_PLAIN, ": %.*s", WM_TEXT_ARG(wm_value_text(wm_value_member(data, WM_TEXT("message")))));
  putchar('\n');
  if (letter->found)
    style_print(stdout, STYLE_PLAIN, "dead letter: %.*s.dlq/%d/%lld", WM_TEXT_ARG(at->topic), letter->partition,
                (long long)letter->offset);
  else
    style_print(stdout, STYLE_PLAIN, "dead letter: it is there no more");
  putchar('\n');
}

static int print_place(struct event_finding *finding, struct event_place *place) {
  struct letter letter;
  int exit_code = find_letter(finding, place, &letter);
  print_head(place);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (place->state == EVENT_REJECTED)
    print_rejection(finding, place, &letter);
  print_outcomes(finding, place);
  if (place->state == EVENT_WAITING && place->committed < 0)
    puts("Not decided yet: no worker of the group has decided anything of this partition.");
  else if (place->state == EVENT_WAITING)
    printf("Not decided yet: the group is at offset %lld of this partition.\n", (long long)place->committed);
  else if (place->state == EVENT_NOTHING && !place->readable)
    puts("It was rejected; the failure that says why is deleted by retention.");
  fflush(stdout);
  return place->state == EVENT_NOTHING && place->readable ? event_why(finding, place, NULL) : EXIT_FINE;
}

/* --- JSON --- */

static void write_state(struct wm_buf *buf, const struct event_place *place) {
  static const char *const names[] = {
      [EVENT_DECIDED] = "decided",     [EVENT_REJECTED] = "rejected",  [EVENT_WAITING] = "waiting",
      [EVENT_DUPLICATE] = "duplicate", [EVENT_APPLIED] = "no-outcome", [EVENT_NOTHING] = "nothing"};
  wm_write_string(buf, WM_KEY("state"), names[place->state]);
}

static void write_place(struct wm_buf *buf, const struct event_place *place) {
  wm_write_open(buf, WM_KEY("record"), '{');
  wm_write_origin(buf, &place->record);
  wm_write_close(buf, '}');
  wm_write_text(buf, WM_KEY("run"), place->run);
  wm_write_open(buf, WM_KEY("origin"), '{');
  wm_write_origin(buf, &place->origin);
  wm_write_close(buf, '}');
  if (place->at_us != INT64_MIN)
    wm_write_moment(buf, WM_KEY("at"), place->at_us);
  if (place->readable) {
    wm_write_text(buf, WM_KEY("type"), place->event.type);
    wm_write_text(buf, WM_KEY("user"), place->event.user);
  }
  if (place->outcome_count > 0) {
    wm_write_open(buf, WM_KEY("outcomes"), '[');
    for (size_t i = 0; i < place->outcome_count; i++) {
      wm_buf_add_text(buf, place->outcomes[i]);
      wm_buf_add_char(buf, ',');
    }
    wm_write_close(buf, ']');
  }
  if (place->state == EVENT_WAITING && place->committed >= 0)
    wm_write_integer(buf, WM_KEY("group-is-at"), place->committed);
}

static int print_json(struct event_finding *finding, struct event_place *place) {
  struct wm_buf buf = WM_BUF_INIT;
  struct letter letter;
  int exit_code = find_letter(finding, place, &letter);
  wm_write_open(&buf, WM_NO_KEY, '{');
  write_place(&buf, place);
  if (place->rejection.bytes) {
    wm_buf_add_text(&buf, WM_KEY("rejection"));
    wm_buf_add_text(&buf, place->rejection);
    wm_buf_add_char(&buf, ',');
  }
  if (letter.found) {
    wm_write_open(&buf, WM_KEY("dead-letter"), '{');
    wm_write_integer(&buf, WM_KEY("partition"), letter.partition);
    wm_write_integer(&buf, WM_KEY("offset"), letter.offset);
    wm_write_close(&buf, '}');
  }
  if (exit_code == EXIT_FINE && place->state == EVENT_NOTHING && place->readable)
    exit_code = event_why(finding, place, &buf);
  write_state(&buf, place);
  wm_write_close(&buf, '}');
  wm_write_end(&buf);
  if (exit_code == EXIT_FINE && !buf.failed)
    puts(buf.bytes);
  wm_buf_release(&buf);
  return exit_code;
}

int event_tell(struct event_finding *finding, bool json) {
  int exit_code = EXIT_FINE;
  if (finding->count == 0)
    return say(EXIT_BAD_NEWS, "no event '%.*s' of '%.*s' was found%s%s", WM_TEXT_ARG(finding->id),
               WM_TEXT_ARG(finding->source),
               finding->since_us != INT64_MIN || finding->until_us != INT64_MAX ? " in that time" : "",
               finding->cut ? "; retention has deleted older records" : "");
  for (size_t i = 0; i < finding->count && exit_code == EXIT_FINE; i++) {
    if (i > 0 && !json)
      putchar('\n');
    exit_code = json ? print_json(finding, &finding->places[i]) : print_place(finding, &finding->places[i]);
  }
  return exit_code;
}
