/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests of this room share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* cmocka's macro of this name would hide the program's own fail(). */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error("ERROR: " __VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/db.h"
#include "asnd/macros.h"
#include "asnd/status.h"

/* The server that tests/unit/with-postgres.sh starts; its absence is a failure. */
UNUSED static const char *test_database(void)
{
    const char *url = getenv("ASND_TEST_DATABASE_URL");

    if (url == NULL)
        fail_msg("ASND_TEST_DATABASE_URL is not set: run this by tests/unit/with-postgres.sh");
    return url;
}

UNUSED static struct sql_set *parse_ok(const char *label, const char *head, const char *sql)
{
    char *text = NULL, *faults = NULL;
    size_t len = 0, faults_len = 0;
    FILE *out = open_memstream(&text, &len), *err = open_memstream(&faults, &faults_len);

    fprintf(out, "%s%s", head, sql);
    fclose(out);
    struct sql_set *set = sql_set_parse(&(struct sql_file){"t.sql", text, len}, 1, err);
    fclose(err);
    if (set == NULL)
        fail_msg("%s: %s", label, faults);
    free(faults);
    free(text); /* the set has its own copy */
    return set;
}

/* What is said of a file that must be refused; to be freed. */
UNUSED static char *parse_faults(const char *sql)
{
    char *faults = NULL;
    size_t len = 0;
    FILE *err = open_memstream(&faults, &len);

    if (sql_set_parse(&(struct sql_file){"t.sql", sql, strlen(sql)}, 1, err) != NULL)
        fail_msg("not refused: %s", sql);
    fclose(err);
    return faults;
}

/* Behind the leading comment with the statement's name. */
UNUSED static void assert_sql(const char *label, const struct variant *v, const char *expected)
{
    const char *sql = strstr(v->sql, " */ ");

    if (sql == NULL || strcmp(sql + 4, expected) != 0)
        fail_msg("%s\nexpected: %s\nactual:   %s", label, expected, v->sql);
}

UNUSED static void assert_binds(const char *label, const struct variant *v, const char *expected)
{
    char binds[200] = "";

    for (size_t i = 0; i < v->n_binds; i++)
        snprintf(binds + strlen(binds), sizeof binds - strlen(binds), "%s%s", i ? " " : "", v->binds[i]);
    if (strcmp(binds, expected) != 0)
        fail_msg("%s\nexpected: %s\nactual:   %s", label, expected, binds);
}
