/* SPDX-License-Identifier: Apache-2.0 */
/* `format`: what is a date, a moment, a UUID, an e-mail address, a URI; and what other rooms add. */
#include "testing.h"

#include "internal.h"

struct format_case {
    const char *format, *text;
    bool fine;
};

static void formats_admit_and_refuse(void **state)
{
    static const struct format_case cases[] = {
        {"date", "2024-02-29", true},
        {"date", "2023-02-29", false},
        {"date", "2023-2-9", false},
        {"date", "2023-02-09 ", false},
        {"date", "", false},
        {"date-time", "2026-01-31T08:00:00+08:00", true},
        {"date-time", "2026-01-31T08:00:00.123456Z", true},
        {"date-time", "2026-01-31T08:00:00", false},
        {"date-time", "2026-01-31 08:00:00+08", false},
        {"uuid", "0190a000-0000-7000-8000-000000000000", true},
        {"uuid", "0190A000-0000-7000-8000-00000000000F", true},
        {"uuid", "0190a00000007000800000000000000000", false},
        {"uuid", "{0190a000-0000-7000-8000-000000000000}", false},
        {"email", "siti@contoh.go.id", true},
        {"email", "siti.rahma+kerja@contoh.go.id", true},
        {"email", "o'brien@x.id", true},
        {"email", "siti@contoh", true},
        {"email", "\"siti rahma\"@contoh.go.id", true},
        {"email", "\"a\\\"b@c\"@contoh.go.id", true},
        {"email", "siti@[192.0.2.1]", true},
        {"email", "siti@[IPv6:2001:db8::1]", true},
        {"email", "", false},
        {"email", "siti", false},
        {"email", "@contoh.go.id", false},
        {"email", "siti@", false},
        {"email", ".siti@x.id", false},
        {"email", "siti.@x.id", false},
        {"email", "si..ti@x.id", false},
        {"email", "si ti@x.id", false},
        {"email", "siti@-x.id", false},
        {"email", "siti@x-.id", false},
        {"email", "siti@x..id", false},
        {"email", "siti@x.id.", false},
        {"email", "siti@x_y.id", false},
        {"email", "siti@[...]", false},
        {"email", "siti@[1.2.3]", false},
        {"email", "siti@[256.1.1.1]", false},
        {"email", "siti@[IPv6:::::]", false},
        {"email", "siti@[2001:db8::1]", false},
        {"email", "\"\"@x.id", false},
        {"email", "\"a\\\"@x.id", false}, /* the closing quote is escaped */
        {"email", "\"a\"b\"@x.id", false},
        {"email", "\"a\n\"@x.id", false},
        {"uri", "https://contoh.go.id/a?b=c#d", true},
        {"uri", "urn:uuid:0190a000-0000-7000-8000-000000000000", true},
        {"uri", "http://[2001:db8::1]:8080/", true},
        {"uri", "a:%41", true},
        {"uri", "", false},
        {"uri", "/a/b", false},
        {"uri", "contoh.go.id", false},
        {"uri", "1a:b", false},
        {"uri", "a:b c", false},
        {"uri", "a:%4", false},
        {"uri", "a:%zz", false},
        {"uri", "a:[b]", false},
        {"uri", "a:\"b\"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *en = NULL, *id = NULL;
        bool fine = format_find(cases[i].format)(cases[i].text, strlen(cases[i].text), &en, &id);
        if (fine != cases[i].fine)
            fail_msg("%s \"%s\": %s", cases[i].format, cases[i].text, fine ? "let through" : "refused");
        if (!fine)
            assert_true(en && id && *en && *id);
    }
}

static void lengths_are_bounded(void **state)
{
    char local[80], domain[400] = "a@", label[100] = "a@";
    const char *en, *id;
    format_check email = format_find("email");
    (void)state;
    memset(local, 'a', sizeof local);
    memcpy(local + 64, "@x.id", 6);
    assert_true(email(local, strlen(local), &en, &id));
    memcpy(local + 65, "@x.id", 6);
    local[64] = 'a';
    assert_false(email(local, strlen(local), &en, &id));
    memset(label + 2, 'a', 63);
    assert_true(email(label, strlen(label), &en, &id));
    label[65] = 'a';
    assert_false(email(label, strlen(label), &en, &id));
    for (size_t i = 2; i < 300; i += 2)
        memcpy(domain + i, "a.", 2);
    domain[299] = 'a';
    assert_false(email(domain, strlen(domain), &en, &id));
}

/* A text need not end where its length says. */
static void nothing_behind_the_text_is_read(void **state)
{
    static const char *const names[] = {"date", "date-time", "uuid", "email", "uri"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *en, *id;
        char *bytes = malloc(1);
        assert_non_null(bytes);
        for (int c = 0; c < 256; c++) {
            *bytes = (char)c;
            assert_false(format_find(names[i])(bytes, 1, &en, &id));
        }
        free(bytes);
    }
}

static bool is_even(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    (void)text;
    *ret_en = "this has no even length";
    *ret_id = "panjangnya tidak genap";
    return len % 2 == 0;
}

static bool is_nothing(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    (void)text;
    (void)len;
    (void)ret_en;
    (void)ret_id;
    return false;
}

static void other_rooms_add_formats(void **state)
{
    (void)state;
    assert_false(format_is_known("even"));
    assert_null(format_find("even"));
    format_register("even", is_even);
    format_register("even", is_nothing); /* the first one stays */
    assert_true(format_is_known("even"));
    assert_ptr_equal(format_find("even"), is_even);
    assert_true(format_is_known("int64")); /* says how to read, and refuses nothing */
    assert_null(format_find("int64"));
}

static void a_format_without_a_reason_is_named(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    json_t *source = json_loads("{\"items\":{\"format\":\"bare\"}, \"prefixItems\":[{\"format\":\"even\"}]}", 0, NULL);
    json_t *instance = json_loads("[\"odd\",\"x\"]", 0, NULL);
    const struct schema *schema;
    (void)state;
    format_register("even", is_even);
    format_register("bare", is_nothing);
    schema = schema_compile(ctx.arena, source, "schema", stderr);
    assert_non_null(schema);
    assert_false(schema_validate(&ctx, schema, instance, NULL, "/rows"));
    assert_string_equal(faults_text(&ctx), "/rows/0 format-even this has no even length =odd\n/rows/1 format-bare this is no bare =x");
    json_decref(instance);
    json_decref(source);
    arena_free(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_admit_and_refuse),           cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(nothing_behind_the_text_is_read),    cmocka_unit_test(other_rooms_add_formats),
        cmocka_unit_test(a_format_without_a_reason_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
