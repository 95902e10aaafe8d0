/* libcsv tells cells, but not where they stand. So it is fed piece by piece: what can't end a cell at once, and each
 * separator, quote and line end alone; then the place before a piece is where the next cell begins. */
#include "tools/directory/directory_csv.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "tools/command.h"
#include "tools/lib/say.h"

#define CHUNK 65536
#define CSV_OPTIONS (CSV_STRICT | CSV_STRICT_FINI)

struct place {
  unsigned line, column;
};

struct sheet {
  const char *path;
  int fd;
  struct csv_parser parser;
  char separator;
  char bytes[CHUNK];
  size_t begin, end; /* what was read and not parsed */
  size_t read;       /* all bytes so far */
  bool ended, finished;

  struct place at;      /* of the next byte */
  bool after_cr;        /* a LF belongs to the CR before it */
  struct place cell;    /* where the cell began that is being parsed */
  bool cell_begins;     /* the next byte begins it */
  size_t cell_size;     /* bytes of it so far */
  struct wm_buf buffer; /* texts of the row */
  struct sheet_cell cells[SHEET_CELLS_LIMIT];
  size_t offsets[SHEET_CELLS_LIMIT];
  size_t count;
  bool crowded; /* more cells than that */
  bool row_ends;
};

static int fill(struct sheet *sheet) {
  ssize_t size;
  do
    size = read(sheet->fd, sheet->bytes + sheet->end, CHUNK - sheet->end);
  while (size < 0 && errno == EINTR);
  if (size < 0)
    return say(EXIT_USAGE, "can't read '%s': %s", sheet->path, strerror(errno));
  sheet->ended = size == 0;
  sheet->end += (size_t)size;
  sheet->read += (size_t)size;
  return EXIT_FINE;
}

/* The first line, or as much of it as a chunk holds: the separator is looked for in it. */
static int fill_first_line(struct sheet *sheet) {
  while (!sheet->ended && sheet->end < CHUNK && !memchr(sheet->bytes, '\n', sheet->end)) {
    int exit_code = fill(sheet);
    if (exit_code != EXIT_FINE)
      return exit_code;
  }
  return EXIT_FINE;
}

static char most_frequent(const struct sheet *sheet) {
  static const char candidates[] = ",;\t";
  size_t counts[sizeof candidates - 1] = {0}, best = 0;
  bool quoted = false;
  for (size_t i = sheet->begin; i < sheet->end && (quoted || !strchr("\r\n", sheet->bytes[i])); i++) {
    const char *candidate = sheet->bytes[i] ? strchr(candidates, sheet->bytes[i]) : NULL;
    quoted ^= sheet->bytes[i] == '"';
    if (candidate && !quoted)
      counts[candidate - candidates]++;
  }
  for (size_t i = 1; i < sizeof counts / sizeof *counts; i++)
    if (counts[i] > counts[best])
      best = i;
  return candidates[best];
}

static int begin_parser(struct sheet *sheet) {
  if (csv_init(&sheet->parser, CSV_OPTIONS) != 0)
    return say_memory();
  csv_set_delim(&sheet->parser, (unsigned char)sheet->separator);
  csv_set_blk_size(&sheet->parser, 4096);
  return EXIT_FINE;
}

static int begin_file(struct sheet *sheet, char separator) {
  int exit_code = fill_first_line(sheet);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (sheet->end >= 3 && memcmp(sheet->bytes, "\xef\xbb\xbf", 3) == 0)
    sheet->begin = 3;
  else if (sheet->end >= 2 && (memcmp(sheet->bytes, "\xff\xfe", 2) == 0 || memcmp(sheet->bytes, "\xfe\xff", 2) == 0))
    return say(EXIT_USAGE, "'%s' is UTF-16: save it as UTF-8", sheet->path);
  sheet->separator = separator ? separator : most_frequent(sheet);
  return begin_parser(sheet);
}

int sheet_open(const char *path, char separator, struct sheet **ret) {
  struct sheet *sheet = calloc(1, sizeof *sheet);
  *ret = sheet;
  if (!sheet)
    return say_memory();
  sheet->path = path;
  sheet->at = (struct place){1, 1};
  sheet->cell_begins = true;
  sheet->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (sheet->fd < 0)
    return say(EXIT_USAGE, "can't read '%s': %s", path, strerror(errno));
  return begin_file(sheet, separator);
}

void sheet_close(struct sheet *sheet) {
  if (!sheet)
    return;
  csv_free(&sheet->parser);
  wm_buf_release(&sheet->buffer);
  if (sheet->fd > STDERR_FILENO)
    close(sheet->fd);
  free(sheet);
}

size_t sheet_position(const struct sheet *sheet) {
  return sheet->read;
}

/* --- what libcsv calls --- */

static void on_cell(void *bytes, size_t size, void *opaque) {
  struct sheet *sheet = opaque;
  sheet->cell_begins = true;
  sheet->cell_size = 0;
  if (sheet->count == SHEET_CELLS_LIMIT) {
    sheet->crowded = true;
    return;
  }
  sheet->cells[sheet->count] =
      (struct sheet_cell){.text.size = size, .line = sheet->cell.line, .column = sheet->cell.column};
  sheet->offsets[sheet->count++] = sheet->buffer.size;
  wm_buf_add(&sheet->buffer, bytes, size);
}

static void on_row(int end, void *opaque) {
  (void)end;
  ((struct sheet *)opaque)->row_ends = true;
}

/* --- places --- */

static bool ends_line(char c) {
  return c == '\n' || c == '\r';
}

