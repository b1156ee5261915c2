/* Preloaded into the program: writes down in which order files are written, synced and named. Build as a shared library.
   The log is the file named by ORDER_LOG; one line a call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static ssize_t (*plain_write)(int, const void *, size_t);

static void find(void) {
    if (!plain_write) plain_write = dlsym(RTLD_NEXT, "write");
}

static void say(const char *what, const char *one, const char *other) {
    char line[2 * PATH_MAX + 64];
    const char *log = getenv("ORDER_LOG");
    int fd = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0) return;
    int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", what, one, other);
    if (plain_write(fd, line, (size_t)length) != length) abort();
    close(fd);
}

static void say_fd(const char *what, int fd) {
    char link[64], path[PATH_MAX];
    find();
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    say(what, fd == 1 ? "stdout" : path, "");
}

ssize_t write(int fd, const void *bytes, size_t count) {
    say_fd("write", fd);
    return plain_write(fd, bytes, count);
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
    ssize_t (*plain)(int, off64_t *, int, off64_t *, size_t, unsigned) = dlsym(RTLD_NEXT, "copy_file_range");
    say_fd("write", out);
    return plain(in, from, out, to, count, flags);
}

int fsync(int fd) {
    int (*plain)(int) = dlsym(RTLD_NEXT, "fsync");
    int done = plain(fd);
    say_fd("sync", fd);
    return done;
}

int fdatasync(int fd) {
    int (*plain)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int done = plain(fd);
    say_fd("sync", fd);
    return done;
}

int rename(const char *from, const char *to) {
    int (*plain)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    find();
    int done = plain(from, to);
    if (done == 0) say("rename", from, to);
    return done;
}
