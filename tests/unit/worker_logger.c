#include "worker/logger.h"

#include <criterion/criterion.h>
#include <unistd.h>

/* What 'logger' wrote so far. */
static char said[65536];
static int ends[2];

static struct logger open_logger(bool json) {
  cr_assert_eq(pipe(ends), 0);
  return (struct logger){.level = LOGGER_INFO, .json = json, .fd = ends[1]};
}

static const char *what_was_said(void) {
  close(ends[1]);
  size_t size = 0;
  ssize_t got;
  while ((got = read(ends[0], said + size, sizeof said - 1 - size)) > 0)
    size += (size_t)got;
  said[size] = '\0';
  return said;
}

Test(logger, a_text_line_has_time_level_message_and_fields) {
  struct logger logger = open_logger(false);
  logger_say(
      &logger, LOGGER_WARNING, 1795255200123456, "a task failed",
      (const struct logger_field[]){{.name = "user", .text = WM_TEXT("user-7")}, {.name = "tasks", .number = 3}, {0}});
  cr_assert_str_eq(what_was_said(), "2026-11-21T10:00:00.123Z warning a task failed user=user-7 tasks=3\n");
}

Test(logger, a_json_line_is_one_object) {
  struct logger logger = open_logger(true);
  logger_say(&logger, LOGGER_ERROR, 1795255200000000, "say \"no\"",
             (const struct logger_field[]){{.name = "text", .text = WM_TEXT("a\nb")}, {0}});
  cr_assert_str_eq(what_was_said(), "{\"time\":\"2026-11-21T10:00:00.000Z\",\"level\":\"error\",\"message\":"
                                    "\"say \\\"no\\\"\",\"text\":\"a\\nb\"}\n");
}

Test(logger, foreign_bytes_never_reach_the_terminal) {
  struct logger logger = open_logger(false);
  logger_say(&logger, LOGGER_INFO, 0, "one\x1b[31mline\nonly",
             (const struct logger_field[]){
                 {.name = "a", .text = WM_TEXT("x\x1b[0m")}, {.name = "b", .text = WM_TEXT("\xff\xfe")}, {0}});
  const char *line = what_was_said();
  cr_assert_null(strchr(line, 0x1b), "%s", line);
  cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
  cr_assert_not_null(strstr(line, "b=\"\\ufffd\\ufffd\""), "%s", line);
}

Test(logger, a_long_value_is_cut_between_characters) {
  struct logger logger = open_logger(false);
  char text[301];
  memset(text, 'a', 255);
  memcpy(text + 255, "\xc3\xa4", 2);
  memset(text + 257, 'b', 43);
  logger_say(&logger, LOGGER_INFO, 0, "m", (const struct logger_field[]){{.name = "t", .text = {text, 300}}, {0}});
  const char *value = strstr(what_was_said(), "t=") + 2;
  cr_assert_eq(strcspn(value, "\n"), 255 + strlen("\"\""));
}

Test(logger, lines_below_the_level_are_dropped) {
  struct logger logger = open_logger(false);
  logger_say(&logger, LOGGER_DEBUG, 0, "quiet", NULL);
  logger_flood(&logger, LOGGER_DEBUG, 0, "quiet", NULL);
  cr_assert_str_empty(what_was_said());
}

Test(logger, a_flood_is_cut_and_counted_in_one_line) {
  struct logger logger = open_logger(false);
  logger.burst = 3;
  for (int i = 0; i < 10; i++)
    logger_flood(&logger, LOGGER_INFO, 500, "again", NULL);
  logger_flood(&logger, LOGGER_INFO, 1000500, "next second", NULL);
  const char *lines = what_was_said();
  int count = 0;
  for (const char *at = lines; (at = strstr(at, "again")); at++)
    count++;
  cr_assert_eq(count, 3);
  cr_assert_not_null(strstr(lines, "dropped=7\n"), "%s", lines);
  cr_assert_not_null(strstr(lines, "next second"));
}
