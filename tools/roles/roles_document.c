#include "tools/roles/roles_document.h"

#include <stdlib.h>

#include "tools/command.h"
#include "tools/lib/say.h"
#include "worker/files.h"

int role_check_name(const struct wm_workspace *workspace, struct wm_text name) {
  if (wm_workspace_role(workspace, name))
    return EXIT_FINE;
  struct wm_text near = wm_workspace_near_role(workspace, name);
  return say(EXIT_BAD_NEWS, "role '%.*s' is not in the catalogue%s%.*s%s [ROLE_UNKNOWN]",
             WM_TEXT_ARG(wm_text_shown(name)), near.bytes ? " (did you mean '" : "", WM_TEXT_ARG(near),
             near.bytes ? "'?)" : "");
}

/* --- documents of files --- */

struct role_file {
  struct role_file *next;
  struct wm_text name;
  char *bytes;
  struct wm_document *documents;
  size_t count;
};

void role_files_init(struct role_files *files) {
  *files = (struct role_files){0};
  wm_arena_init(&files->arena, 0);
}

void role_files_release(struct role_files *files) {
  for (struct role_file *file = files->files; file; file = file->next)
    free(file->bytes);
  wm_arena_release(&files->arena);
}

static int read_file(struct role_files *files, struct wm_text name, struct role_file **ret) {
  struct wm_error error = {0};
  struct wm_findings findings;
  size_t size = 0;
  struct role_file *file = WM_ARENA_NEW(&files->arena, struct role_file);
  if (!file || wm_arena_text(&files->arena, name, &file->name) < 0)
    return say_memory();
  file->bytes = files_read(file->name.bytes, WM_FILE_LIMIT, &size, &error);
  if (!file->bytes)
    return say_error(EXIT_USAGE, &error);
  file->next = files->files;
  files->files = file;
  wm_findings_init(&findings);
  int result = wm_yaml_read(file->name, (struct wm_text){file->bytes, size}, &files->arena, &findings, &file->documents,
                            &file->count, NULL);
  wm_findings_release(&findings);
  *ret = file;
  return result < 0 ? say_memory() : EXIT_FINE;
}

static bool is_role(const struct wm_node *root, struct wm_text name) {
  const struct wm_node *value = root->kind == WM_NODE_MAP ? wm_node_get(root, "role") : NULL;
  return value && value->kind == WM_NODE_SCALAR && wm_text_equal(value->text, name);
}

int role_files_find(struct role_files *files, const struct wm_role *role, struct role_document *ret) {
  struct role_file *file = files->files;
  while (file && !wm_text_equal(file->name, role->file))
    file = file->next;
  int exit_code = file ? EXIT_FINE : read_file(files, role->file, &file);
  for (size_t i = 0; exit_code == EXIT_FINE && i < file->count; i++) {
    if (!is_role(&file->documents[i].root, role->name))
      continue;
    *ret = (struct role_document){file->documents[i].root, file->documents[i].bytes};
    return EXIT_FINE;
  }
  if (exit_code != EXIT_FINE)
    return exit_code;
  return say(EXIT_BAD_NEWS, "role '%.*s' stands no more in %.*s: try again", WM_TEXT_ARG(role->name),
             WM_TEXT_ARG(role->file));
}

bool role_document_read(struct wm_text bytes, struct wm_text name, struct wm_arena *arena, struct role_document *ret,
                        struct wm_error *error) {
  struct wm_findings findings;
  struct wm_document *documents = NULL;
  size_t count = 0;
  wm_findings_init(&findings);
  int result = wm_yaml_read(name, bytes, arena, &findings, &documents, &count, NULL);
  if (result < 0)
    wm_error_memory(error);
  else if (findings.invalid > 0)
    result = wm_error_set(error, findings.items[0].code, "line %u of the document: %.*s", findings.items[0].line,
                          WM_TEXT_ARG(findings.items[0].text));
  else if (count != 1 || !is_role(&documents[0].root, name))
    result = wm_error_set(error, WM_E_VALUE_INVALID, "'document' must be one YAML document with 'role: %.*s'",
                          WM_TEXT_ARG(name));
  wm_findings_release(&findings);
  if (result == 0)
    *ret = (struct role_document){documents[0].root, bytes};
  return result == 0;
}

/* --- to JSON --- */

