/* The answer of `waymark why` as one JSON object. */
#include <stdio.h>

#include "core/codec/write.h"
#include "tools/answers/answer.h"
#include "tools/requests/criteria.h"
#include "tools/requests/giving.h"
#include "tools/rules/conditions.h"

static void write_event(struct wm_buf *buf, const struct wm_clock *clock) {
  wm_write_open(buf, WM_KEY("event"), '{');
  wm_write_text(buf, WM_KEY("source"), clock->source);
  wm_write_text(buf, WM_KEY("id"), clock->id);
  wm_write_moment(buf, WM_KEY("time"), clock->time_us);
  wm_write_close(buf, '}');
}

/* Who did it: an automation's task, or a request by hand. */
static void write_actor(struct wm_buf *buf, const struct answer *answer, const struct wm_clock *clock) {
  const struct wm_automation *automation = answer_automation(answer, clock);
  const struct wm_task *task = answer_task(automation, clock->sequence);
  if (clock->automation.size) {
    wm_write_text(buf, WM_KEY("automation"), clock->automation);
    if (automation) {
      wm_write_text(buf, WM_KEY("description"), automation->description);
      wm_write_text(buf, WM_KEY("owner"), automation->owner);
      wm_write_text(buf, WM_KEY("workspace-version"), automation->version);
    }
    wm_write_integer(buf, WM_KEY("sequence"), clock->sequence);
    if (task) {
      wm_write_text(buf, WM_KEY("task"), task->name);
      wm_write_text(buf, WM_KEY("task-description"), task->description);
    }
  }
  write_event(buf, clock);
}

static void write_grant(struct wm_buf *buf, const struct answer *answer, const struct wm_grant *grant) {
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_text(buf, WM_KEY("source"), grant->source);
  write_actor(buf, answer, &grant->clock);
  wm_write_text(buf, WM_KEY("version"), grant->by.version);
  wm_write_text(buf, WM_KEY("by"), grant->by.by);
  wm_write_text(buf, WM_KEY("reason"), grant->by.reason);
  if (grant->by.delegable)
    wm_write_string(buf, WM_KEY("delegation"), "holders");
  wm_write_text(buf, WM_KEY("run"), grant->by.run);
  if (grant->by.origin.topic.bytes) {
    wm_write_open(buf, WM_KEY("origin"), '{');
    wm_write_origin(buf, &grant->by.origin);
    wm_write_close(buf, '}');
  }
  if (grant->until_us != WM_NEVER)
    wm_write_moment(buf, WM_KEY("until"), grant->until_us);
  wm_write_close(buf, '}');
}

/* The parts that other files append have no comma behind them. */
static void add_comma(struct wm_buf *buf) {
  wm_buf_add_char(buf, ',');
}

static void write_criterion(struct wm_buf *buf, const struct answer *answer, size_t i) {
  const struct wm_criterion *criterion = &answer->role->criteria[i];
  struct wm_buf text = WM_BUF_INIT;
  criteria_text(criterion, &text);
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_string(buf, WM_KEY("source"), "derived");
  wm_write_string(buf, WM_KEY("criterion"), criteria_key(criterion));
  wm_write_text(buf, WM_KEY("text"), (struct wm_text){text.bytes, text.size});
  wm_write_boolean(buf, WM_KEY("holds"), answer_criterion_holds(answer, i));
  wm_write_text(buf, WM_KEY("file"), answer->role->file);
  wm_write_integer(buf, WM_KEY("line"), criterion->line);
  size_t before = buf->size;
  criteria_evidence_to_json(criterion, answer->facts.user ? &answer->facts : NULL, buf);
  if (buf->size > before)
    add_comma(buf);
  if (criterion->kind == WM_CRITERION_WHEN) {
    wm_buf_add_text(buf, WM_KEY("when"));
    conditions_to_json(&criterion->when, &answer->scope, buf);
    add_comma(buf);
  }
  wm_write_close(buf, '}');
  buf->failed = buf->failed || text.failed;
  wm_buf_release(&text);
}

static void write_because(struct wm_buf *buf, const struct answer *answer) {
  wm_write_open(buf, WM_KEY("because"), '[');
  for (size_t i = 0; answer->entry && i < answer->entry->grant_count; i++)
    if (answer_grant_state(answer, &answer->entry->grants[i]) == GRANT_LIVE)
      write_grant(buf, answer, &answer->entry->grants[i]);
  for (size_t i = 0; answer->derived && i < answer->role->criterion_count; i++)
    if (answer_criterion_holds(answer, i))
      write_criterion(buf, answer, i);
  wm_write_close(buf, ']');
}

static void write_removal(struct wm_buf *buf, const struct answer *answer, const char *way,
                          const struct wm_clock *clock) {
  if (!wm_clock_is_set(clock))
    return;
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_string(buf, WM_KEY("way"), way);
  wm_write_moment(buf, WM_KEY("at"), clock->time_us);
  write_actor(buf, answer, clock);
  wm_write_close(buf, '}');
}

