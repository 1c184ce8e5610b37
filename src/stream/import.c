/* SPDX-License-Identifier: Apache-2.0 */
/* The importer that all domains share. Rows are gathered into a batch, checked, staged by COPY, merged by one statement of the domain, and
 * only then told apart into taken and refused, so that faults that only the database knows stand beside the others. One batch is all that
 * is ever in memory. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/db.h"
#include "asnd/uuid.h"
#include "asnd/vault.h"

#define READ_BYTES 65536
#define COPY_BYTES (1 << 20)
/* A plan is kept from the first batch to the last, and by the connection from import to import: however small the tables were when it was
 * made, it must look things up by index. (Planning anew each time would do too, but slows the checks of foreign keys sixfold.) Compiling
 * takes longer than what it would speed up. */
#define SESSION_SQL                                                                                                                        \
    "SET LOCAL enable_seqscan = off; SET LOCAL jit = off; SET LOCAL work_mem = '32MB'; SET LOCAL gin_pending_list_limit = '32MB'; "        \
    "SET LOCAL asnd.source = 'import'"
#define REJECTS_SQL "COPY import_reject (import_id, position, line, raw, faults) FROM STDIN"

struct importer {
    struct ctx *ctx;  /* the caller's: lives as long as the import */
    struct ctx batch; /* its arena is emptied after each batch */
    struct db_conn *conn;
    const struct sql_set *set;
    struct import_kind own; /* the kind, with the words of today */
    const struct import_kind *kind;
    const struct import_options *options;
    const struct import_sender *sender;
    struct import_report report;

    struct csv_reader *csv;
    struct line_reader *lines;
    bool has_header;
    struct import_header header;
    struct rejects out; /* to the caller */
    bool has_out;

    struct import_row **rows; /* of the batch */
    size_t n_rows;
    struct buf copy;
    int64_t n_kept; /* refused rows in import_reject */

    /* NDJSON: what the members of the row before were; the next one mostly has the same in the same order */
    struct {
        char name[FOLDED_MAX];
        int field;
    } members[64];
};

const struct import_sender import_operator = {.key_id = NULL, .name = "command line", .units = "{\"\"}", .scopes = "{admin}"};

/* What failed in a batch is told to the caller, whose arena outlives it. */
static enum status hand_up(struct importer *im, enum status st)
{
    if (st == ST_OK)
        return st;
    im->ctx->problem.status = im->batch.problem.status;
    im->ctx->problem.code = im->batch.problem.code;
    im->ctx->problem.detail = im->batch.problem.detail ? arena_strdup(im->ctx->arena, im->batch.problem.detail) : NULL;
    im->ctx->problem.retry_after_s = im->batch.problem.retry_after_s;
    return st;
}

/* ── what became of the batch ── */

static const struct import_wording *wording_of(const struct import_kind *kind, const char *code)
{
    for (const struct import_wording *w = kind->wordings; w->code; w++)
        if (strcmp(w->code, code) == 0)
            return w;
    return NULL;
}

