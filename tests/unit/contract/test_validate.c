/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is told of an instance that does not fit: pointers, codes, words in two languages, values and suggestions; and what no client
 * can make the validator do. Whether instances fit is the matter of test_suite.c. */
#include "testing.h"

#include <time.h>

#include "asnd/decimal.h"

static json_t *parsed(struct arena *arena, const char *text)
{
    json_error_t error;
    json_t *node = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (!node)
        fail_msg("%s: %s", text, error.text);
    arena_on_free(arena, (void (*)(void *))json_decref, node);
    return node;
}

static const struct schema *compiled(struct arena *arena, const char *text)
{
    struct schema *schema = schema_compile(arena, parsed(arena, text), "t", stderr);
    assert_non_null(schema);
    return schema;
}

/* The faults as text; "" if there are none. */
static const char *told(struct ctx *ctx, const char *schema, const char *instance)
{
    json_t *node = parsed(ctx->arena, instance);
    const struct json_numbers *numbers = json_numbers_new(ctx->arena, instance, strlen(instance), node);
    bool fits = schema_validate(ctx, compiled(ctx->arena, schema), node, numbers, "");
    assert_int_equal(fits, ctx->problem.n_faults == 0); /* who refuses says why */
    return faults_text(ctx);
}

static void each_keyword_has_its_code_and_words(void **state)
{
    static const struct {
        const char *schema, *instance, *en, *id;
    } cases[] = {
        {"{\"type\":\"integer\"}", "\"7\"", " type this must be a whole number =7", " type ini harus bilangan bulat =7"},
        {"{\"type\":[\"string\",\"null\"]}", "1.50", " type this must be null or a text =1.50", " type ini harus null atau teks =1.50"},
        {"{\"type\":[\"integer\",\"number\"]}", "true", " type this must be a number =true", " type ini harus bilangan =true"},
        {"{\"type\":\"object\"}", "[1]", " type this must be an object", " type ini harus objek"},
        {"{\"enum\":[\"PNS\",\"CPNS\",3]}", "\"PSN\"", " enum this must be one of: PNS, CPNS, 3 =PSN ?PNS",
         " enum ini harus salah satu dari: PNS, CPNS, 3 =PSN ?PNS"},
        {"{\"const\":1.0}", "2", " const this must be exactly 1 =2", " const ini harus tepat 1 =2"},
        {"{\"minimum\":0.1}", "0.09999999999999999999", " too-small this must be at least 0.1 =0.09999999999999999999",
         " too-small ini paling sedikit 0.1 =0.09999999999999999999"},
        {"{\"maximum\":10}", "11", " too-large this must be at most 10 =11", " too-large ini paling banyak 10 =11"},
        {"{\"exclusiveMinimum\":0}", "0", " too-small this must be more than 0 =0", " too-small ini harus lebih dari 0 =0"},
        {"{\"exclusiveMaximum\":1}", "1.0", " too-large this must be less than 1 =1.0", " too-large ini harus kurang dari 1 =1.0"},
        {"{\"multipleOf\":0.01}", "0.125", " not-multiple this must be a multiple of 0.01 =0.125",
         " not-multiple ini harus kelipatan 0.01 =0.125"},
        {"{\"minLength\":2}", "\"\xc3\xa9\"", " too-short this must have at least 2 characters =\xc3\xa9",
         " too-short ini paling sedikit 2 karakter =\xc3\xa9"},
        {"{\"maxLength\":1}", "\"ab\"", " too-long this may have at most 1 characters =ab", " too-long ini paling banyak 1 karakter =ab"},
        {"{\"pattern\":\"^a\"}", "\"b\"", " pattern this does not have the form that is asked for =b ~^a",
         " pattern bentuknya tidak seperti yang diminta =b ~^a"},
        {"{\"pattern\":\"^a\",\"title\":\"Words in a\",\"description\":\"More\",\"examples\":[\"abc\",\"ab\"]}", "\"b\"",
         " pattern this does not have the form of: Words in a; for example abc =b ~^a",
         " pattern bentuknya tidak seperti: Words in a; misalnya abc =b ~^a"},
        {"{\"pattern\":\"^a\",\"description\":\"A word in a\",\"example\":\"aa\"}", "\"b\"",
         " pattern this does not have the form of: A word in a; for example aa =b ~^a",
         " pattern bentuknya tidak seperti: A word in a; misalnya aa =b ~^a"},
        {"{\"x-patterns\":{\"^a\":{\"en\":\"an a\",\"id\":\"sebuah a\"}},\"pattern\":\"^a\",\"title\":\"T\"}", "\"b\"",
         " pattern this does not have the form of: an a =b ~^a", " pattern bentuknya tidak seperti: sebuah a =b ~^a"},
        /* what the format says, length and pattern would say again; what is far too long is only that */
        {"{\"format\":\"date\",\"minLength\":10,\"maxLength\":10,\"pattern\":\"^20\"}", "\"x\"",
         " format-date this is no date of the calendar; write YYYY-MM-DD =x",
         " format-date ini bukan tanggal kalender; tulis YYYY-MM-DD =x"},
        {"{\"format\":\"date\",\"maxLength\":2,\"pattern\":\"^b\"}", "\"aaaaaaaaa\"",
         " too-long this may have at most 2 characters =aaaaaaaaa", " too-long ini paling banyak 2 karakter =aaaaaaaaa"},
        {"{\"format\":\"date\",\"pattern\":\"^20\"}", "\"1999-01-01\"",
         " pattern this does not have the form that is asked for =1999-01-01 ~^20",
         " pattern bentuknya tidak seperti yang diminta =1999-01-01 ~^20"},
        {"{\"format\":\"date\"}", "\"2026-02-30\"", " format-date this is no date of the calendar; write YYYY-MM-DD =2026-02-30",
         " format-date ini bukan tanggal kalender; tulis YYYY-MM-DD =2026-02-30"},
        {"{\"required\":[\"a/b\"]}", "{}", "/a~1b required a/b is missing", "/a~1b required a/b belum ada"},
        {"{\"properties\":{\"name\":{}},\"additionalProperties\":false}", "{\"nmae\":1}",
         "/nmae unknown-member there is no member \"nmae\" here; is \"name\" meant? ?name",
         "/nmae unknown-member tidak ada anggota \"nmae\" di sini; maksudnya \"name\"? ?name"},
        {"{\"properties\":{\"name\":{}},\"additionalProperties\":false}", "{\"~z\":1}",
         "/~0z unknown-member there is no member \"~z\" here", "/~0z unknown-member tidak ada anggota \"~z\" di sini"},
        {"{\"allOf\":[{\"properties\":{\"code\":{}}}],\"unevaluatedProperties\":false}", "{\"cdoe\":1}",
         "/cdoe unknown-member there is no member \"cdoe\" here; is \"code\" meant? ?code",
         "/cdoe unknown-member tidak ada anggota \"cdoe\" di sini; maksudnya \"code\"? ?code"},
        {"{\"minProperties\":1}", "{}", " too-few-members this must have at least 1 members",
         " too-few-members ini paling sedikit 1 anggota"},
        {"{\"maxProperties\":0}", "{\"a\":1}", " too-many-members this may have at most 0 members",
         " too-many-members ini paling banyak 0 anggota"},
        {"{\"minItems\":1}", "[]", " too-few-items this must have at least 1 items", " too-few-items ini paling sedikit 1 butir"},
        {"{\"maxItems\":1}", "[1,2]", " too-many-items this may have at most 1 items", " too-many-items ini paling banyak 1 butir"},
        {"{\"uniqueItems\":true}", "[1,{\"a\":[2.50]},1.0,{\"a\":[2.5]}]", "/2 duplicate-items this stands there already, as item 0",
         "/2 duplicate-items ini sudah ada, sebagai butir 0"},
        {"{\"contains\":{\"const\":1}}", "[2]", " contains 0 items have the required form; at least 1 must",
         " contains 0 butir sesuai syarat; paling sedikit 1"},
        {"{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]", " contains 2 items have the limited form; at most 1 may",
         " contains 2 butir sesuai syarat; paling banyak 1"},
        {"{\"not\":{\"type\":\"null\"}}", "null", " not this has a form that is not allowed here",
         " not bentuk ini tidak diizinkan di sini"},
        {"false", "1", " not-allowed nothing is allowed here", " not-allowed tidak boleh ada apa pun di sini"},
        {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "/b required a needs b beside it", "/b required a memerlukan b"},
        {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "3", " one-of this has several of the forms of which exactly one is allowed",
         " one-of ini sesuai dengan beberapa bentuk; hanya satu yang boleh"},
        {"{\"anyOf\":[{\"required\":[\"a\",\"b\"]},{\"required\":[\"c\"]}]}", "{\"a\":1}", " any-of give either `a` and `b`, or `c`",
         " any-of berikan salah satu: `a` dan `b`, atau `c`"},
        {"{\"oneOf\":[{\"required\":[\"a\",\"b\"]},{\"required\":[\"c\"]}]}", "{}", " one-of give either `a` and `b`, or `c`",
         " one-of berikan salah satu: `a` dan `b`, atau `c`"},
        {"{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"c\"]}]}", "{\"a\":1,\"c\":1}", " one-of give only one of these: `a`, or `c`",
         " one-of berikan hanya satu dari ini: `a`, atau `c`"},
        {"{\"oneOf\":[{\"$ref\":\"#/$defs/"
         "x\"},{\"required\":[\"c\"]}],\"$defs\":{\"x\":{\"required\":[\"k\"],\"properties\":{\"k\":{\"const\":\"x\"}}}}}",
         "{\"b\":1}", " one-of give either `k` \"x\", or `c`", " one-of berikan salah satu: `k` \"x\", atau `c`"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int lang = LANG_ID; lang <= LANG_EN; lang++) {
            struct ctx ctx = {.arena = arena_new(0), .lang = (enum lang)lang};
            const char *expected = lang == LANG_EN ? cases[i].en : cases[i].id, *got = told(&ctx, cases[i].schema, cases[i].instance);
            if (strcmp(got, expected) != 0)
                fail_msg("%s of %s\nis told as %s\nnot       %s", cases[i].instance, cases[i].schema, got, expected);
            arena_free(ctx.arena);
        }
    }
}

