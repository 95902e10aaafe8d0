/* Files to a workspace: each document by its kind, then what only all of them together can tell. */
#include "core/codec/load.h"

#include <stdlib.h>

#include "core/case.h"
#include "core/codec/digest.h"
#include "core/codec/load_parts.h"

enum kind { KIND_AUTOMATION, KIND_ROLE, KIND_CHANNEL, KIND_TEST };
static const char *const kind_names[] = {"automation", "role", "channel", "test", NULL};

/* A document that has a name. */
struct entry {
  enum kind kind;
  size_t order; /* in which they came */
  struct wm_text name, label, digest, file;
  unsigned line, column;             /* of the name */
  unsigned label_line, label_column; /* of the label; the name's when there is none */
  union {
    struct wm_automation *automation;
    struct wm_role *role;
    struct wm_channel *channel;
    struct wm_case *test;
  };
  bool duplicate;
};

struct wm_loader {
  struct wm_findings *findings;
  struct wm_workspace *workspace; /* its arena takes what is read; NULL once it is given away */
  struct wm_arena scratch;        /* nodes of one file */
  struct entry *entries;
  size_t count, capacity;
  struct wm_silences *silences; /* of documents that have some */
  size_t silence_count, silence_capacity;
  const struct wm_lint_terms *terms;
  bool blind;  /* something could not be read: there may be names in it */
  bool memory; /* out of it */
};

struct wm_loader *wm_loader_new(struct wm_findings *findings) {
  struct wm_loader *loader = calloc(1, sizeof(*loader));
  if (!loader)
    return NULL;
  wm_arena_init(&loader->scratch, 0);
  loader->findings = findings;
  loader->workspace = wm_workspace_new();
  if (loader->workspace)
    return loader;
  wm_loader_free(loader);
  return NULL;
}

void wm_loader_free(struct wm_loader *loader) {
  if (!loader)
    return;
  wm_workspace_free(loader->workspace);
  wm_arena_release(&loader->scratch);
  free(loader->entries);
  free(loader->silences);
  free(loader);
}

void wm_loader_miss(struct wm_loader *loader) {
  loader->blind = true;
}

void wm_loader_terms(struct wm_loader *loader, const struct wm_lint_terms *terms) {
  loader->terms = terms;
}

/* --- one document --- */

/* What the document is. False: reported. */
static bool find_kind(struct load *load, const struct wm_node *root, enum kind *ret) {
  const char *near = NULL;
  size_t found = 0;
  enum kind first = KIND_TEST;
  *ret = KIND_TEST;
  for (unsigned i = 0; kind_names[i]; i++) {
    if (!wm_node_get(root, kind_names[i]))
      continue;
    first = found++ ? first : (enum kind)i;
    *ret = (enum kind)i;
  }
  if (found == 1)
    return true;
  if (found > 1) {
    load_invalid(load, root, WM_E_KIND_UNKNOWN, "a document is one thing, not '%s' and '%s': part them with '---'",
                 kind_names[first], kind_names[*ret]);
    return false;
  }
  for (size_t i = 0; root->kind == WM_NODE_MAP && i < root->count && !near; i++)
    near = wm_text_nearest(root->items[2 * i].text, kind_names);
  load_invalid(load, root, WM_E_KIND_UNKNOWN,
               "a document needs one of the keys 'automation', 'role', 'channel', 'test'" LOAD_NEAR,
               LOAD_NEAR_ARG(near));
  return false;
}

static struct entry *add_entry(struct wm_loader *loader) {
  if (loader->count == loader->capacity) {
    size_t capacity = loader->capacity ? loader->capacity * 2 : 64;
    struct entry *entries = reallocarray(loader->entries, capacity, sizeof(*entries));
    if (!entries)
      return NULL;
    loader->entries = entries;
    loader->capacity = capacity;
  }
  struct entry *entry = &loader->entries[loader->count];
  *entry = (struct entry){.order = loader->count++};
  return entry;
}

