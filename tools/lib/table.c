#include "tools/lib/table.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/lib/say.h"

struct table_cell {
  char *text;
  size_t width;
  enum style style;
};

static const char *const sequences[] = {
    [STYLE_PLAIN] = "",         [STYLE_BOLD] = "\033[1m",  [STYLE_DIM] = "\033[2m",   [STYLE_GOOD] = "\033[32m",
    [STYLE_BAD] = "\033[1;31m", [STYLE_WARN] = "\033[33m", [STYLE_NOTE] = "\033[36m",
};

bool style_wanted(FILE *file) {
  const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
  return isatty(fileno(file)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static void print_styled(FILE *file, bool colours, enum style style, const char *text, size_t size) {
  colours = colours && style != STYLE_PLAIN && size > 0;
  if (colours)
    fputs(sequences[style], file);
  fwrite(text, 1, size, file);
  if (colours)
    fputs("\033[0m", file);
}

static void add_safe(struct wm_buf *buf, const char *format, va_list arguments) {
  char *text = NULL;
  int size = vasprintf(&text, format, arguments);
  if (size < 0) {
    buf->failed = true;
    return;
  }
  say_safe(buf, (struct wm_text){text, (size_t)size});
  free(text);
}

void style_print(FILE *file, enum style style, const char *format, ...) {
  struct wm_buf buf = WM_BUF_INIT;
  va_list arguments;
  va_start(arguments, format);
  add_safe(&buf, format, arguments);
  va_end(arguments);
  if (!buf.failed && buf.bytes)
    print_styled(file, style_wanted(file), style, buf.bytes, buf.size);
  wm_buf_release(&buf);
}

/* Characters that take no column, and those that take two; all others take one. */
static const struct {
  uint32_t first, last;
  size_t width;
} widths[] = {
    {0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05bd, 0},   {0x064b, 0x065f, 0},   {0x1100, 0x115f, 2},
    {0x200b, 0x200f, 0},   {0x202a, 0x202e, 0},   {0x2060, 0x2064, 0},   {0x20d0, 0x20f0, 0},   {0x2e80, 0x303e, 2},
    {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},
    {0xfe30, 0xfe6f, 2},   {0xfeff, 0xfeff, 0},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2},
    {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2}, {0xe0100, 0xe01ef, 0},
};

static size_t code_point_width(uint32_t code_point) {
  for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
    if (code_point >= widths[i].first && code_point <= widths[i].last)
      return widths[i].width;
  return 1;
}

/* Decodes the character at 'at' of valid UTF-8 and moves on. */
static uint32_t next_code_point(struct wm_text text, size_t *at) {
  unsigned char lead = (unsigned char)text.bytes[*at];
  size_t more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  uint32_t code_point = more == 0 ? lead : lead & (0x3fu >> more);
  for (*at += 1; more > 0 && *at < text.size; more--, *at += 1)
    code_point = code_point << 6 | ((unsigned char)text.bytes[*at] & 0x3fu);
  return code_point;
}

/* Bytes of the longest beginning that fits into 'columns'; 'ret_width' is what it takes. */
static size_t fitting(struct wm_text text, size_t columns, size_t *ret_width) {
  size_t at = 0;
  *ret_width = 0;
  while (at < text.size) {
    size_t next = at, width = code_point_width(next_code_point(text, &next));
    if (*ret_width + width > columns)
      break;
    *ret_width += width;
    at = next;
  }
  return at;
}

size_t text_width(struct wm_text text) {
  size_t width;
  fitting(text, SIZE_MAX, &width);
  return width;
}

void table_init(struct table *table, const char *const *heads) {
  *table = (struct table){.heads = heads};
  for (; heads[table->columns] && table->columns < TABLE_COLUMNS; table->columns++)
    table->widths[table->columns] = text_width(wm_text_of(heads[table->columns]));
}

static void forget_rows(struct table *table) {
  for (size_t i = 0; i < table->count; i++)
    free(table->cells[i].text);
  table->count = 0;
}

void table_release(struct table *table) {
  forget_rows(table);
  free(table->cells);
  *table = (struct table){0};
}

static void take_cell(struct table *table, enum style style, struct wm_buf *text) {
  if (table->count == table->capacity) {
    size_t capacity = table->capacity ? 2 * table->capacity : 64;
    struct table_cell *cells = reallocarray(table->cells, capacity, sizeof *cells);
    if (!cells)
      text->failed = true;
    else
      table->cells = cells, table->capacity = capacity;
  }
  if (text->failed) {
    table->failed = true;
    wm_buf_release(text);
    return;
  }
  size_t *width = &table->widths[table->count % table->columns];
  struct table_cell *cell = &table->cells[table->count++];
  *cell = (struct table_cell){.text = text->bytes, .style = style};
  cell->width = text->bytes ? text_width((struct wm_text){text->bytes, text->size}) : 0;
  if (cell->width > *width)
    *width = cell->width;
}

void table_cell(struct table *table, enum style style, const char *format, ...) {
  struct wm_buf buf = WM_BUF_INIT;
  va_list arguments;
  va_start(arguments, format);
  add_safe(&buf, format, arguments);
  va_end(arguments);
  take_cell(table, style, &buf);
}

void table_text(struct table *table, enum style style, struct wm_text text) {
  struct wm_buf buf = WM_BUF_INIT;
  say_safe(&buf, text);
  take_cell(table, style, &buf);
}

size_t table_rows(const struct table *table) {
  return table->columns ? table->count / table->columns : 0;
}

/* What a table is printed on; asked once for many rows. */
struct page {
  FILE *file;
  bool colours;
  size_t edge; /* columns of a line; SIZE_MAX: no end */
  bool single; /* a row is one line, whatever is cut */
};

static struct page page_of(FILE *file) {
  struct page page = {.file = file, .colours = style_wanted(file), .edge = SIZE_MAX};
  struct winsize size;
  if (isatty(fileno(file)) && ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
    page.edge = size.ws_col;
  return page;
}

/* One cell, and blanks behind it up to 'pad' columns; nothing is printed past the edge. Returns the column it ends in.
 */
static size_t print_cell(const struct page *page, const struct table_cell *cell, size_t pad, size_t from) {
  size_t room = page->edge > from ? page->edge - from : 0, shown = cell->width;
  size_t size = cell->text ? strlen(cell->text) : 0;
  bool cut = cell->width > room;
  if (cut)
    size = fitting((struct wm_text){cell->text, size}, room ? room - 1 : 0, &shown);
  print_styled(page->file, page->colours, cell->style, cell->text ? cell->text : "", size);
  if (cut && room)
    fputs("…", page->file), shown++;
  for (; shown < pad && shown < room; shown++)
    putc(' ', page->file);
  return from + shown;
}

/* Where the last column begins. */
static size_t last_column(const struct table *table) {
  size_t at = table->indent;
  for (size_t i = 0; i + 1 < table->columns; i++)
    at += table->widths[i] + 2;
  return at;
}

static void print_cells(const struct table *table, const struct page *page, const struct table_cell *cells,
                        size_t count) {
  fprintf(page->file, "%*s", (int)table->indent, "");
  size_t at = table->indent;
  for (size_t i = 0; i < count; i++)
    at = print_cell(page, &cells[i], i + 1 < count ? table->widths[i] + 2 : 0, at);
  putc('\n', page->file);
}

static void print_row(const struct table *table, const struct page *page, const struct table_cell *cells) {
  size_t last = table->columns; /* no blanks at the end of a line */
  while (last > 1 && cells[last - 1].width == 0)
    last--;
  const struct table_cell *note = last == table->columns && last > 1 ? &cells[last - 1] : NULL;
  bool wraps = note && !page->single && last_column(table) + note->width > page->edge;
  print_cells(table, page, cells, last - wraps);
  if (!wraps)
    return;
  fprintf(page->file, "%*s↳ ", (int)table->indent + 2, "");
  print_cell(page, note, 0, table->indent + 4);
  putc('\n', page->file);
}

static void print_head(const struct table *table, const struct page *page) {
  struct table_cell cells[TABLE_COLUMNS];
  for (size_t i = 0; i < table->columns; i++) {
    char *text = (char *)(uintptr_t)table->heads[i]; /* only looked at */
    cells[i] = (struct table_cell){.text = text, .width = text_width(wm_text_of(text)), .style = STYLE_DIM};
  }
  print_cells(table, page, cells, table->columns);
}

static void print_on(struct table *table, const struct page *page) {
  size_t rows = table_rows(table);
  if (rows > 0 && !table->headed)
    print_head(table, page);
  for (size_t row = 0; row < rows; row++)
    print_row(table, page, table->cells + row * table->columns);
  table->headed = table->headed || rows > 0;
  forget_rows(table);
}

void table_print(struct table *table, FILE *file) {
  struct page page = page_of(file);
  print_on(table, &page);
}

void table_print_page(struct table *table, FILE *file, bool colours, size_t edge) {
  const struct page page = {.file = file, .colours = colours, .edge = edge, .single = true};
  print_on(table, &page);
}
