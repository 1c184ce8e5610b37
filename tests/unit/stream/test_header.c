/* SPDX-License-Identifier: Apache-2.0 */
/* Which column is which field, and what is said of a header that cannot be used; a row's cells by the forms of their fields. */
#include "testing.h"

#include "internal.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct import_word colours[] = {{"merah", "red"}, {"birutua", "blue"}, {NULL, NULL}};

enum { NUMBER, NAME, COLOUR, BORN, LEVEL };
static const struct import_field fields[] = {
    [NUMBER] = {"number", ALIASES("nipbaru", "nip"), IMPORT_DIGITS, 18, .need = "number"},
    [NAME] = {"full_name", ALIASES("nama"), IMPORT_TEXT, 5, .need = "full_name"},
    [COLOUR] = {"colour", ALIASES("warna"), IMPORT_WORD, 0, colours, "colour-unknown"},
    [BORN] = {"born", ALIASES("tanggallahir"), IMPORT_DATE, .is_derived = true},
    [LEVEL] = {"level", NULL, IMPORT_TEXT, 9},
};

static void check_nothing(struct import_row *row UNUSED)
{
}

static const struct import_kind kind = {.name = "thing", .fields = fields, .n_fields = ARRAY_LEN(fields), .check = check_nothing};

static struct ctx new_ctx(void)
{
    return (struct ctx){.arena = arena_new(0), .lang = LANG_EN, .request_id = "r"};
}

static void heads_are_found_whatever_the_export_calls_them(void **state UNUSED)
{
    static const struct {
        const char *head;
        int field;
    } cases[] = {
        {"number", NUMBER},
        {"NIP BARU", NUMBER},
        {"nip_baru", NUMBER},
        {" Nip-Baru ", NUMBER},
        {"NIP", NUMBER},
        {"full_name", NAME},
        {"FullName", NAME},
        {"Nama", NAME},
        {"Tanggal Lahir", BORN},
        {"asnd_line", COLUMN_OURS},
        {"ASND_suggestion", COLUMN_OURS},
        {"", COLUMN_UNKNOWN},
        {"nama lain", COLUMN_UNKNOWN},
        {"asnd", COLUMN_UNKNOWN},
        {"---", COLUMN_UNKNOWN},
        {"a head that is longer than any that could be one of ours, so that it fits no buffer either", COLUMN_UNKNOWN},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t rank;
        if (import_field_named(&kind, slice_of(cases[i].head), &rank) != cases[i].field)
            fail_msg("\"%s\" is field %d", cases[i].head, import_field_named(&kind, slice_of(cases[i].head), &rank));
    }
}

static enum status read_header(void *cls, const struct csv_row *row)
{
    void **both = cls;
    return import_header_read(both[0], &kind, row, both[1]);
}

static enum status header_of(struct ctx *ctx, const char *line, struct import_header *ret)
{
    void *both[] = {ctx, ret};
    struct csv_reader *reader = csv_reader_new(1000, read_header, both);
    enum status st = csv_feed(reader, line, strlen(line));

    if (st == ST_OK)
        st = csv_finish(reader);
    csv_reader_free(reader);
    return st;
}

static void a_header_without_what_is_needed_is_refused_by_name(void **state UNUSED)
{
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"nama,warna", "number"},
        {"nip,warna", "full_name"},
        {"warna", "number, full_name"},
        {"nip,NIP,nama", "\"NIP\" is there twice"},
        {"nip,nama,Nama", "\"Nama\" is there twice"},
        {"nip,na\xffma", "UTF-8"},
        {"nip,\"nama", "quote-open"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = new_ctx();
        struct import_header header;
        assert_int_equal(header_of(&ctx, cases[i].line, &header), ST_BAD_REQUEST);
        if (strstr(ctx.problem.detail, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].line, ctx.problem.detail);
        arena_free(ctx.arena);
    }
}