static void read_as(struct load *load, const struct wm_node *root, struct entry *entry) {
  switch (entry->kind) {
  case KIND_AUTOMATION:
    entry->automation = load_array(load, 1, sizeof(*entry->automation));
    if (entry->automation)
      load_automation(load, root, entry->automation);
    break;
  case KIND_ROLE:
    entry->role = load_array(load, 1, sizeof(*entry->role));
    if (entry->role)
      load_role(load, root, entry->role);
    break;
  case KIND_CHANNEL:
    entry->channel = load_array(load, 1, sizeof(*entry->channel));
    if (entry->channel)
      load_channel(load, root, entry->channel);
    break;
  case KIND_TEST:
    entry->test = load_array(load, 1, sizeof(*entry->test));
    if (entry->test)
      load_test(load, root, entry->test);
    break;
  }
}

static void describe(struct load *load, const struct wm_node *root, struct wm_text bytes, struct entry *entry) {
  const struct wm_node *name = wm_node_get(root, kind_names[entry->kind]), *label = wm_node_get(root, "label");
  char digest[WM_DIGEST_SIZE];
  wm_digest(bytes, digest);
  entry->digest = load_copy(load, wm_text_of(digest));
  entry->file = load->file;
  entry->line = entry->label_line = name->line;
  entry->column = entry->label_column = name->column;
  if (entry->kind == KIND_AUTOMATION) {
    entry->name = entry->automation->name;
    entry->automation->version = (struct wm_text){entry->digest.bytes, 12};
  } else if (entry->kind == KIND_CHANNEL) {
    entry->name = entry->channel->name;
  } else if (entry->kind == KIND_TEST) {
    entry->name = entry->test->name;
  } else if (entry->kind == KIND_ROLE) {
    entry->name = entry->role->name;
    entry->label = entry->role->label;
    entry->label_line = label ? label->line : entry->line;
    entry->label_column = label ? label->column : entry->column;
  }
}

/* The last line that something of the document begins in. Its depth is bounded by the YAML reader. */
static unsigned last_line(const struct wm_node *node) {
  size_t count = node->kind == WM_NODE_SCALAR ? 0 : node->kind == WM_NODE_MAP ? 2 * node->count : node->count;
  unsigned last = node->line;
  for (size_t i = 0; i < count; i++) {
    unsigned line = last_line(&node->items[i]);
    last = line > last ? line : last;
  }
  return last;
}

static void keep_silences(struct wm_loader *loader, struct load *load, const struct wm_node *root,
                          const struct entry *entry) {
  if (load->silences.count == 0)
    return;
  if (loader->silence_count == loader->silence_capacity) {
    size_t capacity = loader->silence_capacity ? loader->silence_capacity * 2 : 16;
    struct wm_silences *silences = reallocarray(loader->silences, capacity, sizeof(*silences));
    if (!silences) {
      load->memory = true;
      return;
    }
    loader->silences = silences;
    loader->silence_capacity = capacity;
  }
  load->silences.file = load->file;
  load->silences.first_line = root->line;
  load->silences.last_line = last_line(root);
  load->silences.asleep = entry->kind == KIND_AUTOMATION && !entry->automation->enabled;
  loader->silences[loader->silence_count++] = load->silences;
}

/* Documents without a name are reported and not kept. */
static void read_document(struct wm_loader *loader, struct load *load, const struct wm_document *document) {
  enum kind kind;
  if (!find_kind(load, &document->root, &kind)) {
    loader->blind = true;
    return;
  }
  struct entry *entry = add_entry(loader);
  if (!entry) {
    load->memory = true;
    return;
  }
  entry->kind = kind;
  load->silences = (struct wm_silences){0};
  read_as(load, &document->root, entry);
  if (!load->memory)
    keep_silences(loader, load, &document->root, entry);
  if (!load->memory)
    describe(load, &document->root, document->bytes, entry);
  if (load->memory || !entry->name.bytes) {
    loader->blind |= kind != KIND_TEST;
    loader->count--;
  }
}

int wm_loader_add(struct wm_loader *loader, struct wm_text file, struct wm_text bytes) {
  struct load load = {.arena = &loader->workspace->arena, .findings = loader->findings};
  struct wm_document *documents;
  size_t count, lost;
  load.file = load_copy(&load, file);
  wm_arena_rewind(&loader->scratch);
  if (load.memory || wm_yaml_read(load.file, bytes, &loader->scratch, loader->findings, &documents, &count, &lost)) {
    loader->memory = true;
    return -1;
  }
  loader->blind |= lost > 0;
  for (size_t i = 0; i < count && !load.memory; i++)
    read_document(loader, &load, &documents[i]);
  loader->memory |= load.memory;
  return load.memory ? -1 : 0;
}

