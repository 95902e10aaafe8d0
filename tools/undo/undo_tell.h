/* What an undo would do, as tables or as JSON lines. */
#ifndef WM_TOOLS_UNDO_TELL_H
#define WM_TOOLS_UNDO_TELL_H

#include "tools/replay/replay_tell.h"
#include "tools/undo/undo.h"

struct undo_telling {
  const struct undo_dry *dry;
  const struct undo_losses *losses; /* NULL: outcomes were not looked at */
  struct replay_telling *users;     /* those whose roles change; its limit is that of all lists */
  const char *output, *give_back;   /* files; NULL: none */
};

/* All of it on stdout. EXIT_FINE, or told. */
int undo_tell(const struct undo_telling *telling);

#endif
