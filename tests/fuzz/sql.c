/* SPDX-License-Identifier: Apache-2.0 */
/* SQL files: whatever the parser takes can be made into every kind of variant, and each bind has its number. */
#include "asnd/db.h"

#include "fuzz.h"

static void require_variant(const struct variant *variant)
{
    REQUIRE(variant && variant->sql && *variant->prepared_name);
    for (size_t i = 0; i < variant->n_binds; i++) {
        char number[32];
        snprintf(number, sizeof number, "$%zu", i + 1);
        REQUIRE(*variant->binds[i] && strstr(variant->sql, number));
    }
}

static void try_statement(void *cls, const struct statement *statement)
{
    const struct statement_info *info = statement_info(statement);
    unsigned all = (1u << info->n_options) - 1;
    REQUIRE(sql_set_find(cls, info->name) == statement);
    REQUIRE(info->n_options <= STATEMENT_OPTIONS_MAX && (!info->has_page || info->n_sorts > 0));
    for (size_t sort = 0; sort < (info->has_page ? info->n_sorts : 1); sort++) {
        REQUIRE(!info->has_page || (info->sorts[sort].n_keys >= 1 && info->sorts[sort].n_keys <= SORT_KEYS_MAX));
        require_variant(statement_variant(statement, 0, sort, VARIANT_PLAIN));
        require_variant(statement_variant(statement, all, sort, VARIANT_PLAIN));
        if (!info->has_page)
            continue;
        require_variant(statement_variant(statement, all, sort, VARIANT_AFTER_CURSOR));
        require_variant(statement_variant(statement, all, sort, VARIANT_COUNT));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sql_file file = {"fuzz.sql", (const char *)data, size};
    struct sql_set *set = sql_set_parse(&file, 1, nowhere());
    if (set)
        sql_set_each(set, try_statement, set);
    sql_set_free(set);
    return 0;
}
