/* SPDX-License-Identifier: Apache-2.0 */
/* The line reader for NDJSON. A line that lies whole in the input is handed on where it is; only a cut one is copied. */
#include "asnd/stream.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"
#include "asnd/log.h"

struct line_reader {
    size_t limit;
    line_fn on_line;
    void *cls;
    struct buf part; /* the beginning of a line that is cut */
    int64_t number;
    bool is_too_long; /* the rest of the line is dropped */
};

struct line_reader *line_reader_new(size_t line_limit, line_fn on_line, void *cls)
{
    struct line_reader *r = calloc(1, sizeof *r);

    if (r == NULL)
        die_no_memory();
    *r = (struct line_reader){.limit = line_limit, .on_line = on_line, .cls = cls, .number = 1};
    return r;
}

void line_reader_free(struct line_reader *r)
{
    if (r == NULL)
        return;
    buf_done(&r->part);
    free(r);
}

static enum status line_end(struct line_reader *r, struct slice line)
{
    static const char bom[] = "\xef\xbb\xbf";
    const char *fault = r->is_too_long ? "row-too-long" : NULL;
    int64_t number = r->number++;

    if (number == 1 && line.len >= 3 && memcmp(line.data, bom, 3) == 0)
        line = (struct slice){line.data + 3, line.len - 3};
    line = slice_trim(line);
    r->is_too_long = false;
    if (line.len == 0 && fault == NULL)
        return ST_OK;
    if (fault == NULL && !utf8_is_valid(line.data, line.len, false))
        fault = "not-utf8";
    return r->on_line(r->cls, line, number, fault);
}

/* Keeps what fits of a line that goes on in the next input. */
static void keep(struct line_reader *r, const char *bytes, size_t len)
{
    size_t room = r->limit - r->part.len;

    if (len > room) {
        r->is_too_long = true;
        len = room;
    }
    buf_put(&r->part, bytes, len);
}

enum status line_feed(struct line_reader *r, const char *bytes, size_t len)
{
    enum status st = ST_OK;

    while (len > 0 && st == ST_OK) {
        const char *end = memchr(bytes, '\n', len);
        size_t n = end ? (size_t)(end - bytes) : len;
        if (end && r->part.len == 0 && !r->is_too_long && n <= r->limit) {
            st = line_end(r, (struct slice){bytes, n});
        } else {
            keep(r, bytes, n);
            if (end)
                st = line_end(r, (struct slice){r->part.data, r->part.len});
            if (end)
                r->part.len = 0;
        }
        n += end != NULL;
        bytes += n;
        len -= n;
    }
    return st;
}

enum status line_finish(struct line_reader *r)
{
    if (r->part.len == 0 && !r->is_too_long)
        return ST_OK;
    enum status st = line_end(r, (struct slice){r->part.data, r->part.len});
    r->part.len = 0;
    return st;
}
