/* SPDX-License-Identifier: Apache-2.0 */
/* The public JSON Schema Test Suite, draft 2020-12, against our validator: every group of every file but those in `left_out`, with the reasons
 * there. The directory is ASND_JSON_SCHEMA_SUITE, or where Debian's libtest-json-schema-acceptance-perl puts it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* ours, in asnd/status.h, is another */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/contract.h"
#include "asnd/decimal.h"

static const char debian[] = "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/draft2020-12";

/* What is left out, and why. docs/json-schema.md holds the same rows; a test below sees to it.
 * A `fault` leaves out the groups whose schema is refused for it (that it is refused is thereby held as well); a `file`, with or without the
 * beginning of a group's description, leaves out what is read otherwise on purpose. */
static const struct left_out {
    const char *fault, *file, *group, *shown, *reason;
} left_out[] = {
    {"unsupported keyword \"$id\"", NULL, NULL, "`$id`", "a contract is one document; `$ref` points into it by JSON Pointer"},
    {"unsupported keyword \"$anchor\"", NULL, NULL, "`$anchor`", "the same"},
    {"unsupported keyword \"$dynamicRef\"", NULL, NULL, "`$dynamicRef`, `$dynamicAnchor`",
     "what a reference means must not depend on who refers to it"},
    {"unsupported keyword \"$dynamicAnchor\"", NULL, NULL, "`$dynamicRef`, `$dynamicAnchor`",
     "what a reference means must not depend on who refers to it"},
    {"/$ref: \"http", NULL, NULL, "`$ref` to another document", "nothing is fetched, not even the metaschema"},
    {"unsupported keyword \"$vocabulary\"", NULL, NULL, "`$vocabulary`", "there is one vocabulary"},
    {"unsupported keyword \"contentMediaType\"", NULL, NULL, "`contentMediaType`, `contentEncoding`, `contentSchema`",
     "refused, so that nobody believes that they are checked"},
    {"unsupported keyword \"contentEncoding\"", NULL, NULL, "`contentMediaType`, `contentEncoding`, `contentSchema`",
     "refused, so that nobody believes that they are checked"},
    {"unsupported keyword \"contentSchema\"", NULL, NULL, "`contentMediaType`, `contentEncoding`, `contentSchema`",
     "refused, so that nobody believes that they are checked"},
    {"unsupported keyword \"dependencies\"", NULL, NULL, "`dependencies`",
     "of draft 7; `dependentRequired` and `dependentSchemas` took its place"},
    {"unsupported keyword \"unknown-keyword\"", NULL, NULL, "unknown keywords",
     "refused, so that a slip of the pen is no silent permission"},
    {"_of_schemas\"", NULL, NULL, "unknown keywords", "refused, so that a slip of the pen is no silent permission"},
    {"unsupported format", NULL, NULL, "formats that nobody checks", "refused, so that no contract promises them"},
    {"the pattern cannot be read", NULL, NULL, "`\\p{Letter}` and other long names in patterns", "PCRE2 knows the short ones: `\\p{L}`"},
    {NULL, "format.json", NULL, "`format.json`", "it wants formats not to be checked; here they are (`optional/format` holds them)"},
    {NULL, "optional/bignum.json", NULL, "`optional/bignum.json`",
     "whole numbers beyond 64 bits are refused before any schema sees them (422 `invalid`)"},
    {NULL, "optional/ecmascript-regex.json", "ECMA 262 \\s", "`\\s` beyond ASCII", "PCRE2's `\\s` is ASCII, like its `\\d` and `\\w`"},
    {NULL, "optional/ecmascript-regex.json", "ECMA 262 \\S", "`\\S` beyond ASCII", "PCRE2's `\\S` is ASCII, like its `\\D` and `\\W`"},
};

static struct {
    int passed, left_out, failed, files;
} counts;

static bool is_left_out(const char *file, const char *group)
{
    for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
        if (left_out[i].file && strcmp(left_out[i].file, file) == 0 &&
            (!left_out[i].group || strncmp(group, left_out[i].group, strlen(left_out[i].group)) == 0))
            return true;
    return false;
}

/* At least one line names a reason of the table, and the others only follow from it: references that lead nowhere without $id or $anchor. */
static bool is_refused_on_purpose(const char *faults)
{
    bool has_reason = false;

    while (*faults) {
        const char *end = strchr(faults, '\n');
        char *line = strndup(faults, (size_t)(end - faults));
        bool is_reason = false, follows = strstr(line, "points at nothing") != NULL;

        for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
            is_reason |= left_out[i].fault && strstr(line, left_out[i].fault);
        free(line);
        if (!is_reason && !follows)
            return false;
        has_reason |= is_reason;
        faults = end + 1;
    }
    return has_reason;
}

