/* SPDX-License-Identifier: Apache-2.0 */
/* What may be asked of the entries. */
#include "asnd/audit.h"

#include "asnd/contract.h"

static bool any_of(const struct params *in, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (params_text(in, names[i]))
            return true;
    return false;
}

/* Entries are found by person, actor and moment; what else is asked narrows that, and alone would read them all. */
enum status check_list_audit_entries(struct ctx *ctx, struct params *in)
{
    static const char *const found_by[] = {"nip", "actor", "from"}, *const narrowed_by[] = {"operation", "action", "entity"};
    if (!any_of(in, narrowed_by, ARRAY_LEN(narrowed_by)) || any_of(in, found_by, ARRAY_LEN(found_by)))
        return ST_OK;
    fault_add(ctx, AT_PARAMETER, "from", "required", "operation, action and entity alone would read every entry; add from, nip or actor",
              "operation, action, dan entity saja akan membaca semua catatan; tambahkan from, nip, atau actor");
    return fail(ctx, ST_BAD_REQUEST, "parameter-invalid", "Say from when on, or whose entries: from, nip or actor.",
                "Sebutkan sejak kapan, atau catatan siapa: from, nip, atau actor.");
}
