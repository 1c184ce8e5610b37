/* SPDX-License-Identifier: Apache-2.0 */
/* Load at a fixed rate: requests fall due by the clock, not when a reply has come, and each latency counts from when it was due. So a server that stops for a
 * second is charged with all that would have come in that second (no coordinated omission).
 * usage: arrive PORT RATE SECONDS CONNECTIONS FILE     (FILE: one request target a line, then an empty line, then header lines)
 * prints: RESULT sent-per-second p50 p99 p99.9 max (ms) faults */
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
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define TARGETS_MAX 4096
#define LATE_MAX_S  10 /* how long after the last request its reply is waited for */

struct connection {
    int fd;
    int64_t due;   /* of the request that is under way; 0: idle */
    size_t len;    /* of what has come of the reply */
    size_t wanted; /* its length; 0: the head is not whole yet */
    char reply[65536];
};

static char *requests[TARGETS_MAX];
static size_t n_requests, next_request;
static int64_t *latencies, interval, first_due;
static size_t n_due, n_sent, n_done, n_all, faults;
static struct connection **idle;
static size_t n_idle;

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
    char line[4096], headers[8192] = "", *targets[TARGETS_MAX];
    bool in_head = false;
    if (!file)
        die(path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (!*line)
            in_head = true;
        else if (in_head)
            snprintf(headers + strlen(headers), sizeof headers - strlen(headers), "%s\r\n", line);
        else if (n_requests < TARGETS_MAX)
            targets[n_requests++] = strdup(line);
    }
    fclose(file);
    for (size_t i = 0; i < n_requests; i++)
        if (asprintf(&requests[i], "GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n", targets[i], headers) < 0)
            die("memory");
}

static struct connection *connect_to(int port)
{
    struct connection *c = calloc(1, sizeof *c);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    if (!c)
        die("memory");
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    return c;
}

/* Gives what is due to those that are idle; the rest stays due, and its latency grows. */
static void send_due(void)
{
    int64_t now = now_ns();
    while (n_due < n_all && first_due + (int64_t)n_due * interval <= now)
        n_due++;
    while (n_sent < n_due && n_idle) {
        struct connection *c = idle[--n_idle];
        const char *request = requests[next_request++ % n_requests];
        c->due = first_due + (int64_t)n_sent++ * interval;
        c->len = c->wanted = 0;
        if (send(c->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
            die("send");
    }
}

static void read_head(struct connection *c)
{
    char *end, *length;
    bool is_unchanged;
    c->reply[c->len] = '\0';
    end = strstr(c->reply, "\r\n\r\n");
    if (!end)
        return;
    *end = '\0';
    length = strcasestr(c->reply, "\r\ncontent-length:");
    if (!length) {
        fprintf(stderr, "arrive: a reply without Content-Length\n");
        exit(1);
    }
    is_unchanged = strncmp(c->reply, "HTTP/1.1 304", 12) == 0; /* tells the length of what it does not send */
    faults += !is_unchanged && strncmp(c->reply, "HTTP/1.1 200", 12) != 0;
    c->wanted = (size_t)(end - c->reply) + 4 + (is_unchanged ? 0 : strtoul(length + 17, NULL, 10));
    if (c->wanted >= sizeof c->reply) {
        fprintf(stderr, "arrive: a reply of %zu bytes\n", c->wanted);
        exit(1);
    }
}

static void take_reply(struct connection *c)
{
    ssize_t n = recv(c->fd, c->reply + c->len, sizeof c->reply - 1 - c->len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("the server closed");
    c->len += (size_t)n;
    if (!c->wanted)
        read_head(c);
    if (!c->wanted || c->len < c->wanted)
        return;
    latencies[n_done++] = now_ns() - c->due;
    c->due = 0;
    idle[n_idle++] = c;
}

static int timer_every(int64_t ns)
{
    struct itimerspec every = {.it_interval.tv_nsec = ns, .it_value.tv_nsec = ns};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) != 0)
        die("timer");
    return fd;
}

static void run(int poll_fd, int timer, int64_t give_up)
{
    struct epoll_event events[256];
    while (n_done < n_all && now_ns() < give_up) {
        int n = epoll_wait(poll_fd, events, 256, 100);
        for (int i = 0; i < n; i++) {
            uint64_t ticks;
            if (events[i].data.ptr)
                take_reply(events[i].data.ptr);
            else if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
                die("timer");
        }
        send_due();
    }
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double at_ms(double part)
{
    return n_done ? (double)latencies[(size_t)(part * (double)(n_done - 1))] / 1e6 : 0;
}

int main(int argc, char **argv)
{
    struct epoll_event event = {.events = EPOLLIN};
    int poll_fd = epoll_create1(0), timer, n_connections;
    int64_t seconds, began;
    double rate;
    if (argc != 6)
        return 2;
    rate = strtod(argv[2], NULL);
    seconds = atoi(argv[3]);
    n_connections = atoi(argv[4]);
    read_requests(argv[5]);
    if (rate < 1 || seconds < 1 || n_connections < 1 || !n_requests)
        return 2;
    interval = (int64_t)(1e9 / rate);
    n_all = (size_t)(rate * (double)seconds);
    latencies = calloc(n_all, sizeof *latencies);
    idle = calloc((size_t)n_connections, sizeof *idle);
    if (!latencies || !idle)
        die("memory");
    for (int i = 0; i < n_connections; i++) {
        event.data.ptr = idle[n_idle++] = connect_to(atoi(argv[1]));
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, idle[i]->fd, &event);
    }
    timer = timer_every(100000); /* a tenth of a millisecond: what a request may be late by our own doing */
    event.data.ptr = NULL;
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, timer, &event);
    began = first_due = now_ns();
    run(poll_fd, timer, began + (seconds + LATE_MAX_S) * 1000000000);
    qsort(latencies, n_done, sizeof *latencies, by_size);
    printf("RESULT %.1f %.3f %.3f %.3f %.3f %zu\n", (double)n_done * 1e9 / (double)(now_ns() - began), at_ms(0.5), at_ms(0.99),
           at_ms(0.999), at_ms(1), faults + (n_all - n_done));
    return 0;
}
