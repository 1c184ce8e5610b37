/* SPDX-License-Identifier: Apache-2.0 */
/* The CSV reader: a push parser that gives the same rows however its input is cut. A quote that is opened and never closed costs the line
 * it stands in and no more: what was swallowed after that line is read again. */
#include "asnd/stream.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"
#include "asnd/log.h"

enum state {
    HEAD,        /* gathering the first line, to find the delimiter in it */
    ROW_START,   /* nothing of the row has come */
    FIELD_START, /* behind a delimiter */
    PLAIN,       /* in a field without quotes */
    QUOTED,      /* inside quotes */
    QUOTE_SEEN,  /* behind a quote inside quotes: the end of the field, or the first half of a doubled one */
    SKIP,        /* the row is too long: to the end of the line */
};

struct csv_reader {
    size_t row_limit;
    csv_row_fn on_row;
    void *cls;

    enum state state;
    char delimiter;
    bool after_cr; /* a line feed that comes now belongs to the line end before it */
    int64_t line;

    /* the row */
    int64_t row_line;
    size_t row_bytes;
    const char *fault;
    struct buf text; /* its fields, unquoted, each ended by a NUL */
    size_t field_at; /* where the present field begins in text */
    struct slice *fields;
    bool *was_quoted;
    size_t n_fields, cap_fields;
    bool is_quoted; /* the present field */

    /* As it stood at the first line end inside quotes, and all that came behind that line end. */
    bool is_marked;
    size_t mark_text, mark_fields, mark_field_at;
    int64_t mark_line;
    struct buf since_mark;

    struct buf again; /* to be read before new input: the head, or what an open quote had swallowed */
    size_t again_at;
    uint64_t n_fed, n_reread;
};

struct csv_reader *csv_reader_new(size_t row_limit, csv_row_fn on_row, void *cls)
{
    struct csv_reader *r = calloc(1, sizeof *r);

    if (r == NULL)
        die_no_memory();
    r->row_limit = row_limit;
    r->on_row = on_row;
    r->cls = cls;
    r->line = 1;
    return r;
}

void csv_reader_free(struct csv_reader *r)
{
    if (r == NULL)
        return;
    buf_done(&r->text);
    buf_done(&r->since_mark);
    buf_done(&r->again);
    free(r->fields);
    free(r->was_quoted);
    free(r);
}

char csv_delimiter(const struct csv_reader *r)
{
    return r->delimiter;
}

/* ── fields and rows ── */

static void field_end(struct csv_reader *r)
{
    if (r->n_fields == r->cap_fields) {
        r->cap_fields = r->cap_fields ? r->cap_fields * 2 : 32;
        r->fields = realloc(r->fields, r->cap_fields * sizeof *r->fields);
        r->was_quoted = realloc(r->was_quoted, r->cap_fields * sizeof *r->was_quoted);
        if (r->fields == NULL || r->was_quoted == NULL)
            die_no_memory();
    }
    r->fields[r->n_fields].len = r->text.len - r->field_at; /* data follows when the text no longer moves */
    r->was_quoted[r->n_fields++] = r->is_quoted;
    buf_putc(&r->text, '\0');
    r->field_at = r->text.len;
    r->is_quoted = false;
}

static void row_reset(struct csv_reader *r)
{
    r->state = ROW_START;
    r->row_line = r->line;
    r->row_bytes = 0;
    r->fault = NULL;
    r->text.len = r->field_at = r->n_fields = r->since_mark.len = 0;
    r->is_quoted = r->is_marked = false;
}

static bool is_blank(const char *bytes, size_t len)
{
    return slice_trim((struct slice){bytes, len}).len == 0;
}

static enum status row_end(struct csv_reader *r)
{
    enum status st = ST_OK;

    field_end(r);
    if (r->n_fields > 1 || r->was_quoted[0] || r->fault || !is_blank(r->text.data, r->fields[0].len)) {
        const char *at = r->text.data;
        for (size_t i = 0; i < r->n_fields; at += r->fields[i++].len + 1)
            r->fields[i].data = at;
        if (r->fault == NULL && !utf8_is_valid(r->text.data, r->text.len, true))
            r->fault = "not-utf8";
        st = r->on_row(
            r->cls, &(struct csv_row){
                        .fields = r->fields, .was_quoted = r->was_quoted, .n_fields = r->n_fields, .line = r->row_line, .fault = r->fault});
    }
    row_reset(r);
    return st;
}

/* ── the quote that is never closed ── */

static void mark(struct csv_reader *r)
{
    r->is_marked = true;
    r->mark_text = r->text.len;
    r->mark_fields = r->n_fields;
    r->mark_field_at = r->field_at;
    r->mark_line = r->line;
    r->since_mark.len = 0;
}

