/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of people: columns as the API and the national export call them, words as people write them, and the rules of
 * NIP and NIK. The rest is import_asn.sql. */
#include "asnd/asn.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/rules.h"
#include "asnd/uuid.h"
#include "asnd/vault.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ── words ── (heads and words are folded: letters and digits, lower case) */

static const struct import_word kinds[] = {
    {"pns", "PNS"}, {"cpns", "CPNS"}, {"pppk", "PPPK"}, {"pppkparuhwaktu", "PPPK_PARUH_WAKTU"},
    {"p", "PNS"},   {"c", "CPNS"},    {"p3k", "PPPK"},  {"p3kparuhwaktu", "PPPK_PARUH_WAKTU"},
    {NULL, NULL},
};

static const struct import_word sexes[] = {
    {"m", "M"},    {"f", "F"},      {"l", "M"},    {"p", "F"},      {"lakilaki", "M"}, {"perempuan", "F"},
    {"pria", "M"}, {"wanita", "F"}, {"male", "M"}, {"female", "F"}, {NULL, NULL},
};

static const struct import_word position_kinds[] = {
    {"struktural", "struktural"},
    {"jabatanstruktural", "struktural"},
    {"1", "struktural"},
    {"fungsional", "fungsional"},
    {"jabatanfungsional", "fungsional"},
    {"2", "fungsional"},
    {"fungsionaltertentu", "fungsional"},
    {"jabatanfungsionaltertentu", "fungsional"},
    {"pelaksana", "pelaksana"},
    {"jabatanpelaksana", "pelaksana"},
    {"fungsionalumum", "pelaksana"},
    {"jabatanfungsionalumum", "pelaksana"},
    {"4", "pelaksana"},
    {NULL, NULL},
};

/* ── fields ── */

enum {
    NIP,
    KIND,
    NAME,
    TITLE_FRONT,
    TITLE_BACK,
    BIRTH_DATE,
    BIRTH_PLACE,
    SEX,
    NIK,
    UNIT_CODE,
    UNIT_ID,
    UNIT_NAME,
    POSITION_KIND,
    POSITION,
    ECHELON,
    RANK,
    RANK_SINCE,
    EDUCATION_LEVEL,
    EDUCATION,
    LEGAL_STATUS,
    EMAIL,
    PHONE,
    APPOINTED_ON,
    SIASN_ID,
    N_FIELDS,
};
enum { NEW_ID, NIP_BIRTH_DATE, NIP_SEX, NIP_APPOINTED_ON, WARNINGS, CHECKED, N_EXTRAS };

