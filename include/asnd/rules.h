/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Pure rules of the regulations: no I/O, exact arithmetic, tested on worked examples. Each names its source. */
#include <stdbool.h>
#include <stddef.h>

#include "asnd/date.h"
#include "asnd/decimal.h"
#include "asnd/macros.h"

/* Why a rule refuses: a stable code and the sentence in both languages (static text). code NULL: nothing is wrong. */
struct refusal {
    const char *code;
    const char *en;
    const char *id;
};

/* ── NIP (employee number), 18 digits ── PNS: Perka BKN 22/2007 (birth date, month of appointment as candidate, sex, sequence);
 * PPPK: birth date, year of appointment, constant 2, how many times appointed, sex, sequence. */
enum asn_kind { ASN_UNKNOWN, ASN_PNS, ASN_CPNS, ASN_PPPK, ASN_PPPK_PART_TIME };
bool asn_kind_parse(const char *text, enum asn_kind *ret); /* "PNS", "CPNS", "PPPK", "PPPK_PARUH_WAKTU" */
const char *asn_kind_text(enum asn_kind kind);

struct nip {
    char digits[19];
    enum asn_kind kind; /* as declared, or detected from digit 13 when ASN_UNKNOWN was given */
    struct date birth;
    int appointed_year;
    int appointed_month;   /* 1–12; 0 for PPPK, whose number has none */
    int appointment_count; /* PPPK 1–9; 0 for PNS */
    char sex;              /* 'M' or 'F' */
    int sequence;          /* 1–999 */
};
/* Spaces are ignored (paper prints 19900115 201503 1 999). Part-time PPPK: only length, birth date and sex are checked (the layout of
 * their number was not found in any source). */
struct refusal nip_parse(const char *text, size_t len, enum asn_kind declared, struct nip *ret);

/* Warnings, never refusals (an old NIP stays valid after a corrected birth date): what the record says against what the number says.
 * BKN's data-quality indicators CON_1 … CON_4. Fields of `record` that are unknown are 0. Returns how many were written. */
struct nip_record {
    struct date birth;
    char sex;
    struct date appointed; /* TMT CPNS, or the first contract's start */
};
size_t nip_warnings(const struct nip *nip, const struct nip_record *record, struct refusal ret[4]);

/* ── NIK (population number), 16 digits ── region of first registration (never required to be ours), DDMMYY with 40 added to a woman's
 * day, sequence from 0001. */
struct nik {
    char digits[17];
    int day, month, year_in_century;
    char sex;
    int sequence;
};
struct refusal nik_parse(const char *text, size_t len, struct nik *ret);
size_t nik_warnings(const struct nik *nik, struct date birth, char sex, struct refusal ret[2]);

/* ── achievement of an indicator ── performance indicators of Permenpan RB 6/2022 practice; formulas as numbered in docs/rules.md. */
enum direction { MAXIMIZE, MINIMIZE, MINIMIZE_INVERSE, RANGE };
bool direction_parse(const char *text, enum direction *ret); /* "maximize", "minimize", "minimize_inverse", "range" */

struct indicator {
    enum direction direction;
    const struct decimal *target;      /* MAXIMIZE, MINIMIZE*: the target; RANGE: lower bound */
    const struct decimal *target_high; /* RANGE: upper bound; else NULL */
    const struct decimal *actual;
    const struct decimal *cap; /* percent, or NULL: none */
    bool zero_target_reached;  /* MAXIMIZE with target 0: counts as 100 instead of being undefined */
};
/* Percent, exact, not rounded: uncapped (but not below 0) and capped. */
struct refusal achievement_compute(const struct indicator *in, struct decimal *ret_uncapped, struct decimal *ret_capped);
/* Σ weight·value / Σ weight, exact; cap first, then weight. Weights > 0. */
struct refusal achievement_total(const struct decimal *weights, const struct decimal *values, size_t n, struct decimal *ret);

/* ── predicate ── Permenpan RB 6/2022: nine cells from two ratings. */
enum rating { RATING_ABOVE = 1, RATING_AS_EXPECTED = 2, RATING_BELOW = 3 };
enum predicate {
    PREDICATE_SANGAT_BAIK = 1,
    PREDICATE_BAIK = 2,
    PREDICATE_BUTUH_PERBAIKAN = 3,
    PREDICATE_KURANG = 4,
    PREDICATE_SANGAT_KURANG = 5
};
/* The enum's values are SIASN's kuadranKinerjaNilai. */
enum predicate predicate_derive(enum rating results, enum rating behaviour);
const char *predicate_text(enum predicate predicate);  /* "sangat_baik" … */
bool rating_parse(const char *text, enum rating *ret); /* "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi" */
const char *rating_text(enum rating rating);

/* ── learning hours (JP) ── 1 JP = 45 minutes, rounded down; floor and ceiling are flags, never refusals. */
int hours_from_minutes(int minutes);
