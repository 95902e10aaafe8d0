/* waymark.yaml: each folder of fixtures/settings is one, read as the worker does; what lint does otherwise is below. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/cases.h"
#include "worker/settings.h"

static struct wm_findings findings;
static struct settings settings;

static void set_up(void) {
  wm_findings_init(&findings);
  setenv("NAME", "worker-7", 1);
  setenv("HOST", "kafka", 1);
  setenv("COUNT", "3", 1);
  setenv("SECRET", "s3cr3t", 1);
  setenv("TOPIC", "topic", 1);
  setenv("USERS", "closed", 1);
  unsetenv("MISSING");
}
static void tear_down(void) {
  settings_release(&settings);
  wm_findings_release(&findings);
}

TestSuite(settings, .init = set_up, .fini = tear_down);

static int read_settings(const char *yaml, enum settings_mode mode) {
  struct wm_text bytes = {yaml, yaml ? strlen(yaml) : 0};
  return settings_read(&settings, WM_TEXT("waymark.yaml"), bytes, mode, &findings);
}

/* --- cases --- */

static void run_case(const char *root, const char *name, void *context) {
  char folder[1024];
  (void)context;
  snprintf(folder, sizeof folder, "%s/%s", root, name);
  struct wm_buf yaml = cases_read(folder, "waymark.yaml");
  wm_findings_release(&findings);
  wm_findings_init(&findings);
  int failed = read_settings(yaml.bytes, SETTINGS_FULL);
  cr_expect_eq(failed, findings.invalid ? -1 : 0, "%s", folder);
  cases_compare(folder, &findings);
  if (strncmp(name, "fine", 4) == 0)
    cr_expect_eq(findings.count, 0u, "%s is not fine", folder);
  for (size_t i = 0; i < findings.count; i++)
    cr_expect(!wm_text_contains(findings.items[i].text, WM_TEXT("s3cr3t")), "a secret in a sentence");
  settings_release(&settings);
  wm_buf_release(&yaml);
}

Test(settings, each_mistake_gives_its_diagnostics) {
  cr_expect_geq(cases_each(FIXTURES "/settings", run_case, NULL), 14);
}

/* --- values --- */

Test(settings, without_a_file_everything_is_default) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  cr_assert_eq(read_settings(NULL, SETTINGS_OFFLINE), 0);
  cr_expect_eq(findings.count, 0u);
  cr_expect(strcmp(settings.instance, host) == 0 || strcmp(settings.instance, "waymark") == 0);
  cr_expect_str_eq(settings.kafka.bootstrap, "localhost:9092");
  cr_expect_str_eq(settings.kafka.group, "waymark");
  cr_expect(settings.kafka.exactly_once);
  cr_expect_eq(settings.kafka.partitions, 8);
  cr_expect_str_eq(settings.kafka.partitioner, "murmur2");
  cr_expect_eq(settings.kafka.property_count, 0u);
  cr_assert_eq(settings.topics.event_count, 1u);
  cr_expect_str_eq(settings.topics.events[0], "journey.milestones");
  cr_expect_str_eq(settings.topics.directory, "waymark.directory");
  cr_expect_str_eq(settings.topics.requests, "waymark.requests");
  cr_expect_str_eq(settings.topics.replay, "waymark.replay");
  cr_expect_str_eq(settings.topics.users, "waymark.users");
  cr_expect_str_eq(settings.topics.outcomes, "waymark.outcomes");
  cr_expect_str_eq(settings.topics.changes, "waymark.changes");
  cr_expect_str_eq(settings.topics.failures, "waymark.failures");
  cr_expect_str_eq(settings.topics.notifications, "waymark.notifications");
  cr_expect_str_eq(settings.topics.control, "waymark.control");
  cr_expect_str_eq(settings.redis.address, "localhost:6379");
  cr_expect_str_eq(settings.redis.username, "");
  cr_expect_str_eq(settings.redis.password_file, "");
  cr_expect_str_eq(settings.redis.prefix, "wm");
  cr_expect(!settings.users_closed);
  cr_expect_str_eq(settings.baseline.role, "");
  cr_expect_eq(settings.limits.event_bytes, 524288u);
  cr_expect_eq(settings.limits.register_bytes, 262144u);
  cr_expect_eq(settings.limits.batch_events, 2000u);
  cr_expect_eq(settings.limits.batch_us, 50000);
  cr_expect_eq(settings.limits.clock_skew_us, INT64_C(300000000));
  cr_expect_eq(settings.limits.notify_age_us, INT64_C(86400000000));
  cr_expect_eq(settings.ignore_count, 0u);
  cr_expect_str_eq(settings.http_listen, "127.0.0.1:9464");
  cr_expect_str_eq(settings.log_level, "info");
  cr_expect_str_eq(settings.log_format, "text");
}

