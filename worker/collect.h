/* A record on its way into the batch: decoded, checked for its home, sifted. What nothing can come of only moves the
 * position. */
#ifndef WM_WORKER_COLLECT_H
#define WM_WORKER_COLLECT_H

#include "core/event.h"
#include "worker/log.h"

struct loop;

/* Takes a record of input 'topic' from a live partition; all that is kept of it is copied into the batch. */
void collect_record(struct loop *loop, const struct wm_record *record, size_t topic);

/* Does what the event brings go into the register as large as it is, whatever 'limits.register-bytes' says? */
bool collect_may_grow(const struct wm_event *event);

#endif
