/* The parts of `waymark verify`: Redis against the fold of the log (cmd_verify.c).
 *
 * Redis is read first and the log afterwards, so that the log knows everything that Redis had. Who differs then is only
 * suspected, since both move on; suspects are looked at again, register by register, until they agree or stay as they
 * are. */
#ifndef WM_TOOLS_VERIFY_H
#define WM_TOOLS_VERIFY_H

#include "tools/lib/files.h"
#include "tools/verify/verify_slots.h"
#include "worker/client.h"
#include "worker/registers.h"

/* What is wrong with one user; a set of them. */
enum verify_drift {
  VERIFY_MISSING = 1,   /* the log has a register, Redis has none */
  VERIFY_UNBACKED = 2,  /* Redis has something that no register of the log stands behind */
  VERIFY_OLDER = 4,     /* Redis has an earlier register */
  VERIFY_NEWER = 8,     /* Redis has one of an offset that the log does not have */
  VERIFY_REGISTER = 16, /* the same offset, but other bytes */
  VERIFY_ROLES = 32,    /* the role set is not what the register is projected to */
  VERIFY_END = 64,      /* wm:ends looks at the user too late, or never */
  VERIFY_UNREADABLE = 128
};
#define VERIFY_DRIFTS 8

/* One user, or one key, that is told in full. */
struct verify_report {
  uint64_t hash;
  unsigned drifts;
  char *id;
  int64_t log_at, cache_at; /* -1: none */
  char *extra, *absent;     /* roles too many and too few, joined by ", "; NULL: none */
  const char *fault;        /* for VERIFY_UNREADABLE */
};

struct verify {
  const struct loaded *loaded;
  int32_t partition;   /* or CLIENT_ALL_PARTITIONS */
  struct wm_text user; /* WM_NO_TEXT: all */
  size_t limit;
  bool json;
  struct client *client;
  struct registers *registers;
  struct verify_slots slots;
  struct wm_arena arena;
  struct verify_report *reports; /* 'limit' of them at most */
  size_t report_count;
  size_t faults; /* keys and records that are nothing of Waymark's */
  int64_t now_us;
};

/* Everything that Redis has, everything that the log has. EXIT_FINE, or what went wrong, told. */
int verify_read_cache(struct verify *verify);
int verify_read_log(struct verify *verify);

/* Looks again at everybody who differs, until they agree or stay as they are. */
int verify_settle(struct verify *verify);

/* What one register in the log and what Redis has of the user differ in; 'ret_state' gets the state that the log says.
 * 'drifts' of VERIFY_UNREADABLE: the record is no register. -1: out of memory. */
struct verify_pair {
  const struct wm_record *record;
  const struct registers_entry *entry;
  unsigned drifts;
  uint64_t log_state;
  struct wm_text extra, absent; /* borrowed from verify->arena */
};
int verify_compare(struct verify *verify, struct verify_pair *pair);

/* The state of a register with a role set, and what a slot keeps of what Redis has. */
uint64_t verify_state(struct wm_text json, const struct wm_text *roles, size_t count, struct wm_buf *scratch);

/* Keeps what is to be told of one user in place of what was kept of him; 'drifts' 0: nothing is. -1: out of memory. */
int verify_report(struct verify *verify, const struct verify_report *report);
void verify_reports_release(struct verify *verify);

/* Prints the answer. Returns the exit code. */
int verify_tell(struct verify *verify);

#endif
