/* How each kind of setting is read, checked and kept. Sentences show what the file says and never what a variable
 * holds: that may be a secret. */
#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/moment.h"
#include "worker/settings_parts.h"

static bool is_word(struct wm_text text, size_t limit) {
  for (size_t i = 0; i < text.size; i++)
    if (!isalnum((unsigned char)text.bytes[i]) && !memchr("._-", text.bytes[i], 3))
      return false;
  return text.size > 0 && text.size <= limit;
}

static void refuse(struct settings_reading *reading, const struct wm_node *node, const char *needs) {
  settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s' must be %s, not '%.*s'", reading->row->name, needs,
                   WM_TEXT_ARG(wm_text_shown(node->text)));
}

static bool is_null(const struct wm_node *node) {
  return node->kind == WM_NODE_SCALAR && wm_node_value(node, NULL).type == WM_NULL;
}

void set_text(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = is_null(node) ? "" : settings_scalar(reading, node);
  if (text && strlen(text) > (size_t)reading->place->high)
    settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s' has at most %lld bytes", reading->row->name,
                     (long long)reading->place->high);
  else if (text)
    *(const char **)place = text;
}

void set_filled(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = NULL;
  set_text(reading, node, &text);
  if (text && !*text)
    settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s' is empty", reading->row->name);
  else if (text)
    *(const char **)place = text;
}

void set_key_prefix(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = NULL;
  set_filled(reading, node, &text);
  if (text && !is_word(wm_text_of(text), (size_t)reading->place->high))
    refuse(reading, node, "letters, digits, '.', '_' and '-'");
  else if (text)
    *(const char **)place = text;
}

/* The host name stands in when nothing is given; NULL when it can't: settings_read looks at it in the end. */
static const char *host_name(struct settings_reading *reading) {
  char host[256] = "";
  bool usable = gethostname(host, sizeof(host) - 1) == 0 && is_word(wm_text_of(host), (size_t)reading->place->high);
  return usable ? settings_keep(reading, wm_text_of(host)) : NULL;
}

void set_instance(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = NULL;
  set_text(reading, node, &text);
  if (text && !*text)
    *(const char **)place = host_name(reading);
  else if (text && !is_word(wm_text_of(text), (size_t)reading->place->high))
    refuse(reading, node, "letters, digits, '.', '_' and '-', at most 100");
  else if (text)
    *(const char **)place = text;
}

/* The port behind the last colon; -1: there is none. */
static long port_of(const char *text) {
  const char *colon = strrchr(text, ':');
  char *end = NULL;
  long port = colon ? strtol(colon + 1, &end, 10) : -1;
  return colon && isdigit((unsigned char)colon[1]) && !*end && port <= 65535 ? port : -1;
}

/* What stands before the port can be the name of a host. */
static bool is_host(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (isspace((unsigned char)text[i]) || text[i] == '/')
      return false;
  return size > 0;
}

/* The first of brokers, "[PROTOCOL://]HOST[:PORT]" with commas between, is as it should be. */
static bool is_broker(const char *text, size_t size) {
  char one[512];
  if (size >= sizeof one)
    return false;
  memcpy(one, text, size);
  one[size] = '\0';
  const char *scheme = strstr(one, "://"), *host = scheme && scheme > one ? scheme + 3 : one;
  const char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
  if (!colon || (bracket && bracket > colon))
    return is_host(host, strlen(host));
  return is_host(host, (size_t)(colon - host)) && port_of(host) > 0;
}

void set_brokers(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = NULL;
  set_filled(reading, node, &text);
  for (const char *at = text; at; at = *at ? at + 1 : NULL) {
    at += strspn(at, " ");
    size_t size = strcspn(at, ",");
    if (!is_broker(at, size)) {
      refuse(reading, node, "host:port, several with commas in between");
      return;
    }
    at += size;
  }
  if (text)
    *(const char **)place = text;
}

/* "" listens nowhere; without a host everywhere; port 0 is a free one. */
void set_listen(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = NULL;
  set_text(reading, node, &text);
  if (!text)
    return;
  const char *colon = strrchr(text, ':');
  bool is_place = colon && (!memchr(text, ':', (size_t)(colon - text)) || (*text == '[' && colon[-1] == ']'));
  if (*text == '\0' || (is_place && port_of(text) >= 0))
    *(const char **)place = text;
  else
    refuse(reading, node, "host:port, such as 127.0.0.1:9464 or [::1]:9464, or left empty");
}

void set_address(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = NULL;
  set_filled(reading, node, &text);
  if (!text)
    return;
  if (*text == '/' || (port_of(text) > 0 && is_host(text, (size_t)(strrchr(text, ':') - text))))
    *(const char **)place = text;
  else
    refuse(reading, node, "host:port or the absolute path of a socket");
}

