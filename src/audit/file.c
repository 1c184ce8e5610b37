/* SPDX-License-Identifier: Apache-2.0 */
/* The chain from an export, NDJSON: no database, no daemon, no network. */
#include "asnd/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void take(struct audit_check *check, const json_t *line)
{
    const json_t *told = json_object_get(line, "sealed"), *entry = json_object_get(line, "entry");
    struct audit_seal seal = {.number = number_of(told, "number"),
                              .first = number_of(told, "first"),
                              .last = number_of(told, "last"),
                              .settled = number_of(told, "settled"),
                              .at = text_of(told, "at"),
                              .previous = text_of(told, "previous"),
                              .hash = text_of(told, "hash")};
    struct audit_place place = {.seq = number_of(line, "seq"),
                                .digest = text_of(line, "digest"),
                                .content = json_string_value(entry),
                                .content_len = json_string_length(entry),
                                .seal = json_is_object(told) ? &seal : NULL};
    audit_check_place(check, &place);
}

bool audit_verify_file(FILE *in, FILE *out, const struct audit_known *known, struct audit_report *ret)
{
    struct audit_check *check = audit_check_new(out, known);
    char *text = NULL;
    size_t cap = 0;
    ssize_t len;
    bool fine = true;
    for (int64_t n = 1; fine && (len = getline(&text, &cap, in)) > 0; n++) {
        json_t *line = json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
        fine = json_is_object(line) && json_is_integer(json_object_get(line, "seq"));
        if (fine)
            take(check, line);
        else
            fprintf(out, "line %" PRId64 " is no place of the chain\n", n);
        json_decref(line);
    }
    free(text);
    audit_check_end(check, ret);
    return fine && !ferror(in);
}
