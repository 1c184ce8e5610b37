/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A growable run of bytes: replies are written straight into one. Growth doubles; never fails (aborts on no memory). */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "asnd/macros.h"

struct arena;

/* data[0..len) is valid; data is NULL while cap is 0. With an arena, old blocks stay there until it is freed. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    struct arena *arena; /* NULL: malloc, released by buf_done */
};

void buf_init(struct buf *buf, struct arena *arena, size_t first_cap);
void buf_done(struct buf *buf); /* frees malloc'd storage only; leaves an empty buf */
void buf_grow(struct buf *buf, size_t more);

static inline void buf_reserve(struct buf *buf, size_t more)
{
    if (buf->cap - buf->len < more)
        buf_grow(buf, more);
}
static inline void buf_put(struct buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    buf_reserve(buf, len);
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
}
static inline void buf_putc(struct buf *buf, char c)
{
    buf_reserve(buf, 1);
    buf->data[buf->len++] = c;
}
static inline void buf_puts(struct buf *buf, const char *text)
{
    buf_put(buf, text, strlen(text));
}
#define BUF_LIT(buf, literal) buf_put((buf), "" literal, sizeof(literal) - 1)

void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *fmt, va_list ap);
void buf_put_i64(struct buf *buf, int64_t value);
/* A JSON string with its quotes; input is UTF-8 (bytes that are not are written as U+FFFD). Escapes only what RFC 8259 demands,
 * and U+2028/2029 stay as they are. */
void buf_json_string(struct buf *buf, const char *text, size_t len);
/* One CSV field by RFC 4180 (quoted only if it holds the delimiter, quote, CR or LF). */
void buf_csv_field(struct buf *buf, const char *text, size_t len, char delimiter);
/* A spreadsheet would run this text. It gets an apostrophe in front, the spreadsheets' own sign for "this is text"; the importer takes it off. */
bool csv_is_formula(const char *text, size_t len);
/* Appends a NUL that is not counted in len, so that data can be read as a C string. */
const char *buf_cstr(struct buf *buf);
