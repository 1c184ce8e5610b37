/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is by its bytes, and under which name it may be saved. Nothing here opens a PDF or an image: whoever reads one is the viewer's own risk,
 * and that it is one at all is what can be said for certain. */
#include "asnd/document.h"

#include <ctype.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"

static const struct form {
    const char *type, *begins, *ends, *extension;
    size_t begins_len, ends_len;
    size_t slack; /* the end stands within so many last bytes */
} forms[] = {
    {"application/pdf", "%PDF-", "%%EOF", "pdf", 5, 5, SCAN_TAIL},
    {"image/jpeg", "\xff\xd8\xff", "\xff\xd9", "jpg", 3, 2, 64}, /* cameras and editors pad a little */
    {"image/png", "\x89PNG\r\n\x1a\n", "IEND\xae\x42\x60\x82", "png", 8, 8, 64},
};

static const struct form *form_of(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (strcmp(forms[i].type, type) == 0)
            return &forms[i];
    return NULL;
}

void document_scan_begin(struct document_scan *scan, const char *type)
{
    *scan = (struct document_scan){.type = type};
}

/* "/" stands nowhere but at its beginning, so a miss goes back to 0 or 1. A longer name (/EncryptMetadata) stands in the dictionary that /Encrypt refers
 * to, and so is found after it. */
static void look_for_encryption(struct document_scan *scan, const char *bytes, size_t len)
{
    static const char token[] = "/Encrypt";
    _Static_assert(sizeof token - 1 == SCAN_TOKEN, "the token");
    for (size_t i = 0; i < len && !scan->is_encrypted; i++) {
        scan->matched = bytes[i] == token[scan->matched] ? scan->matched + 1 : bytes[i] == '/';
        scan->is_encrypted = scan->matched == SCAN_TOKEN;
    }
}

static void keep_tail(struct document_scan *scan, const char *bytes, size_t len)
{
    size_t kept = len >= SCAN_TAIL ? 0 : scan->tail_len < SCAN_TAIL - len ? scan->tail_len : SCAN_TAIL - len;
    if (len > SCAN_TAIL) {
        bytes += len - SCAN_TAIL;
        len = SCAN_TAIL;
    }
    memmove(scan->tail, scan->tail + scan->tail_len - kept, kept);
    memcpy(scan->tail + kept, bytes, len);
    scan->tail_len = kept + len;
}

void document_scan_feed(struct document_scan *scan, const char *bytes, size_t len)
{
    size_t n = len < SCAN_HEAD - scan->head_len ? len : SCAN_HEAD - scan->head_len;
    if (!len)
        return;
    memcpy(scan->head + scan->head_len, bytes, n);
    scan->head_len += n;
    if (strcmp(scan->type, "application/pdf") == 0)
        look_for_encryption(scan, bytes, len);
    keep_tail(scan, bytes, len);
}

const char *document_scan_type(const struct document_scan *scan)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (scan->head_len >= forms[i].begins_len && memcmp(scan->head, forms[i].begins, forms[i].begins_len) == 0)
            return forms[i].type;
    return NULL;
}

const char *document_scan_warnings(const struct document_scan *scan)
{
    const struct form *form = form_of(scan->type);
    size_t from = form && scan->tail_len > form->slack ? scan->tail_len - form->slack : 0;
    bool has_end = form && memmem(scan->tail + from, scan->tail_len - from, form->ends, form->ends_len) != NULL;
    if (scan->is_encrypted)
        return has_end ? "{pdf-encrypted}" : "{pdf-encrypted,no-end}";
    return has_end ? "{}" : "{no-end}";
}

/* ── its name ── */

/* Of a name in ASCII what every system takes for a file; runs of other characters become one dash. */
static void put_plain(struct buf *out, const char *name)
{
    bool gap = false;
    size_t begin = out->len;
    for (const unsigned char *c = (const unsigned char *)name; *c && out->len - begin < 80; c++) {
        if (*c < 0x80 && (isalnum(*c) || *c == '_' || (*c == '.' && out->len > begin))) {
            if (gap && out->len > begin)
                buf_putc(out, '-');
            gap = false;
            buf_putc(out, (char)*c);
        } else {
            gap = true;
        }
    }
    while (out->len > begin && out->data[out->len - 1] == '.')
        out->len--;
    if (out->len == begin)
        BUF_LIT(out, "dokumen");
}

/* RFC 8187: attr-char as it is, all else in percent. What would be a path to some system is a dash. */
static void put_extended(struct buf *out, const char *name)
{
    for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
        unsigned char byte = strchr("/\\:*?\"<>|", *c) ? '-' : *c;
        if (byte < 0x80 && (isalnum(byte) || strchr("!#$&+-.^_`|~", byte)))
            buf_putc(out, (char)byte);
        else
            buf_printf(out, "%%%02X", byte);
    }
}

const char *document_disposition(struct arena *arena, const char *name, const char *media_type)
{
    const struct form *form = form_of(media_type);
    const char *extension = form ? form->extension : "bin";
    struct buf out;
    buf_init(&out, arena, 256);
    BUF_LIT(&out, "attachment; filename=\"");
    put_plain(&out, name);
    buf_printf(&out, ".%s\"; filename*=UTF-8''", extension);
    put_extended(&out, name);
    buf_printf(&out, ".%s", extension);
    return buf_cstr(&out);
}
