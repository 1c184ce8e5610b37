/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Pure rules of the regulations: no I/O, exact arithmetic, tested on worked examples. Each names its source. */
#include <stdbool.h>
#include <stddef.h>

#include "asnd/date.h"
#include "asnd/decimal.h"
#include "asnd/macros.h"

struct arena;

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

/* What a form of training is worth on the day on which it ended: facts of a row of list training-form, at home or abroad. */
struct hours_form {
    bool is_by_jp;                    /* JP themselves are counted, else days, sessions, semesters or events */
    bool is_up_to;                    /* what was told counts, up to unit_jp of a day */
    const struct decimal *unit_jp;    /* JP for one of what is counted */
    const struct decimal *jp_factor;  /* of the JP told, before is_up_to bounds them; NULL: 1 */
    const struct decimal *month_most; /* so many of them a month; NULL: any */
};

struct hours_entry {
    const struct hours_form *form; /* NULL: not known, so that it counts as printed */
    const char *form_code;         /* NULL only with form */
    const struct decimal *amount;  /* how many of what the form counts; NULL: not told */
    const struct decimal *jp;      /* as printed; NULL: not told */
    int minutes;                   /* in place of jp; below 0: not told */
    struct date first_day, last_day;
    const char *paper; /* organiser and number of the certificate, folded; NULL: none */
    const char *title; /* name, folded */
};

/* JP by the table, exact, before what a month bounds. `ret` is initialised by the caller. */
void hours_value(const struct hours_entry *entry, struct decimal *ret);

struct hours_counted {
    struct decimal jp;      /* by the table */
    struct decimal counted; /* of that what counts */
    bool is_duplicate;      /* the same certificate as an entry before, or, unless both have certificates, of the same name and first day */
};
/* All of one person's, in the order in which they count (enrolments before certificates, then by last day). Initialises the n of `ret`; the caller
 * ends them with hours_counted_done. */
void hours_count(const struct hours_entry *entries, size_t n, struct hours_counted *ret);
void hours_counted_done(struct hours_counted *counted, size_t n);

/* A total held against floor (PNS, PP 11/2017: 20) and ceiling (PPPK, PP 49/2018 Art. 40: 24); below 0: there is none. */
void hours_stand(const struct decimal *total, int floor_jp, int ceiling_jp, struct decimal *ret_counted, struct decimal *ret_short,
                 struct decimal *ret_above);

/* The year counted from `origin` in which `at` lies: [from, until). For at ≥ origin. */
void hours_contract_year(struct date origin, struct date at, struct date *ret_from, struct date *ret_until);

/* ── satisfaction of the public (SKM, IKM) ── Permenpan RB 14/2017: answers 1 to 4, every element weighs the same, exactly 1/n of all. */
#define SATISFACTION_RULE_VERSION "skm-2017.1"
#define SATISFACTION_ANSWERS      4
struct satisfaction_element {
    long long counts[SATISFACTION_ANSWERS]; /* how many answered 1, 2, 3, 4 */
};
long long satisfaction_answers(const struct satisfaction_element *element);
/* Mean of one element (NRR), exact. False when nobody answered it. */
NODISCARD bool satisfaction_mean(const struct satisfaction_element *element, struct decimal *ret);
/* Index from 1 to 4: the mean of the elements' means, exact. False when there is no element, or one that nobody answered. */
NODISCARD bool satisfaction_index(const struct satisfaction_element *elements, size_t n, struct decimal *ret);
/* The converted value (IKM), 25 to 100: index × 25, rounded once, to two decimals, half up. */
void satisfaction_convert(const struct decimal *index, struct decimal *ret);
/* The category of a converted value: the place of the greatest lower bound that is not above it; -1 below all. */
int satisfaction_category(const struct decimal *converted, const struct decimal *lower_bounds, size_t n);
/* Σ respondents·index / Σ respondents, exact: several surveys as one. False when nobody answered. */
NODISCARD bool satisfaction_pool(const long long *respondents, const struct decimal *indices, size_t n, struct decimal *ret);
/* Krejcie and Morgan: how many of a population must answer (X² 3.841, P 0.5, d 0.05), rounded half up. 0 for 0 and below. */
long long sample_target(long long population);

/* ── times ── */
/* The value below which `percent` of all lie, in hundredths: linear between the two nearest ranks, (n − 1)·percent/100 from the first (type 7
 * of Hyndman and Fan; PostgreSQL's percentile_cont). `sorted` ascends. False when there is none. */
NODISCARD bool percentile_hundredths(const long long *sorted, size_t n, int percent, long long *ret);

/* ── working days ── Monday to Friday but for the holidays; days as date_to_days() counts them. */
struct workdays {
    const int64_t *holidays; /* ascending */
    size_t n;
};
bool workday_is(const struct workdays *calendar, int64_t day);
/* The last day of a limit of `count` working days: the day itself does not count. 0: the day itself. */
int64_t workday_after(const struct workdays *calendar, int64_t day, int count);
/* How many working days lie behind `from` up to and with `to`. */
int64_t workdays_between(const struct workdays *calendar, int64_t from, int64_t to);

