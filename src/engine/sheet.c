/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as an XLSX workbook. The library keeps one row in memory and the rest in temporary files; a workbook is a ZIP archive, whose parts are known
 * at its end only, so it goes to the reader when it is whole. Text stays text: no NIP becomes 1.99E+17, and no cell is a formula. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xlsxwriter.h>

#include "asnd/log.h"

#define SHEET_ROWS   1048576 /* what a worksheet holds, header included */
#define CELL_CHARS   32767
#define EXACT_DIGITS 15 /* of a number that a spreadsheet keeps as it is */
#define CHUNK_BYTES  32768

struct sheet {
    char path[512];
    const struct projection *projection;
    lxw_workbook *workbook;
    lxw_worksheet *worksheet;
    lxw_format *head, *day;
    lxw_row_t next;
    struct buf cell;
};

static enum status no_room(struct ctx *ctx, const char *why)
{
    log_line(LOG_ERROR_, "sheet-failed", LOG_TEXT("error", why));
    return fail(ctx, ST_UNAVAILABLE, "unavailable", "The workbook cannot be written; CSV can be had.",
                "Berkas XLSX tidak dapat dibuat; bentuk CSV tersedia.");
}

static void begin_worksheet(struct sheet *s)
{
    lxw_col_t column = 0;
    const struct plan *plan = s->projection->plan;
    s->worksheet = workbook_add_worksheet(s->workbook, NULL);
    s->next = 1;
    for (int i = 0; s->worksheet && i < plan->n_columns; i++)
        if (s->projection->shown[i])
            worksheet_write_string(s->worksheet, 0, column++, plan->columns[i].name, s->head);
}

enum status sheet_open(struct ctx *ctx, const struct projection *projection, struct sheet **ret)
{
    const char *directory = getenv("TMPDIR");
    struct sheet *s = arena_zalloc(ctx->arena, sizeof *s);
    lxw_workbook_options options = {.constant_memory = LXW_TRUE, .tmpdir = (char *)(uintptr_t)directory};
    int file;
    snprintf(s->path, sizeof s->path, "%s/asnd-XXXXXX", directory && *directory ? directory : "/tmp");
    file = mkstemp(s->path);
    if (file < 0)
        return no_room(ctx, strerror(errno));
    close(file);
    s->projection = projection;
    buf_init(&s->cell, NULL, 64);
    s->workbook = workbook_new_opt(s->path, &options);
    if (s->workbook) {
        s->head = workbook_add_format(s->workbook);
        s->day = workbook_add_format(s->workbook);
        format_set_bold(s->head);
        format_set_num_format(s->day, "yyyy-mm-dd");
        begin_worksheet(s);
    }
    *ret = s;
    return s->workbook && s->worksheet ? ST_OK : no_room(ctx, "no workbook");
}

/* A number that comes back as it was written. */
static bool as_number(const char *text, size_t len, double *ret)
{
    char *end;
    size_t digits = 0;
    for (size_t i = 0; i < len; i++)
        digits += text[i] >= '0' && text[i] <= '9';
    if (digits == 0 || digits > EXACT_DIGITS || !strchr("-0123456789", text[0]))
        return false;
    *ret = strtod(text, &end);
    return end == text + len;
}

static bool as_day(const char *text, size_t len, lxw_datetime *ret)
{
    int year, month, day, length = 0;
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &length) != 3 || (size_t)length != len || year < 1900)
        return false;
    *ret = (lxw_datetime){.year = year, .month = month, .day = day};
    return true;
}

static void write_text(struct sheet *s, lxw_col_t column, enum render_kind kind, const char *text, size_t len)
{
    s->cell.len = 0;
    render_plain(&s->cell, kind, text, len);
    if (s->cell.len > CELL_CHARS) { /* bytes, so never more characters than a cell holds; none is cut in two */
        s->cell.len = CELL_CHARS;
        while (s->cell.len > 0 && (s->cell.data[s->cell.len] & 0xC0) == 0x80)
            s->cell.len--;
    }
    worksheet_write_string(s->worksheet, s->next, column, buf_cstr(&s->cell), NULL);
}

static void write_cell(struct sheet *s, lxw_col_t column, const PGresult *res, int row, int i)
{
    enum { DATE = 1082 };
    const struct column *c = &s->projection->plan->columns[i];
    char room[MASKED_MAX];
    size_t len;
    const char *text = projected(s->projection, res, row, i, room, &len);
    lxw_datetime day;
    double number;
    if ((c->kind == RENDER_RAW || c->kind == RENDER_NUMERIC) && as_number(text, len, &number))
        worksheet_write_number(s->worksheet, s->next, column, number, NULL);
    else if (c->kind == RENDER_BOOL)
        worksheet_write_boolean(s->worksheet, s->next, column, *text == 't', NULL);
    else if (PQftype(res, i) == DATE && as_day(text, len, &day))
        worksheet_write_datetime(s->worksheet, s->next, column, &day, s->day);
    else
        write_text(s, column, c->kind, text, len);
}

enum status sheet_row(struct ctx *ctx, struct sheet *s, const PGresult *res, int row)
{
    const bool *shown = row_shown(s->projection, res, row);
    lxw_col_t column = 0;
    if (s->next == SHEET_ROWS)
        begin_worksheet(s);
    if (!s->worksheet)
        return no_room(ctx, "no worksheet");
    for (int i = 0; i < s->projection->plan->n_columns; i++) {
        if (!s->projection->shown[i])
            continue;
        if (shown[i] && !PQgetisnull(res, row, i))
            write_cell(s, column, res, row, i);
        column++;
    }
    s->next++;
    return ST_OK;
}

enum status sheet_send(struct ctx *ctx, struct sheet *s, struct pipe *pipe)
{
    lxw_error error = workbook_close(s->workbook);
    char *chunk = arena_alloc(ctx->arena, CHUNK_BYTES);
    FILE *file;
    size_t len;
    enum status st = ST_OK;
    s->workbook = NULL;
    if (error != LXW_NO_ERROR)
        return no_room(ctx, lxw_strerror(error));
    file = fopen(s->path, "rbe");
    if (!file)
        return no_room(ctx, strerror(errno));
    while (st == ST_OK && (len = fread(chunk, 1, CHUNK_BYTES, file)) > 0)
        if (!pipe_write(pipe, chunk, len))
            st = fail(ctx, ST_UNAVAILABLE, "unavailable", "The reader has gone.", "Pembaca sudah pergi.");
    if (st == ST_OK && ferror(file))
        st = no_room(ctx, strerror(errno));
    fclose(file);
    return st;
}

void sheet_done(struct sheet *s)
{
    if (!s)
        return;
    if (s->workbook)
        lxw_workbook_free(s->workbook);
    unlink(s->path);
    buf_done(&s->cell);
}