static void wrong(const char *file, const char *group, const char *what, const char *how)
{
    print_error("%s: %s: %s: %s\n", file, group, what, how);
    counts.failed++;
}

static void run_group(const char *file, const json_t *group, const struct json_numbers *numbers)
{
    const char *title = json_string_value(json_object_get(group, "description"));
    const json_t *tests = json_object_get(group, "tests"), *test;
    struct arena *arena = arena_new(0);
    char *faults = NULL;
    size_t len = 0, i;
    FILE *err = open_memstream(&faults, &len);
    struct schema *schema = NULL;

    if (is_left_out(file, title)) {
        counts.left_out += (int)json_array_size(tests);
    } else if (!(schema = schema_compile(arena, json_object_get(group, "schema"), "schema", err))) {
        fflush(err);
        if (is_refused_on_purpose(faults))
            counts.left_out += (int)json_array_size(tests);
        else
            wrong(file, title, "does not compile", faults);
    }
    json_array_foreach(tests, i, test)
    {
        const char *what = json_string_value(json_object_get(test, "description"));
        const json_t *data = json_object_get(test, "data");
        struct ctx ctx = {.arena = arena};
        bool expected = json_is_true(json_object_get(test, "valid"));

        if (!schema)
            break;
        if (schema_validate(NULL, schema, data, numbers, "") != expected)
            wrong(file, title, what, expected ? "was refused" : "was let through");
        else if (schema_validate(&ctx, schema, data, numbers, "") != expected || (ctx.problem.n_faults == 0) != expected)
            wrong(file, title, what, "collecting faults gives another answer");
        else
            counts.passed++;
    }
    fclose(err);
    free(faults);
    arena_free(arena);
}

static void run_file(const char *dir, const char *file)
{
    struct arena *arena = arena_new(0);
    const char *path = arena_printf(arena, "%s/%s", dir, file);
    FILE *f = fopen(path, "r");
    char *text = malloc(1 << 20);
    size_t len, i;
    json_error_t error;
    json_t *groups;
    const json_t *group;

    assert_non_null(f);
    len = fread(text, 1, 1 << 20, f);
    assert_true(feof(f));
    fclose(f);
    counts.files++;
    if (is_left_out(file, "")) {
        counts.left_out++;
        free(text);
        arena_free(arena);
        return;
    }
    groups = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (groups) {
        const struct json_numbers *numbers = json_numbers_new(arena, text, len, groups);
        json_array_foreach(groups, i, group) run_group(file, group, numbers);
    } else {
        wrong(file, "", "cannot be read", error.text);
    }
    json_decref(groups);
    free(text);
    arena_free(arena);
}

static int is_json(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".json") == 0;
}

static void run_directory(const char *root, const char *below)
{
    char path[500], file[500];
    struct dirent **entries;
    int n;

    snprintf(path, sizeof path, "%s/%s", root, below);
    n = scandir(path, &entries, is_json, alphasort);
    if (n < 0)
        print_error("%s is not there: install libtest-json-schema-acceptance-perl, or set ASND_JSON_SCHEMA_SUITE\n", path);
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        snprintf(file, sizeof file, "%s%s", below, entries[i]->d_name);
        run_file(root, file);
        free(entries[i]);
    }
    free(entries);
}

static void agrees_with_the_public_suite(void **state)
{
    const char *root = getenv("ASND_JSON_SCHEMA_SUITE") ? getenv("ASND_JSON_SCHEMA_SUITE") : debian;

    (void)state;
    run_directory(root, "");
    run_directory(root, "optional/");
    run_directory(root, "optional/format/");
    print_message("%d cases of %d files passed, %d left out, %d failed\n", counts.passed, counts.files, counts.left_out, counts.failed);
    assert_int_equal(counts.failed, 0);
    assert_true(counts.files > 50 && counts.passed > 1000);
}

static void the_document_lists_what_is_left_out(void **state)
{
    FILE *f = fopen(ASND_SOURCE_DIR "/docs/json-schema.md", "r");
    char *text = calloc(1, 1 << 16);

    (void)state;
    assert_non_null(f);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    for (size_t i = 0; i < ARRAY_LEN(left_out); i++) {
        char row[500];
        snprintf(row, sizeof row, "| %s | %s |\n", left_out[i].shown, left_out[i].reason);
        if (!strstr(text, row))
            print_error("docs/json-schema.md lacks: %s", row);
        assert_non_null(strstr(text, row));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_public_suite),
        cmocka_unit_test(the_document_lists_what_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
