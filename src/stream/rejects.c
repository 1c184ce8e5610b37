/* SPDX-License-Identifier: Apache-2.0 */
/* Refused rows on their way out: the client's own rows as they came, with what is wrong beside them, in a form that can be mended and sent
 * again. While an import runs they come from memory, later from import_reject. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/db.h"
#include "asnd/vault.h"

#define FLUSH_BYTES 32768
#define JOINT       " | " /* between several faults of one row */

void rejects_init(struct rejects *r, bool to_json, char delimiter, const struct import_header *columns, write_fn write, void *cls)
{
    *r = (struct rejects){.to_json = to_json, .delimiter = delimiter, .columns = *columns, .write = write, .cls = cls};
    buf_init(&r->out, NULL, FLUSH_BYTES + 4096);
}

void rejects_done(struct rejects *r)
{
    buf_done(&r->out);
}

bool rejects_flush(struct rejects *r)
{
    bool is_whole = r->out.len == 0 || r->write(r->cls, r->out.data, r->out.len);

    r->out.len = 0;
    return is_whole;
}

void columns_of_kind(struct arena *arena, const struct import_kind *kind, struct import_header *ret)
{
    ret->n_columns = kind->n_fields;
    ret->field_of = arena_zalloc_array(arena, kind->n_fields, sizeof *ret->field_of);
    ret->names = arena_zalloc_array(arena, kind->n_fields, sizeof *ret->names);
    ret->was_quoted = arena_zalloc_array(arena, kind->n_fields, sizeof *ret->was_quoted);
    for (size_t f = 0; f < kind->n_fields; f++) {
        ret->field_of[f] = (int)f;
        ret->names[f] = kind->fields[f].name;
    }
}

/* ── CSV ── */

/* A field that nobody's spreadsheet runs: refused rows are opened to be mended, and what is in them came from anywhere. */
static void put_safe_field(struct buf *out, struct slice cell, char delimiter)
{
    struct buf text;

    if (!csv_is_formula(cell.data, cell.len)) {
        buf_csv_field(out, cell.data, cell.len, delimiter);
        return;
    }
    buf_init(&text, NULL, cell.len + 1);
    buf_putc(&text, '\'');
    buf_put(&text, cell.data, cell.len);
    buf_csv_field(out, text.data, text.len, delimiter);
    buf_done(&text);
}

static void put_cell(struct buf *out, struct slice cell, bool was_quoted, bool is_safe, char delimiter)
{
    if (!was_quoted && is_safe) {
        put_safe_field(out, cell, delimiter);
        return;
    }
    if (!was_quoted) {
        buf_csv_field(out, cell.data, cell.len, delimiter);
        return;
    }
    buf_puts(out, is_safe && csv_is_formula(cell.data, cell.len) ? "\"'" : "\"");
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.data[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, cell.data[i]);
    }
    buf_putc(out, '"');
}

/* All cells but ours; up to `most` of them. */
static void put_cells(struct buf *out, const struct import_raw *raw, const struct import_header *columns, size_t most, bool is_safe,
                      char delimiter)
{
    bool is_first = true;

    for (size_t i = 0; i < raw->n_cells && i < most; i++) {
        if (i < columns->n_columns && columns->field_of[i] == COLUMN_OURS)
            continue;
        if (!is_first)
            buf_putc(out, delimiter);
        is_first = false;
        put_cell(out, raw->cells[i], raw->was_quoted[i], is_safe, delimiter);
    }
}

void raw_put(struct buf *out, const struct import_raw *raw, const struct import_header *columns, char delimiter)
{
    if (raw->line.data)
        buf_put(out, raw->line.data, raw->line.len);
    else
        put_cells(out, raw, columns, raw->n_cells, false, delimiter);
}

/* Our columns must stand below their heads, so a row that is short is filled up; what it has too many is told as the fault's value. */
static void put_csv_cells(struct rejects *r, const struct import_raw *raw)
{
    put_cells(&r->out, raw, &r->columns, r->columns.n_columns, true, r->delimiter);
    for (size_t i = raw->n_cells ? raw->n_cells : 1; i < r->columns.n_columns; i++)
        if (r->columns.field_of[i] != COLUMN_OURS)
            buf_putc(&r->out, r->delimiter);
}

