/* SPDX-License-Identifier: Apache-2.0 */
/* Both readers give the same rows however their input is cut: whole, byte by byte, and in two at every place. */
#include "testing.h"

#define LIMIT 64

/* `line: [field][field]!fault` a row; a quoted field stands in <>. */
static enum status write_row(void *cls, const struct csv_row *row)
{
    struct buf *out = cls;

    buf_printf(out, "%lld:", (long long)row->line);
    for (size_t i = 0; i < row->n_fields; i++) {
        buf_putc(out, row->was_quoted[i] ? '<' : '[');
        for (size_t k = 0; k < row->fields[i].len; k++)
            buf_putc(out, row->fields[i].data[k] ? row->fields[i].data[k] : '?');
        buf_putc(out, row->was_quoted[i] ? '>' : ']');
    }
    if (row->fault)
        buf_printf(out, "!%s", row->fault);
    buf_putc(out, '|');
    return ST_OK;
}

static enum status write_line(void *cls, struct slice line, int64_t number, const char *fault)
{
    struct buf *out = cls;

    buf_printf(out, "%lld:[", (long long)number);
    buf_put(out, line.data, line.len);
    buf_printf(out, "]%s%s|", fault ? "!" : "", fault ? fault : "");
    return ST_OK;
}

struct text {
    const char *bytes;
    size_t len;
};
#define T(s)                                                                                                                               \
    {                                                                                                                                      \
        "" s, sizeof(s) - 1                                                                                                                \
    }

/* step 0: in two at `cut`. The parts are copied, so that a reader that kept a pointer into its input is caught by ASan. */
static void read_csv(struct text in, size_t cut, size_t step, struct buf *out)
{
    struct csv_reader *reader = csv_reader_new(LIMIT, write_row, out);

    for (size_t at = 0; at < in.len;) {
        size_t n = step ? step : at < cut ? cut - at : in.len - at;
        char *copy = malloc(n);
        memcpy(copy, in.bytes + at, n);
        assert_int_equal(csv_feed(reader, copy, n), ST_OK);
        free(copy);
        at += n;
    }
    assert_int_equal(csv_finish(reader), ST_OK);
    csv_reader_free(reader);
}

static void read_lines(struct text in, size_t cut, size_t step, struct buf *out)
{
    struct line_reader *reader = line_reader_new(16, write_line, out);

    for (size_t at = 0; at < in.len;) {
        size_t n = step ? step : at < cut ? cut - at : in.len - at;
        char *copy = malloc(n);
        memcpy(copy, in.bytes + at, n);
        assert_int_equal(line_feed(reader, copy, n), ST_OK);
        free(copy);
        at += n;
    }
    assert_int_equal(line_finish(reader), ST_OK);
    line_reader_free(reader);
}

static void expect(const char *label, void (*read)(struct text, size_t, size_t, struct buf *), struct text in, const char *expected)
{
    for (size_t cut = 0; cut <= in.len + 1; cut++) {
        struct buf out;
        buf_init(&out, NULL, 256);
        read(in, cut, cut > in.len, &out);
        if (strcmp(buf_cstr(&out), expected) != 0)
            fail_msg("%s, cut at %zu\nexpected: %s\nactual:   %s", label, cut, expected, out.data);
        buf_done(&out);
    }
}

#define A10 "aaaaaaaaaa"
#define A70 A10 A10 A10 A10 A10 A10 A10

