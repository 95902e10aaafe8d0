#include "tools/directory/directory_records.h"

#include <strings.h>
#include <sys/stat.h>

#include "core/codec/json.h"
#include "tools/lib/say.h"

void records_vfind(const struct records *records, enum wm_severity severity, enum wm_code code, unsigned line,
                   unsigned column, const char *format, va_list arguments) {
  struct wm_buf safe = WM_BUF_INIT;
  char text[1024];
  vsnprintf(text, sizeof text, format, arguments);
  say_safe(&safe, wm_text_of(text));
  wm_findings_add(records->findings, severity, code, wm_text_of(records->path), line, column, "%s",
                  safe.bytes ? safe.bytes : "");
  wm_buf_release(&safe);
}

void records_find(const struct records *records, enum wm_severity severity, enum wm_code code, unsigned line,
                  unsigned column, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  records_vfind(records, severity, code, line, column, format, arguments);
  va_end(arguments);
}

static const struct {
  const char *ending;
  enum records_format format;
} endings[] = {
    {".csv", RECORDS_CSV},     {".tsv", RECORDS_CSV},      {".txt", RECORDS_CSV},
    {".jsonl", RECORDS_JSONL}, {".ndjson", RECORDS_JSONL}, {".json", RECORDS_JSONL},
};

static enum records_format format_of(const char *path) {
  const char *ending = strrchr(path, '.');
  for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++)
    if (strcasecmp(ending, endings[i].ending) == 0)
      return endings[i].format;
  return RECORDS_BY_NAME;
}

/* --- CSV --- */

/* Copies the cells of a row into fields that 'arena' keeps. False: a cell is no text; it was told. */
static bool take_cells(struct records *records, const struct sheet_row *row, struct wm_arena *arena,
                       struct record *ret) {
  bool fine = true;
  *ret = (struct record){.line = row->cells[0].line, .column = row->cells[0].column};
  ret->fields = WM_ARENA_ARRAY(arena, struct record_field, row->count);
  for (size_t i = 0; ret->fields && i < row->count; i++) {
    const struct sheet_cell *cell = &row->cells[i];
    struct record_field *field = &ret->fields[ret->count++];
    *field = (struct record_field){.value.type = WM_STRING, .line = cell->line, .column = cell->column};
    if (wm_arena_text(arena, cell->text, &field->value.string) < 0)
      records->findings->failed = true;
    size_t at;
    bool utf8 = wm_text_is_utf8(cell->text, &at);
    if (utf8 && (cell->text.size == 0 || !memchr(cell->text.bytes, '\0', cell->text.size)))
      continue;
    fine = false;
    records_find(records, WM_ERROR, WM_E_DIRECTORY_SYNTAX, cell->line, cell->column,
                 utf8 ? "a cell with a NUL in it" : "a cell that is not UTF-8: save the file as UTF-8");
  }
  records->findings->failed |= !ret->fields;
  return fine && ret->fields;
}

static int read_header(struct records *records) {
  struct sheet_row row;
  struct wm_error error = {0};
  enum sheet_answer answer = sheet_next(records->sheet, &row, &error);
  if (answer == SHEET_FAILED)
    return EXIT_BUG;
  if (answer == SHEET_ROW && take_cells(records, &row, &records->kept, &records->header)) {
    for (size_t i = 0; i < records->header.count; i++)
      records->header.fields[i].name = records->header.fields[i].value.string;
    return EXIT_FINE;
  }
  if (answer == SHEET_END)
    records_find(records, WM_ERROR, WM_E_DIRECTORY_SYNTAX, 1, 1, "the file is empty: its first line names the columns");
  if (answer == SHEET_BROKEN)
    records_find(records, WM_ERROR, error.code, error.line, error.column, "%s", error.text);
  return EXIT_BAD_NEWS;
}

/* Is the row a record? What is wrong with it was told. */
static bool take_row(struct records *records, const struct sheet_row *row, struct record *ret) {
  size_t wanted = records->header.count;
  wm_arena_rewind(&records->arena);
  if (!take_cells(records, row, &records->arena, ret))
    return false;
  if (ret->count != wanted) {
    records_find(records, WM_ERROR, WM_E_DIRECTORY_SYNTAX, ret->line, ret->column,
                 "a row of %zu cells, where the header names %zu columns", ret->count, wanted);
    return false;
  }
  for (size_t i = 0; i < wanted; i++)
    ret->fields[i].name = records->header.fields[i].name;
  return true;
}

static int next_row(struct records *records, struct record *ret, bool *ret_end) {
  for (;;) {
    struct sheet_row row;
    struct wm_error error = {0};
    enum sheet_answer answer = sheet_next(records->sheet, &row, &error);
    records->position = sheet_position(records->sheet);
    if (answer == SHEET_FAILED)
      return EXIT_BUG;
    *ret_end = answer == SHEET_END;
    if (*ret_end || (answer == SHEET_ROW && take_row(records, &row, ret)))
      return EXIT_FINE;
    if (answer == SHEET_BROKEN)
      records_find(records, WM_ERROR, error.code, error.line, error.column, "%s", error.text);
    records->bad++;
  }
}

