/* Reading what a topic holds at this moment, on the embedded broker. */
#include "tests/unit/kafka_mock.h"

static struct client *client;

static void set_up_client(void) {
  set_up();
  client = client_open(&log_.settings, &log_.error);
  cr_assert_not_null(client);
}

static void tear_down_client(void) {
  client_close(client);
  tear_down();
}

TestSuite(client, .init = set_up_client, .fini = tear_down_client, .timeout = 300);

static void send_one(int32_t partition, const char *key, int64_t timestamp_ms) {
  struct wm_record record = {.topic = WM_TEXT("changes"),
                             .partition = partition,
                             .timestamp_ms = timestamp_ms,
                             .key = wm_text_of(key),
                             .value = WM_TEXT("{}")};
  cr_assert_eq(client_send(client, &record, 1, 10000, NULL, &log_.error), 0, "%s", log_.error.text);
}

/* The keys that come, sorted, as one text. */
static const char *keys_of(struct client_reading reading) {
  static char keys[64];
  char text[2] = "";
  struct wm_record record;
  int more;
  memset(keys, 0, sizeof keys);
  cr_assert_eq(client_read(client, &reading, &log_.error), 0, "%s", log_.error.text);
  while ((more = client_read_next(client, &record, &log_.error)) > 0) {
    text[0] = record.key.bytes[0];
    size_t at = strlen(keys);
    for (; at > 0 && keys[at - 1] > text[0]; at--)
      keys[at] = keys[at - 1];
    keys[at] = text[0];
  }
  cr_assert_eq(more, 0, "%s", log_.error.text);
  cr_assert_eq(client_read_next(client, &record, &log_.error), 0, "an end stays one");
  return keys;
}

Test(client, an_empty_topic_ends_at_once) {
  cr_assert_str_eq(keys_of((struct client_reading){"changes", CLIENT_ALL_PARTITIONS, CLIENT_BEGINNING, false, 0}), "");
}

Test(client, all_partitions_or_one) {
  send_one(0, "a", -1);
  send_one(1, "b", -1);
  send_one(1, "c", -1);
  cr_assert_str_eq(keys_of((struct client_reading){"changes", CLIENT_ALL_PARTITIONS, CLIENT_BEGINNING, false, 0}),
                   "abc");
  cr_assert_str_eq(keys_of((struct client_reading){"changes", 1, CLIENT_BEGINNING, false, 0}), "bc");
  cr_assert_str_eq(keys_of((struct client_reading){"changes", 0, CLIENT_BEGINNING, false, 0}), "a");
}

Test(client, from_a_time_where_the_broker_knows_none) {
  send_one(0, "a", 1000);
  send_one(0, "b", 3000);
  send_one(0, "c", 2000);
  cr_assert_str_eq(keys_of((struct client_reading){"changes", CLIENT_ALL_PARTITIONS, 2000, false, 0}), "bc");
  cr_assert_str_eq(keys_of((struct client_reading){"changes", CLIENT_ALL_PARTITIONS, 4000, false, 0}), "");
}

Test(client, from_an_offset) {
  send_one(0, "a", -1);
  send_one(0, "b", -1);
  send_one(0, "c", -1);
  cr_assert_str_eq(keys_of((struct client_reading){"changes", 0, CLIENT_BEGINNING, false, 1}), "bc");
  cr_assert_str_eq(keys_of((struct client_reading){"changes", 0, CLIENT_BEGINNING, false, 3}), "");
  cr_assert_str_eq(keys_of((struct client_reading){"changes", 0, CLIENT_BEGINNING, false, 9}), "");
}

Test(client, where_a_topic_ends_and_where_the_group_is) {
  int64_t end = -2, committed = -2;
  send_one(0, "a", -1);
  send_one(0, "b", -1);
  cr_assert_eq(client_sent_end(client, 0), 2);
  cr_assert_eq(client_sent_end(client, 1), 0);
  cr_assert_eq(client_end(client, "changes", 0, &end, &log_.error), 0, "%s", log_.error.text);
  cr_assert_eq(end, 2);
  cr_assert_eq(client_committed(client, "changes", 0, &committed, &log_.error), 0, "%s", log_.error.text);
  cr_assert_eq(committed, -1, "nobody has read it");
}

Test(client, what_comes_later_is_not_read) {
  struct client_reading reading = {"changes", 0, CLIENT_BEGINNING, false, 0};
  struct wm_record record;
  send_one(0, "a", -1);
  cr_assert_eq(client_read(client, &reading, &log_.error), 0);
  send_one(0, "b", -1);
  cr_assert_eq(client_read_next(client, &record, &log_.error), 1);
  cr_assert(wm_text_is(record.key, "a"));
  cr_assert_eq(client_read_next(client, &record, &log_.error), 0);
  cr_assert_str_eq(keys_of(reading), "ab");
}

/* librdkafka aborts when a partition is taken from a handle twice in a row. */
Test(client, the_same_is_read_anew_at_once) {
  struct client_reading reading = {"changes", 0, CLIENT_BEGINNING, false, 0};
  send_one(0, "a", -1);
  for (int i = 0; i < 50; i++)
    cr_assert_eq(client_read(client, &reading, &log_.error), 0, "%s", log_.error.text);
  cr_assert_str_eq(keys_of(reading), "a");
}

Test(client, all_is_settled_where_nobody_writes) {
  send_one(0, "a", -1);
  cr_assert_eq(client_settle(client, "changes", CLIENT_ALL_PARTITIONS, &log_.error), 0, "%s", log_.error.text);
}

Test(client, a_topic_that_is_not_there) {
  struct client_reading reading = {"nowhere", CLIENT_ALL_PARTITIONS, CLIENT_BEGINNING, true, 0};
  cr_assert_str_eq(keys_of(reading), "");
  reading = (struct client_reading){"changes", 9, CLIENT_BEGINNING, false, 0};
  cr_assert_eq(client_read(client, &reading, &log_.error), -1);
  cr_assert_eq(log_.error.code, WM_E_KAFKA_FAILED);
}

/* The embedded broker keeps some MiB a partition. */
Test(client, a_topic_whose_beginning_is_gone_says_so) {
  struct client_reading reading = {"changes", 0, CLIENT_BEGINNING, false, 0};
  static char large[900 * 1024];
  struct wm_record record = {.topic = WM_TEXT("changes"), .timestamp_ms = -1, .key = WM_TEXT("a")};
  send_one(0, "a", -1);
  cr_assert_eq(client_read(client, &reading, &log_.error), 0);
  cr_assert_not(client_read_is_cut(client));
  memset(large, 'x', sizeof large);
  record.value = (struct wm_text){large, sizeof large};
  for (int i = 0; i < 12; i++)
    cr_assert_eq(client_send(client, &record, 1, 10000, NULL, &log_.error), 0, "%s", log_.error.text);
  cr_assert_eq(client_read(client, &reading, &log_.error), 0);
  cr_assert(client_read_is_cut(client));
}
