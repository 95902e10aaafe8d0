#include "tools/lib/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/lib/say.h"

static int load(const char *folder, enum settings_mode mode, struct loaded *ret) {
  struct wm_error error = {0};
  if (files_load(folder, mode, ret, &error) < 0)
    return say_error(EXIT_USAGE, &error);
  files_print_findings(&ret->findings);
  return ret->workspace ? EXIT_FINE : EXIT_BAD_NEWS;
}

int workspace_open(const struct invocation *invocation, const char *argument, enum settings_mode mode,
                   struct loaded *ret) {
  struct wm_error error = {0};
  char *folder = files_find_workspace(argument, options_value(&invocation->options, "workspace"), &error);
  *ret = (struct loaded){0};
  int exit_code = folder ? load(folder, mode, ret) : say_error(EXIT_USAGE, &error);
  free(folder);
  return exit_code;
}

static bool is_about_settings(const struct wm_finding *finding) {
  return finding->severity == WM_INVALID && wm_text_ends_with(finding->file, WM_TEXT("waymark.yaml"));
}

int workspace_open_settings(const struct invocation *invocation, struct loaded *ret) {
  struct wm_error error = {0};
  char *folder = files_find_workspace(NULL, options_value(&invocation->options, "workspace"), &error);
  *ret = (struct loaded){0};
  int exit_code = EXIT_FINE;
  if (!folder || files_load(folder, SETTINGS_FULL, ret, &error) < 0)
    exit_code = say_error(EXIT_USAGE, &error);
  for (size_t i = 0; i < ret->findings.count; i++)
    if (is_about_settings(&ret->findings.items[i]))
      exit_code = EXIT_BAD_NEWS;
  if (exit_code == EXIT_BAD_NEWS)
    files_print_findings(&ret->findings);
  free(folder);
  return exit_code;
}

int workspace_open_optional(const struct invocation *invocation, struct loaded *ret, bool *ret_found) {
  const char *option = options_value(&invocation->options, "workspace");
  const char *environment = getenv("WAYMARK_WORKSPACE");
  struct wm_error error = {0};
  char *folder = files_find_workspace(NULL, option, &error);
  *ret = (struct loaded){0};
  *ret_found = folder || option || (environment && *environment);
  int exit_code = *ret_found ? workspace_open(invocation, NULL, SETTINGS_OFFLINE, ret) : EXIT_FINE;
  free(folder);
  return exit_code;
}

int lines_open(struct lines *lines, const char *path) {
  *lines = (struct lines){.path = path, .fd = STDIN_FILENO};
  if (strcmp(path, "-") == 0)
    return EXIT_FINE;
  lines->fd = open(path, O_RDONLY | O_CLOEXEC);
  return lines->fd < 0 ? say(EXIT_USAGE, "can't read '%s': %s", path, strerror(errno)) : EXIT_FINE;
}

int lines_each(const char *path, line_fn *take, void *taker) {
  struct lines lines;
  struct wm_text line;
  bool end = false;
  int exit_code = lines_open(&lines, path);
  while (exit_code == EXIT_FINE && (exit_code = lines_next(&lines, &line, &end)) == EXIT_FINE && !end)
    if (!line_is_blank(line))
      exit_code = take(taker, &lines, line);
  lines_close(&lines);
  return exit_code;
}

void lines_close(struct lines *lines) {
  if (lines->fd > STDERR_FILENO)
    close(lines->fd);
  free(lines->bytes);
  lines->bytes = NULL;
  lines->fd = -1;
}

/* Makes room behind 'end': moves what is left to the front, or grows. A full buffer of LINE_LIMIT gets no room. */
static int make_room(struct lines *lines) {
  size_t left = lines->end - lines->begin;
  if (lines->begin > 0 && lines->begin >= left) {
    memcpy(lines->bytes, lines->bytes + lines->begin, left);
    lines->begin = 0;
    lines->end = left;
  }
  if (lines->end < lines->capacity || lines->capacity >= 2 * LINE_LIMIT)
    return 0;
  size_t capacity = lines->capacity ? 2 * lines->capacity : 65536;
  char *bytes = realloc(lines->bytes, capacity);
  if (!bytes)
    return -1;
  lines->bytes = bytes;
  lines->capacity = capacity;
  return 0;
}

static int fill(struct lines *lines) {
  if (make_room(lines) < 0)
    return say_memory();
  ssize_t size = read(lines->fd, lines->bytes + lines->end, lines->capacity - lines->end);
  if (size < 0 && errno != EINTR)
    return say(EXIT_USAGE, "can't read '%s': %s", lines->path, strerror(errno));
  lines->ended = size == 0;
  lines->end += size > 0 ? (size_t)size : 0;
  return EXIT_FINE;
}