static void all_faults_are_told_at_once(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    const char *got =
        told(&ctx,
             "{\"type\":\"object\",\"required\":[\"x\"],\"additionalProperties\":false,\"properties\":{"
             "\"a\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/n\"}},\"b\":{\"maxLength\":2,\"pattern\":\"^[a-z]+$\"}},"
             "\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\",\"maximum\":5}}}}}",
             "{\"a\":[{\"v\":6},{\"v\":\"s\"},3],\"b\":\"ABC\",\"c\":null}");
    (void)state;
    assert_string_equal(got, "/x required x is missing\n"
                             "/a/0/v too-large this must be at most 5 =6\n"
                             "/a/1/v type this must be a whole number =s\n"
                             "/a/2 type this must be an object =3\n"
                             "/b too-long this may have at most 2 characters =ABC\n"
                             "/b pattern this does not have the form that is asked for =ABC ~^[a-z]+$\n"
                             "/c unknown-member there is no member \"c\" here");
    arena_free(ctx.arena);
}

static void of_branches_the_one_that_was_meant_is_told(void **state)
{
    static const char variants[] =
        "{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"},\"n\":{\"type\":\"integer\"}}},"
        "{\"properties\":{\"kind\":{\"const\":\"b\"},\"n\":{\"type\":\"string\"},\"m\":{\"type\":\"string\"}}}]}";
    static const struct {
        const char *schema, *instance, *told;
    } cases[] = {
        /* by type */
        {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\",\"minLength\":3}]}", "\"ab\"",
         " too-short this must have at least 3 characters =ab"},
        {"{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/d\"}],\"$defs\":{\"d\":{\"type\":\"string\",\"format\":\"date\"}}}", "\"x\"",
         " format-date this is no date of the calendar; write YYYY-MM-DD =x"},
        {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "1", " type this must be a text =1"},
        /* by constant, although the other branch has fewer faults */
        {variants, "{\"kind\":\"b\",\"n\":1,\"m\":2}", "/n type this must be a text =1\n/m type this must be a text =2"},
        {variants, "{\"kind\":\"c\"}", " one-of this has none of the 2 forms that are allowed here"},
        /* what a failed branch knows is not unknown on top of it */
        {"{\"type\":\"object\",\"unevaluatedProperties\":false,\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":["
         "\"a\"]}]}",
         "{\"a\":\"x\"}", "/a type this must be a whole number =x"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        const char *got = told(&ctx, cases[i].schema, cases[i].instance);
        if (strcmp(got, cases[i].told) != 0)
            fail_msg("%s of %s\nis told as %s\nnot       %s", cases[i].instance, cases[i].schema, got, cases[i].told);
        arena_free(ctx.arena);
    }
}

static void values_of_secrets_never_come_back(void **state)
{
    static const char *const schemas[] = {
        "{\"properties\":{\"s\":{\"writeOnly\":true,\"maxLength\":3}}}",
        "{\"properties\":{\"s\":{\"x-sensitive\":true,\"enum\":[\"hushhusj\"]}}}",
        "{\"properties\":{\"s\":{\"writeOnly\":true,\"$ref\":\"#/$defs/t\"}},\"$defs\":{\"t\":{\"pattern\":\"^x\"}}}",
        "{\"properties\":{\"s\":{\"$ref\":\"#/$defs/t\",\"maxLength\":3}},\"$defs\":{\"t\":{\"writeOnly\":true}}}",
        "{\"properties\":{\"s\":{\"allOf\":[{\"writeOnly\":true},{\"const\":\"q\"}]}}}",
        "{\"properties\":{\"s\":{\"allOf\":[{\"format\":\"uuid\"},{\"x-sensitive\":true}]}}}",
        "{\"writeOnly\":true,\"properties\":{\"s\":{\"type\":\"integer\"}}}",
        "{\"properties\":{\"s\":{\"anyOf\":[{\"writeOnly\":true,\"maxLength\":1}]}}}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(schemas); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        const char *got = told(&ctx, schemas[i], "{\"s\":\"hushhush\"}");
        if (!*got || strstr(got, "hushhush") || strchr(got, '?'))
            fail_msg("%s tells: %s", schemas[i], got);
        arena_free(ctx.arena);
    }
}

static void a_bad_schema_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *schema, *said;
    } cases[] = {
        {"7", "t: #: a schema must be an object, true or false\n"},
        {"{\"properties\":{\"a/b\":{\"minimun\":1}}}", "t: #/properties/a~1b: unsupported keyword \"minimun\"\n"},
        {"{\"type\":\"text\"}", "t: #/type: this must be a type of JSON Schema, or a list of them\n"},
        {"{\"type\":[\"string\",\"text\"]}", "t: #/type: this must be a type of JSON Schema, or a list of them\n"},
        {"{\"required\":\"a\"}", "t: #/required: this must be a list of names\n"},
        {"{\"required\":[1]}", "t: #/required: this must be a list of names\n"},
        {"{\"minLength\":-1}", "t: #/minLength: this must be a whole number from 0 on\n"},
        {"{\"minLength\":1.5}", "t: #/minLength: this must be a whole number from 0 on\n"},
        {"{\"minimum\":\"1\"}", "t: #/minimum: this must be a number\n"},
        {"{\"multipleOf\":0}", "t: #/multipleOf: this must be a number above 0\n"},
        {"{\"uniqueItems\":1}", "t: #/uniqueItems: this must be true or false\n"},
        {"{\"enum\":\"a\"}", "t: #/enum: this must be a list\n"},
        {"{\"allOf\":[]}", "t: #/allOf: this must be a list of at least one schema\n"},
        {"{\"allOf\":[{},3]}", "t: #/allOf/1: a schema must be an object, true or false\n"},
        {"{\"properties\":[]}", "t: #/properties: this must be a mapping of names to schemas\n"},
        {"{\"dependentRequired\":{\"a\":\"b\"}}", "t: #/dependentRequired: this must be a mapping of names to lists of names\n"},
        {"{\"pattern\":\"a(\"}", "t: #/pattern: the pattern cannot be read at character 3\n"},
        {"{\"patternProperties\":{\"[\":{}}}", "t: #/patternProperties/[: the pattern cannot be read at character 2\n"},
        {"{\"format\":\"dat\"}", "t: #/format: unsupported format \"dat\"\n"},
        {"{\"$ref\":\"#/$defs/x\"}", "t: #/$ref: \"#/$defs/x\" points at nothing in this document\n"},
        {"{\"$ref\":\"other.json\"}", "t: #/$ref: \"other.json\" points at nothing in this document\n"},
        {"{\"$defs\":{\"unused\":{\"oops\":1}}}", "t: #/$defs/unused: unsupported keyword \"oops\"\n"},
        {"{\"$ref\":\"#\"}", "t: #: this schema applies itself to the same value, without end\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(0);
        struct heard heard;
        const struct schema *schema = schema_compile(arena, parsed(arena, cases[i].schema), "t", hear(&heard)->file);
        if (schema || strcmp(heard_text(&heard), cases[i].said) != 0)
            fail_msg("%s says: %s", cases[i].schema, heard_text(&heard));
        heard_done(&heard);
        arena_free(arena);
    }
}

