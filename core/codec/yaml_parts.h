/* What the files of the YAML reader share. */
#ifndef WM_CODEC_YAML_PARTS_H
#define WM_CODEC_YAML_PARTS_H

#include "core/codec/yaml.h"

/* One document in its file. */
struct yaml_part {
  struct wm_text bytes;   /* with its '---' line and directives */
  struct wm_text content; /* behind the '---' */
  unsigned line;          /* of the first byte of 'bytes' */
  bool idle;              /* blank: nothing to parse */
};

/* Cuts a file at lines that begin with '---' or '...', so that a mistake in one document does not hide the next. */
struct yaml_cutter {
  struct wm_text file;
  size_t at;
  unsigned line;
};

/* Begins behind a byte order mark. */
void wm_yaml_cut_begin(struct yaml_cutter *cutter, struct wm_text file);
bool wm_yaml_cut_next(struct yaml_cutter *cutter, struct yaml_part *ret);

/* A place that walks forward through a document. */
struct yaml_cursor {
  struct wm_text bytes;
  size_t offset; /* in bytes */
  size_t index;  /* in code points */
  unsigned line, column;
};

/* One code point further; CRLF is one line end. */
void wm_yaml_cursor_step(struct yaml_cursor *cursor);

/* The first byte that is not UTF-8, or code point that YAML does not allow or reads as a line end only in older
 * versions. False: none, the cursor stands at the end; true: it stands there and 'ret' is a sentence about it. */
bool wm_yaml_find_bad(struct yaml_cursor *cursor, const char **ret);

/* What libyaml says, as an administrator would understand it. */
struct yaml_fault {
  const char *problem, *context; /* as libyaml writes them; context NULL: any */
  bool at_context;               /* the context's place says more than the problem's */
  enum wm_code code;
  const char *text;
  char repair; /* what to put in the place of the character at fault, to read on; 0: reading can't go on */
};

/* NULL: a problem that has no sentence of its own. */
const struct yaml_fault *wm_yaml_fault(const char *problem, const char *context);

#define YAML_DEPTH_LIMIT 32
#define YAML_REPAIRS_LIMIT 32

struct yaml_problem {
  enum wm_code code;
  unsigned line, column;
  struct wm_text text;
};

struct yaml_frame {
  struct wm_node node; /* 'count' is the number of items until the collection ends */
  size_t capacity;
};

struct yaml_reader {
  struct wm_arena *arena;
  struct yaml_part part;
  char *copy;                         /* of part.bytes, with repairs; NULL: none so far */
  size_t repairs[YAML_REPAIRS_LIMIT]; /* code points that were replaced */
  size_t repair_count;
  struct yaml_problem *problems; /* those of earlier passes come first */
  size_t problem_count, problem_capacity, kept;
  struct yaml_cursor cursor; /* over part.bytes: how far tabs were looked for */
  unsigned tab_line;         /* where the last one was found */
  struct yaml_frame frames[YAML_DEPTH_LIMIT];
  size_t depth;
  struct wm_node root;
  bool has_root, memory;
};

/* Notes what is wrong; the same at the same place is noted once. */
void wm_yaml_note(struct yaml_reader *reader, enum wm_code code, unsigned line, unsigned column, const char *text);

/* A sentence with a node's text in front, cut when it is long. */
void wm_yaml_note_about(struct yaml_reader *reader, enum wm_code code, const struct wm_node *node, const char *behind);

/* Goes on to a code point; what lies between is quoted text or is looked through for tabs, one a line. */
void wm_yaml_go_to(struct yaml_reader *reader, size_t index, bool quoted);

/* Begins a collection (the caller minds the limit), ends the newest one, adds a scalar. */
void wm_yaml_begin(struct yaml_reader *reader, enum wm_node_kind kind, unsigned line, unsigned column);
void wm_yaml_end(struct yaml_reader *reader);
void wm_yaml_add(struct yaml_reader *reader, const struct wm_node *node);

#endif
