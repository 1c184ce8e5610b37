/* SPDX-License-Identifier: Apache-2.0 */
/* NIP and NI PPPK: two layouts of 18 digits that agree on birth date, sex and sequence, and differ in digits 13 and 14.
 * Sources: Perka BKN 22/2007 and 43/2007 (PNS); the layout of NI PPPK as published with its tests; BKN's data-quality indicators
 * CON_1 … CON_4. docs/rules.md, section 1. */
#include "asnd/rules.h"

#include <stdint.h>
#include <string.h>

#include "digits.h"

#define NIP_DIGITS     18
#define EARLIEST_BIRTH 1900 /* a slip of the pen, not a person: the numbers exist since 2008 */

static const struct refusal not_digits = {"nip-digits", "The number may hold digits and spaces only.",
                                          "Nomor hanya boleh berisi angka dan spasi."};
static const struct refusal wrong_length = {"nip-length", "The number must have 18 digits.", "Nomor harus terdiri atas 18 angka."};
static const struct refusal no_birth_date = {"nip-birth", "Digits 1 to 8 are no date of birth (YYYYMMDD).",
                                             "Angka ke-1 sampai ke-8 bukan tanggal lahir (TTTTBBHH)."};
static const struct refusal no_year = {"nip-year", "Digits 9 to 12 are no year of appointment.",
                                       "Angka ke-9 sampai ke-12 bukan tahun pengangkatan."};
static const struct refusal no_month = {"nip-month", "Digits 13 and 14 are no month of appointment (01 to 12).",
                                        "Angka ke-13 dan ke-14 bukan bulan pengangkatan (01 sampai 12)."};
static const struct refusal not_pppk = {"nip-kind", "Digit 13 of a PPPK's number must be 2.", "Angka ke-13 nomor PPPK harus 2."};
static const struct refusal no_kind = {"nip-kind", "Digit 13 must be 0 or 1 (PNS) or 2 (PPPK).",
                                       "Angka ke-13 harus 0 atau 1 (PNS) atau 2 (PPPK)."};
static const struct refusal no_count = {"nip-appointment", "Digit 14 of a PPPK's number counts the appointments, from 1.",
                                        "Angka ke-14 nomor PPPK adalah hitungan pengangkatan, mulai dari 1."};
static const struct refusal no_sex = {"nip-sex", "Digit 15 must be 1 (male) or 2 (female).",
                                      "Angka ke-15 harus 1 (laki-laki) atau 2 (perempuan)."};
static const struct refusal no_sequence = {"nip-sequence", "Digits 16 to 18 count from 001.",
                                           "Angka ke-16 sampai ke-18 dihitung mulai dari 001."};
static const struct refusal nothing = {0};

static const char *const kinds[] = {
    [ASN_UNKNOWN] = "", [ASN_PNS] = "PNS", [ASN_CPNS] = "CPNS", [ASN_PPPK] = "PPPK", [ASN_PPPK_PART_TIME] = "PPPK_PARUH_WAKTU"};

bool asn_kind_parse(const char *text, enum asn_kind *ret)
{
    for (enum asn_kind kind = ASN_PNS; text && kind <= ASN_PPPK_PART_TIME; kind++)
        if (strcmp(text, kinds[kind]) == 0) {
            *ret = kind;
            return true;
        }
    return false;
}

const char *asn_kind_text(enum asn_kind kind)
{
    return kinds[kind];
}

/* Digit 13 is 0 or 1 in every month, and the constant 2 in every NI PPPK. */
static enum asn_kind detect_kind(const char *digits)
{
    char digit = digits[12];
    if (digit == '0' || digit == '1')
        return ASN_PNS;
    return digit == '2' ? ASN_PPPK : ASN_UNKNOWN;
}

static struct refusal read_pns(struct nip *nip)
{
    nip->appointed_month = digits_value(nip->digits, 13, 2);
    return nip->appointed_month >= 1 && nip->appointed_month <= 12 ? nothing : no_month;
}

static struct refusal read_pppk(struct nip *nip)
{
    if (nip->digits[12] != '2')
        return not_pppk;
    nip->appointment_count = digits_value(nip->digits, 14, 1);
    return nip->appointment_count > 0 ? nothing : no_count;
}

/* What only a known layout tells: year and kind of appointment, sequence. */
static struct refusal read_layout(struct nip *nip)
{
    struct refusal refusal = nip->kind == ASN_PPPK ? read_pppk(nip) : read_pns(nip);
    if (refusal.code)
        return refusal;
    nip->appointed_year = digits_value(nip->digits, 9, 4);
    if (nip->appointed_year == 0)
        return no_year;
    nip->sequence = digits_value(nip->digits, 16, 3);
    return nip->sequence > 0 ? nothing : no_sequence;
}

struct refusal nip_parse(const char *text, size_t len, enum asn_kind declared, struct nip *ret)
{
    struct nip nip = {.kind = declared};
    struct refusal refusal;
    size_t n = digits_collect(text, len, nip.digits, sizeof nip.digits);
    if (n == SIZE_MAX)
        return not_digits;
    if (n != NIP_DIGITS)
        return wrong_length;
    if (declared == ASN_UNKNOWN && (nip.kind = detect_kind(nip.digits)) == ASN_UNKNOWN)
        return no_kind;
    nip.birth = (struct date){digits_value(nip.digits, 1, 4), digits_value(nip.digits, 5, 2), digits_value(nip.digits, 7, 2)};
    if (!date_is_valid(nip.birth) || nip.birth.year < EARLIEST_BIRTH)
        return no_birth_date;
    if (nip.digits[14] != '1' && nip.digits[14] != '2')
        return no_sex;
    nip.sex = nip.digits[14] == '1' ? 'M' : 'F';
    refusal = nip.kind == ASN_PPPK_PART_TIME ? nothing : read_layout(&nip);
    if (!refusal.code)
        *ret = nip;
    return refusal;
}

size_t nip_warnings(const struct nip *nip, const struct nip_record *record, struct refusal ret[4])
{
    static const struct refusal appointed_differs = {"CON_1", "Appointed in another month than the NIP says.",
                                                     "TMT CPNS berbeda dengan NIP."};
    static const struct refusal birth_differs = {"CON_2", "Born on another day than the NIP says.", "Tanggal lahir berbeda dengan NIP."};
    static const struct refusal sex_differs = {"CON_3", "Of another sex than the NIP says.", "Jenis kelamin berbeda dengan NIP."};
    static const struct refusal contract_differs = {"CON_4", "First contract in another year than the NI PPPK says.",
                                                    "Tahun kontrak pertama berbeda dengan NI PPPK."};
    const struct date *appointed = &record->appointed;
    size_t n = 0;
    if (nip->appointed_month && appointed->year && (appointed->year != nip->appointed_year || appointed->month != nip->appointed_month))
        ret[n++] = appointed_differs;
    if (record->birth.year && date_compare(record->birth, nip->birth) != 0)
        ret[n++] = birth_differs;
    if (record->sex && record->sex != nip->sex)
        ret[n++] = sex_differs;
    if (nip->kind == ASN_PPPK && appointed->year && appointed->year != nip->appointed_year)
        ret[n++] = contract_differs;
    return n;
}
