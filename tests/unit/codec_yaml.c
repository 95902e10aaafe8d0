/* YAML text to nodes: limits, scalars, what hostile files may cost. */
#include <criterion/criterion.h>

#include <time.h>

#include "core/codec/yaml.h"

static struct wm_arena arena;
static struct wm_findings findings;
static struct wm_document *documents;
static size_t count, lost;

static void set_up(void) {
  wm_arena_init(&arena, 0);
  wm_findings_init(&findings);
}
static void tear_down(void) {
  wm_arena_release(&arena);
  wm_findings_release(&findings);
}

TestSuite(yaml, .init = set_up, .fini = tear_down);

static void read_text(struct wm_text bytes) {
  cr_assert_eq(wm_yaml_read(WM_TEXT("f"), bytes, &arena, &findings, &documents, &count, &lost), 0);
}

static void read_yaml(const char *yaml) {
  read_text(wm_text_of(yaml));
}

/* --- scalars --- */

static struct wm_value typed(const char *text, bool *ret_odd) {
  const struct wm_node node = {.kind = WM_NODE_SCALAR, .plain = true, .text = wm_text_of(text)};
  return wm_node_value(&node, ret_odd);
}

static void expect_type(const char *text, enum wm_type type, bool odd) {
  bool is_odd;
  cr_expect_eq(typed(text, &is_odd).type, type, "%s", text);
  cr_expect_eq(is_odd, odd, "%s", text);
}

