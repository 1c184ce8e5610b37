/* SPDX-License-Identifier: Apache-2.0 */
/* Reads questions about the regimes before 2022, one a line, and writes the answers as fractions: test_exact.py works them out by other means.
 * In:  aspect KIND TARGET ACTUAL · achievement LESS LOW HIGH|- ACTUAL · value ACHIEVEMENT CEILING ROUND · total WEIGHT SKP BEHAVIOUR · behaviour ELEMENT …
 * Out: numerator/denominator; of a total also its predicates: PP 46/2011 rounded and strict, PP 30/2019 with and without a new idea. Or a refusal's code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/rules.h"

#define FIELDS 16

static struct decimal numbers[FIELDS], answer;

static void bad_line(int line)
{
    fprintf(stderr, "line %d is not understood\n", line);
    exit(2);
}

static void write_answer(struct refusal refusal)
{
    if (refusal.code)
        puts(refusal.code);
    else
        gmp_printf("%Qd\n", answer.q);
}

static const char *word(struct refusal refusal, const char *predicate)
{
    return refusal.code ? refusal.code : predicate;
}

static void total(int weight)
{
    const char *told[4];
    struct refusal refusals[4];
    regime_total(&numbers[2], &numbers[3], weight, &answer);
    refusals[0] = pp46_predicate(&answer, CUT_ROUND, &told[0]);
    refusals[1] = pp46_predicate(&answer, CUT_STRICT, &told[1]);
    refusals[2] = pp30_predicate(&answer, true, &told[2]);
    refusals[3] = pp30_predicate(&answer, false, &told[3]);
    gmp_printf("%Qd %s %s %s %s\n", answer.q, word(refusals[0], told[0]), word(refusals[1], told[1]), word(refusals[2], told[2]),
               word(refusals[3], told[3]));
}

static void ask(char *const *fields, size_t n, int line)
{
    enum aspect aspect;
    bool is_gap;
    if (n == 4 && strcmp(fields[0], "aspect") == 0 && aspect_parse(fields[1], &aspect))
        write_answer(pp46_aspect(aspect, &numbers[2], &numbers[3], &answer));
    else if (n == 5 && strcmp(fields[0], "achievement") == 0)
        write_answer(p8_achievement(
            &(struct p8_target){&numbers[2], fields[3][0] == '-' ? NULL : &numbers[3], &numbers[4], fields[1][0] == '1'}, &answer));
    else if (n == 4 && strcmp(fields[0], "value") == 0) {
        p8_value(&numbers[1], fields[2][0] == '1', fields[3][0] == '1' ? GAP_ROUND : GAP_INTERPOLATE, &answer, &is_gap);
        write_answer((struct refusal){0});
    } else if (n == 4 && strcmp(fields[0], "total") == 0)
        total(atoi(fields[1]));
    else if (strcmp(fields[0], "behaviour") == 0)
        write_answer(pp46_behaviour(numbers + 1, n - 1, &answer));
    else
        bad_line(line);
}

int main(void)
{
    char text[4096];
    decimal_init(&answer);
    for (size_t i = 0; i < FIELDS; i++)
        decimal_init(&numbers[i]);
    for (int line = 1; fgets(text, sizeof text, stdin); line++) {
        char *fields[FIELDS], *rest = NULL;
        size_t n = 0;
        for (char *field = strtok_r(text, " \n", &rest); field && n < FIELDS; field = strtok_r(NULL, " \n", &rest)) {
            if (n > 0 && field[0] >= '0' && field[0] <= '9' && !decimal_parse(&numbers[n], field, strlen(field)))
                bad_line(line);
            fields[n++] = field;
        }
        if (n == 0)
            bad_line(line);
        ask(fields, n, line);
    }
    decimal_done(&answer);
    for (size_t i = 0; i < FIELDS; i++)
        decimal_done(&numbers[i]);
    return 0;
}
