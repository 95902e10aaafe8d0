#include "tools/top/asker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct asker {
  pthread_mutex_t mutex;
  pthread_cond_t asked;
  char *url;
  struct look *answer; /* not taken yet */
  int wake_fd;         /* our own */
  bool busy, over;
};

static void release(struct asker *asker) {
  if (asker->wake_fd >= 0)
    close(asker->wake_fd);
  look_free(asker->answer);
  free(asker->url);
  pthread_cond_destroy(&asker->asked);
  pthread_mutex_destroy(&asker->mutex);
  free(asker);
}

static bool wait_for_question(struct asker *asker) {
  pthread_mutex_lock(&asker->mutex);
  while (!asker->busy && !asker->over)
    pthread_cond_wait(&asker->asked, &asker->mutex);
  bool over = asker->over;
  pthread_mutex_unlock(&asker->mutex);
  return !over;
}

static void hand_over(struct asker *asker, struct look *look) {
  const uint64_t one = 1;
  pthread_mutex_lock(&asker->mutex);
  look_free(asker->answer);
  asker->answer = look;
  asker->busy = false;
  pthread_mutex_unlock(&asker->mutex);
  while (write(asker->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

static void *work(void *self) {
  struct asker *asker = self;
  while (wait_for_question(asker))
    hand_over(asker, look_ask(asker->url, ASKER_TIMEOUT_MS));
  release(asker);
  return NULL;
}

struct asker *asker_start(const char *url, int wake_fd) {
  pthread_t thread;
  struct asker *asker = calloc(1, sizeof *asker);
  if (!asker)
    return NULL;
  pthread_mutex_init(&asker->mutex, NULL);
  pthread_cond_init(&asker->asked, NULL);
  asker->url = strdup(url);
  asker->wake_fd = dup(wake_fd);
  int why = asker->url && asker->wake_fd >= 0 ? pthread_create(&thread, NULL, work, asker) : ENOMEM;
  if (why != 0) {
    release(asker);
    errno = why;
    return NULL;
  }
  pthread_detach(thread);
  return asker;
}

void asker_stop(struct asker *asker) {
  if (!asker)
    return;
  pthread_mutex_lock(&asker->mutex);
  asker->over = true;
  pthread_cond_signal(&asker->asked);
  pthread_mutex_unlock(&asker->mutex);
}

void asker_ask(struct asker *asker) {
  pthread_mutex_lock(&asker->mutex);
  asker->busy = true;
  pthread_cond_signal(&asker->asked);
  pthread_mutex_unlock(&asker->mutex);
}

bool asker_is_busy(struct asker *asker) {
  pthread_mutex_lock(&asker->mutex);
  bool busy = asker->busy;
  pthread_mutex_unlock(&asker->mutex);
  return busy;
}

struct look *asker_take(struct asker *asker) {
  pthread_mutex_lock(&asker->mutex);
  struct look *look = asker->answer;
  asker->answer = NULL;
  pthread_mutex_unlock(&asker->mutex);
  return look;
}
