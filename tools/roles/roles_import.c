/* waymark roles import: what `roles export` wrote as role documents of a workspace; all of them, or none. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"
#include "tools/lib/ways.h"
#include "tools/roles/roles.h"
#include "tools/roles/roles_document.h"

#define FOLDER "roles" /* of the workspace: one file for each role */

struct import {
  const struct invocation *invocation;
  const char *path;
  char *folder; /* of the workspace */
  char *bytes;  /* of the file */
  struct loaded loaded;
  struct wm_arena arena;
  size_t line; /* that is read */
  struct import_role {
    struct wm_text name, document;
    size_t line;
    char *file;
    bool written;
  } * roles;
  size_t count, capacity;
  size_t mistakes;
};

/* --- reading --- */

static int mistake(struct import *import, struct wm_text name, const char *what) {
  import->mistakes++;
  return say(EXIT_BAD_NEWS, "%s:%zu: role '%.*s': %s", import->path, import->line, WM_TEXT_ARG(wm_text_shown(name)),
             what);
}

static bool is_known(const struct import *import, struct wm_text name) {
  for (size_t i = 0; i < import->count; i++)
    if (wm_text_equal(import->roles[i].name, name))
      return true;
  return false;
}

static int add_role(struct import *import, struct wm_text name, struct wm_text document) {
  if (import->count == import->capacity) {
    size_t capacity = import->capacity ? 2 * import->capacity : 64;
    struct import_role *roles = reallocarray(import->roles, capacity, sizeof *roles);
    if (!roles)
      return say_memory();
    import->roles = roles;
    import->capacity = capacity;
  }
  struct import_role *role = &import->roles[import->count];
  *role = (struct import_role){.name = name, .document = document, .line = import->line};
  if (asprintf(&role->file, "%s/" FOLDER "/%.*s.yaml", import->folder, WM_TEXT_ARG(name)) < 0)
    return say_memory();
  import->count++;
  return EXIT_FINE;
}

/* Does the definition, when there is one, say what the document says? Somebody may have edited only one of them. */
static bool definition_agrees(const struct role_document *document, const struct wm_value *definition) {
  struct wm_buf ours = WM_BUF_INIT, theirs = WM_BUF_INIT;
  role_document_to_json(document, &ours);
  wm_value_to_json(definition, &theirs);
  bool same =
      !ours.failed && !theirs.failed && ours.size == theirs.size && memcmp(ours.bytes, theirs.bytes, ours.size) == 0;
  wm_buf_release(&ours);
  wm_buf_release(&theirs);
  return same;
}

static int read_document(struct import *import, struct wm_text name, const struct wm_value *definition,
                         struct wm_text bytes) {
  struct role_document document;
  struct wm_error error = {0};
  if (!role_document_read(bytes, name, &import->arena, &document, &error))
    return error.code == WM_E_OUT_OF_MEMORY ? say_memory() : mistake(import, name, error.text);
  if (definition && !definition_agrees(&document, definition))
    return mistake(import, name,
                   "'definition' and 'document' say different things: take out the one that is not meant");
  return add_role(import, name, bytes);
}

static int read_definition(struct import *import, struct wm_text name, const struct wm_value *definition) {
  struct wm_buf yaml = WM_BUF_INIT;
  struct wm_text text;
  role_definition_to_yaml(definition, &yaml);
  int copied = yaml.failed ? -1 : wm_arena_text(&import->arena, (struct wm_text){yaml.bytes, yaml.size}, &text);
  wm_buf_release(&yaml);
  return copied < 0 ? say_memory() : read_document(import, name, NULL, text);
}

static int read_role(struct import *import, const struct wm_value *value) {
  const struct wm_value *definition = wm_value_member(value, WM_TEXT("definition"));
  const struct wm_value *document = wm_value_member(value, WM_TEXT("document"));
  const struct wm_value *archived = wm_value_member(wm_value_member(value, WM_TEXT("control")), WM_TEXT("archived"));
  struct wm_text name = wm_value_text(wm_value_member(value, WM_TEXT("role")));
  if (!name.bytes)
    return mistake(import, WM_NO_TEXT, "each value must be an object with a 'role', its name");
  if (!wm_text_is_name(name))
    return mistake(import, name, "that is no name of a role: [a-z0-9][a-z0-9-]{0,62}");
  if (is_known(import, name))
    return mistake(import, name, "it stands there twice");
  if (archived && archived->type == WM_BOOLEAN && archived->boolean)
    say(EXIT_FINE, "role '%.*s' was archived at run time where it comes from; that state is not imported",
        WM_TEXT_ARG(name));
  if (document && document->type == WM_STRING)
    return read_document(import, name, definition, document->string);
  if (!definition || definition->type != WM_OBJECT)
    return mistake(import, name, "it has neither a 'document', a text, nor a 'definition', an object");
  return read_definition(import, name, definition);
}

static int read_line(struct import *import, struct wm_text line, size_t number) {
  struct wm_value value;
  struct wm_error error = {0};
  import->line = number;
  if (wm_json_parse(line, &import->arena, &value, &error) < 0) {
    import->mistakes++;
    return error.code == WM_E_OUT_OF_MEMORY
               ? say_memory()
               : say(EXIT_BAD_NEWS, "%s:%zu: %s [%s]", import->path, number, error.text, wm_code_name(error.code));
  }
  int exit_code = EXIT_FINE;
  for (size_t i = 0; value.type == WM_LIST && i < value.list.count && exit_code != EXIT_BUG; i++)
    exit_code = read_role(import, &value.list.items[i]);
  return value.type == WM_LIST ? exit_code : read_role(import, &value);
}

