/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who is calling (API keys) and what they may (scopes, units). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "asnd/contract.h"
#include "asnd/macros.h"
#include "asnd/status.h"

struct arena;

/* asnd_ + 43 characters base64url (256 random bits) + 6 characters of checksum: garbage is refused without asking the database. */
#define KEY_TEXT_LEN 54
#define KEY_HASH_HEX_SIZE 65

/* The caller. Immutable; strings live as long as the struct's owner. */
struct actor {
    const char *key_id; /* UUID */
    const char *name;   /* owner's label */
    const char *units;  /* ltree[] literal: subtrees whose people it may see; "{\"\"}" is everything */
    const char *const *scopes;
    size_t n_scopes;
    int64_t expires_us; /* wall clock; 0: never */
};

void key_new(char ret_key[KEY_TEXT_LEN + 1]);
/* Shape and checksum only. */
bool key_is_wellformed(const char *text, size_t len);
/* SHA-256 of the whole key, hex: what the database stores. */
void key_hash(const char *text, size_t len, char ret_hex[KEY_HASH_HEX_SIZE]);

/* The bearer token of an Authorization header, or false with ctx's problem set (ST_UNAUTHENTICATED). */
NODISCARD enum status auth_bearer(struct ctx *ctx, const char *authorization, size_t n_headers, struct slice *ret_token);

bool actor_has_scope(const struct actor *actor, const char *scope);
/* ST_FORBIDDEN naming the missing scope. `admin` holds every scope. */
NODISCARD enum status auth_require_scopes(struct ctx *ctx, const struct actor *actor, const struct operation *operation);
