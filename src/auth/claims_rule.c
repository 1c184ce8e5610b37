/* SPDX-License-Identifier: Apache-2.0 */
/* The settings about claims, read once at start: a role that may something unknown, or a pointer that is none, stops it with a sentence. */
#include <string.h>

#include "asnd/arena.h"
#include "internal.h"

/* Words of `text` up to any of `separators`; empty ones are left out. */
static const char *const *words_of(struct arena *arena, const char *text, size_t len, const char *separators, size_t *ret_n)
{
    const char **words;
    const char *end = text + len;
    size_t n = 1;
    for (const char *p = text; p < end; p++)
        n += strchr(separators, *p) != NULL;
    words = arena_zalloc_array(arena, n, sizeof *words);
    *ret_n = 0;
    while (text < end) {
        size_t word = 0;
        while (text + word < end && !strchr(separators, text[word]))
            word++;
        if (word > 0)
            words[(*ret_n)++] = arena_strndup(arena, text, word);
        text += word + (text + word < end);
    }
    return words;
}

bool claims_is_role(const char *word)
{
    return strncmp(word, CLAIMS_ROLE, strlen(CLAIMS_ROLE)) == 0;
}

static bool word_is_known(const struct contract *contract, const struct matrix *matrix, const char *word)
{
    const char *role = word + strlen(CLAIMS_ROLE);
    return claims_is_role(word) ? matrix_role_find(matrix, role, strlen(role)) >= 0 : auth_scope_is_known(contract, word, strlen(word));
}

static bool role_read(struct arena *arena, const char *text, const struct contract *contract, const struct matrix *matrix, struct role *ret,
                      FILE *err)
{
    const char *equals = strchr(text, '=');
    struct slice name = slice_trim((struct slice){text, equals ? (size_t)(equals - text) : 0});
    if (!equals || name.len == 0)
        return fprintf(err, "asnd: oidc_roles: \"%s\" is not of the form role=scope role:ours.\n", text), false;
    ret->name = arena_strndup(arena, name.data, name.len);
    ret->scopes = words_of(arena, equals + 1, strlen(equals + 1), " ", &ret->n_scopes);
    for (size_t i = 0; i < ret->n_scopes; i++)
        if (!word_is_known(contract, matrix, ret->scopes[i]))
            return fprintf(err, "asnd: oidc_roles: no operation knows the %s \"%s\".\n", claims_is_role(ret->scopes[i]) ? "role" : "scope",
                           ret->scopes[i]),
                   false;
    return true;
}

static bool roles_read(struct arena *arena, const char *text, const struct contract *contract, const struct matrix *matrix,
                       struct claims_rule *ret, FILE *err)
{
    const char *const *each = words_of(arena, text, strlen(text), ",", &ret->n_roles);
    struct role *roles = arena_zalloc_array(arena, ret->n_roles + 1, sizeof *roles);
    for (size_t i = 0; i < ret->n_roles; i++)
        if (!role_read(arena, each[i], contract, matrix, &roles[i], err))
            return false;
    ret->roles = roles;
    return true;
}

static bool pointers_are_fine(const struct settings *s, FILE *err)
{
    const struct {
        const char *name, *value;
    } all[] = {{"oidc_claim_name", s->oidc_claim_name},
               {"oidc_claim_nip", s->oidc_claim_nip},
               {"oidc_claim_roles", s->oidc_claim_roles},
               {"oidc_claim_units", s->oidc_claim_units}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].value[0] != '/')
            return fprintf(err, "asnd: %s must be a JSON Pointer such as /nip, not \"%s\".\n", all[i].name, all[i].value), false;
    if (strcmp(s->oidc_units_else, "none") != 0 && strcmp(s->oidc_units_else, "own") != 0 && strcmp(s->oidc_units_else, "all") != 0)
        return fprintf(err, "asnd: oidc_units_else must be none, own or all, not \"%s\".\n", s->oidc_units_else), false;
    return true;
}

bool claims_rule_read(struct arena *arena, const struct settings *s, const struct contract *contract, const struct matrix *matrix,
                      struct claims_rule *ret, FILE *err)
{
    *ret = (struct claims_rule){.issuer = s->oidc_issuer,
                                .skew_s = s->oidc_skew_s,
                                .max_age_s = s->oidc_max_age_s,
                                .name_at = s->oidc_claim_name,
                                .nip_at = s->oidc_claim_nip,
                                .roles_at = s->oidc_claim_roles,
                                .units_at = s->oidc_claim_units};
    ret->audiences = words_of(arena, s->oidc_audience, strlen(s->oidc_audience), ", ", &ret->n_audiences);
    if (ret->n_audiences == 0)
        return fprintf(err, "asnd: oidc_audience must say for whom a token is, or tokens for others would be taken.\n"), false;
    return pointers_are_fine(s, err) && roles_read(arena, s->oidc_roles, contract, matrix, ret, err);
}