/* Reading again costs time; a hostile file must not make it cost more than a small multiple of its size. */
static bool may_rewind(const struct csv_reader *r)
{
    return r->is_marked && r->n_reread < 8 * r->n_fed + 16 * (uint64_t)r->row_limit;
}

/* Refuses the line with the open quote and goes back behind its end. */
static enum status rewind_to_mark(struct csv_reader *r)
{
    struct buf rest = r->since_mark;
    enum status st;

    r->n_reread += rest.len;
    r->after_cr = r->after_cr && rest.len == 0;
    if (r->again_at < r->again.len)
        buf_put(&rest, r->again.data + r->again_at, r->again.len - r->again_at);
    r->since_mark = (struct buf){0};
    r->text.len = r->mark_text;
    r->n_fields = r->mark_fields;
    r->field_at = r->mark_field_at;
    r->is_quoted = true;
    r->fault = "quote-open";
    r->line = r->mark_line;
    st = row_end(r);
    buf_done(&r->again);
    r->again = rest;
    r->again_at = 0;
    return st;
}

/* ── one character ── */

static void count_line(struct csv_reader *r, char c)
{
    if (c == '\r' || !r->after_cr)
        r->line++;
    r->after_cr = c == '\r';
}

static enum status outside_quotes(struct csv_reader *r, char c)
{
    if (c == '\n' && r->after_cr && r->state == ROW_START) {
        r->after_cr = false;
        r->row_bytes = 0;
        return ST_OK;
    }
    if (c == '\n' || c == '\r') {
        count_line(r, c);
        return row_end(r);
    }
    r->after_cr = false;
    if (c == r->delimiter) {
        field_end(r);
        r->state = FIELD_START;
    } else if (c == '"' && r->state != PLAIN) {
        r->state = QUOTED;
        r->is_quoted = true;
    } else {
        if (c == '\0')
            r->fault = "not-utf8";
        buf_putc(&r->text, c);
        r->state = PLAIN;
    }
    return ST_OK;
}

static void inside_quotes(struct csv_reader *r, char c)
{
    if (c == '"') {
        r->state = QUOTE_SEEN;
        r->after_cr = false;
        return;
    }
    if (c == '\0')
        r->fault = "not-utf8";
    if (c == '\n' || c == '\r') {
        bool is_second_half = c == '\n' && r->after_cr;
        count_line(r, c);
        if (!r->is_marked)
            mark(r);
        else if (is_second_half && r->since_mark.len == 1) /* only itself: the line end is not yet over */
            r->since_mark.len = 0;
    } else {
        r->after_cr = false;
    }
    buf_putc(&r->text, c);
}

static enum status behind_quote(struct csv_reader *r, char c)
{
    if (c == '"') {
        buf_putc(&r->text, '"');
        r->state = QUOTED;
        return ST_OK;
    }
    if (c == r->delimiter || c == '\n' || c == '\r')
        return outside_quotes(r, c);
    /* Text behind the closing quote: it was meant to open one, and the one that we are in was opened in an earlier line by mistake. */
    if (may_rewind(r))
        return rewind_to_mark(r);
    if (r->fault == NULL)
        r->fault = "quote-text";
    buf_putc(&r->text, c);
    r->state = PLAIN;
    return ST_OK;
}

static enum status skip(struct csv_reader *r, char c)
{
    if (c != '\n' && c != '\r') {
        r->after_cr = false;
        return ST_OK;
    }
    count_line(r, c);
    return row_end(r);
}

static enum status too_long(struct csv_reader *r)
{
    if ((r->state == QUOTED || r->state == QUOTE_SEEN) && may_rewind(r))
        return rewind_to_mark(r);
    r->fault = "row-too-long";
    r->state = SKIP;
    return ST_OK;
}

static enum status step(struct csv_reader *r, char c)
{
    enum status st = ST_OK;

    if (r->state == SKIP)
        return skip(r, c);
    if (r->is_marked)
        buf_putc(&r->since_mark, c);
    r->row_bytes++;
    if (r->state == QUOTED)
        inside_quotes(r, c);
    else if (r->state == QUOTE_SEEN)
        st = behind_quote(r, c);
    else
        st = outside_quotes(r, c);
    if (st == ST_OK && r->row_bytes > r->row_limit)
        st = too_long(r);
    return st;
}

