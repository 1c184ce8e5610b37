# SPDX-License-Identifier: Apache-2.0
"""Worked examples of the regulations, one by one and each with its source: surveys (D), waiting and complaints (E), predicates (F), distribution (G), credit
points (H), regimes before 2022 (I), formulas of indicators (J), professionalism (L), talent and discipline (M). P: published by a real unit or printed in an
annex; C: worked out from the rule; X: the sources disagree, so that each reading is asked for. Their numbers are those of the list from which they come; a
number that no case has is a failure."""
import json
from datetime import date
from fractions import Fraction as F

import pytest

from support import make

ABOVE, AS, BELOW = "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi"
SB, B, BP, K, SK = "sangat_baik", "baik", "butuh_perbaikan", "kurang", "sangat_kurang"
SKM, LAPOR, P6, SE23, AK = "Permenpan RB 14/2017", "SP4N-LAPOR!", "Permenpan RB 6/2022", "SE Menpan RB 3/2023", "Permenpan RB 1/2023, Per BKN 3/2023"
PP46, P8, PP30, IP, BOX, PP94 = "PP 46/2011", "Permenpan RB 8/2021, annex", "PP 30/2019", "Permenpan RB 38/2018, Per BKN 8/2019", "Permenpan RB 3/2020", "PP 94/2021"
BANTUL = "Bantul, Dinas Pertanahan dan Tata Ruang 2019–2023"

EVERY = {*(f"D{n}" for n in range(1, 19)), *(f"E{n}" for n in range(1, 7)), *(f"F{n}" for n in range(1, 10)), *(f"G{n}" for n in range(1, 13)), *(f"H{n}" for n in range(1, 16)),
         *(f"I{n}" for n in range(1, 22)), *(f"J{n}" for n in range(1, 9)), *(f"L{n}" for n in range(1, 12)), *(f"M{n}" for n in range(1, 10))}
NOT_HERE = {}


class Asked:
    """What a case may be asked of."""

    def __init__(self, api, sql, office):
        self.api, self.sql, self.office = api, sql, office

    def one(self, statement, *values):
        [row] = self.sql(statement, values)
        return row[0] if len(row) == 1 else row


# ── D ──

def ikm(*means):
    """From the means of the elements, of a thousand answers each."""
    def ask(w):
        survey = [{"respondents": 1000, "elements": [{"code": f"U{n}", "n": 1000, "sum": int(F(m) * 1000)} for n, m in enumerate(means)]}]
        value = w.one("SELECT converted::text FROM measure_pool(%s)", json.dumps(survey))
        return value, category(value)(w)
    return ask


def category(value):
    return lambda w: w.one("SELECT r.code FROM reference r WHERE r.list = 'survey-category' AND (r.facts ->> 'from')::numeric <= round(%s, 2) ORDER BY (r.facts ->> 'from')::numeric DESC LIMIT 1", value)


def categories(*values):
    return lambda w: [(w.one("SELECT round(%s::numeric, 2)::text", v), category(v)(w)) for v in values]


BANTUL_2023 = "3.31 3.35 3.49 3.93 3.45 3.39 3.39 3.76 3.35".split()
D9 = ["433434433", "332433333", "443444444", "333333323", "232433433"]


def raw(w):
    sums = [sum(int(a[n]) for a in D9) for n in range(9)]
    value = w.one("SELECT converted::text FROM measure_pool(%s)", json.dumps([{"respondents": 5, "elements": [{"code": f"U{n}", "n": 5, "sum": s} for n, s in enumerate(sums)]}]))
    return value, category(value)(w), f"U{sums.index(min(sums)) + 1}"


def pooled(w):
    told = [{"respondents": n, "elements": [{"code": f"U{e}", "n": n, "sum": n * F(index)} for e in range(9)]} for n, index in ((40, 4), (160, F(5, 2)))]
    value = w.one("SELECT converted::text FROM measure_pool(%s)", json.dumps(told, default=float))
    return value, category(value)(w)


def sample(*people):
    """The formula stands in C alone: surveys of that many people."""
    counter = None

    def ask(w):
        nonlocal counter
        counter = make.service_unit(w.api, make.unit(w.api, w.office["id"])["id"])
        found = []
        for n in people:
            survey = make.survey(w.api, counter["id"], population=n)
            found.append(w.api.get(f"/v1/surveys/{survey['id']}/result").json["sample_target"])
        return found
    return ask


# ── E ──

