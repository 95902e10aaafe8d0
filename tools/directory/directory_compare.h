/* People of a file against the registers as they are: who is new, who has changed and in what, who is missing. */
#ifndef WM_TOOLS_DIRECTORY_COMPARE_H
#define WM_TOOLS_DIRECTORY_COMPARE_H

#include "core/user.h"
#include "tools/directory/directory_people.h"
#include "worker/settings.h"

struct comparison {
  struct people *people;
  int64_t time_us;         /* of the events to come */
  struct names missing;    /* ids of registers with a profile that the file does not have */
  size_t profiles;         /* registers with the profile of somebody who is not deleted */
  size_t newer;            /* new and changed people whose profile is newer than 'time_us' */
  size_t newer_missing;    /* the same of those who are missing */
  struct wm_arena arena;   /* keeps the ids */
  struct wm_arena scratch; /* of one comparison */
  struct wm_buf line;
};

void comparison_init(struct comparison *comparison, struct people *people, int64_t time_us);
void comparison_release(struct comparison *comparison);

/* Takes one register. -1: out of memory. */
int comparison_take(struct comparison *comparison, const struct wm_user *user);

/* Takes all registers of a file: lines of `simulate --users`, or registers. EXIT_FINE, or told. */
int comparison_read_file(struct comparison *comparison, const char *path, struct progress *progress);

/* Takes all registers of Redis. EXIT_FINE, or told. */
int comparison_read_redis(struct comparison *comparison, const struct settings *settings, struct progress *progress);

/* The fields of a profile, by the bits of person.changed; ended by NULL. */
extern const char *const comparison_fields[];

#endif
