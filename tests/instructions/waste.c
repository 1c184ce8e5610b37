/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into asnd_wasteful alone: each request does this many more instructions ($WASTE), so that it can be seen that the guard notices. */
#include <stdlib.h>

#include "asnd/contract.h"

bool __real_contract_route(const struct contract *contract, enum http_method method, struct slice path, struct route *ret);
bool __wrap_contract_route(const struct contract *contract, enum http_method method, struct slice path, struct route *ret);

#define INSTRUCTIONS_A_TURN 2

bool __wrap_contract_route(const struct contract *contract, enum http_method method, struct slice path, struct route *ret)
{
    const char *wanted = getenv("WASTE");

    for (long left = wanted ? atol(wanted) / INSTRUCTIONS_A_TURN : 0; left > 0; left--)
        __asm__ volatile("" : "+r"(left));
    return __real_contract_route(contract, method, path, ret);
}
