/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of histories: all kinds in one file, each fact a column of its own. A row becomes the body that createHistory takes
 * and is judged by the contract's schema of its kind, as one that a client posts. */
#include "asnd/asn.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/contract.h"
#include "asnd/uuid.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct import_word kinds[] = {
    {"appointment", "appointment"},
    {"pengangkatan", "appointment"},
    {"rank", "rank"},
    {"kepangkatan", "rank"},
    {"golongan", "rank"},
    {"position", "position"},
    {"jabatan", "position"},
    {"placement", "placement"},
    {"penempatan", "placement"},
    {"unitkerja", "placement"},
    {"education", "education"},
    {"pendidikan", "education"},
    {"title", "title"},
    {"gelar", "title"},
    {"status", "status"},
    {"kedudukanhukum", "status"},
    {"service", "service"},
    {"masakerja", "service"},
    {"credit", "credit"},
    {"angkakredit", "credit"},
    {"course", "course"},
    {"kursus", "course"},
    {"diklat", "course"},
    {"performance", "performance"},
    {"kinerja", "performance"},
    {"skp", "performance"},
    {"discipline", "discipline"},
    {"hukdis", "discipline"},
    {"award", "award"},
    {"penghargaan", "award"},
    {"leave", "leave"},
    {"cltn", "leave"},
    {"study", "study"},
    {"tugasbelajar", "study"},
    {"transfer", "transfer"},
    {"pindahinstansi", "transfer"},
    {"contract", "contract"},
    {"kontrak", "contract"},
    {"nip", "nip"},
    {"pay", "pay"},
    {"kgb", "pay"},

    {NULL, NULL},
};

static const struct import_word truths[] = {{"true", "true"}, {"false", "false"}, {"ya", "true"},  {"tidak", "false"}, {"1", "true"},
                                            {"0", "false"},   {"yes", "true"},    {"no", "false"}, {NULL, NULL}};

static const struct import_word assignments[] = {
    {"definitive", "definitive"}, {"definitif", "definitive"}, {"d", "definitive"},  {"plt", "plt"}, {"plh", "plh"}, {"pj", "pj"},
    {"additional", "additional"}, {"rangkap", "additional"},   {"tt", "additional"}, {NULL, NULL},
};

/* Columns of every row. */
enum { NIP, KIND, FROM, TO, DECREE_NUMBER, DECREE_DATE, DECREE_SIGNATORY, SOURCE, REMOTE_ID, NOTE, UNIT_CODE, FIRST_FACT };

/* How a fact stands in JSON. */
enum fact_form { FACT_TEXT, FACT_NUMBER, FACT_TRUTH };

struct fact {
    const char *member; /* of facts */
    enum fact_form form;
    const char *const *kinds; /* where two columns are one member: of which rows this one is it; NULL: of all */
};

#define CODE_OF(column, word, digits, reference)                                                                                           \
    {                                                                                                                                      \
        column, ALIASES(word), IMPORT_WORD, (digits), .unknown = "code-unknown", .list = (reference), .is_derived = true                   \
    }
#define TEXT_OF(column, length, ...)                                                                                                       \
    {                                                                                                                                      \
        column, ALIASES(__VA_ARGS__), IMPORT_TEXT, (length), .is_derived = true                                                            \
    }
#define DATE_OF(column, ...)                                                                                                               \
    {                                                                                                                                      \
        column, ALIASES(__VA_ARGS__), IMPORT_DATE, .is_derived = true                                                                      \
    }