def workday(day, count):
    return lambda w: str(w.one("SELECT workday_after(%s, %s)", date.fromisoformat(day), count))


def limits(day):
    def ask(w):
        days = {code: int(days) for code, days in w.sql("SELECT code, facts ->> 'working_days' FROM reference WHERE list = 'complaint-limit'")}
        return [workday(day, days[code])(w) for code in ("verify", "normative", "unsupervised", "supervised")]
    return ask


def waits(w):
    values = sorted(60 * m for m in (3, 5, 8, 12, 20, 4, 6, 9, 15, 30))
    in_time = sum(v <= 600 for v in values)
    return (w.one("SELECT measure_ratio(%s, 10, 100)::text", in_time), w.one("SELECT trim_scale(round(avg(v) / 60, 2))::text FROM unnest(%s) v", values),
            w.one("SELECT trim_scale(percentile_of(%s::bigint[], 50) / 60)::text", values))


def ipp(*values):
    return lambda w: [w.one("SELECT ipp_category_of(%s, '2025-12-31')", v) for v in values]


# ── F, G, H ──

def cell(results, behaviour):
    return lambda w: w.one("SELECT predicate, number FROM predicate_cell WHERE (results_rating, behaviour_rating) = (%s, %s)", results, behaviour)


def spread(unit, *people):
    return lambda w: {b["code"] for b in w.one("SELECT distribution_breaches(%s, %s, '2025-12-31')", unit, json.dumps(dict(zip((SB, B, BP, K, SK), people))))}


def points(level, months, predicate):
    return lambda w: w.one("SELECT credit_points(%s, r.percent, l.coefficient)::text FROM credit_level l, credit_rate r WHERE l.level = %s AND r.predicate = %s", months, level, predicate)


# ── I ──

def regime(body, *members):
    def ask(w):
        reply = w.api.post("/v1/rules/performance-regime", body, expect=200).json
        return tuple(getattr(reply[m], "text", reply[m]) for m in members)
    return ask


def aspect(kind, target, actual):
    def ask(w):
        reply = w.api.post("/v1/rules/performance-regime", {"regime": "skp_2014", "items": [{"aspects": [{"aspect": kind, "target": target, "actual": actual}]}], "behaviour": 80}, expect=200)
        return reply.json["parts"][0]["aspects"][0].text
    return ask


def old(skp, behaviour, **setting):
    return regime({"regime": "skp_2014", "skp": skp, "behaviour": behaviour, **setting}, "value", "predicate")


def reached(*members, **indicator):
    def ask(w):
        reply = w.api.post("/v1/rules/performance-regime", {"regime": "skp_2021", "indicators": [indicator], "behaviour": 100}, expect=200)
        return tuple(reply.json["parts"][0][m].text for m in members)
    return ask


def values(*achievements):
    return lambda w: [reached("value", target=1000, actual=float(F(a) * 10))(w)[0] for a in achievements]


def both(*asked):
    return lambda w: [ask(w) for ask in asked]


def objection_until(*told):
    return lambda w: [str(w.one("SELECT %s::date + performance_number('objection_days', %s)", day, day)) for day in told]


# ── J ──

def indicators(*told):
    def ask(w):
        evaluation = make.evaluation(w.api, make.person(w.api, w.office["id"])["nip"], make.period(w.api)["id"])
        for direction, target, actual, cap, more in told:
            make.indicator(w.api, evaluation["id"], direction=direction, target=target, actual=actual, **({"cap": cap} if cap else {}), **more)
        reply = w.api.get(f"/v1/evaluations/{evaluation['id']}/achievement").json
        return reply["achievement"].text, reply["achievement_uncapped"].text
    return ask


def indicator(direction, target, actual, cap=None, **more):
    return indicators((direction, target, actual, cap, more))


def undefined(w):
    evaluation = make.evaluation(w.api, make.person(w.api, w.office["id"])["nip"], make.period(w.api)["id"])
    return w.api.post(f"/v1/evaluations/{evaluation['id']}/indicators", {"name": "Nol", "direction": "maximize", "target": 0, "actual": 0, "weight": 1}, expect=422).code


# ── L, M ──

S1, S2, S3, D3, SD = "40", "45", "50", "30", "05"
HELD = {"pim": ("B1", 100), "fungsional": ("B4", 40), "teknis": ("B3", 20), "seminar": ("B6", 4)}


