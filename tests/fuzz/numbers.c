/* SPDX-License-Identifier: Apache-2.0 */
/* NIP and NIK from any bytes: what is taken says what its digits say, what is refused says why. */
#include "asnd/rules.h"

#include "fuzz.h"

static void require_reason(struct refusal refusal)
{
    REQUIRE(*refusal.code && refusal.en && *refusal.en && refusal.id && *refusal.id);
}

static void try_nip(struct slice in, enum asn_kind declared)
{
    struct nip nip, again;
    struct refusal warnings[4], refusal = nip_parse(in.data, in.len, declared, &nip);
    struct nip_record same, other;
    if (refusal.code) {
        require_reason(refusal);
        return;
    }
    REQUIRE(strlen(nip.digits) == 18 && strspn(nip.digits, "0123456789") == 18);
    REQUIRE(nip.kind != ASN_UNKNOWN && (declared == ASN_UNKNOWN || nip.kind == declared));
    REQUIRE(date_is_valid(nip.birth) && (nip.sex == 'M' || nip.sex == 'F'));
    REQUIRE(nip_parse(nip.digits, 18, nip.kind, &again).code == NULL && strcmp(again.digits, nip.digits) == 0);
    same = (struct nip_record){nip.birth, nip.sex, {nip.appointed_year, nip.appointed_month ? nip.appointed_month : 1, 1}};
    other = (struct nip_record){{nip.birth.year + 1, 1, 1}, nip.sex == 'M' ? 'F' : 'M', {nip.appointed_year + 1, 1, 1}};
    REQUIRE(nip_warnings(&nip, &same, warnings) == 0);
    REQUIRE(nip_warnings(&nip, &other, warnings) == (nip.kind == ASN_PPPK_PART_TIME ? 2 : 3));
}

static void try_nik(struct slice in)
{
    struct nik nik, again;
    struct refusal warnings[2], refusal = nik_parse(in.data, in.len, &nik);
    if (refusal.code) {
        require_reason(refusal);
        return;
    }
    REQUIRE(strlen(nik.digits) == 16 && strspn(nik.digits, "0123456789") == 16);
    REQUIRE(nik.day >= 1 && nik.day <= 31 && nik.month >= 1 && nik.month <= 12 && nik.sequence > 0);
    REQUIRE(nik_parse(nik.digits, 16, &again).code == NULL && strcmp(again.digits, nik.digits) == 0);
    REQUIRE(nik_warnings(&nik, (struct date){2000 + nik.year_in_century, nik.month, nik.day}, nik.sex, warnings) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (enum asn_kind kind = ASN_UNKNOWN; kind <= ASN_PPPK_PART_TIME; kind++)
        try_nip(input(data, size), kind);
    try_nik(input(data, size));
    return 0;
}
