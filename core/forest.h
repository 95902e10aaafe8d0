/* Trees by parents: how deep each node stands, and which nodes never reach a top because a circle is in the way. Says
 * nothing of what the nodes are: people below managers, organisation units below units. */
#ifndef WM_CORE_FOREST_H
#define WM_CORE_FOREST_H

#include <stddef.h>
#include <stdint.h>

/* Instead of a parent. */
#define WM_FOREST_TOP UINT32_MAX          /* there is nobody above */
#define WM_FOREST_BROKEN (UINT32_MAX - 1) /* there should be somebody above, but nobody knows who */
#define WM_FOREST_LIMIT (UINT32_MAX - 2)  /* there are fewer nodes than this */

/* Instead of a depth. */
#define WM_FOREST_CIRCLE (UINT32_MAX - 3) /* stands on a circle */
#define WM_FOREST_LOST UINT32_MAX         /* stands below a circle, is broken or below what is broken */

/* Fills 'ret_depths' (room for 'count') from 'parents', each below 'count' or one of the two words above: 0 at a top,
 * one more for each step down, or one of the two words. Takes time by 'count', whatever the shape, and no memory. */
void wm_forest_depths(const uint32_t *parents, uint32_t count, uint32_t *ret_depths);

#endif
