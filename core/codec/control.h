/* Records of waymark.control to words about automations and roles, and back (contract 9).
 *
 *   key and subject   automation/<name>                          role/<name>
 *   type              dev.waymark.automation.switched.v1         dev.waymark.role.archived.v1
 *   data              {"automation":"<name>","state":"on"|"off"} {"role":"<name>","archived":true|false}
 *                     both with "by" and "reason" as far as they are known
 *
 * The value is a CloudEvent in structured mode; a null value forgets what was said. The newest record of a key wins.
 * The record 'partitions' of the same topic and those of replays ('replay/<run>', 'replay-ask/<run>') are none of
 * these. */
#ifndef WM_CODEC_CONTROL_H
#define WM_CODEC_CONTROL_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/codec/record.h"
#include "core/running.h"

#define WM_CONTROL_BYTES_LIMIT 65536 /* of a record that is looked at */
#define WM_CONTROL_BY_LIMIT 256      /* bytes of "by" */
#define WM_CONTROL_REASON_LIMIT 4096 /* bytes of "reason" */

enum wm_control {
  WM_CONTROL_WORD,
  WM_CONTROL_OTHER /* the record is about something else (partitions, replays): nothing to do */
};

/* Reads one record, which may be hostile, into 'ret_word': it borrows from 'arena'. -1 with CONTROL_INVALID (the
 * sentence names offset, key and what is at fault, 'source' is the topic) or OUT_OF_MEMORY. */
int wm_control_decode(const struct wm_record *record, struct wm_arena *arena, enum wm_control *ret,
                      struct wm_running_word *ret_word, struct wm_error *error);

/* Appends the key of the record that carries 'word'. */
void wm_control_key(const struct wm_running_word *word, struct wm_buf *buf);

/* Appends its value; 'id' has to be unique. Not for AS_WRITTEN: such a record has a null value. The record's header
 * "content-type" is "application/cloudevents+json". */
void wm_control_value(const struct wm_running_word *word, struct wm_text id, struct wm_buf *buf);

#endif
