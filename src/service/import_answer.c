/* SPDX-License-Identifier: Apache-2.0 */
/* What the importer must know of answers on paper: a row is one form of a survey, by its number. A form that is in already is left as it is: nobody
 * can say which answer was its, which is the point. */
#include "asnd/service.h"

#include "asnd/buf.h"

#define ALIASES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct import_word sexes[] = {{"m", "M"},         {"f", "F"},    {"l", "M"},      {"p", "F"},  {"lakilaki", "M"},
                                           {"perempuan", "F"}, {"pria", "M"}, {"wanita", "F"}, {NULL, NULL}};
static const struct import_word age_groups[] = {{"under20", "under-20"}, {"2029", "20-29"},  {"3039", "30-39"},
                                                {"4049", "40-49"},       {"5059", "50-59"},  {"60up", "60-up"},
                                                {"60", "60-up"},         {"20", "under-20"}, {NULL, NULL}};
static const struct import_word educations[] = {{"sd", "sd"},      {"smp", "smp"},  {"sma", "sma"},  {"smk", "sma"}, {"d1d3", "d1-d3"},
                                                {"d1", "d1-d3"},   {"d2", "d1-d3"}, {"d3", "d1-d3"}, {"d4", "s1"},   {"s1", "s1"},
                                                {"s2s3", "s2-s3"}, {"s2", "s2-s3"}, {"s3", "s2-s3"}, {NULL, NULL}};
static const struct import_word occupations[] = {{"asn", "asn"},
                                                 {"pns", "asn"},
                                                 {"tnipolri", "tni-polri"},
                                                 {"tni", "tni-polri"},
                                                 {"polri", "tni-polri"},
                                                 {"swasta", "swasta"},
                                                 {"wirausaha", "wirausaha"},
                                                 {"pelajar", "pelajar"},
                                                 {"mahasiswa", "pelajar"},
                                                 {"petaninelayan", "petani-nelayan"},
                                                 {"petani", "petani-nelayan"},
                                                 {"nelayan", "petani-nelayan"},
                                                 {"lainnya", "lainnya"},
                                                 {NULL, NULL}};
static const struct import_word answers[] = {{"1", "1"},          {"2", "2"},    {"3", "3"},          {"4", "4"},  {"tidakbaik", "1"},
                                             {"kurangbaik", "2"}, {"baik", "3"}, {"sangatbaik", "4"}, {NULL, NULL}};

enum { SURVEY, FORM, ANSWERED_ON, SERVICE_CODE, U1, U9 = U1 + 8, SEX, AGE_GROUP, EDUCATION, OCCUPATION, COMMENT, N_FIELDS };

#define ANSWER_OF(column)                                                                                                                  \
    {                                                                                                                                      \
        column, NULL, IMPORT_WORD, 0, answers, "answer-range"                                                                              \
    }

/* In the order of the stage. */
static const struct import_field fields[N_FIELDS] = {
    [SURVEY] = {"survey", ALIASES("survei", "kodesurvei"), IMPORT_TEXT, 40, .need = "survey"},
    [FORM] = {"form", ALIASES("nomorformulir", "formulir"), IMPORT_TEXT, 60, .need = "form"},
    [ANSWERED_ON] = {"answered_on", ALIASES("tanggal"), IMPORT_DATE, .need = "answered_on"},
    [SERVICE_CODE] = {"service_code", ALIASES("kodelayanan", "layanan"), IMPORT_TEXT, 40},
    [U1] = ANSWER_OF("U1"),
    [U1 + 1] = ANSWER_OF("U2"),
    [U1 + 2] = ANSWER_OF("U3"),
    [U1 + 3] = ANSWER_OF("U4"),
    [U1 + 4] = ANSWER_OF("U5"),
    [U1 + 5] = ANSWER_OF("U6"),
    [U1 + 6] = ANSWER_OF("U7"),
    [U1 + 7] = ANSWER_OF("U8"),
    [U9] = ANSWER_OF("U9"),
    [SEX] = {"sex", ALIASES("jeniskelamin"), IMPORT_WORD, 0, sexes, "sex-unknown"},
    [AGE_GROUP] = {"age_group", ALIASES("umur", "usia"), IMPORT_WORD, 0, age_groups, "age-group-unknown"},
    [EDUCATION] = {"education", ALIASES("pendidikan"), IMPORT_WORD, 0, educations, "education-unknown"},
    [OCCUPATION] = {"occupation", ALIASES("pekerjaan"), IMPORT_WORD, 0, occupations, "occupation-unknown"},
    [COMMENT] = {"comment", ALIASES("saran", "komentar"), IMPORT_TEXT, 2000},
};

/* Extra: the answers as survey_answer keeps them. */
static void check(struct import_row *row)
{
    struct buf out;

    buf_init(&out, row->arena, 128);
    for (size_t field = U1; field <= U9; field++)
        if (import_has_value(row, field))
            buf_printf(&out, "%s\"%s\":%s", out.len ? "," : "{", fields[field].name, row->values[field]);
    if (out.len == 0 && !row->first_fault)
        import_fault(row, NULL, "nothing-answered", NULL, NULL, "Nothing is answered here.", "Tidak ada yang dijawab di sini.");
    buf_puts(&out, out.len ? "}" : "{}");
    row->extras[0] = buf_cstr(&out);
}

static const struct import_wording wordings[] = {
    {"survey-unknown", "There is no such survey in your units.", "Survei ini tidak ada di unit Anda."},
    {"survey-closed", "The survey takes no answers.", "Survei ini tidak menerima jawaban."},
    {"service-unknown", "The survey's unit has no such service.", "Unit survei ini tidak memiliki layanan itu."},
    {"answer-unasked", "The survey does not ask this.", "Survei ini tidak menanyakan unsur ini."},
    {"day-outside", "The survey does not run on this day.", "Survei tidak berlangsung pada tanggal ini."},
    {"duplicate-row", "The same form was taken from an earlier line:", "Formulir yang sama sudah diambil dari baris sebelumnya:"},
    {NULL, NULL, NULL},
};

const struct import_kind import_survey_answers = {
    .name = "survey-answer",
    .reader_scopes = ALIASES("survey.read"),
    .fields = fields,
    .n_fields = N_FIELDS,
    .n_extras = 1,
    .check = check,
    .stages = ALIASES("import.stage", "importSurveyAnswers.stage"),
    .table = "import_stage_survey_answer",
    .batch_rows = 20000,
    .batch_bytes = 16 << 20,
    .merges = ALIASES("importSurveyAnswers.lock", "importSurveyAnswers.merge"),
    .wordings = wordings,
};
