/* YAML text to nodes: cut into documents, each parsed by libyaml event by event into a tree.
 *
 * What is refused is collected, not fatal, as long as the tree can still be built. Some mistakes stop libyaml although
 * everybody can see what was meant (an unquoted '*', a tab, 'title: Done: yes'). Then the character at fault is
 * replaced in a private copy and the document is parsed once more, so that one run finds all mistakes. */
#include "core/codec/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "core/codec/yaml_parts.h"

enum pass { PASS_DONE, PASS_AGAIN, PASS_LOST, PASS_MEMORY };

static unsigned line_of(const struct yaml_reader *reader, const yaml_mark_t *mark) {
  return reader->part.line + (unsigned)mark->line;
}

static unsigned column_of(const yaml_mark_t *mark) {
  return (unsigned)mark->column + 1;
}

/* A value that ends in ' #1 of our partners' has probably lost its end; one with a remark set apart has not. */
static bool has_comment_behind(const struct yaml_cursor *cursor) {
  size_t at = cursor->offset, size = cursor->bytes.size;
  const char *bytes = cursor->bytes.bytes;
  while (at < size && bytes[at] == ' ')
    at++;
  if (at == cursor->offset || at >= size || bytes[at] != '#')
    return false;
  bool apart = at - cursor->offset > 1 && at + 1 < size && strchr(" #!", bytes[at + 1]);
  return !apart;
}

static bool is_repaired(const struct yaml_reader *reader, size_t start, size_t end) {
  for (size_t i = 0; i < reader->repair_count; i++)
    if (reader->repairs[i] >= start && reader->repairs[i] < end)
      return true;
  return false;
}

static void note_property(struct yaml_reader *reader, const struct wm_node *at, bool anchor) {
  wm_yaml_note(reader, WM_E_YAML_ALIAS, at->line, at->column,
               anchor ? "an anchor ('&'), which is not used here: quote the text if it begins with '&'"
                      : "a tag ('!'), which is not used here: quote the text if it begins with '!'");
}

static void add_scalar(struct yaml_reader *reader, const yaml_event_t *event) {
  yaml_scalar_style_t style = event->data.scalar.style;
  size_t start = event->start_mark.index, end = event->end_mark.index;
  bool quoted = style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
  struct wm_node node = {.line = line_of(reader, &event->start_mark),
                         .column = column_of(&event->start_mark),
                         .plain = style == YAML_PLAIN_SCALAR_STYLE,
                         .block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE,
                         .broken = is_repaired(reader, start, end)};
  struct wm_text text = {(const char *)event->data.scalar.value, event->data.scalar.length};
  if (wm_arena_text(reader->arena, text, &node.text))
    reader->memory = true;
  wm_yaml_go_to(reader, start, false);
  /* the tag '!' leaves no other trace than its character */
  bool tag = event->data.scalar.tag || (start < end && reader->cursor.bytes.bytes[reader->cursor.offset] == '!');
  if ((event->data.scalar.anchor || tag) && !node.broken)
    note_property(reader, &node, event->data.scalar.anchor != NULL);
  wm_yaml_go_to(reader, end, quoted);
  node.comment_behind = node.plain && has_comment_behind(&reader->cursor);
  wm_yaml_add(reader, &node);
}

static void add_alias(struct yaml_reader *reader, const yaml_event_t *event) {
  struct wm_node node = {.line = line_of(reader, &event->start_mark),
                         .column = column_of(&event->start_mark),
                         .plain = true,
                         .broken = true};
  struct wm_buf name = WM_BUF_INIT;
  wm_buf_printf(&name, "*%s", (const char *)event->data.alias.anchor);
  if (name.failed || wm_arena_text(reader->arena, (struct wm_text){name.bytes, name.size}, &node.text))
    reader->memory = true;
  else
    wm_yaml_note_about(reader, WM_E_YAML_ALIAS, &node,
                       "is an alias, which is not used here: quote it if text was meant");
  wm_buf_release(&name);
  wm_yaml_add(reader, &node);
}

