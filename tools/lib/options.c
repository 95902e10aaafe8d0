#include "tools/lib/options.h"

#include <stdio.h>
#include <string.h>

#include "core/text.h"

static const struct option common[] = {{"help", 'h', NULL, ""}, {"version", 0, NULL, ""}, {0}};

static int complain(const char *who, const char *what, const char *word, const char *nearest) {
  fprintf(stderr, "%s: %s '%s'", who, what, word);
  if (nearest)
    fprintf(stderr, " (did you mean '%s'?)", nearest);
  fprintf(stderr, "\nTry '%s --help'.\n", who);
  return -1;
}

static size_t row_count(const struct option *rows) {
  size_t count = 0;
  while (rows && rows[count].name)
    count++;
  return count;
}

static const struct option *find_long(const struct option *rows, struct wm_text name) {
  for (; rows && rows->name; rows++)
    if (wm_text_is(name, rows->name))
      return rows;
  return NULL;
}

static const struct option *find_letter(const struct option *rows, char letter) {
  for (; rows && rows->name; rows++)
    if (rows->letter == letter)
      return rows;
  return NULL;
}

bool options_own(const struct option *rows, const char *name) {
  return find_long(rows, wm_text_of(name)) != NULL;
}

static int unknown_long(const struct options *options, const char *who, struct wm_text name) {
  const char *names[OPTIONS_LIMIT + 3];
  size_t count = 0;
  for (const struct option *row = options->rows; row && row->name; row++)
    names[count++] = row->name;
  names[count++] = "help";
  names[count++] = "version";
  names[count] = NULL;
  const char *nearest = wm_text_nearest(name, names);
  char with_dashes[64], word[128];
  snprintf(with_dashes, sizeof with_dashes, "--%s", nearest ? nearest : "");
  snprintf(word, sizeof word, "--%.*s", (int)(name.size < 100 ? name.size : 100), name.bytes);
  return complain(who, "unknown option", word, nearest ? with_dashes : NULL);
}

static void give(struct options *options, const struct option *row, const char *value) {
  if (row == &common[0])
    options->help = true;
  else if (row == &common[1])
    options->version = true;
  else
    options->values[row - options->rows] = value;
}

/* 'rest' begins with --. Returns how many words were used, -1 when wrong. */
static int read_long(struct options *options, const char *who, const char *word, const char *next) {
  const char *equals = strchr(word, '=');
  struct wm_text name = {word + 2, equals ? (size_t)(equals - word) - 2 : strlen(word + 2)};
  const struct option *row = find_long(options->rows, name);
  bool alone = row && row->value && !equals && !next;
  if (!row || (alone && find_long(common, name)))
    row = find_long(common, name); /* what takes a value and has none means what it means everywhere */
  if (!row)
    return unknown_long(options, who, name);
  if (!row->value && equals)
    return complain(who, "takes no value:", row->name, NULL);
  if (row->value && !equals && !next)
    return complain(who, "needs a value:", word, NULL);
  give(options, row, !row->value ? "" : equals ? equals + 1 : next);
  return row->value && !equals ? 2 : 1;
}

/* 'word' is -x, -xy (flags together) or -Cvalue. */
static int read_short(struct options *options, const char *who, const char *word, const char *next) {
  for (const char *letter = word + 1; *letter; letter++) {
    const struct option *row = find_letter(options->rows, *letter);
    if (!row)
      row = find_letter(common, *letter);
    if (!row) {
      size_t size = (unsigned char)*letter < 0x80 ? 1 : strlen(letter);
      char shown[16];
      snprintf(shown, sizeof shown, "-%.*s", (int)(size < 8 ? size : 8), letter);
      return complain(who, "unknown option", shown, NULL);
    }
    if (!row->value) {
      give(options, row, "");
      continue;
    }
    if (letter[1]) {
      give(options, row, letter + 1);
      return 1;
    }
    if (!next)
      return complain(who, "needs a value:", word, NULL);
    give(options, row, next);
    return 2;
  }
  return 1;
}

static int add_argument(struct options *options, const char *who, const char *word) {
  if (options->argument_count == ARGUMENTS_LIMIT)
    return complain(who, "one argument too many:", word, NULL);
  options->arguments[options->argument_count++] = word;
  return 1;
}

