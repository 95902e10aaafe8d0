/* How an import is told: to people by two tables, to programs by a line for each user and one with the counts. */
#include "tools/directory/directory_import.h"

#include "tools/lib/table.h"

#define ROWS_SHOWN 20 /* users of each kind that people are shown */

/* How many of the events would come too late to replace what stands. */
static size_t count_late(const struct import *import) {
  return import->comparison.newer + (import->delete_missing ? import->comparison.newer_missing : 0);
}

static bool is_sent(const struct import *import, const struct person *person) {
  return person->state == PERSON_FINE && (import->full || person->news != PERSON_SAME);
}

static const char *word_of(const struct import *import, const struct person *person) {
  if (!import->compared)
    return "not-compared";
  return person->news == PERSON_NEW ? "new" : person->news == PERSON_CHANGED ? "changed" : "unchanged";
}

/* "managers, groups" or "managers","groups" */
static void add_fields(const struct person *person, const char *quote, const char *between, struct wm_buf *buf) {
  const char *before = "";
  for (unsigned i = 0; comparison_fields[i]; i++) {
    if (!(person->changed & 1U << i))
      continue;
    wm_buf_printf(buf, "%s%s%s%s", before, quote, comparison_fields[i], quote);
    before = between;
  }
}

/* --- programs --- */

static void print_line(FILE *file, struct wm_buf *buf) {
  wm_buf_add_char(buf, '\n');
  if (!buf->failed)
    fwrite(buf->bytes, 1, buf->size, file);
  wm_buf_clear(buf);
}

static void begin_user(struct wm_buf *buf, struct wm_text user, const char *change) {
  wm_buf_add_string(buf, "{\"user\":");
  wm_buf_add_json(buf, user);
  wm_buf_printf(buf, ",\"change\":\"%s\"", change);
}

static void print_users(const struct import *import, FILE *file) {
  const struct people *people = &import->people;
  const struct names *missing = &import->comparison.missing;
  struct wm_buf line = WM_BUF_INIT;
  for (uint32_t i = 0; i < people->ids.count; i++) {
    const struct person *person = &people->items[i];
    if (!is_sent(import, person))
      continue;
    begin_user(&line, people->ids.items[i], word_of(import, person));
    if (person->changed) {
      wm_buf_add_string(&line, ",\"fields\":[");
      add_fields(person, "\"", ",", &line);
      wm_buf_add_char(&line, ']');
    }
    wm_buf_add_char(&line, '}');
    print_line(file, &line);
  }
  for (uint32_t i = 0; i < missing->count; i++) {
    begin_user(&line, missing->items[i], import->delete_missing ? "deleted" : "missing");
    wm_buf_add_char(&line, '}');
    print_line(file, &line);
  }
  wm_buf_release(&line);
}

void import_summary(const struct import *import, FILE *file) {
  if (!import->json)
    return;
  fprintf(file, "{\"read\":%zu,\"invalid\":%zu,\"below-invalid\":%zu,", import->people.rows,
          import->people.rows - import->people.fine - import->people.below, import->people.below);
  if (import->compared)
    fprintf(file, "\"unchanged\":%zu,\"new\":%zu,\"changed\":%zu,\"missing\":%u,\"newer\":%zu,", import->unchanged,
            import->fresh, import->changed, import->comparison.missing.count, count_late(import));
  fprintf(file, "\"deleted\":%zu,\"planned\":%zu,\"sent\":%zu}\n", import->deletions, import->planned,
          import->dispatch.sent);
}

/* --- people --- */

static void add_count(struct table *table, enum style style, const char *name, size_t count, const char *note) {
  table_cell(table, STYLE_PLAIN, "%s", name);
  table_cell(table, count > 0 ? style : STYLE_DIM, "%zu", count);
  table_cell(table, STYLE_DIM, "%s", count > 0 ? note : "");
}

static void print_counts(const struct import *import, FILE *file) {
  static const char *const heads[] = {"PEOPLE", "COUNT", "NOTE", NULL};
  const struct people *people = &import->people;
  struct table table;
  table_init(&table, heads);
  add_count(&table, STYLE_PLAIN, "in the file", people->rows, "");
  if (people->rows > people->fine)
    add_count(&table, STYLE_BAD, "invalid", people->rows - people->fine - people->below, "not imported");
  if (people->below > 0)
    add_count(&table, STYLE_BAD, "below an invalid manager", people->below, "not imported");
  if (import->compared) {
    add_count(&table, STYLE_PLAIN, "unchanged", import->unchanged, import->full ? "sent all the same" : "not sent");
    add_count(&table, STYLE_GOOD, "new", import->fresh, "");
    add_count(&table, STYLE_NOTE, "changed", import->changed, "");
    add_count(&table, STYLE_WARN, import->delete_missing ? "to be deleted" : "not in the file",
              import->comparison.missing.count, import->delete_missing ? "" : "kept; --delete-missing deletes them");
  }
  table_print(&table, file);
  table_release(&table);
}

static size_t add_people(const struct import *import, enum person_news news, struct table *table) {
  const struct people *people = &import->people;
  struct wm_buf fields = WM_BUF_INIT;
  size_t count = 0;
  for (uint32_t i = 0; i < people->ids.count; i++) {
    const struct person *person = &people->items[i];
    if (person->state != PERSON_FINE || person->news != news || count++ >= ROWS_SHOWN)
      continue;
    wm_buf_clear(&fields);
    add_fields(person, "", ", ", &fields);
    table_text(table, STYLE_PLAIN, people->ids.items[i]);
    table_cell(table, news == PERSON_NEW ? STYLE_GOOD : STYLE_NOTE, "%s", word_of(import, person));
    table_text(table, STYLE_PLAIN, (struct wm_text){fields.bytes ? fields.bytes : "", fields.size});
  }
  wm_buf_release(&fields);
  return count > ROWS_SHOWN ? count - ROWS_SHOWN : 0;
}

static size_t add_missing(const struct import *import, struct table *table) {
  const struct names *missing = &import->comparison.missing;
  for (uint32_t i = 0; i < missing->count && i < ROWS_SHOWN; i++) {
    table_text(table, STYLE_PLAIN, missing->items[i]);
    table_cell(table, STYLE_WARN, import->delete_missing ? "delete" : "not in the file");
    table_cell(table, STYLE_PLAIN, "%s", "");
  }
  return missing->count > ROWS_SHOWN ? missing->count - ROWS_SHOWN : 0;
}

static void print_changes(const struct import *import, FILE *file) {
  static const char *const heads[] = {"USER", "IS", "CHANGED", NULL};
  struct table table;
  table_init(&table, heads);
  size_t more = add_people(import, PERSON_CHANGED, &table);
  more += add_people(import, PERSON_NEW, &table);
  more += add_missing(import, &table);
  if (table_rows(&table) > 0)
    fputc('\n', file);
  table_print(&table, file);
  table_release(&table);
  if (more > 0)
    fprintf(file, "... and %zu more; --json lists all\n", more);
}

void import_preview(const struct import *import, FILE *file) {
  if (import->json) {
    print_users(import, file);
    return;
  }
  print_counts(import, file);
  if (import->compared)
    print_changes(import, file);
  if (count_late(import) > 0)
    fprintf(file, "\n%zu of them have a profile that is newer than the time of this import; it stays as it is\n",
            count_late(import));
}