static const char *text_or_null(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

/* Faults that the merge found go to their rows; one that can tell what may have been meant has a column `suggestion`. */
static enum status spread_faults(struct importer *im, const PGresult *faults, int n)
{
    int suggestion = faults ? PQfnumber(faults, "suggestion") : -1;

    for (int i = 0; i < n; i++) {
        int64_t at = strtoll(PQgetvalue(faults, i, 0), NULL, 10) - im->rows[0]->place;
        const struct import_wording *w = wording_of(im->kind, PQgetvalue(faults, i, 2));
        if (at < 0 || at >= (int64_t)im->n_rows || w == NULL)
            return fail(&im->batch, ST_INTERNAL, "internal", "Something went wrong on our side.", "Terjadi kesalahan di sisi kami.");
        struct import_row *row = im->rows[at];
        import_fault(row, text_or_null(faults, i, 1), w->code, text_or_null(faults, i, 3),
                     suggestion < 0 ? NULL : text_or_null(faults, i, suggestion), w->en, w->id);
        row->last_fault->told = text_or_null(faults, i, 4);
    }
    return ST_OK;
}

static const char *detail_of(struct importer *im, const struct import_fault *fault, enum lang lang)
{
    const char *text = lang == LANG_EN ? fault->en : fault->id;

    return fault->told ? arena_printf(im->batch.arena, "%s %s.", text, fault->told) : text;
}

static void report_fault(struct importer *im, const struct import_row *row, const struct import_fault *from)
{
    struct ctx *ctx = im->ctx;
    struct fault *fault = fault_add(ctx, AT_ROW, from->column, from->code, "%s", "%s", detail_of(im, from, ctx->lang));

    if (fault == NULL)
        return;
    fault->line = row->line;
    fault->value = from->value ? arena_strdup(ctx->arena, from->value) : NULL;
    fault->suggestion = from->suggestion ? arena_strdup(ctx->arena, from->suggestion) : NULL;
}

/* The row to whoever asked for the refused ones. */
static void send_row(struct importer *im, const struct import_row *row)
{
    struct reject_fault *faults;
    size_t n = 0;

    for (const struct import_fault *f = row->first_fault; f; f = f->next)
        n++;
    faults = arena_alloc(im->batch.arena, n * sizeof *faults);
    n = 0;
    for (const struct import_fault *f = row->first_fault; f; f = f->next)
        faults[n++] = (struct reject_fault){f->column, f->code, f->value, detail_of(im, f, im->ctx->lang), f->suggestion};
    rejects_put(&im->out, row->raw, row->line, faults, n);
}

static void put_text(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", name);
    if (value)
        buf_json_string(out, value, strlen(value));
    else
        BUF_LIT(out, "null");
}

/* A field of import_reject: a row as it came may hold whatever it should not. Sealed JSON is a string of JSON. */
static void copy_kept(struct importer *im, struct buf *copy, struct slice text, bool is_json)
{
    struct slice kept = text;

    if (vault_is_set()) {
        const char *sealed = vault_seal_blob(im->batch.arena, text, arena_printf(im->batch.arena, IMPORT_REJECT_CONTEXT, im->report.id));
        kept = slice_of(is_json ? arena_printf(im->batch.arena, "\"%s\"", sealed) : sealed);
    }
    db_copy_field(copy, kept.data, kept.len);
}

/* The row as it is kept in import_reject: a line of COPY. */
static void keep_row(struct importer *im, const struct import_row *row, struct buf *copy)
{
    struct buf raw, faults;

    buf_init(&raw, im->batch.arena, 1024);
    buf_init(&faults, im->batch.arena, 512);
    raw_put(&raw, row->raw, &im->header, im->out.delimiter);
    for (const struct import_fault *f = row->first_fault; f; f = f->next) {
        buf_puts(&faults, f == row->first_fault ? "[{" : ",{");
        put_text(&faults, "column", f->column);
        put_text(&faults, "code", f->code);
        put_text(&faults, "value", f->value);
        put_text(&faults, "detail_en", detail_of(im, f, LANG_EN));
        put_text(&faults, "detail_id", detail_of(im, f, LANG_ID));
        put_text(&faults, "suggestion", f->suggestion);
        buf_putc(&faults, '}');
    }
    buf_putc(&faults, ']');
    buf_printf(copy, "%s\t%lld\t%lld\t", im->report.id, (long long)++im->n_kept, (long long)row->line);
    copy_kept(im, copy, (struct slice){raw.data, raw.len}, false);
    buf_putc(copy, '\t');
    copy_kept(im, copy, (struct slice){faults.data, faults.len}, true);
    buf_putc(copy, '\n');
}

/* Position 0 of a CSV file is its header. */
static void keep_header(struct importer *im, struct buf *copy)
{
    struct slice *cells = arena_alloc(im->batch.arena, im->header.n_columns * sizeof *cells);
    struct buf raw;

    for (size_t i = 0; i < im->header.n_columns; i++)
        cells[i] = slice_of(im->header.names[i]);
    buf_init(&raw, im->batch.arena, 1024);
    raw_put(&raw, &(struct import_raw){.cells = cells, .was_quoted = im->header.was_quoted, .n_cells = im->header.n_columns}, &im->header,
            im->out.delimiter);
    buf_printf(copy, "%s\t0\t1\t", im->report.id);
    copy_kept(im, copy, (struct slice){raw.data, raw.len}, false);
    buf_puts(copy, "\t[]\n");
}

static enum status copy_all(struct importer *im, const char *sql)
{
    enum status st = db_copy_begin(&im->batch, im->conn, sql);

    if (st == ST_OK)
        st = db_copy_put(&im->batch, im->conn, im->copy.data, im->copy.len);
    return st == ST_OK ? db_copy_end(&im->batch, im->conn) : st;
}

/* Tells taken from refused; the refused go out, and into import_reject. */
static enum status settle(struct importer *im, int64_t created, int64_t updated)
{
    int64_t n_taken = 0;

    im->copy.len = 0;
    for (size_t i = 0; i < im->n_rows; i++) {
        const struct import_row *row = im->rows[i];
        if (row->first_fault == NULL) {
            n_taken++;
            im->report.repaired += row->n_repaired;
            im->report.warnings += row->n_warnings;
            continue;
        }
        im->report.refused++;
        for (const struct import_fault *f = row->first_fault; f; f = f->next)
            report_fault(im, row, f);
        if (im->has_out)
            send_row(im, row);
        if (im->options->dry_run)
            continue;
        if (im->n_kept == 0 && !im->options->is_ndjson)
            keep_header(im, &im->copy);
        keep_row(im, row, &im->copy);
    }
    im->report.created += created;
    im->report.updated += updated;
    im->report.unchanged += n_taken - created - updated;
    if (im->has_out && !rejects_flush(&im->out))
        return fail(&im->batch, ST_UNAVAILABLE, "unavailable", "The reader has gone.", "Pembaca sudah pergi.");
    return im->copy.len > 0 ? copy_all(im, REJECTS_SQL) : ST_OK;
}

/* ── the batch ── */

static enum status stage(struct importer *im)
{
    enum status st = db_sql(&im->batch, im->conn, arena_printf(im->batch.arena, "TRUNCATE %s", im->kind->table));

    return st == ST_OK ? copy_all(im, arena_printf(im->batch.arena, "COPY %s FROM STDIN", im->kind->table)) : st;
}

/* Once, unless others change the same records at the same moment. */
static enum status merge(struct importer *im, int64_t *ret_created, int64_t *ret_updated)
{
    struct import_merged merged;
    enum status st;

    do {
        merged = (struct import_merged){0};
        st = import_merge(&im->batch, im->conn, im->set, im->kind, im->sender, &merged);
        if (st == ST_OK && merged.known)
            st = spread_faults(im, merged.known, PQntuples(merged.known));
        if (st == ST_OK)
            st = spread_faults(im, merged.faults, merged.n_faults);
        if (st != ST_OK)
            return st;
        *ret_created += merged.created;
        *ret_updated += merged.updated;
    } while (merged.has_more);
    return ST_OK;
}

static enum status merge_batch(struct importer *im)
{
    int64_t created = 0, updated = 0;
    enum status st = ST_OK;

    if (im->n_rows == 0)
        return ST_OK;
    if (im->copy.len > 0) {
        st = stage(im);
        if (st == ST_OK)
            st = merge(im, &created, &updated);
    }
    if (st == ST_OK)
        st = settle(im, created, updated);
    st = hand_up(im, st);
    im->n_rows = im->copy.len = 0;
    arena_reset(im->batch.arena);
    return st;
}

/* A row that is complete. One that could not be read is not staged: it says nothing that the database could judge. */
static enum status add_row(struct importer *im, struct import_row *row, bool is_readable)
{
    row->place = im->report.rows++;
    if (is_readable) {
        import_row_check(im->kind, row);
        import_row_stage(im->kind, row, &im->copy);
    }
    im->rows[im->n_rows++] = row;
    if (im->n_rows < im->kind->batch_rows && arena_used(im->batch.arena) < im->kind->batch_bytes)
        return ST_OK;
    return merge_batch(im);
}

/* A copy that is UTF-8 without NUL, whatever came: what is none is read as Windows-1252, in which spreadsheets write a plain "CSV". Whoever mends the
 * refused row sees whether these are the letters. */
static struct slice copy_text(struct arena *arena, struct slice text, bool is_doubtful)
{
    static const char unknown[] = "\xef\xbf\xbd";
    char other[3];
    struct buf out;

    if (!is_doubtful)
        return (struct slice){arena_strndup(arena, text.data, text.len), text.len};
    buf_init(&out, arena, text.len + 16);
    for (size_t i = 0; i < text.len;) {
        size_t n = 1;
        while (n <= 4 && i + n <= text.len && !utf8_is_valid(text.data + i, n, false))
            n++;
        bool is_good = n <= 4 && i + n <= text.len;
        size_t n_other = is_good ? 0 : utf8_of_windows_1252((unsigned char)text.data[i], other);
        if (is_good)
            buf_put(&out, text.data + i, n);
        else if (n_other)
            buf_put(&out, other, n_other);
        else
            buf_puts(&out, unknown);
        i += is_good ? n : 1;
    }
    buf_cstr(&out);
    return (struct slice){out.data, out.len};
}

/* A field of its own scope would tell what is stored there, by what becomes of a guess: the whole file is refused. */
static enum status may_give(struct importer *im, int field)
{
    const char *scope = field < 0 ? NULL : im->kind->fields[field].scope;

    if (scope == NULL || im->sender->has_scope == NULL || im->sender->has_scope(im->ctx, scope))
        return ST_OK;
    return fail(im->ctx, ST_FORBIDDEN, "forbidden", "The column %s needs the scope %s; send the file without it.",
                "Kolom %s memerlukan cakupan %s; kirim berkas tanpa kolom itu.", im->kind->fields[field].name, scope);
}

/* ── CSV ── */

static void open_rejects(struct importer *im, char delimiter, const struct import_header *columns)
{
    bool to_json = im->options->rejects_type && strcmp(im->options->rejects_type, "text/csv") != 0;

    rejects_init(&im->out, to_json, delimiter, columns, im->options->rejects, im->options->rejects_cls);
    im->has_out = im->options->rejects != NULL;
    if (im->has_out)
        rejects_head(&im->out);
}

static bool is_blank_row(const struct csv_row *row)
{
    for (size_t i = 0; i < row->n_fields; i++)
        if (slice_trim(row->fields[i]).len > 0)
            return false;
    return true;
}

static struct import_raw *raw_of_csv(struct arena *arena, const struct csv_row *from)
{
    struct import_raw *raw = arena_zalloc(arena, sizeof *raw);
    struct slice *cells = arena_alloc(arena, from->n_fields * sizeof *cells);
    bool *quoted = arena_alloc(arena, from->n_fields * sizeof *quoted);

    for (size_t i = 0; i < from->n_fields; i++)
        cells[i] = copy_text(arena, from->fields[i], from->fault != NULL);
    memcpy(quoted, from->was_quoted, from->n_fields * sizeof *quoted);
    *raw = (struct import_raw){.cells = cells, .was_quoted = quoted, .n_cells = from->n_fields};
    return raw;
}

/* Empty cells beyond the header are what a spreadsheet leaves of deleted columns. */
static const char *surplus_of(const struct import_header *header, const struct import_raw *raw)
{
    for (size_t i = header->n_columns; i < raw->n_cells; i++)
        if (slice_trim(raw->cells[i]).len > 0)
            return raw->cells[i].data;
    return NULL;
}

static enum status take_csv_row(void *cls, const struct csv_row *from)
{
    struct importer *im = cls;

    if (!im->has_header) {
        enum status st = import_header_read(im->ctx, im->kind, from, &im->header);
        for (size_t i = 0; st == ST_OK && i < im->header.n_columns; i++)
            st = may_give(im, im->header.field_of[i]);
        im->has_header = st == ST_OK;
        if (st == ST_OK)
            open_rejects(im, csv_delimiter(im->csv), &im->header);
        return st;
    }
    if (from->fault == NULL && is_blank_row(from))
        return ST_OK;
    struct import_row *row = import_row_new(im->batch.arena, im->kind, from->line);
    row->cls = im->options->cls;
    row->raw = raw_of_csv(im->batch.arena, from);
    const char *surplus = surplus_of(&im->header, row->raw);
    if (from->fault)
        import_row_broken(row, from->fault, NULL);
    else if (from->n_fields < im->header.n_columns)
        import_row_broken(row, "columns-missing", NULL);
    else if (surplus)
        import_row_broken(row, "columns-surplus", surplus);
    bool is_readable = row->first_fault == NULL;
    for (size_t i = 0; i < im->header.n_columns && is_readable; i++)
        if (im->header.field_of[i] >= 0)
            import_row_cell(im->kind, row, (size_t)im->header.field_of[i], row->raw->cells[i]);
    return add_row(im, row, is_readable);
}

/* ── NDJSON ── */

/* The field of the member that stands at `at` in its object. A name that nobody knows is noted once, when it is new at this place. */
static int member_field(struct importer *im, size_t at, const char *name, int64_t line)
{
    size_t rank, n_known = ARRAY_LEN(im->members);
    struct fault *fault;

    if (at < n_known && strcmp(im->members[at].name, name) == 0)
        return im->members[at].field;
    int field = import_field_named(im->kind, slice_of(name), &rank);
    if (at >= n_known || strlen(name) >= FOLDED_MAX)
        return field;
    if (field == COLUMN_UNKNOWN && im->members[at].name[0] == '\0') {
        fault = fault_add(im->ctx, AT_ROW, NULL, "columns-ignored", "This member is not used: %s.", "Anggota ini tidak dipakai: %s.", name);
        if (fault)
            fault->line = line;
    }
    strcpy(im->members[at].name, name);
    im->members[at].field = field;
    return field;
}

static void take_member(struct importer *im, struct import_row *row, size_t f, const json_t *value)
{
    const struct import_field *field = &im->kind->fields[f];

    if (json_is_string(value)) {
        struct slice text = {json_string_value(value), json_string_length(value)};
        import_row_cell(im->kind, row, f, copy_text(row->arena, text, memchr(text.data, '\0', text.len) != NULL));
    } else if (json_is_null(value)) {
        import_row_cell(im->kind, row, f, (struct slice){"", 0});
    } else if (json_is_boolean(value) && field->form == IMPORT_WORD) {
        import_row_cell(im->kind, row, f, slice_of(json_is_true(value) ? "true" : "false"));
    } else {
        import_fault(row, field->name, "not-text", NULL, NULL, "A text in quotation marks is needed; a long number loses its digits.",
                     "Harus berupa teks dalam tanda kutip; angka panjang kehilangan digitnya.");
    }
}

static enum status take_json_line(void *cls, struct slice line, int64_t number, const char *fault)
{
    struct importer *im = cls;
    struct import_row *row = import_row_new(im->batch.arena, im->kind, number);
    row->cls = im->options->cls;
    json_t *object = fault ? NULL : json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL), *value;
    bool is_readable = json_is_object(object);
    enum status st = ST_OK;
    const char *name;
    size_t at = 0;

    row->raw = arena_zalloc(im->batch.arena, sizeof *row->raw);
    row->raw->line = copy_text(im->batch.arena, line, fault != NULL);
    if (!is_readable)
        import_row_broken(row, fault ? fault : "not-json", NULL);
    else
        json_object_foreach(object, name, value)
        {
            int field = member_field(im, at++, name, number);
            if ((st = may_give(im, field)) != ST_OK)
                break;
            if (field >= 0)
                take_member(im, row, (size_t)field, value);
        }
    json_decref(object);
    return st == ST_OK ? add_row(im, row, is_readable) : st;
}

