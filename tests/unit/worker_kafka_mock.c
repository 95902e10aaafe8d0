/* Errors of the broker, one at each position of a transaction: what the door makes of them, and that the next batch
 * works. The embedded broker does not perform transactions; what they are worth is tested on a real one. */
#include "tests/unit/kafka_mock.h"

TestSuite(kafka, .init = set_up, .fini = tear_down, .timeout = 300);

static const char *const names[] = {"done", "again", "abort", "too large", "uncertain", "fatal"};

struct row {
  int16_t request, error;
  unsigned count;
  enum log_result expected;
  enum wm_code code; /* of a fatal one */
};

static void check(const struct row *rows, size_t count) {
  for (const struct row *row = rows; row < rows + count; row++) {
    open_kafka();
    cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
    mock_broker_fail(log_.mock, row->request, row->error, row->count, 0);
    enum log_result result = write_batch();
    cr_expect_eq(result, row->expected, "request %d, error %d: %s, not %s (%s)", row->request, row->error,
                 names[result], names[row->expected], log_.error.text);
    if (result == LOG_FATAL) {
      cr_expect_eq(log_.error.code, row->code, "request %d, error %d: %s", row->request, row->error, log_.error.text);
    } else {
      if (result != LOG_DONE)
        recover(result);
      cr_expect_eq(write_batch(), LOG_DONE, "after request %d, error %d: %s", row->request, row->error,
                   log_.error.text);
    }
    close_kafka();
  }
}
#define CHECK(...)                                                                                                     \
  check((const struct row[]){__VA_ARGS__}, sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))

Test(kafka, a_batch_tells_where_its_registers_stand) {
  open_kafka();
  for (int i = 1; i <= 3; i++) {
    cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
    cr_assert_eq(log_.written_count, 1);
    cr_assert_eq(log_.written[0].token, 77);
    cr_assert_eq(log_.written[0].offset, i, "behind the birth record");
  }
}

Test(kafka, errors_when_partitions_are_added) {
  CHECK({ADD_PARTITIONS, LOADING, 2, LOG_DONE, 0}, {ADD_PARTITIONS, CONCURRENT, 2, LOG_DONE, 0},
        {ADD_PARTITIONS, TOPIC_FORBIDDEN, 1, LOG_ABORT, 0}, {ADD_PARTITIONS, FENCED, 1, LOG_FATAL, WM_E_KAFKA_FENCED},
        {ADD_PARTITIONS, INVALID_EPOCH, 1, LOG_FATAL, WM_E_KAFKA_FENCED});
}

Test(kafka, errors_when_offsets_are_added) {
  CHECK({ADD_OFFSETS, NOT_COORDINATOR, 2, LOG_DONE, 0}, {ADD_OFFSETS, GROUP_FORBIDDEN, 1, LOG_ABORT, 0},
        {ADD_OFFSETS, FENCED, 1, LOG_FATAL, WM_E_KAFKA_FENCED});
}

Test(kafka, errors_when_offsets_are_committed) {
  CHECK({TXN_OFFSET_COMMIT, LOADING, 2, LOG_DONE, 0}, {TXN_OFFSET_COMMIT, ILLEGAL_GENERATION, 1, LOG_ABORT, 0},
        {TXN_OFFSET_COMMIT, UNKNOWN_MEMBER, 1, LOG_ABORT, 0},
        {TXN_OFFSET_COMMIT, FENCED, 1, LOG_FATAL, WM_E_KAFKA_FENCED});
}

Test(kafka, errors_when_the_transaction_ends) {
  CHECK({END_TXN, LOADING, 2, LOG_DONE, 0}, {END_TXN, INVALID_STATE, 1, LOG_FATAL, WM_E_KAFKA_FAILED},
        {END_TXN, FENCED, 1, LOG_FATAL, WM_E_KAFKA_FENCED});
}

Test(kafka, a_connection_that_breaks_while_the_transaction_ends_leaves_it_uncertain) {
  CHECK({END_TXN, MOCK_DISCONNECT, 1, LOG_UNCERTAIN, 0});
}

Test(kafka, an_end_that_takes_too_long_is_uncertain) {
  open_kafka();
  cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
  mock_broker_fail(log_.mock, END_TXN, 0, 1, 7000);
  cr_assert_eq(write_batch(), LOG_UNCERTAIN);
  cr_assert_eq(log_.error.code, WM_E_KAFKA_FAILED);
  recover(LOG_UNCERTAIN);
  cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
}

Test(kafka, errors_when_records_are_written) {
  CHECK({PRODUCE, NOT_LEADER, 1, LOG_DONE, 0}, {PRODUCE, TOO_LARGE, 1, LOG_TOO_LARGE, 0},
        {PRODUCE, TOPIC_FORBIDDEN, 1, LOG_ABORT, 0}, {PRODUCE, INVALID_EPOCH, 1, LOG_FATAL, WM_E_KAFKA_FENCED});
}