static struct slice json_cell(struct arena *arena, const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return (struct slice){0};
    if (json_is_string(value))
        return (struct slice){json_string_value(value), json_string_length(value)};
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    struct slice copy = slice_of(arena_strdup(arena, text ? text : ""));
    free(text);
    return copy;
}

static void put_csv_members(struct rejects *r, const struct import_raw *raw)
{
    struct arena *arena = arena_new(0);
    json_t *object = json_loadb(raw->line.data, raw->line.len, 0, NULL);

    for (size_t i = 0; i < r->columns.n_columns; i++) {
        if (i > 0)
            buf_putc(&r->out, r->delimiter);
        put_cell(&r->out, json_cell(arena, json_object_get(object, r->columns.names[i])), false, true, r->delimiter);
    }
    json_decref(object);
    arena_free(arena);
}

static void put_joined(struct rejects *r, const struct reject_fault *faults, size_t n, const char *(*of)(const struct reject_fault *))
{
    struct buf joined;

    buf_init(&joined, NULL, 128);
    for (size_t i = 0; i < n; i++) {
        const char *text = of(&faults[i]);
        if (i > 0)
            BUF_LIT(&joined, JOINT);
        if (text)
            buf_puts(&joined, text);
    }
    buf_putc(&r->out, r->delimiter);
    put_safe_field(&r->out, (struct slice){joined.data, joined.len}, r->delimiter);
    buf_done(&joined);
}

static const char *column_of(const struct reject_fault *fault)
{
    return fault->column;
}

static const char *code_of(const struct reject_fault *fault)
{
    return fault->code;
}

static const char *value_of(const struct reject_fault *fault)
{
    return fault->value;
}

/* What to do: the likely value, else the sentence. */
static const char *advice_of(const struct reject_fault *fault)
{
    return fault->suggestion ? fault->suggestion : fault->detail;
}

static void put_csv(struct rejects *r, const struct import_raw *raw, int64_t line, const struct reject_fault *faults, size_t n)
{
    if (raw->line.data)
        put_csv_members(r, raw);
    else
        put_csv_cells(r, raw);
    buf_putc(&r->out, r->delimiter);
    buf_put_i64(&r->out, line);
    put_joined(r, faults, n, column_of);
    put_joined(r, faults, n, code_of);
    put_joined(r, faults, n, value_of);
    put_joined(r, faults, n, advice_of);
    BUF_LIT(&r->out, "\r\n");
}

void rejects_head(struct rejects *r)
{
    static const char *const ours[] = {"asnd_line", "asnd_column", "asnd_code", "asnd_value", "asnd_suggestion"};
    bool is_first = true;

    if (r->to_json)
        return;
    for (size_t i = 0; i < r->columns.n_columns; i++) {
        if (r->columns.field_of[i] == COLUMN_OURS)
            continue;
        if (!is_first)
            buf_putc(&r->out, r->delimiter);
        is_first = false;
        put_cell(&r->out, slice_of(r->columns.names[i]), r->columns.was_quoted[i], true, r->delimiter);
    }
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        buf_putc(&r->out, r->delimiter);
        buf_puts(&r->out, ours[i]);
    }
    BUF_LIT(&r->out, "\r\n");
}

/* ── NDJSON ── */

static void put_member(struct buf *out, const char *name, const char *value)
{
    if (out->data[out->len - 1] != '{')
        buf_putc(out, ',');
    buf_json_string(out, name, strlen(name));
    buf_putc(out, ':');
    if (value)
        buf_json_string(out, value, strlen(value));
    else
        BUF_LIT(out, "null");
}

