/* What a command reads and writes: a workspace, lines of events, files of JSON lines. Each says on stderr what went
 * wrong, and gives the exit code. */
#ifndef WM_TOOLS_FILES_H
#define WM_TOOLS_FILES_H

#include <stdint.h>
#include <stdio.h>

#include "tools/command.h"
#include "worker/files.h"

/* Finds (a DIR argument wins, else -C, WAYMARK_WORKSPACE, upwards) and loads a workspace; its findings go to stderr.
 * EXIT_FINE: 'ret' is loaded and has a workspace. EXIT_BAD_NEWS: 'ret' is loaded, but something is invalid. Else
 * 'ret' is empty. files_unload() is right in every case. */
int workspace_open(const struct invocation *invocation, const char *argument, enum settings_mode mode,
                   struct loaded *ret);

/* For commands that need only the settings, with variables and secrets: a mistake in an automation does not stop an
 * operator. EXIT_FINE also without 'ret->workspace'; EXIT_BAD_NEWS when the settings are invalid. */
int workspace_open_settings(const struct invocation *invocation, struct loaded *ret);

/* Like workspace_open, for commands that work without one: nothing found is fine, 'ret_found' tells. */
int workspace_open_optional(const struct invocation *invocation, struct loaded *ret, bool *ret_found);

#define LINE_LIMIT ((size_t)64 << 20) /* longer lines are cut: no event may be that large */

/* Lines of a file or of stdin ('-'), one at a time in bounded memory. */
struct lines {
  const char *path;
  int fd;
  char *bytes;
  size_t capacity, begin, end; /* what was read and not given out: begin..end */
  int64_t number;              /* of the line given out last, from 1 */
  bool ended;
};

/* EXIT_FINE, or what went wrong. Close in any case. */
int lines_open(struct lines *lines, const char *path);
void lines_close(struct lines *lines);

/* The next line without its end (LF or CRLF; the first without a BOM), borrowed until the next call; the last one may
 * lack its end. *ret_end: there was none. EXIT_FINE, or what went wrong. */
int lines_next(struct lines *lines, struct wm_text *ret, bool *ret_end);

/* Hands each line of the file that is not blank to 'take', until that returns anything but EXIT_FINE, which is returned
 * then. */
typedef int line_fn(void *taker, const struct lines *lines, struct wm_text line);
int lines_each(const char *path, line_fn *take, void *taker);

/* Only blanks, or nothing. */
bool line_is_blank(struct wm_text line);

/* A whole file or stdin ('-'), new memory in 'ret' (free it). EXIT_FINE, or what went wrong. */
int file_read(const char *path, char **ret, size_t *ret_size);

/* Opens 'path' for writing ('-': stdout, NULL: nothing, *ret stays NULL). */
int output_open(const char *path, FILE **ret);

/* For an output beside what is told on stdout: the option's value must be a file, and none that one of the options
 * 'inputs' (up to NULL; "@user": where its value begins with '@') names. EXIT_FINE, also without the option, or
 * EXIT_USAGE, told. */
int output_check(const struct options *options, const char *output, const char *const *inputs);

/* Closes (stdout is only flushed); says so when not all could be written. */
int output_close(const char *path, FILE *file);

#endif