/* ── regimes before 2022 ── records keep the value of their own regime; none is turned into another's. docs/rules.md, section 9. Nothing is rounded but
 * where a rule says so, by decimal_format at the end. */
enum aspect { ASPECT_QUANTITY, ASPECT_QUALITY, ASPECT_TIME, ASPECT_COST };
bool aspect_parse(const char *text, enum aspect *ret); /* "kuantitas", "kualitas", "waktu", "biaya" */
/* Plain mean; n > 0, else "indicator-none". */
struct refusal regime_mean(const struct decimal *values, size_t n, struct decimal *ret);
/* weight · skp + (100 − weight) · behaviour, in percent. */
void regime_total(const struct decimal *skp, const struct decimal *behaviour, int weight, struct decimal *ret);

/* PP 46/2011 (2014 to June 2021). The value of one aspect of an item: R/T, of time and cost by efficiency; not below 0. An item is the mean of its
 * aspects, the SKP that of its items, behaviour that of 5 elements, or 6 of who leads; total 60/40. */
struct refusal pp46_aspect(enum aspect aspect, const struct decimal *target, const struct decimal *actual, struct decimal *ret);
struct refusal pp46_behaviour(const struct decimal *elements, size_t n, struct decimal *ret);
#define PP46_SKP_WEIGHT 60
/* How 90.8 falls: rounded to a whole number first (sangat_baik), or 91 must be reached (baik). */
enum cut { CUT_ROUND, CUT_STRICT };
/* "sangat_baik", "baik", "cukup", "kurang", "buruk"; "regime-value" outside of 0 … 100. */
struct refusal pp46_predicate(const struct decimal *total, enum cut cut, const char **ret);

/* Permenpan RB 8/2021 (second half of 2021). A target may be a range: high, or NULL. */
struct p8_target {
    const struct decimal *low, *high, *actual;
    bool is_less_better; /* the special formula */
};
struct refusal p8_achievement(const struct p8_target *in, struct decimal *ret);
/* What the annex leaves open, between 79 and 80, 99 and 100, 100 and 101: on the straight line between its neighbours, or the achievement as a whole number. */
enum gap { GAP_INTERPOLATE, GAP_ROUND };
/* From achievement to value, 0 … 120. is_ceiling: the target cannot be exceeded, so that meeting it is worth 120. *ret_is_gap: the annex does not say. */
void p8_value(const struct decimal *achievement, bool is_ceiling, enum gap gap, struct decimal *ret, bool *ret_is_gap);

/* PP 30/2019 Art. 41: total 70/30, or 60/40 where peers and subordinates were asked. */
#define PP30_SKP_WEIGHT            70
#define PP30_SKP_WEIGHT_WITH_PEERS 60
/* "sangat_baik" (from 110, and with a new idea), "baik", "cukup", "kurang", "sangat_kurang"; "regime-value" outside of 0 … 120. */
struct refusal pp30_predicate(const struct decimal *total, bool has_new_idea, const char **ret);

/* ── what a training changed (difference in differences) ── docs/training-effect.md. Exact but for the root, cut after 12 digits, and the quantile of t. */
#define EFFECT_RULE_VERSION "did-1"
enum effect_arm { EFFECT_COMPARISON, EFFECT_PARTICIPANT, EFFECT_ARMS };
/* People (or units) of one stratum, one cluster and one arm, summed up. Strata and clusters are numbered from 0. */
struct effect_cell {
    size_t stratum, cluster;
    enum effect_arm arm;
    long long n;
    struct decimal before, after, squares; /* sums of what each had before, after, and of (after − before)² */
};
void effect_cell_init(struct effect_cell *cell);
void effect_cell_done(struct effect_cell *cell);
/* One arm of a stratum, or of all strata that count. */
struct effect_side {
    long long n;
    size_t clusters;                       /* of the whole alone */
    struct decimal before, after, squares; /* of a stratum: sums; of the whole: means, the comparison's as its strata weigh */
};
struct effect {
    struct effect_side side[EFFECT_ARMS];
    struct effect_side (*strata)[EFFECT_ARMS]; /* in the arena; a stratum counts if it has both arms */
    size_t n_strata, counted;
    long long unmatched; /* participants of strata without anybody to compare them with: they do not count */
    bool has_estimate;
    struct decimal estimate; /* change of the participants − change of the comparison */
    bool has_interval;
    bool is_clustered; /* the clustered error is the larger one, and holds */
    struct decimal welch_error, clustered_error, quantile, lower, upper;
    long long df;
};
/* Works out all of `ret` (effect_done it): weights as the participants are spread over the strata; the error by Welch on changes within strata, or by
 * clusters where that is larger; 95 %. */
void effect_estimate(struct arena *arena, const struct effect_cell *cells, size_t n, struct effect *ret);
void effect_done(struct effect *effect);
/* The two-sided 95 % quantile of Student's t in millionths, rounded up; between two rows of the table that of fewer degrees. df > 0. */
long effect_quantile(long long df);
