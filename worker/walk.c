#include "worker/walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct folder_id {
  dev_t device;
  ino_t inode;
};

struct walking {
  const char *root;
  const char *const *ignore;
  size_t ignore_count;
  struct wm_findings *findings;
  struct walk *walk;
  struct folder_id *seen; /* folders that were entered: links may lead back */
  size_t seen_count, seen_capacity;
  size_t depth, missed;
};

char *walk_join(const char *folder, const char *name) {
  size_t size = strlen(folder);
  while (size > 1 && folder[size - 1] == '/')
    size--;
  bool slash = *name && size > 0 && folder[size - 1] != '/';
  size_t room = size + slash + strlen(name) + 1;
  char *path = malloc(room);
  if (path)
    snprintf(path, room, "%.*s%s%s", (int)size, folder, slash ? "/" : "", name);
  return path;
}

static void missed(struct walking *walking, const char *path, const char *why) {
  wm_findings_add(walking->findings, WM_INVALID, WM_E_FILE_UNREADABLE, wm_text_of(path), 1, 1, "can't be read: %s",
                  why);
  walking->missed++;
}

/* Whole folders, any number of them: "**" and a slash where a name begins. */
static bool is_folders(struct wm_text glob, size_t at) {
  return glob.size - at >= 3 && memcmp(glob.bytes + at, "**/", 3) == 0 && (at == 0 || glob.bytes[at - 1] == '/');
}

/* The end of what a run takes next: a folder, or one code point. 'path.size' + 1: there is none. */
static size_t take_more(struct wm_text path, size_t at, bool folders) {
  const char *slash = folders ? memchr(path.bytes + at, '/', path.size - at) : NULL;
  if (folders)
    return slash ? (size_t)(slash - path.bytes) + 1 : path.size + 1;
  for (at++; at < path.size && ((unsigned char)path.bytes[at] & 0xc0) == 0x80;)
    at++;
  return at;
}

/* As wm_text_glob ('*' is any run, slashes too), and folders may be none: 'a', '**' and 'b' name 'a/b'. */
static bool path_matches(struct wm_text path, struct wm_text glob) {
  size_t at = 0, g = 0, again = 0, taken = 0; /* where the last run began to take: in the glob, in the path */
  bool run = false, folders = false;
  while (at < path.size) {
    bool whole = is_folders(glob, g);
    if (whole || (g < glob.size && glob.bytes[g] == '*')) {
      run = true, folders = whole, taken = at;
      again = g += whole ? 3 : 1;
    } else if (g < glob.size && (glob.bytes[g] == '?' || glob.bytes[g] == path.bytes[at])) {
      at = glob.bytes[g++] == '?' ? take_more(path, at, false) : at + 1;
    } else if (run) {
      g = again;
      at = taken = take_more(path, taken, folders);
    } else {
      return false;
    }
  }
  while (g < glob.size && glob.bytes[g] == '*')
    g++;
  return at == path.size && g == glob.size;
}

/* With a slash in front, or "./", by its path alone; else any file or folder of that name too. */
static bool is_ignored(const struct walking *walking, const char *relative, const char *name) {
  for (size_t i = 0; i < walking->ignore_count; i++) {
    const char *start = walking->ignore[i];
    bool rooted = *start == '/' || strncmp(start, "./", 2) == 0;
    struct wm_text glob = wm_text_of(rooted ? strchr(start, '/') + 1 : start);
    while (glob.size > 1 && glob.bytes[glob.size - 1] == '/')
      glob.size--;
    if (path_matches(wm_text_of(relative), glob) || (!rooted && wm_text_glob(wm_text_of(name), glob)))
      return true;
  }
  return false;
}

