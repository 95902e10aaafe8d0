/* The tree of a document while it grows, and what is wrong with it. Knows nothing of libyaml. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/codec/yaml_parts.h"

#define SHOWN 60 /* bytes of somebody's text in a sentence */

static bool is_noted(const struct yaml_reader *reader, enum wm_code code, unsigned line, unsigned column) {
  for (size_t i = reader->problem_count; i-- > 0;) {
    const struct yaml_problem *problem = &reader->problems[i];
    if (problem->code == code && problem->line == line && problem->column == column)
      return true;
    if (reader->problem_count - i > 8) /* only neighbours can be the same */
      break;
  }
  return false;
}

void wm_yaml_note(struct yaml_reader *reader, enum wm_code code, unsigned line, unsigned column, const char *text) {
  if (is_noted(reader, code, line, column))
    return;
  if (reader->problem_count == reader->problem_capacity) {
    size_t capacity = reader->problem_capacity ? reader->problem_capacity * 2 : 16;
    struct yaml_problem *problems = WM_ARENA_ARRAY(reader->arena, struct yaml_problem, capacity);
    if (!problems) {
      reader->memory = true;
      return;
    }
    if (reader->problem_count > 0)
      memcpy(problems, reader->problems, reader->problem_count * sizeof(*problems));
    reader->problems = problems;
    reader->problem_capacity = capacity;
  }
  struct yaml_problem *problem = &reader->problems[reader->problem_count++];
  *problem = (struct yaml_problem){.code = code, .line = line, .column = column};
  if (wm_arena_text(reader->arena, wm_text_of(text), &problem->text))
    reader->memory = true;
}

/* A sentence with somebody's text in front. */
void wm_yaml_note_about(struct yaml_reader *reader, enum wm_code code, const struct wm_node *node, const char *behind) {
  char text[SHOWN + 256];
  struct wm_text shown = node->text;
  if (shown.size > SHOWN) {
    shown.size = SHOWN;
    while (shown.size > 0 && ((unsigned char)shown.bytes[shown.size] & 0xc0) == 0x80)
      shown.size--;
  }
  snprintf(text, sizeof(text), "'%.*s' %s", WM_TEXT_ARG(shown), behind);
  wm_yaml_note(reader, code, node->line, node->column, text);
}

/* Goes on to a code point; what lies between is quoted text or is looked through for tabs, one a line. */
void wm_yaml_go_to(struct yaml_reader *reader, size_t index, bool quoted) {
  struct yaml_cursor *cursor = &reader->cursor;
  while (cursor->index < index && cursor->offset < cursor->bytes.size) {
    if (!quoted && cursor->bytes.bytes[cursor->offset] == '\t' && cursor->line != reader->tab_line) {
      reader->tab_line = cursor->line;
      wm_yaml_note(reader, WM_E_YAML_TAB, cursor->line, cursor->column, "a tab outside quotes: use spaces");
    }
    wm_yaml_cursor_step(cursor);
  }
}

static struct wm_node *room(struct yaml_reader *reader, struct yaml_frame *frame) {
  if (frame->node.count == frame->capacity) {
    size_t capacity = frame->capacity ? frame->capacity * 2 : 4;
    struct wm_node *items = WM_ARENA_ARRAY(reader->arena, struct wm_node, capacity);
    if (!items)
      return NULL;
    if (frame->node.count > 0)
      memcpy(items, frame->node.items, frame->node.count * sizeof(*items));
    frame->node.items = items;
    frame->capacity = capacity;
  }
  return &frame->node.items[frame->node.count++];
}

static void check_key(struct yaml_reader *reader, const struct wm_node *key) {
  if (key->broken)
    return;
  if (key->kind == WM_NODE_MAP)
    wm_yaml_note(reader, WM_E_TYPE_WRONG, key->line, key->column,
                 "a key must be text, not a mapping: quote a text that begins with '{{'");
  else if (key->kind == WM_NODE_LIST)
    wm_yaml_note(reader, WM_E_TYPE_WRONG, key->line, key->column,
                 "a key must be text, not a list: quote a text that begins with '['");
  else if (key->plain && key->text.size == 0)
    wm_yaml_note(reader, WM_E_KEY_MISSING, key->line, key->column, "a key is missing before this ':'");
  else if (key->plain && wm_text_is(key->text, "<<"))
    wm_yaml_note(reader, WM_E_YAML_ALIAS, key->line, key->column, "'<<' is a merge key, which is not used here");
}

void wm_yaml_add(struct yaml_reader *reader, const struct wm_node *node) {
  if (reader->depth == 0) {
    reader->root = *node;
    reader->has_root = true;
    return;
  }
  struct yaml_frame *frame = &reader->frames[reader->depth - 1];
  if (frame->node.kind == WM_NODE_MAP && frame->node.count % 2 == 0) {
    check_key(reader, node);
    frame->node.broken |= node->kind != WM_NODE_SCALAR;
  }
  struct wm_node *place = room(reader, frame);
  if (place)
    *place = *node;
  else
    reader->memory = true;
}

static int by_text_and_place(const void *left, const void *right) {
  const struct wm_node *a = *(const struct wm_node *const *)left, *b = *(const struct wm_node *const *)right;
  int order = wm_text_compare(a->text, b->text);
  return order ? order : a < b ? -1 : a > b;
}

static void note_duplicate(struct yaml_reader *reader, const struct wm_node *key, const struct wm_node *first) {
  char text[160];
  bool logic = wm_text_is(key->text, "any") || wm_text_is(key->text, "all") || wm_text_is(key->text, "not");
  if (logic)
    snprintf(text, sizeof(text), "stands twice in one mapping (first in line %u): make each an entry of one 'all' list",
             first->line);
  else
    snprintf(text, sizeof(text), "stands twice in one mapping, first in line %u", first->line);
  wm_yaml_note_about(reader, WM_E_KEY_DUPLICATE, key, text);
}

static void check_duplicates(struct yaml_reader *reader, const struct wm_node *map) {
  const struct wm_node **keys = WM_ARENA_ARRAY(reader->arena, const struct wm_node *, map->count);
  if (!keys) {
    reader->memory = true;
    return;
  }
  size_t count = 0;
  for (size_t i = 0; i < map->count; i++)
    if (map->items[2 * i].kind == WM_NODE_SCALAR && !map->items[2 * i].broken)
      keys[count++] = &map->items[2 * i];
  qsort(keys, count, sizeof(*keys), by_text_and_place);
  for (size_t i = 1, first = 0; i < count; i++) {
    if (wm_text_equal(keys[i]->text, keys[first]->text))
      note_duplicate(reader, keys[i], keys[first]);
    else
      first = i;
  }
}

void wm_yaml_begin(struct yaml_reader *reader, enum wm_node_kind kind, unsigned line, unsigned column) {
  assert(reader->depth < YAML_DEPTH_LIMIT);
  reader->frames[reader->depth++] = (struct yaml_frame){.node = {.kind = kind, .line = line, .column = column}};
}

void wm_yaml_end(struct yaml_reader *reader) {
  struct wm_node node = reader->frames[--reader->depth].node;
  if (node.kind == WM_NODE_MAP) {
    node.count /= 2;
    check_duplicates(reader, &node);
  }
  wm_yaml_add(reader, &node);
}