/* --- JSON lines --- */

static size_t skip_string(struct wm_text text, size_t at) {
  for (at++; at < text.size && text.bytes[at] != '"'; at++)
    at += text.bytes[at] == '\\';
  return at;
}

/* Where the next value below the whole object begins: behind a colon at depth 1. 'at' goes on from call to call. */
static size_t next_value(struct wm_text text, size_t *at) {
  size_t depth = *at > 0;
  for (; *at < text.size; ++*at) {
    char c = text.bytes[*at];
    depth += c == '{' || c == '[';
    depth -= c == '}' || c == ']';
    if (c == '"')
      *at = skip_string(text, *at);
    if (c == ':' && depth == 1) {
      ++*at;
      size_t begin = *at;
      while (begin < text.size && strchr(" \t", text.bytes[begin]))
        begin++;
      return begin;
    }
  }
  return 0;
}

static unsigned column_of(struct wm_text text, size_t offset) {
  unsigned column = 1;
  for (size_t i = 0; i < offset && i < text.size; i++)
    column += ((unsigned char)text.bytes[i] & 0xc0) != 0x80;
  return column;
}

/* Members that are null count as if they were not there. */
static bool take_object(struct records *records, struct wm_text text, const struct wm_value *value,
                        struct record *ret) {
  *ret = (struct record){.line = (unsigned)records->lines.number, .column = 1};
  if (value->type != WM_OBJECT) {
    records_find(records, WM_ERROR, WM_E_DIRECTORY_SYNTAX, ret->line, 1, "a line that is not a JSON object");
    return false;
  }
  ret->fields = WM_ARENA_ARRAY(&records->arena, struct record_field, value->object.count);
  if (!ret->fields && value->object.count > 0) {
    records->findings->failed = true;
    return false;
  }
  size_t at = 0;
  for (size_t i = 0; i < value->object.count; i++) {
    const struct wm_member *member = &value->object.members[i];
    unsigned column = column_of(text, next_value(text, &at));
    if (member->value.type != WM_NULL)
      ret->fields[ret->count++] = (struct record_field){member->name, member->value, ret->line, column};
  }
  return true;
}

static bool take_line(struct records *records, struct wm_text line, struct record *ret) {
  struct wm_error error = {0};
  struct wm_value value;
  wm_arena_rewind(&records->arena);
  if (wm_json_parse(line, &records->arena, &value, &error) == 0)
    return take_object(records, line, &value, ret);
  records->findings->failed |= error.code == WM_E_OUT_OF_MEMORY;
  records_find(records, WM_ERROR, WM_E_DIRECTORY_SYNTAX, (unsigned)records->lines.number, error.column,
               "a line that is not JSON: %s", error.text);
  return false;
}

static int next_line(struct records *records, struct record *ret, bool *ret_end) {
  for (;;) {
    struct wm_text line;
    int exit_code = lines_next(&records->lines, &line, ret_end);
    if (exit_code != EXIT_FINE || *ret_end)
      return exit_code;
    records->position += line.size + 1;
    if (records->lines.number == 1 && wm_text_starts_with(line, WM_TEXT("\xef\xbb\xbf")))
      line = (struct wm_text){line.bytes + 3, line.size - 3};
    if (line_is_blank(line))
      continue;
    if (take_line(records, line, ret))
      return EXIT_FINE;
    records->bad++;
  }
}

/* --- both --- */

int records_open(const char *path, enum records_format format, char separator, struct wm_findings *findings,
                 struct records *ret) {
  struct stat status;
  *ret = (struct records){.path = path, .format = format, .findings = findings, .lines.fd = -1};
  wm_arena_init(&ret->arena, 0);
  wm_arena_init(&ret->kept, 4096);
  if (format == RECORDS_BY_NAME)
    ret->format = format_of(path);
  if (ret->format == RECORDS_BY_NAME)
    return say(EXIT_USAGE, "'%s': say what it is with --format csv or --format jsonl", path);
  if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && status.st_size > 0)
    ret->size = (size_t)status.st_size;
  if (ret->format == RECORDS_JSONL)
    return lines_open(&ret->lines, path);
  int exit_code = sheet_open(path, separator, &ret->sheet);
  return exit_code == EXIT_FINE ? read_header(ret) : exit_code;
}

void records_close(struct records *records) {
  sheet_close(records->sheet);
  lines_close(&records->lines);
  wm_arena_release(&records->arena);
  wm_arena_release(&records->kept);
  *records = (struct records){.lines.fd = -1};
}

int records_next(struct records *records, struct record *ret, bool *ret_end) {
  int exit_code = records->format == RECORDS_CSV ? next_row(records, ret, ret_end) : next_line(records, ret, ret_end);
  return exit_code == EXIT_FINE && records->findings->failed ? say_memory() : exit_code;
}