static void the_best_named_of_several_columns_is_used_and_unused_ones_are_told_once(void **state UNUSED)
{
    struct ctx ctx = new_ctx();
    struct import_header header;
    static const int want[] = {COLUMN_UNKNOWN, NUMBER, NAME, COLUMN_UNKNOWN, COLUMN_OURS, COLUMN_UNKNOWN};

    assert_int_equal(header_of(&ctx, "NIP;NIP BARU;NAMA;KPKN NAMA;asnd_code;", &header), ST_OK);
    assert_int_equal(header.n_columns, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(header.field_of[i], want[i]);
    assert_int_equal(ctx.problem.n_faults, 1);
    assert_string_equal(ctx.problem.first_fault->code, "columns-ignored");
    assert_string_equal(ctx.problem.first_fault->detail, "These columns are not used: NIP, KPKN NAMA.");
    arena_free(ctx.arena);
}

/* `column:code` of each fault, in order. */
static void hold_row(const char *label, const struct import_row *row, const char *faults)
{
    struct buf out;

    buf_init(&out, row->arena, 64);
    for (const struct import_fault *f = row->first_fault; f; f = f->next)
        buf_printf(&out, "%s%s:%s", out.len ? " " : "", f->column, f->code);
    if (strcmp(buf_cstr(&out), faults) != 0)
        fail_msg("%s: %s", label, out.data);
}

static void cells_become_values_or_faults(void **state UNUSED)
{
    static const struct {
        const char *label;
        const char *cells[ARRAY_LEN(fields)]; /* NULL: the file has no such column */
        const char *values[ARRAY_LEN(fields)];
        int n_repaired;
        const char *faults;
    } cases[] = {
        {"all well",
         {"199001152015031999", "Budi", "Merah", "15-01-1990", "x"},
         {"199001152015031999", "Budi", "red", "1990-01-15", "x"},
         0,
         ""},
        {"mended",
         {"'199001152015031999", "Bu  i", "biru-tua", "15/01/1990", NULL},
         {"199001152015031999", "Bu i", "blue", "1990-01-15", NULL},
         3,
         ""},
        {"said to be empty, and not said",
         {"199001152015031999", "Budi", "-", "null", NULL},
         {"199001152015031999", "Budi", "", NULL, NULL},
         0,
         ""},
        {"every fault is told",
         {"1.98703E+17", "", "hijau", "31/12/90", "#REF!"},
         {NULL, "", NULL, NULL, NULL},
         0,
         "number:spreadsheet-number colour:colour-unknown born:two-digit-year level:spreadsheet-error full_name:missing"},
        {"needed and not there",
         {NULL, "Budi Santoso", NULL, NULL, NULL},
         {NULL, NULL, NULL, NULL, NULL},
         0,
         "full_name:too-long number:missing"},
        {"characters, not bytes, are counted",
         {"199001152015031999", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", NULL, NULL, NULL},
         {"199001152015031999", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", NULL, NULL, NULL},
         0,
         ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(0);
        struct import_row *row = import_row_new(arena, &kind, 2);
        for (size_t f = 0; f < ARRAY_LEN(fields); f++)
            if (cases[i].cells[f])
                import_row_cell(&kind, row, f, slice_of(cases[i].cells[f]));
        import_row_check(&kind, row);
        hold_row(cases[i].label, row, cases[i].faults);
        assert_int_equal(row->n_repaired, cases[i].n_repaired);
        for (size_t f = 0; f < ARRAY_LEN(fields); f++) {
            const char *value = row->values[f], *want = cases[i].values[f];
            if (value != want && (!value || !want || strcmp(value, want) != 0))
                fail_msg("%s: field %zu is %s", cases[i].label, f, value ? value : "(not said)");
        }
        arena_free(arena);
    }
}

static bool collect(void *cls, const char *bytes, size_t len)
{
    buf_put(cls, bytes, len);
    return true;
}

/* Found by fuzzing: a head full of commas outweighed the semicolons that `sep=;` had told of, and nothing tells of them on the way back. */
static void the_delimiter_is_found_again_in_the_heads_of_refused_rows(void **state UNUSED)
{
    struct ctx ctx = new_ctx();
    struct import_header header, again;
    struct rejects r;
    struct buf out;

    buf_init(&out, NULL, 0);
    assert_int_equal(header_of(&ctx, "sep=;\nnip;nama;a,b,c,d,e,f,g,h,i,j", &header), ST_OK);
    assert_int_equal(header.n_columns, 3);
    rejects_init(&r, false, ';', &header, collect, &out);
    rejects_head(&r);
    assert_true(rejects_flush(&r));
    rejects_done(&r);
    assert_int_equal(header_of(&ctx, buf_cstr(&out), &again), ST_OK);
    assert_int_equal(again.n_columns, 8);
    assert_string_equal(again.names[2], "a,b,c,d,e,f,g,h,i,j");
    buf_done(&out);
    arena_free(ctx.arena);
}

static void refused_rows_keep_their_columns_and_lose_ours(void **state UNUSED)
{
    static const struct slice cells[] = {{"1;2", 3}, {"B\"x", 3}, {"old", 3}};
    static const bool quoted[] = {true, true, false};
    static const struct reject_fault faults[] = {{"number", "nip-length", "1;2", "Too short.", NULL},
                                                 {"born", "two-digit-year", "1/2/90", "Year.", "1990-02-01"}};
    const struct import_raw csv = {.cells = cells, .was_quoted = quoted, .n_cells = 3},
                            cut = {.cells = cells, .was_quoted = quoted, .n_cells = 1};
    const struct import_raw json = {.line = slice_of("{\"a\":1.50}")}, again = {.line = slice_of("{\"a\":\"x\",\"asnd_faults\":[1]}")};
    const struct import_raw none = {.line = slice_of("{}")}, broken = {.line = slice_of("{\"a\"")};
    struct ctx ctx = new_ctx();
    struct import_header header;
    struct rejects r;
    struct buf out;

    buf_init(&out, NULL, 0);
    assert_int_equal(header_of(&ctx, "nip;\"nama\";asnd_code;warna", &header), ST_OK);
    rejects_init(&r, false, ';', &header, collect, &out);
    rejects_head(&r);
    rejects_put(&r, &csv, 7, faults, 2);
    rejects_put(&r, &cut, 8, faults, 1);
    assert_true(rejects_flush(&r));
    rejects_done(&r);
    assert_string_equal(buf_cstr(&out),
                        "nip;\"nama\";warna;asnd_line;asnd_column;asnd_code;asnd_value;asnd_suggestion\r\n"
                        "\"1;2\";\"B\"\"x\";;7;number | born;nip-length | two-digit-year;\"1;2 | 1/2/90\";Too short. | 1990-02-01\r\n"
                        "\"1;2\";;;8;number;nip-length;\"1;2\";Too short.\r\n");
    out.len = 0;
    rejects_init(&r, true, ';', &header, collect, &out);
    rejects_head(&r);
    rejects_put(&r, &csv, 7, faults, 1);
    rejects_put(&r, &json, 8, NULL, 0);
    rejects_put(&r, &again, 9, NULL, 0);
    rejects_put(&r, &none, 10, NULL, 0);
    rejects_put(&r, &broken, 11, NULL, 0);
    assert_true(rejects_flush(&r));
    rejects_done(&r);
    assert_string_equal(buf_cstr(&out),
                        "{\"nip\":\"1;2\",\"nama\":\"B\\\"x\",\"asnd_faults\":[{\"line\":7,\"column\":\"number\",\"code\":\"nip-length\","
                        "\"value\":\"1;2\",\"detail\":\"Too short.\",\"suggestion\":null}]}\n"
                        "{\"a\":1.50,\"asnd_faults\":[]}\n"
                        "{\"a\":\"x\",\"asnd_faults\":[]}\n"
                        "{\"asnd_faults\":[]}\n"
                        "{\"asnd_raw\":\"{\\\"a\\\"\",\"asnd_faults\":[]}\n");
    buf_done(&out);
    arena_free(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_found_whatever_the_export_calls_them),
        cmocka_unit_test(a_header_without_what_is_needed_is_refused_by_name),
        cmocka_unit_test(the_best_named_of_several_columns_is_used_and_unused_ones_are_told_once),
        cmocka_unit_test(cells_become_values_or_faults),
        cmocka_unit_test(the_delimiter_is_found_again_in_the_heads_of_refused_rows),
        cmocka_unit_test(refused_rows_keep_their_columns_and_lose_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
