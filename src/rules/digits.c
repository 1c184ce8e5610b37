/* SPDX-License-Identifier: Apache-2.0 */
/* Digits out of text as people write it: paper prints "19900115 201503 1 999". */
#include "digits.h"

#include <stdint.h>

size_t digits_collect(const char *text, size_t len, char *ret, size_t size)
{
    size_t n = 0, kept;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ' ')
            continue;
        if (text[i] < '0' || text[i] > '9')
            return SIZE_MAX;
        if (n + 1 < size)
            ret[n] = text[i];
        n++;
    }
    kept = n < size ? n : size - 1;
    ret[kept] = '\0';
    return n;
}

int digits_value(const char *digits, int first, int n)
{
    int value = 0;
    for (const char *p = digits + first - 1; n > 0; p++, n--)
        value = value * 10 + (*p - '0');
    return value;
}
