/* SPDX-License-Identifier: Apache-2.0 */
/* The predicate of Permenpan RB 6/2022: nine cells from two ratings. Bad behaviour is the worse fault: it cannot be made up by results. */
#include "asnd/rules.h"

#include <string.h>

/* [results][behaviour], ratings 1 … 3. */
static const enum predicate cells[3][3] = {
    {PREDICATE_SANGAT_BAIK, PREDICATE_BAIK, PREDICATE_KURANG},
    {PREDICATE_BAIK, PREDICATE_BAIK, PREDICATE_KURANG},
    {PREDICATE_BUTUH_PERBAIKAN, PREDICATE_BUTUH_PERBAIKAN, PREDICATE_SANGAT_KURANG},
};

enum predicate predicate_derive(enum rating results, enum rating behaviour)
{
    return cells[results - 1][behaviour - 1];
}

static const char *const predicate_texts[] = {"", "sangat_baik", "baik", "butuh_perbaikan", "kurang", "sangat_kurang"};
static const char *const rating_texts[] = {"", "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi"};

const char *predicate_text(enum predicate predicate)
{
    return predicate_texts[predicate];
}

const char *rating_text(enum rating rating)
{
    return rating_texts[rating];
}

bool rating_parse(const char *text, enum rating *ret)
{
    for (size_t i = 1; i < ARRAY_LEN(rating_texts); i++) {
        if (strcmp(rating_texts[i], text) == 0) {
            *ret = (enum rating)i;
            return true;
        }
    }
    return false;
}
