/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of sockets beyond the library's back. Uses the kernel's own tcp_info, which is longer than the C library's. */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024
/* TCP_CLOSE_WAIT of the C library's netinet/tcp.h, which does not go together with the kernel's. */
#define STATE_CLOSE_WAIT 8

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
};

static bool parse_address(const char *text, int port, struct address *ret)
{
    *ret = (struct address){.len = sizeof(ret->v4)};
    ret->v4.sin_family = AF_INET;
    ret->v4.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1)
        return true;
    *ret = (struct address){.len = sizeof(ret->v6)};
    ret->v6.sin6_family = AF_INET6;
    ret->v6.sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1;
}

static bool set_flag(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

int socket_listen(const char *address, int port, bool reuse_port, int *ret_port)
{
    struct address addr;
    bool is_v6;
    int fd;

    if (!parse_address(address, port, &addr)) {
        errno = EINVAL;
        return -1;
    }
    is_v6 = addr.any.sa_family == AF_INET6;
    fd = socket(addr.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) && (!reuse_port || set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
        (!is_v6 || set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) && set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
        bind(fd, &addr.any, addr.len) == 0 && listen(fd, BACKLOG) == 0 && getsockname(fd, &addr.any, &addr.len) == 0) {
        *ret_port = ntohs(is_v6 ? addr.v6.sin6_port : addr.v4.sin_port);
        return fd;
    }
    close(fd);
    return -1;
}

int socket_inherit(int fd, int *ret_port)
{
    struct address addr = {.len = sizeof(addr.v6)};
    int listens = 0;
    socklen_t len = sizeof(listens);
    int own;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 || getsockname(fd, &addr.any, &addr.len) != 0)
        return -1;
    if (!listens || (addr.any.sa_family != AF_INET && addr.any.sa_family != AF_INET6)) {
        errno = EINVAL;
        return -1;
    }
    own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return -1;
    if (fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK) != 0 || !set_flag(own, IPPROTO_TCP, TCP_NODELAY, 1)) {
        close(own);
        return -1;
    }
    *ret_port = ntohs(addr.any.sa_family == AF_INET6 ? addr.v6.sin6_port : addr.v4.sin_port);
    return own;
}

/* All zero when the kernel does not say. */
static struct tcp_info info_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return (struct tcp_info){0};
    return info;
}

bool socket_has_received(int fd)
{
    return info_of(fd).tcpi_bytes_received > 0;
}

uint64_t socket_bytes_taken(int fd)
{
    return info_of(fd).tcpi_bytes_acked;
}

bool socket_has_unread(int fd)
{
    int unread = 0;

    return ioctl(fd, FIONREAD, &unread) == 0 && unread > 0;
}

bool socket_peer_left(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

bool socket_peer_ended(int fd)
{
    return info_of(fd).tcpi_state == STATE_CLOSE_WAIT;
}

void socket_reset_on_close(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}
