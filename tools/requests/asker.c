#include "tools/requests/asker.h"

#include <pwd.h>
#include <unistd.h>

#include "core/text.h"
#include "tools/command.h"
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