Test(settings, what_the_file_says_stands) {
  struct wm_buf yaml = cases_read(FIXTURES "/settings/fine-everything", "waymark.yaml");
  cr_assert_eq(read_settings(yaml.bytes, SETTINGS_FULL), 0);
  wm_buf_release(&yaml);
  cr_expect_str_eq(settings.instance, "worker-1");
  cr_expect(!settings.kafka.exactly_once && settings.users_closed);
  cr_expect_eq(settings.kafka.partitions, 12);
  cr_assert_eq(settings.kafka.property_count, 3u);
  cr_expect_str_eq(settings.kafka.properties[1].name, "sasl.username");
  cr_expect_str_eq(settings.kafka.properties[1].value, "007", "as it is written");
  cr_assert_eq(settings.topics.event_count, 2u);
  cr_expect_str_eq(settings.topics.events[1], "journey.phases");
  cr_expect_str_eq(settings.topics.control, "x");
  cr_expect_str_eq(settings.redis.address, "/run/redis.sock");
  cr_expect_eq(settings.limits.batch_us, 0);
  cr_expect_eq(settings.limits.notify_age_us, INT64_C(1209600000000));
  cr_expect_str_eq(settings.baseline.role, "member");
  cr_expect(settings.baseline.line == 22 && settings.baseline.column == 11);
  cr_assert_eq(settings.ignore_count, 2u);
  cr_expect_str_eq(settings.ignore[1], "*.draft.yaml");
  cr_expect_str_eq(settings.http_listen, "");
  cr_expect_str_eq(settings.log_format, "json");
}

Test(settings, variables_are_filled_in) {
  cr_assert_eq(read_settings("instance: ${NAME}-${COUNT}\nkafka: {partitions: \"${COUNT}\", bootstrap: \"${HOST}:1\"}\n"
                             "users: ${USERS}\ntopics: {events: [\"${TOPIC}.a\"]}\nlimits: {batch-ms: \"1${COUNT}\"}\n",
                             SETTINGS_FULL),
               0);
  cr_expect_str_eq(settings.instance, "worker-7-3");
  cr_expect_eq(settings.kafka.partitions, 3);
  cr_expect_str_eq(settings.kafka.bootstrap, "kafka:1");
  cr_expect(settings.users_closed);
  cr_expect_str_eq(settings.topics.events[0], "topic.a");
  cr_expect_eq(settings.limits.batch_us, 13000);
}