static void put_json_faults(struct buf *out, int64_t line, const struct reject_fault *faults, size_t n)
{
    BUF_LIT(out, "\"asnd_faults\":[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s{\"line\":%lld", i ? "," : "", (long long)line);
        put_member(out, "column", faults[i].column);
        put_member(out, "code", faults[i].code);
        put_member(out, "value", faults[i].value);
        put_member(out, "detail", faults[i].detail);
        put_member(out, "suggestion", faults[i].suggestion);
        buf_putc(out, '}');
    }
    BUF_LIT(out, "]}\n");
}

/* The client's object up to its closing brace, as it was written unless faults of an earlier refusal must come out of it. */
static void open_object(struct buf *out, struct slice line)
{
    json_t *object = json_loadb(line.data, line.len, 0, NULL);

    if (!json_is_object(object)) {
        BUF_LIT(out, "{\"asnd_raw\":");
        buf_json_string(out, line.data, line.len);
    } else if (json_object_get(object, "asnd_faults")) {
        json_object_del(object, "asnd_faults");
        char *text = json_dumps(object, JSON_COMPACT);
        buf_put(out, text, strlen(text) - 1);
        free(text);
    } else {
        struct slice text = slice_trim(line);
        buf_put(out, text.data, text.len - 1);
    }
    if (!json_is_object(object) || json_object_size(object) > 0)
        buf_putc(out, ',');
    json_decref(object);
}

static void open_cells(struct rejects *r, const struct import_raw *raw)
{
    buf_putc(&r->out, '{');
    for (size_t i = 0; i < raw->n_cells && i < r->columns.n_columns; i++) {
        if (r->columns.field_of[i] == COLUMN_OURS)
            continue;
        buf_json_string(&r->out, r->columns.names[i], strlen(r->columns.names[i]));
        buf_putc(&r->out, ':');
        buf_json_string(&r->out, raw->cells[i].data, raw->cells[i].len);
        buf_putc(&r->out, ',');
    }
}

void rejects_put(struct rejects *r, const struct import_raw *raw, int64_t line, const struct reject_fault *faults, size_t n_faults)
{
    if (!r->to_json) {
        put_csv(r, raw, line, faults, n_faults);
        return;
    }
    if (raw->line.data)
        open_object(&r->out, raw->line);
    else
        open_cells(r, raw);
    put_json_faults(&r->out, line, faults, n_faults);
}

/* ── the kept ones ── */

struct kept {
    struct ctx *ctx;
    struct arena *arena; /* as long as a chunk */
    struct rejects out;
    struct csv_reader *reader; /* NULL for NDJSON */
    const char *context;       /* what the rows are sealed for */
    bool has_head;
    /* the row under way */
    int64_t line;
    const struct reject_fault *faults;
    size_t n_faults;
};

static const struct reject_fault *read_faults(struct kept *k, const char *text, size_t *ret_n)
{
    json_t *list = json_loads(text, 0, NULL), *item;
    size_t i, n = json_array_size(list);
    struct reject_fault *faults = arena_zalloc_array(k->arena, n ? n : 1, sizeof *faults);

    json_array_foreach(list, i, item)
    {
        const char **texts[] = {&faults[i].column, &faults[i].code, &faults[i].value, &faults[i].detail, &faults[i].suggestion};
        const char *names[] = {"column", "code", "value", k->ctx->lang == LANG_EN ? "detail_en" : "detail_id", "suggestion"};
        for (size_t m = 0; m < ARRAY_LEN(names); m++) {
            const char *value = json_string_value(json_object_get(item, names[m]));
            *texts[m] = value ? arena_strdup(k->arena, value) : NULL;
        }
    }
    json_decref(list);
    *ret_n = n;
    return faults;
}

/* JSON, or what seals it: a string of JSON. */
static struct slice faults_of(const struct kept *k, const char *text)
{
    size_t len = strlen(text);

    return *text == '"' ? slice_of(arena_strndup(k->arena, text + 1, len - 2)) : (struct slice){text, len};
}

/* The first row is the header that was kept at position 0. */
static enum status put_kept_csv(void *cls, const struct csv_row *row)
{
    struct kept *k = cls;

