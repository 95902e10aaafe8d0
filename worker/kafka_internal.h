/* What the files behind the log door share. The only place that names librdkafka: kafka_handle.c (one instance and
 * its callbacks), kafka.c (opening, the table of the door), kafka_consumer.c, kafka_producer.c, kafka_plain.c (without
 * transactions), kafka_reader.c, kafka_control.c, topics.c, client.c, examine_kafka.c, mock.c. */
#ifndef WM_WORKER_KAFKA_INTERNAL_H
#define WM_WORKER_KAFKA_INTERNAL_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "core/arena.h"
#include "worker/kafka.h"

/* --- kafka_handle.c: one instance of librdkafka --- */

/* Callbacks keep its address: a handle does not move while it is open. */
struct kafka_handle {
  rd_kafka_t *rk;        /* NULL: closed */
  struct logger *logger; /* NULL: silent */
  const char *name;      /* for log lines */
  void *owner;           /* for the callbacks below */
  bool down;             /* no broker could be reached since somebody last cleared this */
  unsigned breaks;       /* connections that broke, and requests that ran out of time, so far */
  char reason[256];      /* what the last of them said */
};

struct kafka_callbacks {
  void (*rebalance)(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *handle);
  void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *handle);
};

/* Opens an instance: Waymark's defaults, then the user's properties, then 'own' (ended by a NULL name), which can't be
 * overruled. name, logger and owner are set before. -1 with SETTING_INVALID or KAFKA_FAILED. */
int kafka_handle_open(struct kafka_handle *handle, rd_kafka_type_t type, const struct settings *settings,
                      const struct setting_pair *own, const struct kafka_callbacks *callbacks, struct wm_error *error);
/* Consumers are closed before (or leave their group without a word). */
void kafka_handle_close(struct kafka_handle *handle);

/* KAFKA_FAILED with 'doing', librdkafka's words and, where the network is to blame, what the last connection said.
 * Returns -1. */
int kafka_fail(struct kafka_handle *handle, struct wm_error *error, const char *doing, rd_kafka_resp_err_t code,
               const char *said);

/* A message on its way to the loop; zeroed at first. */
struct kafka_message {
  rd_kafka_message_t *raw;
  struct wm_header *headers;
  size_t capacity;
};

/* Fills 'ret' with what it borrows from message->raw. -1: out of memory. */
int kafka_message_read(struct kafka_message *message, struct wm_record *ret);
void kafka_message_drop(struct kafka_message *message);    /* gives the raw message back */
void kafka_message_release(struct kafka_message *message); /* and everything else */

/* Assigns partitions to a handle of no group that has none yet, having made it learn their leaders first: librdkafka
 * looks up the beginning of a partition whose leader it does not know yet only half a second later. A handle gets one
 * assignment in its life: librdkafka (2.0) aborts the process when a partition is taken away a second time before its
 * first stop is through (assert rktp_started), and tells nobody when that is. A new handle costs a millisecond. */
rd_kafka_resp_err_t kafka_assign_alone(struct kafka_handle *handle, rd_kafka_topic_partition_list_t *list);

int64_t kafka_now_us(void); /* monotonic */
int kafka_left_ms(int64_t deadline_us, int at_most_ms);

/* A topic list with one partition per item, or NULL. */
rd_kafka_topic_partition_list_t *kafka_one(const char *topic, int32_t partition, int64_t offset);

/* --- kafka.c: the door --- */

#define KAFKA_BIRTH_KEY "\0log"           /* of the first record of each users partition */
#define KAFKA_PARTITIONS_KEY "partitions" /* of the record in waymark.control that tells how many there are */

enum {
  KAFKA_TRANSACTION_MS = 10000,    /* the broker's patience */
  KAFKA_DEADLINE_US = 5000 * 1000, /* ours: half of it, since librdkafka takes the broker's verdict as fatal */
  KAFKA_WATCH_US = 5 * 1000 * 1000
};

