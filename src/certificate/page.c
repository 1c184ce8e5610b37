/* SPDX-License-Identifier: Apache-2.0 */
/* The printed page of a certificate, A4 on its side, in Indonesian: libharu draws, libqrencode makes the square. */
#include "asnd/certificate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hpdf.h>
#include <qrencode.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/date.h"
#include "asnd/text.h"

#define PAGE_WIDTH  842.0F
#define PAGE_HEIGHT 595.0F
#define TEXT_WIDTH  700.0F
#define QR_SIDE     112.0F /* 4 cm: a module is over half a millimetre then */
#define QR_QUIET    4      /* modules of white around it (ISO/IEC 18004) */

struct sheet {
    struct ctx *ctx;
    HPDF_Doc doc;
    HPDF_Page page;
    HPDF_Font plain, bold;
    bool is_latin; /* Helvetica: Latin-1, a byte a letter */
};

/* libharu keeps the first error itself; it is asked for once, at the end. */
static void on_error(HPDF_STATUS error, HPDF_STATUS detail, void *cls)
{
    (void)error, (void)detail, (void)cls;
}

/* ── letters ── */

static uint32_t letter_at(const char **text)
{
    const uint8_t *p = (const uint8_t *)*text;
    int more = *p < 0x80 ? 0 : *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : 3;
    uint32_t letter = more == 0 ? *p : *p & (0x3FU >> more);
    for (int i = 1; i <= more; i++)
        letter = letter << 6 | (p[i] & 0x3FU);
    *text += more + 1;
    return letter;
}

/* What DejaVu has of the Latin script, whole blocks of it; marks that stand alone would be set beside their letter. */
static bool is_shown(const struct sheet *sheet, uint32_t letter)
{
    if (sheet->is_latin)
        return (letter >= 0x20 && letter < 0x7F) || (letter >= 0xA0 && letter <= 0xFF);
    return (letter >= 0x20 && letter < 0x7F) || (letter >= 0xA0 && letter <= 0x24F) || (letter >= 0x1E00 && letter <= 0x1EFF) ||
           (letter >= 0x2010 && letter <= 0x2027) || letter == 0x2032 || letter == 0x2033 || letter == 0x02BB || letter == 0x02BC;
}

static enum status check(struct sheet *sheet, const char *text)
{
    for (const char *p = text ? text : ""; *p;) {
        uint32_t letter = letter_at(&p);
        if (!is_shown(sheet, letter))
            return fail(sheet->ctx, ST_CONFLICT, "certificate-unprintable",
                        "No font at hand shows U+%04X, which is in \"%s\": it would be printed as a box.",
                        "Tidak ada huruf cetak untuk U+%04X pada \"%s\": akan tercetak sebagai kotak.", letter, text);
    }
    return ST_OK;
}

static enum status check_all(struct sheet *sheet, const struct certificate_page *page)
{
    const char *const texts[] = {page->agency,  page->number, page->name,      page->programme,         page->organiser,
                                 page->held_at, page->place,  page->signatory, page->signatory_position};
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(texts); i++)
        st = check(sheet, texts[i]);
    return st;
}

/* As the font wants it. */
static const char *encoded(const struct sheet *sheet, const char *text)
{
    struct buf out;
    if (!sheet->is_latin)
        return text;
    buf_init(&out, sheet->ctx->arena, strlen(text) + 1);
    while (*text)
        buf_putc(&out, (char)letter_at(&text));
    return buf_cstr(&out);
}

/* ── lines ── */

static float width_of(const struct sheet *sheet, HPDF_Font font, float size, const char *text)
{
    HPDF_Page_SetFontAndSize(sheet->page, font, size);
    return HPDF_Page_TextWidth(sheet->page, encoded(sheet, text));
}

static void put(const struct sheet *sheet, HPDF_Font font, float size, float x, float y, const char *text)
{
    HPDF_Page_BeginText(sheet->page);
    HPDF_Page_SetFontAndSize(sheet->page, font, size);
    HPDF_Page_TextOut(sheet->page, x, y, encoded(sheet, text));
    HPDF_Page_EndText(sheet->page);
}

static void put_centred(const struct sheet *sheet, HPDF_Font font, float size, float x, float y, const char *text)
{
    put(sheet, font, size, x - width_of(sheet, font, size, text) / 2, y, text);
}

/* How much of the text goes into a line: to a space, or in the midst of a word that is a line by itself. */
static size_t line_of(const struct sheet *sheet, HPDF_Font font, float size, float width, const char *text)
{
    size_t best = 0, fits = 0;
    for (const char *p = text; *p;) {
        letter_at(&p);
        size_t n = (size_t)(p - text);
        if (*p && *p != ' ' && fits && best)
            continue;
        if (width_of(sheet, font, size, arena_strndup(sheet->ctx->arena, text, n)) > width)
            break;
        fits = n;
        if (!*p || *p == ' ')
            best = n;
    }
    return best ? best : fits ? fits : strlen(text);
}