static const char unit_need[] = "unit_code, unit_id or unit_name";

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [NIP] = {"nip", ALIASES("nipbaru", "nomorinduk"), IMPORT_DIGITS, 18, .need = "nip"},
    [KIND] = {"kind", ALIASES("statuscpnspns", "jenisasn", "jenispegawai", "jenispegawainama", "statuskepegawaian"), IMPORT_WORD, 0, kinds,
              "kind-unknown", "kind"},
    [NAME] = {"name", ALIASES("nama", "namalengkap", "namapegawai"), IMPORT_TEXT, 200, .need = "name"},
    [TITLE_FRONT] = {"title_front", ALIASES("gelardepan"), IMPORT_TEXT, 60},
    [TITLE_BACK] = {"title_back", ALIASES("gelarbelakang", "gelarblk"), IMPORT_TEXT, 100},
    [BIRTH_DATE] = {"birth_date", ALIASES("tanggallahir", "tgllahir"), IMPORT_DATE, .is_derived = true},
    [BIRTH_PLACE] = {"birth_place", ALIASES("tempatlahirnama", "tempatlahir"), IMPORT_TEXT, 100},
    [SEX] = {"sex", ALIASES("jeniskelamin", "kelamin", "jk"), IMPORT_WORD, 0, sexes, "sex-unknown", .is_derived = true},
    [NIK] = {"nik", ALIASES("nomornik", "nomoridentitas"), IMPORT_DIGITS, 16, .scope = "asn.sensitive"},
    [UNIT_CODE] = {"unit_code", ALIASES("unorkode", "kodeunor", "kodeunit"), IMPORT_TEXT, 64, .need = unit_need, .is_derived = true},
    [UNIT_ID] = {"unit_id", NULL, IMPORT_TEXT, 36, .need = unit_need, .is_derived = true},
    [UNIT_NAME] = {"unit_name", ALIASES("unornama", "namaunor", "unitkerja", "unor"), IMPORT_TEXT, 300, .need = unit_need,
                   .is_derived = true},
    [POSITION_KIND] = {"position_kind", ALIASES("jenisjabatannama", "jenisjabatan"), IMPORT_WORD, 0, position_kinds,
                       "position-kind-unknown"},
    [POSITION] = {"position", ALIASES("jabatannama", "jabatan", "namajabatan"), IMPORT_TEXT, 200},
    [ECHELON] = {"echelon", ALIASES("eselonnama", "eselon", "eselonid"), IMPORT_WORD, 0, .unknown = "echelon-unknown", .list = "echelon"},
    [RANK] = {"rank", ALIASES("golakhirnama", "golonganakhir", "golongan", "golruang", "golnama"), IMPORT_TEXT, 20},
    [RANK_SINCE] = {"rank_since", ALIASES("tmtgolongan", "tmtgol"), IMPORT_DATE},
    [EDUCATION_LEVEL] = {"education_level", ALIASES("tingkatpendidikanid", "tingkatpendidikannama", "tingkatpendidikan"), IMPORT_WORD, 2,
                         .unknown = "education-unknown", .list = "education-level"},
    [EDUCATION] = {"education", ALIASES("pendidikannama", "pendidikan"), IMPORT_TEXT, 200},
    [LEGAL_STATUS] = {"legal_status", ALIASES("kedudukanhukumid", "kedudukanhukumnama", "kedudukanhukum"), IMPORT_WORD, 2,
                      .unknown = "legal-status-unknown", .list = "legal-status", .is_derived = true},
    [EMAIL] = {"email", ALIASES("emailgov", "alamatemail"), IMPORT_TEXT, 200, .scope = "asn.sensitive"},
    [PHONE] = {"phone", ALIASES("nomorhp", "nohp", "hp", "telepon"), IMPORT_PHONE, .scope = "asn.sensitive"},
    [APPOINTED_ON] = {"appointed_on", ALIASES("tmtcpns", "tmtawal", "tmtkontrak"), IMPORT_DATE, .is_derived = true},
    [SIASN_ID] = {"siasn_id", ALIASES("pnsid", "idpns", "pnsorangid", "idsiasn"), IMPORT_TEXT, 200, .is_derived = true},
};

/* ── rules across the fields ── */

static void refuse(struct import_row *row, size_t field, struct refusal refusal)
{
    import_fault(row, fields[field].name, refusal.code, row->values[field], NULL, refusal.en, refusal.id);
    row->values[field] = NULL;
}

static const char *date_text(struct import_row *row, struct date date)
{
    char *text = arena_alloc(row->arena, DATE_TEXT_SIZE);

    date_format(date, text);
    return text;
}

/* The NIP by the kind's layout; what it tells fills what the file does not. Digits only, so that the record is found by it. */
static bool read_nip(struct import_row *row, struct nip *ret)
{
    enum asn_kind kind = ASN_UNKNOWN;

    if (!import_has_value(row, NIP))
        return false;
    if (import_has_value(row, KIND) && !asn_kind_parse(row->values[KIND], &kind))
        return false;
    struct refusal refusal = nip_parse(row->values[NIP], strlen(row->values[NIP]), kind, ret);
    if (refusal.code) {
        refuse(row, NIP, refusal);
        return false;
    }
    row->values[NIP] = arena_strdup(row->arena, ret->digits);
    row->extras[NIP_BIRTH_DATE] = date_text(row, ret->birth);
    row->extras[NIP_SEX] = ret->sex == 'F' ? "F" : "M";
    if (ret->appointed_month)
        row->extras[NIP_APPOINTED_ON] = date_text(row, (struct date){ret->appointed_year, ret->appointed_month, 1});
    return true;
}

