/* SPDX-License-Identifier: Apache-2.0 */
/* The predicate of a period from two ratings (Permenpan RB 6/2022): never typed in, always derived. Behaviour below expectation is
 * the worse fault: it outweighs results of any kind. docs/rules.md, section 4. */
#include "asnd/rules.h"

#include <assert.h>
#include <string.h>

#define RATINGS 3

static const char *const ratings[] = {
    [RATING_ABOVE] = "di_atas_ekspektasi", [RATING_AS_EXPECTED] = "sesuai_ekspektasi", [RATING_BELOW] = "di_bawah_ekspektasi"};

static const char *const predicates[] = {[PREDICATE_SANGAT_BAIK] = "sangat_baik",
                                         [PREDICATE_BAIK] = "baik",
                                         [PREDICATE_BUTUH_PERBAIKAN] = "butuh_perbaikan",
                                         [PREDICATE_KURANG] = "kurang",
                                         [PREDICATE_SANGAT_KURANG] = "sangat_kurang"};

/* clang-format off */
static const enum predicate cells[RATINGS][RATINGS] = { /* rows: results; columns: behaviour above, as expected, below */
    {PREDICATE_SANGAT_BAIK,     PREDICATE_BAIK,            PREDICATE_KURANG},
    {PREDICATE_BAIK,            PREDICATE_BAIK,            PREDICATE_KURANG},
    {PREDICATE_BUTUH_PERBAIKAN, PREDICATE_BUTUH_PERBAIKAN, PREDICATE_SANGAT_KURANG},
};
/* clang-format on */

enum predicate predicate_derive(enum rating results, enum rating behaviour)
{
    assert(results >= RATING_ABOVE && results <= RATING_BELOW && behaviour >= RATING_ABOVE && behaviour <= RATING_BELOW);
    return cells[results - RATING_ABOVE][behaviour - RATING_ABOVE];
}

const char *predicate_text(enum predicate predicate)
{
    return predicates[predicate];
}

bool rating_parse(const char *text, enum rating *ret)
{
    for (enum rating rating = RATING_ABOVE; rating <= RATING_BELOW; rating++)
        if (strcmp(text, ratings[rating]) == 0) {
            *ret = rating;
            return true;
        }
    return false;
}

const char *rating_text(enum rating rating)
{
    return ratings[rating];
}
