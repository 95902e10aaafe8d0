/* Rows of a CSV file (RFC 4180), each cell with its place: the only file that knows libcsv. */
#ifndef WM_TOOLS_DIRECTORY_CSV_H
#define WM_TOOLS_DIRECTORY_CSV_H

#include "core/error.h"
#include "core/text.h"

#define SHEET_CELLS_LIMIT 512              /* in one row */
#define SHEET_CELL_LIMIT ((size_t)4 << 20) /* bytes of one cell */

struct sheet;

struct sheet_cell {
  struct wm_text text; /* without quotes; blanks around a cell without quotes are taken off */
  unsigned line, column;
};

/* Borrowed until the next call. */
struct sheet_row {
  const struct sheet_cell *cells;
  size_t count; /* 1 or more */
};

enum sheet_answer {
  SHEET_ROW,
  SHEET_BROKEN, /* 'error' has line, column and sentence; the next call goes on behind that line */
  SHEET_END,
  SHEET_FAILED /* told on stderr */
};

/* 'path' is borrowed until close, '-' is stdin. 'separator' 0: of comma, semicolon and tab the one that stands most in
 * the first line. A BOM is skipped; a line may end with LF, CRLF or CR; rows without a cell that is not empty are left
 * out. EXIT_FINE, or what went wrong (told); close in any case. */
int sheet_open(const char *path, char separator, struct sheet **ret);
void sheet_close(struct sheet *sheet); /* NULL is fine */

enum sheet_answer sheet_next(struct sheet *sheet, struct sheet_row *ret, struct wm_error *error);

/* How far it is: bytes of the file that were read. */
size_t sheet_position(const struct sheet *sheet);

#endif
