/* YAML text to nodes with places: the only file that knows libyaml. */
#ifndef WM_CODEC_YAML_H
#define WM_CODEC_YAML_H

#include "core/arena.h"
#include "core/finding.h"
#include "core/value.h"

enum wm_node_kind { WM_NODE_SCALAR, WM_NODE_LIST, WM_NODE_MAP };

struct wm_node {
  enum wm_node_kind kind;
  unsigned line, column;
  bool plain;            /* a scalar without quotes (and no block): core schema types apply */
  bool block;            /* a literal or folded block scalar */
  bool broken;           /* holds something that was refused and reported: say no more about its text */
  bool comment_behind;   /* a plain scalar with a comment on its line that may have been meant as its end */
  struct wm_text text;   /* scalar: as it is written, unquoted and unfolded */
  struct wm_node *items; /* list: values; map: key, value, key, value ... in file order */
  size_t count;          /* list: values; map: pairs */
};

struct wm_document {
  struct wm_node root;
  struct wm_text bytes; /* of the document, without its '---', for its digest; borrowed from the input */
};

#define WM_DOCUMENT_LIMIT 1048576
#define WM_FILE_LIMIT (64 * 1048576)

/* Reads every document of a file. Anchors, aliases, '<<', tags, tabs outside quotes, bad UTF-8, duplicate keys, size
 * and depth are refused here, each located and invalid. Where reading can go on after that, the document is returned
 * nevertheless, so that its other mistakes are found too; where it can't, it is left out and '*ret_lost' (may be NULL)
 * counts it. The next '---' always goes on. Empty documents are left out. -1 only when out of memory. */
int wm_yaml_read(struct wm_text file, struct wm_text bytes, struct wm_arena *arena, struct wm_findings *findings,
                 struct wm_document **ret, size_t *ret_count, size_t *ret_lost);

/* The scalar as the YAML 1.2 core schema types it (quoted: a string); borrows the text. Not for lists and maps.
 * Numbers that do not fit and .inf, .nan are strings with *ret_odd set (may be NULL). */
struct wm_value wm_node_value(const struct wm_node *scalar, bool *ret_odd);

/* A plain number that an older YAML would read as octal: 01234, -007. */
bool wm_node_has_leading_zero(const struct wm_node *scalar);

/* The value node of a key; NULL: not there. */
const struct wm_node *wm_node_get(const struct wm_node *map, const char *key);

#endif
