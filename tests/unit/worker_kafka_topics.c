/* Topics, homes and reading, as far as the embedded broker can show them. */
#include "tests/unit/kafka_mock.h"

TestSuite(kafka_topics, .init = set_up, .fini = tear_down, .timeout = 300);

static char said[4096];

static void listen_to(void *taker, const struct topics_line *line) {
  (void)taker;
  if (line->what != TOPICS_FINE)
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s: %s\n", line->topic, line->sentence);
}

static const char *check_topics(void) {
  said[0] = '\0';
  cr_assert_eq(topics_check(&log_.settings, listen_to, NULL, NULL, &log_.error), 0, "%s", log_.error.text);
  return said;
}

Test(kafka_topics, what_the_embedded_broker_is_given_is_fine) {
  cr_assert_str_empty(check_topics(), "%s", said);
}

Test(kafka_topics, another_number_of_partitions_is_told_with_both_numbers) {
  log_.settings.kafka.partitions = 3;
  check_topics();
  cr_assert_not_null(strstr(said, "events: has 2 partitions, expected 3: "), "%s", said);
  cr_assert_not_null(strstr(said, "control: records 2 partitions, kafka.partitions is 3"), "%s", said);
  cr_assert_null(kafka_open(&log_.settings, &log_.logger, &log_.door, &log_.error));
  cr_assert_eq(log_.error.code, WM_E_TOPIC_INVALID);
}

Test(kafka_topics, another_partitioner_is_refused) {
  log_.settings.kafka.partitioner = "fnv1a";
  cr_assert_str_eq(check_topics(),
                   "control: records the partitioner 'murmur2', kafka.partitioner is 'fnv1a': set it to "
                   "'murmur2'\n");
}

Test(kafka_topics, a_users_topic_without_birth_records_is_refused) {
  log_.settings.topics.users = "fresh";
  cr_assert_eq(mock_broker_add_topic(log_.mock, "fresh", PARTITIONS, &log_.error), 0);
  check_topics();
  cr_assert_not_null(strstr(said, "fresh: partition 1 does not begin with a birth record: write it"), "%s", said);
  struct client *client = client_open(&log_.settings, &log_.error);
  const struct wm_record record = {
      .topic = WM_TEXT("fresh"), .partition = 1, .timestamp_ms = -1, .key = WM_TEXT("u"), .value = WM_TEXT("{}")};
  cr_assert_eq(client_send(client, &record, 1, 10000, NULL, &log_.error), 0, "%s", log_.error.text);
  client_close(client);
  check_topics();
  cr_assert_not_null(strstr(said, "fresh: partition 1 does not begin with a birth record: it was not made"), "%s",
                     said);
}

Test(kafka_topics, birth_records_are_written_once) {
  open_kafka();
  char first[64], second[64];
  cr_assert_eq(INSIST(LOG(incarnation, 0, first)), LOG_DONE, "%s", log_.error.text);
  cr_assert_eq(INSIST(LOG(incarnation, 1, second)), LOG_DONE, "%s", log_.error.text);
  cr_assert_str_eq(first, second, "one topic, one incarnation");
  cr_assert_eq(strlen(first), 36);
  cr_assert_eq(topics_seed(&log_.settings, listen_to, NULL, &log_.error), 0, "%s", log_.error.text);
  int64_t start, end;
  cr_assert_eq(INSIST(LOG(users_end, 0, &start, &end)), LOG_DONE);
  cr_assert_eq(end, 1);
}

Test(kafka_topics, the_users_topic_is_read_to_an_end) {
  open_kafka();
  for (int i = 0; i < 3; i++)
    cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
  int64_t start, end, position = 0;
  cr_assert_eq(INSIST(LOG(users_end, 1, &start, &end)), LOG_DONE);
  cr_assert_eq(end, 4);
  struct wm_record record;
  for (int from = 0; from <= 2; from += 2) {
    cr_assert_eq(INSIST(LOG(read_begin, 1, from)), LOG_DONE, "%s", log_.error.text);
    int records = 0;
    for (position = from; position < end;)
      records += LOG(read_next, 1000, &record, &position) == LOG_RECORD;
    cr_assert_eq(records, end - from);
    cr_assert(wm_text_is(record.key, "user-7") && wm_text_is(record.value, "register"));
    log_.door.ops->read_end(log_.door.self);
  }
}

/* --- settings --- */

/* The hashes of Kafka's own tests: -973932308, -790332482, -985981536. */
Test(kafka_topics, homes_are_those_of_java_clients) {
  cr_assert_eq(kafka_home("murmur2", WM_TEXT("21"), 1000), 340);
  cr_assert_eq(kafka_home("murmur2", WM_TEXT("foobar"), 1000), 166);
  cr_assert_eq(kafka_home("murmur2", WM_TEXT("a-little-bit-long-string"), 1000), 112);
  cr_assert_eq(kafka_home("sideways", WM_TEXT("user-7"), 8), -1);
}

