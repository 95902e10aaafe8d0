/* waymark doctor: is everything around the workers as it should be, and what to do where it is not. */
#include <signal.h>
#include <stdarg.h>

#include "core/codec/write.h"
#include "tools/lib/say.h"
#include "tools/verify/doctor.h"

static const struct {
  const char *name;
  enum style style;
} states[] = {
    [DOCTOR_OK] = {"ok", STYLE_GOOD},
    [DOCTOR_DOUBTFUL] = {"doubtful", STYLE_WARN},
    [DOCTOR_WRONG] = {"wrong", STYLE_BAD},
};

static void print_json(const char *area, const char *check, enum doctor_state state, const char *text) {
  struct wm_buf line = WM_BUF_INIT, safe = WM_BUF_INIT;
  say_safe(&safe, wm_text_of(text));
  wm_write_open(&line, WM_NO_KEY, '{');
  wm_write_string(&line, WM_KEY("area"), area);
  wm_write_string(&line, WM_KEY("check"), check);
  wm_write_string(&line, WM_KEY("state"), states[state].name);
  wm_write_string(&line, WM_KEY("text"), safe.bytes ? safe.bytes : "");
  wm_write_close(&line, '}');
  wm_write_end(&line);
  if (!line.failed)
    puts(line.bytes);
  wm_buf_release(&line);
  wm_buf_release(&safe);
}

void doctor_say(struct doctor *doctor, const char *area, const char *check, enum doctor_state state, const char *format,
                ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  doctor->counts[state]++;
  if (doctor->json) {
    print_json(area, check, state, text);
    return;
  }
  table_cell(&doctor->table, STYLE_DIM, "%s", area);
  table_cell(&doctor->table, STYLE_PLAIN, "%s", check);
  table_cell(&doctor->table, states[state].style, "%s", states[state].name);
  table_cell(&doctor->table, STYLE_PLAIN, "%s", text);
}

void doctor_workspace(struct doctor *doctor) {
  const struct wm_findings *found = &doctor->loaded->findings;
  if (found->invalid + found->errors > 0)
    doctor_say(doctor, "workspace", "lint", DOCTOR_WRONG,
               "%zu invalid, %zu errors, %zu warnings: 'waymark lint' shows each; a worker refuses what is invalid",
               found->invalid, found->errors, found->warnings);
  else if (found->warnings > 0)
    doctor_say(doctor, "workspace", "lint", DOCTOR_DOUBTFUL, "%zu warnings: 'waymark lint' shows each",
               found->warnings);
  else
    doctor_say(doctor, "workspace", "lint", DOCTOR_OK, "no findings");
}

static int examine(struct doctor *doctor) {
  static const char *const heads[] = {"AREA", "WHAT", "IS", "NOTE", NULL};
  signal(SIGPIPE, SIG_IGN);
  wm_arena_init(&doctor->arena, 0);
  table_init(&doctor->table, heads);
  doctor_workspace(doctor);
  doctor_kafka(doctor);
  doctor_redis(doctor);
  table_print(&doctor->table, stdout);
  table_release(&doctor->table);
  wm_arena_release(&doctor->arena);
  if (!doctor->json)
    printf("\n%zu ok, %zu doubtful, %zu wrong\n", doctor->counts[DOCTOR_OK], doctor->counts[DOCTOR_DOUBTFUL],
           doctor->counts[DOCTOR_WRONG]);
  if (doctor->unreachable)
    return EXIT_OUTSIDE;
  return doctor->counts[DOCTOR_WRONG] > 0 ? EXIT_BAD_NEWS : EXIT_FINE;
}

static int run(const struct invocation *invocation) {
  struct loaded loaded;
  struct doctor doctor = {.loaded = &loaded, .json = options_has(&invocation->options, "json")};
  int exit_code = workspace_open_settings(invocation, &loaded);
  if (exit_code == EXIT_FINE)
    exit_code = examine(&doctor);
  files_unload(&loaded);
  return exit_code;
}

static const struct option options[] = {OPTION_WORKSPACE, OPTION_JSON, {0}};

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "is everything around the workers as it should be, and what to do where it is not",
    .options = options,
    .help =
        "Looks at the workspace, the brokers, the topics with their clean-up and retention, the group and its lag,\n"
        "Redis with its version, eviction, persistence, memory and clock, at what the settings' users may do in both,\n"
        "and at what the workers say of themselves. Changes nothing. Each line is ok, doubtful (it works, somebody should know) or wrong.\n\n"
        "Exit 0: nothing is wrong, 1: something is, 3: Kafka or Redis can't be reached.\n\n"
        "  waymark doctor -C /etc/waymark",
    .run = run,
};
