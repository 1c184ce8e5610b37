/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Certificates: their codes, their keys, the printed page. What is told of them is certificate.sql alone. */
#include "asnd/engine.h"

/* ── codes ── pure. 87 bytes in base64url: form (1), key (4), certificate (16), edition (2), Ed25519 signature (64). 87 is divisible by three, so no
 * letter has a bit that says nothing, and whichever is changed the code is another one. */
#define CERTIFICATE_CODE_LEN    116
#define CERTIFICATE_KEY_ID_SIZE 9
#define CERTIFICATE_SEED_LEN    32
#define CERTIFICATE_PUBLIC_LEN  32

struct certificate_claim {
    char id[37];
    int edition; /* 1 … 65535 */
    char key_id[CERTIFICATE_KEY_ID_SIZE];
};
/* The first bytes of SHA-256 of a public key, hexadecimal. */
void certificate_key_id(const uint8_t public_key[CERTIFICATE_PUBLIC_LEN], char ret[CERTIFICATE_KEY_ID_SIZE]);
void certificate_public_key(const uint8_t seed[CERTIFICATE_SEED_LEN], uint8_t ret[CERTIFICATE_PUBLIC_LEN]);
/* `id` is a UUID. */
void certificate_sign(const uint8_t seed[CERTIFICATE_SEED_LEN], const char *id, int edition, char ret[CERTIFICATE_CODE_LEN + 1]);
/* What a code claims, if it is formed as one; nothing is proven by that. */
NODISCARD bool certificate_read(const char *code, size_t len, struct certificate_claim *ret);
/* Whether that key signed it. */
NODISCARD bool certificate_is_signed(const char *code, size_t len, const uint8_t public_key[CERTIFICATE_PUBLIC_LEN]);

/* ── the page ── pure but for reading the fonts. */
struct certificate_page {
    const char *agency, *number, *name, *nip, *programme, *organiser;
    const char *held_at; /* or NULL */
    const char *starts_on, *ends_on, *jp, *place, *issued_on;
    const char *signatory, *signatory_position; /* or NULL */
    const char *edition;
    const char *url; /* what the QR says */
    bool is_revoked;
};
/* One page of A4 as PDF. The fonts are TrueType files; where they are missing the page is set in Helvetica, if its letters are in it. What no font at hand
 * can show is refused ("certificate-unprintable"): a name with a box in it is not that person's. */
NODISCARD enum status certificate_print(struct ctx *ctx, const struct certificate_page *page, const char *font, const char *font_bold,
                                        struct buf *out);

/* ── keys ── the one that signs, made if there is none yet. The caller wipes the seed. */
NODISCARD enum status certificate_signer(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set,
                                         uint8_t ret_seed[CERTIFICATE_SEED_LEN]);
/* A new one signs from now on; the secret of the one before is gone, its public key stays. */
NODISCARD enum status certificate_rotate(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set,
                                         char ret_key_id[CERTIFICATE_KEY_ID_SIZE]);

/* ── operations ── */
NODISCARD enum status cmd_issue_certificate(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                            struct outcome *out);
NODISCARD enum status cmd_issue_certificates(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                             struct outcome *out);
NODISCARD enum status cmd_reissue_certificate(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                              struct outcome *out);
/* For everybody: form, signature, and that it is the one that was given out. Which of them fails is not told. */
NODISCARD enum status cmd_verify_certificate(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                             struct outcome *out);
NODISCARD enum status cmd_certificate_pdf(struct ctx *ctx, struct engine *engine, struct db_conn *txn, struct params *in,
                                          struct outcome *out);
