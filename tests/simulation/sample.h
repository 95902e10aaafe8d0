/* A small workspace in three versions, and events at random that have something to do with it. */
#ifndef WM_TESTS_SAMPLE_H
#define WM_TESTS_SAMPLE_H

#include "core/decide.h"
#include "tests/lib/memory_log.h"

#define SAMPLE_VERSIONS 3

/* A new workspace. Versions 1 and 2 have another catalogue than 0, and 2 other automations. */
struct wm_workspace *sample_workspace(unsigned version);

/* Which of the versions is it? */
unsigned sample_version(const struct wm_workspace *workspace);

/* The version together with what is on and archived at the moment, and a workspace of that version made so: a tag
 * for memory_consumed. 'sample_follow_control' makes it as the whole control topic says. */
uint64_t sample_rules(const struct wm_workspace *workspace);
void sample_follow(struct wm_workspace *workspace, uint64_t rules);
void sample_follow_control(struct wm_workspace *workspace, const struct memory_log *log);
#define SAMPLE_VERSION_OF(rules) ((unsigned)((rules)&0xff))

/* Says anything about an automation or a role, now and then garbage. */
void sample_say(struct memory_log *log);

/* The terms that the simulation decides by. */
extern const struct wm_terms sample_terms;
#define SAMPLE_GROUP WM_TEXT("waymark")
#define SAMPLE_EVENT_BYTES 65536
#define SAMPLE_USERS 6

/* Sends one event of any kind: most do something, some nothing, some are repeated, some can't be read, some are on the
 * wrong partition. */
void sample_send(struct memory_log *log);

/* Sends exactly this, to the home of 'user'. */
void sample_send_milestone(struct memory_log *log, const char *user, const char *id, const char *milestone);
void sample_send_request(struct memory_log *log, const char *user, const char *id, const char *type, const char *data);

#endif
