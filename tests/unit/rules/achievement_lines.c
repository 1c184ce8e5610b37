/* SPDX-License-Identifier: Apache-2.0 */
/* Reads indicators, one a line, and writes their achievements as fractions: test_exact.py computes the same by other means.
 * In:  direction target target_high|- actual cap|- 0|1 (zero target counts as reached)    or: total weight value weight value …
 * Out: uncapped capped, or one mean, each as numerator/denominator; or the code of the refusal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/rules.h"

#define FIELDS 64

static void bad_line(int number)
{
    fprintf(stderr, "line %d is not understood\n", number);
    exit(2);
}

/* NULL for "-". */
static const struct decimal *read_number(const char *text, struct decimal *d, int line)
{
    if (strcmp(text, "-") == 0)
        return NULL;
    if (!decimal_parse(d, text, strlen(text)))
        bad_line(line);
    return d;
}

static void achievement(char *const *fields, struct decimal *d, int line)
{
    struct indicator in = {.zero_target_reached = fields[5][0] == '1'};
    struct refusal refusal;
    if (!direction_parse(fields[0], &in.direction))
        bad_line(line);
    in.target = read_number(fields[1], &d[0], line);
    in.target_high = read_number(fields[2], &d[1], line);
    in.actual = read_number(fields[3], &d[2], line);
    in.cap = read_number(fields[4], &d[3], line);
    refusal = achievement_compute(&in, &d[4], &d[5]);
    if (refusal.code)
        puts(refusal.code);
    else
        gmp_printf("%Qd %Qd\n", d[4].q, d[5].q);
}

static void total(char *const *fields, size_t n, struct decimal *d, int line)
{
    struct decimal weights[FIELDS / 2], values[FIELDS / 2];
    struct refusal refusal;
    for (size_t i = 0; i < n; i++) {
        decimal_init(&weights[i]);
        decimal_init(&values[i]);
        read_number(fields[2 * i], &weights[i], line);
        read_number(fields[2 * i + 1], &values[i], line);
    }
    refusal = achievement_total(weights, values, n, &d[0]);
    if (refusal.code)
        puts(refusal.code);
    else
        gmp_printf("%Qd\n", d[0].q);
    for (size_t i = 0; i < n; i++) {
        decimal_done(&weights[i]);
        decimal_done(&values[i]);
    }
}

int main(void)
{
    struct decimal d[6];
    char text[4096];
    for (size_t i = 0; i < ARRAY_LEN(d); i++)
        decimal_init(&d[i]);
    for (int line = 1; fgets(text, sizeof text, stdin); line++) {
        char *fields[FIELDS], *rest = NULL;
        size_t n = 0;
        for (char *field = strtok_r(text, " \n", &rest); field && n < FIELDS; field = strtok_r(NULL, " \n", &rest))
            fields[n++] = field;
        if (n >= 1 && n % 2 == 1 && strcmp(fields[0], "total") == 0)
            total(fields + 1, (n - 1) / 2, d, line);
        else if (n == 6)
            achievement(fields, d, line);
        else
            bad_line(line);
    }
    for (size_t i = 0; i < ARRAY_LEN(d); i++)
        decimal_done(&d[i]);
    return 0;
}
