/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before the C library: a disk that is full or slow, a clock that is wrong. What is wrong right now are the files in $TROUBLE: `full`, `slow` (milliseconds),
 * `clock` (seconds). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long wrong(const char *what)
{
    char path[256], text[32] = "";
    const char *directory = getenv("TROUBLE");
    int fd, saved = errno;
    ssize_t n;

    snprintf(path, sizeof path, "%s/%s", directory ? directory : "/nonexistent", what);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    errno = saved;
    return n > 0 ? atol(text) : 0;
}

/* Tables and indices are on the disk that is full, the log of the server is on another. */
static bool has_no_room(int fd)
{
    char link[64], path[256] = "";

    if (!wrong("full"))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0 || !strstr(path, "/base/"))
        return false;
    errno = ENOSPC;
    return true;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    return has_no_room(fd) ? -1 : REAL(pwrite64)(fd, bytes, len, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    return has_no_room(fd) ? -1 : REAL(pwrite)(fd, bytes, len, at);
}

static void dawdle(void)
{
    long ms = wrong("slow");
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

    if (ms > 0)
        nanosleep(&pause, NULL);
}

int fdatasync(int fd)
{
    dawdle();
    return REAL(fdatasync)(fd);
}

int fsync(int fd)
{
    dawdle();
    return REAL(fsync)(fd);
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int status = REAL(clock_gettime)(clock, ret);

    if (status == 0 && clock == CLOCK_REALTIME)
        ret->tv_sec += wrong("clock");
    return status;
}