static void node_to_json(const struct wm_node *node, bool text, struct wm_buf *buf) {
  const char *between = "";
  if (node->kind == WM_NODE_SCALAR) {
    struct wm_value value = wm_node_value(node, NULL);
    if (text)
      value = (struct wm_value){.type = WM_STRING, .string = node->text};
    wm_value_to_json(&value, buf);
    return;
  }
  bool map = node->kind == WM_NODE_MAP;
  wm_buf_add_char(buf, map ? '{' : '[');
  for (size_t i = 0; i < node->count; i++) {
    wm_buf_add_string(buf, between);
    if (map) {
      wm_buf_add_json(buf, node->items[2 * i].text);
      wm_buf_add_char(buf, ':');
    }
    node_to_json(&node->items[map ? 2 * i + 1 : i], false, buf);
    between = ",";
  }
  wm_buf_add_char(buf, map ? '}' : ']');
}

/* Where the loader takes a scalar as it is written. */
static bool is_text_key(struct wm_text key) {
  static const char *const keys[] = {"role", "label",  "description", "type",
                                     "kind", "status", "delegation",  "activate"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (wm_text_is(key, keys[i]))
      return true;
  return false;
}

void role_document_to_json(const struct role_document *document, struct wm_buf *buf) {
  const struct wm_node *root = &document->root;
  wm_buf_add_char(buf, '{');
  for (size_t i = 0; i < root->count; i++) {
    struct wm_text key = root->items[2 * i].text;
    wm_buf_add_string(buf, i ? "," : "");
    wm_buf_add_json(buf, key);
    wm_buf_add_char(buf, ':');
    node_to_json(&root->items[2 * i + 1], is_text_key(key), buf);
  }
  wm_buf_add_char(buf, '}');
}

/* --- from JSON --- */

static void indent(struct wm_buf *buf, size_t depth) {
  for (size_t i = 0; i < depth; i++)
    wm_buf_add_string(buf, "  ");
}

/* Members each on a line; below a member, lists of scalars and scalars are JSON, which is YAML. */
static void members_to_yaml(const struct wm_value *object, size_t depth, bool first_indented, struct wm_buf *buf);

static bool is_nested(const struct wm_value *value) {
  if (value->type == WM_OBJECT)
    return value->object.count > 0;
  for (size_t i = 0; value->type == WM_LIST && i < value->list.count; i++)
    if (value->list.items[i].type == WM_OBJECT || value->list.items[i].type == WM_LIST)
      return true;
  return false;
}

static void list_to_yaml(const struct wm_value *list, size_t depth, struct wm_buf *buf) {
  for (size_t i = 0; i < list->list.count; i++) {
    const struct wm_value *item = &list->list.items[i];
    indent(buf, depth);
    wm_buf_add_string(buf, "- ");
    if (item->type == WM_OBJECT && item->object.count > 0) {
      members_to_yaml(item, depth + 1, true, buf);
      continue;
    }
    wm_value_to_json(item, buf);
    wm_buf_add_char(buf, '\n');
  }
}

/* Words that no reader takes for anything else stand bare. */
static void add_key(struct wm_text key, struct wm_buf *buf) {
  bool bare = key.size > 0 && key.bytes[0] >= 'a' && key.bytes[0] <= 'z';
  for (size_t i = 0; i < key.size; i++)
    bare &= (key.bytes[i] >= 'a' && key.bytes[i] <= 'z') || key.bytes[i] == '-' || key.bytes[i] == '.';
  if (bare)
    wm_buf_add_text(buf, key);
  else
    wm_buf_add_json(buf, key);
}

static void members_to_yaml(const struct wm_value *object, size_t depth, bool first_indented, struct wm_buf *buf) {
  for (size_t i = 0; i < object->object.count; i++) {
    const struct wm_member *member = &object->object.members[i];
    if (i > 0 || !first_indented)
      indent(buf, depth);
    add_key(member->name, buf);
    wm_buf_add_char(buf, ':');
    wm_buf_add_char(buf, is_nested(&member->value) ? '\n' : ' ');
    if (!is_nested(&member->value)) {
      wm_value_to_json(&member->value, buf);
      wm_buf_add_char(buf, '\n');
    } else if (member->value.type == WM_LIST) {
      list_to_yaml(&member->value, depth + 1, buf);
    } else {
      members_to_yaml(&member->value, depth + 1, false, buf);
    }
  }
}

void role_definition_to_yaml(const struct wm_value *definition, struct wm_buf *buf) {
  members_to_yaml(definition, 0, false, buf);
}
