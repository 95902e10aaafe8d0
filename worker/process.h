/* What the system says of this process, under the names that every Prometheus client uses. Any thread. */
#ifndef WM_WORKER_PROCESS_H
#define WM_WORKER_PROCESS_H

#include "core/buf.h"

void process_metrics(struct wm_buf *ret);

#endif