/* In the order of the stage; from FIRST_FACT on in that of `facts`. */
static const struct import_field fields[] = {
    [NIP] = {"nip", ALIASES("nipbaru"), IMPORT_DIGITS, 18, .need = "nip"},
    [KIND] = {"kind", ALIASES("riwayat", "jenisriwayat"), IMPORT_WORD, 0, kinds, "kind-unknown", "kind"},
    [FROM] = {"from", ALIASES("tmt", "mulai"), IMPORT_DATE, .need = "from"},
    [TO] = DATE_OF("to", "sampai"),
    [DECREE_NUMBER] = TEXT_OF("decree_number", 120, "nomorsk", "nosk"),
    [DECREE_DATE] = DATE_OF("decree_date", "tanggalsk", "tglsk"),
    [DECREE_SIGNATORY] = TEXT_OF("decree_signatory", 200, "pejabatsk", "penandatangan"),
    [SOURCE] = TEXT_OF("source", 10, "sumber"),
    [REMOTE_ID] = TEXT_OF("remote_id", 64, "idsiasn", "idriwayat"),
    [NOTE] = TEXT_OF("note", 2000, "catatan", "keterangan"),
    [UNIT_CODE] = TEXT_OF("unit_code", 64, "kodeunor", "unorkode"),
    CODE_OF("appointment", "statuskepegawaian", 0, "employee-kind"),
    TEXT_OF("rank", 20, "golongan", "golongannama"),
    CODE_OF("promotion_kind", "jeniskp", 0, "promotion-kind"),
    TEXT_OF("service_years", 20, "masakerjatahun"),
    TEXT_OF("service_months", 20, "masakerjabulan"),
    TEXT_OF("credit", 20, "angkakredit"),
    {"is_demotion", NULL, IMPORT_WORD, 0, truths, "truth-unknown", .is_derived = true},
    {"assignment", ALIASES("jenispenugasan"), IMPORT_WORD, 0, assignments, "assignment-unknown", .is_derived = true},
    TEXT_OF("position_kind", 20, "jenisjabatan"),
    TEXT_OF("position", 200, "namajabatan"),
    CODE_OF("echelon", "eselon", 0, "echelon"),
    CODE_OF("functional_level", "jenjang", 0, "functional-level"),
    TEXT_OF("unit_id", 36, "unorid"),
    CODE_OF("education_level", "tingkatpendidikan", 2, "education-level"),
    TEXT_OF("field", 200, "jurusan"),
    TEXT_OF("school", 200, "namasekolah"),
    DATE_OF("graduated_on", "tanggallulus"),
    TEXT_OF("certificate_number", 120, "nomorijazah", "nomorsertifikat"),
    {"is_first", NULL, IMPORT_WORD, 0, truths, "truth-unknown", .is_derived = true},
    TEXT_OF("title_front", 60, "gelardepan"),
    TEXT_OF("title_back", 100, "gelarbelakang"),
    CODE_OF("legal_status", "kedudukanhukumid", 2, "legal-status"),
    TEXT_OF("years", 20, "tahunmasakerja"),
    TEXT_OF("months", 20, "bulanmasakerja"),
    TEXT_OF("basis", 20, "dasarmasakerja"),
    TEXT_OF("main", 20, "kreditutama"),
    TEXT_OF("additional", 20, "kreditpenunjang"),
    TEXT_OF("total", 20, "kreditjumlah"),
    TEXT_OF("name", 300, "nama", "namadiklat"),
    CODE_OF("form", "bentuk", 0, "training-form"),
    TEXT_OF("organiser", 200, "penyelenggara"),
    TEXT_OF("jp", 20, "jampelajaran"),
    DATE_OF("certificate_date", "tanggalsertifikat"),
    TEXT_OF("minutes", 20, "menit"),
    TEXT_OF("amount", 20, "jumlah"),
    {"is_abroad", ALIASES("luarnegeri"), IMPORT_WORD, 0, truths, "truth-unknown", .is_derived = true},
    TEXT_OF("regime", 20, "aturan"),
    TEXT_OF("year", 20, "tahun"),
    TEXT_OF("value", 20, "nilai"),
    TEXT_OF("results", 20, "hasilkerja"),
    TEXT_OF("behaviour", 20, "perilakukerja"),
    TEXT_OF("predicate", 60, "predikat"),
    TEXT_OF("assessor", 200, "pejabatpenilai"),
    TEXT_OF("discipline_level", 20, "tingkathukdis"),
    CODE_OF("punishment", "jenishukdis", 0, "discipline-kind"),
    TEXT_OF("violation", 500, "pelanggaran"),
    CODE_OF("award", "jenispenghargaan", 0, "award-kind"),
    TEXT_OF("grounds", 300, "alasan"),
    TEXT_OF("funding", 20, "pembiayaan"),
    TEXT_OF("direction", 5, "arah"),
    TEXT_OF("agency", 300, "instansi"),
    TEXT_OF("number", 120, "nomorkontrak"),
    {"new_nip", ALIASES("nippengganti"), IMPORT_DIGITS, 18, .is_derived = true},
};

