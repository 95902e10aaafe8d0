#include "tools/requests/asker.h"

#include <pwd.h>
#include <unistd.h>

#include "core/codec/control.h"
#include "core/text.h"
#include "tools/command.h"
#include "tools/lib/files.h"
#include "tools/lib/say.h"

int asker_read(const struct options *options, char ret[static ASKER_SIZE]) {
  char login[ASKER_SIZE];
  const char *by = options_value(options, "by");
  if (!by && getlogin_r(login, sizeof login) == 0)
    by = login;
  const struct passwd *account = by ? NULL : getpwuid(getuid());
  by = by ? by : account ? account->pw_name : "unknown";
  if (!wm_text_is_user_id(wm_text_of(by)))
    return say(EXIT_USAGE, "--by '%s' must be 1 to 256 bytes of text without control characters", by);
  memcpy(ret, by, strlen(by) + 1);
  return EXIT_FINE;
}

int asker_reason(const struct options *options, const char *what) {
  const char *given = options_value(options, "reason");
  struct wm_text reason = wm_text_of(given ? given : "");
  if (line_is_blank(reason))
    return say(EXIT_USAGE, "--reason is missing: say why, it is kept with %s", what);
  if (reason.size > WM_CONTROL_REASON_LIMIT || !wm_text_is_utf8(reason, NULL))
    return say(EXIT_USAGE, "--reason must be text of at most %d bytes", WM_CONTROL_REASON_LIMIT);
  return EXIT_FINE;
}