Test(settings, librdkafkas_names_of_partitioners_are_taken) {
  static const char *const names[][2] = {{"murmur2_random", "murmur2"},
                                         {"consistent_random", "consistent"},
                                         {"fnv1a_random", "fnv1a"},
                                         {"fnv1a", "fnv1a"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char text[80];
    snprintf(text, sizeof text, "kafka: { partitioner: %s }\n", names[i][0]);
    cr_assert_eq(read_settings(text, SETTINGS_FULL), 0);
    cr_expect_str_eq(settings.kafka.partitioner, names[i][1]);
  }
  cr_expect_eq(read_settings("kafka: { partitioner: random }\n", SETTINGS_FULL), -1);
}

Test(settings, a_variable_that_is_not_set_is_invalid_for_lint) {
  cr_assert_eq(read_settings("redis: {password-file: /nowhere/at/all}\ninstance: ${MISSING}\n", SETTINGS_LINT), -1);
  cr_expect_eq(findings.count, 1u);
  cr_expect_eq(findings.items[0].code, WM_E_ENV_MISSING);
  cr_expect_eq(findings.items[0].line, 2);
}

Test(settings, what_is_only_played_through_may_lack_variables) {
  cr_assert_eq(
      read_settings("instance: ${MISSING}\nkafka: {partitions: \"${MISSING}\"}\ntopics: {events: [\"${X}\"]}\n"
                    "redis: {password-file: /nowhere/at/all, address: \"${A}:${B}\"}\nlog: {level: \"${L}\"}\n",
                    SETTINGS_OFFLINE),
      0);
  cr_expect_eq(findings.count, 5u);
  cr_expect_eq(findings.warnings, 5u);
  cr_expect_eq(findings.items[0].code, WM_E_ENV_MISSING);
  cr_expect_eq(settings.kafka.partitions, 8, "the default stands");
  cr_expect_str_eq(settings.topics.events[0], "journey.milestones");
}

Test(settings, variables_that_are_set_count_there_too) {
  setenv("WAYMARK_TEST_USERS", "closed", 1);
  cr_assert_eq(read_settings("users: ${WAYMARK_TEST_USERS}\n", SETTINGS_OFFLINE), 0);
  cr_expect_eq(findings.count, 0u);
  cr_expect(settings.users_closed, "what simulate says depends on it");
}

Test(settings, a_password_file_must_be_readable_where_it_counts) {
  cr_expect_eq(read_settings("redis: { password-file: /nowhere/at/all }\n", SETTINGS_FULL), -1);
  cr_assert_eq(findings.count, 1u);
  cr_expect_eq(findings.items[0].code, WM_E_FILE_UNREADABLE);
  cr_expect_eq(findings.items[0].column, 25u);
  settings_release(&settings);
  cr_expect_eq(read_settings("redis: { password-file: / }\n", SETTINGS_FULL), -1, "a folder holds no password");
}

Test(settings, a_relative_path_counts_from_the_folder_of_the_settings) {
  static const char yaml[] = "redis: { password-file: secrets/redis }\n";
  cr_assert_eq(settings_read(&settings, WM_TEXT("/etc/waymark/waymark.yaml"), WM_TEXT(yaml), SETTINGS_LINT, &findings),
               0);
  cr_expect_str_eq(settings.redis.password_file, "/etc/waymark/secrets/redis");
  settings_release(&settings);
  cr_assert_eq(read_settings("redis: { password-file: /run/redis }\n", SETTINGS_LINT), 0);
  cr_expect_str_eq(settings.redis.password_file, "/run/redis");
}

static int try_place(const char *setting, const char *place) {
  char text[200];
  snprintf(text, sizeof text, "%s: \"%s\" }\n", setting, place);
  int failed = read_settings(text, SETTINGS_FULL);
  settings_release(&settings);
  return failed;
}

Test(settings, brokers_are_hosts_and_ports) {
  static const char *const fine[] = {"a", "a:1", "a:65535,b", "a:1, b:2", "SASL_SSL://a:1", "[::1]:9092", "[::1]"};
  static const char *const wrong[] = {
      ",", "a:1,", "a:0", "a:65536", "a:x", "a:", ":1", "a b:1", "http://a/x", " ", "://a"};
  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
    cr_expect_eq(try_place("kafka: { bootstrap", fine[i]), 0, "%s", fine[i]);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    cr_expect_eq(try_place("kafka: { bootstrap", wrong[i]), -1, "%s", wrong[i]);
  cr_expect_eq(try_place("redis: { address", "redis://a:6379"), -1, "it would be asked for ever");
}

/* --- what has changed --- */

Test(settings, what_needs_a_restart_is_named_and_nothing_else) {
  static const char *const others[][2] = {
      {"instance: b", "instance"},
      {"kafka: { bootstrap: b }", "kafka.bootstrap"},
      {"kafka: { delivery: at-least-once }", "kafka.delivery"},
      {"kafka: { partitions: 9 }", "kafka.partitions"},
      {"kafka: { partitioner: fnv1a }", "kafka.partitioner"},
      {"kafka: { properties: { linger.ms: 1 } }", "kafka.properties"},
      {"topics: { events: [journey.milestones, b] }", "topics.events"},
      {"topics: { events: [b] }", "topics.events"},
      {"topics: { control: b }", "topics.control"},
      {"redis: { password-file: /b }", "redis.password-file"},
      {"http: { listen: \"\" }", "http.listen"},
      {"users: closed", NULL},
      {"limits: { batch-events: 1 }", NULL},
      {"log: { level: error }", NULL},
  };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    struct settings before;
    size_t at = 0;
    cr_assert_eq(settings_read(&before, WM_TEXT("waymark.yaml"), WM_TEXT("{}"), SETTINGS_LINT, &findings), 0);
    cr_assert_eq(read_settings(others[i][0], SETTINGS_LINT), 0);
    const char *name = settings_next_changed(&before, &settings, &at);
    if (others[i][1])
      cr_expect_str_eq(name ? name : "", others[i][1]);
    cr_expect_null(others[i][1] ? settings_next_changed(&before, &settings, &at) : name, "%s", others[i][0]);
    settings_release(&before);
    settings_release(&settings);
  }
}

