/* What grant, revoke and delegate have in common: their options read and checked, the question, the run, the answer. */
#ifndef WM_TOOLS_REQUEST_COMMAND_H
#define WM_TOOLS_REQUEST_COMMAND_H

#include "tools/requests/asker.h"
#include "tools/requests/request.h"

#define OPTION_UNTIL                                                                                                   \
  { "until", 0, "TIME|DURATION", "when it ends: a time (RFC 3339), or so long from now (30d)" }
#define OPTION_BY                                                                                                      \
  { "by", 0, "ID", "who asks, for the record (default: the login name)" }
#define OPTION_TIMEOUT                                                                                                 \
  { "timeout", 0, "DURATION", "how long to wait for the next answer (default 30s)" }
#define OPTION_NO_WAIT                                                                                                 \
  { "no-wait", 0, NULL, "only send, do not wait for what comes of it" }

struct asking {
  const struct invocation *invocation;
  struct loaded loaded;
  struct requests requests;
  struct request_terms terms; /* of every request that does not say otherwise; without a role */
  struct request_waiting waiting;
  char by[ASKER_SIZE]; /* of terms.by */
};

/* Loads the settings and reads --until, --by, --reason, --timeout and --no-wait. EXIT_FINE, or what went wrong (told).
 * Close in any case. */
int asking_open(struct asking *asking, const struct invocation *invocation, enum request_kind kind);
void asking_close(struct asking *asking);

/* --reason is there. EXIT_FINE, or EXIT_USAGE, told. */
int asking_need_reason(const struct asking *asking);

/* EXIT_FINE, or what is wrong: no user id, no name of a role (EXIT_USAGE), no such role (EXIT_BAD_NEWS); told, begun
 * with 'place' ("file:3: ", or ""). A workspace that can't be read knows no roles; then the worker will tell. */
int asking_check_user(const char *place, struct wm_text user);
int asking_check_role(const struct asking *asking, const char *place, struct wm_text role);

/* "30d" from now, or a time; it must lie ahead. False: it is neither, or it is past. */
bool asking_until(const struct asking *asking, struct wm_text text, int64_t *ret_us);

/* Asks 'question' (unless --yes), sends, waits, tells. Returns the exit code. */
int asking_run(struct asking *asking, const char *question);

#endif
