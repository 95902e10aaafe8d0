#include "worker/examine.h"
#include "worker/kafka_internal.h"
#include "worker/topics.h"

enum { ASK_MS = 5000, LACKS_MOST = 8 };

/* librdkafka 2.0 has no name for them, and gives back what it does not know as this. */
#define TRANSACTIONAL_ID RD_KAFKA_RESOURCE_UNKNOWN

struct looked {
  const struct settings *settings;
  const char *principal;
  const rd_kafka_AclBinding_t **bindings;
  size_t binding_count, lack_count;
  struct wm_buf lacks;
};

/* --- what the brokers allow --- */

static bool is_of(const struct looked *looked, const rd_kafka_AclBinding_t *binding) {
  const char *principal = rd_kafka_AclBinding_principal(binding);
  return strcmp(principal, looked->principal) == 0 || strcmp(principal, "User:*") == 0;
}

static bool is_about(const rd_kafka_AclBinding_t *binding, rd_kafka_ResourceType_t type, const char *name) {
  const char *pattern = rd_kafka_AclBinding_name(binding);
  if (rd_kafka_AclBinding_restype(binding) != type)
    return false;
  if (rd_kafka_AclBinding_resource_pattern_type(binding) == RD_KAFKA_RESOURCE_PATTERN_PREFIXED)
    return strncmp(name, pattern, strlen(pattern)) == 0;
  return strcmp(pattern, "*") == 0 || strcmp(pattern, name) == 0;
}

static bool is_told(const struct looked *looked, rd_kafka_AclPermissionType_t permission, rd_kafka_ResourceType_t type,
                    const char *name, rd_kafka_AclOperation_t operation) {
  for (size_t i = 0; i < looked->binding_count; i++) {
    const rd_kafka_AclBinding_t *binding = looked->bindings[i];
    rd_kafka_AclOperation_t told = rd_kafka_AclBinding_operation(binding);
    if (rd_kafka_AclBinding_permission_type(binding) == permission && is_of(looked, binding) &&
        is_about(binding, type, name) && (told == operation || told == RD_KAFKA_ACL_OPERATION_ALL))
      return true;
  }
  return false;
}

static void need(struct looked *looked, rd_kafka_ResourceType_t type, const char *name,
                 rd_kafka_AclOperation_t operation) {
  static const char *const kinds[] = {[RD_KAFKA_RESOURCE_TOPIC] = "",
                                      [RD_KAFKA_RESOURCE_GROUP] = "the group ",
                                      [TRANSACTIONAL_ID] = "the transactional id "};
  static const char *const operations[] = {[RD_KAFKA_ACL_OPERATION_READ] = "read",
                                           [RD_KAFKA_ACL_OPERATION_WRITE] = "write",
                                           [RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS] = "describe-configs"};
  if (is_told(looked, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, type, name, operation) &&
      !is_told(looked, RD_KAFKA_ACL_PERMISSION_TYPE_DENY, type, name, operation))
    return;
  if (looked->lack_count++ < LACKS_MOST)
    wm_buf_printf(&looked->lacks, "%s%s on %s%s", looked->lack_count == 1 ? "" : ", ", operations[operation],
                  kinds[type], name);
}

/* --- what a worker needs: the guide's table of who may do what --- */

static int need_topic(void *taker, const char *topic, int32_t partitions) {
  struct looked *looked = taker;
  const struct settings *settings = looked->settings;
  bool control = strcmp(topic, settings->topics.control) == 0;
  bool input = examine_is_input(settings, topic);
  (void)partitions;
  if (input || control || strcmp(topic, settings->topics.users) == 0)
    need(looked, RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_ACL_OPERATION_READ);
  if ((!input && !control) || strcmp(topic, settings->topics.requests) == 0)
    need(looked, RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_ACL_OPERATION_WRITE);
  need(looked, RD_KAFKA_RESOURCE_TOPIC, topic, RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS);
  return 0;
}

static void need_all(struct looked *looked) {
  const struct settings *settings = looked->settings;
  char id[1024];
  topics_each(settings, need_topic, looked);
  need(looked, RD_KAFKA_RESOURCE_GROUP, settings->kafka.group, RD_KAFKA_ACL_OPERATION_READ);
  snprintf(id, sizeof id, "waymark.%s.%s", settings->kafka.group, settings->instance);
  if (settings->kafka.exactly_once)
    need(looked, TRANSACTIONAL_ID, id, RD_KAFKA_ACL_OPERATION_WRITE);
  if (looked->lack_count > LACKS_MOST)
    wm_buf_printf(&looked->lacks, " and %zu more", looked->lack_count - LACKS_MOST);
}

/* --- asking --- */

static rd_kafka_event_t *ask(struct kafka_handle *handle) {
  char why[256];
  rd_kafka_AclBindingFilter_t *filter =
      rd_kafka_AclBindingFilter_new(RD_KAFKA_RESOURCE_ANY, NULL, RD_KAFKA_RESOURCE_PATTERN_ANY, NULL, NULL,
                                    RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, why, sizeof why);
  if (!filter)
    return NULL;
  rd_kafka_queue_t *queue = rd_kafka_queue_new(handle->rk);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(handle->rk, RD_KAFKA_ADMIN_OP_DESCRIBEACLS);
  rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, NULL, 0);
  rd_kafka_DescribeAcls(handle->rk, filter, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS + 1000);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  rd_kafka_AclBinding_destroy(filter);
  return event;
}

static const char *user_of(const struct settings *settings) {
  for (size_t i = 0; i < settings->kafka.property_count; i++)
    if (strcmp(settings->kafka.properties[i].name, "sasl.username") == 0)
      return settings->kafka.properties[i].value;
  return NULL;
}

static void look(const struct settings *settings, rd_kafka_event_t *event, struct wm_arena *arena,
                 struct examined_rights *ret) {
  char principal[512];
  struct looked looked = {.settings = settings, .principal = principal, .lacks = WM_BUF_INIT};
  const char *user = user_of(settings);
  looked.bindings = rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event), &looked.binding_count);
  if (looked.binding_count == 0) /* librdkafka 2.0 says so too when it may not look, and when there are no ACLs */
    return;
  if (!user) {
    ret->state = EXAMINED_NAMELESS;
    return;
  }
  snprintf(principal, sizeof principal, "User:%s", user);
  need_all(&looked);
  ret->state = looked.lack_count > 0 ? EXAMINED_LACKS : EXAMINED_MAY;
  ret->who = wm_arena_copy(arena, principal, strlen(principal));
  ret->lacks =
      looked.lacks.failed || !looked.lacks.bytes ? NULL : wm_arena_copy(arena, looked.lacks.bytes, looked.lacks.size);
  ret->who = ret->who ? ret->who : "";
  ret->lacks = ret->lacks ? ret->lacks : "";
  wm_buf_release(&looked.lacks);
}

void examine_acls(struct kafka_handle *handle, const struct settings *settings, struct wm_arena *arena,
                  struct examined_rights *ret) {
  rd_kafka_event_t *event = ask(handle);
  rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  *ret = (struct examined_rights){.state = EXAMINED_SECRET, .who = "", .lacks = ""};
  if (!code)
    look(settings, event, arena, ret);
  if (event)
    rd_kafka_event_destroy(event);
}