Test(yaml, plain_scalars_have_the_types_of_the_core_schema) {
  static const struct {
    const char *text;
    enum wm_type type;
  } rows[] = {
      {"", WM_NULL},        {"~", WM_NULL},       {"null", WM_NULL},     {"Null", WM_NULL},
      {"NULL", WM_NULL},    {"nULL", WM_STRING},  {"true", WM_BOOLEAN},  {"True", WM_BOOLEAN},
      {"TRUE", WM_BOOLEAN}, {"tRUE", WM_STRING},  {"FALSE", WM_BOOLEAN}, {"yes", WM_STRING},
      {"on", WM_STRING},    {"y", WM_STRING},     {"0", WM_INTEGER},     {"-0", WM_INTEGER},
      {"+12", WM_INTEGER},  {"0o17", WM_INTEGER}, {"0x1f", WM_INTEGER},  {"0o8", WM_STRING},
      {"0xg", WM_STRING},   {"-0x1", WM_STRING},  {"0b1", WM_STRING},    {"1_000", WM_STRING},
      {"1:30", WM_STRING},  {"12e03", WM_REAL},   {"-2E+05", WM_REAL},   {".5", WM_REAL},
      {"1.", WM_REAL},      {".", WM_STRING},     {"1e", WM_STRING},     {"1e+", WM_STRING},
      {"+.5", WM_REAL},     {"--1", WM_STRING},   {"1.2.3", WM_STRING},  {"2026-11-21", WM_STRING},
      {"30d", WM_STRING},   {"-", WM_STRING},     {"0x", WM_STRING},     {"1e-400", WM_REAL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    expect_type(rows[i].text, rows[i].type, false);
}

Test(yaml, numbers_that_do_not_fit_are_odd) {
  static const char *const texts[] = {"9223372036854775808",
                                      "-9223372036854775809",
                                      "0x10000000000000000",
                                      "1e999",
                                      ".inf",
                                      "-.Inf",
                                      "+.INF",
                                      ".nan",
                                      ".NaN"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    expect_type(texts[i], WM_STRING, true);
  expect_type("inf", WM_STRING, false);
  expect_type("-.nan", WM_STRING, false);
}

Test(yaml, numbers_have_their_values) {
  cr_expect_eq(typed("9223372036854775807", NULL).integer, INT64_MAX);
  cr_expect_eq(typed("-9223372036854775808", NULL).integer, INT64_MIN);
  cr_expect_eq(typed("0000000000000000000000000000000000000000000000000000000000000000000000000000012", NULL).integer,
               12);
  cr_expect_eq(typed("0x7FFFFFFFFFFFFFFF", NULL).integer, INT64_MAX);
  cr_expect_eq(typed("0o17", NULL).integer, 15);
  cr_expect_eq(typed("010", NULL).integer, 10);
  cr_expect_eq(typed("+7", NULL).integer, 7);
  cr_expect(typed("-2.5e2", NULL).real == -250.0);
}

Test(yaml, quoted_and_block_scalars_are_strings) {
  read_yaml("a: '1'\nb: \"true\"\nc: |\n  1\nd: >-\n  2\n");
  cr_assert_eq(count, 1u);
  for (size_t i = 0; i < 4; i++)
    cr_expect_eq(wm_node_value(&documents[0].root.items[2 * i + 1], NULL).type, WM_STRING);
}

Test(yaml, leading_zeros_are_seen) {
  static const struct {
    const char *text;
    bool zero;
  } rows[] = {{"01234", true}, {"-007", true}, {"00", true},   {"01.5", true}, {"0", false},
              {"0.5", false},  {"-0", false},  {"0x0", false}, {"0a", false},  {"10", false}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const struct wm_node node = {.kind = WM_NODE_SCALAR, .plain = true, .text = wm_text_of(rows[i].text)};
    cr_expect_eq(wm_node_has_leading_zero(&node), rows[i].zero, "%s", rows[i].text);
  }
}

/* --- documents --- */

static void expect_bytes(size_t i, const char *bytes) {
  cr_expect(wm_text_is(documents[i].bytes, bytes), "'%.*s'", WM_TEXT_ARG(documents[i].bytes));
}

Test(yaml, a_document_is_what_stands_between_the_markers) {
  read_yaml("\xef\xbb\xbf# head\na: 1\n---\n# remark\nb: 2\n...\n%YAML 1.2\n--- {c: 3}\n---\n...\n---\n\n");
  cr_expect_eq(findings.count, 0u);
  cr_assert_eq(count, 3u);
  expect_bytes(0, "# head\na: 1\n");
  expect_bytes(1, "# remark\nb: 2\n");
  expect_bytes(2, " {c: 3}\n");
  cr_expect_eq(documents[1].root.line, 5u);
  cr_expect_eq(documents[2].root.line, 8u);
  cr_expect_eq(documents[2].root.column, 5u);
}

Test(yaml, markers_end_blocks_and_longer_words_do_not) {
  read_yaml("a: |\n  x\n---\nb: ---x\n----: y\n");
  cr_expect_eq(findings.count, 0u);
  cr_assert_eq(count, 2u);
  cr_expect_eq(documents[1].root.count, 2u);
}

Test(yaml, a_value_is_found_by_its_key) {
  read_yaml("a: 1\nb: {c: 2}\n");
  const struct wm_node *b = wm_node_get(&documents[0].root, "b");
  cr_assert(b && b->kind == WM_NODE_MAP);
  cr_expect(wm_text_is(wm_node_get(b, "c")->text, "2"));
  cr_expect(wm_node_get(b, "d") == NULL);
  cr_expect(wm_node_get(wm_node_get(b, "c"), "d") == NULL, "a scalar has no keys");
}

Test(yaml, remarks_set_apart_swallow_nothing) {
  read_yaml("a: x # y\nb: x  # y\nc: x  #y\nd: x#y\ne: 'x' # y\nf: x\n# y\ng: [x # y\n  ]\nh: # y\n");
  static const bool behind[] = {true, false, true, false, false, false};
  for (size_t i = 0; i < 6; i++)
    cr_expect_eq(documents[0].root.items[2 * i + 1].comment_behind, behind[i], "%zu", i);
  cr_expect(wm_node_get(&documents[0].root, "g")->items[0].comment_behind);
  cr_expect(wm_node_get(&documents[0].root, "h")->comment_behind);
}

Test(yaml, documents_that_can_be_read_on_are_returned_though_refused) {
  read_yaml("a: &x 1\nb: *x\nc: @d\n---\na: '\n---\nb: 1\n");
  cr_expect_eq(findings.invalid, 4u);
  cr_expect_eq(count, 2u);
  cr_expect_eq(lost, 1u);
  cr_expect(wm_node_get(&documents[0].root, "b")->broken && wm_node_get(&documents[0].root, "c")->broken);
}

/* --- limits --- */

/* 'size' bytes of 'part' over and over, behind 'head'. */
static struct wm_text fill(const char *head, const char *part, size_t size) {
  char *bytes = wm_arena_alloc(&arena, size);
  size_t head_size = strlen(head), part_size = strlen(part);
  for (size_t i = 0; i < size; i++)
    bytes[i] = i < head_size ? head[i] : part[(i - head_size) % part_size];
  return (struct wm_text){bytes, size};
}

Test(yaml, a_document_has_at_most_a_mebibyte) {
  read_text(fill("a: ", "x", WM_DOCUMENT_LIMIT));
  cr_expect_eq(findings.count, 0u);
  cr_expect_eq(count, 1u);
  read_text(fill("a: ", "x", WM_DOCUMENT_LIMIT + 1));
  cr_assert_eq(findings.count, 1u);
  cr_expect_eq(findings.items[0].code, WM_E_YAML_LIMIT);
  cr_expect_eq(lost, 1u);
}

Test(yaml, large_documents_do_not_add_up) {
  struct wm_text file = fill("a: ", "x", 2 * (WM_DOCUMENT_LIMIT - 16));
  memcpy((char *)file.bytes + file.size / 2, "\n---\nb: ", 8);
  read_text(file);
  cr_expect_eq(findings.count, 0u);
  cr_expect_eq(count, 2u);
}

/* A minute on any machine that is not broken; a quadratic reader would need hours. */
static void expect_quick(const char *head, const char *part) {
  wm_arena_release(&arena);
  struct timespec begin, end;
  struct wm_text bytes = fill(head, part, WM_DOCUMENT_LIMIT);
  clock_gettime(CLOCK_MONOTONIC, &begin);
  read_text(bytes);
  clock_gettime(CLOCK_MONOTONIC, &end);
  cr_expect_lt(end.tv_sec - begin.tv_sec, 20, "'%s%s' took %lld s", head, part, (long long)(end.tv_sec - begin.tv_sec));
}

Test(yaml, hostile_documents_cost_little) {
  expect_quick("", "[");
  expect_quick("", "{a: ");
  expect_quick("", "- ");
  expect_quick("", "? ");
  expect_quick("", ": ");
  expect_quick("", "&a ");
  expect_quick("", "!");
  expect_quick("", "*");
  expect_quick("", "a: *\n");
  expect_quick("", "a: b\n");
  expect_quick("", "a: b: c\n");
  expect_quick("", "a:\tb\n");
  expect_quick("[", "a,");
  expect_quick("[", "{a: b},");
  expect_quick("a: \"", "\\t");
  expect_quick("a: |\n", "  x\n");
  expect_quick("", "---\n");
  expect_quick("", "--- a\n");
  expect_quick("", "{{ a }}: ");
  expect_quick("", "a: {{ b\n");
  expect_quick("", "#");
  expect_quick("", "\n");
}

Test(yaml, any_byte_is_survived) {
  char bytes[64];
  unsigned seed = 1;
  for (int round = 0; round < 10000; round++) {
    static const char alphabet[] = "ab:-[]{}#&*!|>'\"%@`,? \n\t.\\\r\xc3\xa4\xff\x01~<";
    size_t size = (size_t)(round % 60) + 1;
    for (size_t i = 0; i < size; i++) {
      seed = seed * 1664525u + 1013904223u;
      bytes[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
    }
    read_text((struct wm_text){bytes, size});
    if (lost > 0)
      cr_assert_gt(findings.invalid, 0u, "lost without a word: '%.*s'", (int)size, bytes);
    wm_arena_rewind(&arena);
    wm_findings_release(&findings);
    wm_findings_init(&findings);
  }
}
