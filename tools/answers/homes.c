#include "tools/answers/homes.h"

#include "core/codec/json.h"
#include "worker/kafka.h"

/* The last one stands where it was told last. */
static void add(struct homes *homes, int32_t partition) {
  size_t kept = 0;
  for (size_t i = 0; i < homes->count; i++)
    if (homes->partitions[i] != partition)
      homes->partitions[kept++] = homes->partitions[i];
  homes->count = kept;
  if (homes->count < HOMES_LIMIT)
    homes->partitions[homes->count++] = partition;
}

/* The newest record counts, so each begins anew. Room is left for the present home. */
static void take_record(const struct settings *settings, const struct wm_record *record, struct wm_text user,
                        struct homes *homes) {
  struct wm_arena arena;
  struct wm_value value;
  wm_arena_init(&arena, 1024);
  if (wm_text_is(record->key, "partitions") && record->value.bytes &&
      wm_json_parse(record->value, &arena, &value, NULL) == 0) {
    const struct wm_value *before = wm_value_member(&value, WM_TEXT("before"));
    homes->count = 0;
    for (size_t i = 0; before && before->type == WM_LIST && i < before->list.count && homes->count < HOMES_LIMIT - 1;
         i++) {
      const struct wm_value *number = &before->list.items[i];
      if (number->type == WM_INTEGER && number->integer > 0 && number->integer <= settings->kafka.partitions)
        add(homes, kafka_home(settings->kafka.partitioner, user, (int32_t)number->integer));
    }
  }
  wm_arena_release(&arena);
}

int homes_find(const struct settings *settings, struct client *client, struct wm_text user, struct homes *ret,
               struct wm_error *error) {
  const struct client_reading reading = {.topic = settings->topics.control,
                                         .partition = CLIENT_ALL_PARTITIONS,
                                         .from_ms = CLIENT_BEGINNING,
                                         .optional = true};
  struct wm_record record;
  int more = -1;
  *ret = (struct homes){.count = 0};
  if (client_read(client, &reading, error) == 0)
    while ((more = client_read_next(client, &record, error)) > 0)
      take_record(settings, &record, user, ret);
  add(ret, kafka_home(settings->kafka.partitioner, user, settings->kafka.partitions));
  return more < 0 ? -1 : 0;
}