static void write_ended(struct wm_buf *buf, const struct answer *answer, const struct wm_grant *grant) {
  wm_write_open(buf, WM_NO_KEY, '{');
  wm_write_string(buf, WM_KEY("way"), "ended");
  wm_write_moment(buf, WM_KEY("at"), grant->until_us);
  wm_buf_add_text(buf, WM_KEY("grant"));
  write_grant(buf, answer, grant);
  wm_write_close(buf, '}');
}

static void write_taken(struct wm_buf *buf, const struct answer *answer) {
  const struct wm_user_role *entry = answer->entry;
  wm_write_open(buf, WM_KEY("taken-by"), '[');
  for (size_t i = 0; entry && i < entry->grant_count; i++) {
    if (answer_grant_state(answer, &entry->grants[i]) == GRANT_ENDED)
      write_ended(buf, answer, &entry->grants[i]);
    if (answer_grant_state(answer, &entry->grants[i]) == GRANT_TAKEN)
      write_removal(buf, answer, "taken", &entry->grants[i].taken);
  }
  if (entry)
    write_removal(buf, answer, "removed", &entry->removed);
  write_removal(buf, answer, "cleared", &answer->user->cleared);
  wm_write_close(buf, ']');
}

static void write_givers(struct wm_buf *buf, const struct answer *answer, struct wm_text key, enum wm_action action) {
  struct answer_giver giver;
  size_t at = 0;
  wm_write_open(buf, key, '[');
  while (answer_next_giver(answer, action, &at, &giver)) {
    struct wm_buf text = WM_BUF_INIT;
    giving_to_json(giver.automation, giver.task, &answer->scope, buf);
    add_comma(buf);
    enum wm_code code = answer_obstacle(answer, giver.automation, &text);
    wm_write_text(buf, WM_KEY("obstacle"), (struct wm_text){text.bytes, text.size});
    if (code)
      wm_write_string(buf, WM_KEY("code"), wm_code_name(code));
    wm_write_close(buf, '}');
    wm_buf_release(&text);
  }
  wm_write_close(buf, ']');
}

static void write_criteria(struct wm_buf *buf, const struct answer *answer) {
  wm_write_open(buf, WM_KEY("criteria"), '[');
  for (size_t i = 0; answer->role && i < answer->role->criterion_count; i++)
    write_criterion(buf, answer, i);
  wm_write_close(buf, ']');
}

static void write_head(struct wm_buf *buf, const struct answer *answer) {
  int64_t since_us = answer_since(answer), until_us = answer_until(answer);
  bool has = answer->assigned || answer->derived;
  wm_write_text(buf, WM_KEY("user"), answer->user->id);
  wm_write_text(buf, WM_KEY("role"), answer->name);
  wm_write_boolean(buf, WM_KEY("held"), answer->held);
  wm_write_boolean(buf, WM_KEY("assigned"), answer->assigned);
  wm_write_boolean(buf, WM_KEY("derived"), answer->derived);
  wm_write_true(buf, WM_KEY("awaits-sign-in"), answer->awaits_sign_in);
  if (answer->has_redis)
    wm_write_boolean(buf, WM_KEY("redis"), answer->redis_says);
  if (has && since_us != INT64_MIN)
    wm_write_moment(buf, WM_KEY("since"), since_us);
  if (has && until_us != WM_NEVER)
    wm_write_moment(buf, WM_KEY("until"), until_us);
}

static void write_gate(struct wm_buf *buf, const struct answer *answer) {
  struct wm_buf text = WM_BUF_INIT;
  if (answer->gate == WM_OK)
    return;
  answer_gate_text(answer, &text);
  wm_write_string(buf, WM_KEY("code"), wm_code_name(answer->gate));
  wm_write_text(buf, WM_KEY("message"), (struct wm_text){text.bytes, text.size});
  wm_buf_release(&text);
}

void answer_print_json(const struct answer *answer) {
  struct wm_buf line = WM_BUF_INIT;
  wm_write_open(&line, WM_NO_KEY, '{');
  write_head(&line, answer);
  wm_write_boolean(&line, WM_KEY("control"), answer->running != NULL);
  write_gate(&line, answer);
  write_because(&line, answer);
  write_taken(&line, answer);
  if (wm_clock_is_set(&answer->stands))
    wm_write_clock(&line, WM_KEY("newer-than"), &answer->stands);
  write_givers(&line, answer, WM_KEY("gives"), WM_ADD);
  write_givers(&line, answer, WM_KEY("takes"), WM_REMOVE);
  write_criteria(&line, answer);
  wm_write_close(&line, '}');
  wm_write_end(&line);
  if (!line.failed)
    puts(line.bytes);
  wm_buf_release(&line);
}
