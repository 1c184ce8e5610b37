/* SPDX-License-Identifier: Apache-2.0 */
/* Gentle ends: the last bytes for a client that may still be sending. They are written past the library, our direction is shut, and what
 * still comes is thrown away until the client closes or a short time is over. No watcher per socket: the server's tick looks at each. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

#define LINGER_MS             2000
#define LINGER_READS_PER_TICK 64

struct parting {
    struct parting *next;
    uint64_t due_ms;
    int fd;
    bool is_shut; /* all is written and our direction closed */
    size_t len, sent;
    char bytes[];
};

/* False when the connection is broken. */
static bool linger_write(struct parting *p)
{
    while (p->sent < p->len) {
        ssize_t n = send(p->fd, p->bytes + p->sent, p->len - p->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        p->sent += (size_t)n;
    }
    if (!p->is_shut) {
        p->is_shut = true;
        return shutdown(p->fd, SHUT_WR) == 0;
    }
    return true;
}

/* Discards input; false when the client has ended its side. */
static bool linger_read(struct parting *p)
{
    char sink[16384];

    for (int i = 0; i < LINGER_READS_PER_TICK; i++) {
        ssize_t n = recv(p->fd, sink, sizeof(sink), MSG_DONTWAIT | MSG_TRUNC);

        if (n == 0)
            return false;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
    }
    return true;
}

/* The library may hold the same connection in a state in which it watches nothing; this wakes it, and it lets go. */
static void linger_free(struct parting *p)
{
    shutdown(p->fd, SHUT_RDWR);
    close(p->fd);
    free(p);
}

bool linger_start(struct http_server *server, int fd, const char *bytes, size_t len)
{
    struct parting *p = malloc(sizeof(*p) + len);

    if (!p)
        return false;
    p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (p->fd < 0) {
        free(p);
        return false;
    }
    p->due_ms = server_now_ms(server) + LINGER_MS;
    p->is_shut = false;
    p->len = len;
    p->sent = 0;
    if (len > 0)
        memcpy(p->bytes, bytes, len);
    if (!linger_write(p)) {
        linger_free(p);
        return false;
    }
    p->next = server->partings;
    server->partings = p;
    return true;
}

void linger_tick(struct http_server *server, uint64_t now_ms)
{
    struct parting **at = &server->partings;

    while (*at) {
        struct parting *p = *at;

        if (linger_write(p) && linger_read(p) && now_ms < p->due_ms) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        linger_free(p);
    }
}

void linger_end_all(struct http_server *server)
{
    while (server->partings) {
        struct parting *p = server->partings;

        server->partings = p->next;
        linger_free(p);
    }
}