static const struct fact facts[] = {
    {"kind", FACT_TEXT, NULL},
    {"rank", FACT_TEXT, NULL},
    {"promotion_kind", FACT_TEXT, NULL},
    {"service_years", FACT_NUMBER, NULL},
    {"service_months", FACT_NUMBER, NULL},
    {"credit", FACT_NUMBER, NULL},
    {"is_demotion", FACT_TRUTH, NULL},
    {"assignment", FACT_TEXT, NULL},
    {"position_kind", FACT_TEXT, NULL},
    {"position", FACT_TEXT, NULL},
    {"echelon", FACT_TEXT, NULL},
    {"functional_level", FACT_TEXT, NULL},
    {"unit_id", FACT_TEXT, NULL},
    {"level", FACT_TEXT, ALIASES("education", "study")},
    {"field", FACT_TEXT, NULL},
    {"school", FACT_TEXT, NULL},
    {"graduated_on", FACT_TEXT, NULL},
    {"certificate_number", FACT_TEXT, NULL},
    {"is_first", FACT_TRUTH, NULL},
    {"title_front", FACT_TEXT, NULL},
    {"title_back", FACT_TEXT, NULL},
    {"legal_status", FACT_TEXT, NULL},
    {"years", FACT_NUMBER, NULL},
    {"months", FACT_NUMBER, NULL},
    {"basis", FACT_TEXT, NULL},
    {"main", FACT_NUMBER, NULL},
    {"additional", FACT_NUMBER, NULL},
    {"total", FACT_NUMBER, NULL},
    {"name", FACT_TEXT, NULL},
    {"form", FACT_TEXT, NULL},
    {"organiser", FACT_TEXT, NULL},
    {"jp", FACT_NUMBER, NULL},
    {"certificate_date", FACT_TEXT, NULL},
    {"minutes", FACT_NUMBER, NULL},
    {"amount", FACT_NUMBER, NULL},
    {"is_abroad", FACT_TRUTH, NULL},
    {"regime", FACT_TEXT, NULL},
    {"year", FACT_NUMBER, NULL},
    {"value", FACT_NUMBER, NULL},
    {"results", FACT_TEXT, NULL},
    {"behaviour", FACT_TEXT, NULL},
    {"predicate", FACT_TEXT, NULL},
    {"assessor", FACT_TEXT, NULL},
    {"level", FACT_TEXT, ALIASES("discipline")},
    {"punishment", FACT_TEXT, NULL},
    {"violation", FACT_TEXT, NULL},
    {"award", FACT_TEXT, NULL},
    {"grounds", FACT_TEXT, NULL},
    {"funding", FACT_TEXT, NULL},
    {"direction", FACT_TEXT, NULL},
    {"agency", FACT_TEXT, NULL},
    {"number", FACT_TEXT, NULL},
    {"nip", FACT_TEXT, NULL},
};

_Static_assert(ARRAY_LEN(fields) == FIRST_FACT + ARRAY_LEN(facts), "each fact has its column");

/* ── a row as a body ── */

static bool is_number(const char *text)
{
    size_t n = strspn(text, "0123456789");

    if (n == 0 || (n > 1 && *text == '0'))
        return false;
    return text[n] == '\0' || (text[n] == '.' && text[n + 1] && strspn(text + n + 1, "0123456789") == strlen(text + n + 1));
}

static void put_text(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", name);
    buf_json_string(out, value, strlen(value));
}

/* The member that a column is; in a row of a kind that has none, its own name, so that the contract refuses it by that. */
static const char *member_of(const struct import_row *row, size_t fact)
{
    for (const char *const *kind = facts[fact].kinds; kind; kind++) {
        if (!*kind)
            return fields[FIRST_FACT + fact].name;
        if (row->values[KIND] && strcmp(*kind, row->values[KIND]) == 0)
            break;
    }
    return facts[fact].member;
}

static void put_fact(struct buf *out, const char *member, enum fact_form form, const char *value)
{
    if (form == FACT_TEXT || (form == FACT_NUMBER && !is_number(value)))
        put_text(out, member, value);
    else
        buf_printf(out, "%s\"%s\":%s", out->data[out->len - 1] == '{' ? "" : ",", member, value);
}

/* The unit is told by its code; which one that is, the merge finds. Until then this stands for it. */
static const char some_unit[] = "00000000-0000-7000-8000-000000000000";

