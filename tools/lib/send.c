#include "tools/lib/send.h"

#include "tools/lib/events.h"
#include "worker/kafka.h"

const char *send_topic(const struct settings *settings, const struct wm_event *event) {
  if (wm_text_starts_with(event->type, WM_TEXT("directory.")))
    return settings->topics.directory;
  if (wm_text_starts_with(event->type, WM_TEXT("role.")))
    return settings->topics.requests;
  return settings->topics.events[0];
}

void send_record(const struct settings *settings, const struct wm_event *event, struct wm_text text, const char *topic,
                 struct wm_record *ret) {
  /* An event without a user has no home: its id spreads it. */
  struct wm_text place = event->user.bytes ? event->user : event->id;
  *ret = (struct wm_record){
      .topic = wm_text_of(topic ? topic : send_topic(settings, event)),
      .partition = kafka_home(settings->kafka.partitioner, place, settings->kafka.partitions),
      .timestamp_ms = -1,
      .key = event->user,
      .value = text,
      .headers = events_headers,
      .header_count = 1,
  };
}
