/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Numbers of the administration that are written as digits: what NIP and NIK have in common. */
#include <stddef.h>

/* Copies the digits of `text` without its spaces. Returns how many there are (ret holds the first `size` − 1 of them and a NUL), or
 * SIZE_MAX if anything else stands there. */
size_t digits_collect(const char *text, size_t len, char *ret, size_t size);
/* The value of digits first … first + n − 1, counted from 1 as the regulations do. */
int digits_value(const char *digits, int first, int n);
