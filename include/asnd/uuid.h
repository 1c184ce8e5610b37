/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* UUIDs as 36-character lower-case text. */
#include <stdbool.h>
#include <stddef.h>

#define UUID_TEXT_SIZE 37

/* A new UUIDv7 (RFC 9562): time-ordered, random tail; monotonic within a thread. */
void uuid_new_v7(char ret[UUID_TEXT_SIZE]);
/* 8-4-4-4-12 hex digits, either case (parsed by libuuid). */
bool uuid_is_valid(const char *text, size_t len);
