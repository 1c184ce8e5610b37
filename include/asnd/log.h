/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One JSON object a line on standard error (or journald's fd), written with a single write(2). Never a secret, never personal data:
 * keys are fixed words, values are ids, codes, counts. Text of a database error goes in only through log_db_error, which drops
 * DETAIL lines (they quote rows). */
#include <stdbool.h>
#include <stdint.h>

#include "asnd/macros.h"

enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARNING_, LOG_ERROR_ };

void log_set_level(enum log_level min);
bool log_level_parse(const char *text, enum log_level *ret);
bool log_enabled(enum log_level level);

struct log_field {
    const char *key;
    enum { LF_TEXT, LF_INT, LF_BOOL, LF_MS3 /* microseconds printed as milliseconds with three decimals */ } type;
    const char *text;
    int64_t number;
};
#define LOG_TEXT(k, v) ((struct log_field){.key = (k), .type = LF_TEXT, .text = (v)})
#define LOG_NUM(k, v)  ((struct log_field){.key = (k), .type = LF_INT, .number = (int64_t)(v)})
#define LOG_FLAG(k, v) ((struct log_field){.key = (k), .type = LF_BOOL, .number = (v)})
#define LOG_US(k, v)   ((struct log_field){.key = (k), .type = LF_MS3, .number = (v)})

/* log_line(LOG_INFO_, "listening", LOG_TEXT("address", a), LOG_NUM("port", p)); NULL texts are left out, those beyond
 * 1000 bytes cut. */
void log_write(enum log_level level, const char *event, const struct log_field *fields, int n_fields);
#define log_line(level, event, ...)                                                                                                        \
    log_write((level), (event), (const struct log_field[]){__VA_ARGS__},                                                                   \
              (int)(sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)))

NORETURN void die_no_memory(void);
