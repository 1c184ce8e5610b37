/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The head of a request, read strictly from the bytes that came; pure functions, no I/O. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/status.h"
#include "asnd/text.h"

#define FRAME_HEADERS_MAX 100
#define FRAME_METHOD_MAX  32

struct header {
    const char *name;
    const char *value; /* without surrounding blanks */
};

struct head {
    const char *method;
    struct slice target, path, query; /* origin-form; query.data NULL when there is no `?` */
    bool is_asterisk;                 /* OPTIONS * */
    bool is_http10;
    struct header *headers;
    size_t n_headers;
    bool has_body;
    bool wants_close;       /* the client will not send another request */
    int64_t content_length; /* -1: chunked */
};

/* Any token is a method, known here or not: whether an address takes it (405) is the handler's to say. One longer than all that are
 * registered is refused with 501, as RFC 9112 § 3 wants. */
NODISCARD enum status frame_read_method(struct ctx *ctx, const char *name, struct head *head);

/* The header lines as the library leaves them in its buffer, from behind the request line's version: CR LF, line feed alone and the colon
 * have become NUL bytes (CR LF two of them), all else is as it came. So a line that ended in a bare line feed, a folded line and a NUL in the
 * head still show. The block is changed and must live as long as the head. */
NODISCARD enum status frame_read_headers(struct ctx *ctx, char *block, size_t len, struct head *head);

/* Checks a raw target and splits it; absolute-form is reduced to origin-form. The method must have been read. */
NODISCARD enum status frame_read_target(struct ctx *ctx, struct slice raw, size_t limit, struct head *head);

/* Host, Content-Length, Transfer-Encoding, Expect and Connection: what they mean together; and that what has one value comes once. */
NODISCARD enum status frame_check(struct ctx *ctx, struct head *head);

/* The value of the first line of that name, or NULL; ret_count (may be NULL) gets how many lines there are. */
const char *frame_first(const struct head *head, const char *name, size_t *ret_count);

/* The whole value or NULL: several lines of one name are a list, joined by `, ` (RFC 9110 § 5.3). They are joined in place, at the first
 * call; after frame_check, which counts lines. */
const char *frame_header(struct arena *arena, struct head *head, const char *name);

/* The language to answer in, by Accept-Language with its q-values: Indonesian unless English is liked better. */
enum lang frame_language(const char *accept_language);

/* Whether a client's request id may be repeated: 1 to 64 letters, digits, `.`, `_`, `-`. */
bool frame_is_request_id(const char *text);
