/* SPDX-License-Identifier: Apache-2.0 */
/* One request's JSON body: parsed strictly, validated, and its members as texts for PostgreSQL. What cannot be read is explained by line and
 * column, and by what most often went wrong. */
#include "internal.h"

#include <string.h>

#define BODY_DEPTH_MAX 64

static void drop_json(void *node)
{
    json_decref(node);
}

/* Before jansson, which would recurse. Strings are skipped; of what is no JSON any answer will do. */
static size_t depth_of(struct slice body)
{
    size_t depth = 0, deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < body.len; i++) {
        const char c = body.data[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            deepest = ++depth > deepest ? depth : deepest;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return deepest;
}

struct hint {
    const char *en, *id;
};

/* name=value before anything that JSON would begin with. */
static bool looks_like_form(struct slice text)
{
    size_t i = 0;
    while (i < text.len && text.data[i] != '=' && !strchr("{}[]\":, \r\n\t", text.data[i]))
        i++;
    return i > 0 && i < text.len && text.data[i] == '=';
}

/* A second value after the first: several lines of NDJSON, perhaps after curl's -d @file has taken the line ends away. */
static bool looks_like_lines(struct slice text, const json_error_t *error)
{
    return json_error_code(error) == json_error_end_of_input_expected && text.len && text.data[0] == '{';
}

static struct hint hint_for(struct slice body, const json_error_t *error)
{
    const struct slice text = slice_trim(body);
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        return (struct hint){" It begins with a byte order mark, which JSON has not.",
                             " Isi diawali tanda urutan bita (BOM) yang tidak ada dalam JSON."};
    if (looks_like_form(text))
        return (struct hint){" It looks like a form. With curl write --json '{…}' or --json @file.",
                             " Ini tampak seperti formulir. Dengan curl tulis --json '{…}' atau --json @file."};
    if (text.len && text.data[0] == '@')
        return (struct hint){" It is the name of a file, not what is in it: curl reads a file by --json @file.",
                             " Ini nama berkas, bukan isinya: curl membaca berkas dengan --json @file."};
    if (text.len && text.data[0] == '\'')
        return (struct hint){" It begins with a single quote, which the shell did not take away; in Windows' cmd write \"{\\\"…\\\"}\".",
                             " Isi diawali kutip tunggal yang tidak dibuang oleh shell; di cmd Windows tulis \"{\\\"…\\\"}\"."};
    if (looks_like_lines(text, error))
        return (struct hint){
            " There is more after the first value. This operation takes one; and curl's -d @file drops line ends, --data-binary "
            "@file keeps them.",
            " Masih ada isi setelah nilai pertama. Operasi ini menerima satu nilai; dan -d @file milik curl membuang akhir "
            "baris, --data-binary @file menyimpannya."};
    if (json_error_code(error) == json_error_premature_end_of_input)
        return (struct hint){" It ends before it is complete.", " Isi berakhir sebelum lengkap."};
    return (struct hint){"", ""};
}

static enum status bad_json(struct ctx *ctx, struct slice body, const json_error_t *error)
{
    struct hint hint;
    switch (json_error_code(error)) {
    case json_error_duplicate_key:
        return fail(ctx, ST_BAD_REQUEST, "bad-json", "A member stands twice in one object, near line %d, column %d.",
                    "Ada anggota yang ditulis dua kali dalam satu objek, dekat baris %d, kolom %d.", error->line, error->column);
    case json_error_numeric_overflow:
        return fail(ctx, ST_INVALID, "invalid", "A number is out of range, near line %d, column %d.",
                    "Ada angka di luar jangkauan, dekat baris %d, kolom %d.", error->line, error->column);
    case json_error_invalid_utf8:
        return fail(ctx, ST_BAD_REQUEST, "bad-json", "The body is not UTF-8, near line %d, column %d.",
                    "Isi permintaan bukan UTF-8, dekat baris %d, kolom %d.", error->line, error->column);
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return fail(ctx, ST_BAD_REQUEST, "bad-json", "The body holds the character NUL, near line %d, column %d.",
                    "Isi permintaan memuat karakter NUL, dekat baris %d, kolom %d.", error->line, error->column);
    default:
        break;
    }
    hint = hint_for(body, error);
    return fail(ctx, ST_BAD_REQUEST, "bad-json", "The body cannot be read as JSON at line %d, column %d.%s",
                "Isi permintaan tidak dapat dibaca sebagai JSON di baris %d, kolom %d.%s", error->line, error->column,
                ctx->lang == LANG_EN ? hint.en : hint.id);
}

static void take_members(struct ctx *ctx, struct params *params)
{
    const struct operation *operation = params->operation;
    for (size_t i = 0; i < operation->n_body_members; i++) {
        const struct property_spec *member = &operation->body_members[i];
        const json_t *node = json_object_get(params->body, member->name);
        struct value *v = &params->members[i];
        if (!node)
            continue;
        v->is_present = true;
        v->is_null = json_is_null(node);
        v->text = literal_of(ctx->arena, params->numbers, node, member->kind, member->item_kind);
        v->len = v->text ? strlen(v->text) : 0;
    }
}

static const struct schema *body_schema(const struct operation *operation)
{
    for (size_t i = 0; i < operation->n_bodies; i++)
        if (operation->bodies[i].schema)
            return operation->bodies[i].schema;
    return NULL;
}

static enum status parse(struct ctx *ctx, struct slice body, struct params *ret)
{
    json_error_t error;
    if (depth_of(body) > BODY_DEPTH_MAX)
        return fail(ctx, ST_BAD_REQUEST, "bad-json", "The body is nested deeper than %d levels.",
                    "Isi permintaan bersusun lebih dari %d tingkat.", BODY_DEPTH_MAX);
    ret->body = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!ret->body)
        return bad_json(ctx, body, &error);
    arena_on_free(ctx->arena, drop_json, ret->body);
    ret->raw_body = body;
    ret->numbers = json_numbers_new(ctx->arena, body.data, body.len, ret->body);
    return ST_OK;
}

enum status params_parse_body(struct ctx *ctx, struct slice body, struct params *ret)
{
    const struct operation *operation = ret->operation;
    const struct schema *schema = body_schema(operation);
    enum status st;
    if (slice_trim(body).len == 0) {
        if (operation->body_required)
            return fail(ctx, ST_BAD_REQUEST, "bad-json", "This operation needs a JSON body.", "Operasi ini memerlukan isi JSON.");
        return ST_OK;
    }
    st = parse(ctx, body, ret);
    if (st != ST_OK)
        return st;
    if (schema && !schema_validate(ctx, schema, ret->body, ret->numbers, "")) {
        if (ctx->problem.n_faults == 1)
            return fail(ctx, ST_INVALID, "invalid", "One thing in the body is not valid.", "Satu hal pada isi permintaan tidak sah.");
        return fail(ctx, ST_INVALID, "invalid", "There are %d faults in the body.", "Ada %d kesalahan pada isi permintaan.",
                    ctx->problem.n_faults);
    }
    take_members(ctx, ret);
    return ST_OK;
}
