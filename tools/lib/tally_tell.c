#include "tools/lib/tally_tell.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/command.h"
#include "tools/lib/say.h"

static void tell_row_json(const struct tally_shape *shape, const struct tally_row *row) {
  struct wm_buf line = WM_BUF_INIT;
  wm_buf_printf(&line, "{\"kind\":\"%s\"", shape->kind);
  for (size_t i = 0; shape->parts[i]; i++) {
    wm_buf_printf(&line, ",\"%s\":", shape->parts[i]);
    wm_buf_add_json(&line, row->parts[i]);
  }
  for (size_t i = 0; shape->counts[i]; i++)
    wm_buf_printf(&line, ",\"%s\":%zu", shape->counts[i], row->counts[i]);
  if (shape->example && row->example.bytes) {
    wm_buf_add_string(&line, ",\"example\":");
    wm_buf_add_json(&line, row->example);
  }
  printf("%s}\n", line.bytes ? line.bytes : "");
  wm_buf_release(&line);
}

static void tell_row(const struct tally_shape *shape, const struct tally_row *row, struct table *table) {
  for (size_t i = 0; shape->parts[i]; i++)
    table_text(table, STYLE_PLAIN, row->parts[i]);
  for (size_t i = 0; shape->counts[i]; i++)
    table_cell(table, row->counts[i] ? STYLE_PLAIN : STYLE_DIM, "%zu", row->counts[i]);
  if (shape->example)
    table_text(table, STYLE_DIM, row->example.bytes ? row->example : WM_TEXT(""));
}

int tally_tell(const struct tally_shape *shape, const struct tally *tally, bool json) {
  struct table table;
  struct tally_row **rows = tally_sorted(tally);
  if (!rows)
    return say_memory();
  table_init(&table, shape->heads);
  for (size_t i = 0; i < tally->count; i++) {
    if (json)
      tell_row_json(shape, rows[i]);
    else
      tell_row(shape, rows[i], &table);
  }
  bool any = table_rows(&table) > 0;
  table_print(&table, stdout);
  if (any)
    putchar('\n');
  table_release(&table);
  free(rows);
  return EXIT_FINE;
}
