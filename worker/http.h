/* Metrics, health and a page over HTTP, by a thread of its own that sees nothing but snapshots (worker/snapshot.h). The
 * only file that knows libmicrohttpd. Strangers are kept short: one request a connection, few connections, little
 * memory, little time; whatever they do, the loop does not notice, and a probe gets its answer: where all places are
 * taken, the oldest guest of the address that has most of them is shown out for each newcomer. */
#ifndef WM_WORKER_HTTP_H
#define WM_WORKER_HTTP_H

#include "core/error.h"
#include "worker/expose.h"

#define HTTP_CONNECTIONS 64               /* one more: somebody is shown out, see below */
#define HTTP_CONNECTION_BYTES (16 * 1024) /* for a request's line and headers, and the answer's headers */
#define HTTP_SECONDS 5                    /* from the first byte to the last */

struct http;

/* Listens on 'address' ("127.0.0.1:9464", "[::1]:9464", ":9464"; port 0: a free one). 'worker' and 'board' are borrowed
 * until close. NULL with SETTING_INVALID: it can't be listened there. The process has to ignore SIGPIPE. */
struct http *http_open(const char *address, const struct expose_worker *worker, struct board *board,
                       struct wm_error *error);
void http_close(struct http *http); /* NULL is fine */

/* Where it listens, with the port that was found. */
const char *http_address(const struct http *http);

#endif
