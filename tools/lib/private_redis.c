#include "tools/lib/private_redis.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_STEPS 250
#define WAIT_STEP_US 20000 /* 5 s altogether */

/* In the child. Its own group: Ctrl-C is for us, and we end it when we have looked at it for the last time. */
static void become_server(const struct private_redis *redis, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(127);
  setpgid(0, 0);
  char log[128];
  snprintf(log, sizeof log, "%s/log", redis->folder);
  execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis->socket, "--dir", redis->folder,
         "--logfile", log, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", (char *)NULL);
  _exit(errno == ENOENT ? 126 : 127);
}

static bool listens(const struct private_redis *redis) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", redis->socket);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return false;
  bool answer = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
  close(fd);
  return answer;
}

static int wait_for(struct private_redis *redis, struct wm_error *error) {
  for (int step = 0; step < WAIT_STEPS; step++) {
    int status;
    if (listens(redis))
      return 0;
    if (waitpid(redis->pid, &status, WNOHANG) == redis->pid) {
      redis->pid = 0;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 126)
        return wm_error_set(error, WM_E_REDIS_FAILED, "there is no 'redis-server' in PATH (apt install redis-server)");
      return wm_error_set(error, WM_E_REDIS_FAILED, "'redis-server' ended at once");
    }
    usleep(WAIT_STEP_US);
  }
  return wm_error_set(error, WM_E_REDIS_FAILED, "'redis-server' does not listen");
}

int private_redis_start(struct private_redis *redis, struct wm_error *error) {
  const char *temporary = getenv("TMPDIR");
  if (!temporary || !*temporary || strlen(temporary) > 40) /* the path of a Unix socket has to be short */
    temporary = "/tmp";
  *redis = (struct private_redis){0};
  snprintf(redis->folder, sizeof redis->folder, "%s/waymark-dev-XXXXXX", temporary);
  if (!mkdtemp(redis->folder)) {
    redis->folder[0] = '\0';
    return wm_error_set(error, WM_E_REDIS_FAILED, "can't make a folder in '%s': %s", temporary, strerror(errno));
  }
  snprintf(redis->socket, sizeof redis->socket, "%s/redis", redis->folder);
  pid_t parent = getpid();
  redis->pid = fork();
  if (redis->pid == 0)
    become_server(redis, parent);
  int result = redis->pid > 0 ? wait_for(redis, error)
                              : wm_error_set(error, WM_E_REDIS_FAILED, "can't start a process: %s", strerror(errno));
  if (result < 0)
    private_redis_stop(redis);
  return result;
}

void private_redis_stop(struct private_redis *redis) {
  if (redis->pid > 0) {
    kill(redis->pid, SIGKILL); /* it has nothing to save */
    waitpid(redis->pid, NULL, 0);
  }
  if (redis->folder[0]) {
    char log[128];
    snprintf(log, sizeof log, "%s/log", redis->folder);
    unlink(log);
    unlink(redis->socket);
    rmdir(redis->folder);
  }
  *redis = (struct private_redis){0};
}
