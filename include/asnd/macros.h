/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Attributes that turn comments into things the compiler checks. */

#define NODISCARD                    __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define RETURNS_NONNULL              __attribute__((returns_nonnull))
#define UNUSED                       __attribute__((unused))
#define NORETURN                     __attribute__((noreturn))

/* _cleanup_(fn) runs fn(&variable) on every way out of the scope. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