static void pass(struct sheet *sheet, size_t size) {
  for (const char *c = sheet->bytes + sheet->begin, *end = c + size; c < end; c++) {
    if (*c == '\r' || (*c == '\n' && !sheet->after_cr))
      sheet->at = (struct place){sheet->at.line + 1, 1};
    else if (*c != '\n' && ((unsigned char)*c & 0xc0) != 0x80) /* the first byte of a character */
      sheet->at.column++;
    sheet->after_cr = *c == '\r';
  }
  sheet->begin += size;
  sheet->cell_size += size;
}

/* How many bytes may be parsed together. */
static size_t piece_size(const struct sheet *sheet) {
  size_t at = sheet->begin;
  while (at < sheet->end && sheet->bytes[at] != sheet->separator && sheet->bytes[at] != '"' &&
         !ends_line(sheet->bytes[at]))
    at++;
  return at > sheet->begin ? at - sheet->begin : 1;
}

/* --- rows --- */

static void clear_row(struct sheet *sheet) {
  wm_buf_clear(&sheet->buffer);
  sheet->count = 0;
  sheet->crowded = sheet->row_ends = false;
}

static bool row_is_blank(const struct sheet *sheet) {
  for (size_t i = 0; i < sheet->count; i++)
    if (sheet->cells[i].text.size > 0)
      return false;
  return true;
}

static void give_row(struct sheet *sheet, struct sheet_row *ret) {
  for (size_t i = 0; i < sheet->count; i++)
    sheet->cells[i].text.bytes = sheet->buffer.bytes ? sheet->buffer.bytes + sheet->offsets[i] : "";
  *ret = (struct sheet_row){sheet->cells, sheet->count};
}

/* Drops what was parsed of the row, and the rest of this line. */
static enum sheet_answer skip_line(struct sheet *sheet) {
  clear_row(sheet);
  csv_free(&sheet->parser);
  if (begin_parser(sheet) != EXIT_FINE)
    return SHEET_FAILED;
  sheet->cell_begins = true;
  sheet->cell_size = 0;
  while (!sheet->ended) {
    while (sheet->begin < sheet->end && !ends_line(sheet->bytes[sheet->begin]))
      pass(sheet, 1);
    if (sheet->begin < sheet->end)
      break;
    sheet->begin = sheet->end = 0;
    if (fill(sheet) != EXIT_FINE)
      return SHEET_FAILED;
  }
  return SHEET_BROKEN;
}

static enum sheet_answer broken(struct sheet *sheet, struct place place, const char *text, struct wm_error *error) {
  wm_error_set(error, WM_E_DIRECTORY_SYNTAX, "%s", text);
  error->line = place.line;
  error->column = place.column;
  return skip_line(sheet);
}

static enum sheet_answer misplaced_quote(struct sheet *sheet, struct wm_error *error) {
  static const char rule[] = "a cell with quotes is quoted as a whole, and each quote inside is doubled";
  char text[200];
  if (csv_error(&sheet->parser) != CSV_EPARSE) {
    say_memory();
    return SHEET_FAILED;
  }
  snprintf(text, sizeof text, "a cell that is not quoted right at line %u, column %u: %s", sheet->at.line,
           sheet->at.column, rule);
  return broken(sheet, sheet->cell, text, error);
}

/* The last line may lack its end. */
static enum sheet_answer finish(struct sheet *sheet, struct sheet_row *ret, struct wm_error *error) {
  if (sheet->finished)
    return SHEET_END;
  sheet->finished = true;
  if (sheet->cell_begins) /* an empty cell behind the last separator */
    sheet->cell = sheet->at;
  if (csv_fini(&sheet->parser, on_cell, on_row, sheet) != 0)
    return broken(sheet, sheet->cell, "a quoted cell that does not end", error);
  if (row_is_blank(sheet))
    return SHEET_END;
  give_row(sheet, ret);
  return SHEET_ROW;
}

static enum sheet_answer too_large(struct sheet *sheet, struct wm_error *error) {
  if (sheet->crowded)
    return broken(sheet, sheet->cell, "a row of more than 512 cells", error);
  return broken(sheet, sheet->cell, "a cell of more than 4 MiB; is a quote not closed?", error);
}

static void note_begin(struct sheet *sheet) {
  if (!sheet->cell_begins || (sheet->count == 0 && ends_line(sheet->bytes[sheet->begin])))
    return;
  sheet->cell = sheet->at;
  sheet->cell_begins = false;
  sheet->cell_size = 0;
}

enum sheet_answer sheet_next(struct sheet *sheet, struct sheet_row *ret, struct wm_error *error) {
  clear_row(sheet);
  for (;;) {
    if (sheet->begin == sheet->end && !sheet->ended) {
      sheet->begin = sheet->end = 0;
      if (fill(sheet) != EXIT_FINE)
        return SHEET_FAILED;
    }
    if (sheet->begin == sheet->end)
      return finish(sheet, ret, error);
    note_begin(sheet);
    size_t size = piece_size(sheet);
    size_t used = csv_parse(&sheet->parser, sheet->bytes + sheet->begin, size, on_cell, on_row, sheet);
    pass(sheet, used);
    if (used < size)
      return misplaced_quote(sheet, error);
    if (sheet->crowded || sheet->cell_size > SHEET_CELL_LIMIT)
      return too_large(sheet, error);
    if (sheet->buffer.failed) {
      say_memory();
      return SHEET_FAILED;
    }
    if (sheet->row_ends && !row_is_blank(sheet)) {
      give_row(sheet, ret);
      return SHEET_ROW;
    }
    if (sheet->row_ends)
      clear_row(sheet);
  }
}
