/* The parts of `waymark doctor`: lines that say what is well and what is not (cmd_doctor.c). */
#ifndef WM_TOOLS_DOCTOR_H
#define WM_TOOLS_DOCTOR_H

#include "tools/lib/files.h"
#include "tools/lib/table.h"

enum doctor_state { DOCTOR_OK, DOCTOR_DOUBTFUL, DOCTOR_WRONG };

struct doctor {
  const struct loaded *loaded;
  struct table table;
  bool json;
  bool unreachable; /* Kafka or Redis */
  size_t counts[3];
  struct wm_arena arena;
};

/* One line: what was looked at, how it is, and, unless it is well, what to do. */
void doctor_say(struct doctor *doctor, const char *area, const char *check, enum doctor_state state, const char *format,
                ...) __attribute__((format(printf, 5, 6)));

void doctor_workspace(struct doctor *doctor);
void doctor_kafka(struct doctor *doctor);
void doctor_redis(struct doctor *doctor);

#endif
