/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of days at work: a row is one person's month, with whole numbers of days. */
#include "asnd/performance.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/date.h"
#include "asnd/text.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MONTH_DAYS   31

enum { NIP, MONTH, PRESENT, LATE, ABSENT, SOURCE, N_FIELDS };

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [NIP] = {"nip", ALIASES("nipbaru", "nippegawai"), IMPORT_DIGITS, 18, .need = "nip"},
    [MONTH] = {"month", ALIASES("bulan", "periode"), IMPORT_TEXT, 10, .need = "month"},
    [PRESENT] = {"present", ALIASES("hadir", "harihadir"), IMPORT_TEXT, 8, .need = "present"},
    [LATE] = {"late", ALIASES("terlambat", "hariterlambat"), IMPORT_TEXT, 8},
    [ABSENT] = {"absent", ALIASES("alpa", "tanpaketerangan", "mangkir"), IMPORT_TEXT, 8},
    [SOURCE] = {"source", ALIASES("sumber"), IMPORT_TEXT, 200},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 2026-01, 2026-01-01 or 01/2026 as the month's first day; NULL: none of these. */
static const char *month_of(struct arena *arena, const char *text)
{
    size_t len = strlen(text);
    const char *day = len == 7 && text[4] == '-'   ? arena_printf(arena, "%s-01", text)
                      : len == 7 && text[2] == '/' ? arena_printf(arena, "%.4s-%.2s-01", text + 3, text)
                                                   : text;
    struct date date;
    bool is_month = strlen(day) == 10 && date_parse(day, strlen(day), &date) && strcmp(day + 8, "01") == 0;
    return is_month && strcmp(day, "1900") > 0 && strcmp(day, "2100") < 0 ? day : NULL;
}

/* Of "20", "20.0" and "20,0" the whole number; NULL: no number of days of a month. */
static const char *days_of(struct arena *arena, const char *text)
{
    size_t n = 0;
    long days;
    while (is_digit(text[n]))
        n++;
    if (n == 0 || n > 2)
        return NULL;
    if (text[n] && strcmp(text + n, ".0") != 0 && strcmp(text + n, ",0") != 0)
        return NULL;
    days = strtol(text, NULL, 10);
    return days <= MONTH_DAYS ? arena_printf(arena, "%ld", days) : NULL;
}

static void check(struct import_row *row)
{
    static const size_t counts[] = {PRESENT, LATE, ABSENT};
    const char *month = row->values[MONTH];

    if (month && *month) {
        row->values[MONTH] = month_of(row->arena, month);
        if (!row->values[MONTH])
            import_fault(row, "month", "month-form", month, NULL, "Write the month as 2026-01.", "Tulis bulan seperti 2026-01.");
    }
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        const char *told = row->values[counts[i]];
        if (!told || !*told)
            continue;
        row->values[counts[i]] = days_of(row->arena, told);
        if (!row->values[counts[i]])
            import_fault(row, fields[counts[i]].name, "days-form", told, NULL, "This is no number of days of a month.",
                         "Ini bukan jumlah hari dalam sebulan.");
    }
    row->extras[0] = import_new_id(row);
}

static const struct import_wording wordings[] = {
    {"person-unknown", "There is no such person in your units.", "Pegawai ini tidak ada di unit Anda."},
    {"own-record", "Nobody does this for his own record.", "Tidak seorang pun melakukan ini untuk datanya sendiri."},
    {"duplicate-row",
     "The same month of this person was taken from an earlier line:", "Bulan pegawai ini sudah diambil dari baris sebelumnya:"},
    {"month-ahead", "This month is not over.", "Bulan ini belum berakhir."},
    {"days-disagree", "Late days are among those present, and all days together fit into the month.",
     "Hari terlambat termasuk hari hadir, dan jumlah semua hari tidak melebihi hari dalam sebulan."},
    {NULL, NULL, NULL},
};

const struct import_kind import_presence = {
    .name = "presence",
    .reader_scopes = ALIASES("performance.read"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .n_extras = 1,
    .check = check,
    .stages = ALIASES("import.stage", "importPresence.stage"),
    .table = "import_stage_presence",
    .batch_rows = 20000,
    .batch_bytes = 16 << 20,
    .merges = ALIASES("importPresence.merge"),
    .wordings = wordings,
};
