#include "worker/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void add(struct wm_buf *buf, const char *name, const char *type, const char *help) {
  wm_buf_printf(buf, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name, type, name);
}

static void add_cpu(struct wm_buf *buf) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0)
    return;
  long long us =
      (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  add(buf, "process_cpu_seconds_total", "counter", "User and system CPU time.");
  wm_buf_printf(buf, "%lld.%06lld\n", us / 1000000, us % 1000000);
}

static void add_memory(struct wm_buf *buf) {
  FILE *file = fopen("/proc/self/statm", "re");
  long long all, resident, page = sysconf(_SC_PAGESIZE);
  bool read = file && fscanf(file, "%lld %lld", &all, &resident) == 2;
  if (file)
    fclose(file);
  if (!read)
    return;
  add(buf, "process_virtual_memory_bytes", "gauge", "Virtual memory.");
  wm_buf_printf(buf, "%lld\n", all * page);
  add(buf, "process_resident_memory_bytes", "gauge", "Resident memory.");
  wm_buf_printf(buf, "%lld\n", resident * page);
}

static void add_files(struct wm_buf *buf) {
  DIR *folder = opendir("/proc/self/fd");
  struct rlimit limit;
  int count = -3; /* '.', '..', and the folder itself */
  if (!folder)
    return;
  while (readdir(folder))
    count++;
  closedir(folder);
  add(buf, "process_open_fds", "gauge", "Open file descriptors.");
  wm_buf_printf(buf, "%d\n", count);
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  add(buf, "process_max_fds", "gauge", "Most file descriptors that may be open.");
  wm_buf_printf(buf, "%llu\n", (unsigned long long)limit.rlim_cur);
}

/* Field 22 of stat, in clock ticks since the system started; the name of the program before it may hold anything. */
static void add_start(struct wm_buf *buf) {
  char text[1024];
  struct timespec wall, up;
  unsigned long long ticks = 0;
  FILE *file = fopen("/proc/self/stat", "re");
  size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
  if (file)
    fclose(file);
  text[size] = '\0';
  const char *rest = strrchr(text, ')');
  if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                      &ticks) != 1)
    return;
  clock_gettime(CLOCK_REALTIME, &wall);
  clock_gettime(CLOCK_BOOTTIME, &up);
  long long ms = (wall.tv_sec - up.tv_sec) * 1000LL + (wall.tv_nsec - up.tv_nsec) / 1000000 +
                 (long long)(ticks * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
  add(buf, "process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.");
  wm_buf_printf(buf, "%lld.%03lld\n", ms / 1000, ms % 1000);
}

void process_metrics(struct wm_buf *ret) {
  add_cpu(ret);
  add_memory(ret);
  add_files(ret);
  add_start(ret);
}
