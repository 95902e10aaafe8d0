#include "core/template.h"

#include <string.h>

#define BRACES WM_TEXT("{{")

/* One piece of the text: literal, or what stands between the braces. */
struct piece {
  bool placeholder;
  struct wm_text text;
  size_t at; /* where it begins in the whole text */
};

static bool at_braces(struct wm_text text, size_t at) {
  return text.size - at >= 2 && text.bytes[at] == '{' && text.bytes[at + 1] == '{';
}

/* Where the placeholder's '}}' stands; those inside double quotes belong to a name. SIZE_MAX: nowhere. */
static size_t find_end(struct wm_text text, size_t at) {
  bool quoted = false;
  for (; at + 1 < text.size; at++) {
    if (text.bytes[at] == '"')
      quoted = !quoted;
    if (!quoted && text.bytes[at] == '}' && text.bytes[at + 1] == '}')
      return at;
  }
  return SIZE_MAX;
}

/* Takes the piece at '*at' and goes behind it. -1: a placeholder that is not closed, '*at' stays at it. */
static int take_piece(struct wm_text text, size_t *at, struct piece *ret) {
  *ret = (struct piece){.at = *at};
  if (!at_braces(text, *at)) {
    size_t end = *at;
    while (end < text.size && !at_braces(text, end))
      end++;
    ret->text = (struct wm_text){text.bytes + *at, end - *at};
    *at = end;
    return 0;
  }
  if (text.size - *at >= 4 && at_braces(text, *at + 2)) {
    ret->text = BRACES;
    *at += 4;
    return 0;
  }
  size_t end = find_end(text, *at + 2);
  if (end == SIZE_MAX)
    return -1;
  ret->placeholder = true;
  ret->text = (struct wm_text){text.bytes + *at + 2, end - *at - 2};
  *at = end + 2;
  return 0;
}

static int count_pieces(struct wm_text text, size_t *ret_count, size_t *ret_at, struct wm_error *error) {
  struct piece piece;
  *ret_count = 0;
  for (size_t at = 0; at < text.size; ++*ret_count) {
    if (take_piece(text, &at, &piece) < 0) {
      *ret_at = at;
      return wm_error_set(error, WM_E_TEMPLATE_INVALID,
                          "a placeholder '{{' is not closed, write '{{{{' for two braces");
    }
  }
  return 0;
}

static int parse_placeholder(const struct piece *piece, struct wm_arena *arena, struct wm_path *ret,
                             struct wm_error *error) {
  struct wm_error why;
  if (wm_path_parse(piece->text, arena, ret, &why) == 0)
    return 0;
  if (why.code == WM_E_OUT_OF_MEMORY)
    return wm_error_memory(error);
  return wm_error_set(error, WM_E_TEMPLATE_INVALID, "%s", why.text);
}

int wm_template_parse(struct wm_text text, struct wm_arena *arena, struct wm_template *ret, size_t *ret_at,
                      struct wm_error *error) {
  size_t count, at = 0;
  *ret_at = 0;
  if (count_pieces(text, &count, ret_at, error) < 0)
    return -1;
  struct wm_template_part *parts = WM_ARENA_ARRAY(arena, struct wm_template_part, count);
  if (!parts)
    return wm_error_memory(error);
  for (size_t i = 0; i < count; i++) {
    struct piece piece;
    if (take_piece(text, &at, &piece) < 0) /* the count went all the way */
      return wm_error_set(error, WM_E_TEMPLATE_INVALID, "a placeholder '{{' is not closed");
    *ret_at = piece.at;
    if (piece.placeholder) {
      if (parse_placeholder(&piece, arena, &parts[i].path, error) < 0)
        return -1;
    } else if (wm_arena_text(arena, piece.text, &parts[i].literal) < 0) {
      return wm_error_memory(error);
    }
  }
  *ret_at = 0;
  *ret = (struct wm_template){parts, count};
  return 0;
}

/* Strings as they are, numbers and booleans as JSON writes them. */
static void add_scalar(const struct wm_value *value, struct wm_buf *buf) {
  if (value->type == WM_STRING)
    wm_buf_add_text(buf, value->string);
  else
    wm_value_to_json(value, buf);
}

/* What is wrong with the value as text; NULL: nothing, it was added. */
static const char *add_value(const struct wm_value *value, struct wm_buf *buf) {
  if (!value)
    return "is absent";
  if (value->type == WM_NULL)
    return "is null";
  if (value->type == WM_OBJECT)
    return "is an object";
  if (value->type != WM_LIST) {
    add_scalar(value, buf);
    return NULL;
  }
  for (size_t i = 0; i < value->list.count; i++) {
    if (!wm_value_is_scalar(&value->list.items[i]))
      return "is a list with more in it than texts, numbers and booleans";
    if (i > 0)
      wm_buf_add_text(buf, WM_TEXT(", "));
    add_scalar(&value->list.items[i], buf);
  }
  return NULL;
}

static int fill(const struct wm_template *template, const struct wm_scope *scope, struct wm_buf *buf,
                struct wm_error *error) {
  size_t start = buf->size;
  for (size_t i = 0; i < template->count; i++) {
    const struct wm_template_part *part = &template->parts[i];
    const char *wrong = NULL;
    if (part->literal.bytes)
      wm_buf_add_text(buf, part->literal);
    else
      wrong = add_value(wm_path_get(&part->path, scope), buf);
    if (wrong)
      return wm_error_set(error, WM_E_TEMPLATE_FAILED, "'%.*s' %s", WM_TEXT_ARG(part->path.written), wrong);
    if (buf->failed)
      return wm_error_memory(error);
    if (buf->size - start > WM_TEMPLATE_LIMIT)
      return wm_error_set(error, WM_E_TEMPLATE_FAILED, "the text is longer than %d bytes", WM_TEMPLATE_LIMIT);
  }
  return 0;
}

int wm_template_render(const struct wm_template *template, const struct wm_scope *scope, struct wm_buf *buf,
                       struct wm_error *error) {
  size_t start = buf->size;
  if (fill(template, scope, buf, error) == 0)
    return 0;
  buf->size = start; /* half a text is none */
  if (buf->bytes)
    buf->bytes[start] = '\0';
  return -1;
}