static void notes_of_the_reader_are_let_through(void **state)
{
    struct arena *arena = arena_new(0);
    (void)state;
    compiled(arena,
             "{\"title\":\"t\",\"description\":\"d\",\"default\":1,\"example\":1,\"examples\":[1],\"deprecated\":true,\"readOnly\":true,"
             "\"writeOnly\":false,\"$comment\":\"c\",\"x-anything\":{\"minimum\":\"no schema\"},\"format\":\"int64\"}");
    arena_free(arena);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Generous bounds, since the sanitizers slow things down tenfold; what they guard against would take minutes or for ever. */
static void hostile_input_does_not_take_long(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct buf items, deep;
    const double start = seconds();
    const char *branching =
                   "{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"b\"]},{\"properties\":{\"a\":{\"$ref\":\"#\"}},"
                   "\"required\":[\"c\"]}]}",
               *got;
    (void)state;
    /* 10,000 different items, and no hash to collide */
    buf_init(&items, ctx.arena, 1 << 17);
    for (int i = 0; i < 10000; i++)
        buf_printf(&items, "%c{\"k\":%d.0}", i ? ',' : '[', i);
    buf_putc(&items, ']');
    assert_string_equal(told(&ctx, "{\"uniqueItems\":true}", buf_cstr(&items)), "");
    /* a schema that branches into itself on an instance 60 deep: 2^60 ways */
    buf_init(&deep, ctx.arena, 1000);
    for (int i = 0; i < 60; i++)
        buf_puts(&deep, "{\"a\":");
    buf_puts(&deep, "1");
    for (int i = 0; i < 60; i++)
        buf_putc(&deep, '}');
    got = told(&ctx, branching, buf_cstr(&deep));
    assert_non_null(strstr(got, "too-complex"));
    problem_clear(&ctx);
    /* a negation must not turn "given up" into "fits" */
    got =
        told(&ctx,
             "{\"not\":{\"$ref\":\"#/$defs/x\"},\"$defs\":{\"x\":{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"}},\"required\":"
             "[\"b\"]},{\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"}},\"required\":[\"c\"]}]}}}",
             buf_cstr(&deep));
    assert_non_null(strstr(got, "too-complex"));
    problem_clear(&ctx);
    /* backtracking without end */
    got = told(&ctx, "{\"pattern\":\"^(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"");
    assert_non_null(strstr(got, "pattern"));
    assert_true(seconds() - start < 60);
    arena_free(ctx.arena);
}

