#include <criterion/criterion.h>

#include "core/codec/digest.h"
#include "core/codec/json.h"

static struct wm_arena arena;

static void set_up(void) {
  wm_arena_init(&arena, 0);
}
static void tear_down(void) {
  wm_arena_release(&arena);
}

TestSuite(json, .init = set_up, .fini = tear_down);

static struct wm_value parse(const char *text) {
  struct wm_value value;
  struct wm_error error;
  cr_assert_eq(wm_json_parse(wm_text_of(text), &arena, &value, &error), 0, "%s: %s", text, error.text);
  return value;
}

static enum wm_json_fault refuse(struct wm_text text, struct wm_error *error) {
  struct wm_value value;
  enum wm_json_fault fault;
  cr_assert_eq(wm_json_read(text, &arena, &value, &fault, error), -1, "%.*s", WM_TEXT_ARG(text));
  cr_assert_eq(error->code, WM_E_JSON_INVALID);
  return fault;
}

static void expect_json(const char *text, const char *expected) {
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_value value = parse(text);
  wm_value_to_json(&value, &buf);
  cr_assert_str_eq(buf.bytes, expected);
  wm_buf_release(&buf);
}

Test(json, every_type_comes_through) {
  expect_json(" {\"a\":[1,-2,0.5,true,false,null,\"x\",{}]} ", "{\"a\":[1,-2,0.5,true,false,null,\"x\",{}]}");
}

Test(json, a_scalar_is_a_text_too) {
  expect_json("5", "5");
  expect_json("\"\"", "\"\"");
}

Test(json, members_keep_their_order) {
  expect_json("{\"b\":1,\"a\":2,\"c\":3}", "{\"b\":1,\"a\":2,\"c\":3}");
}

Test(json, integers_are_exact_to_64_bits) {
  struct wm_value value = parse("[9223372036854775807,-9223372036854775808,9007199254740993]");
  cr_assert_eq(value.list.items[0].integer, INT64_MAX);
  cr_assert_eq(value.list.items[1].integer, INT64_MIN);
  cr_assert_eq(value.list.items[2].integer, INT64_C(9007199254740993));
}

Test(json, larger_integers_are_reals_and_small_ones_beside_them_stay) {
  struct wm_value value = parse("[9223372036854775808,12,-12,1.5]");
  cr_assert_eq(value.list.items[0].type, WM_REAL);
  cr_assert_eq(value.list.items[0].real, 9223372036854775808.0);
  cr_assert_eq(value.list.items[1].type, WM_INTEGER);
  cr_assert_eq(value.list.items[1].integer, 12);
  cr_assert_eq(value.list.items[2].integer, -12);
  cr_assert_eq(value.list.items[3].real, 1.5);
}

Test(json, every_number_beside_a_larger_integer_is_what_it_is_alone) {
  expect_json("[12345678901234567890123,9007199254740993,-9223372036854775808,-9223372036854775809,1.5e1,2E-1]",
              "[1.2345678901234568e+22,9007199254740993,-9223372036854775808,-9.223372036854776e+18,15.0,0.2]");
  expect_json(
      "{\"a\\\"9223372036854775808\":[\"9223372036854775808,\\\\\",9223372036854775807],\"b\":9223372036854775808}",
      "{\"a\\\"9223372036854775808\":[\"9223372036854775808,\\\\\",9223372036854775807],"
      "\"b\":9.223372036854776e+18}");
  expect_json("18446744073709551616", "1.8446744073709552e+19");
  struct wm_error error;
  cr_assert_eq(refuse(WM_TEXT("[9223372036854775808, 9223372036854775808, 1e400]"), &error), WM_JSON_RANGE);
  cr_assert_eq(error.column, 48);
}

