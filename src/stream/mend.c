/* SPDX-License-Identifier: Apache-2.0 */
/* Repair of spreadsheet damage in text, long numbers and codes (dates: mend_date.c). A value is repaired only where one reading is left;
 * what is lost is named. Twins of these rules in tools/generate.py predict each outcome. */
#include "mend.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"

struct mended mend_none(const char *value)
{
    return (struct mended){.damage = DAMAGE_NONE, .value = value};
}

struct mended mend_repaired(const char *code, const char *value)
{
    return (struct mended){.damage = DAMAGE_REPAIRED, .code = code, .value = value};
}

struct mended mend_named(const char *cell, const char *code, const char *suggestion, const char *en, const char *id)
{
    return (struct mended){.damage = DAMAGE_NAMED, .code = code, .value = cell, .suggestion = suggestion, .en = en, .id = id};
}

/* ── text ── */

/* Bytes of the blank at p, 0 if there is none: ASCII control characters and space, no-break space, the byte order mark that some exports
 * leave in the middle. */
static size_t blank_at(const char *p, size_t left)
{
    if ((unsigned char)p[0] <= ' ' || p[0] == 0x7f)
        return 1;
    if (left >= 2 && memcmp(p, "\xc2\xa0", 2) == 0)
        return 2;
    return left >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Without blanks at both ends; each run inside becomes one space. */
static char *squeeze(struct arena *arena, struct slice cell, bool *ret_changed)
{
    char *out = arena_alloc(arena, cell.len + 1);
    size_t n = 0, end = 0; /* end: behind the last character that is no blank */

    *ret_changed = false;
    for (size_t i = 0; i < cell.len;) {
        size_t blank = blank_at(cell.data + i, cell.len - i);
        if (blank == 0) {
            if (n > end) { /* a run of blanks lies between */
                *ret_changed |= n > end + 1 || out[end] != ' ';
                n = end;
                out[n++] = ' ';
            }
            out[n++] = cell.data[i++];
            end = n;
            continue;
        }
        if (end > 0)
            for (size_t k = 0; k < blank; k++)
                out[n++] = cell.data[i + k];
        i += blank;
    }
    out[end] = '\0';
    return out;
}

static bool is_empty_word(const char *text)
{
    static const char *const words[] = {"", "-", "--", "null", "(null)", "n/a", "#n/a", "na", "none", "nihil"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (slice_is_nocase(slice_of(words[i]), text))
            return true;
    return false;
}

static bool is_error_word(const char *text)
{
    static const char *const words[] = {"#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!", "#spill!"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (slice_is_nocase(slice_of(words[i]), text))
            return true;
    return strlen(text) >= 4 && strspn(text, "#") == strlen(text);
}

/* ="1987…" is how some programs force text; an apostrophe in front is how spreadsheets show that they did. Works within `text`. */
static char *unwrap(char *text, const char **ret_code)
{
    size_t len = strlen(text);

    if (len >= 3 && memcmp(text, "=\"", 2) == 0 && text[len - 1] == '"') {
        *ret_code = "text-formula";
        text[len - 1] = '\0';
        return text + 2;
    }
    if (text[0] == '\'' || text[0] == '`') {
        *ret_code = "apostrophe";
        return text + 1;
    }
    if (strncmp(text, "\xe2\x80\x98", 3) == 0 || strncmp(text, "\xe2\x80\x99", 3) == 0) {
        *ret_code = "apostrophe";
        return text + 3;
    }
    return text;
}

/* What was squeezed has at most one blank at an end, the one behind or before what was taken off. */
static char *trim(char *text)
{
    size_t len = strlen(text);

    if (len > 0 && text[len - 1] == ' ')
        text[len - 1] = '\0';
    return text + (text[0] == ' ');
}

/* An apostrophe before a digit, before what a spreadsheet would run, or before nothing only marks the cell as text; a blank may have been a
 * tab. */
static bool is_marked(const char *text)
{
    return (text[0] == '\'' || text[0] == '`') && strchr("0123456789=+-@ ", text[1]) != NULL;
}

/* A file that went through two programs has been wrapped twice. A name may begin with an apostrophe of its own ('Aisyah). */
static char *unwrap_all(char *text, bool is_text, const char **ret_code)
{
    for (;;) {
        char *inner = !is_text || text[0] == '=' || is_marked(text) ? trim(unwrap(text, ret_code)) : text;
        if (inner == text)
            return text;
        text = inner;
    }
}

static struct mended spreadsheet_error(const char *text)
{
    return mend_named(text, "spreadsheet-error", NULL, "The spreadsheet had an error here; give the value.",
                      "Lembar kerja berisi kesalahan di sini; isikan nilainya.");
}

struct mended mend_start(struct arena *arena, struct slice cell, bool is_text)
{
    const char *code = NULL;
    bool is_squeezed;
    char *text = squeeze(arena, cell, &is_squeezed);

    if (!is_empty_word(text) && !is_error_word(text))
        text = unwrap_all(text, is_text, &code);
    if (is_empty_word(text))
        return mend_none(NULL);
    if (is_error_word(text))
        return spreadsheet_error(text);
    if (strstr(text, "\xef\xbf\xbd") != NULL)
        return mend_named(text, "lost-character", NULL, "A character was lost here when the file was converted; write it again.",
                          "Sebuah karakter hilang di sini saat berkas dikonversi; tulis kembali.");
    if (code == NULL && is_text && is_squeezed)
        code = "inner-space";
    return code ? mend_repaired(code, text) : mend_none(text);
}

struct mended mend_text(struct arena *arena, struct slice cell)
{
    return mend_start(arena, cell, true);
}

/* ── long numbers ── */

static const char round_en[] = "A spreadsheet rounded this number, so its last digits are lost. Export the column again, as text.";
static const char round_id[] = "Lembar kerja membulatkan nomor ini sehingga angka terakhirnya hilang. Ekspor ulang kolom ini sebagai teks.";

/* A double holds 53 bits: from about 16 digits on, a number that went through one comes out as a multiple of 2, 4, 8 … What is no such
 * multiple cannot have gone through one. */
static bool may_be_rounded(const char *digits)
{
    size_t len = strlen(digits);
    uint64_t n = strtoull(digits, NULL, 10);

    return len > 19 || (len > 15 && n > (UINT64_C(1) << 53) && (uint64_t)(double)n == n); /* 19 digits fit into n */
}

/* Copies the digits, leaving out what groups them; false at anything else. */
static bool collect(const char *text, char *ret_digits, bool *ret_is_grouped)
{
    size_t n = 0;

    *ret_is_grouped = false;
    for (; *text; text++) {
        if (*text >= '0' && *text <= '9')
            ret_digits[n++] = *text;
        else if (strchr(" .-,'/", *text))
            *ret_is_grouped = true;
        else
            return false;
    }
    ret_digits[n] = '\0';
    return true;
}

/* 1.98703E+17, 7,602011501909999E+15: the digits of the mantissa if they are as many as the exponent asks for, else NULL. */
static bool is_exponent_form(struct arena *arena, const char *text, size_t want, const char **ret_digits)
{
    const char *e = strpbrk(text, "eE");
    size_t head = e ? (size_t)(e - text) : 0;

    *ret_digits = NULL;
    if (head == 0 || strspn(text, "0123456789.,") != head || text[0] < '0' || text[0] > '9')
        return false;
    char *end;
    long exponent = strtol(e + 1, &end, 10);
    if (end == e + 1 || *end != '\0')
        return false;
    char *digits = arena_alloc(arena, head + 1);
    bool is_grouped;
    if (collect(arena_strndup(arena, text, head), digits, &is_grouped) && strlen(digits) == want && exponent == (long)want - 1 &&
        strspn(text, "0123456789") == 1)
        *ret_digits = digits;
    return true;
}

static bool strip_point_zero(char *text)
{
    size_t len = strlen(text), zeros = 0;

    while (zeros < len && text[len - 1 - zeros] == '0')
        zeros++;
    if (zeros == 0 || zeros > 2 || len < zeros + 2 || (text[len - 1 - zeros] != '.' && text[len - 1 - zeros] != ','))
        return false;
    if (strspn(text, "0123456789") != len - 1 - zeros)
        return false;
    text[len - 1 - zeros] = '\0';
    return true;
}

/* What 18 digits look like when 15 of them are left: the sequence at the end is never 000. */
static bool has_lost_digits(const char *digits, size_t want)
{
    return want > 15 && strlen(digits) == want && strspn(digits + 15, "0") == want - 15 && want - 15 >= 3;
}

static struct mended rounded(const char *cell)
{
    return mend_named(cell, "spreadsheet-number", NULL, round_en, round_id);
}

struct mended mend_digits(struct arena *arena, struct slice cell, size_t want)
{
    struct mended m = mend_start(arena, cell, false);
    const char *exact, *shown;
    bool is_grouped;

    if (m.value == NULL || m.damage == DAMAGE_NAMED)
        return m;
    shown = m.value;
    if (is_exponent_form(arena, m.value, want, &exact))
        return exact && !may_be_rounded(exact) && !has_lost_digits(exact, want) ? mend_repaired("spreadsheet-number", exact)
                                                                                : rounded(shown);
    char *text = arena_strdup(arena, m.value), *digits = arena_alloc(arena, strlen(text) + 1);
    if (strip_point_zero(text)) {
        if (may_be_rounded(text))
            return rounded(shown);
        m = mend_repaired("trailing-point-zero", text);
    }
    if (!collect(text, digits, &is_grouped))
        return mend_none(shown); /* whoever reads the number says what is wrong with it */
    if (has_lost_digits(digits, want))
        return mend_named(shown, "digits-lost", NULL, round_en, round_id);
    if (strlen(digits) + 1 == want)
        return mend_named(shown, "digits-missing", NULL,
                          "One digit is missing; no valid number begins with 0, so it is not a lost zero. Look it up.",
                          "Kurang satu angka; tidak ada nomor sah yang diawali 0, jadi bukan nol yang hilang. Periksa kembali.");
    if (is_grouped && strlen(digits) == want)
        return mend_repaired("grouped", digits);
    return m;
}

struct mended mend_phone(struct arena *arena, struct slice cell)
{
    struct mended m = mend_start(arena, cell, false);
    const char *exact;
    bool is_grouped;

    if (m.value == NULL || m.damage == DAMAGE_NAMED)
        return m;
    if (is_exponent_form(arena, m.value, 0, &exact))
        return rounded(m.value);
    char *text = arena_strdup(arena, m.value), *digits = arena_alloc(arena, strlen(text) + 1);
    bool had_plus = text[0] == '+', had_point = strip_point_zero(text);
    if (!collect(text + had_plus, digits, &is_grouped))
        return m;
    if (digits[0] == '8' && !had_plus)
        return mend_repaired("leading-zero-lost", arena_printf(arena, "0%s", digits));
    if (had_point)
        return mend_repaired("trailing-point-zero", digits);
    if (is_grouped || had_plus)
        return mend_none(digits); /* people write numbers so; it is no damage */
    return m;
}

struct mended mend_code(struct arena *arena, struct slice cell, size_t width)
{
    struct mended m = mend_start(arena, cell, false);

    if (m.value == NULL || m.damage == DAMAGE_NAMED)
        return m;
    char *text = arena_strdup(arena, m.value);
    if (strip_point_zero(text))
        m = mend_repaired("trailing-point-zero", text);
    size_t len = strlen(text);
    if (len < width && strspn(text, "0123456789") == len)
        return mend_repaired("leading-zero-lost", arena_printf(arena, "%0*d", (int)width, atoi(text)));
    return m;
}
