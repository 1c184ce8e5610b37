/* SPDX-License-Identifier: Apache-2.0 */
/* Ids are those of the worked examples (NIP: A, NIK: B). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
/* Our own fail (asnd/status.h) words a problem; cmocka's two words for it become one. */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include "asnd/arena.h"
#include "person.h"

struct example {
    const char *label;
    struct person person;
    bool is_refused;
    const char *pointer;  /* of the only fault */
    const char *warnings; /* which words the literal must hold, or "" for none at all */
};

static const struct example examples[] = {
    {"A1 with nothing else known", {"199001152015031999", "PNS", NULL, NULL, NULL, NULL}, false, NULL, ""},
    {"A1 with all that fits", {"199001152015031999", "PNS", "1990-01-15", "M", "2015-03-01", "7602011501909999"}, false, NULL, ""},
    {"A4", {"199505202024211997", "PPPK", "1995-05-20", "M", "2024-01-01", NULL}, false, NULL, ""},
    {"A6: contract number declared PNS", {"199505202024211997", "PNS", NULL, NULL, NULL, NULL}, true, "/nip", NULL},
    {"A7: PNS number declared PPPK", {"199001152015031999", "PPPK", NULL, NULL, NULL, NULL}, true, "/nip", NULL},
    {"A19: appointed in another month", {"199001152015031999", "PNS", NULL, NULL, "2015-04-01", NULL}, false, NULL, "CON_1"},
    {"A20: another year of appointment", {"199505202024211997", "PPPK", NULL, NULL, "2023-01-01", NULL}, false, NULL, "CON_4"},
    {"A21: another sex", {"199001152015031999", "PNS", NULL, "F", NULL, NULL}, false, NULL, "CON_3"},
    {"birth date corrected later", {"199001152015031999", "PNS", "1990-01-16", NULL, NULL, NULL}, false, NULL, "CON_2"},
    {"B4: no such day", {"199001152015031999", "PNS", NULL, NULL, NULL, "7602013501909999"}, true, "/nik", NULL},
    {"B9: NIK of a woman", {"199001152015031999", "PNS", NULL, NULL, NULL, "7602015501909999"}, false, NULL, "NIK"},
};

static void check(const struct example *e)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct nip nip;
    const char *warnings = NULL;
    enum status st = person_check(&ctx, &e->person, "/nip", "/nik", &nip, &warnings);
    if (e->is_refused) {
        if (st != ST_INVALID || ctx.problem.n_faults != 1 || strcmp(ctx.problem.first_fault->where, e->pointer) != 0)
            fail_msg("%s: status %s, %d faults", e->label, status_name(st), ctx.problem.n_faults);
    } else if (st != ST_OK) {
        fail_msg("%s: status %s", e->label, status_name(st));
    } else if (*e->warnings ? strstr(warnings, e->warnings) == NULL : strcmp(warnings, "{}") != 0) {
        fail_msg("%s: warnings %s", e->label, warnings);
    }
    arena_free(ctx.arena);
}

static void numbers_are_held_against_the_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        check(&examples[i]);
}

static void both_numbers_are_named_at_once(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_ID};
    const struct person person = {"199001152015131999", "PNS", NULL, NULL, NULL, "7602011513909999"};
    struct nip nip;
    const char *warnings;
    (void)state;
    assert_int_equal(person_check(&ctx, &person, "/nip", "/nik", &nip, &warnings), ST_INVALID);
    assert_int_equal(ctx.problem.n_faults, 2);
    assert_null(ctx.problem.last_fault->value); /* a NIK is not repeated */
    arena_free(ctx.arena);
}

/* A record that came from elsewhere can be changed although its number is odd. */
static void a_number_that_is_not_given_now_is_no_fault(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    const struct person person = {"199001152015131999", "PNS", NULL, NULL, NULL, "7602011513909999"};
    struct nip nip;
    const char *warnings;
    (void)state;
    assert_int_equal(person_check(&ctx, &person, NULL, NULL, &nip, &warnings), ST_OK);
    assert_string_equal(warnings, "{}");
    arena_free(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_held_against_the_record),
        cmocka_unit_test(both_numbers_are_named_at_once),
        cmocka_unit_test(a_number_that_is_not_given_now_is_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