static void csv_gives_the_same_rows_however_it_is_cut(void **state UNUSED)
{
    static const struct {
        const char *label;
        struct text in;
        const char *expected;
    } cases[] = {
        {"empty", T(""), ""},
        {"only blank lines", T("\n\r\n \n"), ""},
        {"comma", T("a,b\n1,2\n"), "1:[a][b]|2:[1][2]|"},
        {"semicolon", T("a;b\n1,5;2\n"), "1:[a][b]|2:[1,5][2]|"},
        {"tab", T("a\tb\n1;\t2\n"), "1:[a][b]|2:[1;][2]|"},
        {"one column", T("a\n1\n"), "1:[a]|2:[1]|"},
        {"a delimiter inside quotes is none", T("\"a,b,c\";d\n1;2\n"), "1:<a,b,c>[d]|2:[1][2]|"},
        {"sep line", T("sep=;\r\na,x;b\r\n"), "2:[a,x][b]|"},
        {"sep line of a tab", T("sep=\t\r\na,x\tb\r\n"), "2:[a,x][b]|"},
        {"sep line of what is no delimiter", T("sep=|\na|b\n"), "1:[sep=|]|2:[a|b]|"},
        {"byte order mark",
         T("\xef\xbb\xbf"
           "a,b\n1,2"),
         "1:[a][b]|2:[1][2]|"},
        {"byte order mark before quotes", T("\xef\xbb\xbf\"a\",b\n"), "1:<a>[b]|"},
        {"CRLF", T("a,b\r\n1,2\r\n\r\n3,4\r\n"), "1:[a][b]|2:[1][2]|4:[3][4]|"},
        {"CR", T("a,b\r1,2\r"), "1:[a][b]|2:[1][2]|"},
        {"no line end at the end", T("a,b\n1,"), "1:[a][b]|2:[1][]|"},
        {"empty fields", T("a,b,c\n,,\n"), "1:[a][b][c]|2:[][][]|"},
        {"quoted emptiness is a row", T("a\n\"\"\n"), "1:[a]|2:<>|"},
        {"doubled quotes", T("a,b\n\"x\"\"y\"\"\",\"\"\"\"\n"), "1:[a][b]|2:<x\"y\"><\">|"},
        {"line ends inside quotes", T("a,b\n\"1\r\n2\n3\",x\ny,z\n"), "1:[a][b]|2:<1\r\n2\n3>[x]|5:[y][z]|"},
        {"quotes inside a field", T("a,b\n5\" pipe,O\"x\"\n"), "1:[a][b]|2:[5\" pipe][O\"x\"]|"},
        {"text behind quotes", T("a,b\n\"x\"y,z\n1,2\n"), "1:[a][b]|2:<xy>[z]!quote-text|3:[1][2]|"},
        {"not UTF-8", T("a,b\n\xff,1\n1,2\n"), "1:[a][b]|2:[\xff][1]!not-utf8|3:[1][2]|"},
        {"a character may not be put together from two fields", T("a,b\n\xc3,\xa9\n"), "1:[a][b]|2:[\xc3][\xa9]!not-utf8|"},
        {"NUL", T("a,b\n1,\0\n1,2\n"), "1:[a][b]|2:[1][?]!not-utf8|3:[1][2]|"},
        {"an open quote costs its own line only", T("a,b\n\"x,1\n2,3\n4,5\n"), "1:[a][b]|2:<x,1>!quote-open|3:[2][3]|4:[4][5]|"},
        {"an open quote in the last line", T("a,b\n1,2\n\"x,1"), "1:[a][b]|2:[1][2]|3:<x,1>!quote-open|"},
        {"an open quote in the last line, with its end", T("a,b\n1,2\n\"x,1\r\n"), "1:[a][b]|2:[1][2]|3:<x,1>!quote-open|"},
        {"an open quote before quoted fields", T("a,b\n\"x,1\n\"y\",2\n"), "1:[a][b]|2:<x,1>!quote-open|3:<y>[2]|"},
        {"two open quotes", T("a,b\n\"x,1\n2,3\n4,\"y\r\n5,6"), "1:[a][b]|2:<x,1>!quote-open|3:[2][3]|4:[4]<y>!quote-open|5:[5][6]|"},
        {"a row at the limit", T("a\n" A10 A10 A10 A10 A10 A10 "aaa\n1\n"), "1:[a]|2:[" A10 A10 A10 A10 A10 A10 "aaa]|3:[1]|"},
        {"a row over the limit", T("a\n" A70 ",\"x\n1\n"), "1:[a]|2:[" A10 A10 A10 A10 A10 A10 "aaaaa]!row-too-long|3:[1]|"},
        {"an open quote over the limit", T("a,b\n\"x,1\n2,3\n" A10 "," A10 "\n" A10 "," A10 "\n" A10 "," A10 "\n4,5\n"),
         "1:[a][b]|2:<x,1>!quote-open|3:[2][3]|4:[" A10 "][" A10 "]|5:[" A10 "][" A10 "]|6:[" A10 "][" A10 "]|7:[4][5]|"},
        {"a quoted cell over the limit", T("a,b\n\"" A70 "\",1\n4,5\n"),
         "1:[a][b]|2:<" A10 A10 A10 A10 A10 A10 "aaaa>!row-too-long|3:[4][5]|"},
        {"a head over the limit", T(A70 "\n1\n"), "1:[" A10 A10 A10 A10 A10 A10 "aaaaa]!row-too-long|2:[1]|"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(cases[i].label, read_csv, cases[i].in, cases[i].expected);
}

/* Each line opens a quote and leaves it open, and a doubled quote keeps the next one open too: the worst case for going back. */
static void hostile_quotes_do_not_cost_more_than_a_multiple(void **state UNUSED)
{
    struct buf in, out;

    buf_init(&in, NULL, 0);
    buf_init(&out, NULL, 0);
    buf_puts(&in, "a,b\n");
    for (int i = 0; i < 200000; i++)
        buf_puts(&in, "\"\"\"\n");
    struct csv_reader *reader = csv_reader_new(65536, write_row, &out);
    assert_int_equal(csv_feed(reader, in.data, in.len), ST_OK);
    assert_int_equal(csv_finish(reader), ST_OK);
    csv_reader_free(reader);
    assert_true(out.len > 0);
    buf_done(&in);
    buf_done(&out);
}

static enum status refuse_second(void *cls, const struct csv_row *row)
{
    ++*(int *)cls;
    return row->line == 2 ? ST_CONFLICT : ST_OK;
}

static void a_callbacks_status_stops_the_reading(void **state UNUSED)
{
    int rows = 0;
    struct csv_reader *reader = csv_reader_new(LIMIT, refuse_second, &rows);

    assert_int_equal(csv_feed(reader, "a,b\n1,2\n3,4\n", 12), ST_CONFLICT);
    assert_int_equal(rows, 2);
    assert_int_equal(csv_delimiter(reader), ',');
    csv_reader_free(reader);
}

static void lines_are_the_same_however_they_are_cut(void **state UNUSED)
{
    static const struct {
        const char *label;
        struct text in;
        const char *expected;
    } cases[] = {
        {"empty", T(""), ""},
        {"two", T("{\"a\":1}\n{\"b\":2}\n"), "1:[{\"a\":1}]|2:[{\"b\":2}]|"},
        {"no end, CRLF, blank lines", T("a\r\n\r\n \nb"), "1:[a]|4:[b]|"},
        {"byte order mark",
         T("\xef\xbb\xbf"
           "a\n"),
         "1:[a]|"},
        {"at the limit", T("0123456789abcdef\nx\n"), "1:[0123456789abcdef]|2:[x]|"},
        {"over the limit", T("0123456789abcdefg\nx\n"), "1:[0123456789abcdef]!row-too-long|2:[x]|"},
        {"far over the limit", T(A70 A70 "\nx"), "1:[aaaaaaaaaaaaaaaa]!row-too-long|2:[x]|"},
        {"not UTF-8", T("a\xff\nx"), "1:[a\xff]!not-utf8|2:[x]|"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(cases[i].label, read_lines, cases[i].in, cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_gives_the_same_rows_however_it_is_cut),
        cmocka_unit_test(hostile_quotes_do_not_cost_more_than_a_multiple),
        cmocka_unit_test(a_callbacks_status_stops_the_reading),
        cmocka_unit_test(lines_are_the_same_however_they_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
