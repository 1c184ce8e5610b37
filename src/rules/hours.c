/* SPDX-License-Identifier: Apache-2.0 */
/* Learning hours (jam pelajaran, JP): 45 minutes each (Peraturan LAN 5/2018). What a form is worth comes as data (list training-form, after the table of
 * letter B-031/BPS/2600/02/2019); here is how it is applied. docs/rules.md, 5; migrations/0024_partners_hours.sql says the same for many people at once. */
#include "asnd/rules.h"

#include <string.h>

#define MINUTES_PER_JP 45

int hours_from_minutes(int minutes)
{
    return minutes > 0 ? minutes / MINUTES_PER_JP : 0;
}

/* JP as printed, or of the minutes. False when neither was told. */
static bool told_jp(const struct hours_entry *entry, struct decimal *ret)
{
    if (entry->minutes >= 0)
        decimal_set_int(ret, hours_from_minutes(entry->minutes));
    else if (entry->jp)
        decimal_set(ret, entry->jp);
    return entry->minutes >= 0 || entry->jp;
}

/* Amount times what one is worth; an amount that was not told is one. */
static void by_units(const struct hours_entry *entry, struct decimal *ret)
{
    if (entry->amount)
        decimal_mul(ret, entry->amount, entry->form->unit_jp);
    else
        decimal_set(ret, entry->form->unit_jp);
}

/* What was told counts, up to what the table gives a day; nothing told is the whole of that. */
static void up_to(const struct hours_entry *entry, struct decimal *told, bool is_told, struct decimal *ret)
{
    by_units(entry, ret);
    if (is_told && entry->form->jp_factor)
        decimal_mul(told, told, entry->form->jp_factor);
    if (is_told && decimal_compare(told, ret) < 0)
        decimal_set(ret, told);
}

void hours_value(const struct hours_entry *entry, struct decimal *ret)
{
    struct decimal told;
    bool is_told;
    decimal_init(&told);
    is_told = told_jp(entry, &told);
    if (!entry->form)
        decimal_set(ret, &told);
    else if (entry->form->is_by_jp)
        decimal_mul(ret, &told, entry->form->unit_jp);
    else if (entry->form->is_up_to)
        up_to(entry, &told, is_told, ret);
    else if (!entry->amount && is_told)
        decimal_set(ret, &told);
    else
        by_units(entry, ret);
    decimal_done(&told);
}

static bool is_same(const struct hours_entry *a, const struct hours_entry *b)
{
    if (a->paper && b->paper)
        return strcmp(a->paper, b->paper) == 0;
    return a->title && b->title && strcmp(a->title, b->title) == 0 && date_compare(a->first_day, b->first_day) == 0;
}

static bool shares_month(const struct hours_entry *a, const struct hours_entry *b)
{
    return a->form && b->form && a->form->month_most && b->form->month_most && strcmp(a->form_code, b->form_code) == 0 &&
           a->last_day.year == b->last_day.year && a->last_day.month == b->last_day.month;
}

/* What the month still holds of this form, after the entries before. */
static void month_room(const struct hours_entry *entries, const struct hours_counted *counted, size_t at, struct decimal *ret)
{
    decimal_mul(ret, entries[at].form->month_most, entries[at].form->unit_jp);
    for (size_t i = 0; i < at; i++)
        if (!counted[i].is_duplicate && shares_month(&entries[i], &entries[at]))
            decimal_sub(ret, ret, &counted[i].jp);
    if (decimal_sign(ret) < 0)
        decimal_set_int(ret, 0);
}

void hours_count(const struct hours_entry *entries, size_t n, struct hours_counted *ret)
{
    struct decimal room;
    decimal_init(&room);
    for (size_t i = 0; i < n; i++) {
        struct hours_counted *mine = &ret[i];
        decimal_init(&mine->jp);
        decimal_init(&mine->counted);
        mine->is_duplicate = false;
        for (size_t j = 0; j < i && !mine->is_duplicate; j++)
            mine->is_duplicate = is_same(&entries[j], &entries[i]);
        hours_value(&entries[i], &mine->jp);
        if (mine->is_duplicate)
            continue;
        decimal_set(&mine->counted, &mine->jp);
        if (entries[i].form && entries[i].form->month_most) {
            month_room(entries, ret, i, &room);
            if (decimal_compare(&room, &mine->counted) < 0)
                decimal_set(&mine->counted, &room);
        }
    }
    decimal_done(&room);
}

void hours_counted_done(struct hours_counted *counted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        decimal_done(&counted[i].jp);
        decimal_done(&counted[i].counted);
    }
}

static void beyond(const struct decimal *total, const struct decimal *bound, struct decimal *ret)
{
    decimal_set_int(ret, 0);
    if (decimal_compare(total, bound) > 0)
        decimal_sub(ret, total, bound);
}

void hours_stand(const struct decimal *total, int floor_jp, int ceiling_jp, struct decimal *ret_counted, struct decimal *ret_short,
                 struct decimal *ret_above)
{
    struct decimal bound;
    decimal_init(&bound);
    decimal_set(ret_counted, total);
    decimal_set_int(ret_short, 0);
    decimal_set_int(ret_above, 0);
    if (floor_jp >= 0) {
        decimal_set_int(&bound, floor_jp);
        beyond(&bound, total, ret_short);
    }
    if (ceiling_jp >= 0) {
        decimal_set_int(&bound, ceiling_jp);
        beyond(total, &bound, ret_above);
        decimal_sub(ret_counted, total, ret_above);
    }
    decimal_done(&bound);
}

/* The same day so many years on; of 29 February the 28th where there is no other. */
static struct date anniversary(struct date origin, int years)
{
    struct date at = {origin.year + years, origin.month, origin.day};
    if (!date_is_valid(at))
        at.day = 28;
    return at;
}

void hours_contract_year(struct date origin, struct date at, struct date *ret_from, struct date *ret_until)
{
    int years = at.year - origin.year;
    if (date_compare(anniversary(origin, years), at) > 0)
        years--;
    *ret_from = anniversary(origin, years);
    *ret_until = anniversary(origin, years + 1);
}
