/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The contract of the source tree, loaded once a process, with the formats that the daemon registers. */
#include "asnd/contract.h"
#include "asnd/rules.h"

#include "json.h"

static inline bool is_nip(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    struct nip nip;
    struct refusal refusal = nip_parse(text, len, ASN_PPPK_PART_TIME, &nip);
    *ret_en = refusal.en;
    *ret_id = refusal.id;
    return !refusal.code;
}

static inline bool is_nik(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    struct nik nik;
    struct refusal refusal = nik_parse(text, len, &nik);
    *ret_en = refusal.en;
    *ret_id = refusal.id;
    return !refusal.code;
}

static inline const struct contract *the_contract(void)
{
    static struct contract *contract;
    FILE *file;
    char *text;
    long size;
    if (contract)
        return contract;
    file = fopen(ASND_SOURCE_DIR "/openapi.yaml", "rb");
    REQUIRE(file && fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    rewind(file);
    text = malloc((size_t)size);
    REQUIRE(text && fread(text, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    format_register("nip", is_nip);
    format_register("nik", is_nik);
    contract = contract_load(text, (size_t)size, "openapi.yaml", stderr);
    REQUIRE(contract);
    return contract;
}
