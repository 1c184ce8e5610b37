/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Values that stand in the database encrypted, under keys that are not in it (setting column_keys_file; docs/column-keys.md). A NIK becomes
 *
 *     ~1.KKKK.holder.hash.near.born.s.sealed
 *
 * of fixed width: the key's number, the id of the record that holds it, a keyed hash of the whole (the same for the same NIK), a keyed hash of its first
 * six digits, the digits that tell the day of birth (which stands beside it anyway), whether its serial number is other than 0000, and nonce, ciphertext
 * and tag of XChaCha20-Poly1305. All before the last part is authenticated with it. SQL reads the parts by nik_key() and its like (migrations/0073); no
 * statement ever has the NIK itself.
 *
 * Without keys everything passes as it is. One vault for the process; it is exchanged whole (SIGHUP). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "asnd/macros.h"
#include "asnd/status.h"
#include "asnd/text.h"

struct arena;
struct ctx;
struct vault;

#define VAULT_NIK_LEN    161
#define VAULT_NOBODY     "00000000-0000-0000-0000-000000000000" /* holder of what is only compared, never stored */
#define VAULT_KEY_DIGITS 4

/* Reads a file of keys; an empty path gives NULL, which is no fault. On a fault one sentence to `err`, and false: a file that others may read or write is
 * one. */
NODISCARD bool vault_read(const char *path, FILE *err, struct vault **ret);
/* Of one that was read and is not installed; NULL is fine. */
void vault_drop(struct vault *vault);
/* A new key for the file, as its lines; `path` may be there already, then its keys stay and the new one comes behind them. */
NODISCARD bool vault_add_key(const char *path, FILE *err);
/* From now on. Vaults before it stay, as others may still be reading them. */
void vault_install(struct vault *vault);
/* The installed one; NULL without keys. */
const struct vault *vault_installed(void);
bool vault_is_set(void);
/* The number of the key that seals, "" without one; valid for good. */
const char *vault_newest(void);
bool vault_has_key(const char *number);

/* ── whether a file's keys are those that a database was written under ── two may have a key of the same number */
#define VAULT_SEARCH    "search" /* stands for what the hashes are made by, where else a key's number does */
#define VAULT_SAYS_SIZE 65
/* The names that a vault has: its numbers in the order of the file, then VAULT_SEARCH; NULL behind the last one. */
const char *vault_name(const struct vault *vault, size_t i);
/* What the i-th is told again by: a hash of a fixed text under it, 64 hex digits and NUL. */
void vault_says(const struct vault *vault, size_t i, char ret[VAULT_SAYS_SIZE]);
/* Whether a sealed NIK is opened by the vault's key of the number that it names, and whether its hash is what the vault makes of it then. */
NODISCARD bool vault_opens(const struct vault *vault, const char *sealed, size_t len, bool *ret_hash_fits);

/* ── NIK ── */
/* Sealed for its holder (a UUID). What is no NIK, or is sealed already, and everything without keys, comes back as it is; NULL too. */
const char *vault_seal_nik(struct arena *arena, const char *nik, const char *holder);
bool vault_is_sealed(const char *text, size_t len);
/* Whether it was sealed for this holder. */
bool vault_is_held_by(const char *sealed, const char *holder);
/* False: no such key, or it is not what was sealed. `ret` ends with NUL. */
NODISCARD bool vault_open_nik(const char *sealed, size_t len, char ret[17]);
/* A NIK as it was, sealed or not; NULL for NULL. False as above. */
NODISCARD bool vault_clear(struct arena *arena, const char *text, const char **ret);
/* What marks a search by a number (digits, and spaces between them) beside its digits: "digits~mark"; a whole NIK is found by its hash, and six to twelve of
 * its digits by those parts. Anything else comes back as it is. */
const char *vault_mark_search(struct arena *arena, const char *q);

/* ── texts around them ── */
/* JSON with each member `nik` that is a NIK sealed for the holder, at whatever depth. */
const char *vault_seal_json(struct arena *arena, struct slice json, const char *holder);
/* Text with what is sealed in it opened; ~m. instead of ~1. is opened and masked (two digits at both ends). The same text if there is nothing. */
NODISCARD bool vault_open_text(struct arena *arena, struct slice text, struct slice *ret);
/* JSON whose sealed members stand under the newest key afterwards, and so do those that were not sealed. */
NODISCARD bool vault_renew_json(struct arena *arena, struct slice json, const char *holder, const char **ret);

/* ── whole texts ── of which nobody knows what is in them; `context` says what they are, and another opens none of them */
const char *vault_seal_blob(struct arena *arena, struct slice bytes, const char *context);
NODISCARD bool vault_open_blob(struct arena *arena, struct slice text, const char *context, struct slice *ret);

/* ST_UNAVAILABLE "column-key-missing". */
enum status vault_refuse(struct ctx *ctx);

/* A hash of what may hold a NIK, keyed if there are keys: 64 hex digits and NUL. */
void vault_hash(const void *bytes, size_t len, char ret_hex[65]);