Test(json, faults_are_told_apart) {
  static const struct {
    struct wm_text text;
    enum wm_json_fault fault;
  } cases[] = {
      {WM_TEXT("{"), WM_JSON_SYNTAX},        {WM_TEXT(""), WM_JSON_SYNTAX},
      {WM_TEXT("1 2"), WM_JSON_SYNTAX},      {WM_TEXT("'a'"), WM_JSON_SYNTAX},
      {WM_TEXT("[1,]"), WM_JSON_SYNTAX},     {WM_TEXT("01"), WM_JSON_SYNTAX},
      {WM_TEXT("\"\xff\""), WM_JSON_UTF8},   {WM_TEXT("\xc0\x80"), WM_JSON_UTF8},
      {WM_TEXT("\"\\u0000\""), WM_JSON_NUL}, {WM_TEXT("{\"\\u0000\":1}"), WM_JSON_NUL},
      {WM_TEXT("1e400"), WM_JSON_RANGE},     {WM_TEXT("{\"a\":1,\"a\":1}"), WM_JSON_DUPLICATE},
      {WM_NO_TEXT, WM_JSON_SYNTAX},          {WM_TEXT("1\0"), WM_JSON_NUL},
  };
  struct wm_error error;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    cr_expect_str_eq(wm_json_fault_name(refuse(cases[i].text, &error)), wm_json_fault_name(cases[i].fault),
                     "case %zu: %s", i, error.text);
}

Test(json, a_fault_has_a_place) {
  struct wm_error error;
  refuse(WM_TEXT("{\n  \"a\": ?\n}"), &error);
  cr_assert_eq(error.line, 2);
  cr_assert_gt(error.column, 0);
  refuse(WM_TEXT("[1,\n\"ä\",1\0]"), &error);
  cr_assert_eq(error.line, 2);
  cr_assert_eq(error.column, 6);
}

Test(json, a_fault_never_quotes_the_payload) {
  struct wm_error error;
  refuse(WM_TEXT("{\"secret\":hunter2}"), &error);
  cr_assert_null(strstr(error.text, "hunter2"), "%s", error.text);
}

Test(json, depth_needs_no_json) {
  static const struct {
    const char *text;
    size_t depth;
  } cases[] = {{"5", 0},           {"{}", 1},         {"[[]]", 2},         {"[\"[[[\"]", 1},
               {"[\"\\\"[\"]", 1}, {"[[[ no", 3},     {"{\"a\":[{}]}", 3}, {"", 0},
               {"]]]][", 0},       {"[],[[]],[]", 2}, {"\"\\", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    cr_expect_eq(wm_json_depth(wm_text_of(cases[i].text)), cases[i].depth, "%s", cases[i].text);
}

Test(json, nesting_that_would_break_the_stack_is_refused) {
  static char deep[200000];
  struct wm_error error;
  memset(deep, '[', sizeof deep);
  refuse((struct wm_text){deep, sizeof deep}, &error);
  cr_assert_eq(wm_json_depth((struct wm_text){deep, sizeof deep}), sizeof deep);
}

Test(json, pretty_is_for_people) {
  struct wm_buf buf = WM_BUF_INIT;
  struct wm_value value = parse("{\"a\":[1,{\"b\":\"x\"}],\"c\":{},\"d\":[]}");
  wm_json_pretty(&value, &buf);
  cr_assert_str_eq(buf.bytes, "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x\"\n    }\n  ],\n  \"c\": {},\n"
                              "  \"d\": []\n}");
  wm_buf_release(&buf);
}

Test(digest, is_sha_256) {
  char digest[WM_DIGEST_SIZE];
  wm_digest(WM_TEXT("abc"), digest);
  cr_assert_str_eq(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  wm_digest(WM_NO_TEXT, digest);
  cr_assert_str_eq(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(digest, borders_between_texts_count) {
  char one[WM_DIGEST_SIZE], other[WM_DIGEST_SIZE], again[WM_DIGEST_SIZE];
  const struct wm_text ab[] = {WM_TEXT("ab"), WM_TEXT("c")};
  const struct wm_text bc[] = {WM_TEXT("a"), WM_TEXT("bc")};
  wm_digest_all(ab, 2, one);
  wm_digest_all(bc, 2, other);
  wm_digest_all(ab, 2, again);
  cr_assert_str_neq(one, other);
  cr_assert_str_eq(one, again);
}
