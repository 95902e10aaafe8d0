/* What came of requests, in words: a sentence for one, a row for each of several, a line of JSON for programs. */
#ifndef WM_TOOLS_REQUEST_TELL_H
#define WM_TOOLS_REQUEST_TELL_H

#include "tools/lib/table.h"
#include "tools/requests/request.h"

struct request_teller {
  const struct requests *requests;
  bool json;
  bool one;      /* a sentence for the only request */
  bool bad_only; /* rows only for what went wrong or needs a look: there are many */
  size_t changed, unchanged, superseded, failed, rejected, lockouts;
  struct table table;
};

void request_teller_init(struct request_teller *teller, const struct requests *requests, bool json);
void request_teller_release(struct request_teller *teller);

/* A request_told_fn; 'taker' is the teller. */
void request_tell(void *taker, const struct request_told *told);

/* JSON lines for those that were sent and have no answer ('result': sent, or waiting when it was waited for). */
void request_tell_rest(struct request_teller *teller, bool waited);

/* The summary of several, on stderr where rows are JSON. */
void request_tell_summary(struct request_teller *teller);

/* EXIT_BAD_NEWS if any request did not do what it asked for. */
int request_teller_exit_code(const struct request_teller *teller);

#endif
