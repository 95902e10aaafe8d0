/* The records of a table, CSV or JSON lines, each value with its name and place. What is wrong with the file itself
 * becomes findings here; what the values mean is for others. */
#ifndef WM_TOOLS_DIRECTORY_RECORDS_H
#define WM_TOOLS_DIRECTORY_RECORDS_H

#include <stdarg.h>

#include "core/finding.h"
#include "core/value.h"
#include "tools/directory/directory_csv.h"
#include "tools/lib/files.h"

enum records_format { RECORDS_BY_NAME, RECORDS_CSV, RECORDS_JSONL };

struct record_field {
  struct wm_text name;
  struct wm_value value; /* of CSV: a string */
  unsigned line, column;
};

struct record {
  struct record_field *fields; /* of CSV: as many as the header has, in its order */
  size_t count;
  unsigned line, column;
};

struct records {
  const char *path;
  enum records_format format;
  struct wm_findings *findings; /* borrowed */
  struct wm_arena arena;        /* of one record */
  struct wm_arena kept;         /* of the header */
  struct sheet *sheet;
  struct lines lines;
  struct record header; /* CSV: names and places */
  size_t size;          /* of the file; 0: not known */
  size_t position;
  size_t bad; /* records of which nothing could be made */
};

/* 'path' is borrowed until close, '-' is stdin. RECORDS_BY_NAME: by the ending. Reads the header of a CSV file.
 * EXIT_FINE; EXIT_BAD_NEWS with a finding; or another exit code, told. Close in any case. */
int records_open(const char *path, enum records_format format, char separator, struct wm_findings *findings,
                 struct records *ret);
void records_close(struct records *records);

/* The next record that could be read, borrowed until the next call; *ret_end: there is none. EXIT_FINE, or told. */
int records_next(struct records *records, struct record *ret, bool *ret_end);

/* Adds a finding about the file at a place. */
void records_find(const struct records *records, enum wm_severity severity, enum wm_code code, unsigned line,
                  unsigned column, const char *format, ...) __attribute__((format(printf, 6, 7)));
void records_vfind(const struct records *records, enum wm_severity severity, enum wm_code code, unsigned line,
                   unsigned column, const char *format, va_list arguments) __attribute__((format(printf, 6, 0)));

/* A stranger's text in a sentence, for "%.*s". */
#define SHOWN(text) WM_TEXT_ARG(wm_text_shown(text))

#endif
