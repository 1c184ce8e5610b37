/* SPDX-License-Identifier: Apache-2.0 */
/* The public JSON Schema Test Suite. ASND_JSON_SCHEMA_SUITE names a directory of draft 2020-12 tests (scripts/test.sh fetches it); the
 * suite of Debian's package json-schema-test-suite ends with draft 7, so from there those files are run whose keywords mean the same today.
 * What is left out stands in two tables here, with the reason, and in docs/json-schema.md. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/contract.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define DEBIAN_SUITE "/usr/share/json-schema-test-suite/tests/draft7"

/* A group of tests whose schema holds one of these keywords is left out. */
static const struct {
    const char *keyword, *reason;
} left_out_keywords[] = {
    {"$id", "the contract is one document: there is nothing to name by URI"},
    {"$anchor", "references are JSON Pointers"},
    {"$dynamicRef", "needs $id"},
    {"$dynamicAnchor", "needs $id"},
    {"$vocabulary", "there is one vocabulary"},
    {"contentEncoding", "annotation; refused so that nobody believes it is checked"},
    {"contentMediaType", "annotation; refused so that nobody believes it is checked"},
    {"contentSchema", "annotation; refused so that nobody believes it is checked"},
    {"dependencies", "gone since draft 2019-09"},
    {"definitions", "gone since draft 2019-09"},
};

/* Files of the 2020-12 suite. */
static const struct {
    const char *file, *reason;
} left_out_files[] = {
    {"format.json", "tests that formats refuse nothing; ours do (optional/format has the tests for that)"},
    {"refRemote.json", "no other documents are fetched"},
    {"vocabulary.json", "there is one vocabulary"},
    {"unknownKeyword.json", "an unknown keyword stops the start, on purpose"},
    {"dynamicRef.json", "needs $id"},
    {"anchor.json", "references are JSON Pointers"},
    {"content.json", "annotation"},
};

static const char *const formats[] = {"date.json", "date-time.json", "uuid.json", "email.json", "uri.json"};
static const char *const draft7_files[] = {"additionalProperties.json",
                                           "allOf.json",
                                           "anyOf.json",
                                           "boolean_schema.json",
                                           "const.json",
                                           "contains.json",
                                           "default.json",
                                           "enum.json",
                                           "exclusiveMaximum.json",
                                           "exclusiveMinimum.json",
                                           "if-then-else.json",
                                           "maximum.json",
                                           "maxItems.json",
                                           "maxLength.json",
                                           "maxProperties.json",
                                           "minimum.json",
                                           "minItems.json",
                                           "minLength.json",
                                           "minProperties.json",
                                           "multipleOf.json",
                                           "not.json",
                                           "oneOf.json",
                                           "pattern.json",
                                           "patternProperties.json",
                                           "properties.json",
                                           "propertyNames.json",
                                           "required.json",
                                           "type.json"};

static int passed, wrong, left_out;

static const char *left_out_reason(const json_t *schema)
{
    const char *key, *reason = NULL;
    json_t *value;
    size_t i;
    if (json_is_array(schema)) {
        json_array_foreach(schema, i, value) if (!reason) reason = left_out_reason(value);
        return reason;
    }
    json_object_foreach((json_t *)(uintptr_t)schema, key, value)
    {
        const char *ref = strcmp(key, "$ref") == 0 ? json_string_value(value) : NULL;
        for (i = 0; i < ARRAY_LEN(left_out_keywords); i++)
            if (strcmp(left_out_keywords[i].keyword, key) == 0)
                return left_out_keywords[i].reason;
        if (ref && ref[0] != '#')
            return "no other documents are fetched";
        if (!reason)
            reason = left_out_reason(value);
    }
    return reason;
}

static void run_group(const char *path, const json_t *group)
{
    struct arena *arena = arena_new(0);
    const char *name = json_string_value(json_object_get(group, "description"));
    const json_t *tests = json_object_get(group, "tests"), *test;
    struct schema *schema;
    size_t i;
    if (left_out_reason(json_object_get(group, "schema"))) {
        left_out += (int)json_array_size(tests);
        arena_free(arena);
        return;
    }
    schema = schema_compile(arena, json_object_get(group, "schema"), name, stderr);
    if (!schema) {
        fprintf(stderr, "%s: %s: does not compile\n", path, name);
        wrong++;
    }
    json_array_foreach(tests, i, test)
    {
        bool expected = json_is_true(json_object_get(test, "valid"));
        struct ctx ctx = {.arena = arena, .lang = LANG_EN};
        bool told = schema && schema_validate(&ctx, schema, json_object_get(test, "data"), NULL, "");
        if (!schema || schema_validate(NULL, schema, json_object_get(test, "data"), NULL, "") != expected || told != expected ||
            (ctx.problem.n_faults == 0) != expected) { /* who refuses must say why */
            fprintf(stderr, "%s: %s: %s\n", path, name, json_string_value(json_object_get(test, "description")));
            wrong++;
        } else {
            passed++;
        }
    }
    arena_free(arena);
}

static void run_file(const char *directory, const char *file)
{
    char path[4096];
    json_error_t error;
    json_t *groups;
    const json_t *group;
    size_t i;
    snprintf(path, sizeof path, "%s/%s", directory, file);
    groups = json_load_file(path, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!groups) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        wrong++;
    }
    json_array_foreach(groups, i, group) run_group(path, group);
    json_decref(groups);
}

static bool is_left_out(const char *file)
{
    for (size_t i = 0; i < ARRAY_LEN(left_out_files); i++)
        if (strcmp(left_out_files[i].file, file) == 0)
            return true;
    return false;
}

static void report(const char *name)
{
    printf("%s: %d passed, %d wrong, %d left out\n", name, passed, wrong, left_out);
    assert_int_equal(wrong, 0);
    assert_true(passed > 300);
}

static void draft_2020_12(void **state)
{
    const char *directory = getenv("ASND_JSON_SCHEMA_SUITE");
    char below[4096];
    struct dirent *entry;
    DIR *dir;
    (void)state;
    passed = wrong = left_out = 0;
    if (!directory && !getenv("CI")) {
        printf("draft 2020-12: NOT RUN, ASND_JSON_SCHEMA_SUITE is not set (scripts/test.sh sets it; with CI=true this is a failure)\n");
        return;
    }
    assert_non_null(directory);
    dir = opendir(directory);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (strstr(entry->d_name, ".json") && !is_left_out(entry->d_name))
            run_file(directory, entry->d_name);
    closedir(dir);
    snprintf(below, sizeof below, "%s/optional/format", directory);
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        run_file(below, formats[i]);
    snprintf(below, sizeof below, "%s/optional", directory);
    run_file(below, "non-bmp-regex.json");
    run_file(below, "no-schema.json");
    report("draft 2020-12");
}

static void draft_7_where_it_means_the_same(void **state)
{
    (void)state;
    passed = wrong = left_out = 0;
    for (size_t i = 0; i < ARRAY_LEN(draft7_files); i++)
        run_file(DEBIAN_SUITE, draft7_files[i]);
    report("draft 7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(draft_2020_12), cmocka_unit_test(draft_7_where_it_means_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
