/* Runs seeds: seeds [--from N] [--count N] [--verbose]. The first one that fails is printed and ends it. */
#include "tests/simulation/simulate.h"

#include <getopt.h>
#include <inttypes.h>
#include <time.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add(struct loop_counters *to, const struct loop_counters *from) {
  for (size_t i = 0; i < sizeof *to / sizeof(uint64_t); i++)
    ((uint64_t *)to)[i] += ((const uint64_t *)from)[i];
}

static void print_totals(uint64_t count, double took, const struct loop_counters *totals) {
  printf("%" PRIu64 " seeds in %.1f s: %" PRIu64 " events, %" PRIu64 " decided, %" PRIu64 " rejected, %" PRIu64
         " duplicates, %" PRIu64 " batches, %" PRIu64 " aborts, %" PRIu64 " recycled, %" PRIu64 " catch-ups, %" PRIu64
         " ends, %" PRIu64 " reprojected, %" PRIu64 " reloads\n",
         count, took, totals->events, totals->decided, totals->rejected, totals->duplicates, totals->batches,
         totals->aborts, totals->recycles, totals->catch_ups, totals->expired, totals->reprojected, totals->reloads);
}

int main(int argument_count, char **arguments) {
  static const struct option options[] = {
      {"from", required_argument, NULL, 'f'}, {"count", required_argument, NULL, 'c'}, {0}};
  uint64_t from = 1, count = 5000, failed = 0;
  for (int option; (option = getopt_long(argument_count, arguments, "", options, NULL)) != -1;) {
    if (option == 'f')
      from = strtoull(optarg, NULL, 10);
    else if (option == 'c')
      count = strtoull(optarg, NULL, 10);
    else
      return 2;
  }
  struct wm_workspace *versions[SAMPLE_VERSIONS];
  for (unsigned i = 0; i < SAMPLE_VERSIONS; i++)
    versions[i] = sample_workspace(i);
  struct loop_counters totals = {0};
  double began = seconds();
  for (uint64_t seed = from; seed < from + count && failed == 0; seed++) {
    static struct simulation simulation;
    simulation_init(&simulation, seed, (int32_t)(1 + seed % MEMORY_PARTITIONS), versions);
    if (!simulation_play(&simulation)) {
      failed++;
      printf("seed %" PRIu64 " failed: %s\n", seed, simulation.why);
    }
    simulation_release(&simulation);
    add(&totals, &simulation.totals);
  }
  for (unsigned i = 0; i < SAMPLE_VERSIONS; i++)
    wm_workspace_free(versions[i]);
  print_totals(count, seconds() - began, &totals);
  return failed > 0;
}
