/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who is calling (API keys, tokens of the identity provider) and what they may (scopes, units). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "asnd/contract.h"
#include "asnd/macros.h"
#include "asnd/matrix.h"
#include "asnd/status.h"

struct arena;
struct settings;

/* asnd_ + 43 characters base64url (256 random bits) + 6 characters of checksum: garbage is refused without asking the database. */
#define KEY_TEXT_LEN      54
#define KEY_HASH_HEX_SIZE 65

/* Units of a caller that sees everything: the empty path, which contains all others. */
#define ACTOR_UNITS_ALL "{\"\"}"

/* A network; an IPv4 one is kept as IPv6 sees it (::ffff:0:0/96). */
struct network {
    uint8_t address[16];
    unsigned bits;
};

/* What is known of a caller, as the database tells it. */
struct actor_facts {
    const char *key_id;         /* UUID of api_key: of the key, or of the token's subject */
    const char *name;           /* owner's label */
    const char *units;          /* ltree[] literal: subtrees whose people it may see; "{\"\"}" is everything */
    const char *agency;         /* likewise: the whole trees that these, or the person, belong to */
    const char *roles_literal;  /* text[] literal: names of roles */
    uint32_t roles;             /* the same, a bit each by their index in the matrix */
    const char *scopes_literal; /* text[] literal: the scopes as SQL takes them */
    const char *nip;            /* of the person that a token speaks of; NULL: of nobody */
    const char *allow_from;     /* networks, with commas between; NULL or "": from everywhere */
    const char *certificate;    /* SHA-256 of the client certificate that it needs, hex; NULL or "": none */
    int64_t expires_us;         /* wall clock; 0: never */
    bool is_previous;           /* came with the secret before the last rotation */
};

/* The caller. Strings are its own; it lives as long as somebody holds a reference (counted on one loop's thread). */
struct actor {
    const char *key_id, *name, *units, *agency, *scopes_literal, *roles_literal, *nip,
        *certificate; /* as above; NULL where there is none */
    uint32_t roles;
    const char *const *scopes;
    size_t n_scopes;
    const struct network *allow_from;
    size_t n_allow_from; /* 0: from everywhere */
    int64_t expires_us;
    bool is_previous;
    int64_t used_noted_ms; /* the loop's note of when last_used_at was last written */
    int refs;
};

void key_new(char ret_key[KEY_TEXT_LEN + 1]);
/* Shape and checksum only. */
bool key_is_wellformed(const char *text, size_t len);
/* SHA-256 of the whole key, hex: what the database stores. */
void key_hash(const char *text, size_t len, char ret_hex[KEY_HASH_HEX_SIZE]);

/* What a bearer is: a key of ours, or (where there is a provider) what may be a token. ST_UNAUTHENTICATED for everything else. */
enum bearer { BEARER_KEY, BEARER_TOKEN };
NODISCARD enum status auth_bearer(struct ctx *ctx, const char *authorization, bool takes_tokens, struct slice *ret_text,
                                  enum bearer *ret_kind);

/* ── from where ── */
/* "10.0.0.0/8" or "2001:db8::1"; false for what is none, and for bits set behind the prefix. */
bool network_parse(const char *text, size_t len, struct network *ret);
/* Whether a numeric address lies in one of these; false for what is no address. */
bool network_any_holds(const struct network *networks, size_t n, struct slice address);
/* SHA-256 (hex) of the client certificate that a proxy hands on: `:base64:` of RFC 9440, a PEM text percent-encoded ($ssl_client_escaped_cert of
 * nginx), or its SHA-256 in hex. False for anything else. */
bool client_certificate_hash(struct arena *arena, const char *header, char ret_hex[KEY_HASH_HEX_SIZE]);
/* ST_FORBIDDEN when this caller may not come from there, or needs a certificate that it did not bring (NULL: none, or not by a trusted proxy). */
NODISCARD enum status auth_require_place(struct ctx *ctx, const struct actor *actor, struct slice client, const char *certificate_header);

/* ── checked keys, remembered for a moment ── one cache a loop; not thread-safe. Actors are counted: an entry may be dropped while a
 * request still runs on it. */
struct actor_cache;
enum actor_known { ACTOR_UNKNOWN, ACTOR_GOOD, ACTOR_BAD };
struct actor_cache *actor_cache_new(size_t capacity, int ttl_ms);
void actor_cache_free(struct actor_cache *cache);
/* What is remembered of this hash at `now_ms`; with ACTOR_GOOD *ret is a new reference. */
enum actor_known actor_cache_find(struct actor_cache *cache, const char *hash_hex, int64_t now_ms, struct actor **ret);
/* Remembers the outcome of a look-up; actor NULL: no such key. Takes no reference of the caller's. When the key's use was last noted goes over. */
void actor_cache_store(struct actor_cache *cache, const char *hash_hex, int64_t now_ms, struct actor *actor);
/* A new actor with one reference; everything is copied. Scopes come as a PostgreSQL text[] literal ({asn.read,unit.read}). */
struct actor *actor_new(const struct actor_facts *facts);
void actor_ref(struct actor *actor);
void actor_unref(struct actor *actor); /* NULL is fine */

