/* How the loader reads mappings: tables of keys, one small function per kind of value. Private to the loader. */
#ifndef WM_CODEC_LOAD_PARTS_H
#define WM_CODEC_LOAD_PARTS_H

#include "core/codec/yaml.h"
#include "core/workspace.h"

/* One document while it is read. Everything that is kept is copied to 'arena'. */
struct load {
  struct wm_arena *arena;
  struct wm_findings *findings;
  struct wm_text file;         /* lives as long as 'arena' */
  struct wm_silences silences; /* of the document that is read */
  bool memory;                 /* out of it: nothing of the result counts */
};

struct wm_case;
struct load_key;

/* Reads 'value' into 'place', which is 'key->offset' bytes into the struct that is filled; reports what is wrong. */
typedef void load_fn(struct load *load, const struct load_key *key, const struct wm_node *value, void *place);

/* One key of a mapping. Tables end with a row without a name. */
struct load_key {
  const char *name;
  load_fn *read;
  size_t offset;
  bool required;
  bool prose;               /* written for people: a '#' in it is likely no comment */
  const char *const *words; /* for load_word: the enumeration in its order, ended by NULL */
};

#define LOAD_KEYS_LIMIT 32

/* Reads a mapping by its table; 'what' is how a user calls it ("an automation"). Unknown and missing keys are
 * reported. False: 'map' is none, that was reported. */
bool load_map(struct load *load, const struct wm_node *map, const char *what, const struct load_key *keys, void *into);

load_fn load_text;      /* struct wm_text: a plain scalar as it is written; an optional empty one is WM_NO_TEXT */
load_fn load_filled;    /* struct wm_text: never empty, though the key may be left out */
load_fn load_name;      /* struct wm_text: contract 3 */
load_fn load_word;      /* an enum, by 'words' */
load_fn load_boolean;   /* bool */
load_fn load_sequence;  /* int64_t, within +-2^53 */
load_fn load_duration;  /* int64_t, microseconds, more than 0 */
load_fn load_template;  /* struct wm_template */
load_fn load_recipient; /* struct wm_text: user, manager or an address */
load_fn load_condition; /* struct wm_condition: contract 5 */
load_fn load_silence;   /* into load->silences */
load_fn load_anything;

/* A list of texts that is not empty: a new array. A scalar is a list of one where 'scalar' says so. */
bool load_texts(struct load *load, const struct load_key *key, const struct wm_node *value, bool scalar,
                struct wm_text **ret, size_t *ret_count);

/* A key that the YAML reader has refused already. */
bool load_is_reported(const struct wm_node *key);

/* Does the mapping have such a key? What is missing may have been meant by it. */
bool load_has_reported(const struct wm_node *map);

/* The text of a scalar node. False: it is none, or broken; that was reported. */
bool load_scalar(struct load *load, const char *name, const struct wm_node *value, struct wm_text *ret);

/* A copy that lives as long as the workspace. */
struct wm_text load_copy(struct load *load, struct wm_text text);
void *load_array(struct load *load, size_t count, size_t size);

/* The tasks of an automation; those that could not be read are left out. */
void load_tasks(struct load *load, const struct wm_node *list, struct wm_task **ret, size_t *ret_count);

/* Whole documents: what could be read of them. */
void load_automation(struct load *load, const struct wm_node *root, struct wm_automation *ret);
void load_role(struct load *load, const struct wm_node *root, struct wm_role *ret);
void load_channel(struct load *load, const struct wm_node *root, struct wm_channel *ret);
void load_test(struct load *load, const struct wm_node *root, struct wm_case *ret);

/* Warns of an event type that is nearly one of the journeys'. */
void load_warn_of_slip(struct load *load, const struct wm_node *node, struct wm_text type);

const char *load_kind_name(const struct wm_node *node); /* "text", "a list", "a mapping" */

#define load_invalid(load, node, code, ...)                                                                            \
  wm_findings_add((load)->findings, WM_INVALID, (code), (load)->file, (node)->line, (node)->column, __VA_ARGS__)
#define load_warning(load, node, code, ...)                                                                            \
  wm_findings_add((load)->findings, WM_WARNING, (code), (load)->file, (node)->line, (node)->column, __VA_ARGS__)

/* ", did you mean 'x'" for printf: LOAD_NEAR in the format, LOAD_NEAR_ARG(near) behind; near may be NULL. */
#define LOAD_NEAR "%s%s%s"
#define LOAD_NEAR_ARG(near) (near) ? ", did you mean '" : "", (near) ? (near) : "", (near) ? "'" : ""

#endif
