/* Lists and mappings of waymark.yaml: topics, globs, properties of librdkafka. */
#include <ctype.h>
#include <stddef.h>

#include "worker/settings_parts.h"

/* --- topics --- */

#define TOPIC_LIMIT 249
#define DLQ ".dlq"

static bool is_input(const struct settings_reading *reading) {
  static const char *const inputs[] = {"topics.events", "topics.directory", "topics.requests", "topics.replay", NULL};
  for (size_t i = 0; inputs[i]; i++)
    if (strcmp(reading->row->name, inputs[i]) == 0)
      return true;
  return false;
}

static bool is_topic(const char *name) {
  size_t size = strlen(name);
  for (size_t i = 0; i < size; i++)
    if (!isalnum((unsigned char)name[i]) && !memchr("._-", name[i], 3))
      return false;
  return size > 0 && size <= TOPIC_LIMIT - strlen(DLQ) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* The default of a setting that the file names again is not remembered. */
static void forget_fallback(struct settings_reading *reading) {
  size_t kept = 0;
  for (size_t i = 0; i < reading->topic_count; i++)
    if (strcmp(reading->topics[i].setting, reading->row->name) != 0 || reading->topics[i].line > 0)
      reading->topics[kept++] = reading->topics[i];
  reading->topic_count = kept;
}

static const char *read_topic(struct settings_reading *reading, const struct wm_node *node) {
  const char *name = settings_scalar(reading, node);
  if (!name)
    return NULL;
  if (!is_topic(name)) {
    settings_invalid(reading, node, WM_E_SETTING_INVALID,
                     "'%s' must be a topic's name, 1 to 245 letters, digits, '.', '_' and '-', not '%.*s'",
                     reading->row->name, WM_TEXT_ARG(wm_text_shown(node->text)));
    return NULL;
  }
  if (reading->topic_count < SETTINGS_TOPICS_LIMIT)
    reading->topics[reading->topic_count++] = (struct settings_topic){.setting = reading->row->name,
                                                                      .name = name,
                                                                      .input = is_input(reading),
                                                                      .line = reading->fallback ? 0 : node->line,
                                                                      .column = node->column};
  return name;
}

void set_topic(struct settings_reading *reading, const struct wm_node *node, void *place) {
  forget_fallback(reading);
  const char *name = read_topic(reading, node);
  if (name)
    *(const char **)place = name;
}

/* A list of scalars within the row's bounds; one scalar is no list. NULL: reported. */
static const char **new_list(struct settings_reading *reading, const struct wm_node *node) {
  if (node->broken)
    return NULL;
  if (node->kind != WM_NODE_LIST) {
    settings_invalid(reading, node, WM_E_TYPE_WRONG, "'%s' must be a list", reading->row->name);
    return NULL;
  }
  if ((int64_t)node->count < reading->place->low || (int64_t)node->count > reading->place->high) {
    settings_invalid(reading, node, WM_E_SETTING_INVALID, "'%s' must have %lld to %lld entries", reading->row->name,
                     (long long)reading->place->low, (long long)reading->place->high);
    return NULL;
  }
  const char **list = WM_ARENA_ARRAY(&reading->settings->arena, const char *, node->count);
  if (!list)
    reading->memory = true;
  return list;
}

void set_topics(struct settings_reading *reading, const struct wm_node *node, void *place) {
  struct settings *settings = reading->settings;
  (void)place;
  const char **list = new_list(reading, node);
  size_t count = 0;
  if (!list)
    return;
  forget_fallback(reading);
  for (size_t i = 0; i < node->count; i++) {
    const char *name = read_topic(reading, &node->items[i]);
    if (name)
      list[count++] = name;
  }
  if (count == 0) /* reported, or a variable that lint leaves open */
    return;
  settings->topics.events = list;
  settings->topics.event_count = count;
}

static void report_same(struct settings_reading *reading, const struct settings_topic *a,
                        const struct settings_topic *b, const char *what) {
  if (a->line > b->line || (a->line == b->line && a->column > b->column)) {
    const struct settings_topic *other = a;
    a = b;
    b = other;
  }
  wm_findings_add(reading->findings, WM_INVALID, WM_E_SETTING_INVALID, reading->file, b->line ? b->line : 1,
                  b->line ? b->column : 1, "'%s' and '%s' are %s: '%s'", a->setting, b->setting, what, b->name);
}

static bool is_dlq_of(const struct settings_topic *dlq, const struct settings_topic *topic) {
  struct wm_text name = wm_text_of(dlq->name);
  return topic->input && wm_text_ends_with(name, WM_TEXT(DLQ)) &&
         wm_text_is((struct wm_text){name.bytes, name.size - strlen(DLQ)}, topic->name);
}

void settings_check_topics(struct settings_reading *reading) {
  for (size_t i = 0; i < reading->topic_count; i++) {
    for (size_t j = i + 1; j < reading->topic_count; j++) {
      const struct settings_topic *a = &reading->topics[i], *b = &reading->topics[j];
      if (strcmp(a->name, b->name) == 0)
        report_same(reading, a, b, "one topic");
      else if (is_dlq_of(a, b) || is_dlq_of(b, a))
        report_same(reading, a, b, "a topic and its dead letters");
    }
  }
}

void set_ignore(struct settings_reading *reading, const struct wm_node *node, void *place) {
  struct settings *settings = reading->settings;
  (void)place;
  const char **list = new_list(reading, node);
  size_t count = 0;
  for (size_t i = 0; list && i < node->count; i++) {
    const char *glob = settings_scalar(reading, &node->items[i]);
    if (glob && *glob)
      list[count++] = glob;
    else if (glob)
      settings_invalid(reading, &node->items[i], WM_E_SETTING_INVALID, "'ignore' has an empty entry");
  }
  settings->ignore = list;
  settings->ignore_count = count;
}

void set_user_written(struct settings_reading *reading, const struct wm_node *node, void *place) {
  struct settings *settings = reading->settings;
  struct wm_error error;
  size_t count = 0;
  (void)place;
  if (!new_list(reading, node))
    return;
  struct wm_path *paths = WM_ARENA_ARRAY(&settings->arena, struct wm_path, node->count);
  for (size_t i = 0; paths && i < node->count; i++) {
    const char *text = settings_scalar(reading, &node->items[i]);
    if (!text)
      continue;
    if (wm_path_parse(wm_text_of(text), &settings->arena, &paths[count], &error) == 0)
      count++;
    else if (error.code == WM_E_OUT_OF_MEMORY)
      reading->memory = true;
    else
      settings_invalid(reading, &node->items[i], WM_E_SETTING_INVALID, "%s", error.text);
  }
  reading->memory |= !paths;
  settings->user_written = paths;
  settings->user_written_count = count;
}

/* --- properties --- */

/* What Waymark's promises rest on, and where it is set instead. A * stands for any text. */
static const struct {
  const char *pattern, *why;
} refused[] = {
    {"bootstrap.servers", "it is 'kafka.bootstrap'"},
    {"metadata.broker.list", "it is 'kafka.bootstrap'"},
    {"group.id", "it is 'kafka.group'"},
    {"group.instance.id", "a worker that starts again has to be a new member, so that the old one is fenced"},
    {"group.protocol*", "the assignor 'range' needs the classic protocol"},
    {"group.remote.assignor", "the assignor 'range' needs the classic protocol"},
    {"partition.assignment.strategy", "only 'range' gives one worker the same partition of every topic"},
    {"partitioner", "it is 'kafka.partitioner'"},
    {"isolation.level", "records of transactions that were aborted must not be read"},
    {"enable.auto.commit", "offsets are committed in the transaction of what was decided"},
    {"auto.commit.*", "offsets are committed in the transaction of what was decided"},
    {"enable.auto.offset.store", "offsets are committed in the transaction of what was decided"},
    {"offset.store.*", "offsets are committed in the transaction of what was decided"},
    {"auto.offset.reset", "a new group begins at the beginning, and an old one never starts over silently"},
    {"enable.partition.eof", "catching up tells by it where the log ends"},
    {"transactional.id", "it is made of 'kafka.group' and 'instance', so that a second owner is fenced"},
    {"transaction.timeout.ms", "the worker's own deadline is half of it"},
    {"socket.timeout.ms", "a commit that was not answered within 5 s is taken for lost"},
    {"enable.idempotence", "without it records may come twice"},
    {"enable.gapless.guarantee", "without it records may be missing"},
    {"max.in.flight*", "with more on the way records may change places"},
    {"acks", "a record that one broker alone has may be lost"},
    {"request.required.acks", "a record that one broker alone has may be lost"},
    {"retries", "a record is tried until the deadline of its batch"},
    {"message.send.max.retries", "a record is tried until the deadline of its batch"},
    {"message.timeout.ms", "a record is tried until the deadline of its batch"},
    {"delivery.timeout.ms", "a record is tried until the deadline of its batch"},
    {"delivery.report.only.error", "the reports tell where registers stand"},
    {"message.max.bytes", "the topics' 'max.message.bytes' decide"},
    {"batch.size", "it is made of the topics' 'max.message.bytes', so that one large record never costs others"},
    {"queue.buffering.max.messages", "the records of a whole batch have to fit; see 'limits.batch-events'"},
    {"queue.buffering.max.kbytes", "the records of a whole batch have to fit; see 'limits.batch-events'"},
    {"allow.auto.create.topics", "topics are made by 'waymark topics create'"},
    {"log_level", "it is 'log.level'"},
    {"log.queue", "the worker reads the client's log itself"},
    {"log.thread.name", "the worker reads the client's log itself"},
    {"enabled_events", "the worker serves the client itself"},
    {"opaque", "the worker serves the client itself"},
    {"default_topic_conf", "the worker serves the client itself"},
    {"*_cb", "the worker serves the client itself"},
    {"test.mock.*", "it is for tests of the client"},
};

const char *settings_property_refused(const char *name) {
  for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
    if (wm_text_glob(wm_text_of(name), wm_text_of(refused[i].pattern)))
      return refused[i].why;
  return NULL;
}

/* The last of several counts, as librdkafka has it; it also says what is no number. */
int64_t settings_session_ms(const struct settings *settings) {
  int64_t session_ms = SETTINGS_SESSION_MS;
  for (size_t i = 0; i < settings->kafka.property_count; i++) {
    const struct setting_pair *pair = &settings->kafka.properties[i];
    long long number = strcmp(pair->name, "session.timeout.ms") == 0 ? strtoll(pair->value, NULL, 10) : 0;
    if (number > 0)
      session_ms = number;
  }
  return session_ms;
}

static void read_property(struct settings_reading *reading, const struct wm_node *key, const struct wm_node *value) {
  struct settings *settings = reading->settings;
  if (key->broken || key->kind != WM_NODE_SCALAR || key->text.size == 0)
    return;
  const char *name = settings_keep(reading, key->text), *why = name ? settings_property_refused(name) : NULL;
  if (why) {
    settings_invalid(reading, key, WM_E_SETTING_INVALID, "'%s' can't be set as a property: %s", name, why);
    return;
  }
  const char *text = settings_scalar(reading, value);
  if (!name || !text)
    return;
  settings->kafka.property_places[settings->kafka.property_count] = (struct setting_place){key->line, key->column};
  settings->kafka.properties[settings->kafka.property_count++] = (struct setting_pair){name, text};
}

void set_properties(struct settings_reading *reading, const struct wm_node *node, void *place) {
  struct settings *settings = reading->settings;
  (void)place;
  bool empty = node->kind == WM_NODE_SCALAR && wm_node_value(node, NULL).type == WM_NULL;
  if (node->broken || empty)
    return;
  if (node->kind != WM_NODE_MAP) {
    settings_invalid(reading, node, WM_E_TYPE_WRONG, "'%s' must be a mapping", reading->row->name);
    return;
  }
  settings->kafka.property_count = 0;
  settings->kafka.properties = WM_ARENA_ARRAY(&settings->arena, struct setting_pair, node->count);
  settings->kafka.property_places = WM_ARENA_ARRAY(&settings->arena, struct setting_place, node->count);
  bool fine = settings->kafka.properties && settings->kafka.property_places;
  reading->memory |= !fine;
  for (size_t i = 0; fine && i < node->count; i++)
    read_property(reading, &node->items[2 * i], &node->items[2 * i + 1]);
}
