/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a person's numbers say, held against what the record says. */
#include "asnd/rules.h"
#include "asnd/status.h"

/* Texts as they stand in the record; NULL: unknown. */
struct person {
    const char *nip;
    const char *kind;
    const char *birth_date;
    const char *sex;
    const char *appointed_on;
    const char *nik;
};

/* Reads both numbers. Each refusal becomes a fault at its pointer; a NULL pointer means that this number is not the client's to mend now: if it
 * cannot be read, nothing is said of it. *ret_warnings is a text[] literal of codes. ST_INVALID when there was a fault. */
NODISCARD enum status person_check(struct ctx *ctx, const struct person *person, const char *nip_pointer, const char *nik_pointer,
                                   struct nip *ret_nip, const char **ret_warnings);