static void a_long_honest_text_still_matches(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct buf text;
    (void)state;
    buf_init(&text, ctx.arena, 20010);
    buf_putc(&text, '"');
    for (int i = 0; i < 10000; i++)
        buf_puts(&text, "a ");
    buf_putc(&text, '"');
    assert_string_equal(told(&ctx, "{\"pattern\":\"^[^\\\\x00-\\\\x1f]*$\"}", buf_cstr(&text)), "");
    arena_free(ctx.arena);
}

static void only_so_many_faults_are_kept(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct buf items;
    int kept = 0;
    (void)state;
    buf_init(&items, ctx.arena, 5000);
    for (int i = 0; i < 1000; i++)
        buf_printf(&items, "%c\"x\"", i ? ',' : '[');
    buf_putc(&items, ']');
    told(&ctx, "{\"items\":{\"type\":\"integer\"}}", buf_cstr(&items));
    for (const struct fault *f = ctx.problem.first_fault; f; f = f->next)
        kept++;
    assert_int_equal(ctx.problem.n_faults, 1000);
    assert_int_equal(kept, PROBLEM_FAULTS_MAX);
    arena_free(ctx.arena);
}

static void pointers_begin_with_the_prefix(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    (void)state;
    assert_false(schema_validate(&ctx, compiled(ctx.arena, "{\"items\":false}"), parsed(ctx.arena, "[1]"), NULL, "/data"));
    assert_string_equal(ctx.problem.first_fault->where, "/data/0");
    arena_free(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_keyword_has_its_code_and_words),
        cmocka_unit_test(all_faults_are_told_at_once),
        cmocka_unit_test(of_branches_the_one_that_was_meant_is_told),
        cmocka_unit_test(values_of_secrets_never_come_back),
        cmocka_unit_test(a_bad_schema_is_refused_with_its_place),
        cmocka_unit_test(notes_of_the_reader_are_let_through),
        cmocka_unit_test(hostile_input_does_not_take_long),
        cmocka_unit_test(a_long_honest_text_still_matches),
        cmocka_unit_test(only_so_many_faults_are_kept),
        cmocka_unit_test(pointers_begin_with_the_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