def professional(position, education, held, predicate, penalty):
    done = json.dumps([{"form": HELD[h][0], "jp": HELD[h][1], "name": h, "day": "2025-06-30"} for h in held])

    def ask(w):
        return w.one("""SELECT trim_scale(p.total)::text, ip_asn_category_of(p.total, 'above'), ip_asn_category_of(p.total, 'from')
                        FROM ip_asn_from(%s, %s, '2025-12-31', %s, %s, %s) p""", education, position, done, predicate, penalty)
    return ask


def boxes(rating):
    return lambda w: [w.one("SELECT box FROM talent_cell WHERE (results_rating, potential) = (%s, %s)", rating, p) for p in ("rendah", "menengah", "tinggi")]


def absent(*days, in_a_row=0):
    return lambda w: [w.api.get(f"/v1/rules/absence-penalty?days={d}&days_in_a_row={in_a_row}").json["penalty"] for d in days]


def penalty_until(w):
    """The decree says the last day; the record keeps either, and works out none."""
    person = make.person(w.api, w.office["id"])
    row = lambda first, last: make.history(w.api, person["nip"], "discipline", {"level": "sedang", "punishment": "25"}, first, to=last)["to"]  # noqa: E731
    return [row("2025-03-15", "2026-03-15"), row("2026-03-16", "2027-03-15")]


ALL = ("pim", "fungsional", "teknis", "seminar")
PAY = "Pemotongan tunjangan kinerja 25 persen selama {} bulan"
OUT = "Pemberhentian dengan hormat tidak atas permintaan sendiri"

