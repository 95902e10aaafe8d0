/* The parts of `waymark topics rehome`: another number of partitions, so another home for most users (cmd_topics.c).
 *
 * Everything up to the growing of topics can be left as it is: the old users topic is only read. From then on there is
 * only forward, and every step may be done again after a kill. What ends it is the record 'partitions' of the control
 * topic: no worker starts before it is written, and nothing is copied after. */
#ifndef WM_TOOLS_REHOME_H
#define WM_TOOLS_REHOME_H

#include "tools/lib/files.h"
#include "tools/lib/table.h"
#include "worker/client.h"
#include "worker/sender.h"

#define REHOME_INCARNATION_SIZE 64

/* One user; 32 bytes in an open table. */
struct rehome_slot {
  uint64_t first, second; /* two hashes of the id; 0, 0: free */
  int64_t newest;         /* offset of the newest register in the old topic */
  uint64_t there;         /* hash of the newest register in the new topic, 0: none */
};

struct rehome_slots {
  struct rehome_slot *items;
  size_t count, capacity;
};

enum rehome_state { REHOME_FINE, REHOME_TO_DO, REHOME_DONE, REHOME_WRONG };

struct rehome {
  const struct invocation *invocation;
  const struct settings *settings; /* as they are to be */
  const char *from;                /* the old users topic */
  bool json, dry_run, leave;       /* leave: undecided records are left where they are */
  struct table table;
  size_t wrong, topics_to_make, topics_to_grow;
  int32_t before; /* partitions until now */
  bool recorded;  /* the control topic tells the new number already: all is done */
  int32_t history[32];
  size_t history_count; /* numbers of partitions that there were before 'before' */
  bool new_topic;       /* there is one already */
  char old_incarnation[REHOME_INCARNATION_SIZE], new_incarnation[REHOME_INCARNATION_SIZE];
  int64_t stamp_ms; /* for the copies: ends of grants after it were not told by a worker yet */
  struct client *client;
  struct sender *sender; /* NULL: nothing may be written yet */
  struct rehome_slots slots;
  size_t users, moved, written; /* registers: all, to another partition, written by this call */
  uint64_t old_hash, new_hash;  /* over all users, of what is to be in the new topic and of what is */
};

/* One line of the answer. */
void rehome_say(struct rehome *rehome, const char *what, enum rehome_state state, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The whole command. Returns the exit code. */
int rehome_run(const struct invocation *invocation, const struct settings *settings);

/* --- rehome_look.c: is all as it was planned? --- */

/* Tells everything that it finds. EXIT_FINE (rehome->wrong counts), or EXIT_OUTSIDE and so on, told. */
int rehome_look(struct rehome *rehome);

/* Only what may have changed since: workers, and records that nobody has decided. */
int rehome_look_again(struct rehome *rehome);

/* --- rehome_copy.c: the registers --- */

/* Reads both users topics: who is where, and how much there is to do. EXIT_FINE (rehome->wrong counts), or told. */
int rehome_count(struct rehome *rehome);

/* Writes what the new topic does not have yet, and reads it all again. EXIT_FINE, or told. */
int rehome_copy(struct rehome *rehome);
void rehome_slots_release(struct rehome_slots *slots);

#endif