int options_parse(struct options *ret, const struct option *rows, const char *who, bool stop_at_argument, int argc,
                  char **argv) {
  *ret = (struct options){.rows = rows};
  bool ended = row_count(rows) > OPTIONS_LIMIT;
  int at = 0;
  while (at < argc) {
    const char *word = argv[at], *next = at + 1 < argc ? argv[at + 1] : NULL;
    bool is_option = !ended && word[0] == '-' && word[1];
    if (!is_option && stop_at_argument)
      break;
    int used = 1;
    if (is_option && strcmp(word, "--") == 0)
      ended = true;
    else if (is_option && word[1] == '-')
      used = read_long(ret, who, word, next);
    else if (is_option)
      used = read_short(ret, who, word, next);
    else
      used = add_argument(ret, who, word);
    if (used < 0)
      return -1;
    at += used;
  }
  ret->consumed = at;
  return 0;
}

const char *options_value(const struct options *options, const char *name) {
  for (size_t i = 0; options->rows && options->rows[i].name; i++)
    if (strcmp(options->rows[i].name, name) == 0)
      return options->values[i];
  return NULL;
}

bool options_has(const struct options *options, const char *name) {
  return options_value(options, name) != NULL;
}

const char *options_argument(const struct options *options, size_t index) {
  return index < options->argument_count ? options->arguments[index] : NULL;
}

/* The next blank-separated word of a pattern; false at its end. */
static bool next_token(const char **pattern, struct wm_text *ret) {
  const char *at = *pattern + strspn(*pattern, " ");
  *ret = (struct wm_text){at, strcspn(at, " ")};
  *pattern = at + ret->size;
  return ret->size > 0;
}

/* Is 'word' one of "automation|role|channel"? */
static int check_choice(const char *who, struct wm_text choices, const char *word) {
  char copy[128];
  const char *names[9] = {0};
  snprintf(copy, sizeof copy, "%.*s", WM_TEXT_ARG(choices));
  char *rest = copy;
  for (size_t count = 0; count < 8 && rest; count++)
    names[count] = strsep(&rest, "|");
  for (size_t i = 0; names[i]; i++)
    if (strcmp(names[i], word) == 0)
      return 0;
  const char *nearest = wm_text_nearest(wm_text_of(word), names);
  if (nearest)
    return complain(who, "unknown word", word, nearest);
  fprintf(stderr, "%s: unknown word '%s', it must be one of %.*s\nTry '%s --help'.\n", who, word, WM_TEXT_ARG(choices),
          who);
  return -1;
}

/* "ROLE..." or "[ROLE...]": as many as there are. */
static bool takes_all(struct wm_text token) {
  return wm_text_ends_with(token, WM_TEXT("...")) || wm_text_ends_with(token, WM_TEXT("...]"));
}

static size_t count_required(const char *pattern) {
  struct wm_text token;
  size_t count = 0;
  while (next_token(&pattern, &token))
    count += token.bytes[0] != '[';
  return count;
}

int options_place_arguments(struct options *options, const char *who, const char *pattern) {
  const char *const *given = options->arguments, *placed[ARGUMENTS_LIMIT + 1] = {NULL};
  size_t left = options->argument_count, required = count_required(pattern), index = 0;
  struct wm_text token;
  for (; next_token(&pattern, &token) && index < ARGUMENTS_LIMIT; index++) {
    bool optional = token.bytes[0] == '[';
    if (optional && left <= required)
      continue;
    if (left == 0) {
      fprintf(stderr, "%s: %.*s is missing\nTry '%s --help'.\n", who, WM_TEXT_ARG(token), who);
      return -1;
    }
    struct wm_text inner = optional ? (struct wm_text){token.bytes + 1, token.size - 2} : token;
    bool is_word = memchr(token.bytes, '|', token.size) || (inner.bytes[0] >= 'a' && inner.bytes[0] <= 'z');
    if (is_word && check_choice(who, inner, *given) < 0)
      return -1;
    placed[index] = *given++;
    left--;
    required -= optional ? 0 : 1;
    while (left > 0 && takes_all(token) && index + 1 < ARGUMENTS_LIMIT) {
      placed[++index] = *given++;
      left--;
    }
  }
  if (left > 0)
    return complain(who, "one argument too many:", *given, NULL);
  memcpy(options->arguments, placed, sizeof placed);
  options->argument_count = index;
  return 0;
}
