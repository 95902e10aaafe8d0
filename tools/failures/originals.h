/* Records where they stand: the input that an outcome or a failure names, and the dead letter of a rejected event. */
#ifndef WM_TOOLS_ORIGINALS_H
#define WM_TOOLS_ORIGINALS_H

#include "core/event.h"
#include "core/moment.h"
#include "tools/command.h"
#include "worker/client.h"

#define ORIGINALS_CLOCKS_US (3600 * WM_SECOND_US) /* by how much the clocks of those who write may differ */

/* Takes the record that stands at origins[index], borrowed for the call; NULL: it is there no more. Not EXIT_FINE ends
 * the walk with this exit code. */
typedef int original_fn(void *taker, size_t index, const struct wm_record *record);

/* Reads what stands at each origin, in the order of topic, partition and offset, which 'origins' must have. Topics that
 * are not there have no records. EXIT_FINE, or what went wrong, told. */
int originals_each(struct client *client, const struct wm_origin *origins, size_t count, original_fn *take,
                   void *taker);

/* <0, 0, >0: the order that originals_each wants. */
int originals_compare(const struct wm_origin *a, const struct wm_origin *b);

/* Takes the dead letter of what stood at 'origin', as originals_each does; NULL: there is none. */
int originals_dead_letter(struct client *client, const struct wm_origin *origin, original_fn *take, void *taker);

/* A header; NULL: there is none, or it has a null value. Of several the last. */
const struct wm_header *originals_header(const struct wm_record *record, const char *name);

/* A record for people on stdout: headers, key and value, line by line, made safe. */
void originals_print(const struct wm_record *record);

/* Appends the record as a JSON object; what is not UTF-8 is in "...-hex". */
void originals_to_json(const struct wm_record *record, struct wm_buf *buf);

#endif
