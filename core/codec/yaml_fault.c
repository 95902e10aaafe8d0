/* libyaml speaks to programmers; these sentences speak to who wrote the file. */
#include <string.h>

#include "core/codec/yaml_parts.h"

static const struct yaml_fault faults[] = {
    {"did not find expected alphabetic or numeric character", "while scanning an alias", true, WM_E_YAML_ALIAS,
     "an unquoted '*' begins an alias, which is not used here: quote it if text was meant, did you mean '\"*\"'", '_'},
    {"did not find expected alphabetic or numeric character", "while scanning an anchor", true, WM_E_YAML_ALIAS,
     "an unquoted '&' begins an anchor, which is not used here: quote it if text was meant", '_'},
    {"found character that cannot start any token", NULL, false, WM_E_YAML_SYNTAX,
     "no text can begin with this character: quote it", '_'},
    {"found a tab character", NULL, false, WM_E_YAML_TAB, "a tab outside quotes: use spaces", ' '},
    {"mapping values are not allowed in this context", NULL, false, WM_E_YAML_SYNTAX,
     "a ': ' where no key can stand: quote the text if it belongs to it, or look at the indentation", '_'},
    {"block sequence entries are not allowed in this context", NULL, false, WM_E_YAML_SYNTAX,
     "a '- ' where no list can begin: put it on a line of its own", 0},
    {"could not find expected ':'", NULL, true, WM_E_YAML_SYNTAX, "a ': ' is missing behind this key", 0},
    {"found unexpected end of stream", "while scanning a quoted scalar", true, WM_E_YAML_SYNTAX,
     "the quote that begins here is not closed", 0},
    {"found unexpected document indicator", "while scanning a quoted scalar", true, WM_E_YAML_SYNTAX,
     "the quote that begins here is not closed before the document ends", 0},
    {"found unknown escape character", NULL, false, WM_E_YAML_SYNTAX,
     "an unknown escape in double quotes: write '\\\\' for a backslash, or use single quotes", 0},
    {"did not find expected key", NULL, false, WM_E_YAML_SYNTAX,
     "a key was expected here: look at the indentation and the quotes of this line and the one before", 0},
    {"did not find expected '-' indicator", NULL, false, WM_E_YAML_SYNTAX,
     "a '- ' was expected here: look at the indentation", 0},
    {"did not find expected ',' or ']'", NULL, true, WM_E_YAML_SYNTAX, "the '[' that begins here is not closed", 0},
    {"did not find expected ',' or '}'", NULL, true, WM_E_YAML_SYNTAX, "the '{' that begins here is not closed", 0},
    {"did not find expected <document start>", NULL, false, WM_E_YAML_SYNTAX,
     "something stands behind the end of the document: look at the indentation", 0},
    {"found undefined tag handle", NULL, false, WM_E_YAML_ALIAS,
     "an unquoted '!' begins a tag, which is not used here: quote it if text was meant", '_'},
};

const struct yaml_fault *wm_yaml_fault(const char *problem, const char *context) {
  for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
    const struct yaml_fault *fault = &faults[i];
    bool fits = strncmp(problem, fault->problem, strlen(fault->problem)) == 0;
    if (fits && (!fault->context || (context && strcmp(context, fault->context) == 0)))
      return fault;
  }
  return NULL;
}
