/* One GET of a worker's HTTP listener (worker/http.h): plain HTTP, no redirects, bounded in bytes and time. */
#ifndef WM_TOOLS_HTTP_GET_H
#define WM_TOOLS_HTTP_GET_H

#include "core/buf.h"
#include "core/error.h"

#define HTTP_GET_BYTES ((size_t)16 << 20)

/* Is it "http://host[:port]", with or without a path? */
bool http_get_is_url(const char *url);

/* The URL of a worker with this 'http.listen', as seen from its own machine, in 'room'. NULL: that is not to be known.
 */
#define HTTP_GET_URL 1100
const char *http_get_listener(const char *listen, char *room, size_t size);

/* Gets 'path' below 'url' within 'timeout_ms', all in all. 'ret' is the body, to be released in any case. Returns the
 * status; -1 with HTTP_FAILED. */
int http_get(const char *url, const char *path, int timeout_ms, struct wm_buf *ret, struct wm_error *error);

#endif