/* Lines from y downwards, each in the middle; smaller until there are no more than `lines`. The next free y. */
static float put_lines(const struct sheet *sheet, HPDF_Font font, float size, float y, int lines, const char *text)
{
    for (; size > 5; size -= 1) {
        int n = 0;
        for (const char *p = text; *p; n++)
            for (p += line_of(sheet, font, size, TEXT_WIDTH, p); *p == ' ';)
                p++;
        if (n <= lines)
            break;
    }
    for (const char *p = text; *p; y -= size * 1.3F) {
        size_t n = line_of(sheet, font, size, TEXT_WIDTH, p);
        put_centred(sheet, font, size, PAGE_WIDTH / 2, y, arena_strndup(sheet->ctx->arena, p, n));
        for (p += n; *p == ' ';)
            p++;
    }
    return y;
}

/* ── words ── */

/* 3 Februari 2026 */
static const char *day(const struct sheet *sheet, const char *iso)
{
    static const char *const months[] = {"Januari", "Februari", "Maret",     "April",   "Mei",      "Juni",
                                         "Juli",    "Agustus",  "September", "Oktober", "November", "Desember"};
    struct date d;
    if (!date_parse(iso, strlen(iso), &d))
        return iso;
    return arena_printf(sheet->ctx->arena, "%d %s %d", d.day, months[d.month - 1], d.year);
}

static const char *when(const struct sheet *sheet, const struct certificate_page *page)
{
    if (strcmp(page->starts_on, page->ends_on) == 0)
        return arena_printf(sheet->ctx->arena, "pada tanggal %s", day(sheet, page->starts_on));
    return arena_printf(sheet->ctx->arena, "dari tanggal %s sampai dengan %s", day(sheet, page->starts_on), day(sheet, page->ends_on));
}

static void write_words(const struct sheet *sheet, const struct certificate_page *page)
{
    struct arena *arena = sheet->ctx->arena;
    const char *again = strcmp(page->edition, "1") == 0 ? "" : arena_printf(arena, "  (edisi %s)", page->edition);
    float y = put_lines(sheet, sheet->bold, 15, 520, 2, page->agency);
    put_centred(sheet, sheet->bold, 30, PAGE_WIDTH / 2, y - 30, "SERTIFIKAT");
    put_centred(sheet, sheet->plain, 11, PAGE_WIDTH / 2, y - 48, arena_printf(arena, "Nomor: %s%s", page->number, again));
    put_centred(sheet, sheet->plain, 12, PAGE_WIDTH / 2, y - 80, "diberikan kepada");
    y = put_lines(sheet, sheet->bold, 24, y - 110, 2, page->name);
    put_centred(sheet, sheet->plain, 11, PAGE_WIDTH / 2, y + 10, arena_printf(arena, "NIP %s", page->nip));
    put_centred(sheet, sheet->plain, 12, PAGE_WIDTH / 2, y - 18, "yang telah mengikuti dan dinyatakan LULUS pada");
    y = put_lines(sheet, sheet->bold, 16, y - 44, 3, page->programme);
    y = put_lines(sheet, sheet->plain, 11, y - 6, 3,
                  arena_printf(arena, "yang diselenggarakan oleh %s%s%s", page->organiser, page->held_at ? " di " : "",
                               page->held_at ? page->held_at : ""));
    put_centred(sheet, sheet->plain, 11, PAGE_WIDTH / 2, y,
                arena_printf(arena, "%s, selama %s jam pelajaran (JP).", when(sheet, page), page->jp));
}

static void write_signature(const struct sheet *sheet, const struct certificate_page *page)
{
    struct arena *arena = sheet->ctx->arena;
    const char *who = page->signatory ? page->signatory : "(........................................)";
    put_centred(sheet, sheet->plain, 11, 630, 140, arena_printf(arena, "%s, %s", page->place, day(sheet, page->issued_on)));
    if (page->signatory_position)
        put_centred(sheet, sheet->plain, 11, 630, 125, page->signatory_position);
    put_centred(sheet, sheet->bold, 11, 630, 60, who);
}

/* ── the square ── */