/* Partition p of one input topic. */
struct kafka_place {
  bool assigned, paused;
  bool stale;    /* a message was dropped because the partition was paused: seek when it goes on */
  int64_t start; /* of its log when it was assigned: what LOG_BEGINNING is when it has to be committed */
  int64_t end;   /* of its log at that time */
  int64_t next;  /* next offset to hand out; LOG_BEGINNING */
};

/* One partition of the users topic, read with a handle of its own. */
struct kafka_reading {
  struct kafka_handle handle;
  struct kafka_message message; /* the last one read */
  int32_t partition;            /* -1: none */
  int64_t position;
};

/* A record that waits for commit where there are no transactions. */
struct kafka_kept {
  struct wm_out out;
  uint64_t token;
};

struct kafka {
  struct settings settings; /* own copy of what is needed here */
  struct wm_arena arena;    /* settings, names, tables below */
  struct logger *logger;
  bool transactions; /* else at-least-once */
  const char *transactional_id;
  size_t input_count;
  const char **inputs;
  const char **dlq_names; /* one per input */
  enum wm_topic_kind *input_kinds;
  int32_t partitions;

  struct kafka_handle consumer, producer, watcher;
  bool closing;

  struct kafka_message message; /* the last one polled */
  struct kafka_place *places;   /* input_count * partitions */
  struct log_position *assigned, passed;
  size_t assigned_count;
  enum log_poll event; /* a rebalance that poll has not told yet; LOG_NOTHING: none */
  rd_kafka_topic_t *last_topic;
  size_t last_input;
  int64_t next_tick_us, next_watch_us;
  bool suspicious;            /* the last watch saw a topic changed; the next one decides */
  rd_kafka_topic_t **watched; /* every topic, on the watcher */
  size_t watched_count;

  rd_kafka_topic_t *outputs[WM_OUT_COUNT]; /* on the producer; without dlq */
  rd_kafka_topic_t **dlqs;                 /* one per input */
  size_t cut_limits[WM_OUT_COUNT];
  bool own_time[WM_OUT_COUNT]; /* the broker refused a record's timestamp there: let it take its own */
  size_t limits[WM_OUT_COUNT]; /* max.message.bytes of the topics as far as it is known; SIZE_MAX */
  bool initialized;            /* the transactional id is ours */
  bool in_transaction;
  int64_t began_us, deadline_us; /* of the transaction */
  struct log_written *written;
  size_t written_count, written_capacity;
  bool too_large;                  /* a record of this batch was refused for its size */
  bool written_failed;             /* out of memory for 'written' */
  rd_kafka_resp_err_t undelivered; /* the first other reason why a record of this batch was not taken */

  struct wm_arena kept_arena; /* kafka_plain.c */
  struct kafka_kept *kept;
  size_t kept_count, kept_capacity;

  struct kafka_handle controller; /* kafka_control.c */
  struct kafka_message word;      /* the last one read there */
  int64_t control_position;

  struct kafka_reading reading, sample; /* kafka_reader.c */
};

static inline struct kafka_place *kafka_place(struct kafka *kafka, size_t topic, int32_t partition) {
  return &kafka->places[topic * (size_t)kafka->partitions + (size_t)partition];
}

/* --- kafka_consumer.c --- */

int kafka_consumer_open(struct kafka *kafka, struct wm_error *error);
void kafka_consumer_close(struct kafka *kafka);
enum log_poll kafka_poll(void *self, int timeout_ms, struct log_polled *ret, struct wm_error *error);
enum log_result kafka_assign(void *self, const struct log_position *positions, size_t count, struct wm_error *error);
enum log_result kafka_unassign(void *self, struct wm_error *error);
void kafka_resume(void *self, int32_t partition);
void kafka_pause(void *self, int32_t partition);
enum log_result kafka_committed(void *self, struct log_position *positions, size_t count, struct wm_error *error);
bool kafka_heard(void *self, size_t topic, int32_t partition, int64_t *ret_start, int64_t *ret_end);
enum log_result kafka_rewind(void *self, const struct log_position *positions, size_t count, struct wm_error *error);

/* The offsets of 'positions' as librdkafka wants them to be committed; NULL: out of memory. */
rd_kafka_topic_partition_list_t *kafka_offsets(struct kafka *kafka, const struct log_position *positions, size_t count);