static bool read_nik(struct import_row *row, struct nik *ret)
{
    if (!import_has_value(row, NIK))
        return false;
    struct refusal refusal = nik_parse(row->values[NIK], strlen(row->values[NIK]), ret);
    if (refusal.code) {
        refuse(row, NIK, refusal);
        return false;
    }
    row->values[NIK] = arena_strdup(row->arena, ret->digits);
    return true;
}

/* I/a … IV/e, I … XVII in whatever letters and with whatever spaces; whether the kind has it, the database knows. */
static void read_rank(struct import_row *row)
{
    static const char *const ranks[] = {"I/a",  "I/b",  "I/c",  "I/d",  "II/a", "II/b", "II/c", "II/d", "III/a", "III/b", "III/c", "III/d",
                                        "IV/a", "IV/b", "IV/c", "IV/d", "IV/e", "I",    "II",   "III",  "IV",    "V",     "VI",    "VII",
                                        "VIII", "IX",   "X",    "XI",   "XII",  "XIII", "XIV",  "XV",   "XVI",   "XVII"};
    char text[24];
    size_t n = 0;

    if (!import_has_value(row, RANK))
        return;
    for (const char *p = row->values[RANK]; *p && n + 1 < sizeof text; p++)
        if (*p != ' ')
            text[n++] = *p == '.' ? '/' : *p;
    for (size_t i = 0; i < ARRAY_LEN(ranks); i++)
        if (slice_is_nocase((struct slice){text, n}, ranks[i])) {
            row->values[RANK] = ranks[i];
            return;
        }
    refuse(row, RANK, (struct refusal){"rank-unknown", "This kind of ASN has no such rank.", "Jenis ASN ini tidak memiliki golongan itu."});
}

static bool is_label(const char *p, size_t len)
{
    if (len == 0 || len > 63 || p[0] == '-' || p[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= '0' && p[i] <= '9') || p[i] == '-'))
            return false;
    return true;
}

/* As the contract has it: a plain local part, and a domain of at least two labels whose last is letters. */
static bool is_email(const char *text)
{
    static const char local[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-";
    size_t n = strspn(text, local), n_labels = 0;
    const char *label = text + n + 1;

    if (n == 0 || n > 64 || text[n] != '@')
        return false;
    for (const char *dot; (dot = strchr(label, '.')) != NULL; label = dot + 1, n_labels++)
        if (!is_label(label, (size_t)(dot - label)))
            return false;
    n = strlen(label);
    return n_labels > 0 && n >= 2 && n <= 24 && is_label(label, n) && strpbrk(label, "0123456789-") == NULL;
}

/* The pattern by which BKN takes a mobile number: 08…, 62…. */
static bool is_phone(const char *text)
{
    size_t len = strlen(text);

    if (len < 2 || strspn(text, "0123456789") != len)
        return false;
    if (text[0] == '0')
        return text[1] == '8' && len >= 10 && len <= 13 && text[2] != '0';
    return strncmp(text, "62", 2) == 0 && len >= 10 && len <= 14 && text[2] != '0';
}

static void read_contacts(struct import_row *row)
{
    if (import_has_value(row, EMAIL) && !is_email(row->values[EMAIL]))
        refuse(row, EMAIL, (struct refusal){"email-form", "This is no e-mail address.", "Ini bukan alamat surel."});
    if (import_has_value(row, PHONE) && !is_phone(row->values[PHONE]))
        refuse(row, PHONE, (struct refusal){"phone-form", "A mobile number begins with 08 or 62.", "Nomor ponsel diawali 08 atau 62."});
    if (import_has_value(row, UNIT_ID) && !uuid_is_valid(row->values[UNIT_ID], strlen(row->values[UNIT_ID])))
        refuse(row, UNIT_ID, (struct refusal){"unit-unknown", "There is no such unit.", "Unit ini tidak ada."});
}

static struct date date_of(const struct import_row *row, size_t field)
{
    struct date date = {0};

    if (import_has_value(row, field) && !date_parse(row->values[field], strlen(row->values[field]), &date))
        return (struct date){0};
    return date;
}

static void put_codes(struct buf *out, const struct refusal *warnings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (out->len > 1)
            buf_putc(out, ',');
        buf_puts(out, warnings[i].code);
    }
}