/* ── the whole ── */

static enum status begin(struct importer *im)
{
    PGresult *res;
    enum status st = ST_OK;

    for (const char *const *name = im->kind->stages; *name && st == ST_OK; name++)
        st = db_query(im->ctx, im->conn, im->set, *name, &res, NULL);
    if (st == ST_OK)
        st = db_sql(im->ctx, im->conn, SESSION_SQL);
    if (st == ST_OK)
        st = import_words_load(im->ctx, im->conn, im->set, &im->own);
    if (st != ST_OK || im->options->dry_run)
        return st;
    uuid_new_v7(im->report.id);
    return db_query(im->ctx, im->conn, im->set, "import.begin", &res, "import_id", im->report.id, "kind", im->kind->name, "file_name",
                    im->options->file_name, "actor_key", im->sender->key_id, "actor_name", im->sender->name, NULL);
}

static const char *number(struct ctx *ctx, int64_t n)
{
    return arena_printf(ctx->arena, "%lld", (long long)n);
}

static enum status end(struct importer *im)
{
    const struct import_report *r = &im->report;
    struct ctx *ctx = im->ctx;
    PGresult *res;

    if (im->options->dry_run)
        return ST_OK;
    return db_query(ctx, im->conn, im->set, "import.end", &res, "import_id", r->id, "rows", number(ctx, r->rows), "created",
                    number(ctx, r->created), "updated", number(ctx, r->updated), "unchanged", number(ctx, r->unchanged), "refused",
                    number(ctx, r->refused), "repaired", number(ctx, r->repaired), "warnings", number(ctx, r->warnings), NULL);
}