/* --- all documents --- */

static int by_name(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  int order = wm_text_compare(a->name, b->name);
  return order ? order : a->order < b->order ? -1 : a->order > b->order;
}

static int by_label(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  int order = wm_text_compare(a->label, b->label);
  return order ? order : a->order < b->order ? -1 : a->order > b->order;
}

static void sort(struct wm_loader *loader, int (*compare)(const void *, const void *)) {
  if (loader->count > 1)
    qsort(loader->entries, loader->count, sizeof(*loader->entries), compare);
}

/* Leaves the entries sorted by kind and name. */
static void check_duplicates(struct wm_loader *loader) {
  sort(loader, by_label);
  for (size_t i = 1, first = 0; i < loader->count; i++) {
    struct entry *entry = &loader->entries[i], *before = &loader->entries[first];
    if (entry->kind != before->kind || entry->kind != KIND_ROLE || !wm_text_equal(entry->label, before->label))
      first = i;
    else if (!wm_text_equal(entry->name, before->name))
      wm_findings_add(loader->findings, WM_INVALID, WM_E_NAME_DUPLICATE, entry->file, entry->label_line,
                      entry->label_column, "the label '%.*s' stands already at %.*s:%u:%u",
                      WM_TEXT_ARG(wm_text_shown(entry->label)), WM_TEXT_ARG(before->file), before->label_line,
                      before->label_column);
  }
  sort(loader, by_name);
  for (size_t i = 1, first = 0; i < loader->count; i++) {
    struct entry *entry = &loader->entries[i], *before = &loader->entries[first];
    entry->duplicate = entry->kind == before->kind && wm_text_equal(entry->name, before->name);
    if (!entry->duplicate)
      first = i;
    else
      wm_findings_add(loader->findings, WM_INVALID, WM_E_NAME_DUPLICATE, entry->file, entry->line, entry->column,
                      "the %s '%.*s' stands already at %.*s:%u:%u", kind_names[entry->kind],
                      WM_TEXT_ARG(wm_text_shown(entry->name)), WM_TEXT_ARG(before->file), before->line, before->column);
  }
}

static void check_limit(struct wm_loader *loader, enum kind kind, size_t limit) {
  size_t count = 0;
  for (size_t i = 0; i < loader->count; i++) {
    const struct entry *entry = &loader->entries[i];
    if (entry->kind == kind && count++ == limit)
      wm_findings_add(loader->findings, WM_INVALID, WM_E_WORKSPACE_LIMIT, entry->file, entry->line, entry->column,
                      "a workspace holds at most %zu documents with '%s'", limit, kind_names[kind]);
  }
}

/* Copies what is kept of one kind into an array. NULL: none, or out of memory. */
static void *gather(struct wm_loader *loader, enum kind kind, size_t size, size_t *ret_count) {
  size_t count = 0, at = 0;
  for (size_t i = 0; i < loader->count; i++)
    count += loader->entries[i].kind == kind && !loader->entries[i].duplicate;
  char *items = wm_arena_array(&loader->workspace->arena, count, size);
  if (!items)
    loader->memory = true;
  for (size_t i = 0; items && i < loader->count; i++)
    if (loader->entries[i].kind == kind && !loader->entries[i].duplicate)
      memcpy(items + size * at++, loader->entries[i].automation, size);
  *ret_count = items ? count : 0;
  return items;
}

/* The digest of the documents of one kind, or of all. */
static struct wm_text digest_of(struct wm_loader *loader, bool all) {
  struct wm_text copy = WM_NO_TEXT;
  size_t count = 0;
  struct wm_text *digests = reallocarray(NULL, loader->count + 1, sizeof(*digests));
  for (size_t i = 0; digests && i < loader->count; i++)
    if (loader->entries[i].kind != KIND_TEST && (all || loader->entries[i].kind == KIND_ROLE))
      digests[count++] = loader->entries[i].digest;
  if (digests) {
    char digest[WM_DIGEST_SIZE];
    wm_digest_all(digests, count, digest);
    wm_arena_text(&loader->workspace->arena, (struct wm_text){digest, 12}, &copy);
  }
  loader->memory |= !copy.bytes;
  free(digests);
  return copy;
}

