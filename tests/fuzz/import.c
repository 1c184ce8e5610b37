/* SPDX-License-Identifier: Apache-2.0 */
/* Imported people: a CSV file up to the lines of COPY. Refused rows that are sent again as they came back say the same as before. */
#include "../../src/stream/internal.h"

#include "asnd/asn.h"

#include "json.h"

struct pass {
    struct ctx ctx;
    struct csv_reader *reader;
    struct import_header header;
    bool has_header;
    struct buf said;      /* values and codes of every readable row */
    struct buf csv, json; /* all rows as rejects, as CSV and as NDJSON */
    struct rejects to_csv, to_json;
};

static bool write_buf(void *cls, const char *bytes, size_t len)
{
    buf_put(cls, bytes, len);
    return true;
}

/* One line, with as many fields as the stage has columns. */
static void require_copy_line(const struct import_row *row)
{
    struct buf line = {0};
    size_t n_tabs = 0;
    import_row_stage(&import_asn, row, &line);
    REQUIRE(utf8_is_valid(line.data, line.len, false));
    for (size_t i = 0; i < line.len; i++) {
        n_tabs += line.data[i] == '\t';
        REQUIRE((line.data[i] == '\n') == (i == line.len - 1) && line.data[i] != '\r');
    }
    REQUIRE(n_tabs == 2 + import_asn.n_fields + import_asn.n_extras);
    buf_done(&line);
}

static void open_pass(struct pass *pass, const struct csv_row *row)
{
    const char delimiter = csv_delimiter(pass->reader);
    if (import_header_read(&pass->ctx, &import_asn, row, &pass->header) != ST_OK)
        return;
    pass->has_header = true;
    rejects_init(&pass->to_csv, false, delimiter, &pass->header, write_buf, &pass->csv);
    rejects_init(&pass->to_json, true, delimiter, &pass->header, write_buf, &pass->json);
    rejects_head(&pass->to_csv);
}

/* All that is known of the row: its values, and the codes of its faults. */
static void say(struct pass *pass, const struct import_row *row)
{
    for (size_t f = 0; f < import_asn.n_fields; f++)
        buf_printf(&pass->said, "|%s", row->values[f] ? row->values[f] : "\\N");
    for (const struct import_fault *fault = row->first_fault; fault; fault = fault->next) {
        REQUIRE(fault->code && *fault->code && fault->en && fault->id);
        buf_printf(&pass->said, "!%s %s", fault->column ? fault->column : "", fault->code);
    }
    buf_putc(&pass->said, '\n');
}

static void send_back(struct pass *pass, const struct import_row *row, const struct csv_row *from)
{
    const struct import_raw raw = {.cells = from->fields, .was_quoted = from->was_quoted, .n_cells = from->n_fields};
    struct reject_fault faults[64];
    size_t n = 0;
    for (const struct import_fault *f = row->first_fault; f && n < ARRAY_LEN(faults); f = f->next)
        faults[n++] = (struct reject_fault){f->column, f->code, f->value, f->en, f->suggestion};
    rejects_put(&pass->to_csv, &raw, from->line, faults, n);
    rejects_put(&pass->to_json, &raw, from->line, faults, n);
}

static bool is_blank(const struct csv_row *row)
{
    for (size_t i = 0; i < row->n_fields; i++)
        if (slice_trim(row->fields[i]).len > 0)
            return false;
    return true;
}

static enum status on_row(void *cls, const struct csv_row *from)
{
    struct pass *pass = cls;
    struct import_row *row;
    if (!pass->has_header) {
        open_pass(pass, from);
        return pass->has_header ? ST_OK : pass->ctx.problem.status;
    }
    if (from->fault || from->n_fields < pass->header.n_columns || is_blank(from))
        return ST_OK;
    row = import_row_new(pass->ctx.arena, &import_asn, from->line);
    for (size_t i = 0; i < pass->header.n_columns; i++)
        if (pass->header.field_of[i] >= 0)
            import_row_cell(&import_asn, row, (size_t)pass->header.field_of[i], from->fields[i]);
    import_row_check(&import_asn, row);
    require_copy_line(row);
    say(pass, row);
    send_back(pass, row, from);
    return ST_OK;
}

/* False when the file is refused as a whole. */
static bool run(struct pass *pass, struct slice file)
{
    enum status st;
    *pass = (struct pass){.ctx = {.arena = arena_new(0)}};
    pass->reader = csv_reader_new(ROW_LIMIT, on_row, pass);
    st = csv_feed(pass->reader, file.data, file.len);
    if (st == ST_OK)
        st = csv_finish(pass->reader);
    csv_reader_free(pass->reader);
    if (pass->has_header) {
        REQUIRE(rejects_flush(&pass->to_csv) && rejects_flush(&pass->to_json));
        rejects_done(&pass->to_csv);
        rejects_done(&pass->to_json);
    }
    REQUIRE(pass->has_header || st == pass->ctx.problem.status);
    return pass->has_header;
}

static void require_json_lines(struct slice lines)
{
    while (lines.len > 0) {
        struct slice line = take_until(&lines, '\n');
        json_t *object = json_loadb(line.data, line.len, 0, NULL);
        REQUIRE(json_is_object(object));
        json_decref(object);
    }
}

static void done(struct pass *pass)
{
    buf_done(&pass->said);
    buf_done(&pass->csv);
    buf_done(&pass->json);
    arena_free(pass->ctx.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pass first, again;
    if (run(&first, input(data, size))) {
        require_json_lines((struct slice){first.json.data, first.json.len});
        REQUIRE(run(&again, (struct slice){first.csv.data, first.csv.len}));
        REQUIRE(again.said.len == first.said.len && (first.said.len == 0 || memcmp(again.said.data, first.said.data, first.said.len) == 0));
        done(&again);
    }
    done(&first);
    return 0;
}
