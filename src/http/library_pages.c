/* SPDX-License-Identifier: Apache-2.0 */
/* The library's own error pages. When it cannot read a request (a broken request line, a header line without a colon, a chunk size that is
 * no number, a head that does not fit) libmicrohttpd 0.9.75 answers with a page of HTML before any callback of ours runs, and by no option
 * can that be changed. But it queues the page by its public MHD_queue_response, called through the dynamic linker like any other symbol, so
 * the definition below, being in the executable, comes first: every call that arrives here is the library's own, since our replies call the
 * original directly. We send a problem instead, past the library, and report failure, upon which it closes the connection. It could
 * not be left to the library to send the problem either: after a fault in the headers' meaning it forgets that it has answered and writes a
 * second head behind the first.
 *
 * It needs the shared library (a static one would define the symbol twice, and the link would say so), and the linker exports the symbol
 * since the library mentions it. reply.c calls library_queue_response, so that this file is linked in from a static library too. */
#include <dlfcn.h>
#include <string.h>

#include "asnd/log.h"
#include "internal.h"

typedef enum MHD_Result (*queue_fn)(struct MHD_Connection *, unsigned, struct MHD_Response *);

enum MHD_Result library_queue_response(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response)
{
    static _Thread_local queue_fn original;

    if (!original) {
        void *symbol = dlsym(RTLD_NEXT, "MHD_queue_response");

        memcpy(&original, &symbol, sizeof(symbol));
    }
    return original ? original(mhd, status, response) : MHD_NO;
}

/* Words what the library found, as far as its status tells. */
static void word_fault(struct ctx *ctx, unsigned status, const struct http_config *config)
{
    switch (status) {
    case 413:
        fail(ctx, ST_BODY_TOO_LARGE, "body-too-large", "No body of that length is taken.", "Isi sepanjang itu tidak diterima.");
        break;
    case 414:
        fail(ctx, ST_TARGET_TOO_LONG, "target-too-long", "The request line is too long; a target may have at most %zu bytes.",
             "Baris permintaan terlalu panjang; alamat paling banyak %zu bita.", config->target_limit);
        break;
    case 431:
        fail(ctx, ST_HEAD_TOO_LARGE, "head-too-large", "The head of a request may have at most %zu bytes.",
             "Kepala permintaan paling banyak %zu bita.", config->head_limit);
        break;
    case 505:
        fail(ctx, ST_VERSION_NOT_SUPPORTED, "version-not-supported", "This server speaks HTTP/1.1.", "Peladen ini berbahasa HTTP/1.1.");
        break;
    case 400:
        fail(ctx, ST_BAD_REQUEST, "bad-framing", "The request line, a header line, Content-Length or a chunk cannot be read.",
             "Baris permintaan, baris kepala, Content-Length atau potongan isi tidak dapat dibaca.");
        break;
    default:
        fail(ctx, ST_INTERNAL, "internal", "The request could not be handled.", "Permintaan tidak dapat ditangani.");
        break;
    }
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response)
{
    const union MHD_ConnectionInfo *info = mhd ? MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT) : NULL;
    struct conn *conn = info ? info->socket_context : NULL;

    (void)response;
    if (!conn || conn->cut)
        return MHD_NO;
    if (!conn->rq)
        request_new(conn, NULL);
    problem_clear(&conn->rq->ctx);
    if (status == 431 && conn->rq->head.target.len > conn->server->config.target_limit)
        status = 414; /* the head was too large because of its target */
    word_fault(&conn->rq->ctx, status, &conn->server->config);
    request_reject(conn->rq);
    deadline_set(&conn->server->deadlines, &conn->deadline, DL_ENDING, 0);
    return MHD_NO;
}
