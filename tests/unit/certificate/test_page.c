/* SPDX-License-Identifier: Apache-2.0 */
/* The page: it is drawn with the fonts at hand or refused, and the same certificate gives the same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/certificate.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define FONT "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
#define BOLD "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
#define NONE "/nowhere.ttf"

static const struct certificate_page sample = {.agency = "BKPSDM Kabupaten Contoh",
                                               .number = "0001/SERT/BKPSDM/II/2026",
                                               .name = "Dr. Nur’aini Çelik, M.Si.",
                                               .nip = "199001152015031999",
                                               .programme = "Pelatihan Arsip Elektronik",
                                               .organiser = "BKPSDM Kabupaten Contoh",
                                               .starts_on = "2026-02-03",
                                               .ends_on = "2026-02-05",
                                               .jp = "24",
                                               .place = "Kota Contoh",
                                               .issued_on = "2026-02-07",
                                               .edition = "1",
                                               .url = "https://asn.example.go.id/v1/certificates/ABC"};

static enum status print(struct arena *arena, const struct certificate_page *page, const char *font, const char *bold, struct buf *out)
{
    struct ctx ctx = {.arena = arena};
    enum status st;
    buf_init(out, arena, 1024);
    st = certificate_print(&ctx, page, font, bold, out);
    if (st != ST_OK)
        assert_string_equal(ctx.problem.code, "certificate-unprintable");
    return st;
}

static void the_same_certificate_is_the_same_bytes(void **state)
{
    struct arena *arena = arena_new(0);
    struct buf first, second;
    (void)state;
    assert_int_equal(print(arena, &sample, FONT, BOLD, &first), ST_OK);
    assert_int_equal(print(arena, &sample, FONT, BOLD, &second), ST_OK);
    assert_true(first.len > 5000 && memcmp(first.data, "%PDF-", 5) == 0);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    arena_free(arena);
}

static const struct {
    const char *name, *font;
    bool is_printed;
} names[] = {
    {"Siti Rahmawati", FONT, true}, {"Siti Rahmawati", NONE, true},      {"José Çelik", NONE, true},        {"Nur’aini", FONT, true},
    {"Nur’aini", NONE, false},      {"Nguyễn Văn Đức", FONT, true},      {"Nguyễn Văn Đức", NONE, false},   {"陳美玲", FONT, false},
    {"Siti 😀", FONT, false},        {"Siti\xcc\x81 lepas", FONT, false}, {"Siti\xe2\x80\xae", FONT, false},
};

static void a_letter_that_no_font_has_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct arena *arena = arena_new(0);
        struct certificate_page page = sample;
        struct buf out;
        page.name = names[i].name;
        print_message("%s\n", names[i].name);
        assert_int_equal(print(arena, &page, names[i].font, BOLD, &out), names[i].is_printed ? ST_OK : ST_CONFLICT);
        arena_free(arena);
    }
}

/* As long as the contract lets them be, with and without a space to break at. */
static void what_is_long_is_set_smaller(void **state)
{
    char words[301], word[301];
    struct certificate_page page = sample;
    struct arena *arena = arena_new(0);
    struct buf out;
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        words[i] = i % 9 == 8 ? ' ' : 'W';
        word[i] = 'W';
    }
    words[300] = word[300] = '\0';
    page.is_revoked = true;
    for (int i = 0; i < 2; i++) {
        page.name = page.programme = page.organiser = page.held_at = page.signatory = i ? word : words;
        assert_int_equal(print(arena, &page, FONT, BOLD, &out), ST_OK);
        assert_int_equal(print(arena, &page, NONE, NONE, &out), ST_OK);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_certificate_is_the_same_bytes),
        cmocka_unit_test(a_letter_that_no_font_has_is_refused),
        cmocka_unit_test(what_is_long_is_set_smaller),
    };
    const struct problem_entry entry = {"certificate-unprintable", ST_CONFLICT, "en", "id"};
    return problem_register(&entry) ? cmocka_run_group_tests_name("certificate.page", tests, NULL, NULL) : 1;
}
