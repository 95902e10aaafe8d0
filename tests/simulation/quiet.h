/* One quiet simulation in which a test says what happens, for the rules by name. Criterion runs each test in a process
 * of its own, so there is one world. */
#ifndef WM_TESTS_QUIET_H
#define WM_TESTS_QUIET_H

#include <criterion/criterion.h>

#include "tests/simulation/simulate.h"

extern struct simulation s;

/* A world without faults. */
void quiet_begin(int32_t partitions);

/* Everything is settled, stopped and judged, and the world is gone. */
void quiet_end(void);

/* A worker that owns everything and is ready. */
struct process *start_ready(void);

/* Lets it work for so long, or until it is gone. */
void run_for(struct process *process, int64_t for_us);

/* Steps it until it stops by itself. */
void run_out(struct process *process);

void send_milestone(const char *user, const char *id, const char *milestone);
void send_to_all(const char *milestone); /* one to each of SAMPLE_USERS */

bool has_role(const char *user, const char *role); /* in Redis */

/* Committed records, those with this in their value. */
size_t count_committed(enum wm_topic topic);
size_t count_with(enum wm_topic topic, const char *part);

#endif
