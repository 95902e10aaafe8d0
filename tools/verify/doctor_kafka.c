/* Kafka as the doctor sees it: brokers, topics, how long they keep records, the group. */
#include "tools/verify/doctor.h"
#include "worker/examine.h"
#include "worker/topics.h"

#define DAY_MS (86400 * INT64_C(1000))
#define HISTORY_DAYS 7 /* what 'waymark history', 'failures' and people look back at least */
#define LAG_MANY 10000

static void take_topic(void *taker, const struct topics_line *line) {
  static const enum doctor_state states[] = {[TOPICS_CREATED] = DOCTOR_OK,
                                             [TOPICS_FINE] = DOCTOR_OK,
                                             [TOPICS_DOUBTFUL] = DOCTOR_DOUBTFUL,
                                             [TOPICS_WRONG] = DOCTOR_WRONG};
  doctor_say(taker, "topic", line->topic, states[line->what], "%s", line->sentence ? line->sentence : "");
}

static void look_at_retention(struct doctor *doctor, const struct examined_topic *topic) {
  const struct settings *settings = &doctor->loaded->settings;
  int64_t wanted_ms = topic->input ? settings->limits.notify_age_us / 1000 : HISTORY_DAYS * DAY_MS;
  if (topic->keep_ms < 0 || topic->keep_ms >= wanted_ms || strcmp(topic->name, settings->topics.users) == 0 ||
      strcmp(topic->name, settings->topics.control) == 0)
    return;
  double hours = (double)topic->keep_ms / 3600000;
  if (topic->input)
    doctor_say(doctor, "retention", topic->name, DOCTOR_DOUBTFUL,
               "keeps events for %.1f hours, less than limits.notify-age: workers that stand still for longer lose "
               "events; raise retention.ms",
               hours);
  else
    doctor_say(doctor, "retention", topic->name, DOCTOR_DOUBTFUL,
               "keeps records for %.1f hours: history and failures end there; raise retention.ms to %d days or more",
               hours, HISTORY_DAYS);
}

static void look_at_topics(struct doctor *doctor, const struct examined_kafka *found) {
  size_t before = doctor->counts[DOCTOR_DOUBTFUL];
  if (found->topic_error[0])
    doctor_say(doctor, "retention", "settings of topics", DOCTOR_DOUBTFUL,
               "can't be read: %s; allow describe-configs on the topics, or look yourself", found->topic_error);
  for (size_t i = 0; i < found->topic_count; i++)
    look_at_retention(doctor, &found->topics[i]);
  if (doctor->counts[DOCTOR_DOUBTFUL] == before)
    doctor_say(doctor, "retention", "all topics", DOCTOR_OK, "long enough");
}

static void look_at_group(struct doctor *doctor, const struct examined_kafka *found) {
  const char *group = doctor->loaded->settings.kafka.group;
  int32_t partitions = doctor->loaded->settings.kafka.partitions;
  if (found->group_error[0])
    doctor_say(doctor, "group", group, DOCTOR_DOUBTFUL, "can't be looked at: %s; allow describe on the group",
               found->group_error);
  else if (found->members == 0)
    doctor_say(doctor, "group", group, DOCTOR_WRONG, "has no member: start a worker");
  else if (strcmp(found->group_state, "Stable") != 0)
    doctor_say(doctor, "group", group, DOCTOR_DOUBTFUL, "%d members, %s: look again in a minute", found->members,
               found->group_state);
  else
    doctor_say(doctor, "group", group, DOCTOR_OK, "%d member%s for %d partitions%s", found->members,
               found->members == 1 ? "" : "s", (int)partitions, found->members > partitions ? ", some stand by" : "");
  if (found->lag < 0)
    doctor_say(doctor, "group", "lag", DOCTOR_DOUBTFUL, "not known: %s", found->lag_error);
  else
    doctor_say(doctor, "group", "lag", found->lag > LAG_MANY ? DOCTOR_DOUBTFUL : DOCTOR_OK, "%lld records wait%s",
               (long long)found->lag,
               found->lag > LAG_MANY ? ": look whether it falls; more workers help up to the number of partitions"
                                     : "");
}

static void look_at_rights(struct doctor *doctor, const struct examined_rights *rights) {
  const char *replay = doctor->loaded->settings.topics.replay;
  switch (rights->state) {
  case EXAMINED_MAY:
    doctor_say(doctor, "permissions", "kafka", DOCTOR_OK, "%s may do all that a worker does", rights->who);
    return;
  case EXAMINED_LACKS:
    doctor_say(doctor, "permissions", "kafka", DOCTOR_DOUBTFUL,
               "%s may not %s: a worker must, unless it is a super user; add them with 'kafka-acls'", rights->who,
               rights->lacks);
    return;
  case EXAMINED_NAMELESS:
    doctor_say(doctor, "permissions", "kafka", DOCTOR_DOUBTFUL,
               "not known: there is no sasl.username by which to look for ACLs; see 'kafka-acls --list'");
    return;
  case EXAMINED_SECRET:
    doctor_say(
        doctor, "permissions", "kafka", DOCTOR_DOUBTFUL,
        "no ACL is to be seen: the brokers have none, and whoever reaches them may write to every topic, '%s' too; or "
        "this user needs describe on the cluster",
        replay);
    return;
  }
}

void doctor_kafka(struct doctor *doctor) {
  struct wm_error error = {0};
  struct examined_kafka found;
  const struct settings *settings = &doctor->loaded->settings;
  if (examine_kafka(settings, &doctor->arena, &found, &error) < 0) {
    doctor->unreachable = true;
    doctor_say(doctor, "kafka", "brokers", DOCTOR_WRONG, "%s; look at kafka.bootstrap and kafka.properties",
               error.text);
    return;
  }
  doctor_say(doctor, "kafka", "brokers", found.brokers > 1 ? DOCTOR_OK : DOCTOR_DOUBTFUL, "%d answer%s", found.brokers,
             found.brokers > 1 ? "" : "s: with one broker alone, its disk is all there is of the log");
  if (!settings->kafka.exactly_once)
    doctor_say(
        doctor, "kafka", "delivery", DOCTOR_DOUBTFUL,
        "at-least-once: outcomes and notifications may come twice; exactly-once is for brokers with transactions");
  if (topics_check(settings, take_topic, doctor, NULL, &error) < 0)
    doctor_say(doctor, "topic", "all", DOCTOR_WRONG, "%s", error.text);
  look_at_topics(doctor, &found);
  look_at_group(doctor, &found);
  look_at_rights(doctor, &found.rights);
}
