/* automation: documents (contract 5). */
#include <stddef.h>

#include "core/codec/load_parts.h"

static const char *const repeat_words[] = {"every-event", "once-per-user", "once-per-journey", NULL};

static load_fn load_trigger, load_automation_tasks;

#define AT(field) offsetof(struct wm_automation, field)
static const struct load_key automation_keys[] = {
    {"automation", load_name, AT(name), true, false, NULL},
    {"description", load_text, AT(description), false, true, NULL},
    {"entity", load_text, AT(entity), false, false, NULL},
    {"owner", load_text, AT(owner), false, false, NULL},
    {"enabled", load_boolean, AT(enabled), false, false, NULL},
    {"trigger", load_trigger, 0, true, false, NULL},
    {"when", load_condition, AT(when), false, false, NULL},
    {"repeat", load_word, AT(repeat), false, false, repeat_words},
    {"tasks", load_automation_tasks, 0, true, false, NULL},
    {"silence", load_silence, 0, false, false, NULL},
    {NULL, NULL, 0, false, false, NULL},
};
#undef AT

#define TRIGGER_LIMIT 1024 /* bytes of an event's type, contract 4 */

static const char *const journey_types[] = {
    "journey.milestone.achieved", "journey.milestone.failed", "journey.milestone.expired",
    "journey.phase.entered",      "journey.phase.completed",  "journey.started",
    "journey.completed",          "journey.abandoned",        NULL};

/* Takes the segment up to the next dot off the front. False: there is none left. */
static bool take_segment(struct wm_text *rest, struct wm_text *ret) {
  if (!rest->bytes)
    return false;
  const char *dot = rest->size ? memchr(rest->bytes, '.', rest->size) : NULL;
  size_t size = dot ? (size_t)(dot - rest->bytes) : rest->size;
  *ret = (struct wm_text){rest->bytes, size};
  *rest = dot ? (struct wm_text){dot + 1, rest->size - size - 1} : WM_NO_TEXT;
  return true;
}

/* Is each segment the known one or a slip of it? A whole type has so many letters that a type of somebody's own
 * ("journey.milestone.paused") would look like one. */
static bool is_slip(struct wm_text type, const char *known) {
  struct wm_text rest = wm_text_of(known), mine, theirs;
  if (wm_text_ends_with(rest, type) && rest.size > type.size && rest.bytes[rest.size - type.size - 1] == '.')
    return true;
  while (take_segment(&type, &mine)) {
    char segment[32];
    if (!take_segment(&rest, &theirs) || theirs.size >= sizeof(segment))
      return false;
    memcpy(segment, theirs.bytes, theirs.size);
    segment[theirs.size] = '\0';
    const char *const candidates[] = {segment, NULL};
    if (!wm_text_equal(mine, theirs) && !wm_text_nearest(mine, candidates))
      return false;
  }
  return !take_segment(&rest, &theirs);
}

void load_warn_of_slip(struct load *load, const struct wm_node *node, struct wm_text trigger) {
  for (size_t i = 0; journey_types[i]; i++)
    if (wm_text_is(trigger, journey_types[i]))
      return;
  for (size_t i = 0; journey_types[i]; i++) {
    if (is_slip(trigger, journey_types[i])) {
      load_warning(load, node, WM_E_TRIGGER_UNKNOWN, "'%.*s' is no type of the journeys, did you mean '%s'",
                   WM_TEXT_ARG(wm_text_shown(trigger)), journey_types[i]);
      return;
    }
  }
}

static void check_trigger(struct load *load, const struct wm_node *node, struct wm_text trigger) {
  const char *star = memchr(trigger.bytes, '*', trigger.size);
  if (wm_event_type_is_reserved(trigger))
    load_invalid(load, node, WM_E_TRIGGER_RESERVED,
                 "'%.*s' can't be a trigger: 'directory.' and 'role.' events belong to Waymark",
                 WM_TEXT_ARG(wm_text_shown(trigger)));
  else if (trigger.size > TRIGGER_LIMIT)
    load_invalid(load, node, WM_E_VALUE_INVALID, "a trigger has at most %d bytes", TRIGGER_LIMIT);
  else if (star && star + 1 != trigger.bytes + trigger.size)
    load_invalid(load, node, WM_E_VALUE_INVALID, "'%.*s' has a '*' that is not at its end: it stands for any rest",
                 WM_TEXT_ARG(wm_text_shown(trigger)));
  else if (!star)
    load_warn_of_slip(load, node, trigger);
}

static void load_trigger(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  struct wm_automation *automation = place;
  if (!load_texts(load, key, value, true, &automation->triggers, &automation->trigger_count))
    return;
  bool one = value->kind == WM_NODE_SCALAR;
  for (size_t i = 0; i < (one ? 1 : value->count); i++) {
    const struct wm_node *node = one ? value : &value->items[i];
    bool filled = node->kind == WM_NODE_SCALAR && !node->broken && wm_node_value(node, NULL).type != WM_NULL;
    if (filled && node->text.size > 0)
      check_trigger(load, node, node->text);
  }
}

static void load_automation_tasks(struct load *load, const struct load_key *key, const struct wm_node *value,
                                  void *place) {
  struct wm_automation *automation = place;
  (void)key;
  load_tasks(load, value, &automation->tasks, &automation->task_count);
}

void load_automation(struct load *load, const struct wm_node *root, struct wm_automation *ret) {
  *ret = (struct wm_automation){
      .enabled = true, .file = load->file, .line = root->line, .column = root->column, .when = {.kind = WM_ALL}};
  load_map(load, root, "an automation", automation_keys, ret);
  const struct wm_node *name = wm_node_get(root, "automation");
  if (name && wm_text_is(ret->name, "manual"))
    load_invalid(load, name, WM_E_NAME_INVALID, "'manual' can't be an automation's name, it marks manual assignments");
  if (!ret->entity.bytes)
    ret->entity = WM_TEXT(WM_ENTITY_USER_JOURNEY);
  ret->reads_user = wm_condition_reads_user(&ret->when);
}
