/* What the command says to people: one line on stderr for what went wrong, and texts made safe for a terminal. */
#ifndef WM_TOOLS_SAY_H
#define WM_TOOLS_SAY_H

#include "core/buf.h"
#include "core/error.h"
#include "core/text.h"

/* One line on stderr, begun with 'waymark: '. Returns 'exit_code', so that a command can 'return say(...)'. */
int say(int exit_code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an error that was passed on, with its place: 'FILE:LINE:COLUMN: text [CODE]'. */
int say_error(int exit_code, const struct wm_error *error);

/* No memory: EXIT_BUG. */
int say_memory(void);

/* Appends 'text' for a person to look at: control characters, those that turn the direction of writing and bytes that
 * are not UTF-8 as \xNN, so that no event can play with the terminal. */
void say_safe(struct wm_buf *buf, struct wm_text text);

/* Asks 'question' when stdin is a terminal, also where stderr goes to a file. True: yes, or nobody to ask. */
bool say_ask(const char *question);

#endif
