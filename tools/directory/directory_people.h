/* The people of a directory file, and the profiles that follow from their rows (contract 8). */
#ifndef WM_TOOLS_DIRECTORY_PEOPLE_H
#define WM_TOOLS_DIRECTORY_PEOPLE_H

#include "tools/directory/directory_units.h"
#include "tools/lib/progress.h"

#define PEOPLE_COUNT_LIMIT 2000000
#define PEOPLE_MANAGERS_LIMIT 1000 /* managers above one another */

enum person_state {
  PERSON_FINE,
  PERSON_INVALID, /* a finding says why */
  PERSON_BELOW    /* his row is right, but the way up to the top is not known or too long */
};

enum person_news { PERSON_NEW, PERSON_SAME, PERSON_CHANGED };

struct person {
  struct wm_text manager; /* WM_NO_TEXT: none */
  struct wm_text own;     /* members of the profile that his row has, as JSON: "status":"active","name":... */
  uint32_t chief;         /* number of the manager, or a word of the forest */
  unsigned line, column;  /* where the manager stands, else the id */
  uint32_t first_unit;    /* in people.uses */
  uint16_t unit_count;
  uint16_t changed;    /* profile fields, by bit */
  unsigned char state; /* enum person_state */
  unsigned char news;  /* enum person_news */
  bool manages;
};

struct people {
  struct names ids; /* number = person */
  struct person *items;
  uint32_t capacity;
  uint32_t *uses; /* units of people, one after the other */
  uint32_t use_count, use_capacity;
  struct units units;
  struct wm_arena arena;
  size_t rows, nameless; /* records of the file; those that say of nobody who it is */
  size_t fine, below;
};

/* A record on its way to a person. */
enum people_field {
  FIELD_ID,
  FIELD_STATUS,
  FIELD_TYPE,
  FIELD_NAME,
  FIELD_EMAIL,
  FIELD_GROUPS,
  FIELD_PORTALS,
  FIELD_ACCOUNTS,
  FIELD_ATTRIBUTES,
  FIELD_MANAGER,
  FIELD_ORG_UNITS,
  FIELD_COUNT
};
extern const char *const people_fields[]; /* by number; ended by NULL */

struct draft {
  struct record_field fields[FIELD_COUNT]; /* of the right type; WM_NULL: none */
  struct record_field *units;              /* name: the type of the unit */
  size_t unit_count;
  unsigned line, column;
  bool wrong; /* something was told of it already */
};

void people_init(struct people *people);
void people_release(struct people *people);

/* Reads the file; people.units must have been read before. What is wrong with it becomes findings of 'records', which
 * were opened and stay open. EXIT_FINE, or told. (directory_read.c) */
int people_read(struct people *people, struct records *records, struct progress *progress);

/* Adds a person. -1: out of memory. */
int people_add(struct people *people, const struct draft *draft, const struct records *records);

/* Finds everybody's managers, when all are there. -1: out of memory. */
int people_join(struct people *people, const struct records *records);

/* Appends a person's whole profile, a JSON object. */
void people_write(const struct people *people, uint32_t person, struct wm_buf *buf);

#endif
