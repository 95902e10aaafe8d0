/* The log door in production: Kafka by librdkafka. */
#ifndef WM_WORKER_KAFKA_H
#define WM_WORKER_KAFKA_H

#include "worker/log.h"
#include "worker/logger.h"
#include "worker/settings.h"

struct kafka;

/* Connects, checks the topics (topics.h), claims the transactional id 'waymark.<group>.<instance>' and subscribes to
 * the inputs: events in the order of the settings, directory, requests, replay. Waits up to 30 s for brokers.
 *
 * 'settings' are copied, 'logger' is borrowed until kafka_close. Everything that is wrong with a topic is logged.
 * Returns NULL with SETTING_INVALID or TOPIC_INVALID (don't restart, exit 78), KAFKA_FAILED or KAFKA_FENCED (try again,
 * exit 75), OUT_OF_MEMORY. */
struct kafka *kafka_open(const struct settings *settings, struct logger *logger, struct log_door *ret,
                         struct wm_error *error);

/* Leaves the group (2 s at most) and closes; an open transaction is left for the next owner to fence. NULL is fine. */
void kafka_close(struct kafka *kafka);

/* Whether librdkafka takes 'kafka.properties' and what they name (keys, certificates), without a connection: what it
 * refuses is invalid, where it stands in 'file'. */
void kafka_check(const struct settings *settings, const char *file, struct wm_findings *findings);

/* The home partition of a user; 'partitioner' is a name of settings.kafka.partitioner. -1: no such partitioner. */
int32_t kafka_home(const char *partitioner, struct wm_text user, int32_t partitions);

#endif