/* --- the table --- */

Test(settings, each_row_can_be_shown_to_people) {
  size_t count = 0;
  for (const struct setting_row *row = setting_rows; row->name; row++, count++) {
    cr_expect(*row->type && *row->help && *row->fallback, "%s", row->name);
    cr_expect(row->help[strlen(row->help) - 1] != '.', "%s", row->name);
    for (const struct setting_row *other = row + 1; other->name; other++)
      cr_expect_str_neq(row->name, other->name);
  }
  cr_expect_geq(count, 30u);
}

Test(settings, the_defaults_written_out_are_no_mistake) {
  struct wm_buf yaml = WM_BUF_INIT;
  const char *group = "";
  for (const struct setting_row *row = setting_rows; row->name; row++) {
    const char *dot = strchr(row->name, '.');
    if (dot && strncmp(row->name, group, (size_t)(dot - row->name) + 1) != 0)
      wm_buf_printf(&yaml, "%.*s:\n", (int)(dot - row->name), row->name);
    group = dot ? row->name : "";
    wm_buf_printf(&yaml, "%s%s: %s\n", dot ? "  " : "", dot ? dot + 1 : row->name, row->fallback);
  }
  cr_expect_eq(read_settings(yaml.bytes, SETTINGS_FULL), 0, "%s", yaml.bytes);
  cr_expect_eq(findings.count, 0u);
  wm_buf_release(&yaml);
}

/* --- files --- */

static char *secret_file(const char *content, size_t size) {
  static char path[] = "/tmp/waymark-secret-XXXXXX";
  memcpy(path + sizeof path - 7, "XXXXXX", 6);
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, content, size), (ssize_t)size);
  close(fd);
  return path;
}

static int read_with_file(const char *path, enum settings_mode mode) {
  char yaml[300];
  snprintf(yaml, sizeof yaml, "instance: w\nredis:\n  username: \"app-${file:%s}\"\n", path);
  return read_settings(yaml, mode);
}

Test(settings, a_secret_comes_from_a_file) {
  char *path = secret_file("s3cr3t\r\n", 8);
  cr_expect_eq(read_with_file(path, SETTINGS_FULL), 0);
  cr_expect_str_eq(settings.redis.username, "app-s3cr3t");
  unlink(path);
}

Test(settings, a_file_that_is_not_there_is_invalid) {
  cr_expect_neq(read_with_file("/nowhere/at/all", SETTINGS_FULL), 0);
  cr_assert_eq(findings.count, 1u);
  cr_expect(wm_text_contains(findings.items[0].text, WM_TEXT("can't read '/nowhere/at/all'")));
}

Test(settings, lint_reads_no_secret) {
  char *path = secret_file("s3cr3t", 6);
  cr_expect_eq(read_with_file(path, SETTINGS_OFFLINE), 0);
  cr_expect_eq(findings.count, 0u);
  cr_expect_str_eq(settings.redis.username, "");
  unlink(path);
}

Test(settings, a_folder_or_a_file_with_a_nul_is_no_secret) {
  cr_expect_neq(read_with_file("/tmp", SETTINGS_FULL), 0);
  settings_release(&settings);
  char *path = secret_file("a\0b", 3);
  cr_expect_neq(read_with_file(path, SETTINGS_FULL), 0);
  unlink(path);
}
