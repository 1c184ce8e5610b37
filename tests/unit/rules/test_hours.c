/* SPDX-License-Identifier: Apache-2.0 */
/* Learning hours: the worked examples K1 to K10 (table of letter B-031/BPS/2600/02/2019; PP 11/2017 and PP 49/2018 for floor and ceiling), the edges
 * of 45 minutes, and years counted from a contract's first day. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/rules.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static const struct {
    const char *id;
    int minutes;
    int hours;
} lengths[] = {
    {"K7, 900 minutes", 900, 20},         {"K7, 960 minutes", 960, 21},
    {"K7, 899 minutes", 899, 19},         {"nothing", 0, 0},
    {"one short of one", 44, 0},          {"one", 45, 1},
    {"one, and one short of two", 89, 1}, {"below nothing", -1, 0},
    {"far below nothing", INT_MIN, 0},    {"the longest", INT_MAX, 47721858},
};

static void what_does_not_fill_an_hour_is_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        print_message("%s\n", lengths[i].id);
        assert_int_equal(hours_from_minutes(lengths[i].minutes), lengths[i].hours);
    }
}

/* The rows of the table that the examples need: code, counted by JP, up to, at home, abroad, factor abroad, a month at home. */
static const struct {
    const char *code;
    bool is_by_jp, is_up_to;
    const char *home, *abroad, *factor, *month_most;
} forms[] = {
    {"A1", false, false, "20", "20", NULL, NULL}, {"B3", true, false, "1", "1.2", NULL, NULL},
    {"B6", false, false, "4", "6", NULL, NULL},   {"B7", false, false, "5", "7", NULL, NULL},
    {"B10", true, false, "1", "1.2", NULL, NULL}, {"B11", false, false, "4", "6", NULL, NULL},
    {"C1", false, false, "2", "4", NULL, "2"},    {"C2", false, false, "2", "4", NULL, "2"},
    {"C3", false, true, "3", "4", NULL, NULL},    {"C7", false, false, "10", "20", NULL, NULL},
    {"C9", false, true, "2", "2.4", "1.2", NULL}, {"C11", false, false, "20", "24", NULL, NULL},
};

struct told {
    const char *form; /* NULL: not known */
    bool is_abroad;
    const char *amount, *jp;
    int minutes; /* 0: not told */
    const char *paper, *title;
    int month, day;
    const char *counted;
};

#define NO_BOUND (-1)
struct example {
    const char *id;
    struct told told[5];
    int floor_jp, ceiling_jp;
    const char *total, *counted, *missing, *above;
};