static void begin(struct yaml_reader *reader, const yaml_event_t *event) {
  bool map = event->type == YAML_MAPPING_START_EVENT;
  const yaml_char_t *anchor = map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
  const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
  wm_yaml_begin(reader, map ? WM_NODE_MAP : WM_NODE_LIST, line_of(reader, &event->start_mark),
                column_of(&event->start_mark));
  if (anchor || tag)
    note_property(reader, &reader->frames[reader->depth - 1].node, anchor != NULL);
}

/* False: the document can't be read on. */
static bool take_event(struct yaml_reader *reader, const yaml_event_t *event) {
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    add_scalar(reader, event);
    break;
  case YAML_ALIAS_EVENT:
    add_alias(reader, event);
    break;
  case YAML_SEQUENCE_START_EVENT:
  case YAML_MAPPING_START_EVENT:
    if (reader->depth == YAML_DEPTH_LIMIT) {
      wm_yaml_note(reader, WM_E_YAML_LIMIT, line_of(reader, &event->start_mark), column_of(&event->start_mark),
                   "lists and mappings are nested deeper than 32");
      return false;
    }
    begin(reader, event);
    break;
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT:
    wm_yaml_end(reader);
    break;
  default:
    break;
  }
  return !reader->memory;
}

static bool make_copy(struct yaml_reader *reader) {
  if (!reader->copy)
    reader->copy = wm_arena_copy(reader->arena, reader->part.bytes.bytes, reader->part.bytes.size);
  if (!reader->copy)
    reader->memory = true;
  return reader->copy != NULL;
}

static bool repair(struct yaml_reader *reader, const struct yaml_cursor *at, char with) {
  if (reader->repair_count == YAML_REPAIRS_LIMIT || at->offset >= at->bytes.size || !make_copy(reader))
    return false;
  reader->repairs[reader->repair_count++] = at->index;
  reader->copy[at->offset] = with;
  return true;
}

static struct yaml_cursor find_mark(const struct yaml_reader *reader, const yaml_mark_t *mark) {
  struct yaml_cursor cursor = {.bytes = reader->part.bytes, .line = reader->part.line, .column = 1};
  while (cursor.index < mark->index && cursor.offset < cursor.bytes.size)
    wm_yaml_cursor_step(&cursor);
  return cursor;
}

/* '{{' where a value begins is a placeholder that nobody quoted; to libyaml it is a mapping in a mapping. */
static bool find_placeholder(const struct yaml_reader *reader, unsigned line, struct yaml_cursor *ret) {
  const char *bytes = reader->copy ? reader->copy : reader->part.bytes.bytes;
  struct yaml_cursor at = {.bytes = reader->part.bytes, .line = reader->part.line, .column = 1};
  for (; at.offset + 3 < at.bytes.size && at.line <= line; wm_yaml_cursor_step(&at)) {
    const char *c = bytes + at.offset;
    if (at.line == line && (c[0] == ':' || c[0] == '-') && c[1] == ' ' && c[2] == '{' && c[3] == '{') {
      wm_yaml_cursor_step(&at);
      wm_yaml_cursor_step(&at);
      *ret = at;
      return true;
    }
  }
  return false;
}

/* Then the tab is likely the mistake, if it is not in quotes: wm_yaml_go_to tells. */
static bool has_tab(const struct yaml_reader *reader, unsigned line) {
  struct yaml_cursor at = {.bytes = reader->part.bytes, .line = reader->part.line, .column = 1};
  for (; at.offset < at.bytes.size && at.line <= line; wm_yaml_cursor_step(&at))
    if (at.line == line && at.bytes.bytes[at.offset] == '\t')
      return true;
  return false;
}

/* The problems of the pass that failed are found again by the next one; only what was repaired is kept. A tab before it
 * on the line is the mistake, and is told of by itself. */
static enum pass note_and_repeat(struct yaml_reader *reader, enum wm_code code, const struct yaml_cursor *at,
                                 const char *text) {
  wm_yaml_go_to(reader, at->index, false);
  bool tab = reader->tab_line == at->line;
  reader->problem_count = reader->kept;
  if (!tab)
    wm_yaml_note(reader, code, at->line, at->column, text);
  reader->kept = reader->problem_count;
  return PASS_AGAIN;
}

