/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of tickets: a row is one by service, day and number; its times are moments with an offset, or by the regency's clock. */
#include "asnd/service.h"

#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/date.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct import_word states[] = {
    {"taken", "taken"},
    {"called", "called"},
    {"started", "started"},
    {"finished", "finished"},
    {"noshow", "no_show"},
    {"cancelled", "cancelled"},
    {"menunggu", "taken"},
    {"dipanggil", "called"},
    {"dilayani", "started"},
    {"selesai", "finished"},
    {"tidakhadir", "no_show"},
    {"batal", "cancelled"},
    {NULL, NULL},
};

static const struct import_word results[] = {
    {"completed", "completed"},     {"incomplete", "incomplete"}, {"refused", "refused"},
    {"transferred", "transferred"}, {"selesai", "completed"},     {"tidaklengkap", "incomplete"},
    {"ditolak", "refused"},         {"dialihkan", "transferred"}, {NULL, NULL},
};

enum { SERVICE_CODE, NUMBER, TAKEN_AT, ACCEPTED_AT, CALLED_AT, STARTED_AT, FINISHED_AT, NIP, STATE, RESULT, N_FIELDS };

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [SERVICE_CODE] = {"service_code", ALIASES("kodelayanan", "layanan"), IMPORT_TEXT, 40, .need = "service_code"},
    [NUMBER] = {"number", ALIASES("nomor", "nomorantrean", "nomorantrian"), IMPORT_TEXT, 20, .need = "number"},
    [TAKEN_AT] = {"taken_at", ALIASES("waktuambil", "diambil"), IMPORT_TEXT, 40, .need = "taken_at"},
    [ACCEPTED_AT] = {"accepted_at", ALIASES("berkaslengkap"), IMPORT_TEXT, 40},
    [CALLED_AT] = {"called_at", ALIASES("waktupanggil", "dipanggil"), IMPORT_TEXT, 40},
    [STARTED_AT] = {"started_at", ALIASES("waktumulai", "mulai"), IMPORT_TEXT, 40},
    [FINISHED_AT] = {"finished_at", ALIASES("waktuselesai", "selesai"), IMPORT_TEXT, 40},
    [NIP] = {"nip", ALIASES("nippetugas", "petugas"), IMPORT_DIGITS, 18},
    [STATE] = {"state", ALIASES("status"), IMPORT_WORD, 0, states, "state-unknown", .is_derived = true},
    [RESULT] = {"result", ALIASES("hasil"), IMPORT_WORD, 0, results, "result-unknown"},
};

static bool has_offset(const char *text, size_t len)
{
    return text[len - 1] == 'Z' || (len > 6 && strchr("+-", text[len - 6]) && text[len - 3] == ':');
}

/* 2025-07-07 08:15, 2025-07-07 08:15:30, with T between, with or without an offset: as PostgreSQL then reads it. NULL: none of these. */
static const char *moment_of(struct arena *arena, const char *text)
{
    size_t len = strlen(text);
    const char *whole;
    char *form;
    if (len < 16 || len > 38)
        return NULL;
    form = arena_strdup(arena, text);
    if (form[10] == ' ')
        form[10] = 'T';
    if (len == 16)
        form = arena_printf(arena, "%s:00", form);
    whole = has_offset(form, strlen(form)) ? form : arena_printf(arena, "%sZ", form);
    return instant_is_valid(whole, strlen(whole)) && strncmp(form, "1900", 4) >= 0 && strncmp(form, "2100", 4) < 0 ? form : NULL;
}

static void check(struct import_row *row)
{
    static const size_t moments[] = {TAKEN_AT, ACCEPTED_AT, CALLED_AT, STARTED_AT, FINISHED_AT};

    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        size_t field = moments[i];
        const char *moment;
        if (!import_has_value(row, field))
            continue;
        moment = moment_of(row->arena, row->values[field]);
        if (!moment)
            import_fault(row, fields[field].name, "moment-form", row->values[field], NULL,
                         "Write it as 2025-07-07 08:15 or 2025-07-07T08:15:30+08:00.",
                         "Tulis seperti 2025-07-07 08:15 atau 2025-07-07T08:15:30+08:00.");
        row->values[field] = moment;
    }
    row->extras[0] = import_new_id(row);
}

static const struct import_wording wordings[] = {
    {"service-unknown", "There is no such service in your units.", "Layanan ini tidak ada di unit Anda."},
    {"officer-unknown", "There is no such person in your units.", "Pegawai ini tidak ada di unit Anda."},
    {"duplicate-row", "The same ticket was taken from an earlier line:", "Tiket yang sama sudah diambil dari baris sebelumnya:"},
    {"time-order", "Its times do not follow each other: taken, called, started, finished.",
     "Urutan waktunya tidak benar: diambil, dipanggil, mulai, selesai."},
    {"in-future", "This lies in the future.", "Waktu ini belum terjadi."},
    {"state-times", "Its state and its times do not fit: what is finished has an end and a result.",
     "Status dan waktunya tidak cocok: yang selesai memiliki waktu selesai dan hasil."},
    {"ticket-state", "It has come to its end here in another state:", "Tiket ini sudah berakhir di sini dengan status lain:"},
    {NULL, NULL, NULL},
};

const struct import_kind import_tickets = {
    .name = "ticket",
    .reader_scopes = ALIASES("service.read"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .n_extras = 1,
    .check = check,
    .stages = ALIASES("import.stage", "importTickets.stage"),
    .table = "import_stage_ticket",
    .batch_rows = 20000,
    .batch_bytes = 16 << 20,
    .merges = ALIASES("importTickets.merge"),
    .wordings = wordings,
};
