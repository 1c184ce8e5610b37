/* SPDX-License-Identifier: Apache-2.0 */
/* An import taken back. What may be and what must be done the database knows (migrations/0020 and 0022); here it is worded. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/db.h"

/* By the code that import_depends() gives: what hangs on the import. A table that is not here is a later one. */
static const struct import_wording things[] = {
    {"asn", "people were changed since", "pegawai sudah berubah sejak itu"},
    {"history", "rows of histories were changed or came since", "baris riwayat sudah berubah atau ditambahkan sejak itu"},
    {"asn-merge", "people were merged since", "pegawai sudah digabungkan sejak itu"},
    {"import", "later imports changed the same people or units", "impor sesudahnya mengubah pegawai atau unit yang sama"},
    {"enrolment", "enrolments of people that it made", "kepesertaan pelatihan pegawai yang dibuatnya"},
    {"evaluation", "evaluations of people that it made", "penilaian kinerja pegawai yang dibuatnya"},
    {"change-request", "change requests of people, or to units, that it made", "usulan perubahan pegawai, atau ke unit, yang dibuatnya"},
    {"data-request", "what people that it made ask of their data", "permintaan atas data pribadi oleh pegawai yang dibuatnya"},
    {"restriction", "restrictions of the processing of data of people that it made", "pembatasan pemrosesan data pegawai yang dibuatnya"},
    {"external-id", "ids in other systems of people that it made", "ID pada sistem lain milik pegawai yang dibuatnya"},
    {"activity-participant", "people that it made take part in activities with partners",
     "pegawai yang dibuatnya mengikuti kegiatan kemitraan"},
    {"ticket", "tickets of service that people it made attended to", "antrean layanan yang dilayani pegawai yang dibuatnya"},
    {"survey-answer", "answers to surveys about people that it made", "jawaban survei tentang pegawai yang dibuatnya"},
    {"external-certificate", "certificates of people that it made, or that it made the course of",
     "sertifikat dari luar milik pegawai yang dibuatnya, atau yang kursusnya dibuatnya"},
    {"skp", "plans of the year of people, or in units, that it made", "SKP pegawai, atau di unit, yang dibuatnya"},
    {"potential", "potentials of people that it made", "potensi pegawai yang dibuatnya"},
    {"ip-asn-bkn", "values of BKN's index of people that it made", "nilai IP ASN dari BKN milik pegawai yang dibuatnya"},
    {"document", "documents of people that it made", "dokumen pegawai yang dibuatnya"},
    {"document-link", "documents that prove rows that it made", "dokumen yang membuktikan baris yang dibuatnya"},
    {"appraisal", "ratings that people that it made gave beside an evaluation", "penilaian tambahan oleh pegawai yang dibuatnya"},
    {"peer-receipt", "answers about colleagues by people that it made", "jawaban rekan kerja oleh pegawai yang dibuatnya"},
    {"presence-month", "days at work of people that it made", "kehadiran bulanan pegawai yang dibuatnya"},
    {"behaviour-request", "people that it made are asked what a training changed",
     "permintaan evaluasi pascapelatihan kepada pegawai yang dibuatnya"},
    {"competency-assessment", "assessments of competencies of people that it made", "asesmen kompetensi pegawai yang dibuatnya"},
    {"development-plan", "development plans of people that it made, or of those below them",
     "rencana pengembangan pegawai yang dibuatnya atau bawahannya"},
    {"development-plan-course", "courses that it made count for development plans",
     "kursus yang dibuatnya dihitung dalam rencana pengembangan"},
    {"improvement-plan", "plans of improvement of people that it made", "rencana perbaikan kinerja pegawai yang dibuatnya"},
    {"competency-standard", "competency standards of units that it made", "standar kompetensi unit yang dibuatnya"},
    {"unit-changed", "units were changed since", "unit sudah berubah sejak itu"},
    {"unit", "units below units that it made, or closed in favour of them", "unit di bawah unit yang dibuatnya, atau digantikan olehnya"},
    {"unit-version", "units have versions that were told since, or lay below units that it made",
     "unit memiliki versi yang ditulis sejak itu, atau pernah di bawah unit yang dibuatnya"},
    {"unit-external-id", "ids in other systems of units that it made", "ID pada sistem lain milik unit yang dibuatnya"},
    {"unit-predicate", "predicates of units that it made", "predikat kinerja unit yang dibuatnya"},
    {"unit-agency", "roots have taken over an agency that would come back", "akar lain sudah memakai instansi yang akan kembali"},
    {"programme", "training programmes of units that it made", "program pelatihan milik unit yang dibuatnya"},
    {"session", "training sessions of units that it made", "angkatan pelatihan milik unit yang dibuatnya"},
    {"partner", "partners of units that it made", "mitra milik unit yang dibuatnya"},
    {"agreement", "agreements of units that it made", "kerja sama milik unit yang dibuatnya"},
    {"activity", "activities with partners of units that it made", "kegiatan kemitraan milik unit yang dibuatnya"},
    {"budget-line", "lines of the training budget of units that it made", "baris anggaran pelatihan milik unit yang dibuatnya"},
    {"session-quota", "seats in sessions that are kept for units that it made", "kuota sesi pelatihan untuk unit yang dibuatnya"},
    {"service-unit", "service points of units that it made", "unit layanan pada unit yang dibuatnya"},
    {"post", "posts of units that it made", "peta jabatan unit yang dibuatnya"},
    {"quality-snapshot", "snapshots of the data quality of units that it made", "potret mutu data unit yang dibuatnya"},
    {"api-key", "keys for units that it made", "kunci untuk unit yang dibuatnya"},
    {"unit-tree", "units would hang on themselves, on one that was not there, or stand too deep",
     "unit akan bergantung pada dirinya sendiri, pada unit yang tidak ada, atau terlalu dalam"},
    {NULL, NULL, NULL},
};

