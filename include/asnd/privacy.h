/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The rights of the person whose data it is. Nearly all of it is privacy.sql; here is what is drawn on paper. */
#include "asnd/engine.h"

/* ── the page ── pure but for reading the fonts. */
enum privacy_line_kind { PRIVACY_TITLE, PRIVACY_HEADING, PRIVACY_TEXT };
struct privacy_line {
    enum privacy_line_kind kind;
    const char *text; /* UTF-8, one line, any length */
};
/* Pages of A4 as PDF, as many as it takes. What no font at hand can show is a question mark: a summary leaves nothing out for it. */
NODISCARD enum status privacy_print(struct ctx *ctx, const struct privacy_line *lines, size_t n_lines, const char *font,
                                    const char *font_bold, struct buf *out);

/* ── operations ── */
NODISCARD enum status cmd_personal_data_pdf(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                            struct outcome *out);