/* Runs of black along each row, so that a reader of the page sees no seams. */
static void draw_modules(const struct sheet *sheet, const QRcode *qr, float x, float y, float side)
{
    float module = side / (float)(qr->width + 2 * QR_QUIET);
    for (int row = 0; row < qr->width; row++) {
        for (int from = 0, to; from < qr->width; from = to) {
            bool is_black = qr->data[row * qr->width + from] & 1;
            for (to = from; to < qr->width && (qr->data[row * qr->width + to] & 1) == is_black; to++)
                continue;
            if (is_black)
                HPDF_Page_Rectangle(sheet->page, x + module * (float)(from + QR_QUIET), y + side - module * (float)(row + QR_QUIET + 1),
                                    module * (float)(to - from), module);
        }
    }
    HPDF_Page_Fill(sheet->page);
}

static enum status draw_code(const struct sheet *sheet, const struct certificate_page *page)
{
    QRcode *qr = QRcode_encodeString8bit(page->url, 0, QR_ECLEVEL_M);
    if (!qr)
        return fail(sheet->ctx, ST_CONFLICT, "certificate-address", "The setting public_url is too long for a code on paper.",
                    "Setelan public_url terlalu panjang untuk kode pada kertas.");
    draw_modules(sheet, qr, 60, 50, QR_SIDE);
    QRcode_free(qr);
    put(sheet, sheet->plain, 8, 180, 100, "Keaslian sertifikat ini dapat diperiksa");
    put(sheet, sheet->plain, 8, 180, 89, "dengan memindai kode di samping.");
    return ST_OK;
}

/* Over everything, and so that what is below can be read. */
static void draw_revoked(const struct sheet *sheet)
{
    const char *word = "DICABUT";
    HPDF_Page_SetRGBFill(sheet->page, 0.8F, 0.1F, 0.1F);
    HPDF_Page_BeginText(sheet->page);
    HPDF_Page_SetFontAndSize(sheet->page, sheet->bold, 60);
    HPDF_Page_SetTextRenderingMode(sheet->page, HPDF_STROKE);
    HPDF_Page_SetRGBStroke(sheet->page, 0.8F, 0.1F, 0.1F);
    HPDF_Page_SetTextMatrix(sheet->page, 0.94F, 0.34F, -0.34F, 0.94F, 280, 210);
    HPDF_Page_ShowText(sheet->page, word);
    HPDF_Page_EndText(sheet->page);
}

/* ── the page ── */

static HPDF_Font font_of(HPDF_Doc doc, const char *file)
{
    const char *name = HPDF_LoadTTFontFromFile(doc, file, HPDF_TRUE);
    return name ? HPDF_GetFont(doc, name, "UTF-8") : NULL;
}

static void choose_fonts(struct sheet *sheet, const char *font, const char *font_bold)
{
    sheet->is_latin = access(font, R_OK) != 0 || access(font_bold, R_OK) != 0;
    if (sheet->is_latin) {
        sheet->plain = HPDF_GetFont(sheet->doc, "Helvetica", "WinAnsiEncoding");
        sheet->bold = HPDF_GetFont(sheet->doc, "Helvetica-Bold", "WinAnsiEncoding");
        return;
    }
    HPDF_UseUTFEncodings(sheet->doc);
    sheet->plain = font_of(sheet->doc, font);
    sheet->bold = font_of(sheet->doc, font_bold);
}

static enum status draw(struct sheet *sheet, const struct certificate_page *page)
{
    enum status st = check_all(sheet, page);
    if (st != ST_OK)
        return st;
    sheet->page = HPDF_AddPage(sheet->doc);
    HPDF_Page_SetWidth(sheet->page, PAGE_WIDTH);
    HPDF_Page_SetHeight(sheet->page, PAGE_HEIGHT);
    HPDF_Page_SetLineWidth(sheet->page, 2);
    HPDF_Page_Rectangle(sheet->page, 24, 24, PAGE_WIDTH - 48, PAGE_HEIGHT - 48);
    HPDF_Page_Stroke(sheet->page);
    write_words(sheet, page);
    write_signature(sheet, page);
    st = draw_code(sheet, page);
    if (page->is_revoked)
        draw_revoked(sheet);
    return st;
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

enum status certificate_print(struct ctx *ctx, const struct certificate_page *page, const char *font, const char *font_bold,
                              struct buf *out)
{
    struct sheet sheet = {.ctx = ctx, .doc = HPDF_New(on_error, NULL)};
    enum status st = ST_OK;
    if (sheet.doc) {
        HPDF_SetCompressionMode(sheet.doc, HPDF_COMP_ALL);
        choose_fonts(&sheet, font, font_bold);
        if (sheet.plain && sheet.bold)
            st = draw(&sheet, page);
    }
    if (st == ST_OK && (!sheet.doc || !save(sheet.doc, out)))
        st = fail(ctx, ST_INTERNAL, "internal", "The page could not be drawn.", "Halaman tidak dapat digambar.");
    if (sheet.doc)
        HPDF_Free(sheet.doc);
    return st;
}
