/* SPDX-License-Identifier: Apache-2.0 */
/* Load on one core, from one thread. RATE 0: each connection asks again when it has its answer (closed loop), which finds out what a server can do. Else requests fall due by
 * the clock, whatever has been answered (open loop), and latency counts from when a request was due, so that a server that stops is charged with all that would have come. What
 * finds no free connection within PATIENCE is given up, as a client does, and counted.
 * usage: overload PORT RATE SECONDS CONNECTIONS FILE     (FILE: a request a line: METHOD, target, key, media type, body with tabs between; the last two may be missing)
 * prints: RESULT seconds good refused (both answered in that time) odd unsent reconnected, then of the good and of the refused p50 p99 max (ms) */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX 65536
#define HEAD_MAX     2048
#define PATIENCE_NS  INT64_C(100000000)
#define LATE_MAX_NS  INT64_C(5000000000) /* how long after the last request its reply is waited for */

struct connection {
    int fd;
    int64_t due; /* of the request that is under way; 0: idle */
    int status;  /* of the reply, once its head is there */
    size_t len, body_left;
    bool closes;
    char head[HEAD_MAX];
};

enum sort { GOOD, REFUSED, ODD, SORTS };
static struct {
    int64_t *ns;
    size_t n, cap;
} answered[SORTS];

static char *requests[REQUESTS_MAX];
static size_t lengths[REQUESTS_MAX], n_requests, next_request, in_time[SORTS], unsent, reconnected, n_idle, n_busy;
static struct connection **idle;
static struct sockaddr_in server;
static int poll_fd;
static int64_t interval, first_due, end;
static uint64_t n_due;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void read_requests(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    if (!file)
        die(path);
    while (n_requests < REQUESTS_MAX && getline(&line, &cap, file) > 0) {
        char *rest = line, *field[5] = {"", "", "", NULL, ""};
        line[strcspn(line, "\n")] = '\0';
        for (int i = 0; i < 5 && rest; i++)
            field[i] = strsep(&rest, "\t");
        int n = field[3] ? asprintf(&requests[n_requests],
                                    "%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nIf-Match: *\r\nContent-Type: %s\r\n"
                                    "Content-Length: %zu\r\n\r\n%s",
                                    field[0], field[1], field[2], field[3], strlen(field[4]), field[4])
                         : asprintf(&requests[n_requests], "%s %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\n\r\n", field[0],
                                    field[1], field[2]);
        if (n < 0)
            die("memory");
        lengths[n_requests++] = (size_t)n;
    }
    free(line);
    fclose(file);
}

static void open_connection(struct connection *c)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = c};
    int yes = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("epoll");
}

static void open_again(struct connection *c)
{
    close(c->fd);
    reconnected++;
    open_connection(c);
}

/* What is answered when time is up has its latency, but is no part of what was done in that time. */
static void note(enum sort sort, int64_t due)
{
    int64_t now = now_ns();
    in_time[sort] += now < end;
    if (answered[sort].n == answered[sort].cap) {
        answered[sort].cap = answered[sort].cap ? answered[sort].cap * 2 : 65536;
        answered[sort].ns = realloc(answered[sort].ns, answered[sort].cap * sizeof *answered[sort].ns);
        if (!answered[sort].ns)
            die("memory");
    }
    answered[sort].ns[answered[sort].n++] = now - due;
}

static void ask(struct connection *c, int64_t due)
{
    size_t i = next_request++ % n_requests;
    *c = (struct connection){.fd = c->fd, .due = due};
    n_busy++;
    if (send(c->fd, requests[i], lengths[i], MSG_NOSIGNAL) == (ssize_t)lengths[i])
        return;
    if (errno != EPIPE && errno != ECONNRESET)
        die("send");
    open_again(c); /* it was closed while it was idle: said once more on another one */
    if (send(c->fd, requests[i], lengths[i], MSG_NOSIGNAL) != (ssize_t)lengths[i])
        die("send");
}

/* Asks what is due, or, without a rate, whatever there is a connection for. */
static void ask_due(void)
{
    int64_t now = now_ns();
    if (now >= end)
        return;
    while (!interval && n_idle)
        ask(idle[--n_idle], now);
    while (interval) {
        int64_t due = first_due + (int64_t)n_due * interval;
        if (due > now || (!n_idle && now - due < PATIENCE_NS))
            break;
        n_due++;
        if (now - due >= PATIENCE_NS)
            unsent++;
        else
            ask(idle[--n_idle], due);
    }
}

