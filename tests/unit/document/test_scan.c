/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is by its bytes, however they come; and the name under which it may be saved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/document.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define BYTES(literal) "" literal, sizeof(literal) - 1
#define PDF            "application/pdf"

static void first_bytes_tell_the_type(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *type;
    } cases[] = {
        {BYTES("%PDF-1.4\n"), PDF},
        {BYTES("%PDF-"), PDF},
        {BYTES("%PDF"), NULL},
        {BYTES("%pdf-1.4"), NULL},
        {BYTES(" %PDF-1.4"), NULL},
        {BYTES("\xef\xbb\xbf%PDF-1.4"), NULL},
        {BYTES("\xff\xd8\xff\xe0"), "image/jpeg"},
        {BYTES("\xff\xd8"), NULL},
        {BYTES("\x89PNG\r\n\x1a\n"), "image/png"},
        {BYTES("\x89PNG\r\n\x1a\r"), NULL},
        {BYTES("\x89PNG\n\x1a\n "), NULL}, /* as text mode leaves it */
        {BYTES("GIF89a"), NULL},
        {BYTES("<html>"), NULL},
        {BYTES(""), NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct document_scan scan;
        const char *type;
        document_scan_begin(&scan, PDF);
        document_scan_feed(&scan, cases[i].bytes, cases[i].len);
        type = document_scan_type(&scan);
        if (cases[i].type)
            assert_string_equal(type, cases[i].type);
        else
            assert_null(type);
    }
}

/* `filler` bytes stand between beginning and end. */
static void what_is_odd_is_found_in_pieces_of_any_size(void **state)
{
    static const struct {
        const char *type, *begin, *end;
        size_t filler, padding;
        const char *warnings;
    } cases[] = {
        {PDF, "%PDF-1.7\n", "%%EOF\n", 0, 0, "{}"},
        {PDF, "%PDF-1.7\n", "%%EOF\n", 3000, 0, "{}"},
        {PDF, "%PDF-1.7\n", "%%EOF", 3000, 1019, "{}"},
        {PDF, "%PDF-1.7\n", "%%EOF", 3000, 1020, "{no-end}"},
        {PDF, "%PDF-1.7\n", "%%EO", 3000, 0, "{no-end}"},
        {PDF, "%PDF-1.7\n%%EOF", "", 3000, 0, "{no-end}"},
        {PDF, "%PDF-1.7\n/Encrypt 5 0 R", "%%EOF", 3000, 0, "{pdf-encrypted}"},
        {PDF, "%PDF-1.7\n//Encrypt", "%%EOF", 30, 0, "{pdf-encrypted}"},
        {PDF, "%PDF-1.7\n/En/Encrypt", "", 30, 0, "{pdf-encrypted,no-end}"},
        {PDF, "%PDF-1.7\n/Encryp", "t%%EOF", 1, 0, "{}"},
        {PDF, "%PDF-1.7\nEncrypt", "%%EOF", 30, 0, "{}"},
        {"image/png", "\x89PNG\r\n\x1a\n/Encrypt", "IEND\xae\x42\x60\x82", 3000, 0, "{}"},
        {"image/png", "\x89PNG\r\n\x1a\n", "IEND\xae\x42\x60\x82", 3000, 57, "{no-end}"},
        {"image/png", "\x89PNG\r\n\x1a\n", "IEND", 3000, 0, "{no-end}"},
        {"image/jpeg", "\xff\xd8\xff", "\xff\xd9", 3000, 62, "{}"},
        {"image/jpeg", "\xff\xd8\xff", "\xff\xd9", 3000, 63, "{no-end}"},
    };
    static const size_t pieces[] = {1, 2, 3, 7, 8, 9, 1023, 1024, 1025, 100000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t a = strlen(cases[i].begin), b = strlen(cases[i].end), len = a + cases[i].filler + b + cases[i].padding;
        char *bytes = malloc(len);
        assert_non_null(bytes);
        memset(bytes, '.', len);
        memcpy(bytes, cases[i].begin, a);
        memcpy(bytes + a + cases[i].filler, cases[i].end, b);
        for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
            struct document_scan scan;
            document_scan_begin(&scan, cases[i].type);
            for (size_t at = 0; at < len; at += pieces[k])
                document_scan_feed(&scan, bytes + at, pieces[k] < len - at ? pieces[k] : len - at);
            if (strcmp(document_scan_warnings(&scan), cases[i].warnings) != 0)
                print_error("case %zu in pieces of %zu: %s\n", i, pieces[k], document_scan_warnings(&scan));
            assert_string_equal(document_scan_warnings(&scan), cases[i].warnings);
            assert_string_equal(document_scan_type(&scan), cases[i].type);
        }
        free(bytes);
    }
}

static void a_name_is_safe_to_save_under(void **state)
{
    static const struct {
        const char *name, *type, *header;
    } cases[] = {
        {"SK Jabatan 821.2/17", PDF, "attachment; filename=\"SK-Jabatan-821.2-17.pdf\"; filename*=UTF-8''SK%20Jabatan%20821.2-17.pdf"},
        {"a\"b\r\nX: y", "image/png", "attachment; filename=\"a-b-X-y.png\"; filename*=UTF-8''a-b%0D%0AX-%20y.png"},
        {"..\\..\\CON", "image/jpeg", "attachment; filename=\"CON.jpg\"; filename*=UTF-8''..-..-CON.jpg"},
        {"N\xc3\xa9", PDF, "attachment; filename=\"N.pdf\"; filename*=UTF-8''N%C3%A9.pdf"},
        {"\xe6\x96\x87", PDF, "attachment; filename=\"dokumen.pdf\"; filename*=UTF-8''%E6%96%87.pdf"},
        {"100%", PDF, "attachment; filename=\"100.pdf\"; filename*=UTF-8''100%25.pdf"},
        {"", PDF, "attachment; filename=\"dokumen.pdf\"; filename*=UTF-8''.pdf"},
    };
    struct arena *arena = arena_new(0);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(document_disposition(arena, cases[i].name, cases[i].type), cases[i].header);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_bytes_tell_the_type),
        cmocka_unit_test(what_is_odd_is_found_in_pieces_of_any_size),
        cmocka_unit_test(a_name_is_safe_to_save_under),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