static enum pass read_on_without_tabs(struct yaml_reader *reader) {
  if (!make_copy(reader))
    return PASS_MEMORY;
  for (size_t i = 0; i < reader->part.bytes.size; i++)
    if (reader->copy[i] == '\t')
      reader->copy[i] = ' ';
  reader->problem_count = reader->kept;
  return PASS_AGAIN;
}

/* A variable of the settings that nobody quoted: '{ bytes: ${N} }' is one mapping too many. */
static bool has_variable(const struct yaml_reader *reader, unsigned line) {
  struct yaml_cursor at = {.bytes = reader->part.bytes, .line = reader->part.line, .column = 1};
  for (; at.offset + 1 < at.bytes.size && at.line <= line; wm_yaml_cursor_step(&at))
    if (at.line == line && at.bytes.bytes[at.offset] == '$' && at.bytes.bytes[at.offset + 1] == '{')
      return true;
  return false;
}

static enum pass give_up(struct yaml_reader *reader, const yaml_parser_t *parser, const struct yaml_fault *fault,
                         const struct yaml_cursor *at) {
  char text[256];
  snprintf(text, sizeof(text), "not YAML: %s%s%s", parser->context ? parser->context : "", parser->context ? ", " : "",
           parser->problem ? parser->problem : "unreadable");
  const char *sentence = fault ? fault->text : text;
  if (has_variable(reader, at->line))
    sentence = "a '${NAME}' needs quotes inside '{' and '['";
  struct yaml_cursor end = *at;
  while (end.offset < end.bytes.size && end.line == at->line)
    wm_yaml_cursor_step(&end);
  wm_yaml_go_to(reader, has_tab(reader, at->line) ? end.index : at->index, false);
  if (reader->tab_line != at->line)
    wm_yaml_note(reader, fault ? fault->code : WM_E_YAML_SYNTAX, at->line, at->column, sentence);
  return reader->memory ? PASS_MEMORY : PASS_LOST;
}

/* Reports what stopped libyaml; PASS_AGAIN when it has been repaired. */
static enum pass take_failure(struct yaml_reader *reader, const yaml_parser_t *parser) {
  if (parser->error == YAML_MEMORY_ERROR)
    return PASS_MEMORY;
  const struct yaml_fault *fault = wm_yaml_fault(parser->problem ? parser->problem : "", parser->context);
  bool at_context = fault && fault->at_context && parser->context;
  struct yaml_cursor at = find_mark(reader, at_context ? &parser->context_mark : &parser->problem_mark), placeholder;
  char here = at.offset < at.bytes.size ? (reader->copy ? reader->copy : at.bytes.bytes)[at.offset] : '\0';
  if (here == '\t')
    return read_on_without_tabs(reader);
  if (find_placeholder(reader, at.line, &placeholder) && repair(reader, &placeholder, '_')) {
    reader->copy[placeholder.offset + 1] = '_';
    return note_and_repeat(reader, WM_E_YAML_SYNTAX, &placeholder, "a text that begins with '{{' must be quoted");
  }
  if (fault && fault->repair && here && strchr("*&@`%:!|>", here) && repair(reader, &at, fault->repair))
    return note_and_repeat(reader, fault->code, &at, fault->text);
  return give_up(reader, parser, fault, &at);
}

static void rewind_reader(struct yaml_reader *reader) {
  reader->problem_count = reader->kept;
  reader->cursor = (struct yaml_cursor){.bytes = reader->part.bytes, .line = reader->part.line, .column = 1};
  reader->tab_line = 0;
  reader->depth = 0;
  reader->has_root = false;
}

static enum pass read_once(struct yaml_reader *reader) {
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser))
    return PASS_MEMORY;
  const char *bytes = reader->copy ? reader->copy : reader->part.bytes.bytes;
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, reader->part.bytes.size);
  rewind_reader(reader);
  enum pass pass = PASS_DONE;
  for (bool end = false; pass == PASS_DONE && !end;) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) {
      pass = take_failure(reader, &parser);
      break;
    }
    end = event.type == YAML_STREAM_END_EVENT;
    if (!take_event(reader, &event))
      pass = reader->memory ? PASS_MEMORY : PASS_LOST;
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  if (pass == PASS_DONE)
    wm_yaml_go_to(reader, SIZE_MAX, false);
  return reader->memory ? PASS_MEMORY : pass;
}

