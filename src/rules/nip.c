/* SPDX-License-Identifier: Apache-2.0 */
/* NIP of PNS and NI PPPK: 18 digits, two layouts. Digit 13 tells them apart: 0 or 1 begins a month (PNS), 2 is PPPK's mark. */
#include "asnd/rules.h"

#include <string.h>

#define REFUSE(code, en, id) ((struct refusal){(code), (en), (id)})
#define FINE                 ((struct refusal){NULL, NULL, NULL})

static const char *const kind_texts[] = {"", "PNS", "CPNS", "PPPK", "PPPK_PARUH_WAKTU"};

bool asn_kind_parse(const char *text, enum asn_kind *ret)
{
    for (size_t i = ASN_PNS; i < ARRAY_LEN(kind_texts); i++) {
        if (strcmp(kind_texts[i], text) == 0) {
            *ret = (enum asn_kind)i;
            return true;
        }
    }
    return false;
}

const char *asn_kind_text(enum asn_kind kind)
{
    return kind_texts[kind];
}

static int number(const char *digits, size_t at, size_t n)
{
    int value = 0;
    for (size_t i = at; i < at + n; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

/* The digits without spaces; false if there is anything else, or not exactly `want`. */
static struct refusal take_digits(const char *text, size_t len, size_t want, char *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ' ')
            continue;
        if (text[i] < '0' || text[i] > '9')
            return REFUSE("nip-digits", "a NIP has digits only", "NIP hanya terdiri atas angka");
        if (n < want)
            ret[n] = text[i];
        n++;
    }
    if (n != want)
        return REFUSE("nip-length", "a NIP has 18 digits", "NIP terdiri atas 18 angka");
    ret[n] = '\0';
    return FINE;
}

static struct refusal take_birth(struct nip *nip)
{
    nip->birth = (struct date){number(nip->digits, 0, 4), number(nip->digits, 4, 2), number(nip->digits, 6, 2)};
    if (!date_is_valid(nip->birth) || nip->birth.year < 1900)
        return REFUSE("nip-birth", "digits 1 to 8 of the NIP are no date of birth", "angka 1–8 NIP bukan tanggal lahir");
    return FINE;
}

static struct refusal take_sex(struct nip *nip)
{
    if (nip->digits[14] != '1' && nip->digits[14] != '2')
        return REFUSE("nip-sex", "digit 15 of the NIP must be 1 (man) or 2 (woman)", "angka 15 NIP harus 1 (pria) atau 2 (wanita)");
    nip->sex = nip->digits[14] == '1' ? 'M' : 'F';
    return FINE;
}

static struct refusal take_sequence(struct nip *nip)
{
    nip->sequence = number(nip->digits, 15, 3);
    if (nip->sequence == 0)
        return REFUSE("nip-sequence", "the last three digits of the NIP begin at 001", "tiga angka terakhir NIP mulai dari 001");
    return FINE;
}

/* Digits 9–14 of a PNS: year and month of appointment as a candidate (TMT CPNS). Perka BKN 22/2007. */
static struct refusal take_pns(struct nip *nip)
{
    nip->appointed_year = number(nip->digits, 8, 4);
    nip->appointed_month = number(nip->digits, 12, 2);
    if (nip->appointed_month < 1 || nip->appointed_month > 12)
        return REFUSE("nip-month", "digits 13 and 14 of a PNS's NIP are no month", "angka 13–14 NIP PNS bukan bulan");
    return FINE;
}

/* Digits 9–14 of a PPPK: year, the mark 2, how many times appointed. */
static struct refusal take_pppk(struct nip *nip)
{
    nip->appointed_year = number(nip->digits, 8, 4);
    nip->appointment_count = nip->digits[13] - '0';
    if (nip->digits[12] != '2')
        return REFUSE("nip-not-pppk", "digit 13 of a PPPK's number must be 2", "angka 13 nomor induk PPPK harus 2");
    if (nip->appointment_count == 0)
        return REFUSE("nip-appointment", "digit 14 of a PPPK's number counts appointments from 1",
                      "angka 14 nomor induk PPPK mulai dari 1");
    return FINE;
}

static enum asn_kind detect(const struct nip *nip)
{
    int month = number(nip->digits, 12, 2);
    if (nip->digits[12] == '2')
        return ASN_PPPK;
    return month >= 1 && month <= 12 ? ASN_PNS : ASN_UNKNOWN;
}

static struct refusal take_middle(struct nip *nip)
{
    if (nip->kind == ASN_UNKNOWN)
        nip->kind = detect(nip);
    switch (nip->kind) {
    case ASN_PNS:
    case ASN_CPNS:
        return take_pns(nip);
    case ASN_PPPK:
        return take_pppk(nip);
    case ASN_PPPK_PART_TIME:
        return FINE;
    case ASN_UNKNOWN:
        break;
    }
    return REFUSE("nip-kind", "digits 13 and 14 fit neither a PNS nor a PPPK", "angka 13–14 tidak sesuai untuk PNS maupun PPPK");
}

struct refusal nip_parse(const char *text, size_t len, enum asn_kind declared, struct nip *ret)
{
    struct nip nip = {.kind = declared};
    struct refusal (*const steps[])(struct nip *) = {take_birth, take_middle, take_sex, take_sequence};
    struct refusal refusal = take_digits(text, len, 18, nip.digits);
    for (size_t i = 0; !refusal.code && i < ARRAY_LEN(steps); i++)
        refusal = steps[i](&nip);
    if (refusal.code && declared == ASN_PPPK_PART_TIME && strcmp(refusal.code, "nip-sequence") == 0)
        refusal = FINE;
    if (!refusal.code)
        *ret = nip;
    return refusal;
}

static bool is_known(struct date d)
{
    return d.year != 0;
}

size_t nip_warnings(const struct nip *nip, const struct nip_record *record, struct refusal ret[4])
{
    size_t n = 0;
    bool is_pns = nip->kind == ASN_PNS || nip->kind == ASN_CPNS;
    if (is_pns && is_known(record->appointed) &&
        (record->appointed.year != nip->appointed_year || record->appointed.month != nip->appointed_month))
        ret[n++] = REFUSE("nip-appointed", "TMT CPNS does not fit digits 9 to 14 of the NIP (CON_1)",
                          "TMT CPNS tidak sesuai dengan angka 9–14 NIP (CON_1)");
    if (is_known(record->birth) && date_compare(record->birth, nip->birth) != 0)
        ret[n++] = REFUSE("nip-birth", "the date of birth does not fit the NIP (CON_2)", "tanggal lahir tidak sesuai dengan NIP (CON_2)");
    if (record->sex && record->sex != nip->sex)
        ret[n++] = REFUSE("nip-sex", "the sex does not fit the NIP (CON_3)", "jenis kelamin tidak sesuai dengan NIP (CON_3)");
    if (nip->kind == ASN_PPPK && is_known(record->appointed) && record->appointed.year != nip->appointed_year)
        ret[n++] = REFUSE("nip-year", "the first contract's year does not fit the number (CON_4)",
                          "tahun perjanjian pertama tidak sesuai dengan nomor (CON_4)");
    return n;
}