Test(kafka_topics, properties_that_promises_depend_on_are_refused) {
  static const char *const refused[] = {"isolation.level",
                                        "partition.assignment.strategy",
                                        "enable.auto.commit",
                                        "transactional.id",
                                        "group.id",
                                        "test.mock.num.brokers",
                                        "acks"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    cr_assert_not_null(settings_property_refused(refused[i]), "%s", refused[i]);
  static const char *const free_ones[] = {"sasl.password", "compression.type", "linger.ms", "queued.min.messages"};
  for (size_t i = 0; i < sizeof free_ones / sizeof *free_ones; i++)
    cr_assert_null(settings_property_refused(free_ones[i]), "%s", free_ones[i]);
  struct setting_pair property = {"isolation.level", "read_uncommitted"};
  log_.settings.kafka.properties = &property;
  log_.settings.kafka.property_count = 1;
  cr_assert_null(kafka_open(&log_.settings, &log_.logger, &log_.door, &log_.error));
  cr_assert_eq(log_.error.code, WM_E_SETTING_INVALID);
  property = (struct setting_pair){"compression.typo", "lz4"};
  cr_assert_null(kafka_open(&log_.settings, &log_.logger, &log_.door, &log_.error));
  cr_assert_eq(log_.error.code, WM_E_SETTING_INVALID);
  cr_assert_not_null(strstr(log_.error.text, "compression.typo"), "%s", log_.error.text);
}

/* --- the group --- */

static void send_events(int count) {
  static char values[100][8];
  static struct wm_record records[100];
  for (int i = 0; i < count; i++)
    records[i] = (struct wm_record){.topic = WM_TEXT("events"),
                                    .partition = i % PARTITIONS,
                                    .timestamp_ms = 1000 + i,
                                    .value = {values[i], (size_t)snprintf(values[i], sizeof values[i], "%d", i)}};
  struct client *client = client_open(&log_.settings, &log_.error);
  cr_assert_eq(client_send(client, records, (size_t)count, 10000, NULL, &log_.error), 0, "%s", log_.error.text);
  client_close(client);
}

static void expect_records(int32_t partition, int64_t from, int64_t to) {
  struct log_polled polled;
  for (int64_t offset = from; offset < to; offset++) {
    cr_assert_eq(poll_for(&polled, 100), LOG_RECORD, "%s", log_.error.text);
    cr_assert_eq(polled.record.partition, partition);
    cr_assert_eq(polled.record.offset, offset);
    cr_assert_eq(polled.topic, 0);
  }
  cr_assert_eq(poll_for(&polled, 5), LOG_NOTHING);
}

Test(kafka_topics, partitions_are_taken_over_paused_and_read_from_where_the_loop_says) {
  send_events(40);
  open_kafka();
  struct log_polled polled;
  cr_assert_eq(poll_for(&polled, 300), LOG_ASSIGNED, "%s", log_.error.text);
  cr_assert_eq(polled.position_count, 4 * PARTITIONS);
  struct log_position positions[4 * PARTITIONS];
  size_t count = polled.position_count;
  memcpy(positions, polled.positions, sizeof positions);
  cr_assert_eq(INSIST(LOG(committed, positions, count)), LOG_DONE, "%s", log_.error.text);
  for (size_t i = 0; i < count; i++)
    cr_assert_eq(positions[i].offset, LOG_BEGINNING);
  for (size_t i = 0; i < count; i++)
    if (positions[i].topic == 0 && positions[i].partition == 0)
      positions[i].offset = 15;
  cr_assert_eq(INSIST(LOG(assign, positions, count)), LOG_DONE, "%s", log_.error.text);
  cr_assert_eq(poll_for(&polled, 10), LOG_NOTHING, "all are paused");
  log_.door.ops->resume(log_.door.self, 0);
  expect_records(0, 15, 20);
  log_.door.ops->pause(log_.door.self, 0);
  log_.door.ops->resume(log_.door.self, 1);
  expect_records(1, 0, 20);
  log_.door.ops->pause(log_.door.self, 1);

  const struct log_position back = {.topic = 0, .partition = 0, .offset = 18};
  cr_assert_eq(INSIST(LOG(rewind, &back, 1)), LOG_DONE, "%s", log_.error.text);
  cr_assert_eq(poll_for(&polled, 5), LOG_NOTHING, "still paused");
  log_.door.ops->resume(log_.door.self, 0);
  expect_records(0, 18, 20);
}

Test(kafka_topics, an_offset_that_the_log_does_not_have_is_refused) {
  send_events(10);
  open_kafka();
  struct log_polled polled;
  cr_assert_eq(poll_for(&polled, 300), LOG_ASSIGNED, "%s", log_.error.text);
  const struct log_position position = {.topic = 0, .partition = 0, .offset = 6};
  cr_assert_eq(INSIST(LOG(assign, &position, 1)), LOG_FATAL);
  cr_assert_eq(log_.error.code, WM_E_TOPIC_INVALID);
  cr_assert_not_null(strstr(log_.error.text, "offset 6 of 'events' partition 0"), "%s", log_.error.text);
}

Test(kafka_topics, brokers_that_go_away_are_down_and_welcome_when_they_return) {
  open_kafka();
  struct log_polled polled;
  cr_assert_eq(poll_for(&polled, 300), LOG_ASSIGNED, "%s", log_.error.text);
  cr_assert_eq(INSIST(LOG(assign, NULL, 0)), LOG_DONE);
  mock_broker_down(log_.mock, true);
  enum log_poll seen = LOG_NOTHING;
  for (int i = 0; i < 600 && seen == LOG_NOTHING; i++)
    seen = LOG(poll, 100, &polled);
  cr_assert_eq(seen, LOG_DOWN);
  mock_broker_down(log_.mock, false);
  enum log_result result = LOG_AGAIN;
  for (int i = 0; i < 20 && result != LOG_DONE; i++) {
    result = write_batch();
    if (result != LOG_DONE)
      recover(result);
  }
  cr_assert_eq(result, LOG_DONE, "%s", log_.error.text);
}
