/* Projecting in the core alone, on one core, without Kafka and Redis.
 *
 *   bench_project [USERS]   (default 1 000 000) prints users per second: projecting registers that are in memory, and
 *                           reading them from JSON and projecting, the best of several rounds; and how much memory the
 *                           process took. 200 roles of five criteria each. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "core/codec/load.h"
#include "core/codec/register.h"
#include "core/project.h"

#define ROLES 200
#define KINDS 20000 /* users that are told apart; a million of them would measure the memory of the machine */
#define ROUNDS 3
#define NOW_US INT64_C(1795255200000000)

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "bench_project: %s\n", what);
  exit(1);
}

/* Role i is for a unit and all below it, for a group, for a region and level, for a tier, and for a manager's people.
 */
static struct wm_workspace *make_workspace(void) {
  struct wm_findings findings;
  wm_findings_init(&findings);
  struct wm_loader *loader = wm_loader_new(&findings);
  struct wm_buf yaml = WM_BUF_INIT;
  for (size_t i = 0; i < ROLES; i++)
    wm_buf_printf(&yaml,
                  "---\nrole: role-%zu\ntype: %s\nassigned-when:\n"
                  "  - { org-unit: unit-%zu, org-unit-type: division, include-subordinates: true }\n"
                  "  - { group: group-%zu }\n"
                  "  - when: { user.attributes.region: region-%zu, user.attributes.level: { at-least: %zu } }\n"
                  "  - when: { user.attributes.tier: { in: [tier-%zu, tier-%zu] } }\n"
                  "  - { user: user-%zu, include-subordinates: true }\n",
                  i, i % 4 ? "employee" : "partner", i, i, i, i % 10, i, i + 1, i);
  if (!loader || yaml.failed || wm_loader_add(loader, WM_TEXT("bench.yaml"), (struct wm_text){yaml.bytes, yaml.size}))
    die("out of memory");
  struct wm_workspace *workspace = wm_loader_finish(loader);
  if (!workspace)
    die("the workspace is invalid");
  wm_buf_release(&yaml);
  wm_loader_free(loader);
  wm_findings_release(&findings);
  return workspace;
}

/* About 700 bytes: a profile with units, ten groups and attributes, and two assigned roles. */
static void write_register(struct wm_buf *buf, size_t i) {
  wm_buf_printf(
      buf,
      "{\"v\":1,\"user\":\"user-%zu\",\"home\":3,\"profile\":{\"clock\":[1795000000000000,\"/hr\",\"p\",\"\",0],"
      "\"status\":\"active\",\"type\":\"%s\",\"name\":\"User %zu\",\"email\":\"user-%zu@acme.example\","
      "\"org-units\":{\"division\":[\"acme\",\"unit-%zu\",\"unit-%zu\"]},\"groups\":[",
      i, i % 5 ? "employee" : "partner", i, i, i % 40, 40 + i % 400);
  for (size_t g = 0; g < 10; g++)
    wm_buf_printf(buf, "%s\"group-%zu\"", g ? "," : "", (i * 7 + g * 131) % 2000);
  wm_buf_printf(buf,
                "],\"manager\":\"user-%zu\",\"attributes\":{\"region\":\"region-%zu\",\"level\":%zu,\"tier\":"
                "\"tier-%zu\"}},\"cleared\":null,\"roles\":{",
                i % 1000, i % 300, i % 12, i % 500);
  for (size_t r = 0; r < 2; r++)
    wm_buf_printf(buf,
                  "%s\"role-%zu\":{\"removed\":null,\"grants\":{\"automation/a\":{\"clock\":[1795000000000000,\"/j\","
                  "\"e\",\"a\",10],\"until\":null,\"by\":{\"version\":\"3f9c2a417b60\"}}}}",
                  r ? "," : "", (i + r * 97) % 100 + r * 100);
  wm_buf_add_string(buf, "},\"ran\":{},\"recent\":\"\"}");
}

struct people {
  struct wm_text json[KINDS];
  struct wm_user *users[KINDS];
};

static void make_people(struct people *people) {
  for (size_t i = 0; i < KINDS; i++) {
    struct wm_buf buf = WM_BUF_INIT;
    struct wm_error error;
    write_register(&buf, i);
    people->json[i] = (struct wm_text){buf.bytes, buf.size};
    people->users[i] = wm_register_decode(people->json[i], &error);
    if (!people->users[i])
      die(error.text);
  }
}

/* Users a second, the best round; 'ret_roles' gets how many roles a user has on average. */
static double rate(const struct wm_workspace *workspace, const struct people *people, size_t users, bool decode,
                   double *ret_roles) {
  struct wm_arena arena;
  double best = 0;
  wm_arena_init(&arena, 0);
  for (int round = 0; round < ROUNDS; round++) {
    double began = seconds();
    size_t roles = 0;
    for (size_t i = 0; i < users; i++) {
      struct wm_role_set set;
      struct wm_error error;
      struct wm_user *own = decode ? wm_register_decode(people->json[i % KINDS], &error) : NULL;
      if (wm_project(workspace, decode ? own : people->users[i % KINDS], NOW_US, &arena, &set) < 0)
        die("out of memory");
      roles += set.count;
      wm_user_free(own);
      wm_arena_rewind(&arena);
    }
    double now = (double)users / (seconds() - began);
    best = now > best ? now : best;
    *ret_roles = (double)roles / (double)users;
  }
  wm_arena_release(&arena);
  return best;
}

int main(int argc, char **argv) {
  static struct people people;
  size_t users = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
  struct wm_workspace *workspace = make_workspace();
  double roles;
  make_people(&people);
  double alone = rate(workspace, &people, users, false, &roles);
  double both = rate(workspace, &people, users, true, &roles);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("%zu users, %d roles of 5 criteria, %.1f roles each, registers of %zu bytes\n", users, ROLES, roles,
         people.json[KINDS - 1].size);
  printf("projecting              %10.0f users/s\n", alone);
  printf("reading and projecting  %10.0f users/s\n", both);
  printf("memory, highest         %10ld MiB\n", usage.ru_maxrss / 1024);
  return 0;
}