VECTORS = [  # number, kind, source, what is asked, what is expected
    ("D1", "P", f"{SKM}; {BANTUL}", ikm(*BANTUL_2023), ("87.28", "B")),
    ("D2", "X", f"{SKM}; the weight as printed, 0.111, gives 87.19 and is not what was published", lambda w: ikm(*BANTUL_2023)(w)[0] != str(round(sum(map(F, BANTUL_2023)) * F("0.111") * 25, 2)), True),
    ("D3", "X", f"{SKM}; 0.11 gives 86.41 and is not either", lambda w: ikm(*BANTUL_2023)(w)[0] not in ("87.19", "86.41"), True),
    ("D4", "C", SKM, ikm(*[3] * 9), ("75.00", "C")), ("D5", "C", SKM, ikm(*[4] * 9), ("100.00", "A")), ("D6", "C", SKM, ikm(*[1] * 9), ("25.00", "D")),
    ("D7", "C", SKM, ikm(*"2.5 2.75 2.6 2.9 2.8 2.7 2.85 2.65 2.55".split()), ("67.50", "C")),
    ("D8", "C", SKM, ikm(*"3.6 3.55 3.4 3.9 3.7 3.65 3.6 3.5 3.45".split()), ("89.86", "A")),
    ("D9", "C", SKM, raw, ("81.11", "B", "U3")),
    ("D10", "P", f"{SKM}; {BANTUL}", categories("84.39", "85.91", "86.65", "86.78", "87.28"), [(v, "B") for v in ("84.39", "85.91", "86.65", "86.78", "87.28")]),
    ("D11", "P", f"{SKM}; {BANTUL}", categories("75.56", "86.29", "94.61"), [("75.56", "C"), ("86.29", "B"), ("94.61", "A")]),
    # An index of 3.9708, which is printed as 3.97: of the rounded one it would be 99.25.
    ("D12", "P", "a court's published survey: 3.97 and 99.27 %", ikm(*["3.971"] * 8, "3.969"), ("99.27", "A")),
    ("D13", "C", SKM, categories("25.00", "64.99", "64.994"), [("25.00", "D"), ("64.99", "D"), ("64.99", "D")]),
    ("D14", "C", SKM, categories("64.995", "65.00"), [("65.00", "C"), ("65.00", "C")]),
    ("D15", "C", SKM, categories("76.60", "76.604", "76.605", "76.61"), [("76.60", "C"), ("76.60", "C"), ("76.61", "B"), ("76.61", "B")]),
    ("D16", "C", SKM, categories("88.30", "88.305", "88.31", "100"), [("88.30", "B"), ("88.31", "A"), ("88.31", "A"), ("100.00", "A")]),
    ("D17", "P", "Krejcie and Morgan; 300 and 500 as in their table", sample(10, 50, 61, 100, 250, 300, 500, 1000, 2000, 5000, 10000), [10, 44, 53, 80, 152, 169, 217, 278, 322, 357, 370]),
    ("D18", "C", SKM, pooled, ("70.00", "C")),
    ("E1", "C", "UU 25/2009; median of the two in the middle", waits, ("60", "11.2", "8.5")),
    ("E2", "C", LAPOR, limits("2025-07-07"), ["2025-07-10", "2025-07-14", "2025-07-25", "2025-09-29"]),
    ("E3", "C", LAPOR, workday("2025-07-11", 10), "2025-07-25"),
    ("E4", "C", "UU 27/2022 Art. 46", lambda w: make.breach(w.api, "2025-07-11T16:30:00+08:00")["notify_by"], "2025-07-14T08:30:00+00:00"),
    ("E5", "C", "Permenpan RB 29/2022; cuts of a public application", ipp("3.50", "3.51", "4.00", "4.51", "1.00"), ["B-", "B", "B", "A", "F"]),
    ("E6", "C", "Permenpan RB 29/2022", lambda w: w.one("SELECT v::text, ipp_category_of(v, '2025-12-31') FROM ipp_value(%s, '2025-12-31') v", json.dumps(make.IPP)), ("3.97", "B")),
    ("F1", "P", P6, cell(ABOVE, ABOVE), (SB, 1)), ("F2", "P", P6, cell(ABOVE, AS), (B, 2)), ("F3", "P", P6, cell(ABOVE, BELOW), (K, 4)),
    ("F4", "P", P6, cell(AS, ABOVE), (B, 2)), ("F5", "P", P6, cell(AS, AS), (B, 2)), ("F6", "P", P6, cell(AS, BELOW), (K, 4)),
    ("F7", "P", P6, cell(BELOW, ABOVE), (BP, 3)), ("F8", "P", P6, cell(BELOW, AS), (BP, 3)), ("F9", "P", P6, cell(BELOW, BELOW), (SK, 5)),
    ("G1", "C", SE23, spread("istimewa", 70, 30, 0, 0, 0), set()), ("G2", "C", SE23, spread("istimewa", 71, 29, 0, 0, 0), {"sb-at-most"}),
    ("G3", "C", SE23, spread("baik", 20, 70, 10, 0, 0), set()), ("G4", "C", SE23, spread("baik", 20, 80, 0, 0, 0), {"b-at-most", "bp-or-k-some"}),
    ("G5", "C", SE23, spread("baik", 30, 70, 0, 0, 0), {"bp-or-k-some"}), ("G6", "C", SE23, spread("butuh_perbaikan", 10, 30, 60, 0, 0), set()),
    ("G7", "C", SE23, spread("butuh_perbaikan", 11, 30, 59, 0, 0), {"sb-at-most", "bp-at-least"}), ("G8", "C", SE23, spread("kurang", 10, 20, 10, 60, 0), set()),
    ("G9", "C", SE23, spread("kurang", 0, 35, 5, 60, 0), {"bp-at-least"}), ("G10", "C", SE23, spread("sangat_kurang", 0, 30, 0, 10, 60), set()),
    ("G11", "C", SE23, spread("sangat_kurang", 1, 29, 0, 10, 60), {"sb-at-most"}),
    ("G12", "C", SE23, both(spread("istimewa", 3, 0, 0, 0, 0), spread("istimewa", 2, 1, 0, 0, 0)), [{"sb-at-most"}, set()]),
    ("H1", "P", AK, points("ahli_pertama", 12, SB), "18.75"), ("H2", "P", AK, points("ahli_pertama", 2, B), "2.08"),
    ("H3", "P", AK, lambda w: str(F(points("ahli_pertama", 12, SB)(w)) + F(points("ahli_pertama", 2, B)(w))), str(F("20.83"))),
    ("H4", "C", AK, points("ahli_muda", 12, SB), "37.50"), ("H5", "C", AK, points("ahli_madya", 12, BP), "28.13"), ("H6", "C", AK, points("terampil", 6, B), "2.50"),
    ("H7", "C", AK, points("pemula", 3, K), "0.47"), ("H8", "C", AK, points("mahir", 9, SB), "14.06"), ("H9", "C", AK, points("penyelia", 12, SK), "6.25"),
    ("H10", "C", AK, points("ahli_muda", 7, B), "14.58"), ("H11", "C", AK, points("ahli_utama", 1, B), "4.17"), ("H12", "C", AK, points("ahli_madya", 5, SB), "23.44"),
    ("H13", "C", AK, lambda w: {F(v) for v, in w.sql("SELECT for_rank / coefficient FROM credit_level")}, {F(4)}),
    ("H14", "P", "annex of Per BKN 3/2023", points("ahli_muda", 36, B), "75.00"),
    ("H15", "C", AK, lambda w: w.one("SELECT credit_degree_points(for_rank, '2025-12-31')::text FROM credit_level WHERE level = 'ahli_muda'"), "25.00"),
    ("I1", "P", f"{PP46}; a published SKP", regime({"regime": "skp_2014", "behaviour": 80, "items": [{"aspects": [
        {"aspect": "kuantitas", "target": 1, "actual": 1}, {"aspect": "kualitas", "target": 100, "actual": 90}, {"aspect": "waktu", "target": 12, "actual": 12},
        {"aspect": "biaya", "target": 500, "actual": 500}]}]}, "skp"), ("85.50",)),
    ("I2", "C", PP46, aspect("waktu", 12, 11), "84.33"), ("I3", "C", PP46, aspect("waktu", 12, 10), "92.67"), ("I4", "C", PP46, aspect("waktu", 12, 9), "75.00"),
    ("I5", "C", PP46, aspect("waktu", 12, 13), "67.67"), ("I6", "C", PP46, old(85.5, 82), ("84.10", B)), ("I7", "C", PP46, old(90, 93), ("91.20", SB)),
    ("I8", "X", PP46, both(old(91, 90.5, cut="round"), old(91, 90.5, cut="strict")), [("90.80", SB), ("90.80", B)]),
    ("I9", "X", PP46, both(old(60, 62, cut="round"), old(60, 62, cut="strict")), [("60.80", "cukup"), ("60.80", K)]),
    ("I10", "C", PP46, regime({"regime": "skp_2014", "skp": 80, "behaviours": [84, 82, 80, 82, 82]}, "behaviour"), ("82.00",)),
    ("I11", "P", P8, reached("achievement", target=7, target_high=8, actual=6.5, is_less_better=True), ("107.14",)),
    ("I12", "P", P8, reached("achievement", target=7, target_high=8, actual=9, is_less_better=True), ("87.50",)),
    ("I13", "P", P8, reached("achievement", target=80, target_high=90, actual=70), ("87.50",)),
    ("I14", "X", f"{P8}, which prints 113: a misprint", reached("achievement", target=80, target_high=90, actual=92), ("102.22",)),
    ("I15", "P", P8, values(100, 98), ["109.00", "88.00"]), ("I16", "C", P8, values(120, 111, 110, 105, 101), ["120.00", "120.00", "120.00", "114.44", "110.00"]),
    ("I17", "C", P8, values(90, "87.5", 70, 60, 50), ["80.00", "77.50", "60.00", "50.00", "41.53"]),
    ("I18", "C", PP30, both(regime({"regime": "skp_2021", "value": 115, "has_new_idea": True}, "predicate"), regime({"regime": "skp_2021", "value": 115}, "predicate")), [(SB,), (B,)]),
    ("I19", "C", PP30, both(*(regime({"regime": "skp_2021", "value": v}, "predicate") for v in (90, 89.99, 70))), [(B,), ("cukup",), ("cukup",)]),
    ("I20", "C", PP30, both(*(regime({"regime": "skp_2021", "skp": 110, "behaviour": 100, "weights": v}, "value") for v in ("70_30", "60_40"))), [("107.00",), ("106.00",)]),
    ("I21", "C", f"{PP30}, Art. 59", objection_until("2026-01-20", "2026-02-20"), ["2026-02-03", "2026-03-06"]),
    ("J1", "C", P8, indicator("maximize", 50, 45, 120), ("90.00", "90.00")), ("J2", "C", P8, indicator("maximize", 50, 70, 120), ("120.00", "140.00")),
    ("J3", "C", P8, indicator("minimize", 8, 6, 120), ("120.00", "125.00")), ("J4", "C", P8, indicator("minimize", 8, 10), ("75.00", "75.00")),
    ("J5", "C", P8, both(indicator("minimize", 8, 16), indicator("minimize", 8, 20)), [("0.00", "0.00")] * 2),
    ("J6", "C", "in use, recalled", indicator("minimize_inverse", 8, 10), ("80.00", "80.00")),
    ("J7", "C", "a city's running software", both(undefined, indicator("maximize", 0, 0, zero_target_reached=True)), ["target-zero", ("100.00", "100.00")]),
    ("J8", "C", "cap first, then weight: recalled", indicators(("maximize", 50, 70, 120, {"weight": 60}), ("maximize", 100, 80, None, {"weight": 40})), ("104.00", "116.00")),
    ("L1", "C", IP, professional("struktural", S2, ("pim", "teknis", "seminar"), SB, None), ("95", "sangat_tinggi", "sangat_tinggi")),
    ("L2", "C", IP, professional("struktural", S1, ("pim",), B, "ringan"), ("58", "sangat_rendah", "sangat_rendah")),
    ("L3", "C", IP, professional("fungsional", S1, ("fungsional", "teknis"), B, None), ("75", "sedang", "sedang")),
    ("L4", "C", IP, professional("pelaksana", S1, ("teknis",), B, None), ("67.5", "rendah", "rendah")),
    ("L5", "C", IP, professional("pelaksana", D3, ("teknis", "seminar"), B, None), ("80", "sedang", "sedang")),
    ("L6", "C", IP, professional("pelaksana", S2, ("teknis",), SB, "ringan"), ("75.5", "sedang", "sedang")),
    ("L7", "X", IP, professional("pelaksana", S1, ("seminar",), B, "ringan"), ("60.5", "rendah", "sangat_rendah")),
    ("L8", "X", IP, professional("pelaksana", S3, ("teknis",), SB, "ringan"), ("80.5", "tinggi", "sedang")),
    ("L9", "C", IP, professional("pelaksana", SD, (), None, "berat"), ("3", "sangat_rendah", "sangat_rendah")),
    ("L10", "C", IP, professional("struktural", S3, ALL, SB, None), ("100", "sangat_tinggi", "sangat_tinggi")),
    ("L11", "C", IP, professional("pelaksana", S1, ALL, SB, None), ("90", "tinggi", "tinggi")),
    ("M1", "P", BOX, boxes(ABOVE), [4, 7, 9]), ("M2", "P", BOX, boxes(AS), [2, 5, 8]), ("M3", "P", BOX, boxes(BELOW), [1, 3, 6]),
    ("M4", "C", PP94, absent(2, 3, 6, 7, 10), [None, "Teguran lisan", "Teguran tertulis", "Pernyataan tidak puas secara tertulis", "Pernyataan tidak puas secara tertulis"]),
    ("M5", "C", PP94, absent(11, 16, 20), [PAY.format(n) for n in (6, 9, 12)]),
    ("M6", "C", PP94, absent(24, 25, 28), ["Penurunan jabatan setingkat lebih rendah selama 12 bulan", "Pembebasan dari jabatan menjadi jabatan pelaksana selama 12 bulan", OUT]),
    ("M7", "C", PP94, absent(10, in_a_row=10), [OUT]),
    ("M8", "X", "the decree's own last day", penalty_until, ["2026-03-15", "2027-03-15"]),
    ("M9", "C", "Permenpan RB 40/2018; bands recalled", lambda w: [w.api.put("/v1/merit-indices/2024", {"scale": "merit-400", "points": p}).json["band"] for p in (324.9, 325, 249)],
     ["baik", "sangat_baik", "kurang"]),
]

