/* The document of a role: as it stands in its file, as JSON, and from JSON again. */
#ifndef WM_TOOLS_ROLES_DOCUMENT_H
#define WM_TOOLS_ROLES_DOCUMENT_H

#include "core/codec/yaml.h"
#include "core/workspace.h"

/* Borrowed from the files or the arena that it came from. */
struct role_document {
  struct wm_node root;
  struct wm_text bytes; /* verbatim */
};

/* Files of a workspace that were read, each once. */
struct role_file;
struct role_files {
  struct role_file *files; /* a list, the newest first */
  struct wm_arena arena;
};
void role_files_init(struct role_files *files);
void role_files_release(struct role_files *files);

/* The document of a role that was loaded. EXIT_FINE, or what went wrong, told: the file has changed meanwhile. */
int role_files_find(struct role_files *files, const struct wm_role *role, struct role_document *ret);

/* Reads one document that must be a role of this name ('ret' borrows from 'bytes' and 'arena'). False: it is not;
 * 'error' says why. */
bool role_document_read(struct wm_text bytes, struct wm_text name, struct wm_arena *arena, struct role_document *ret,
                        struct wm_error *error);

/* Appends what it says as JSON; texts of the role stay texts, however they look. */
void role_document_to_json(const struct role_document *document, struct wm_buf *buf);

/* Appends a YAML document that says what 'definition' says: an object. */
void role_definition_to_yaml(const struct wm_value *definition, struct wm_buf *buf);

/* Is there such a role? EXIT_FINE, or EXIT_BAD_NEWS, told with what may have been meant. */
int role_check_name(const struct wm_workspace *workspace, struct wm_text name);

#endif
