/* Publishes events at a steady rate until it is killed, on their users' home partitions.
 *
 *   bench_produce BOOTSTRAP TOPIC RATE USERS */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <librdkafka/rdkafka.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static rd_kafka_t *open_producer(const char *bootstrap) {
  char text[512];
  const char *const settings[][2] = {{"bootstrap.servers", bootstrap},
                                     {"enable.idempotence", "true"},
                                     {"linger.ms", "5"},
                                     {"partitioner", "murmur2"},
                                     {"queue.buffering.max.messages", "200000"}};
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) != RD_KAFKA_CONF_OK)
      return fprintf(stderr, "bench_produce: %s\n", text), NULL;
  rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
  if (producer == NULL)
    fprintf(stderr, "bench_produce: %s\n", text);
  return producer;
}

static void publish(rd_kafka_t *producer, const char *topic, unsigned long number, unsigned long users) {
  char key[32], event[512];
  int key_size = snprintf(key, sizeof key, "user-%lu", number % users);
  int size = snprintf(event, sizeof event,
                      "{\"specversion\":\"1.0\",\"id\":\"evt-%lu\",\"source\":\"/journeys\",\"type\":"
                      "\"journey.milestone.achieved\",\"subject\":\"%s\",\"data\":{\"journey\":\"onboarding\","
                      "\"milestone\":\"certified\",\"phase\":\"foundation\",\"enrollment\":\"enr-%lu\",\"score\":%lu,"
                      "\"region\":\"emea-west\"}}",
                      number, key, number, 10 + number % 90);
  while (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key, (size_t)key_size),
                           RD_KAFKA_V_VALUE(event, (size_t)size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                           RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    rd_kafka_poll(producer, 10);
}

int main(int argc, char **argv) {
  if (argc != 5)
    return fprintf(stderr, "usage: bench_produce BOOTSTRAP TOPIC RATE USERS\n"), 2;
  double rate = strtod(argv[3], NULL), start = seconds();
  unsigned long users = strtoul(argv[4], NULL, 10), number = 0;
  rd_kafka_t *producer = open_producer(argv[1]);
  if (producer == NULL || rate <= 0 || users == 0)
    return 1;
  for (;;) {
    while ((double)number < (seconds() - start) * rate)
      publish(producer, argv[2], number++, users);
    rd_kafka_poll(producer, 5);
  }
}