static const struct example examples[] = {
    {"K1: a day of seminar, two of workshop, 8 JP of bimtek",
     {{"B6", .amount = "1", .counted = "4"}, {"B7", .amount = "2", .counted = "10"}, {"B10", .jp = "8", .counted = "8"}},
     20,
     NO_BOUND,
     "22",
     "22",
     "0",
     "0"},
    {"K2: three coaching sessions in a month", {{"C1", .amount = "3", .counted = "4"}}, 20, NO_BOUND, "4", "4", "16", "0"},
    {"K2, told one by one",
     {{"C1", .amount = "1", .day = 3, .counted = "2"},
      {"C1", .amount = "1", .day = 9, .counted = "2"},
      {"C1", .amount = "1", .day = 27, .counted = "0"},
      {"C1", .amount = "1", .month = 6, .counted = "2"},
      {"C2", .amount = "1", .counted = "2"}},
     20,
     NO_BOUND,
     "8",
     "8",
     "12",
     "0"},
    {"K2, abroad there is no such bound",
     {{"C1", true, .amount = "3", .counted = "12"}, {"C1", .amount = "2", .counted = "4"}},
     20,
     NO_BOUND,
     "16",
     "16",
     "4",
     "0"},
    {"K3: 10 JP of technical training abroad", {{"B3", true, .jp = "10", .counted = "12"}}, 20, NO_BOUND, "12", "12", "8", "0"},
    {"K4: benchmarking and three days of e-learning",
     {{"C7", .amount = "1", .counted = "10"}, {"C3", .amount = "3", .jp = "9", .counted = "9"}},
     20,
     NO_BOUND,
     "19",
     "19",
     "1",
     "0"},
    {"K4, days alone are worth their most", {{"C3", .amount = "3", .counted = "9"}}, 20, NO_BOUND, "9", "9", "11", "0"},
    {"K4, fewer JP than that are what they are", {{"C3", .amount = "3", .jp = "5", .counted = "5"}}, 20, NO_BOUND, "5", "5", "15", "0"},
    {"K5: a semester of S-2", {{"A1", .amount = "1", .counted = "20"}}, 20, NO_BOUND, "20", "20", "0", "0"},
    {"K6: 30 JP of a PPPK in the contract year", {{"B3", .jp = "30", .counted = "30"}}, NO_BOUND, 24, "30", "24", "0", "6"},
    {"K6, at the ceiling", {{"B3", .jp = "24", .counted = "24"}}, NO_BOUND, 24, "24", "24", "0", "0"},
    {"K7: 899 minutes", {{"B3", .minutes = 899, .counted = "19"}}, 20, NO_BOUND, "19", "19", "1", "0"},
    {"K7, the rest is dropped before what is added abroad",
     {{"B3", true, .minutes = 899, .counted = "22.8"}},
     20,
     NO_BOUND,
     "22.8",
     "22.8",
     "0",
     "0"},
    {"K8: magang abroad and a day of sosialisasi",
     {{"C11", true, .amount = "1", .counted = "24"}, {"B11", .amount = "1", .counted = "4"}},
     20,
     NO_BOUND,
     "28",
     "28",
     "0",
     "0"},
    {"K9: 19 JP and a certificate entered twice",
     {{"B3", .jp = "19", .title = "dasar", .counted = "19"},
      {"B3", .jp = "3", .paper = "lan/7", .title = "lanjutan", .counted = "3"},
      {"B3", .jp = "3", .paper = "lan/7", .title = "tingkatlanjut", .day = 20, .counted = "0"}},
     20,
     NO_BOUND,
     "22",
     "22",
     "0",
     "0"},
    {"K9, two certificates of one training's name and day are two",
     {{"B3", .jp = "3", .paper = "lan/7", .title = "a", .counted = "3"}, {"B3", .jp = "3", .paper = "lan/8", .title = "a", .counted = "3"}},
     20,
     NO_BOUND,
     "6",
     "6",
     "14",
     "0"},
    {"K9, without a certificate the name and the day say it",
     {{"B3", .jp = "3", .paper = "lan/7", .title = "a", .counted = "3"},
      {"B3", .jp = "3", .title = "a", .counted = "0"},
      {"B3", .jp = "3", .title = "a", .day = 9, .counted = "3"}},
     20,
     NO_BOUND,
     "6",
     "6",
     "14",
     "0"},
    {"K10: four days of self-study at 3 JP", {{"C9", .amount = "4", .jp = "12", .counted = "8"}}, 20, NO_BOUND, "8", "8", "12", "0"},
    {"K10, abroad a fifth more, of the bound too",
     {{"C9", true, .amount = "4", .jp = "12", .counted = "9.6"}, {"C9", true, .amount = "4", .jp = "4", .counted = "4.8"}},
     20,
     NO_BOUND,
     "14.4",
     "14.4",
     "5.6",
     "0"},
    {"a form that is not known counts as printed, and so does a seminar of days untold",
     {{NULL, .jp = "6", .counted = "6"}, {"B6", .jp = "8", .counted = "8"}, {"B6", .counted = "4"}},
     20,
     NO_BOUND,
     "18",
     "18",
     "2",
     "0"},
    {"nothing", {{0}}, 20, 24, "0", "0", "20", "0"},
};

static void set(struct decimal *d, const char *text)
{
    assert_true(decimal_parse(d, text, strlen(text)));
}

static void assert_same(const struct decimal *is, const char *should)
{
    struct decimal wanted;
    decimal_init(&wanted);
    set(&wanted, should);
    assert_int_equal(decimal_compare(is, &wanted), 0);
    decimal_done(&wanted);
}

struct numbers {
    struct hours_form form;
    struct decimal unit_jp, factor, month_most, amount, jp;
};

static const struct decimal *maybe(struct decimal *room, const char *text)
{
    decimal_init(room);
    if (text)
        set(room, text);
    return text ? room : NULL;
}

static void prepare(const struct told *told, struct numbers *room, struct hours_entry *ret)
{
    size_t i = 0;
    *ret = (struct hours_entry){.amount = maybe(&room->amount, told->amount),
                                .jp = maybe(&room->jp, told->jp),
                                .minutes = told->minutes ? told->minutes : -1,
                                .first_day = {2026, told->month ? told->month : 5, told->day ? told->day : 4},
                                .paper = told->paper,
                                .title = told->title};
    ret->last_day = ret->first_day;
    maybe(&room->unit_jp, NULL);
    maybe(&room->factor, NULL);
    maybe(&room->month_most, NULL);
    if (!told->form)
        return;
    while (strcmp(forms[i].code, told->form) != 0)
        assert_true(++i < ARRAY_LEN(forms));
    room->form = (struct hours_form){.is_by_jp = forms[i].is_by_jp, .is_up_to = forms[i].is_up_to};
    set(&room->unit_jp, told->is_abroad ? forms[i].abroad : forms[i].home);
    room->form.unit_jp = &room->unit_jp;
    if (told->is_abroad && forms[i].factor) {
        set(&room->factor, forms[i].factor);
        room->form.jp_factor = &room->factor;
    }
    if (!told->is_abroad && forms[i].month_most) {
        set(&room->month_most, forms[i].month_most);
        room->form.month_most = &room->month_most;
    }
    ret->form = &room->form;
    ret->form_code = told->form;
}