/* 1: entered for the first time, 0: seen before, -1: out of memory. */
static int enter(struct walking *walking, const struct stat *status) {
  struct folder_id id = {status->st_dev, status->st_ino};
  for (size_t i = 0; i < walking->seen_count; i++)
    if (walking->seen[i].device == id.device && walking->seen[i].inode == id.inode)
      return 0;
  if (walking->seen_count == walking->seen_capacity) {
    size_t capacity = walking->seen_capacity ? walking->seen_capacity * 2 : 32;
    struct folder_id *seen = reallocarray(walking->seen, capacity, sizeof(*seen));
    if (!seen)
      return -1;
    walking->seen = seen;
    walking->seen_capacity = capacity;
  }
  walking->seen[walking->seen_count++] = id;
  return 1;
}

static int keep(struct walk *walk, const char *relative) {
  if (walk->count == walk->capacity) {
    size_t capacity = walk->capacity ? walk->capacity * 2 : 32;
    char **paths = reallocarray(walk->paths, capacity, sizeof(*paths));
    if (!paths)
      return -1;
    walk->paths = paths;
    walk->capacity = capacity;
  }
  char *copy = strdup(relative);
  if (copy)
    walk->paths[walk->count++] = copy;
  return copy ? 0 : -1;
}

static int walk_into(struct walking *walking, const char *relative);

/* 'path' is where it is, 'relative' how the workspace names it. */
static int look_at(struct walking *walking, const char *path, const char *relative, const char *name) {
  struct stat status;
  bool yaml = wm_text_ends_with(wm_text_of(name), WM_TEXT(".yaml"));
  if (is_ignored(walking, relative, name) || strcmp(relative, "waymark.yaml") == 0)
    return 0;
  if (stat(path, &status)) {
    if (yaml)
      missed(walking, path, strerror(errno));
    return 0;
  }
  if (S_ISDIR(status.st_mode)) {
    int first = enter(walking, &status);
    return first > 0 ? walk_into(walking, relative) : first;
  }
  if (!yaml || !S_ISREG(status.st_mode))
    return 0;
  if (walking->walk->count < WALK_FILES_LIMIT)
    return keep(walking->walk, relative);
  if (walking->missed == 0)
    missed(walking, path, "a workspace has at most 1000000 files");
  return 0;
}

static int look_at_name(struct walking *walking, const char *folder, const char *name) {
  char *relative = *folder ? walk_join(folder, name) : strdup(name);
  char *path = relative ? walk_join(walking->root, relative) : NULL;
  int failed = path ? look_at(walking, path, relative, name) : -1;
  free(path);
  free(relative);
  return failed;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

/* Which names a folder has depends on the disk; the order that they are looked at must not, since of two links to one
 * folder the first counts. */
static int walk_into(struct walking *walking, const char *relative) {
  struct dirent **names = NULL;
  char *path = walk_join(walking->root, relative);
  if (!path)
    return -1;
  bool deep = walking->depth == WALK_DEPTH_LIMIT;
  int failed = 0, count = deep ? 0 : scandir(path, &names, NULL, by_name);
  if (deep || count < 0)
    missed(walking, path, deep ? "folders are nested deeper than 64" : strerror(errno));
  free(path);
  walking->depth++;
  for (int i = 0; i < count; i++) {
    if (!failed && names[i]->d_name[0] != '.')
      failed = look_at_name(walking, relative, names[i]->d_name);
    free(names[i]);
  }
  free(names);
  walking->depth--;
  return failed;
}

static int by_bytes(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

int walk_folder(const char *folder, const char *const *ignore, size_t ignore_count, struct wm_findings *findings,
                struct walk *ret, size_t *ret_missed) {
  struct walking walking = {
      .root = folder, .ignore = ignore, .ignore_count = ignore_count, .findings = findings, .walk = ret};
  struct stat status;
  *ret = (struct walk){0};
  int failed = stat(folder, &status) == 0 ? enter(&walking, &status) : 1;
  failed = failed < 0 ? -1 : walk_into(&walking, "");
  free(walking.seen);
  if (ret->count > 1)
    qsort(ret->paths, ret->count, sizeof(*ret->paths), by_bytes);
  *ret_missed = walking.missed;
  return failed;
}

void walk_release(struct walk *walk) {
  for (size_t i = 0; i < walk->count; i++)
    free(walk->paths[i]);
  free(walk->paths);
  *walk = (struct walk){0};
}
