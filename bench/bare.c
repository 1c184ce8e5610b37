/* SPDX-License-Identifier: Apache-2.0 */
/* The limit of the HTTP library: the same bytes for every request, no contract, no database. usage: bare PORT BYTES LOOPS */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

#include <microhttpd.h>

static char *body;
static size_t body_len;

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *data, size_t *size, void **state)
{
    static int seen;
    struct MHD_Response *response;
    enum MHD_Result result;
    (void)cls, (void)url, (void)method, (void)version, (void)data, (void)size;
    if (!*state) { /* a reply in the first call would close the connection */
        *state = &seen;
        return MHD_YES;
    }
    response = MHD_create_response_from_buffer(body_len, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv)
{
    struct MHD_Daemon *daemon;
    if (argc != 4)
        return 2;
    body_len = strtoul(argv[2], NULL, 10);
    body = malloc(body_len + 1);
    if (!body)
        return 1;
    memset(body, 'x', body_len);
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)atoi(argv[1]), NULL, NULL, answer, NULL, MHD_OPTION_THREAD_POOL_SIZE,
                              (unsigned)atoi(argv[3]), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_CONNECTION_LIMIT, 2000u,
                              MHD_OPTION_END);
    if (!daemon)
        return 1;
    puts("ready");
    fflush(stdout);
    pause();
    MHD_stop_daemon(daemon);
    free(body);
    return 0;
}