static const struct import_wording *thing_of(const char *code)
{
    static const struct import_wording other = {NULL, "other records hang on what it made", "data lain bergantung pada yang dibuatnya"};

    for (const struct import_wording *thing = things; thing->code; thing++)
        if (strcmp(thing->code, code) == 0)
            return thing;
    return &other;
}

/* One row a sort of thing: code, how many, some of them. */
static enum status refuse(struct ctx *ctx, const PGresult *found)
{
    for (int i = 0; i < PQntuples(found); i++) {
        const char *code = PQgetvalue(found, i, 0), *examples = PQgetvalue(found, i, 2), *n = PQgetvalue(found, i, 1);
        const struct import_wording *thing = thing_of(code);
        const char *colon = *examples ? ": " : "", *more = *examples && strtoll(n, NULL, 10) > 5 ? ", …" : "";

        if (strcmp(code, "forbidden") == 0)
            return fail(ctx, ST_FORBIDDEN, "forbidden", "This import needs the scope %s.", "Impor ini memerlukan cakupan %s.", examples);
        if (strcmp(code, "own-record") == 0)
            return fail(ctx, ST_FORBIDDEN, "own-record", "This import is about your own record too; somebody else undoes it.",
                        "Impor ini juga menyangkut data Anda sendiri; orang lain yang membatalkannya.");
        struct fault *fault = fault_add(ctx, AT_BODY, "", thing->code ? code : "other", "%s %s%s%s%s", "%s %s%s%s%s", n,
                                        ctx->lang == LANG_EN ? thing->en : thing->id, colon, examples, more);
        if (fault && *examples)
            fault->value = arena_strdup(ctx->arena, examples);
    }
    return fail(ctx, ST_CONFLICT, "import-depends", "Something later depends on this import; errors says what.",
                "Sudah ada yang bergantung pada impor ini; errors menyebutkannya.");
}

static enum status find(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *import_id,
                        const struct import_sender *by)
{
    PGresult *res;
    enum status st =
        db_query(ctx, conn, set, "import.undoable", &res, "import_id", import_id, "key_id", by->key_id, "units", by->units, NULL);

    if (st != ST_OK)
        return st;
    if (PQntuples(res) == 0)
        return fail(ctx, ST_NOT_FOUND, "not-found", "There is no such import, or it is not yours to see.",
                    "Impor ini tidak ada, atau bukan hak Anda untuk melihatnya.");
    const char *problem = PQgetvalue(res, 0, 0);
    if (strcmp(problem, "import-undone") == 0)
        return fail(ctx, ST_CONFLICT, "import-undone", "This import was undone already, by %s.", "Impor ini sudah dibatalkan oleh %s.",
                    PQgetvalue(res, 0, 1));
    if (strcmp(problem, "import-kept") == 0)
        return fail(ctx, ST_CONFLICT, "import-kept", "Files of this kind are not taken back; send what holds instead.",
                    "Berkas jenis ini tidak dapat ditarik; kirim baris yang berlaku.");
    if (strcmp(problem, "import-forgotten") == 0)
        return fail(ctx, ST_CONFLICT, "import-forgotten", "What this import replaced is no longer kept.",
                    "Data yang digantikan impor ini tidak lagi disimpan.");
    return ST_OK;
}

enum status import_undo(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *import_id, const char *reason,
                        const struct import_sender *by)
{
    PGresult *found;
    enum status st;

    if (!by)
        by = &import_operator;
    st = find(ctx, conn, set, import_id, by);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "import.depends", &found, "import_id", import_id, "units", by->units, "scopes", by->scopes, "nip",
                      by->nip, NULL);
    if (st == ST_OK && PQntuples(found) == 0)
        st = db_query(ctx, conn, set, "import.takeBack", &found, "import_id", import_id, "reason", reason, "key_id", by->key_id, "name",
                      by->name, NULL);
    if (st != ST_OK)
        return st;
    return PQntuples(found) == 0 ? ST_OK : refuse(ctx, found);
}
