/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The head of a request, read strictly from the bytes that came; pure functions, no I/O. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/status.h"
#include "asnd/text.h"

#define FRAME_HEADERS_MAX 100

struct header {
    const char *name;
    const char *value; /* without surrounding blanks */
};

struct head {
    const char *method;               /* static text */
    struct slice target, path, query; /* origin-form; query.data NULL when there is no `?` */
    bool is_asterisk;                 /* OPTIONS * */
    bool is_http10;
    struct header *headers;
    size_t n_headers;
    bool has_body;
    bool wants_close;       /* the client will not send another request */
    int64_t content_length; /* -1: chunked */
};

/* The known method of that name as static text, or NULL (CONNECT and TRACE among them). */
const char *frame_method(const char *name);

/* The header lines as the library leaves them in its buffer, from behind the request line's version: CR LF, line feed alone and the colon
 * have become NUL bytes (CR LF two of them), all else is as it came. So a line that ended in a bare line feed, a folded line and a NUL in the
 * head still show. The block is changed and must live as long as the head. */
NODISCARD enum status frame_read_headers(struct ctx *ctx, char *block, size_t len, struct head *head);

/* Checks a raw target and splits it; absolute-form is reduced to origin-form. */
NODISCARD enum status frame_read_target(struct ctx *ctx, struct slice raw, size_t limit, struct head *head);

/* Host, Content-Length, Transfer-Encoding, Expect and Connection: what they mean together. */
NODISCARD enum status frame_check(struct ctx *ctx, struct head *head);

/* First value or NULL; ret_count may be NULL. */
const char *frame_header(const struct head *head, const char *name, size_t *ret_count);

/* The language to answer in, by Accept-Language with its q-values: Indonesian unless English is liked better. */
enum lang frame_language(const char *accept_language);

/* Whether a client's request id may be repeated: 1 to 64 letters, digits, `.`, `_`, `-`. */
bool frame_is_request_id(const char *text);
