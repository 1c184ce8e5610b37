/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses, the catalogue, and problems as RFC 9457 in both languages. */
#include "testing.h"

#include <jansson.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/status.h"

static struct ctx new_ctx(enum lang lang)
{
    return (struct ctx){.arena = arena_new(0), .lang = lang, .request_id = "0192f0c1-0000-7000-8000-000000000001"};
}

/* The problem as a parsed document; each write must be JSON without duplicate members. */
static json_t *written(const struct ctx *ctx, const char *instance)
{
    struct buf buf;
    json_t *root;
    buf_init(&buf, ctx->arena, 0);
    problem_write(&buf, ctx, instance);
    root = json_loadb(buf.data, buf.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static void http_codes(void **state)
{
    static const struct {
        enum status status;
        int http;
        const char *name;
    } cases[] = {
        {ST_OK, 200, "OK"},           {ST_BAD_REQUEST, 400, "BAD_REQUEST"}, {ST_PRECONDITION_REQUIRED, 428, "PRECONDITION_REQUIRED"},
        {ST_INVALID, 422, "INVALID"}, {ST_UNAVAILABLE, 503, "UNAVAILABLE"}, {ST_VERSION_NOT_SUPPORTED, 505, "VERSION_NOT_SUPPORTED"},
        {ST_RETRY, 503, "RETRY"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(status_http(cases[i].status), cases[i].http);
        assert_string_equal(status_name(cases[i].status), cases[i].name);
        if (cases[i].status != ST_OK && cases[i].status != ST_RETRY)
            assert_int_equal(status_from_http(cases[i].http), cases[i].status);
    }
    assert_int_equal(status_from_http(418), ST_INTERNAL);
    assert_int_equal(status_from_http(200), ST_INTERNAL);
}

struct walk {
    int n;
    const char *previous;
};

static void check_entry(void *cls, const struct problem_entry *entry)
{
    struct walk *walk = cls;
    walk->n++;
    assert_true(strlen(entry->title_en) > 0 && strlen(entry->title_id) > 0);
    assert_true(status_http(entry->status) >= 400);
    if (walk->previous)
        assert_true(strcmp(walk->previous, entry->code) < 0); /* in order, and no code twice */
    walk->previous = entry->code;
    assert_string_equal(problem_find(entry->code)->code, entry->code);
}

static void the_catalogue_is_ordered_unique_and_worded(void **state)
{
    struct walk walk = {0, NULL};
    (void)state;
    problem_each(check_entry, &walk);
    assert_true(walk.n >= 30);
    assert_null(problem_find("no-such-code"));
}

static void contracts_add_codes_but_cannot_bend_them(void **state)
{
    static const struct problem_entry mine = {"nip-taken", ST_CONFLICT, "This NIP is taken", "NIP ini sudah dipakai"};
    static const struct problem_entry reworded = {"nip-taken", ST_CONFLICT, "Taken", "Dipakai"};
    static const struct problem_entry bent = {"nip-taken", ST_INVALID, "Taken", "Dipakai"};
    static const struct problem_entry bent_builtin = {"not-found", ST_GONE, "Gone", "Hilang"};
    struct walk before = {0, NULL}, after = {0, NULL};
    (void)state;
    problem_each(check_entry, &before);
    assert_true(problem_register(&mine));
    assert_false(problem_register(&bent));
    assert_false(problem_register(&bent_builtin));
    assert_int_equal(problem_find("nip-taken")->status, ST_CONFLICT);
    assert_int_equal(problem_find("not-found")->status, ST_NOT_FOUND);
    assert_true(problem_register(&reworded)); /* the contract was loaded again */
    assert_string_equal(problem_find("nip-taken")->title_en, "Taken");
    problem_each(check_entry, &after);
    assert_int_equal(after.n, before.n + 1);
}

static void many_codes_and_constraints_are_all_found(void **state)
{
    static char names[200][24];
    (void)state;
    assert_null(problem_find_constraint("asn_nip_key"));
    for (int i = 0; i < 200; i++) {
        int shuffled = i * 77 % 200;
        struct constraint_entry constraint = {names[i], "conflict", "/nip"};
        struct problem_entry problem = {names[i], ST_INVALID, "en", "id"};
        snprintf(names[i], sizeof names[i], "zz-%03d", shuffled);
        assert_true(problem_register(&problem));
        assert_true(problem_register_constraint(&constraint));
    }
    for (int i = 0; i < 200; i++) {
        assert_string_equal(problem_find(names[i])->code, names[i]);
        assert_string_equal(problem_find_constraint(names[i])->pointer, "/nip");
    }
    assert_null(problem_find_constraint("zz-200"));
    assert_true(problem_register_constraint(&(struct constraint_entry){names[0], "conflict", ""}));
    assert_string_equal(problem_find_constraint(names[0])->pointer, "");
}

static void a_problem_in_both_languages(void **state)
{
    static const struct {
        enum lang lang;
        const char *title, *detail;
    } cases[] = {
        {LANG_EN, "The record has changed", "Version 3 was meant, but the record is at 5."},
        {LANG_ID, "Data sudah berubah", "Yang dimaksud versi 3, padahal data pada versi 5."},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = new_ctx(cases[i].lang);
        json_t *root;
        assert_int_equal(fail(&ctx, ST_PRECONDITION_FAILED, "version-stale", "Version %d was meant, but the record is at %d.",
                              "Yang dimaksud versi %d, padahal data pada versi %d.", 3, 5),
                         ST_PRECONDITION_FAILED);
        root = written(&ctx, "/v1/asn/1");
        assert_string_equal(text_of(root, "type"), "/docs#version-stale");
        assert_string_equal(text_of(root, "title"), cases[i].title);
        assert_int_equal(json_integer_value(json_object_get(root, "status")), 412);
        assert_string_equal(text_of(root, "detail"), cases[i].detail);
        assert_string_equal(text_of(root, "instance"), "/v1/asn/1");
        assert_string_equal(text_of(root, "code"), "version-stale");
        assert_string_equal(text_of(root, "request_id"), ctx.request_id);
        assert_null(json_object_get(root, "errors"));
        assert_int_equal(json_object_size(root), 7);
        json_decref(root);
        arena_free(ctx.arena);
    }
}

static void what_is_unknown_is_left_out(void **state)
{
    struct ctx ctx = new_ctx(LANG_EN);
    json_t *root;
    (void)state;
    ctx.request_id = NULL;
    fail(&ctx, ST_NOT_FOUND, "not-found", "None.", "Tidak ada.");
    root = written(&ctx, NULL);
    assert_null(json_object_get(root, "instance"));
    assert_null(json_object_get(root, "request_id"));
    json_decref(root);
    problem_clear(&ctx); /* nobody worded it: still a whole problem, and ours */
    root = written(&ctx, "/");
    assert_int_equal(json_integer_value(json_object_get(root, "status")), 500);
    assert_string_equal(text_of(root, "code"), "internal");
    assert_string_equal(text_of(root, "title"), "Our fault");
    json_decref(root);
    arena_free(ctx.arena);
}

static void each_kind_of_fault(void **state)
{
    struct ctx ctx = new_ctx(LANG_ID);
    struct fault *fault;
    json_t *root, *errors;
    char where[] = "/riwayat/0/tahun";
    (void)state;
    fault_add(&ctx, AT_BODY, where, "range", "At most %d.", "Paling banyak %d.", 9)->value = "12";
    memset(where, 'x', sizeof where - 1); /* it was copied */
    fault_add(&ctx, AT_BODY, NULL, "type", "An object.", "Objek.");
    fault_add(&ctx, AT_PARAMETER, "statsu", "unknown", "Unknown.", "Tidak dikenal.")->suggestion = "status";
    fault = fault_add(&ctx, AT_ROW, "nip", "format", "Not a NIP.", "Bukan NIP.");
    fault->line = 17;
    fault_add(&ctx, AT_ROW, NULL, "width", "Too many fields.", "Terlalu banyak kolom.")->line = 18;
    fail(&ctx, ST_INVALID, "invalid", "%d faults.", "%d kesalahan.", ctx.problem.n_faults);
    root = written(&ctx, "/v1/x");
    errors = json_object_get(root, "errors");
    assert_int_equal(json_array_size(errors), 5);
    assert_string_equal(text_of(json_array_get(errors, 0), "pointer"), "/riwayat/0/tahun");
    assert_string_equal(text_of(json_array_get(errors, 0), "detail"), "Paling banyak 9.");
    assert_string_equal(text_of(json_array_get(errors, 0), "value"), "12");
    assert_null(json_object_get(json_array_get(errors, 0), "suggestion"));
    assert_null(json_object_get(json_array_get(errors, 0), "line"));
    assert_string_equal(text_of(json_array_get(errors, 1), "pointer"), "");
    assert_string_equal(text_of(json_array_get(errors, 2), "parameter"), "statsu");
    assert_string_equal(text_of(json_array_get(errors, 2), "suggestion"), "status");
    assert_null(json_object_get(json_array_get(errors, 2), "pointer"));
    assert_int_equal(json_integer_value(json_object_get(json_array_get(errors, 3), "line")), 17);
    assert_string_equal(text_of(json_array_get(errors, 3), "column"), "nip");
    assert_string_equal(text_of(json_array_get(errors, 3), "code"), "format");
    assert_null(json_object_get(json_array_get(errors, 4), "column"));
    assert_string_equal(text_of(root, "detail"), "5 kesalahan.");
    json_decref(root);
    arena_free(ctx.arena);
}

static void hostile_text_stays_inside_its_string(void **state)
{
    struct ctx ctx = new_ctx(LANG_EN);
    json_t *root;
    (void)state;
    fault_add(&ctx, AT_BODY, "/a\"b\\{", "type", "%s", "%s", "line\nbreak \xff {")->value = "\",\"code\":\"x";
    fail(&ctx, ST_INVALID, "invalid", "%s", "%s", "}{\"");
    root = written(&ctx, "/v1/\"}{");
    assert_string_equal(text_of(json_array_get(json_object_get(root, "errors"), 0), "pointer"), "/a\"b\\{");
    assert_string_equal(text_of(json_array_get(json_object_get(root, "errors"), 0), "value"), "\",\"code\":\"x");
    assert_string_equal(text_of(json_array_get(json_object_get(root, "errors"), 0), "detail"), "line\nbreak \xef\xbf\xbd {");
    assert_string_equal(text_of(root, "instance"), "/v1/\"}{");
    json_decref(root);
    arena_free(ctx.arena);
}

static void a_hundred_faults_are_kept_and_all_are_counted(void **state)
{
    struct ctx ctx = new_ctx(LANG_EN);
    json_t *root, *errors;
    (void)state;
    for (int i = 0; i < 150; i++) {
        struct fault *fault = fault_add(&ctx, AT_ROW, "nip", "format", "Row %d.", "Baris %d.", i);
        assert_int_equal(fault != NULL, i < PROBLEM_FAULTS_MAX);
        if (fault)
            fault->line = i + 1;
    }
    assert_int_equal(ctx.problem.n_faults, 150);
    fail(&ctx, ST_INVALID, "invalid", "%d faults.", "%d kesalahan.", ctx.problem.n_faults);
    root = written(&ctx, NULL);
    errors = json_object_get(root, "errors");
    assert_int_equal(json_array_size(errors), 100);
    assert_string_equal(text_of(json_array_get(errors, 99), "detail"), "Row 99.");
    json_decref(root);
    arena_free(ctx.arena);
}

static void a_later_failure_overwrites_but_keeps_faults_and_clear_forgets(void **state)
{
    struct ctx ctx = new_ctx(LANG_EN);
    (void)state;
    fault_add(&ctx, AT_BODY, "/a", "type", "One.", "Satu.");
    fail(&ctx, ST_INVALID, "invalid", "First.", "Pertama.");
    fail(&ctx, ST_CONFLICT, "conflict", "Second.", "Kedua.");
    assert_int_equal(ctx.problem.status, ST_CONFLICT);
    assert_string_equal(ctx.problem.code, "conflict");
    assert_string_equal(ctx.problem.detail, "Second.");
    assert_int_equal(ctx.problem.n_faults, 1);
    problem_clear(&ctx);
    assert_int_equal(ctx.problem.status, ST_OK);
    assert_null(ctx.problem.first_fault);
    assert_non_null(fault_add(&ctx, AT_BODY, "/b", "type", "One.", "Satu."));
    assert_string_equal(ctx.problem.first_fault->where, "/b");
    arena_free(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_codes),
        cmocka_unit_test(the_catalogue_is_ordered_unique_and_worded),
        cmocka_unit_test(contracts_add_codes_but_cannot_bend_them),
        cmocka_unit_test(many_codes_and_constraints_are_all_found),
        cmocka_unit_test(a_problem_in_both_languages),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(each_kind_of_fault),
        cmocka_unit_test(hostile_text_stays_inside_its_string),
        cmocka_unit_test(a_hundred_faults_are_kept_and_all_are_counted),
        cmocka_unit_test(a_later_failure_overwrites_but_keeps_faults_and_clear_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