static enum status read_all(struct importer *im, read_fn read, void *read_cls)
{
    char *bytes = arena_alloc(im->ctx->arena, READ_BYTES);
    enum status st = ST_OK;
    bool is_empty = true;
    ptrdiff_t n;

    while (st == ST_OK && (n = read(read_cls, bytes, READ_BYTES)) != 0) {
        if (n < 0)
            return fail(im->ctx, ST_BAD_REQUEST, "bad-request", "The file broke off; nothing was stored.",
                        "Berkas terputus; tidak ada yang disimpan.");
        is_empty = false;
        st = im->csv ? csv_feed(im->csv, bytes, (size_t)n) : line_feed(im->lines, bytes, (size_t)n);
    }
    if (st == ST_OK)
        st = im->csv ? csv_finish(im->csv) : line_finish(im->lines);
    if (st == ST_OK && (is_empty || !im->has_header))
        return fail(im->ctx, ST_BAD_REQUEST, "bad-request", "The file is empty.", "Berkas kosong.");
    return st == ST_OK ? merge_batch(im) : st;
}

static void open_reader(struct importer *im)
{
    if (!im->options->is_ndjson) {
        im->csv = csv_reader_new(ROW_LIMIT, take_csv_row, im);
        return;
    }
    im->lines = line_reader_new(ROW_LIMIT, take_json_line, im);
    columns_of_kind(im->ctx->arena, im->kind, &im->header);
    im->has_header = true;
    open_rejects(im, ',', &im->header);
}