/* What needs no parser: size and characters. False: it was noted. */
static bool check_bytes(struct yaml_reader *reader) {
  if (reader->part.bytes.size > WM_DOCUMENT_LIMIT) {
    wm_yaml_note(reader, WM_E_YAML_LIMIT, reader->part.line, 1, "a document larger than 1 MiB");
    return false;
  }
  const char *sentence;
  struct yaml_cursor cursor = {.bytes = reader->part.bytes, .line = reader->part.line, .column = 1};
  if (!wm_yaml_find_bad(&cursor, &sentence))
    return true;
  wm_yaml_note(reader, WM_E_YAML_UTF8, cursor.line, cursor.column, sentence);
  return false;
}

static enum pass read_document(struct yaml_reader *reader) {
  if (!check_bytes(reader))
    return reader->memory ? PASS_MEMORY : PASS_LOST;
  if (reader->part.idle)
    return PASS_DONE;
  enum pass pass;
  do
    pass = read_once(reader);
  while (pass == PASS_AGAIN);
  if (pass == PASS_DONE && reader->copy && reader->problem_count == 0) /* never a guess: what was repaired is wrong */
    wm_yaml_note(reader, WM_E_YAML_SYNTAX, reader->part.line, 1, "not YAML that every reader takes alike");
  return pass;
}

struct documents {
  struct wm_document *items;
  size_t count, capacity;
};

static int keep_document(struct wm_arena *arena, struct documents *documents, const struct yaml_reader *reader) {
  if (documents->count == documents->capacity) {
    size_t capacity = documents->capacity ? documents->capacity * 2 : 4;
    struct wm_document *items = WM_ARENA_ARRAY(arena, struct wm_document, capacity);
    if (!items)
      return -1;
    if (documents->count > 0)
      memcpy(items, documents->items, documents->count * sizeof(*items));
    documents->items = items;
    documents->capacity = capacity;
  }
  documents->items[documents->count++] = (struct wm_document){.root = reader->root, .bytes = reader->part.content};
  return 0;
}

static bool is_empty(const struct yaml_reader *reader) {
  const struct wm_node *root = &reader->root;
  return !reader->has_root || (root->kind == WM_NODE_SCALAR && root->plain && root->text.size == 0 && !root->broken);
}

int wm_yaml_read(struct wm_text file, struct wm_text bytes, struct wm_arena *arena, struct wm_findings *findings,
                 struct wm_document **ret, size_t *ret_count, size_t *ret_lost) {
  struct documents documents = {0};
  struct yaml_cutter cutter;
  size_t lost = 0;
  if (bytes.size > WM_FILE_LIMIT) {
    wm_findings_add(findings, WM_INVALID, WM_E_YAML_LIMIT, file, 1, 1, "a file larger than 64 MiB");
    lost = 1;
    bytes.size = 0;
  }
  wm_yaml_cut_begin(&cutter, bytes);
  struct yaml_reader *reader = WM_ARENA_NEW(arena, struct yaml_reader);
  while (reader) {
    *reader = (struct yaml_reader){.arena = arena};
    if (!wm_yaml_cut_next(&cutter, &reader->part))
      break;
    enum pass pass = read_document(reader);
    if (pass == PASS_MEMORY)
      return -1;
    lost += pass == PASS_LOST;
    for (size_t i = 0; i < reader->problem_count; i++) {
      const struct yaml_problem *problem = &reader->problems[i];
      wm_findings_add(findings, WM_INVALID, problem->code, file, problem->line, problem->column, "%.*s",
                      WM_TEXT_ARG(problem->text));
    }
    if (pass == PASS_DONE && !is_empty(reader) && keep_document(arena, &documents, reader))
      return -1;
  }
  *ret = documents.items;
  *ret_count = documents.count;
  if (ret_lost)
    *ret_lost = lost;
  return reader ? 0 : -1;
}