static const char *body_of(const struct import_row *row)
{
    static const size_t told[] = {KIND, FROM, TO, DECREE_NUMBER, DECREE_DATE, DECREE_SIGNATORY, SOURCE, REMOTE_ID, NOTE};
    struct buf out;
    bool has_unit = false;

    buf_init(&out, row->arena, 512);
    buf_putc(&out, '{');
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        if (import_has_value(row, told[i]))
            put_text(&out, fields[told[i]].name, row->values[told[i]]);
    if (!import_has_value(row, SOURCE))
        put_text(&out, "source", "import");
    buf_puts(&out, ",\"facts\":{");
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        if (!import_has_value(row, FIRST_FACT + i))
            continue;
        put_fact(&out, member_of(row, i), facts[i].form, row->values[FIRST_FACT + i]);
        has_unit |= strcmp(facts[i].member, "unit_id") == 0;
    }
    if (import_has_value(row, UNIT_CODE) && !has_unit)
        put_text(&out, "unit_id", some_unit);
    buf_puts(&out, "}}");
    return buf_cstr(&out);
}

/* ── its faults as the row's ── */

static const char *column_of(const struct import_row *row, const char *pointer)
{
    const char *name = pointer && strrchr(pointer, '/') ? strrchr(pointer, '/') + 1 : NULL;
    bool is_fact = name && strncmp(pointer, "/facts/", 7) == 0;

    for (size_t i = 0; is_fact && i < ARRAY_LEN(facts); i++)
        if (strcmp(member_of(row, i), name) == 0)
            return strcmp(name, "unit_id") == 0 && !import_has_value(row, FIRST_FACT + i) ? fields[UNIT_CODE].name
                                                                                          : fields[FIRST_FACT + i].name;
    for (size_t f = 0; name && f < FIRST_FACT; f++)
        if (strcmp(fields[f].name, name) == 0)
            return fields[f].name;
    return NULL;
}

/* What the contract says against the body, in one language. */
static const struct fault *judge(struct import_row *row, const struct operation *operation, const char *body, enum lang lang)
{
    struct ctx *ctx = arena_zalloc(row->arena, sizeof *ctx);
    struct params params = {.operation = operation};

    ctx->arena = row->arena;
    ctx->lang = lang;
    params.members = arena_zalloc_array(row->arena, operation->n_body_members, sizeof *params.members);
    return params_parse_body(ctx, slice_of(body), &params) == ST_OK ? NULL : ctx->problem.first_fault;
}

static void check(struct import_row *row)
{
    const struct contract *contract = row->cls;
    const struct operation *operation = contract_find(contract, "createHistory");
    const struct fault *en, *id;
    const char *body;
    char *new_id = arena_alloc(row->arena, UUID_TEXT_SIZE);

    uuid_new_v7(new_id);
    row->extras[0] = new_id;
    if (row->first_fault)
        return;
    row->extras[1] = body = body_of(row);
    en = judge(row, operation, body, LANG_EN);
    id = en ? judge(row, operation, body, LANG_ID) : NULL;
    for (; en && id; en = en->next, id = id->next)
        import_fault(row, column_of(row, en->where), en->code, en->value, en->suggestion, en->detail, id->detail);
}

/* ── merging ── */

static const char *scopes_of(struct ctx *ctx, const struct import_sender *sender)
{
    return sender->has_scope && !sender->has_scope(ctx, "asn.discipline") ? "{}" : "{asn.discipline}";
}

/* What the plan says, and what shows of it in the records. */
static enum status take(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_sender *sender, bool is_apart,
                        struct import_merged *ret)
{
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "importHistory.correct", &res, "actor_key", sender->key_id, "actor_name", sender->name, NULL);

    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importHistory.make", &res, "actor_key", sender->key_id, "actor_name", sender->name, NULL);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importHistory.told", &res, NULL);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importHistory.merge", &ret->faults, "actor_units", sender->units, "scopes", scopes_of(ctx, sender),
                      "actor_key", sender->key_id, "actor_name", sender->name, "is_apart", is_apart ? "true" : "false", NULL);
    if (st != ST_OK)
        return st;
    int last = PQntuples(ret->faults) - 1; /* the counts */
    ret->n_faults = last;
    ret->created = strtoll(PQgetvalue(ret->faults, last, 5), NULL, 10);
    ret->updated = strtoll(PQgetvalue(ret->faults, last, 6), NULL, 10);
    return db_query(ctx, conn, set, "importHistory.settle", &res, NULL);
}