/* Reads on to the end of a line that is longer than the limit; only its beginning stays. */
static int skip_rest(struct lines *lines, size_t kept, struct wm_text *ret) {
  int exit_code = EXIT_FINE;
  while (exit_code == EXIT_FINE && !lines->ended) {
    char *newline = memchr(lines->bytes + lines->begin + kept, '\n', lines->end - lines->begin - kept);
    if (newline) {
      *ret = (struct wm_text){lines->bytes + lines->begin, kept};
      lines->begin = (size_t)(newline - lines->bytes) + 1;
      break;
    }
    lines->end = lines->begin + kept;
    *ret = (struct wm_text){lines->bytes + lines->begin, kept};
    exit_code = fill(lines);
  }
  if (lines->ended)
    lines->begin = lines->end;
  lines->number++;
  say(0, "%s:%lld: the line is longer than %zu bytes, only its beginning was looked at", lines->path,
      (long long)lines->number, LINE_LIMIT);
  return exit_code;
}

/* What editors put before the first line of a file; it is no part of it. */
static void skip_mark(const struct lines *lines, struct wm_text *line) {
  if (lines->number == 1 && wm_text_starts_with(*line, WM_TEXT("\xEF\xBB\xBF")))
    *line = (struct wm_text){line->bytes + 3, line->size - 3};
}

int lines_next(struct lines *lines, struct wm_text *ret, bool *ret_end) {
  size_t looked = 0;
  *ret = WM_NO_TEXT;
  *ret_end = false;
  for (;;) {
    size_t size = lines->end - lines->begin;
    char *newline = size > looked ? memchr(lines->bytes + lines->begin + looked, '\n', size - looked) : NULL;
    if (newline || (lines->ended && size > 0)) {
      char *line = lines->bytes + lines->begin;
      *ret = (struct wm_text){line, newline ? (size_t)(newline - line) : size};
      lines->begin += ret->size + (newline ? 1 : 0);
      lines->number++;
      if (ret->size > 0 && line[ret->size - 1] == '\r')
        ret->size--;
      skip_mark(lines, ret);
      return EXIT_FINE;
    }
    if (lines->ended) {
      *ret_end = true;
      return EXIT_FINE;
    }
    if (size > LINE_LIMIT)
      return skip_rest(lines, LINE_LIMIT, ret);
    looked = size;
    int exit_code = fill(lines);
    if (exit_code != EXIT_FINE)
      return exit_code;
  }
}

bool line_is_blank(struct wm_text line) {
  for (size_t i = 0; i < line.size; i++)
    if (line.bytes[i] != ' ' && line.bytes[i] != '\t' && line.bytes[i] != '\r')
      return false;
  return true;
}

int file_read(const char *path, char **ret, size_t *ret_size) {
  struct lines lines;
  int exit_code = lines_open(&lines, path);
  while (exit_code == EXIT_FINE && !lines.ended && lines.end < LINE_LIMIT)
    exit_code = fill(&lines);
  if (exit_code == EXIT_FINE && !lines.ended)
    exit_code = say(EXIT_USAGE, "'%s' is larger than %zu bytes", path, LINE_LIMIT);
  *ret = NULL;
  if (exit_code == EXIT_FINE) {
    *ret = lines.bytes;
    *ret_size = lines.end;
    lines.bytes = NULL;
  }
  lines_close(&lines);
  return exit_code;
}

int output_open(const char *path, FILE **ret) {
  *ret = NULL;
  if (!path)
    return EXIT_FINE;
  *ret = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
  return *ret ? EXIT_FINE : say(EXIT_USAGE, "can't write '%s': %s", path, strerror(errno));
}

static bool is_same_file(const char *a, const char *b) {
  struct stat one, other;
  return stat(a, &one) == 0 && stat(b, &other) == 0 && S_ISREG(one.st_mode) && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

int output_check(const struct options *options, const char *output, const char *const *inputs) {
  const char *path = options_value(options, output);
  if (!path)
    return EXIT_FINE;
  if (strcmp(path, "-") == 0)
    return say(EXIT_USAGE, "--%s needs a file: stdout is for what is told", output);
  for (; *inputs; inputs++) {
    size_t sign = **inputs == '@';
    const char *name = *inputs + sign, *input = options_value(options, name);
    if (input && (!sign || *input == '@') && is_same_file(path, input + sign))
      return say(EXIT_USAGE, "--%s: '%s' is what --%s reads; it would be overwritten", output, path, name);
  }
  return EXIT_FINE;
}

int output_close(const char *path, FILE *file) {
  if (!file)
    return EXIT_FINE;
  bool failed = fflush(file) != 0 || ferror(file);
  if (file != stdout)
    failed = fclose(file) != 0 || failed;
  return failed ? say(EXIT_OUTSIDE, "can't write all of '%s': %s", path, strerror(errno)) : EXIT_FINE;
}
