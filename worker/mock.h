/* librdkafka's mock cluster in this process: the embedded broker of 'waymark dev', and scripted errors for tests. It
 * serves produce, consume and groups on 127.0.0.1; it knows transactions only by name, keeps some MiB a partition, and
 * loses everything when it is closed. */
#ifndef WM_WORKER_MOCK_H
#define WM_WORKER_MOCK_H

#include <stdint.h>

#include "core/error.h"
#include "worker/settings.h"

struct mock_broker;

/* Returns a new broker with no topic; NULL with KAFKA_FAILED. */
struct mock_broker *mock_broker_open(struct wm_error *error);
void mock_broker_close(struct mock_broker *mock); /* NULL is fine; close its clients before */

/* For kafka.bootstrap; borrowed until close. */
const char *mock_broker_bootstrap(const struct mock_broker *mock);

int mock_broker_add_topic(struct mock_broker *mock, const char *topic, int32_t partitions, struct wm_error *error);

/* Every topic of the settings, and the records that they begin with. The settings' bootstrap must be the mock's. */
int mock_broker_add_topics(struct mock_broker *mock, const struct settings *settings, struct wm_error *error);

/* The next 'count' requests of this kind (its number in Kafka's protocol) are answered with this error (its number
 * there; MOCK_DISCONNECT: not at all, the connection is cut), 'delay_ms' later than usual. 'error' 0: only late. */
enum { MOCK_DISCONNECT = -195 };
void mock_broker_fail(struct mock_broker *mock, int16_t request, int16_t error, unsigned count, int delay_ms);

/* No connection any more, or again. */
void mock_broker_down(struct mock_broker *mock, bool down);

#endif