/* One JSON value (a list, or a role), else one a line. */
static int read_values(struct import *import, struct wm_text whole) {
  struct wm_value value;
  struct wm_error error = {0};
  int exit_code = EXIT_FINE;
  if (wm_json_parse(whole, &import->arena, &value, &error) == 0)
    return read_line(import, whole, 1);
  for (size_t number = 1; whole.size > 0 && exit_code != EXIT_BUG; number++) {
    const char *newline = memchr(whole.bytes, '\n', whole.size);
    struct wm_text line = {whole.bytes, newline ? (size_t)(newline - whole.bytes) : whole.size};
    size_t used = line.size + (newline ? 1 : 0);
    whole = (struct wm_text){whole.bytes + used, whole.size - used};
    if (!line_is_blank(line))
      exit_code = read_line(import, line, number);
  }
  return exit_code == EXIT_BUG ? exit_code : EXIT_FINE;
}

/* --- writing --- */

/* Nothing that is there is written over, neither a role of the workspace nor a file. */
static void check_free(struct import *import) {
  for (size_t i = 0; i < import->count; i++) {
    struct import_role *role = &import->roles[i];
    const struct wm_role *there =
        import->loaded.workspace ? wm_workspace_role(import->loaded.workspace, role->name) : NULL;
    char what[512];
    struct stat status;
    if (there)
      snprintf(what, sizeof what, "it is in the catalogue already, at %.*s:%u", WM_TEXT_ARG(there->file), there->line);
    else if (lstat(role->file, &status) == 0)
      snprintf(what, sizeof what, "the file '%.400s' is there already", role->file);
    else
      continue;
    import->line = role->line;
    mistake(import, role->name, what);
  }
}

static int write_role(struct import_role *role) {
  int fd = open(role->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
  if (!file)
    return say(EXIT_USAGE, "can't write '%s': %s", role->file, strerror(errno));
  role->written = true;
  fwrite(role->document.bytes, 1, role->document.size, file);
  return output_close(role->file, file);
}

static int write_roles(struct import *import) {
  char *folder = NULL;
  int exit_code = EXIT_FINE;
  if (asprintf(&folder, "%s/" FOLDER, import->folder) < 0)
    return say_memory();
  if (mkdir(folder, 0777) < 0 && errno != EEXIST)
    exit_code = say(EXIT_USAGE, "can't make the folder '%s': %s", folder, strerror(errno));
  free(folder);
  for (size_t i = 0; i < import->count && exit_code == EXIT_FINE; i++)
    exit_code = write_role(&import->roles[i]);
  return exit_code;
}

static void take_back(struct import *import) {
  for (size_t i = 0; i < import->count; i++)
    if (import->roles[i].written)
      unlink(import->roles[i].file);
}

/* Written is only what the loader takes together with what was there. */
static int check_whole(struct import *import) {
  struct loaded after;
  int exit_code = workspace_open(import->invocation, options_argument(&import->invocation->options, WAY_FIRST + 1),
                                 SETTINGS_OFFLINE, &after);
  for (size_t i = 0; i < import->count && exit_code == EXIT_FINE; i++)
    if (!wm_workspace_role(after.workspace, import->roles[i].name))
      exit_code = say(EXIT_BAD_NEWS, "'%s' is no part of the workspace: does 'ignore' in its settings name it?",
                      import->roles[i].file);
  files_unload(&after);
  return exit_code;
}

static int write_all(struct import *import) {
  int exit_code = write_roles(import);
  if (exit_code == EXIT_FINE)
    exit_code = check_whole(import);
  if (exit_code != EXIT_FINE) {
    take_back(import);
    return say(exit_code, "nothing was imported");
  }
  for (size_t i = 0; i < import->count; i++)
    puts(import->roles[i].file);
  return EXIT_FINE;
}

/* --- the whole --- */

static int open_all(struct import *import, size_t *ret_size) {
  const char *argument = options_argument(&import->invocation->options, WAY_FIRST + 1);
  struct wm_error error = {0};
  import->folder = files_find_workspace(argument, options_value(&import->invocation->options, "workspace"), &error);
  if (!import->folder || files_load(import->folder, SETTINGS_OFFLINE, &import->loaded, &error) < 0)
    return say_error(EXIT_USAGE, &error);
  if (!import->loaded.workspace) {
    files_print_findings(&import->loaded.findings);
    return say(EXIT_BAD_NEWS, "nothing was imported: the workspace has invalid documents");
  }
  return file_read(import->path, &import->bytes, ret_size);
}

static int import_all(struct import *import) {
  char question[160];
  size_t size = 0;
  int exit_code = open_all(import, &size);
  if (exit_code == EXIT_FINE)
    exit_code = read_values(import, (struct wm_text){import->bytes, size});
  if (exit_code != EXIT_FINE)
    return exit_code;
  check_free(import);
  if (import->mistakes > 0 || import->count == 0)
    return say(EXIT_BAD_NEWS, "nothing was imported%s", import->count == 0 ? ": there is no role in it" : "");
  snprintf(question, sizeof question, "Write %zu role%s to %.80s/" FOLDER "?", import->count,
           import->count == 1 ? "" : "s", import->folder);
  if (!options_has(&import->invocation->options, "yes") && !say_ask(question))
    return say(EXIT_BAD_NEWS, "nothing was imported");
  return write_all(import);
}

int roles_import(const struct invocation *invocation) {
  struct import import = {.invocation = invocation, .path = options_argument(&invocation->options, WAY_FIRST)};
  wm_arena_init(&import.arena, 0);
  int exit_code = import_all(&import);
  for (size_t i = 0; i < import.count; i++)
    free(import.roles[i].file);
  free(import.roles);
  free(import.bytes);
  free(import.folder);
  wm_arena_release(&import.arena);
  files_unload(&import.loaded);
  return exit_code;
}
