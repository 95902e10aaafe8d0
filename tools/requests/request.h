/* Requests to change who holds a role: what is asked, as events for topics.requests, and what came of each. */
#ifndef WM_TOOLS_REQUEST_H
#define WM_TOOLS_REQUEST_H

#include "core/user.h"
#include "tools/lib/files.h"

#define REQUEST_SOURCE "/waymark/requests"
#define REQUEST_REASON_LIMIT 1000 /* bytes: registers keep it */

enum request_kind { REQUEST_ADD, REQUEST_REMOVE, REQUEST_DELEGATE, REQUEST_WITHDRAW };

/* What is asked; many requests may share it. Texts are borrowed. */
struct request_terms {
  enum request_kind kind;
  struct wm_text role;
  int64_t until_us;          /* WM_NEVER: no end */
  struct wm_text by, reason; /* claims (contract 4) */
  struct wm_text to;         /* REQUEST_DELEGATE: the receiver */
  struct wm_text source;     /* REQUEST_WITHDRAW: whose grant, "automation/<name>" or "manual" */
  struct wm_text version;    /* REQUEST_WITHDRAW: only if this version of the automation gave it; WM_NO_TEXT: any */
  bool delegation;           /* REQUEST_ADD: the holder may hand it on */
};

enum request_answer {
  REQUEST_WAITING,  /* no answer yet */
  REQUEST_ANSWERED, /* the worker has decided: an outcome came */
  REQUEST_REJECTED  /* the worker refused the event itself */
};

struct request {
  struct wm_text user; /* whom it is about, and whose home it goes to; with REQUEST_DELEGATE the giver */
  const struct request_terms *terms;
  int64_t time_us; /* of its event; 0: when all are sent */
  enum request_answer answer;
};

/* Requests that are sent together. */
struct requests {
  const struct settings *settings;
  char batch[17]; /* begins the id of each event; nobody else's does */
  int64_t time_us;
  struct request *items;
  size_t count, capacity;
  size_t sent;           /* of them, from the first: Kafka has them */
  struct wm_arena arena; /* of users and terms */
};

/* An empty list, for events of this moment. 'settings' are borrowed. Release in any case. */
void requests_init(struct requests *requests, const struct settings *settings);
void requests_release(struct requests *requests);

/* Adds one; the user's id is copied, 'terms' are borrowed. -1: out of memory. */
int requests_add(struct requests *requests, struct wm_text user, const struct request_terms *terms);

/* Adds one whose event has this time, not that of its sending: REQUEST_WITHDRAW takes what was given up to then. */
int requests_add_at(struct requests *requests, struct wm_text user, const struct request_terms *terms, int64_t time_us);

/* Terms with every text copied, in the arena of 'requests'. NULL: out of memory. */
const struct request_terms *requests_keep(struct requests *requests, const struct request_terms *terms);

/* Appends the event of a request, in structured mode. */
void request_to_json(const struct requests *requests, size_t index, struct wm_buf *buf);

/* Appends its id. */
void request_id(const struct requests *requests, size_t index, struct wm_buf *buf);

/* Which request has an event of this source and id; false: none of these. */
bool requests_find(const struct requests *requests, struct wm_text source, struct wm_text id, size_t *ret_index);

/* An answer that has come: an outcome's task, or what a rejection says. Borrowed until the function returns. */
struct request_told {
  size_t index;                     /* of the request */
  const struct wm_value *task;      /* REQUEST_ANSWERED: the member of 'tasks' of the outcome */
  const struct wm_value *rejection; /* REQUEST_REJECTED: the data of the rejection */
  const struct wm_value *receiver;  /* REQUEST_DELEGATE, when the giver's worker has approved: the receiver's task */
};
typedef void request_told_fn(void *taker, const struct request_told *told);

struct request_waiting {
  int64_t timeout_us; /* how long to wait for the next answer */
  bool wait;          /* false: only send */
  double rate;        /* so many a second at most; 0: as fast as it goes */
  const char *what;   /* the word of a progress line: "granted" */
};

/* Sends all (to the home of each user) and waits for the answers, told one by one; on a terminal with a progress line.
 * EXIT_FINE: every one was answered, or none was waited for. EXIT_OUTSIDE: Kafka is away, or answers are missing, which
 * was said. */
int requests_run(struct requests *requests, const struct request_waiting *waiting, request_told_fn *tell, void *taker);

#endif
