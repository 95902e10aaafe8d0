/* waymark(1), written from the rows: what help says and what the page says can't differ. */
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "tools/command.h"

/* Text in roff: no backslash, no leading dot or quote, and a hyphen that can be copied. */
static void put_roff(struct wm_text text) {
  if (text.size > 0 && (text.bytes[0] == '.' || text.bytes[0] == '\''))
    fputs("\\&", stdout);
  for (size_t i = 0; i < text.size; i++) {
    if (text.bytes[i] == '\\')
      fputs("\\e", stdout);
    else if (text.bytes[i] == '-')
      fputs("\\-", stdout);
    else
      putchar(text.bytes[i]);
  }
}

static void put_string(const char *string) {
  put_roff(wm_text_of(string));
}

/* Paragraphs; lines that begin with two blanks are an example. */
static void put_paragraphs(const char *text) {
  bool example = false;
  while (*text) {
    struct wm_text line = {text, strcspn(text, "\n")};
    bool indented = wm_text_starts_with(line, WM_TEXT("  "));
    if (indented != example)
      puts(indented ? ".EX" : ".EE");
    example = indented;
    if (line.size == 0)
      puts(".PP");
    else {
      put_roff(line);
      putchar('\n');
    }
    text += line.size + (text[line.size] == '\n');
  }
  if (example)
    puts(".EE");
}

static void put_option(const struct option *option) {
  fputs(".TP\n\\fB", stdout);
  if (option->letter)
    printf("\\-%c\\fR, \\fB", option->letter);
  fputs("\\-\\-", stdout);
  put_string(option->name);
  fputs("\\fR", stdout);
  if (option->value)
    printf(" \\fI%s\\fR", option->value);
  putchar('\n');
  put_string(option->summary);
  putchar('\n');
}

static void put_command(const struct command *command) {
  fputs(".SS waymark ", stdout);
  put_string(command->name);
  printf("%s%s\n", *command->arguments ? " " : "", command->arguments);
  put_string(command->summary);
  puts(".\n.PP");
  put_paragraphs(command->help);
  for (const struct option *option = command->options; option && option->name; option++)
    put_option(option);
}

static const char tail[] = ".SH EXIT STATUS\n"
                           ".TP\n0\nfine\n"
                           ".TP\n1\nthe answer is bad news: lint errors, a rejected event, an unknown user\n"
                           ".TP\n2\nwrong usage, or a file that can't be read or written\n"
                           ".TP\n3\nan outside system could not be reached\n"
                           ".TP\n4\na bug\n"
                           ".SH ENVIRONMENT\n"
                           ".TP\n.B WAYMARK_WORKSPACE\nthe workspace of commands that are given none\n"
                           ".TP\n.B NO_COLOR\nwhen set and not empty: no colours\n"
                           ".SH FILES\n"
                           ".TP\n.I waymark.yaml\nmarks a workspace and holds its settings\n"
                           ".SH SEE ALSO\n"
                           ".BR waymarkd (8),\n"
                           ".BR waymark-workspace (5)\n";

void manual_print(void) {
  puts(".\\\" Written by `waymark help --man`; change the rows in tools/ instead.\n"
       ".TH WAYMARK 1 2026-11-21 \"Waymark " WAYMARK_VERSION "\" \"Waymark Manual\"\n"
       ".SH NAME\nwaymark \\- milestones of people's journeys become roles\n"
       ".SH SYNOPSIS\n.B waymark\n.I COMMAND\n[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n"
       ".SH DESCRIPTION\n"
       "The command of administrators and operators. Texts for people go to standard output as tables,\n"
       "diagnostics to standard error; with \\fB\\-\\-json\\fR there is one JSON value per line instead of tables.\n"
       "Every command knows \\fB\\-\\-help\\fR and \\fB\\-\\-version\\fR.\n"
       ".SH COMMANDS");
  for (const struct command *const *command = commands; *command; command++)
    put_command(*command);
  fputs(tail, stdout);
}
