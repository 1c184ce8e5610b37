/* SPDX-License-Identifier: Apache-2.0 */
/* Reads trainings of one person, a person a line, and writes what each is worth and what of it counts, as fractions: test_exact.py works them out by other means.
 * In:  a word each, FORM,BY,UNIT,FACTOR,MOST,AMOUNT,JP,MINUTES,DAY,PAPER,TITLE: by jp, upto or unit; a day of 2025 as MMDD; - where nothing is told (a form: not known).
 * Out: a word each, WORTH:COUNTED, with = behind it when the same training counts already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/rules.h"

#define MOST_ENTRIES 8
enum { FORM, BY, UNIT, FACTOR, MOST, AMOUNT, JP, MINUTES, DAY, PAPER, TITLE, FIELDS };

/* UNIT to JP are numbers. */
static struct decimal numbers[MOST_ENTRIES][FIELDS];
static struct hours_form forms[MOST_ENTRIES];
static struct hours_entry entries[MOST_ENTRIES];

static void bad_line(int line)
{
    fprintf(stderr, "line %d is not understood\n", line);
    exit(2);
}

static const char *told(const char *field)
{
    return strcmp(field, "-") == 0 ? NULL : field;
}

static const struct decimal *number(size_t at, int field, const char *text, int line)
{
    if (!told(text))
        return NULL;
    if (!decimal_parse(&numbers[at][field], text, strlen(text)))
        bad_line(line);
    return &numbers[at][field];
}

static void take(size_t at, char *word, int line)
{
    char *fields[FIELDS], *rest = NULL;
    size_t n = 0;
    for (char *field = strtok_r(word, ",", &rest); field && n < FIELDS; field = strtok_r(NULL, ",", &rest))
        fields[n++] = field;
    if (n != FIELDS)
        bad_line(line);
    forms[at] = (struct hours_form){.is_by_jp = strcmp(fields[BY], "jp") == 0,
                                    .is_up_to = strcmp(fields[BY], "upto") == 0,
                                    .unit_jp = number(at, UNIT, fields[UNIT], line),
                                    .jp_factor = number(at, FACTOR, fields[FACTOR], line),
                                    .month_most = number(at, MOST, fields[MOST], line)};
    entries[at] = (struct hours_entry){.form = told(fields[FORM]) ? &forms[at] : NULL,
                                       .form_code = told(fields[FORM]),
                                       .amount = number(at, AMOUNT, fields[AMOUNT], line),
                                       .jp = number(at, JP, fields[JP], line),
                                       .minutes = told(fields[MINUTES]) ? atoi(fields[MINUTES]) : -1,
                                       .paper = told(fields[PAPER]),
                                       .title = told(fields[TITLE])};
    entries[at].first_day = entries[at].last_day = (struct date){2025, atoi(fields[DAY]) / 100, atoi(fields[DAY]) % 100};
}

static void tell(size_t n)
{
    struct hours_counted counted[MOST_ENTRIES];
    hours_count(entries, n, counted);
    for (size_t i = 0; i < n; i++)
        gmp_printf("%s%Qd:%Qd%s", i == 0 ? "" : " ", counted[i].jp.q, counted[i].counted.q, counted[i].is_duplicate ? "=" : "");
    putchar('\n');
    hours_counted_done(counted, n);
}

int main(void)
{
    char text[4096];
    for (size_t i = 0; i < MOST_ENTRIES; i++)
        for (size_t k = 0; k < FIELDS; k++)
            decimal_init(&numbers[i][k]);
    for (int line = 1; fgets(text, sizeof text, stdin); line++) {
        char *rest = NULL;
        size_t n = 0;
        for (char *word = strtok_r(text, " \n", &rest); word && n < MOST_ENTRIES; word = strtok_r(NULL, " \n", &rest))
            take(n++, word, line);
        if (n == 0)
            bad_line(line);
        tell(n);
    }
    for (size_t i = 0; i < MOST_ENTRIES; i++)
        for (size_t k = 0; k < FIELDS; k++)
            decimal_done(&numbers[i][k]);
    return 0;
}
