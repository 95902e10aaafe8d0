/* Automations that read what others of them change: one gives or takes a role by which the next one goes, and so on
 * back to the first. If one event can run them all, each such event may change the roles again. Only loops in which
 * something is given and something is taken: others come to rest. */
#include "core/lint.h"

#define LENGTH_LIMIT 4      /* automations of a loop: longer ones are not looked for */
#define VISITS_LIMIT 200000 /* lint must end */
#define STEPS 500

/* Automations that read a role. */
struct readers {
  const struct wm_automation **items;
  size_t count, capacity;
};

struct step {
  const struct wm_automation *automation;
  const struct wm_task *task;
};

struct loops {
  struct lint_run *run;
  struct readers *readers; /* by role */
  struct step steps[LENGTH_LIMIT];
  size_t count, visits;
};

static int add_reader(struct loops *loops, const struct wm_role *role, const struct wm_automation *automation) {
  struct readers *readers = &loops->readers[role - loops->run->workspace->roles];
  if (readers->count > 0 && readers->items[readers->count - 1] == automation)
    return 0;
  if (readers->count == readers->capacity) {
    size_t capacity = readers->capacity ? readers->capacity * 2 : 4;
    const struct wm_automation **items = WM_ARENA_ARRAY(&loops->run->arena, const struct wm_automation *, capacity);
    if (!items)
      return -1;
    if (readers->count > 0)
      memcpy(items, readers->items, readers->count * sizeof(const struct wm_automation *));
    readers->items = items;
    readers->capacity = capacity;
  }
  readers->items[readers->count++] = automation;
  return 0;
}

static int add_readers(struct loops *loops, const struct wm_condition *condition,
                       const struct wm_automation *automation) {
  for (size_t i = 0; i < condition->count; i++)
    if (add_readers(loops, &condition->children[i], automation) < 0)
      return -1;
  if (condition->kind != WM_FIELD || condition->path.root != WM_PATH_USER_ROLES)
    return 0;
  for (size_t i = 0; i < condition->test_count; i++) {
    const struct lint_literal literal = {&condition->path, &condition->tests[i], true};
    size_t count;
    const struct wm_value *operands = lint_operands(&literal, &count);
    for (size_t o = 0; o < count; o++) {
      const struct wm_role *role =
          operands[o].type == WM_STRING ? wm_workspace_role(loops->run->workspace, operands[o].string) : NULL;
      if (role && add_reader(loops, role, automation) < 0)
        return -1;
    }
  }
  return 0;
}

static int collect(struct loops *loops) {
  const struct wm_workspace *workspace = loops->run->workspace;
  loops->readers = WM_ARENA_ARRAY(&loops->run->arena, struct readers, workspace->role_count + 1);
  if (!loops->readers)
    return -1;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    if (automation->reads_roles && automation->enabled && !loops->run->dead[i] &&
        add_readers(loops, &automation->when, automation) < 0)
      return -1;
  }
  return 0;
}

static bool gives_and_takes(const struct loops *loops) {
  bool gives = false, takes = false;
  for (size_t i = 0; i < loops->count; i++) {
    gives |= loops->steps[i].task->action == WM_ADD;
    takes |= loops->steps[i].task->action == WM_REMOVE;
  }
  return gives && takes;
}

/* Can one event run them all, whatever roles the user has at the time? */
static bool may_meet(struct loops *loops) {
  const struct wm_automation *automations[LENGTH_LIMIT];
  struct lint_answer answer;
  for (size_t i = 0; i < loops->count; i++)
    automations[i] = loops->steps[i].automation;
  const struct lint_goal goal = {
      .automations = automations, .automation_count = loops->count, .any_user = true, .journey = true};
  lint_search(loops->run, &goal, STEPS, false, &answer);
  return answer.verdict != LINT_NEVER;
}

static void report(const struct loops *loops) {
  struct wm_buf buf = WM_BUF_INIT;
  for (size_t i = 0; i < loops->count; i++) {
    const struct step *step = &loops->steps[i];
    const struct wm_automation *next = loops->steps[(i + 1) % loops->count].automation;
    wm_buf_printf(&buf, "%s'%.*s' %s '%.*s', which '%.*s' goes by", i > 0 ? ", " : "",
                  WM_TEXT_ARG(step->automation->name), step->task->action == WM_ADD ? "gives" : "takes",
                  WM_TEXT_ARG(step->task->role), WM_TEXT_ARG(next->name));
  }
  const struct step *first = &loops->steps[0];
  if (buf.bytes && !buf.failed)
    wm_findings_add(loops->run->findings, WM_WARNING, WM_E_ROLE_LOOP, first->automation->file, first->task->line,
                    first->task->column, "a loop: %s; each event of theirs may change the roles again", buf.bytes);
  loops->run->findings->failed |= buf.failed;
  wm_buf_release(&buf);
}

static bool is_on_the_way(const struct loops *loops, const struct wm_automation *automation) {
  for (size_t i = 0; i < loops->count; i++)
    if (loops->steps[i].automation == automation)
      return true;
  return false;
}

static bool follow(struct loops *loops, const struct wm_automation *automation);

/* From the last step on to those that go by its role. True: a loop was found and told. */
static bool follow_role(struct loops *loops, const struct readers *readers) {
  const struct step *last = &loops->steps[loops->count - 1];
  for (size_t i = 0; i < readers->count && loops->visits > 0; i++) {
    const struct wm_automation *next = readers->items[i];
    loops->visits--;
    if (next == loops->steps[0].automation && loops->count > 1 && gives_and_takes(loops) && may_meet(loops)) {
      report(loops);
      return true;
    }
    /* each loop is found from the first of its automations */
    if (loops->count < LENGTH_LIMIT && next > loops->steps[0].automation && !is_on_the_way(loops, next) &&
        lint_may_meet(loops->run, last->automation, next, true) && follow(loops, next))
      return true;
  }
  return false;
}

static bool follow(struct loops *loops, const struct wm_automation *automation) {
  const struct wm_workspace *workspace = loops->run->workspace;
  for (size_t i = 0; i < automation->task_count; i++) {
    const struct wm_task *task = &automation->tasks[i];
    const struct wm_role *role = task->type == &wm_change_role ? wm_workspace_role(workspace, task->role) : NULL;
    const struct readers *readers = role ? &loops->readers[role - workspace->roles] : NULL;
    if (!readers || readers->count == 0)
      continue;
    loops->steps[loops->count++] = (struct step){automation, task};
    bool found = follow_role(loops, readers);
    loops->count--;
    if (found)
      return true;
  }
  return false;
}

void lint_loops(struct lint_run *run) {
  struct loops loops = {.run = run, .visits = VISITS_LIMIT};
  if (collect(&loops) < 0) {
    run->findings->failed = true;
    return;
  }
  for (size_t i = 0; i < run->workspace->automation_count; i++)
    if (run->workspace->automations[i].reads_roles && run->workspace->automations[i].enabled && !run->dead[i])
      follow(&loops, &run->workspace->automations[i]);
}