/* The rows and the records refused something, and the transaction can go on from where it stood. */
static bool is_refusal(enum status st)
{
    return st == ST_INVALID || st == ST_CONFLICT;
}

static enum status merge(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_sender *sender,
                         struct import_merged *ret)
{
    PGresult *res;
    struct problem before = ctx->problem;
    enum status st = db_query(ctx, conn, set, "importHistory.lock", &res, NULL);

    if (st == ST_OK)
        st = db_sql(ctx, conn, "TRUNCATE import_plan_history");
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importHistory.plan", &res, "actor_units", sender->units, "scopes", scopes_of(ctx, sender),
                      "actor_nip", sender->nip, NULL);
    if (st == ST_OK)
        st = db_sql(ctx, conn, "SAVEPOINT history_batch");
    if (st != ST_OK)
        return st;
    st = take(ctx, conn, set, sender, false, ret);
    if (is_refusal(st)) {
        ctx->problem = before;
        st = db_sql(ctx, conn, "ROLLBACK TO SAVEPOINT history_batch");
        if (st == ST_OK)
            st = db_query(ctx, conn, set, "importHistory.apart", &res, NULL);
        if (st == ST_OK)
            st = take(ctx, conn, set, sender, true, ret);
    }
    return st == ST_OK ? db_sql(ctx, conn, "RELEASE SAVEPOINT history_batch") : st;
}

static const struct import_wording wordings[] = {
    {"person-unknown", "There is nobody with this NIP.", "Tidak ada pegawai dengan NIP ini."},
    {"unit-unknown", "There is no such unit.", "Unit ini tidak ada."},
    {"unit-closed", "The unit is closed.", "Unit ini sudah ditutup."},
    {"history-overlap", "Another row of this history holds on these days:", "Baris lain riwayat ini berlaku pada hari-hari itu:"},
    {"range-empty", "It ends before it begins.", "Berakhir sebelum dimulai."},
    {"rank-unknown", "This kind of ASN has no such rank.", "Jenis ASN ini tidak memiliki golongan itu."},
    {"own-record", "Nobody does this for his own record.", "Tidak seorang pun melakukan ini untuk datanya sendiri."},
    {"restricted", "The processing of this person's data is restricted.", "Pemrosesan data orang ini dibatasi."},
    {"record-refused", "The person's record cannot be what follows from this row.",
     "Data induk pegawai tidak dapat menjadi seperti akibat baris ini."},
    {"before-birth", "This day lies before the birth.", "Tanggal ini sebelum kelahiran."},
    {"code-unknown", "The list does not hold this code on that day.", "Daftar rujukan tidak memuat kode ini pada tanggal tersebut."},
    {"rank-below", "The ranks do not rise; a neighbour has:", "Pangkat tidak naik; baris tetangganya:"},
    {"appointment-order", "CPNS comes before PNS.", "CPNS mendahului PNS."},
    {"nip-taken", "This NIP belongs to somebody else.", "NIP ini milik orang lain."},
    {"invalid", "These digits are no NIP.", "Angka ini bukan NIP."},
    {"reference-missing", "There is no such unit.", "Unit ini tidak ada."},
    {"duplicate-row", "An earlier line of this file tells this row otherwise:",
     "Baris sebelumnya dalam berkas ini memuat riwayat yang sama secara berbeda:"},
    {"remote-id-taken", "A row of somebody else has this id.", "Baris milik orang lain memakai ID ini."},
    {"history-void", "This row was annulled.", "Baris ini sudah dibatalkan."},
    {"forbidden", "Rows of this kind need the scope asn.discipline.", "Baris jenis ini memerlukan cakupan asn.discipline."},
    {NULL, NULL, NULL},
};

const struct import_kind import_history = {
    .name = "history",
    .reader_scopes = ALIASES("asn.read", "asn.discipline"),
    .fields = fields,
    .n_fields = ARRAY_LEN(fields),
    .n_extras = 2,
    .check = check,
    .stages = ALIASES("import.stage", "importHistory.stage", "importHistoryTold.stage", "importHistoryPlan.stage"),
    .table = "import_stage_history",
    .batch_rows = 5000,
    .batch_bytes = 32 << 20,
    .merge = merge,
    .wordings = wordings,
};
