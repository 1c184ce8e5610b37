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
#define KEY_TEXT_LEN      54
#define KEY_HASH_HEX_SIZE 65

/* The caller. Strings are its own; it lives as long as somebody holds a reference (counted on one loop's thread). */
/* Units of a caller that sees everything: the empty path, which contains all others. */
#define ACTOR_UNITS_ALL "{\"\"}"

struct actor {
    const char *key_id;         /* UUID */
    const char *name;           /* owner's label */
    const char *units;          /* ltree[] literal: subtrees whose people it may see; "{\"\"}" is everything */
    const char *scopes_literal; /* text[] literal: the scopes as SQL takes them */
    const char *const *scopes;
    size_t n_scopes;
    int64_t expires_us;    /* wall clock; 0: never */
    int64_t used_noted_ms; /* the loop's note of when last_used_at was last written */
    int refs;
};

void key_new(char ret_key[KEY_TEXT_LEN + 1]);
/* Shape and checksum only. */
bool key_is_wellformed(const char *text, size_t len);
/* SHA-256 of the whole key, hex: what the database stores. */
void key_hash(const char *text, size_t len, char ret_hex[KEY_HASH_HEX_SIZE]);

/* The bearer token of an Authorization header, or false with ctx's problem set (ST_UNAUTHENTICATED). */
NODISCARD enum status auth_bearer(struct ctx *ctx, const char *authorization, struct slice *ret_token);

/* ── checked keys, remembered for a moment ── one cache a loop; not thread-safe. Actors are counted: an entry may be dropped while a
 * request still runs on it. */
struct actor_cache;
enum actor_known { ACTOR_UNKNOWN, ACTOR_GOOD, ACTOR_BAD };
struct actor_cache *actor_cache_new(size_t capacity, int ttl_ms);
void actor_cache_free(struct actor_cache *cache);
/* What is remembered of this hash at `now_ms`; with ACTOR_GOOD *ret is a new reference. */
enum actor_known actor_cache_find(struct actor_cache *cache, const char *hash_hex, int64_t now_ms, struct actor **ret);
/* Remembers the outcome of a look-up; actor NULL: no such key. Takes no reference of the caller's. */
void actor_cache_store(struct actor_cache *cache, const char *hash_hex, int64_t now_ms, struct actor *actor);
/* A new actor with one reference; everything is copied. Scopes come as a PostgreSQL text[] literal ({asn.read,unit.read}). */
struct actor *actor_new(const char *key_id, const char *name, const char *units, const char *scopes_literal, int64_t expires_us);
void actor_ref(struct actor *actor);
void actor_unref(struct actor *actor); /* NULL is fine */

bool actor_has_scope(const struct actor *actor, const char *scope);
/* ST_FORBIDDEN naming the missing scope. `admin` holds every scope. */
NODISCARD enum status auth_require_scopes(struct ctx *ctx, const struct actor *actor, const struct operation *operation);
/* The same for members of the body that have a scope of their own (x-scope): a fault at each that is not this caller's to give. */
NODISCARD enum status auth_require_member_scopes(struct ctx *ctx, const struct actor *actor, const struct params *in);