enum status import_run(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_kind *kind,
                       const struct import_options *options, read_fn read, void *read_cls, struct import_report *ret)
{
    struct importer im = {.ctx = ctx,
                          .batch = *ctx,
                          .conn = conn,
                          .set = set,
                          .own = *kind,
                          .options = options,
                          .sender = options->sender ? options->sender : &import_operator};

    im.kind = &im.own;
    im.batch.arena = arena_new(1 << 18);
    im.batch.problem = (struct problem){0};
    im.rows = arena_zalloc_array(ctx->arena, kind->batch_rows, sizeof(struct import_row *));
    buf_init(&im.copy, NULL, COPY_BYTES);
    enum status st = begin(&im);
    if (st == ST_OK) {
        open_reader(&im);
        st = read_all(&im, read, read_cls);
    }
    if (st == ST_OK && im.has_out && !rejects_flush(&im.out))
        st = fail(ctx, ST_UNAVAILABLE, "unavailable", "The reader has gone.", "Pembaca sudah pergi.");
    if (st == ST_OK)
        st = end(&im);
    csv_reader_free(im.csv);
    line_reader_free(im.lines);
    rejects_done(&im.out);
    buf_done(&im.copy);
    arena_free(im.batch.arena);
    if (st == ST_OK)
        *ret = im.report;
    return st;
}