/* Which warnings this row can speak of; NULL when it is all of them. */
static const char *checked_codes(const struct import_row *row)
{
    const bool birth = import_has_value(row, BIRTH_DATE), sex = import_has_value(row, SEX), appointed = import_has_value(row, APPOINTED_ON);
    const bool no_nik = row->values[NIK] && !row->values[NIK][0], nik = row->values[NIK] != NULL;

    if (birth && sex && appointed && nik)
        return NULL;
    return arena_printf(row->arena, "{%s%s%s%s%sx}", appointed ? "CON_1,CON_4," : "", birth ? "CON_2," : "", sex ? "CON_3," : "",
                        no_nik || (nik && birth) ? "NIK_BIRTH," : "", no_nik || (nik && sex) ? "NIK_SEX," : "");
}

static void warn(struct import_row *row, const struct nip *nip, const struct nik *nik)
{
    const struct nip_record record = {.birth = date_of(row, BIRTH_DATE),
                                      .sex = import_has_value(row, SEX) ? row->values[SEX][0] : '\0',
                                      .appointed = date_of(row, APPOINTED_ON)};
    struct refusal warnings[4];
    struct buf out;
    size_t n = nip_warnings(nip, &record, warnings);

    buf_init(&out, row->arena, 64);
    buf_putc(&out, '{');
    put_codes(&out, warnings, n);
    row->n_warnings = (int)n;
    if (nik) {
        n = nik_warnings(nik, record.birth.year ? record.birth : nip->birth, record.sex ? record.sex : nip->sex, warnings);
        put_codes(&out, warnings, n);
        row->n_warnings += (int)n;
    }
    buf_putc(&out, '}');
    row->extras[WARNINGS] = buf_cstr(&out);
    row->extras[CHECKED] = checked_codes(row);
}

static void check(struct import_row *row)
{
    char *id = arena_alloc(row->arena, UUID_TEXT_SIZE);
    struct nip nip;
    struct nik nik;
    bool has_nip = read_nip(row, &nip), has_nik = read_nik(row, &nik);

    read_rank(row);
    read_contacts(row);
    row->extras[WARNINGS] = "{}";
    if (has_nip)
        warn(row, &nip, has_nik ? &nik : NULL);
    uuid_new_v7(id);
    row->extras[NEW_ID] = id;
    row->values[NIK] = vault_seal_nik(row->arena, row->values[NIK], id);
}

/* ── merge ── */

/* Rows of people who are there already, and whose NIK is to become another: sealed for them. */
static enum status hold_niks(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set)
{
    PGresult *strange, *res;
    struct buf places, niks;
    enum status st = vault_is_set() ? db_query(ctx, conn, set, "importAsn.strange", &strange, NULL) : ST_OK;

    if (st != ST_OK || !vault_is_set() || PQntuples(strange) == 0)
        return st;
    buf_init(&places, ctx->arena, 256);
    buf_init(&niks, ctx->arena, 4096);
    for (int row = 0; row < PQntuples(strange); row++) {
        const char *nik;
        if (!vault_clear(ctx->arena, PQgetvalue(strange, row, 2), &nik))
            return vault_refuse(ctx);
        buf_printf(&places, "%s%s", row ? "," : "{", PQgetvalue(strange, row, 0));
        buf_printf(&niks, "%s%s", row ? "," : "{", vault_seal_nik(ctx->arena, nik, PQgetvalue(strange, row, 1)));
    }
    buf_putc(&places, '}');
    buf_putc(&niks, '}');
    return db_query(ctx, conn, set, "importAsn.held", &res, "places", buf_cstr(&places), "niks", buf_cstr(&niks), NULL);
}

