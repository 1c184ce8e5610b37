/* SPDX-License-Identifier: Apache-2.0 */
/* Reads questions about surveys and times, one a line, and writes the answers exactly: test_exact.py works them out by other means.
 * In:  survey COUNT … (four an element) · pool RESPONDENTS INDEX … · sample POPULATION · percentile PERCENT VALUE … (ascending)
 * Out: index, converted value and category · index · how many · hundredths. "none" where there is no answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/rules.h"

#define FIELDS 64

static const char *const lower_bounds[] = {"25.00", "65.00", "76.61", "88.31"};
static struct decimal bounds[ARRAY_LEN(lower_bounds)], indices[FIELDS], answer, converted;

static void bad_line(int line)
{
    fprintf(stderr, "line %d is not understood\n", line);
    exit(2);
}

static void survey(char *const *fields, size_t n)
{
    struct satisfaction_element elements[FIELDS / SATISFACTION_ANSWERS];
    for (size_t i = 0; i < n; i++)
        elements[i / SATISFACTION_ANSWERS].counts[i % SATISFACTION_ANSWERS] = atoll(fields[i]);
    if (!satisfaction_index(elements, n / SATISFACTION_ANSWERS, &answer)) {
        puts("none");
        return;
    }
    satisfaction_convert(&answer, &converted);
    gmp_printf("%Qd %Qd %d\n", answer.q, converted.q, satisfaction_category(&converted, bounds, ARRAY_LEN(bounds)));
}

static bool pool(char *const *fields, size_t n)
{
    long long respondents[FIELDS];
    for (size_t i = 0; i < n / 2; i++) {
        respondents[i] = atoll(fields[2 * i]);
        if (!decimal_parse(&indices[i], fields[2 * i + 1], strlen(fields[2 * i + 1])))
            return false;
    }
    if (satisfaction_pool(respondents, indices, n / 2, &answer))
        gmp_printf("%Qd\n", answer.q);
    else
        puts("none");
    return true;
}

static void percentile(int percent, char *const *fields, size_t n)
{
    long long values[FIELDS], hundredths;
    for (size_t i = 0; i < n; i++)
        values[i] = atoll(fields[i]);
    if (percentile_hundredths(values, n, percent, &hundredths))
        printf("%lld\n", hundredths);
    else
        puts("none");
}

static void ask(char *const *fields, size_t n, int line)
{
    if (strcmp(fields[0], "survey") == 0 && n % SATISFACTION_ANSWERS == 1)
        survey(fields + 1, n - 1);
    else if (strcmp(fields[0], "sample") == 0 && n == 2)
        printf("%lld\n", sample_target(atoll(fields[1])));
    else if (strcmp(fields[0], "percentile") == 0 && n >= 2)
        percentile(atoi(fields[1]), fields + 2, n - 2);
    else if (strcmp(fields[0], "pool") != 0 || n % 2 != 1 || !pool(fields + 1, n - 1))
        bad_line(line);
}

int main(void)
{
    char text[4096];
    decimal_init(&answer);
    decimal_init(&converted);
    for (size_t i = 0; i < FIELDS; i++)
        decimal_init(&indices[i]);
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        decimal_init(&bounds[i]);
        if (!decimal_parse(&bounds[i], lower_bounds[i], strlen(lower_bounds[i])))
            bad_line(0);
    }
    for (int line = 1; fgets(text, sizeof text, stdin); line++) {
        char *fields[FIELDS], *rest = NULL;
        size_t n = 0;
        for (char *field = strtok_r(text, " \n", &rest); field && n < FIELDS; field = strtok_r(NULL, " \n", &rest))
            fields[n++] = field;
        if (n == 0)
            bad_line(line);
        ask(fields, n, line);
    }
    decimal_done(&answer);
    decimal_done(&converted);
    for (size_t i = 0; i < FIELDS; i++)
        decimal_done(&indices[i]);
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
        decimal_done(&bounds[i]);
    return 0;
}
