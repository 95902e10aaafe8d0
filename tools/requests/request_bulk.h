/* Requests for many users at once: those for whom a criterion holds, as Redis knows them now. [001] */
#ifndef WM_TOOLS_REQUEST_BULK_H
#define WM_TOOLS_REQUEST_BULK_H

#include "tools/requests/request_command.h"

#define OPTIONS_CRITERION                                                                                              \
  {"all", 0, NULL, "every user"}, {"org-unit", 0, "UNIT", "users of this organisation unit"},                          \
      {"org-unit-type", 0, "TYPE", "with --org-unit: in this hierarchy only"},                                         \
      {"include-subordinates", 0, NULL, "with --org-unit: child units too; with USER: his direct reports too"},        \
      {"group", 0, "GROUP", "users of this directory group"}, {                                                        \
    "reports-of", 0, "USER", "the direct reports of a user"                                                            \
  }

struct request_bulk {
  struct wm_criterion criterion;
  bool without_himself; /* --reports-of: not the user that the criterion names */
  const struct wm_role *role;
  size_t looked, matched, holding; /* users: all, for whom the criterion holds, and of those who have it in force */
  size_t derived;                  /* a revocation: those who have it by a criterion of the role alone */
  size_t left_out[WM_CODE_COUNT];  /* an assignment: those who may not hold it, by what forbids it */
  size_t faults;                   /* keys in Redis that hold no user */
};

/* Reads the criterion that the options name. EXIT_FINE: '*ret_any' tells whether there is one. 'user': the argument
 * USER, or NULL. */
int request_bulk_criterion(const struct options *options, const char *user, struct request_bulk *ret, bool *ret_any);

/* Adds a request for each user that the criterion takes and that a request can do something for, sorted by user id;
 * terms.role is the role. EXIT_FINE, or what went wrong, told. */
int request_bulk_collect(struct request_bulk *bulk, struct asking *asking);

/* Says on stdout what would be sent, with the first users; a JSON line if 'json'. */
void request_bulk_preview(const struct request_bulk *bulk, const struct asking *asking, bool json);

#endif