static enum status merge(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct import_sender *sender,
                         struct import_merged *ret)
{
    PGresult *res, *ids, *done;
    enum status st = db_query(ctx, conn, set, "importAsn.known", &ids, "actor_units", sender->units, NULL);

    if (st == ST_OK)
        st = hold_niks(ctx, conn, set);
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "importAsn.merge", &res, "actor_units", sender->units, "actor_nip", sender->nip, NULL);
    if (st != ST_OK)
        return st;
    ret->known = ids;
    int last = PQntuples(res) - 1; /* the counts */
    ret->faults = res;
    ret->n_faults = last;
    ret->created = strtoll(PQgetvalue(res, last, 5), NULL, 10);
    ret->updated = strtoll(PQgetvalue(res, last, 6), NULL, 10);
    ret->has_more = !PQgetisnull(res, last, 7);
    const char *left = ret->has_more ? PQgetvalue(res, last, 7) : "{}";
    st = db_query(ctx, conn, set, "importAsn.ids", &ids, "left", left, NULL);
    if (st != ST_OK)
        return st;
    ret->updated += strtoll(PQgetvalue(ids, 0, 0), NULL, 10);
    if (ret->has_more)
        st = db_query(ctx, conn, set, "importAsn.rest", &done, "left", left, NULL);
    return ret->has_more && st == ST_OK ? db_query(ctx, conn, set, "importAsn.lock", &done, NULL) : st;
}

static const struct import_wording wordings[] = {
    {"unit-unknown", "There is no such unit.", "Unit ini tidak ada."},
    {"unit-ambiguous", "Several units have this name; give the code.", "Ada beberapa unit dengan nama ini; isikan kodenya."},
    {"unit-inactive", "The unit is not active and takes nobody new.", "Unit ini tidak aktif dan tidak menerima pegawai baru."},
    {"unit-closed", "The unit is closed.", "Unit ini sudah ditutup."},
    {"rank-unknown", "This kind of ASN has no such rank.", "Jenis ASN ini tidak memiliki golongan itu."},
    {"history-disagrees", "The history of ranks has a later one, or this one begins in days to come: write it there.",
     "Riwayat kepangkatan memuat yang lebih baru, atau pangkat ini baru berlaku di kemudian hari: catat pada riwayat."},
    {"own-record", "Nobody does this for his own record.", "Tidak seorang pun melakukan ini untuk datanya sendiri."},
    {"restricted", "The processing of this person's data is restricted.", "Pemrosesan data orang ini dibatasi."},
    {"nip-taken", "This NIP belongs to somebody outside your units.", "NIP ini milik pegawai di luar unit Anda."},
    {"external-id-taken", "This id belongs to another person.", "ID ini milik pegawai lain."},
    {"duplicate-id",
     "An earlier line of this file tells this id of another NIP:", "Baris sebelumnya dalam berkas ini memuat ID yang sama untuk NIP lain:"},
    {"duplicate-row",
     "An earlier line of this file tells this NIP otherwise:", "Baris sebelumnya dalam berkas ini memuat NIP yang sama secara berbeda:"},
    {NULL, NULL, NULL},
};

const struct import_kind import_asn = {
    .name = "asn",
    .reader_scopes = ALIASES("asn.read", "asn.sensitive"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .n_extras = N_EXTRAS,
    .check = check,
    .stages = ALIASES("import.stage", "importAsn.stage"),
    .table = "import_stage_asn",
    .batch_rows = 5000,
    .batch_bytes = 32 << 20,
    .merge = merge,
    .wordings = wordings,
};