static void numbers_done(struct numbers *room)
{
    decimal_done(&room->unit_jp);
    decimal_done(&room->factor);
    decimal_done(&room->month_most);
    decimal_done(&room->amount);
    decimal_done(&room->jp);
}

static void check_stand(const struct example *example, const struct decimal *total)
{
    struct decimal counted, missing, above;
    decimal_init(&counted);
    decimal_init(&missing);
    decimal_init(&above);
    hours_stand(total, example->floor_jp, example->ceiling_jp, &counted, &missing, &above);
    assert_same(total, example->total);
    assert_same(&counted, example->counted);
    assert_same(&missing, example->missing);
    assert_same(&above, example->above);
    decimal_done(&counted);
    decimal_done(&missing);
    decimal_done(&above);
}

static void the_worked_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        struct numbers rooms[ARRAY_LEN(examples->told)];
        struct hours_entry entries[ARRAY_LEN(examples->told)];
        struct hours_counted counted[ARRAY_LEN(examples->told)];
        struct decimal total;
        size_t n = 0;
        print_message("%s\n", examples[i].id);
        for (; n < ARRAY_LEN(examples->told) && examples[i].told[n].counted; n++)
            prepare(&examples[i].told[n], &rooms[n], &entries[n]);
        decimal_init(&total);
        hours_count(entries, n, counted);
        for (size_t k = 0; k < n; k++) {
            assert_same(&counted[k].counted, examples[i].told[k].counted);
            decimal_add(&total, &total, &counted[k].counted);
            numbers_done(&rooms[k]);
        }
        check_stand(&examples[i], &total);
        hours_counted_done(counted, n);
        decimal_done(&total);
    }
}

static const struct {
    struct date origin, at, from, until;
} years[] = {
    {{2024, 3, 1}, {2024, 3, 1}, {2024, 3, 1}, {2025, 3, 1}},       {{2024, 3, 1}, {2025, 2, 28}, {2024, 3, 1}, {2025, 3, 1}},
    {{2024, 3, 1}, {2025, 3, 1}, {2025, 3, 1}, {2026, 3, 1}},       {{2024, 2, 29}, {2025, 2, 27}, {2024, 2, 29}, {2025, 2, 28}},
    {{2024, 2, 29}, {2025, 2, 28}, {2025, 2, 28}, {2026, 2, 28}},   {{2024, 2, 29}, {2028, 2, 28}, {2027, 2, 28}, {2028, 2, 29}},
    {{2024, 2, 29}, {2028, 2, 29}, {2028, 2, 29}, {2029, 2, 28}},   {{2023, 1, 1}, {2026, 12, 31}, {2026, 1, 1}, {2027, 1, 1}},
    {{2023, 12, 31}, {2026, 1, 1}, {2025, 12, 31}, {2026, 12, 31}},
};

static void a_contract_year_begins_on_its_day(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        struct date from, until;
        hours_contract_year(years[i].origin, years[i].at, &from, &until);
        assert_int_equal(date_compare(from, years[i].from), 0);
        assert_int_equal(date_compare(until, years[i].until), 0);
    }
}

/* Every day of forty years lies in exactly one contract year, and they follow one another. */
static void contract_years_leave_no_gap(void **state)
{
    static const struct date origins[] = {{2024, 2, 29}, {2023, 2, 28}, {2022, 12, 31}, {2021, 1, 1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
        struct date edge = origins[i];
        for (int64_t at = date_to_days(origins[i]); at < date_to_days(origins[i]) + 14610; at++) {
            struct date from, until, today = date_from_days(at);
            hours_contract_year(origins[i], today, &from, &until);
            assert_true(date_compare(from, today) <= 0 && date_compare(today, until) < 0);
            assert_true(date_compare(from, edge) == 0 || (date_compare(from, today) == 0 && (edge = from, true)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fill_an_hour_is_dropped),
        cmocka_unit_test(the_worked_examples),
        cmocka_unit_test(a_contract_year_begins_on_its_day),
        cmocka_unit_test(contract_years_leave_no_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