/* --- kafka_watch.c: what must stay true of the topics --- */

int kafka_watch_open(struct kafka *kafka, struct wm_error *error);
void kafka_watch_close(struct kafka *kafka);
/* Has a topic lost or won partitions? LOG_NOTHING, LOG_DOWN, or LOG_BROKEN. */
enum log_poll kafka_watch(struct kafka *kafka, struct wm_error *error);
enum log_result kafka_users_end(void *self, int32_t partition, int64_t *ret_start, int64_t *ret_end,
                                struct wm_error *error);
/* Where the log of a partition starts and ends, uncommitted records included. */
enum log_result kafka_marks(struct kafka *kafka, const char *topic, int32_t partition, int64_t *ret_start,
                            int64_t *ret_end, struct wm_error *error);

/* --- kafka_producer.c --- */

int kafka_producer_open(struct kafka *kafka, int64_t deadline_us, struct wm_error *error);
void kafka_producer_close(struct kafka *kafka);
enum log_result kafka_begin(void *self, struct wm_error *error);
enum log_result kafka_append(void *self, const struct wm_out *out, uint64_t token, struct wm_error *error);
enum log_result kafka_commit(void *self, const struct log_position *positions, size_t count,
                             const struct log_written **ret_written, size_t *ret_written_count, struct wm_error *error);
enum log_result kafka_abort(void *self, struct wm_error *error);
enum log_result kafka_recycle(void *self, struct wm_error *error);
size_t kafka_cut_limit(void *self, enum wm_topic topic);

/* Hands one record to librdkafka, waiting for room until the deadline of the batch. */
enum log_result kafka_produce(struct kafka *kafka, const struct wm_out *out, uint64_t token, struct wm_error *error);

/* --- kafka_reports.c --- */

void kafka_on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *handle);
/* Remembers that a record of this size is too much for its topic. */
void kafka_note_too_large(struct kafka *kafka, enum wm_topic topic, size_t size);
/* Forgets what the delivery reports said. */
void kafka_forget_reports(struct kafka *kafka);
/* What the delivery reports said so far: LOG_DONE, LOG_TOO_LARGE, LOG_ABORT or LOG_FATAL. */
enum log_result kafka_reported(struct kafka *kafka, struct wm_error *error);
/* librdkafka's fatal error, if there is one that a new producer does not cure, as KAFKA_FENCED or KAFKA_FAILED. */
bool kafka_is_fatal(struct kafka *kafka, struct wm_error *error);
/* Is being fenced the broker's answer to a transaction that took too long? Then nobody else is at work. */
bool kafka_outlived(const struct kafka *kafka, rd_kafka_resp_err_t code);
void kafka_tell_fatal(struct kafka *kafka, rd_kafka_resp_err_t code, const char *said, struct wm_error *error);

/* --- kafka_plain.c: at-least-once --- */

enum log_result kafka_plain_append(struct kafka *kafka, const struct wm_out *out, uint64_t token,
                                   struct wm_error *error);
enum log_result kafka_plain_commit(struct kafka *kafka, const struct log_position *positions, size_t count,
                                   struct wm_error *error);
void kafka_plain_clear(struct kafka *kafka);

/* --- kafka_reader.c --- */

enum log_result kafka_read_begin(void *self, int32_t partition, int64_t from, struct wm_error *error);
enum log_poll kafka_read_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                              struct wm_error *error);
void kafka_read_end(void *self);
enum log_result kafka_sample_begin(void *self, int32_t partition, int64_t from, struct wm_error *error);
enum log_poll kafka_sample_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                                struct wm_error *error);
void kafka_sample_end(void *self);
void kafka_readers_close(struct kafka *kafka);
enum log_result kafka_incarnation(void *self, int32_t partition, char ret[static 64], struct wm_error *error);

/* --- kafka_control.c --- */

enum log_result kafka_control_end(void *self, int64_t *ret_end, struct wm_error *error);
enum log_poll kafka_control_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                                 struct wm_error *error);
void kafka_control_close(struct kafka *kafka);

#endif
