/* Matching alone and the decision step, on one core, without Kafka and Redis.
 *
 *   bench_core [SECONDS]   prints events per second: matching of decoded events, decoding and matching, deciding,
 *                          and projecting, each the best of several rounds, so that a noisy neighbour costs a round
 * only. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/codec/cloudevent.h"
#include "core/codec/load.h"
#include "core/codec/register.h"
#include "core/decide.h"

#define EVENTS 1000
#define ROUNDS 5

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "bench_core: %s\n", what);
  exit(1);
}

/* 'count' automations on one trigger; event i matches exactly automation i mod count: three tasks. */
static struct wm_workspace *make_workspace(size_t count) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  struct wm_buf yaml = WM_BUF_INIT;
  wm_buf_add_string(&yaml, "role: certified\n---\nrole: welcome\n---\nchannel: mail\n");
  for (size_t i = 0; i < count; i++)
    wm_buf_printf(
        &yaml,
        "---\nautomation: rule-%zu\ntrigger: journey.milestone.achieved\nwhen:\n  data.journey: onboarding\n"
        "  data.milestone: step-%zu\n  data.score: { at-least: 10 }\ntasks:\n"
        "  - { name: Grant, sequence: 10, type: change-role, role: certified, action: add }\n"
        "  - { name: Take, sequence: 20, type: change-role, role: welcome, action: remove }\n"
        "  - { name: Tell, sequence: 30, type: notify, channel: mail, title: Done, message: 'At {{ data.score }}' }\n",
        i, i);
  if (loader == NULL || yaml.failed ||
      wm_loader_add(loader, WM_TEXT("bench.yaml"), (struct wm_text){yaml.bytes, yaml.size}))
    die("out of memory");
  struct wm_workspace *workspace = wm_loader_finish(loader);
  if (workspace == NULL)
    die("the workspace is invalid");
  wm_buf_release(&yaml);
  wm_loader_free(loader);
  wm_findings_release(&findings);
  return workspace;
}

struct input {
  char json[EVENTS][512];
  struct wm_record records[EVENTS];
  struct wm_event events[EVENTS];
  struct wm_arena arena;
};

static const struct wm_decode_rules rules = {.topic = WM_TOPIC_ANY, .event_bytes = 524288};

static void decode(const struct wm_record *record, struct wm_arena *arena, struct wm_event *ret) {
  struct wm_rejection rejection;
  enum wm_decoded decoded;
  if (wm_event_decode(record, &rules, arena, &decoded, ret, &rejection) != 0 || decoded != WM_DECODED_EVENT)
    die("an event was refused");
}

static void make_input(struct input *input, size_t automations) {
  wm_arena_init(&input->arena, 0);
  for (size_t i = 0; i < EVENTS; i++) {
    int size = snprintf(input->json[i], sizeof input->json[i],
                        "{\"specversion\":\"1.0\",\"id\":\"evt-%zu\",\"source\":\"/journeys\",\"type\":"
                        "\"journey.milestone.achieved\",\"time\":\"2026-11-21T10:00:00Z\",\"subject\":\"user-%zu\","
                        "\"data\":{\"journey\":\"onboarding\",\"milestone\":\"step-%zu\",\"phase\":\"foundation\","
                        "\"enrollment\":\"enr-%zu\",\"score\":%zu,\"tier\":\"gold\",\"region\":\"emea-west\"}}",
                        i, i % 100, i % automations, i, 10 + i % 90);
    input->records[i] = (struct wm_record){.topic = WM_TEXT("journey.milestones"),
                                           .offset = (int64_t)i,
                                           .timestamp_ms = 1795255200000,
                                           .value = {input->json[i], (size_t)size}};
    decode(&input->records[i], &input->arena, &input->events[i]);
  }
}

enum what { MATCH, DECODE_AND_MATCH, DECIDE };

static void one_event(enum what what, const struct wm_workspace *workspace, struct input *input, size_t i,
                      struct wm_user **users, struct wm_arena *arena) {
  static const struct wm_terms terms = {
      .notify_age_us = 0, .register_bytes = 262144, .register_size = wm_register_size};
  static unsigned long serial;
  char id[32];
  struct wm_event own, *event = &input->events[i];
  struct wm_candidates candidates;
  if (what == DECODE_AND_MATCH) {
    decode(&input->records[i], arena, &own);
    event = &own;
  }
  if (what == DECIDE) { /* an id of its own: nothing is decided for a duplicate */
    own = *event;
    own.id = (struct wm_text){id, (size_t)snprintf(id, sizeof id, "evt-%lu", serial++)};
    event = &own;
  }
  if (wm_index_sift(workspace->index, event, arena, &candidates) != 0 || candidates.count != 1)
    die("an event did not match exactly one automation");
  if (what != DECIDE)
    return;
  struct wm_decision decision;
  struct wm_error error;
  struct wm_user **user = &users[i % 100];
  if (wm_decide(workspace, &terms, event, *user, 0, &candidates, arena, &decision, &error) != 0)
    die("a decision failed");
  if (decision.user != NULL) {
    wm_user_free(*user);
    *user = decision.user;
  }
}

/* Events a second, the best of several rounds. */
static double rate(enum what what, const struct wm_workspace *workspace, struct input *input, double round_seconds) {
  struct wm_arena arena;
  struct wm_user *users[100] = {0};
  double best = 0;
  wm_arena_init(&arena, 0);
  for (int round = 0; round < ROUNDS; round++) {
    double start = seconds(), now = start;
    size_t done = 0;
    while (now - start < round_seconds) {
      for (size_t i = 0; i < EVENTS; i++) {
        one_event(what, workspace, input, i, users, &arena);
        wm_arena_rewind(&arena);
      }
      done += EVENTS;
      now = seconds();
    }
    double this_rate = (double)done / (now - start);
    best = this_rate > best ? this_rate : best;
  }
  for (size_t i = 0; i < 100; i++)
    wm_user_free(users[i]);
  wm_arena_release(&arena);
  return best;
}

int main(int argc, char **argv) {
  static const size_t sizes[] = {50, 1000, 10000};
  static struct input input;
  double round_seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;
  double first[2] = {0};

  printf("%12s %16s %22s %14s\n", "automations", "matching/s", "decode + matching/s", "decisions/s");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct wm_workspace *workspace = make_workspace(sizes[i]);
    make_input(&input, sizes[i]);
    double match = rate(MATCH, workspace, &input, round_seconds);
    double both = rate(DECODE_AND_MATCH, workspace, &input, round_seconds);
    double decisions = rate(DECIDE, workspace, &input, round_seconds);
    printf("%12zu %16.0f %22.0f %14.0f\n", sizes[i], match, both, decisions);
    if (i == 0)
      first[0] = match;
    first[1] = match;
    wm_arena_release(&input.arena);
    wm_workspace_free(workspace);
  }
  printf("cost of matching at 10000 automations: %.2f x that at 50\n", first[0] / first[1]);
  return 0;
}