FULL_YEARS = {  # points of a full year, Sangat Baik to Sangat Kurang, half up
    "pemula": "5.63 3.75 2.81 1.88 0.94", "terampil": "7.50 5.00 3.75 2.50 1.25", "mahir": "18.75 12.50 9.38 6.25 3.13", "ahli_pertama": "18.75 12.50 9.38 6.25 3.13",
    "penyelia": "37.50 25.00 18.75 12.50 6.25", "ahli_muda": "37.50 25.00 18.75 12.50 6.25", "ahli_madya": "56.25 37.50 28.13 18.75 9.38", "ahli_utama": "75.00 50.00 37.50 25.00 12.50",
}


@pytest.fixture(scope="module")
def asked(api, sql, office):
    return Asked(api, sql, office)


@pytest.mark.parametrize("number, kind, source, ask, expected", VECTORS, ids=[v[0] for v in VECTORS])
def test_as_the_source_has_it(number, kind, source, ask, expected, asked):
    assert ask(asked) == expected


@pytest.mark.parametrize("level", FULL_YEARS)
def test_a_full_year_of_each_predicate(level, asked):
    assert [points(level, 12, p)(asked) for p in (SB, B, BP, K, SK)] == FULL_YEARS[level].split()


def test_every_vector_has_a_case_and_a_source():
    told = [number for number, *_ in VECTORS]
    assert len(set(told)) == len(told) and set(told) | set(NOT_HERE) == EVERY and not set(told) & set(NOT_HERE)
    assert all(kind in "PCX" and source for _, kind, source, _, _ in VECTORS)