Test(kafka, errors_when_a_new_producer_claims_its_id) {
  open_kafka();
  mock_broker_fail(log_.mock, INIT_PRODUCER_ID, LOADING, 2, 0);
  cr_assert_eq(LOG0(recycle), LOG_DONE, "%s", log_.error.text);
  cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
  mock_broker_fail(log_.mock, INIT_PRODUCER_ID, ID_FORBIDDEN, 1, 0);
  cr_assert_eq(LOG0(recycle), LOG_FATAL);
  cr_assert_eq(log_.error.code, WM_E_KAFKA_FAILED);
  cr_assert_eq(LOG0(recycle), LOG_DONE, "%s", log_.error.text);
  mock_broker_fail(log_.mock, INIT_PRODUCER_ID, FENCED, 1, 0);
  cr_assert_eq(LOG0(recycle), LOG_FATAL);
  cr_assert_eq(log_.error.code, WM_E_KAFKA_FENCED);
  cr_assert_not_null(strstr(log_.error.text, "waymark.g.one"), "%s", log_.error.text);
}

Test(kafka, what_is_refused_for_its_size_is_remembered) {
  open_kafka();
  cr_assert_eq(LOG0(begin), LOG_DONE);
  static char value[8000];
  struct wm_out out = {
      .topic = WM_OUT_DLQ, .dlq_of = WM_TEXT("events"), .timestamp_ms = -1, .value = {value, sizeof value}};
  const struct log_position position = {.topic = 0, .partition = 0, .offset = 1};
  cr_assert_eq(log_.door.ops->cut_limit(log_.door.self, WM_OUT_DLQ), SIZE_MAX);
  mock_broker_fail(log_.mock, PRODUCE, TOO_LARGE, 1, 0);
  cr_assert_eq(LOG(append, &out, 0), LOG_DONE);
  cr_assert_eq(LOG(commit, &position, 1, &log_.written, &log_.written_count), LOG_TOO_LARGE);
  cr_assert_lt(log_.door.ops->cut_limit(log_.door.self, WM_OUT_DLQ), sizeof value);
  cr_assert_eq(log_.door.ops->cut_limit(log_.door.self, WM_OUT_USERS), SIZE_MAX);
  recover(LOG_TOO_LARGE);
}

Test(kafka, a_time_that_a_topic_refuses_is_not_sent_again) {
  open_kafka();
  struct wm_out out = {.topic = WM_OUT_DLQ, .dlq_of = WM_TEXT("events"), .timestamp_ms = 1000, .value = WM_TEXT("v")};
  const struct log_position position = {.topic = 0, .partition = 0, .offset = 1};
  mock_broker_fail(log_.mock, PRODUCE, INVALID_TIMESTAMP, 1, 0);
  for (int i = 0; i < 2; i++) {
    cr_assert_eq(LOG0(begin), LOG_DONE);
    cr_assert_eq(LOG(append, &out, 0), LOG_DONE);
    enum log_result result = LOG(commit, &position, 1, &log_.written, &log_.written_count);
    cr_assert_eq(result, i == 0 ? LOG_ABORT : LOG_DONE, "%s", log_.error.text);
    if (result == LOG_ABORT)
      recover(result);
  }
  struct client *client = client_open(&log_.settings, &log_.error);
  cr_assert_eq(client_follow(client, "events.dlq", true, &log_.error), 0);
  struct wm_record record;
  cr_assert_eq(client_next(client, 60000, &record, &log_.error), 1, "%s", log_.error.text);
  cr_assert_gt(record.timestamp_ms, 1000000);
  client_close(client);
}

Test(kafka, an_abort_without_a_transaction_is_nothing) {
  open_kafka();
  cr_assert_eq(LOG0(abort), LOG_DONE);
  cr_assert_eq(LOG0(begin), LOG_DONE);
  cr_assert_eq(LOG0(abort), LOG_DONE);
  cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
}

/* --- at-least-once --- */

/* The group looks at who commits: be a member of it. */
static void open_plain(void) {
  log_.settings.kafka.exactly_once = false;
  open_kafka();
  join();
}

Test(kafka, without_transactions_the_batch_is_flushed_in_order) {
  open_plain();
  cr_assert(!log_.door.transactions);
  cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
  cr_assert_eq(log_.written_count, 1);
  cr_assert_eq(log_.written[0].offset, 1);
  mock_broker_fail(log_.mock, PRODUCE, INVALID_TIMESTAMP, 1, 0);
  cr_assert_eq(write_batch(), LOG_ABORT, "the outcome comes first");
  recover(LOG_ABORT);
  cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
  cr_assert_eq(log_.written[0].offset, 2, "the register waited for the outcome");

  struct wm_out reg = {.topic = WM_OUT_USERS, .timestamp_ms = -1, .key = WM_TEXT("u"), .value = WM_TEXT("r")};
  cr_assert_eq(LOG0(begin), LOG_DONE);
  cr_assert_eq(LOG(append, &reg, 5), LOG_DONE);
  cr_assert_eq(LOG0(abort), LOG_DONE);
  cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
  cr_assert_eq(log_.written_count, 1, "an abort forgets the batch");
  cr_assert_eq(log_.written[0].token, 77);
}

Test(kafka, without_transactions_offsets_that_are_refused_leave_it_uncertain) {
  open_plain();
  mock_broker_fail(log_.mock, OFFSET_COMMIT, GROUP_FORBIDDEN, 1, 0);
  cr_assert_eq(write_batch(), LOG_UNCERTAIN);
  recover(LOG_UNCERTAIN);
  cr_assert_eq(write_batch(), LOG_DONE, "%s", log_.error.text);
}
