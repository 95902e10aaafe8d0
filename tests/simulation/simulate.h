/* Processes that run the real loop on the in-memory doors, interrupted and killed between any two calls of a door. */
#ifndef WM_TESTS_SIMULATE_H
#define WM_TESTS_SIMULATE_H

#include "tests/lib/fiber.h"
#include "tests/lib/memory_cache.h"
#include "tests/lib/memory_log.h"
#include "tests/simulation/judge.h"
#include "worker/loop.h"

#define SIMULATION_PROCESSES 48 /* in one run, those that are gone included */
#define SIMULATION_SLOTS 3      /* instances: transactional ids */

struct simulation;

struct process {
  struct simulation *simulation;
  unsigned slot;
  struct memory_member *member;
  struct loop *loop;
  struct fiber *fiber;
  bool gone;         /* crashed or ended */
  bool suspended;    /* SIGSTOP: does nothing, and its clock goes on */
  uint64_t crash_in; /* calls of doors; 0: it does not */
};

struct simulation {
  uint64_t seed;
  struct world world;
  struct memory_log *log;
  struct memory_cache *cache;
  struct logger logger;
  struct loop_rules rules;
  unsigned version;                               /* of the workspace that new processes load */
  struct wm_workspace *versions[SAMPLE_VERSIONS]; /* for the judge; borrowed */
  struct process processes[SIMULATION_PROCESSES];
  size_t process_count;
  struct process *current; /* whose fiber is running */
  struct memory_data snapshot;
  bool has_snapshot;
  int64_t down_until_us;
  void (*hook)(struct simulation *simulation); /* called at touch number 'hook_at', once */
  uint64_t hook_at;
  bool unsteady;               /* some processes had another catalogue */
  struct loop_counters totals; /* of processes that are gone */
  char why[JUDGE_TEXT];        /* what is wrong; "" nothing */
};

/* 'versions' are SAMPLE_VERSIONS workspaces, borrowed. */
void simulation_init(struct simulation *simulation, uint64_t seed, int32_t partitions,
                     struct wm_workspace *const *versions);
void simulation_release(struct simulation *simulation);

/* A new process; NULL when there have been too many. */
struct process *simulation_start(struct simulation *simulation, unsigned slot);
void simulation_kill(struct process *process);

/* Lets it run until it gives way or ends. */
void simulation_run(struct process *process);

/* Runs everything round and round, without faults, until all inputs are consumed and all workers are ready. False:
 * that does not happen. */
bool simulation_settle(struct simulation *simulation);

/* Stops all processes as SIGTERM does, and judges. False: 'why' says what is wrong. */
bool simulation_end(struct simulation *simulation);

/* A whole run at random. False: 'why' says what is wrong. */
bool simulation_play(struct simulation *simulation);

#endif