    if (!k->has_head) {
        struct import_header *columns = &k->out.columns;
        columns->n_columns = row->n_fields;
        columns->field_of = arena_zalloc_array(k->ctx->arena, row->n_fields, sizeof *columns->field_of);
        columns->names = arena_zalloc_array(k->ctx->arena, row->n_fields, sizeof *columns->names);
        columns->was_quoted = arena_zalloc_array(k->ctx->arena, row->n_fields, sizeof *columns->was_quoted);
        for (size_t i = 0; i < row->n_fields; i++) {
            columns->names[i] = arena_strndup(k->ctx->arena, row->fields[i].data, row->fields[i].len);
            columns->was_quoted[i] = row->was_quoted[i];
        }
        k->out.delimiter = csv_delimiter(k->reader);
        k->has_head = true;
        rejects_head(&k->out);
        return ST_OK;
    }
    const struct import_raw raw = {.cells = row->fields, .was_quoted = row->was_quoted, .n_cells = row->n_fields};
    rejects_put(&k->out, &raw, k->line, k->faults, k->n_faults);
    return ST_OK;
}

static enum status put_kept(struct kept *k, const PGresult *chunk, int row)
{
    struct slice raw, faults;

    k->line = strtoll(PQgetvalue(chunk, row, 1), NULL, 10);
    if (!vault_open_blob(k->arena, slice_of(PQgetvalue(chunk, row, 2)), k->context, &raw) ||
        !vault_open_blob(k->arena, faults_of(k, PQgetvalue(chunk, row, 3)), k->context, &faults))
        return vault_refuse(k->ctx);
    k->faults = read_faults(k, faults.data, &k->n_faults);
    if (strcmp(PQgetvalue(chunk, row, 0), "0") == 0) /* only CSV has one */
        k->reader = csv_reader_new(4 * ROW_LIMIT, put_kept_csv, k);
    if (k->reader == NULL) {
        if (!k->has_head)
            rejects_head(&k->out);
        k->has_head = true;
        rejects_put(&k->out, &(struct import_raw){.line = raw}, k->line, k->faults, k->n_faults);
        return ST_OK;
    }
    enum status st = csv_feed(k->reader, raw.data, raw.len);
    return st == ST_OK ? csv_feed(k->reader, "\n", 1) : st;
}

static enum status put_kept_rows(struct ctx *ctx, void *cls, const PGresult *chunk)
{
    struct kept *k = cls;
    enum status st = ST_OK;

    for (int row = 0; row < PQntuples(chunk) && st == ST_OK; row++) {
        st = put_kept(k, chunk, row);
        if (st == ST_OK && k->out.out.len >= FLUSH_BYTES && !rejects_flush(&k->out))
            st = fail(ctx, ST_UNAVAILABLE, "unavailable", "The reader has gone.", "Pembaca sudah pergi.");
    }
    arena_reset(k->arena);
    return st;
}

enum status import_send_rejects(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_kind *kind,
                                const char *import_id, const char *type, write_fn write, void *write_cls)
{
    const struct variant *variant = statement_variant(sql_set_find(set, "import.rejects"), 0, 0, VARIANT_PLAIN);
    struct kept k = {.ctx = ctx, .arena = arena_new(0), .context = arena_printf(ctx->arena, IMPORT_REJECT_CONTEXT, import_id)};
    struct import_header columns;

    columns_of_kind(ctx->arena, kind, &columns);
    rejects_init(&k.out, strcmp(type, "text/csv") != 0, ',', &columns, write, write_cls);
    enum status st = db_stream(ctx, conn, variant, &import_id, put_kept_rows, &k);
    if (st == ST_OK && !k.has_head)
        rejects_head(&k.out); /* nothing was refused: the columns alone */
    if (st == ST_OK && !rejects_flush(&k.out))
        st = fail(ctx, ST_UNAVAILABLE, "unavailable", "The reader has gone.", "Pembaca sudah pergi.");
    rejects_done(&k.out);
    csv_reader_free(k.reader);
    arena_free(k.arena);
    return st;
}
