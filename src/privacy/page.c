/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on pages of A4, by libharu: a title, headings, text that is broken where it is too long. */
#include "asnd/privacy.h"

#include <string.h>
#include <unistd.h>

#include <hpdf.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/text.h"

#define PAGE_WIDTH  595.0F
#define PAGE_HEIGHT 842.0F
#define MARGIN      56.0F

struct sheet {
    struct ctx *ctx;
    HPDF_Doc doc;
    HPDF_Page page;
    HPDF_Font plain, bold;
    bool is_latin; /* Helvetica: Latin-1, a byte a letter */
    float y;
    int pages;
};

static const struct {
    float size, above;
} styles[] = {[PRIVACY_TITLE] = {16, 0}, [PRIVACY_HEADING] = {12, 10}, [PRIVACY_TEXT] = {9, 0}};

/* libharu keeps the first error itself; it is asked for once, at the end. */
static void on_error(HPDF_STATUS error, HPDF_STATUS detail, void *cls)
{
    (void)error, (void)detail, (void)cls;
}

/* ── letters ── */

static size_t letter_length(const char *text)
{
    unsigned char first = (unsigned char)*text;
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* Latin, in two bytes at most; U+00A0 to U+00FF where a letter is one byte. */
static bool is_shown(const struct sheet *sheet, const char *letter, size_t len)
{
    unsigned char first = (unsigned char)*letter;
    if (len == 1)
        return first >= 0x20 && first < 0x7F;
    return len == 2 && (sheet->is_latin ? first == 0xC3 || (first == 0xC2 && (unsigned char)letter[1] >= 0xA0)
                                        : first <= 0xC9 && (first > 0xC2 || (unsigned char)letter[1] >= 0xA0));
}

/* As the font wants it. */
static const char *encoded(const struct sheet *sheet, const char *text)
{
    struct buf out;
    buf_init(&out, sheet->ctx->arena, strlen(text) + 1);
    for (size_t n; *text; text += n) {
        n = strnlen(text, letter_length(text));
        if (!is_shown(sheet, text, n))
            buf_putc(&out, '?');
        else if (n == 2 && sheet->is_latin)
            buf_putc(&out, (char)(((unsigned char)text[0] & 0x03U) << 6 | ((unsigned char)text[1] & 0x3FU)));
        else
            buf_put(&out, text, n);
    }
    return buf_cstr(&out);
}

/* ── lines ── */

static void turn_page(struct sheet *sheet)
{
    sheet->page = HPDF_AddPage(sheet->doc);
    sheet->pages++;
    HPDF_Page_SetWidth(sheet->page, PAGE_WIDTH);
    HPDF_Page_SetHeight(sheet->page, PAGE_HEIGHT);
    sheet->y = PAGE_HEIGHT - MARGIN;
    HPDF_Page_BeginText(sheet->page);
    HPDF_Page_SetFontAndSize(sheet->page, sheet->plain, 8);
    HPDF_Page_TextOut(sheet->page, PAGE_WIDTH - MARGIN - 40, MARGIN / 2, arena_printf(sheet->ctx->arena, "Halaman %d", sheet->pages));
    HPDF_Page_EndText(sheet->page);
}

static void put_line(struct sheet *sheet, HPDF_Font font, float size, const char *text, size_t len)
{
    if (sheet->y < MARGIN + size)
        turn_page(sheet);
    HPDF_Page_BeginText(sheet->page);
    HPDF_Page_SetFontAndSize(sheet->page, font, size);
    HPDF_Page_TextOut(sheet->page, MARGIN, sheet->y, arena_strndup(sheet->ctx->arena, text, len));
    HPDF_Page_EndText(sheet->page);
    sheet->y -= size * 1.4F;
}

static size_t next_letter(const struct sheet *sheet, const char *text)
{
    return sheet->is_latin ? 1 : strnlen(text, letter_length(text));
}

/* How many bytes go into a line: to a space, or in the midst of a word that is a line by itself. At least one letter. */
static size_t line_of(const struct sheet *sheet, HPDF_Font font, float size, const char *text)
{
    size_t n = next_letter(sheet, text), space = 0;
    HPDF_Page_SetFontAndSize(sheet->page, font, size);
    while (text[n]) {
        size_t more = n + next_letter(sheet, text + n);
        if (HPDF_Page_TextWidth(sheet->page, arena_strndup(sheet->ctx->arena, text, more)) > PAGE_WIDTH - 2 * MARGIN)
            return space ? space : n;
        if (text[n] == ' ')
            space = n;
        n = more;
    }
    return n;
}

static void put(struct sheet *sheet, const struct privacy_line *line)
{
    HPDF_Font font = line->kind == PRIVACY_TEXT ? sheet->plain : sheet->bold;
    const char *text = encoded(sheet, line->text);
    sheet->y -= styles[line->kind].above;
    while (*text) {
        size_t n = line_of(sheet, font, styles[line->kind].size, text);
        put_line(sheet, font, styles[line->kind].size, text, n);
        for (text += n; *text == ' ';)
            text++;
    }
}

/* ── the pages ── */

static HPDF_Font font_of(HPDF_Doc doc, const char *file)
{
    const char *name = HPDF_LoadTTFontFromFile(doc, file, HPDF_TRUE);
    return name ? HPDF_GetFont(doc, name, "UTF-8") : NULL;
}

static void choose_fonts(struct sheet *sheet, const char *font, const char *font_bold)
{
    sheet->is_latin = access(font, R_OK) != 0 || access(font_bold, R_OK) != 0;
    if (!sheet->is_latin)
        HPDF_UseUTFEncodings(sheet->doc);
    sheet->plain = sheet->is_latin ? HPDF_GetFont(sheet->doc, "Helvetica", "WinAnsiEncoding") : font_of(sheet->doc, font);
    sheet->bold = sheet->is_latin ? HPDF_GetFont(sheet->doc, "Helvetica-Bold", "WinAnsiEncoding") : font_of(sheet->doc, font_bold);
}

static bool save(HPDF_Doc doc, struct buf *out)
{
    uint8_t piece[8192];
    HPDF_UINT32 n;
    if (HPDF_GetError(doc) != HPDF_OK || HPDF_SaveToStream(doc) != HPDF_OK)
        return false;
    do {
        n = sizeof piece;
        HPDF_ReadFromStream(doc, piece, &n);
        buf_put(out, (const char *)piece, n);
    } while (n == sizeof piece);
    return out->len > 0;
}

static bool draw(struct sheet *sheet, const struct privacy_line *lines, size_t n_lines, const char *font, const char *font_bold)
{
    HPDF_SetCompressionMode(sheet->doc, HPDF_COMP_ALL);
    choose_fonts(sheet, font, font_bold);
    if (!sheet->plain || !sheet->bold)
        return false;
    turn_page(sheet);
    for (size_t i = 0; i < n_lines; i++)
        put(sheet, &lines[i]);
    return true;
}

enum status privacy_print(struct ctx *ctx, const struct privacy_line *lines, size_t n_lines, const char *font, const char *font_bold,
                          struct buf *out)
{
    struct sheet sheet = {.ctx = ctx, .doc = HPDF_New(on_error, NULL)};
    bool is_drawn = sheet.doc && draw(&sheet, lines, n_lines, font, font_bold) && save(sheet.doc, out);
    if (sheet.doc)
        HPDF_Free(sheet.doc);
    return is_drawn ? ST_OK : fail(ctx, ST_INTERNAL, "internal", "The pages could not be drawn.", "Halaman tidak dapat digambar.");
}