static bool is_readable(const char *path) {
  struct stat status;
  return access(path, R_OK) == 0 && stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

void set_secret_file(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = NULL;
  set_text(reading, node, &text);
  if (text && *text)
    text = settings_path(reading, text);
  if (text && *text && reading->mode == SETTINGS_FULL && !is_readable(text))
    settings_invalid(reading, node, WM_E_FILE_UNREADABLE, "'%s' names a file that can't be read, '%.*s'",
                     reading->row->name, WM_TEXT_ARG(wm_text_shown(node->text)));
  else if (text)
    *(const char **)place = text;
}

/* The word of the row's type ("a | b") that 'text' is, by its number. -1: none, that was reported. */
static int find_word(struct settings_reading *reading, const struct wm_node *node, const char *text) {
  const char *words[16] = {NULL}, *word = reading->row->type;
  char all[256] = "";
  for (int count = 0; count < 15; count++) {
    size_t size = strcspn(word, " "), used = strlen(all);
    snprintf(all + used, sizeof(all) - used, "%s%.*s", count ? " or " : "", (int)size, word);
    words[count] = settings_keep(reading, (struct wm_text){word, size});
    if (!words[count] || wm_text_is((struct wm_text){word, size}, text))
      return words[count] ? count : -1;
    if (!word[size])
      break;
    word += size + strlen(" | ");
  }
  const char *near = wm_text_nearest(wm_text_of(text), words);
  settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s' must be %s, not '%.*s'%s%s%s", reading->row->name, all,
                   WM_TEXT_ARG(wm_text_shown(node->text)), near ? ", did you mean '" : "", near ? near : "",
                   near ? "'" : "");
  return -1;
}

void set_word(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = settings_scalar(reading, node);
  if (text && find_word(reading, node, text) >= 0)
    *(const char **)place = text;
}

/* What librdkafka calls '<name>_random' differs for empty keys alone, and no user id is empty. */
void set_partitioner(struct settings_reading *reading, const struct wm_node *node, void *place) {
  const char *text = settings_scalar(reading, node);
  if (!text || find_word(reading, node, text) < 0)
    return;
  const char *random = strstr(text, "_random");
  const char *name = settings_keep(reading, (struct wm_text){text, random ? (size_t)(random - text) : strlen(text)});
  if (name)
    *(const char **)place = name;
}

/* Two words that are a boolean: is it the one with this number? */
static void set_choice(struct settings_reading *reading, const struct wm_node *node, int word, void *place) {
  const char *text = settings_scalar(reading, node);
  int found = text ? find_word(reading, node, text) : -1;
  if (found >= 0)
    *(bool *)place = found == word;
}

void set_delivery(struct settings_reading *reading, const struct wm_node *node, void *place) {
  set_choice(reading, node, 0, place);
}

void set_users(struct settings_reading *reading, const struct wm_node *node, void *place) {
  set_choice(reading, node, 1, place);
}

void set_role(struct settings_reading *reading, const struct wm_node *node, void *place) {
  struct settings *settings = reading->settings;
  const char *text = NULL;
  (void)place;
  if (!is_null(node))
    text = settings_scalar(reading, node);
  if (!text)
    return;
  if (*text && !wm_text_is_name(wm_text_of(text))) {
    refuse(reading, node, "the name of a role, [a-z0-9][a-z0-9-]{0,62}");
    return;
  }
  settings->baseline.role = text;
  settings->baseline.line = node->line;
  settings->baseline.column = node->column;
}

/* A number within the row's bounds. False: reported, or left open. */
static bool read_number(struct settings_reading *reading, const struct wm_node *node, int64_t *ret) {
  const char *text = settings_scalar(reading, node);
  if (!text)
    return false;
  bool plain = node->plain || wm_text_contains(node->text, WM_TEXT("${")); /* '{' and '[' force quotes on a variable */
  const struct wm_node typed = {.kind = WM_NODE_SCALAR, .plain = plain, .text = wm_text_of(text)};
  struct wm_value value = wm_node_value(&typed, NULL);
  if (value.type != WM_INTEGER) {
    settings_invalid(reading, node, WM_E_TYPE_WRONG, "'%s' must be an integer, not '%.*s'%s", reading->row->name,
                     WM_TEXT_ARG(wm_text_shown(node->text)), plain ? "" : " in quotes");
    return false;
  }
  if (value.integer < reading->place->low || value.integer > reading->place->high) {
    settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s' must be within %lld and %lld", reading->row->name,
                     (long long)reading->place->low, (long long)reading->place->high);
    return false;
  }
  *ret = value.integer;
  return true;
}

void set_int32(struct settings_reading *reading, const struct wm_node *node, void *place) {
  int64_t number;
  if (read_number(reading, node, &number))
    *(int32_t *)place = (int32_t)number;
}

void set_size(struct settings_reading *reading, const struct wm_node *node, void *place) {
  int64_t number;
  if (read_number(reading, node, &number))
    *(size_t *)place = (size_t)number;
}

void set_milliseconds(struct settings_reading *reading, const struct wm_node *node, void *place) {
  int64_t number;
  if (read_number(reading, node, &number))
    *(int64_t *)place = number * 1000;
}

void set_duration(struct settings_reading *reading, const struct wm_node *node, void *place) {
  int64_t us;
  const char *text = settings_scalar(reading, node);
  if (!text)
    return;
  if (wm_duration_parse(wm_text_of(text), &us) && us > 0)
    *(int64_t *)place = us;
  else
    refuse(reading, node, "a number and a unit (s m h d w) such as '5m', more than nothing, at most 36500d");
}