static void finish(struct connection *c)
{
    note(c->status / 100 == 2 || c->status == 304     ? GOOD
         : c->status == 503 || c->status == 429 ? REFUSED
                                                      : ODD,
         c->due);
    if (c->status / 100 != 2 && c->status != 304 && c->status != 503 && c->status != 429 && answered[ODD].n == 1)
        fprintf(stderr, "overload: %.300s\n", c->head);
    if (c->closes)
        open_again(c);
    c->due = 0;
    n_busy--;
    idle[n_idle++] = c;
}

/* Takes what has come into account; false when the head is longer than there is room for. */
static void take(struct connection *c, const char *bytes, size_t n)
{
    char *stop, *length;
    if (!c->status) {
        size_t before = c->len, room = HEAD_MAX - 1 - c->len, part = n < room ? n : room;
        memcpy(c->head + c->len, bytes, part);
        c->len += part;
        c->head[c->len] = '\0';
        stop = strstr(c->head, "\r\n\r\n");
        if (!stop) {
            if (c->len == HEAD_MAX - 1) {
                fprintf(stderr, "overload: a head of more than %d bytes\n", HEAD_MAX);
                exit(1);
            }
            return;
        }
        stop[2] = '\0';
        c->status = atoi(c->head + 9);
        length = strcasestr(c->head, "\r\ncontent-length:");
        c->closes = strcasestr(c->head, "\r\nconnection: close") != NULL;
        c->body_left = length && c->status != 304 ? strtoul(length + 17, NULL, 10) : 0;
        part = (size_t)(stop + 4 - c->head) - before;
        bytes += part;
        n -= part;
    }
    c->body_left -= n < c->body_left ? n : c->body_left;
    if (!c->body_left)
        finish(c);
}

static void receive(struct connection *c)
{
    static char bytes[262144];
    ssize_t n;
    while (c->due && (n = recv(c->fd, bytes, sizeof bytes, 0)) != 0) {
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break;
        take(c, bytes, (size_t)n);
        if (n < (ssize_t)sizeof bytes)
            return;
    }
    if (c->due) { /* cut before the answer was whole */
        note(ODD, c->due);
        c->due = 0;
        n_busy--;
        idle[n_idle++] = c;
        open_again(c);
    }
}

static void run(int timer)
{
    struct epoll_event events[512];
    int64_t now;
    while ((now = now_ns()) < end || (n_busy && now < end + LATE_MAX_NS)) {
        int n = epoll_wait(poll_fd, events, 512, 10);
        for (int i = 0; i < n; i++) {
            uint64_t ticks;
            if (events[i].data.ptr)
                receive(events[i].data.ptr);
            else if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
                die("timer");
        }
        ask_due();
    }
}

static int timer_every(int64_t ns)
{
    struct itimerspec every = {.it_interval.tv_nsec = ns, .it_value.tv_nsec = ns};
    struct epoll_event event = {.events = EPOLLIN};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) != 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        die("timer");
    return fd;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double at_ms(enum sort sort, double part)
{
    return answered[sort].n ? (double)answered[sort].ns[(size_t)(part * (double)(answered[sort].n - 1))] / 1e6 : 0;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    int64_t began;
    int n_connections;
    double rate;
    if (argc != 6)
        return 2;
    rate = strtod(argv[2], NULL);
    n_connections = atoi(argv[4]);
    read_requests(argv[5]);
    if (rate < 0 || n_connections < 1 || !n_requests)
        return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    poll_fd = epoll_create1(0);
    idle = calloc((size_t)n_connections, sizeof *idle);
    for (int i = 0; i < n_connections; i++) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c || !idle)
            die("memory");
        open_connection(c);
        idle[n_idle++] = c;
    }
    interval = rate > 0 ? (int64_t)(1e9 / rate) : 0;
    began = first_due = now_ns();
    end = began + (int64_t)(strtod(argv[3], NULL) * 1e9);
    run(timer_every(200000)); /* a fifth of a millisecond: what a request may be late by our own doing */
    unsent += interval ? (size_t)((end - first_due) / interval) + 1 - n_due : 0;
    printf("RESULT %.3f %zu %zu %zu %zu %zu", (double)(end - began) / 1e9, in_time[GOOD], in_time[REFUSED], answered[ODD].n + n_busy,
           unsent, reconnected);
    for (enum sort sort = GOOD; sort <= REFUSED; sort++) {
        qsort(answered[sort].ns, answered[sort].n, sizeof *answered[sort].ns, by_size);
        printf(" %.2f %.2f %.2f", at_ms(sort, 0.5), at_ms(sort, 0.99), at_ms(sort, 1));
    }
    printf("\n");
    return 0;
}
