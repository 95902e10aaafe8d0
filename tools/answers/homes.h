/* Where a user's records stand: topics may have been given more partitions ('waymark topics rehome'), and what was
 * written before stays where it is. */
#ifndef WM_TOOLS_HOMES_H
#define WM_TOOLS_HOMES_H

#include "worker/client.h"

#define HOMES_LIMIT 32

struct homes {
  int32_t partitions[HOMES_LIMIT]; /* each once, the present one last */
  size_t count;
};

/* By what the control topic records; of a cluster without one there is only the present home. 'client' must not be
 * reading anything. -1 with KAFKA_FAILED, SETTING_INVALID or OUT_OF_MEMORY. */
int homes_find(const struct settings *settings, struct client *client, struct wm_text user, struct homes *ret,
               struct wm_error *error);

#endif
