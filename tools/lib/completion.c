#include "tools/lib/completion.h"

#include <string.h>

/* What a word in capitals stands for, in patterns of arguments and values of options. */
static const struct {
  const char *name;
  unsigned kinds;
} names[] = {
    {"DIR", COMPLETE_FOLDERS},
    {"OLD", COMPLETE_FOLDERS},
    {"NEW", COMPLETE_FOLDERS},
    {"FILE", COMPLETE_FILES},
    {"EVENTS", COMPLETE_FILES},
    {"REGISTERS", COMPLETE_FILES},
    {"UNITS", COMPLETE_FILES},
    {"PLAN", COMPLETE_FILES},
    {"COMMAND", COMPLETE_COMMANDS},
    {"ROLE", COMPLETE_ROLES},
    {"AUTOMATION", COMPLETE_AUTOMATIONS},
    {"ARGUMENT", COMPLETE_FILES | COMPLETE_ROLES},
};

static void add_words(struct wm_text token, struct completion_slot *slot) {
  for (size_t i = 0; i < token.size; i++) {
    if (i == 0 && slot->words.size > 0)
      wm_buf_add_char(&slot->words, ' ');
    wm_buf_add_char(&slot->words, token.bytes[i] == '|' ? ' ' : token.bytes[i]);
  }
}

/* 'token' without its brackets and dots: "DIR", "EVENT.json", "on|off", "DURATION|TIME". */
static void add_token(struct wm_text token, struct completion_slot *slot) {
  if (token.size > 0 && token.bytes[0] >= 'a' && token.bytes[0] <= 'z') {
    add_words(token, slot);
    return;
  }
  const char *dot = memchr(token.bytes, '.', token.size);
  if (dot) /* "EVENT.json" is a file, whatever stands before the dot */
    slot->kinds |= COMPLETE_FILES;
  for (size_t i = 0; !dot && i < sizeof names / sizeof *names; i++)
    if (wm_text_is(token, names[i].name))
      slot->kinds |= names[i].kinds;
}

void completion_of_value(const char *value, struct completion_slot *slot) {
  add_token(wm_text_of(value), slot);
}

/* Takes the next word of a pattern apart. False at its end. */
static bool next_token(const char **pattern, struct wm_text *ret, bool *ret_optional, bool *ret_rest) {
  const char *at = *pattern + strspn(*pattern, " ");
  struct wm_text token = {at, strcspn(at, " ")};
  *pattern = at + token.size;
  *ret_optional = token.size > 0 && token.bytes[0] == '[';
  if (*ret_optional)
    token = (struct wm_text){token.bytes + 1, token.size - 2};
  *ret_rest = wm_text_ends_with(token, WM_TEXT("..."));
  if (*ret_rest)
    token.size -= 3;
  *ret = token;
  return token.size > 0;
}

bool completion_of_argument(const char *pattern, size_t position, struct completion_slot *slot, bool *ret_rest) {
  struct wm_text token;
  bool optional, rest, found = false;
  size_t latest = 0, optional_before = 0;
  *ret_rest = false;
  for (; next_token(&pattern, &token, &optional, &rest); latest++) {
    size_t earliest =
        optional ? latest : latest - optional_before; /* one that may be left out makes way for others only */
    if (position >= earliest && (position <= latest || rest)) {
      add_token(token, slot);
      found = true;
      *ret_rest = rest;
    }
    optional_before += optional;
  }
  return found;
}

void completion_options(const struct command *command,
                        void (*take)(const struct command *command, const struct option *option)) {
  static const struct option common[] = {{"help", 'h', NULL, "what it does, and its options"},
                                         {"version", 0, NULL, "the version"}};
  for (const struct option *option = command->options; option && option->name; option++)
    take(command, option);
  for (size_t i = 0; i < sizeof common / sizeof *common; i++)
    if (!options_own(command->options, common[i].name))
      take(command, &common[i]);
}
