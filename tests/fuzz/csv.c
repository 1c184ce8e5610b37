/* SPDX-License-Identifier: Apache-2.0 */
/* Import readers: the first byte chooses limits and cuts, the rest is a file. CSV rows and lines are the same however the file is cut. */
#include "asnd/stream.h"

#include "fuzz.h"

/* A row without a fault is UTF-8 without NUL; all that was told goes to `out`. */
static enum status on_row(void *cls, const struct csv_row *row)
{
    struct buf *out = cls;
    REQUIRE(row->n_fields > 0 && row->line > 0);
    buf_printf(out, "%lld %s", (long long)row->line, row->fault ? row->fault : "");
    for (size_t i = 0; i < row->n_fields; i++) {
        buf_printf(out, "|%zu%d", row->fields[i].len, row->was_quoted[i]);
        buf_put(out, row->fields[i].data, row->fields[i].len);
        REQUIRE(row->fault || utf8_is_valid(row->fields[i].data, row->fields[i].len, false));
    }
    buf_putc(out, '\n');
    return ST_OK;
}

static enum status on_line(void *cls, struct slice line, int64_t number, const char *fault)
{
    struct buf *out = cls;
    buf_printf(out, "%lld %s|%zu|", (long long)number, fault ? fault : "", line.len);
    buf_put(out, line.data, line.len);
    buf_putc(out, '\n');
    return ST_OK;
}

/* How long the next piece is: all, one byte, or anything up to sixteen. */
static size_t cut(struct slice rest, int mode, uint32_t *seed)
{
    size_t n = mode == 0 ? rest.len : 1;
    if (mode == 2) {
        *seed = *seed * 1664525u + 1013904223u;
        n = 1 + (*seed >> 16) % 16;
    }
    return n < rest.len ? n : rest.len;
}

/* Each piece is a copy, so that a pointer kept into it is caught. */
static char *piece(struct slice *rest, size_t n)
{
    char *copy = malloc(n);
    REQUIRE(copy);
    memcpy(copy, rest->data, n);
    rest->data += n;
    rest->len -= n;
    return copy;
}

static void read_csv(struct slice rest, size_t limit, int mode, uint32_t seed, struct buf *out)
{
    struct csv_reader *reader = csv_reader_new(limit, on_row, out);
    while (rest.len > 0) {
        size_t n = cut(rest, mode, &seed);
        char *copy = piece(&rest, n);
        REQUIRE(csv_feed(reader, copy, n) == ST_OK);
        free(copy);
    }
    REQUIRE(csv_finish(reader) == ST_OK);
    csv_reader_free(reader);
}

static void read_lines(struct slice rest, size_t limit, int mode, uint32_t seed, struct buf *out)
{
    struct line_reader *reader = line_reader_new(limit, on_line, out);
    while (rest.len > 0) {
        size_t n = cut(rest, mode, &seed);
        char *copy = piece(&rest, n);
        REQUIRE(line_feed(reader, copy, n) == ST_OK);
        free(copy);
    }
    REQUIRE(line_finish(reader) == ST_OK);
    line_reader_free(reader);
}

static void require_same(void (*read)(struct slice, size_t, int, uint32_t, struct buf *), struct slice file, size_t limit, uint32_t seed)
{
    struct buf whole = {0};
    read(file, limit, 0, seed, &whole);
    for (int mode = 1; mode <= 2; mode++) {
        struct buf cut_up = {0};
        read(file, limit, mode, seed, &cut_up);
        REQUIRE(cut_up.len == whole.len && (whole.len == 0 || memcmp(cut_up.data, whole.data, whole.len) == 0));
        buf_done(&cut_up);
    }
    buf_done(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t limits[] = {8, 64, 4096};
    struct slice file = input(data, size);
    size_t limit;
    if (size == 0)
        return 0;
    limit = limits[data[0] % ARRAY_LEN(limits)];
    file.data++;
    file.len--;
    require_same(read_csv, file, limit, hash_of(input(data, size)));
    require_same(read_lines, file, limit, hash_of(input(data, size)));
    return 0;
}