/* Characters that mean nothing in this state, taken at a stroke; never past the limit, so that cuts in the input cannot show. */
static size_t take_run(struct csv_reader *r, const char *bytes, size_t len)
{
    size_t n = 0, most = r->row_limit - r->row_bytes;

    if (r->state == SKIP) {
        while (n < len && bytes[n] != '\n' && bytes[n] != '\r')
            n++;
        r->after_cr = r->after_cr && n == 0;
        return n;
    }
    if (len > most)
        len = most;
    if (r->state == PLAIN)
        while (n < len && bytes[n] != r->delimiter && bytes[n] != '\n' && bytes[n] != '\r' && bytes[n] != '\0')
            n++;
    else if (r->state == QUOTED)
        while (n < len && bytes[n] != '"' && bytes[n] != '\n' && bytes[n] != '\r' && bytes[n] != '\0')
            n++;
    if (n == 0)
        return 0;
    buf_put(&r->text, bytes, n);
    if (r->is_marked)
        buf_put(&r->since_mark, bytes, n);
    r->row_bytes += n;
    r->after_cr = false;
    return n;
}

/* ── the first line ── */

/* What `sep=;` says, Excel's own way to tell; 0 if the line is none. Only what would also be found without it: refused rows go back without
 * that line. */
static char sep_line(const char *line, size_t len)
{
    struct slice text = slice_trim((struct slice){line, len});

    if (text.len < 4 || !slice_is_nocase((struct slice){text.data, 4}, "sep="))
        return '\0';
    if (text.len == 5)
        return text.data[4] == ',' || text.data[4] == ';' ? text.data[4] : '\0';
    return text.len == 4 && text.data + 4 < line + len && text.data[4] == '\t' ? '\t' : '\0';
}

/* The delimiter of the first line that is not blank. */
static char delimiter_of(const char *line, size_t len, bool *ret_is_sep_line)
{
    static const char candidates[] = {',', ';', '\t'};
    size_t counts[sizeof candidates] = {0}, best = 0;
    bool quoted = false;
    char told = sep_line(line, len);

    *ret_is_sep_line = told != '\0';
    if (told)
        return told;
    for (size_t i = 0; i < len; i++) {
        quoted ^= line[i] == '"';
        for (size_t k = 0; k < sizeof candidates; k++)
            counts[k] += !quoted && line[i] == candidates[k];
    }
    for (size_t k = 1; k < sizeof candidates; k++)
        if (counts[k] > counts[best])
            best = k;
    return candidates[best];
}

static void head_done(struct csv_reader *r)
{
    static const char bom[] = "\xef\xbb\xbf";
    size_t start = r->again.len >= 3 && memcmp(r->again.data, bom, 3) == 0 ? 3 : 0;
    bool is_sep_line;

    r->delimiter = delimiter_of(r->again.data + start, r->again.len - start, &is_sep_line);
    r->again_at = start;
    if (is_sep_line) { /* its line end stays, and is a blank line */
        char last = r->again.data[r->again.len - 1];
        r->again_at = last == '\n' || last == '\r' ? r->again.len - 1 : r->again.len;
    }
    row_reset(r);
}

/* Gathers until the line is whole; true when it is. */
static bool head_take(struct csv_reader *r, char c)
{
    buf_putc(&r->again, c);
    r->is_quoted ^= c == '"';
    if (r->again.len <= r->row_limit && (r->is_quoted || (c != '\n' && c != '\r')))
        return false;
    if (r->again.len <= r->row_limit && is_blank(r->again.data, r->again.len))
        return false;
    head_done(r);
    return true;
}

/* ── input ── */

static enum status read_again(struct csv_reader *r)
{
    while (r->again_at < r->again.len) {
        size_t n = take_run(r, r->again.data + r->again_at, r->again.len - r->again_at);
        r->again_at += n;
        if (r->again_at == r->again.len)
            break;
        enum status st = step(r, r->again.data[r->again_at++]);
        if (st != ST_OK)
            return st;
    }
    r->again.len = r->again_at = 0;
    return ST_OK;
}

enum status csv_feed(struct csv_reader *r, const char *bytes, size_t len)
{
    enum status st = ST_OK;

    for (size_t i = 0; i < len && st == ST_OK;) {
        if (r->state == HEAD) {
            r->n_fed++;
            if (head_take(r, bytes[i++]))
                st = read_again(r);
            continue;
        }
        size_t n = take_run(r, bytes + i, len - i);
        i += n;
        r->n_fed += n;
        if (i == len)
            break;
        r->n_fed++;
        st = step(r, bytes[i++]);
        if (st == ST_OK)
            st = read_again(r);
    }
    return st;
}

enum status csv_finish(struct csv_reader *r)
{
    enum status st = ST_OK;

    if (r->state == HEAD && r->again.len == 0)
        return ST_OK;
    if (r->state == HEAD) {
        head_done(r);
        st = read_again(r);
    }
    while (st == ST_OK && r->state == QUOTED && may_rewind(r)) {
        st = rewind_to_mark(r);
        if (st == ST_OK)
            st = read_again(r);
    }
    if (st != ST_OK || r->state == ROW_START)
        return st;
    if (r->state == QUOTED)
        r->fault = "quote-open";
    return row_end(r);
}
