/* 'silence:' of a document: codes of warnings that are fine, each with its reason. */
#include "core/codec/load_parts.h"

static void report_code(struct load *load, const struct wm_node *name) {
  struct wm_text code = wm_text_shown(name->text);
  for (enum wm_code known = WM_OK + 1; known < WM_CODE_COUNT; known++) {
    if (!wm_text_is(name->text, wm_code_name(known)))
      continue;
    load_invalid(load, name, WM_E_VALUE_INVALID, "'%.*s' is %s", WM_TEXT_ARG(code),
                 known == WM_E_SILENCE_UNUSED ? "not to be silenced, take out the silence that is unused"
                                              : "no warning, only warnings can be silenced");
    return;
  }
  load_invalid(load, name, WM_E_KEY_UNKNOWN, "unknown code '%.*s' in 'silence'" LOAD_NEAR, WM_TEXT_ARG(code),
               LOAD_NEAR_ARG(wm_silence_near(name->text)));
}

static void read_reason(struct load *load, const struct wm_node *name, const struct wm_node *value,
                        struct wm_silence *ret) {
  struct wm_text reason;
  if (!load_scalar(load, wm_code_name(ret->code), value, &reason))
    return;
  bool null = wm_node_value(value, NULL).type == WM_NULL;
  size_t blank = 0;
  while (blank < reason.size && reason.bytes[blank] == ' ')
    blank++;
  if (null || blank == reason.size)
    load_invalid(load, value, WM_E_VALUE_INVALID, "'%s' is silenced without a reason, write why it is fine here",
                 wm_code_name(ret->code));
  else
    ret->reason = load_copy(load, reason);
  ret->line = name->line;
  ret->column = name->column;
}

void load_silence(struct load *load, const struct load_key *key, const struct wm_node *value, void *place) {
  (void)place;
  if (value->broken)
    return;
  if (value->kind != WM_NODE_MAP || value->count == 0) {
    load_invalid(load, value, WM_E_TYPE_WRONG,
                 "'%s' needs codes of warnings with their reasons: 'CODE: why it is fine'", key->name);
    return;
  }
  struct wm_silences *silences = &load->silences;
  silences->items = load_array(load, value->count, sizeof(*silences->items));
  silences->count = 0;
  for (size_t i = 0; silences->items && i < value->count; i++) {
    const struct wm_node *name = &value->items[2 * i];
    if (load_is_reported(name))
      continue;
    struct wm_silence *silence = &silences->items[silences->count];
    *silence = (struct wm_silence){.code = wm_silence_code(name->text)};
    if (silence->code == WM_OK) {
      report_code(load, name);
      continue;
    }
    read_reason(load, name, &value->items[2 * i + 1], silence);
    silences->count += silence->reason.bytes != NULL;
  }
}
