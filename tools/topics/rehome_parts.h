/* What rehome_copy.c keeps of every user, so that only the newest register of each is copied, and once. */
#ifndef WM_TOOLS_REHOME_PARTS_H
#define WM_TOOLS_REHOME_PARTS_H

#include "tools/topics/rehome.h"

/* The user's slot, a new one with 'newest' -1 if he has none; it stays until the next call. NULL: out of memory. */
struct rehome_slot *rehome_slot_at(struct rehome_slots *slots, struct wm_text user);

/* NULL: he has none. */
struct rehome_slot *rehome_slot_find(const struct rehome_slots *slots, struct wm_text user);

#endif
