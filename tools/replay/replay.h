/* waymark replay: what its ways share. A plan says which records of a topic are meant: ranges by offsets (or a file),
 * and filters. Each way is in its own file, replay_<what>.c. */
#ifndef WM_TOOLS_REPLAY_H
#define WM_TOOLS_REPLAY_H

#include "core/codec/digest.h"
#include "core/condition.h"
#include "tools/lib/events.h"
#include "tools/lib/files.h"
#include "tools/lib/user_list.h"
#include "worker/ranges.h"

#define REPLAY_RATE 1000 /* copies a second, when nobody says otherwise */

struct replay_range {
  struct range range;
  int64_t deleted; /* records that retention took before they could be read, by offsets */
  bool cut;        /* the log begins behind a time that was asked for: nobody knows what stood before */
  size_t selected; /* records that the filters leave */
};

/* Which records of the ranges are meant; all that is not given leaves everything. */
struct replay_filter {
  struct user_list users;
  struct wm_text *types; /* a trailing '*' matches any rest */
  size_t type_count;
  struct wm_text automation;           /* WM_NO_TEXT: all */
  struct wm_text where;                /* as it was typed; WM_NO_TEXT: none */
  struct wm_workspace *where_document; /* owns 'condition' */
  const struct wm_condition *condition;
};

struct replay_counts {
  size_t read;       /* records in the ranges */
  size_t rejected;   /* that their topic's rules refuse: never sent again */
  size_t selected;   /* that the filters leave */
  size_t duplicates; /* of these */
  size_t elsewhere;  /* not on their user's home partition: rejected the first time */
  size_t executions;
  size_t failed_first; /* tasks and events that failed or were rejected the first time, as far as it is known */
  size_t added, removed, unchanged, superseded, failed, skipped;
  size_t notifications; /* that would be sent with --notify */
  size_t delegations;   /* requests that delegations would send again */
  size_t users, users_gaining, users_losing, users_written;
  size_t changes; /* effective roles that users gain or lose */
};

struct replay_plan {
  struct wm_arena arena; /* owns the texts */
  int64_t made_us;
  struct wm_text topic;   /* WM_NO_TEXT with a file whose events each belong to the topic of their type */
  struct wm_text cluster; /* whose topic it is, by Kafka's own id; WM_NO_TEXT: a file, or Kafka does not say */
  struct wm_text input;   /* a file in place of the topic's records; WM_NO_TEXT: none */
  struct wm_text input_digest;
  struct replay_range *ranges; /* none with 'input' */
  size_t range_count;
  struct replay_filter filter;
  struct wm_text workspace, catalogue, running; /* digests of what decided */
  struct replay_counts counts;
  char digest[WM_DIGEST_SIZE]; /* over all else */
};

void replay_plan_init(struct replay_plan *plan);
void replay_plan_release(struct replay_plan *plan);

/* --- replay_filter.c --- */

/* The filters that the options say; texts are borrowed from them or from 'arena'. EXIT_FINE, or told. */
int replay_filter_read(const struct options *options, const struct wm_workspace *workspace, struct wm_arena *arena,
                       struct replay_filter *ret);
void replay_filter_release(struct replay_filter *filter);

/* Reads filter->where into its condition. EXIT_FINE, or told with its place. */
int replay_filter_compile(struct replay_filter *filter);

/* Are events of this type meant? */
bool replay_filter_takes_type(const struct replay_filter *filter, struct wm_text type);

/* Is this event meant? */
bool replay_filter_takes(const struct replay_filter *filter, const struct wm_event *event);

/* --- replay_records.c: the records that a plan means --- */

struct replay_records {
  const struct loaded *loaded;
  const struct replay_plan *plan;
  struct wm_decode_rules rules;
  struct ranges *ranges; /* or */
  struct lines lines;
  size_t tell, told; /* how many lines of a file that are rejected are told of at most; none unless it is set */
  int64_t last_us;
};

/* One record of the ranges. 'record' is borrowed until the next one, 'event' from the arena given. */
struct replay_record {
  struct wm_record record; /* as it stands in its topic; of a file: as it would stand there */
  enum wm_decoded what;
  struct wm_event event;
  bool selected, elsewhere;
  int32_t home; /* the partition that it would be sent to */
};

/* The kind of an input topic; ANY without one. EXIT_FINE, or told: it is none. */
int replay_topic_kind(const struct settings *settings, struct wm_text topic, enum wm_topic_kind *ret);

/* Begins with each range's 'from'; 'client' is borrowed (not needed with an input file). EXIT_FINE, or told. Close in
 * any case. */
int replay_records_open(struct replay_records *records, const struct loaded *loaded, const struct replay_plan *plan,
                        struct ranges *client);
void replay_records_close(struct replay_records *records);

/* The next record; *ret_end: there was none. EXIT_FINE, or told. */
int replay_records_next(struct replay_records *records, struct wm_arena *arena, struct replay_record *ret,
                        bool *ret_end);

/* replay_first.c: counts what of the ranges failed or was rejected in the live run. 'from_ms' is the timestamp of the
 * oldest record. EXIT_FINE, or told. */
int replay_count_first(const struct loaded *loaded, struct replay_plan *plan, int64_t from_ms);

/* --- replay_file.c --- */

/* Writes the plan as one JSON document and sets plan->digest. EXIT_FINE, or told. */
int replay_plan_write(struct replay_plan *plan, const char *path);

/* Reads a plan, which may have been tampered with. EXIT_FINE, or told. */
int replay_plan_read(const char *path, struct replay_plan *ret);

/* A digest of a file of any size. EXIT_FINE, or told. */
int replay_file_digest(const char *path, char ret[static WM_DIGEST_SIZE]);

/* Fills in what decides now: workspace, catalogue and running. EXIT_FINE, or told. */
int replay_know(const struct loaded *loaded, struct replay_plan *plan);

/* What decides besides the documents: which automations run now. */
void replay_running_digest(const struct wm_workspace *workspace, char ret[static WM_DIGEST_SIZE]);

/* --- ways --- */

int replay_plan_run(const struct invocation *invocation);
int replay_apply_run(const struct invocation *invocation);
int replay_list_run(const struct invocation *invocation);
int replay_status_run(const struct invocation *invocation);
int replay_pause_run(const struct invocation *invocation);
int replay_resume_run(const struct invocation *invocation);
int replay_cancel_run(const struct invocation *invocation);

/* replay_resolve.c: are --from, --to and --partition what they have to be? EXIT_FINE, or told. */
int replay_resolve_check(const struct options *options);

/* --topic, --from, --to and --partition to ranges. EXIT_FINE, or told. */
int replay_resolve(const struct options *options, const struct settings *settings, struct ranges *client,
                   struct replay_plan *plan);

#endif
