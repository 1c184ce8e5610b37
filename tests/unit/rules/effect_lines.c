/* SPDX-License-Identifier: Apache-2.0 */
/* Reads people, a data set a line, and writes what the training changed: test_effect.py computes the same by other means, and asks a hundred times
 * whether a known effect is found.
 * In:  stratum cluster arm before after, five words a person (arm 0: comparison, 1: participant)
 * Out: participants compared unmatched df, then estimate welch clustered lower upper as fractions; "-" without an estimate or interval */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/rules.h"

#define WORDS 5

static const char *word(char **rest)
{
    const char *found = strsep(rest, " \n");
    if (!found)
        exit(2);
    return found;
}

static void read_number(const char *text, struct decimal *ret)
{
    if (!decimal_parse(ret, text, strlen(text)))
        exit(2);
}

static void read_person(char **rest, struct effect_cell *cell)
{
    struct decimal change;
    effect_cell_init(cell);
    cell->stratum = strtoul(word(rest), NULL, 10);
    cell->cluster = strtoul(word(rest), NULL, 10);
    cell->arm = word(rest)[0] == '1' ? EFFECT_PARTICIPANT : EFFECT_COMPARISON;
    cell->n = 1;
    read_number(word(rest), &cell->before);
    read_number(word(rest), &cell->after);
    decimal_init(&change);
    decimal_sub(&change, &cell->after, &cell->before);
    decimal_mul(&cell->squares, &change, &change);
    decimal_done(&change);
}

static void tell(const struct effect *e)
{
    printf("%lld %lld %lld %lld", e->side[EFFECT_PARTICIPANT].n, e->side[EFFECT_COMPARISON].n, e->unmatched, e->df);
    if (!e->has_estimate)
        puts(" - - - - -");
    else if (!e->has_interval)
        gmp_printf(" %Qd - - - -\n", e->estimate.q);
    else
        gmp_printf(" %Qd %Qd %Qd %Qd %Qd\n", e->estimate.q, e->welch_error.q, e->clustered_error.q, e->lower.q, e->upper.q);
}

static void work_out(char *line)
{
    struct arena *arena = arena_new(0);
    struct effect effect;
    struct effect_cell *cells;
    size_t n = 1;
    for (const char *c = line; *c; c++)
        n += *c == ' ';
    n /= WORDS;
    cells = arena_zalloc_array(arena, n + 1, sizeof *cells);
    for (size_t i = 0; i < n; i++)
        read_person(&line, &cells[i]);
    effect_estimate(arena, cells, n, &effect);
    tell(&effect);
    effect_done(&effect);
    for (size_t i = 0; i < n; i++)
        effect_cell_done(&cells[i]);
    arena_free(arena);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0)
        work_out(line);
    free(line);
    return 0;
}