static int silences_by_place(const void *left, const void *right) {
  const struct wm_silences *a = left, *b = right;
  int order = wm_text_compare(a->file, b->file);
  return order ? order : a->first_line < b->first_line ? -1 : a->first_line > b->first_line;
}

static void gather_silences(struct wm_loader *loader) {
  struct wm_workspace *workspace = loader->workspace;
  size_t count = loader->silence_count;
  workspace->silences = WM_ARENA_ARRAY(&workspace->arena, struct wm_silences, count);
  loader->memory |= !workspace->silences;
  if (!workspace->silences || count == 0)
    return;
  memcpy(workspace->silences, loader->silences, count * sizeof(*workspace->silences));
  qsort(workspace->silences, count, sizeof(*workspace->silences), silences_by_place);
  workspace->silence_count = count;
}

static int put_together(struct wm_loader *loader) {
  struct wm_workspace *workspace = loader->workspace;
  struct wm_error error;
  workspace->automations =
      gather(loader, KIND_AUTOMATION, sizeof(*workspace->automations), &workspace->automation_count);
  workspace->roles = gather(loader, KIND_ROLE, sizeof(*workspace->roles), &workspace->role_count);
  workspace->channels = gather(loader, KIND_CHANNEL, sizeof(*workspace->channels), &workspace->channel_count);
  workspace->cases = gather(loader, KIND_TEST, sizeof(*workspace->cases), &workspace->case_count);
  gather_silences(loader);
  workspace->digest = digest_of(loader, true);
  workspace->catalogue_digest = digest_of(loader, false);
  return loader->memory ? -1 : wm_workspace_finish(workspace, &error);
}

/* A workspace that is invalid is linted for the sake of the findings. What hangs on documents that could not be read
 * is held back: it would send the user after mistakes that are none. */
static void lint_partly(struct wm_loader *loader) {
  struct wm_workspace *workspace = loader->workspace;
  struct wm_text *any_type = WM_ARENA_NEW(&workspace->arena, struct wm_text);
  if (!any_type) {
    loader->findings->failed = true;
    return;
  }
  *any_type = WM_TEXT("*");
  struct wm_findings findings;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    struct wm_automation *automation = &workspace->automations[i];
    if (automation->trigger_count == 0) { /* reported; no more is to be said about it */
      automation->triggers = any_type;
      automation->trigger_count = 1;
    }
  }
  wm_findings_init(&findings);
  wm_lint(workspace, loader->terms, &findings);
  for (size_t i = 0; i < findings.count; i++) {
    const struct wm_finding *finding = &findings.items[i];
    bool hangs = finding->code == WM_E_ROLE_UNKNOWN || finding->code == WM_E_CHANNEL_UNKNOWN ||
                 finding->code == WM_E_TEST_DANGLING;
    bool whole = finding->code >= WM_E_SWITCH_GAP && finding->code <= WM_E_SELF_WRITTEN;
    if (finding->code != WM_E_NOTHING_TO_DO && !whole && !(hangs && loader->blind))
      wm_findings_add(loader->findings, finding->severity, finding->code, finding->file, finding->line, finding->column,
                      "%.*s", WM_TEXT_ARG(finding->text));
  }
  wm_findings_release(&findings);
  wm_silence_apply(workspace, loader->findings);
}

struct wm_workspace *wm_loader_finish(struct wm_loader *loader) {
  check_duplicates(loader);
  check_limit(loader, KIND_AUTOMATION, WM_AUTOMATIONS_LIMIT);
  check_limit(loader, KIND_ROLE, WM_ROLES_LIMIT);
  check_limit(loader, KIND_TEST, WM_CASES_LIMIT);
  if (loader->memory || put_together(loader)) {
    loader->findings->failed = true;
    return NULL;
  }
  if (loader->findings->invalid > 0) {
    lint_partly(loader);
    return NULL;
  }
  struct wm_workspace *workspace = loader->workspace;
  loader->workspace = NULL;
  return workspace;
}
