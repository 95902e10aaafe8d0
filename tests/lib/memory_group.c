/* The consumer group: range assignor, eager. Whoever comes or goes begins a rebalance; everybody gives back what he
 * holds and joins; then there is a new generation. */
#include "tests/lib/memory_log_internal.h"

static void begin_rebalance(struct memory_log *log) {
  log->rebalancing = true;
  log->rebalancing_since_us = log->world->now_us;
  for (size_t m = 0; m < log->member_count; m++) {
    log->members[m]->ready = false;
    if (log->members[m]->event == LOG_ASSIGNED) { /* not told yet: as if it had never been */
      log->members[m]->event = LOG_NOTHING;
      log->members[m]->holds = false;
    }
  }
}

void memory_group_join(struct memory_member *member) {
  member->in_group = true;
  member->seen_us = member->log->world->now_us;
  begin_rebalance(member->log);
}

void memory_group_leave(struct memory_member *member) {
  if (!member->in_group)
    return;
  member->in_group = false;
  begin_rebalance(member->log);
}

/* Partitions first .. of every topic to the member at 'index' of 'count': the same numbers of every topic. */
static void give(struct memory_member *member, size_t index, size_t count) {
  struct memory_log *log = member->log;
  size_t all = (size_t)log->partition_count;
  size_t first = index * all / count, end = (index + 1) * all / count;
  member->given_count = 0;
  for (size_t topic = 0; topic < MEMORY_INPUTS; topic++)
    for (size_t p = first; p < end; p++)
      member->given[member->given_count++] =
          (struct log_position){.topic = topic, .partition = (int32_t)p, .offset = LOG_BEGINNING};
  member->event = LOG_ASSIGNED;
  member->holds = true;
  member->told = false;
  member->generation = log->generation;
}

static size_t count_members(const struct memory_log *log, bool *ret_all_ready) {
  size_t count = 0;
  *ret_all_ready = true;
  for (size_t m = 0; m < log->member_count; m++) {
    if (!log->members[m]->in_group)
      continue;
    count++;
    *ret_all_ready &= log->members[m]->ready;
  }
  return count;
}

static void complete_rebalance(struct memory_log *log) {
  bool all_ready;
  size_t count = count_members(log, &all_ready), index = 0;
  if (!log->rebalancing || !all_ready || count == 0)
    return;
  log->rebalancing = false;
  log->generation++;
  for (size_t m = 0; m < log->member_count; m++)
    if (log->members[m]->in_group)
      give(log->members[m], index++, count);
}

void memory_group_tick(struct memory_log *log) {
  int64_t now_us = log->world->now_us;
  for (size_t m = 0; m < log->member_count; m++) {
    struct memory_member *member = log->members[m];
    bool too_slow = log->rebalancing && !member->ready && now_us - log->rebalancing_since_us > REBALANCE_US;
    if (member->in_group && (now_us - member->seen_us > SESSION_US || too_slow))
      memory_group_leave(member);
  }
  complete_rebalance(log);
}

/* LOG_NOTHING: nothing has changed for this member. */
enum log_poll memory_group_poll(struct memory_member *member, struct log_polled *ret) {
  struct memory_log *log = member->log;
  member->seen_us = log->world->now_us;
  if (!member->in_group) {
    if (member->holds) {
      enum log_poll event = member->told ? LOG_NOTHING : LOG_LOST;
      member->told = true;
      return event;
    }
    memory_group_join(member);
  }
  if (log->rebalancing) {
    if (member->holds) {
      enum log_poll event = member->told ? LOG_NOTHING : LOG_REVOKED;
      member->told = true;
      return event;
    }
    member->ready = true;
    complete_rebalance(log);
  }
  enum log_poll event = member->event;
  member->event = LOG_NOTHING;
  if (event == LOG_ASSIGNED) {
    ret->positions = member->given;
    ret->position_count = member->given_count;
  }
  return event;
}
