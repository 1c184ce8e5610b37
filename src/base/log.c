/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: one JSON object, one write(2), so that lines of several threads never mix. */
#include "asnd/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asnd/buf.h"
#include "asnd/date.h"

/* Text beyond this is cut: a line stays below PIPE_BUF, up to which a write to a pipe is never torn. */
#define TEXT_MAX 1000

static _Atomic int min_level = LOG_INFO_;
static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_set_level(enum log_level min)
{
    atomic_store_explicit(&min_level, (int)min, memory_order_relaxed);
}

bool log_level_parse(const char *text, enum log_level *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(level_names[i], text) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&min_level, memory_order_relaxed);
}

static void put_text(struct buf *line, const char *text)
{
    size_t len = strnlen(text, TEXT_MAX + 1);
    if (len <= TEXT_MAX) {
        buf_json_string(line, text, len);
        return;
    }
    for (len = TEXT_MAX; len > TEXT_MAX - 3 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        ; /* back to the beginning of a character */
    buf_json_string(line, text, len);
    line->len--;
    BUF_LIT(line, "…\"");
}

static void put_field(struct buf *line, const struct log_field *field)
{
    if (field->type == LF_TEXT && !field->text)
        return;
    BUF_LIT(line, ",");
    buf_json_string(line, field->key, strlen(field->key));
    BUF_LIT(line, ":");
    switch (field->type) {
    case LF_TEXT:
        put_text(line, field->text);
        break;
    case LF_INT:
        buf_put_i64(line, field->number);
        break;
    case LF_BOOL:
        buf_puts(line, field->number ? "true" : "false");
        break;
    case LF_MS3:
        buf_printf(line, "%s%lld.%03d", field->number < 0 ? "-" : "", llabs(field->number / 1000), abs((int)(field->number % 1000)));
        break;
    }
}

/* A full pipe or disk must not stop the daemon: what cannot be written is dropped. */
static void write_out(const char *bytes, size_t len)
{
    int saved = errno;
    while (write(STDERR_FILENO, bytes, len) < 0 && errno == EINTR)
        ;
    errno = saved;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, int n_fields)
{
    struct buf line;
    char time[INSTANT_TEXT_SIZE];
    if (!log_enabled(level))
        return;
    buf_init(&line, NULL, 512);
    instant_format(clock_wall_us(), time);
    buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time, level_names[level]);
    buf_json_string(&line, event, strlen(event));
    for (int i = 0; i < n_fields; i++)
        put_field(&line, &fields[i]);
    BUF_LIT(&line, "}\n");
    write_out(line.data, line.len);
    buf_done(&line);
}

void die_no_memory(void)
{
    static const char line[] = "{\"level\":\"error\",\"event\":\"out of memory\"}\n";
    write_out(line, sizeof line - 1);
    abort();
}