bool actor_has_scope(const struct actor *actor, const char *scope);
/* ST_FORBIDDEN naming the missing scope. `admin` holds every scope. */
NODISCARD enum status auth_require_scopes(struct ctx *ctx, const struct actor *actor, const struct operation *operation);
/* ── roles ── what a caller may at one operation by the matrix, and by his scopes */
struct grant {
    enum row_scope rows;                  /* the widest that he sees whoever it is about; ROWS_NONE: nobody's */
    uint32_t roles;                       /* that give these */
    bool by_scopes;                       /* his own scopes give these too, of his units */
    uint32_t personal[ROWS_PERSONAL + 1]; /* roles that ask something of the subject, by what they ask */
    const char *missing;                  /* the scope that he lacks; NULL: he holds all */
};
/* Where the subject stands to the caller, as the database tells it. */
struct standing {
    const char *path; /* of the person's unit */
    bool is[ROWS_PERSONAL + 1];
    bool is_within; /* the units that the grant's rows reach */
};
/* What a grant comes to; the texts are those of explainAccess. */
enum access_rule {
    RULE_SCOPES, /* the caller's own, whoever it is about */
    RULE_ROLE,   /* roles, whoever it is about */
    RULE_SELF,   /* roles, by where the subject stands to the caller: in the order of enum row_scope */
    RULE_REPORTS,
    RULE_ASSESSED,
    RULE_COLLEAGUES,
    RULE_SCOPE_MISSING,  /* neither scopes nor a role */
    RULE_SUBJECT_WANTED, /* roles give it of one person at a time, and nobody was named */
    RULE_OUT_OF_REACH,   /* there is no such subject, or it is beyond both units and people */
    RULE_OWN_RECORD,
};
const char *access_rule_name(enum access_rule rule);
bool access_rule_gives(enum access_rule rule);
/* `standing` NULL: nobody was asked about, or (`has_subject`) there is no such subject. */
enum access_rule grant_rule(const struct matrix_row *row, const struct grant *grant, const struct standing *standing, bool has_subject);
struct grant grant_of(const struct matrix *matrix, const struct operation *operation, const struct actor *actor);
bool grant_is_personal(const struct grant *grant);
/* ltree[] literal: the units that the grant reaches without regard to a person. */
const char *grant_units(const struct grant *grant, const struct actor *actor);
/* The caller as this operation sees him: its scopes, what his roles bring, and the units; one reference. `standing` NULL: nobody was asked about. NULL if
 * nothing is left. */
struct actor *grant_narrow(const struct matrix *matrix, const struct operation *operation, const struct actor *actor,
                           const struct grant *grant, const struct standing *standing);
/* Bits of the roles in a text[] literal; names that the matrix does not know are passed over. */
uint32_t roles_of_literal(const struct matrix *matrix, const char *literal);

/* The same for members of the body that have a scope of their own (x-scope): a fault at each that is not this caller's to give. */
NODISCARD enum status auth_require_member_scopes(struct ctx *ctx, const struct actor *actor, const struct params *in);
/* Whether some operation asks for this scope or heeds it; `admin` is known. */
bool auth_scope_is_known(const struct contract *contract, const char *scope, size_t len);

/* ── tokens ── JWTs (RFC 7519, 8725) of one identity provider, whose keys a thread of its own fetches and keeps. Settings: oidc_… */
struct provider;
/* What a good token says, as the settings map it. In the ctx's arena. */
struct token_claims {
    const char *issuer, *subject, *jti, *name;
    const char *nip;                     /* NULL: of nobody here */
    const char *scopes, *roles;          /* text[] literals */
    const char *unit_codes;              /* text[] literal; NULL: it says nothing of units */
    const char *certificate;             /* SHA-256 (hex) of the client certificate that it is bound to (RFC 8705), or NULL */
    char caller_hash[KEY_HASH_HEX_SIZE]; /* of issuer and subject: how api_key knows them */
    int64_t expires_us;
};
enum token_verdict {
    TOKEN_GOOD,
    TOKEN_REFUSED,     /* ctx's problem says why */
    TOKEN_FORGED,      /* the same; and it was not made by the provider, or is no token */
    TOKEN_KEY_UNKNOWN, /* no key of its kid is known, or none at all: provider_await may help */
};
/* False with a line on err when the settings make no sense; *ret NULL when there is no provider. Reads oidc_jwks_file at once. */
bool provider_new(const struct settings *settings, const struct contract *contract, const struct matrix *matrix, struct provider **ret,
                  FILE *err);
void provider_start(struct provider *provider); /* NULL is fine for these three */
/* Whether oidc_jwks_file, if that is where the keys come from, could be taken now. */
bool provider_check_file(const struct provider *provider, const char **ret_why);
/* Has the keys fetched anew; the last good ones are kept if that fails. */
void provider_renew(struct provider *provider);
/* Ends the thread; everybody who waits is told. */
void provider_stop(struct provider *provider);
void provider_free(struct provider *provider);
/* Takes some 30 to 150 microseconds and never waits. Thread-safe. */
enum token_verdict provider_verify(struct ctx *ctx, struct provider *provider, struct slice token, int64_t now_us,
                                   struct token_claims *ret);

struct key_waiter {
    struct key_waiter *next;
    void (*ready)(struct key_waiter *waiter); /* on the provider's thread: the keys are as new as can be had */
};
/* False when the keys were asked for a moment ago: they are not asked for again for the sake of every made-up kid. */
bool provider_await(struct provider *provider, struct key_waiter *waiter);
/* After provider_await has helped nothing: ST_UNAUTHENTICATED, or ST_UNAVAILABLE when no keys were ever had. */
enum status provider_refuse_unknown(struct ctx *ctx, struct provider *provider);
