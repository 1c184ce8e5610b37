# SPDX-License-Identifier: Apache-2.0
"""Professionalism index (examples L), nine boxes (M1–M3) and penalties of absence (M4–M7)."""
from datetime import timedelta

import pytest

from support import make

ABOVE, AS, BELOW = "di_atas_ekspektasi", "sesuai_ekspektasi", "di_bawah_ekspektasi"
RATINGS = {"sangat_baik": (ABOVE, ABOVE), "baik": (AS, AS), "sangat_kurang": (BELOW, BELOW)}
S1, S2, S3, D3, SD = "40", "45", "50", "30", "05"
COURSES = {"pim": ("B1", 100), "fungsional": ("B4", 40), "teknis": ("B3", 20), "seminar": ("B6", 4)}


@pytest.fixture(scope="module")
def year(api):
    """A yearly period that ended."""
    first = make.today() - timedelta(days=400)
    return make.period(api, starts_on=first.isoformat(), ends_on=(first + timedelta(days=364)).isoformat())


def day(ago):
    return (make.today() - timedelta(days=ago)).isoformat()


def someone(api, office, year, position_kind, education, held, predicate=None, penalty=None):
    person = make.person(api, office["id"], position_kind=position_kind, position="Jabatan Uji", education_level=education)
    for course in held:
        form, jp = COURSES[course]
        make.history(api, person["nip"], "course", {"name": f"Pelatihan {course}", "form": form, "jp": jp}, day(90))
    if predicate:
        make.final(api, person["nip"], year["id"], *RATINGS[predicate])
    if penalty:
        make.history(api, person["nip"], "discipline", {"level": penalty, "punishment": {"ringan": "1", "sedang": "23", "berat": "10"}[penalty]}, day(300))
    return person


def index(api, person, query=""):
    return api.get(f"/v1/asn/{person['nip']}/professionalism-index{query}").json


ALL = ("pim", "fungsional", "teknis", "seminar")
L = {  # position, education, trainings, predicate, penalty; the four parts, the sum, category
    "L1": ("struktural", S2, ("pim", "teknis", "seminar"), "sangat_baik", None, (20, 40, 30, 5), 95, "sangat_tinggi"),
    "L2": ("struktural", S1, ("pim",), "baik", "ringan", (15, 15, 25, 3), 58, "sangat_rendah"),
    "L3": ("fungsional", S1, ("fungsional", "teknis"), "baik", None, (15, 30, 25, 5), 75, "sedang"),
    "L4": ("pelaksana", S1, ("teknis",), "baik", None, (15, 22.5, 25, 5), 67.5, "rendah"),
    "L5": ("pelaksana", D3, ("teknis", "seminar"), "baik", None, (10, 40, 25, 5), 80, "sedang"),
    "L6": ("pelaksana", S2, ("teknis",), "sangat_baik", "ringan", (20, 22.5, 30, 3), 75.5, "sedang"),
    "L7": ("pelaksana", S1, ("seminar",), "baik", "ringan", (15, 17.5, 25, 3), 60.5, "rendah"),
    "L8": ("pelaksana", S3, ("teknis",), "sangat_baik", "ringan", (25, 22.5, 30, 3), 80.5, "tinggi"),
    "L9": ("pelaksana", SD, (), None, "berat", (1, 0, 1, 1), 3, "sangat_rendah"),
    "L10": ("struktural", S3, ALL, "sangat_baik", None, (25, 40, 30, 5), 100, "sangat_tinggi"),
    "L11": ("pelaksana", S1, ALL, "sangat_baik", None, (15, 40, 30, 5), 90, "tinggi"),
}
FROM = {"L4": "rendah", "L5": "sedang", "L7": "sangat_rendah", "L8": "sedang", "L11": "tinggi", "L1": "sangat_tinggi"}


@pytest.mark.parametrize("case", L)
def test_the_index_of_a_person(case, api, office, year):
    position, education, held, predicate, penalty, parts, total, category = L[case]
    person = someone(api, office, year, position, education, held, predicate, penalty)
    told = index(api, person)
    assert tuple(told[p] for p in ("qualification", "competence", "performance", "discipline")) == parts
    assert (told["total"], told["category"]) == (total, category)
    if case in FROM:
        assert index(api, person, "?cut_mode=from")["category"] == FROM[case]


@pytest.mark.parametrize("total, above, since", [("60.00", "sangat_rendah", "sangat_rendah"), ("60.01", "rendah", "sangat_rendah"), ("61", "rendah", "rendah"),
                                                 ("70.999", "sedang", "rendah"), ("80", "sedang", "sedang"), ("90.5", "sangat_tinggi", "tinggi")])
def test_both_readings_of_the_categories(total, above, since, sql):
    assert sql("SELECT ip_asn_category_of(%s, 'above'), ip_asn_category_of(%s, 'from')", (total, total))[0] == (above, since)


def test_the_reasons_name_what_counted(api, office, year):
    told = index(api, someone(api, office, year, "pelaksana", S1, ("teknis",), "baik", "ringan"))
    parts = {c["component"]: c for c in told["reasons"]["components"]}
    assert (parts["teknis"]["points"], parts["teknis"]["held"], parts["teknis"]["jp"]) == (22.5, ["Pelatihan teknis"], 20)
    assert (parts["seminar"]["points"], parts["seminar"]["held"]) == (0, [])
    assert (told["reasons"]["predicate"], told["reasons"]["penalty"], told["reasons"]["penalty_on"]) == ("baik", "ringan", day(300))


def test_what_lies_too_far_back_does_not_count(api, office):
    person = make.person(api, office["id"], position_kind="pelaksana", position="Jabatan Uji", education_level=S1)
    for form, jp, ago in (("B3", 40, 400), ("B6", 4, 800)):
        make.history(api, person["nip"], "course", {"name": "Lama", "form": form, "jp": jp}, day(ago))
    make.history(api, person["nip"], "discipline", {"level": "berat", "punishment": "10"}, day(5 * 366 + 1))
    told = index(api, person)
    assert (told["competence"], told["discipline"]) == (0, 5)
    make.history(api, person["nip"], "course", {"name": "Pendek", "form": "B3", "jp": 12}, day(30))
    assert index(api, person)["competence"] == 0
    make.history(api, person["nip"], "course", {"name": "Pendek lagi", "form": "B10", "jp": 8}, day(20))
    assert index(api, person)["competence"] == 22.5  # 20 JP together


def test_bkn_stands_beside_ours(api, office, year):
    person = someone(api, office, year, "pelaksana", S1, ("teknis",), "baik")
    where = f"/v1/asn/{person['nip']}/professionalism-index/{make.today().year}/bkn"
    theirs = {"qualification": 15, "competence": 40, "performance": 25, "discipline": 5}
    assert api.put(where, theirs, expect=200).json["total"] == 85
    assert index(api, person)["bkn"]["ours_minus_theirs"] == -17.5
    assert api.put(where, {**theirs, "competence": 22.5, "note": "Diperbarui"}, expect=200).json["total"] == 67.5
    assert index(api, person)["bkn"]["ours_minus_theirs"] == 0
    api.put(where, {**theirs, "competence": 140}, expect=422)


def test_a_unit_of_few_shows_nothing(api, office, year):
    unit = make.unit(api, office["id"])
    people = [someone(api, unit, year, "pelaksana", S1, ("teknis",), "baik") for _ in range(4)]
    where = f"/v1/units/{unit['id']}/professionalism-index"
    few = api.get(where).json
    assert (few["people"], few["is_suppressed"], few["total"], few["category"]) == (4, True, None, None)
    people.append(someone(api, unit, year, "pelaksana", S1, (), "baik"))
    told = api.get(where).json
    assert (told["people"], told["is_suppressed"], told["total"], told["competence"]) == (5, False, 63.0, 18.0)
    rows = api.get(f"/v1/reports/professionalism?under={unit['id']}").json["data"]
    assert sorted(r["nip"] for r in rows) == sorted(p["nip"] for p in people)
    assert sum(r["total"] for r in rows) / 5 == told["total"]


SHAPES = {  # a tree as (people of its own, *trees below); what each unit shows, from the top down
    "a-head-alone": ((1, (8,), (6,)), ["nested", None, None]),
    "four-beside": ((4, (5,)), ["nested", None]),
    "five-beside": ((5, (5,)), [None, None]),
    "nobody-beside": ((0, (8,), (6,)), [None, None, None]),
    "what-is-hidden-below-counts": ((1, (4,), (6,)), [None, "few", None]),
    "few-below-and-few-beside": ((1, (2,), (6,)), ["nested", "few", None]),
    "a-head-on-each-floor": ((1, (1, (6,)), (1, (6,))), ["nested", "nested", None, "nested", None]),
    "heads-are-many-above": ((3, (1, (6,)), (1, (6,))), [None, "nested", None, "nested", None]),
    "through-a-floor-without-people": ((0, (1, (6,)), (0, (7,))), ["nested", "nested", None, None, None]),
    "few-of-few": ((1, (1,), (1,)), ["few", "few", "few"]),
}


@pytest.mark.parametrize("shape, shown", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("as_of", [0, -1], ids=["kept", "counted"])
def test_no_mean_tells_fewer_than_five_beside_those_below(shape, shown, as_of, api, keys, office, year):
    """What is shown, each less what is shown inside it, holds nobody or five."""
    units = []

    def build(tree, parent):
        unit = make.unit(api, parent)
        units.append(unit)
        for _ in range(tree[0]):
            make.person(api, unit["id"], position_kind="pelaksana", position="Jabatan Uji", education_level=S1)
        inside = [build(below, unit["id"]) for below in tree[1:]]
        told = reader.get(f"/v1/units/{unit['id']}/professionalism-index?as_of={day(as_of)}").json
        assert told["people"] == tree[0] + sum(i[0] for i in inside)
        assert told["is_suppressed"] == (told["reason"] is not None) == (told["total"] is None) == (told["discipline"] is None)
        rest = tree[0] + sum(i[1] for i in inside)
        assert told["reason"] is not None or rest == 0 or rest >= 5
        found[unit["id"]] = told["reason"]
        return told["people"], rest if told["reason"] else 0

    reader, found = api.as_key(keys("unit.read", "asn.read")), {}
    build(shape, office["id"])
    assert [found[u["id"]] for u in units] == shown


@pytest.mark.parametrize("people, reason", [(49999, "nested"), (50000, None)])
def test_of_very_many_the_decimals_hide_it(people, reason, api, office, sql):
    whole = make.unit(api, office["id"])
    part = make.unit(api, whole["id"])
    for unit, own, n in ((whole, 1, people), (part, people - 1, people - 1)):
        sql("INSERT INTO staff_sum (unit_id, key, own, n) SELECT %s, 'ip|' || k, %s, %s FROM unnest('{n,qualification,competence,performance,discipline}'::text[]) k", (unit["id"], own, n))
    told = api.get(f"/v1/units/{whole['id']}/professionalism-index").json
    assert (told["people"], told["reason"]) == (people, reason)


UNKNOWN = [  # what of the record is known; the parts, and what is said not to be known
    ({}, (None, None, 1, 5), ["education", "position"]),
    ({"education_level": S1}, (15, None, 1, 5), ["position"]),
    ({"position_kind": "pelaksana", "position": "Jabatan Uji"}, (None, 0, 1, 5), ["education"]),
]


@pytest.mark.parametrize("known, parts, unknown", UNKNOWN, ids=["nothing", "education", "position"])
def test_what_is_not_known_makes_no_number(known, parts, unknown, api, office):
    unit = make.unit(api, office["id"])
    person = make.person(api, unit["id"], **known)
    told = index(api, person)
    assert tuple(told[p] for p in ("qualification", "competence", "performance", "discipline")) == parts
    assert (told["total"], told["category"], told["unknown"]) == (None, None, unknown)
    [row] = api.get(f"/v1/reports/professionalism?under={unit['id']}").json["data"]
    assert (row["nip"], row["total"], row["category"], row["unknown"]) == (person["nip"], None, None, unknown)
    whole = api.get(f"/v1/units/{unit['id']}/professionalism-index").json
    assert (whole["people"], whole["unknown"], whole["total"]) == (0, 1, None)


def test_a_day_of_which_nothing_is_known_makes_no_number(api, office, year):
    """The appointment is in the histories since 2015, education and position since the record was made; before the tables there are no points."""
    unit = make.unit(api, office["id"])
    person = someone(api, unit, year, "pelaksana", S1, ("teknis",), "baik")
    assert index(api, person)["unknown"] == [] and index(api, person)["total"] == 67.5
    before = index(api, person, "?as_of=1999-12-31")
    assert {before[p] for p in ("qualification", "competence", "performance", "discipline", "total", "category")} == {None}
    assert before["unknown"] == ["appointment"]
    long_ago = index(api, person, "?as_of=2016-06-30")
    assert (long_ago["total"], long_ago["category"]) == (None, None) and "rules" in long_ago["unknown"]
    assert api.get(f"/v1/reports/professionalism?under={unit['id']}&as_of=1999-12-31").json["data"] == []
    whole = api.get(f"/v1/units/{unit['id']}/professionalism-index?as_of=1999-12-31").json
    assert (whole["people"], whole["unknown"], whole["total"]) == (0, 0, None)


def test_whoever_has_no_sum_is_in_no_mean(api, office, year):
    unit = make.unit(api, office["id"])
    for _ in range(5):
        someone(api, unit, year, "pelaksana", S1, ("teknis",), "baik")
    where = f"/v1/units/{unit['id']}/professionalism-index"
    alone = api.get(where).json
    make.person(api, unit["id"])
    both = api.get(where).json
    assert both == {**alone, "unknown": 1} and both["total"] == 67.5


def test_the_sum_of_a_person_tells_of_penalties(api, keys, office, year):
    person = someone(api, office, year, "pelaksana", S1, (), "baik", "ringan")
    reader = api.as_key(keys("asn.read", "unit.read"))
    reader.get(f"/v1/asn/{person['nip']}/professionalism-index", expect=403)
    reader.get("/v1/reports/professionalism", expect=403)
    assert reader.get(f"/v1/units/{office['id']}/professionalism-index").json["people"] > 0


# ── talent ──

BOXES = {("M1", ABOVE): (4, 7, 9), ("M2", AS): (2, 5, 8), ("M3", BELOW): (1, 3, 6)}


@pytest.mark.parametrize("case, rating", BOXES)
def test_nine_boxes(case, rating, api, office, year):
    person = make.person(api, office["id"])
    where = f"/v1/reports/talent-boxes?nip={person['nip']}"
    assert api.get(where).json["data"] == []
    make.final(api, person["nip"], year["id"], rating, AS)
    assert api.get(where).json["data"] == []  # no potential
    for (score, level), box in zip(((59.99, "rendah"), (60, "menengah"), (80, "tinggi")), BOXES[case, rating]):
        api.post(f"/v1/asn/{person['nip']}/potentials", {"score": score, "method": "Asesmen uji"}, expect=201)
        found = api.get(where).json["data"]
        assert [(b["box"], b["level"], b["is_in_pool"]) for b in found] == [(box, level, box >= 7)]
    assert [p["score"] for p in api.get(f"/v1/asn/{person['nip']}/potentials").json["data"]] == [80, 60, 59.99]


def test_what_was_not_assessed_yet_is_no_potential(api, office, year, sql):
    person = make.person(api, office["id"])
    make.final(api, person["nip"], year["id"], AS, AS)
    where = f"/v1/asn/{person['nip']}/potentials"
    api.post(where, {"score": 70, "method": "Asesmen uji", "assessed_on": day(1)}, expect=201)
    reply = api.post(where, {"score": 90, "method": "Asesmen uji", "assessed_on": day(-1)}, expect=422)
    assert reply.faults == {"/assessed_on": "in-future"}
    assert [p["score"] for p in api.get(where).json["data"]] == [70]
    made = api.post(where, {"score": 50, "method": "Asesmen uji"}, expect=201).json
    assert made["assessed_on"] == day(0)
    sql("UPDATE potential SET assessed_on = %s WHERE id = %s", (day(-1), made["id"]))  # by another hand
    assert [b["potential"] for b in api.get(f"/v1/reports/talent-boxes?nip={person['nip']}").json["data"]] == [70]
    api.post("/v1/asn/190001012000011001/potentials", {"score": 70, "method": "Asesmen uji"}, expect=404)


def test_potential_of_a_day_without_cuts_has_no_level(api, office, year):
    """Before 2020 no cut is known; the score is kept, and stands in no box."""
    person = make.person(api, office["id"])
    make.final(api, person["nip"], year["id"], AS, AS)
    made = api.post(f"/v1/asn/{person['nip']}/potentials", {"score": 90, "method": "Asesmen uji", "assessed_on": "2019-12-31"}, expect=201).json
    assert made["level"] is None and [p["level"] for p in api.get(f"/v1/asn/{person['nip']}/potentials").json["data"]] == [None]
    assert api.get(f"/v1/reports/talent-boxes?nip={person['nip']}").json["data"] == []
    api.post(f"/v1/asn/{person['nip']}/potentials", {"score": 90, "method": "Asesmen uji", "assessed_on": "2020-01-01"}, expect=201)
    assert [b["level"] for b in api.get(f"/v1/reports/talent-boxes?nip={person['nip']}").json["data"]] == ["tinggi"]


# ── absence ──

ORAL, WRITTEN, UNHAPPY = "Teguran lisan", "Teguran tertulis", "Pernyataan tidak puas secara tertulis"
PAY = "Pemotongan tunjangan kinerja 25 persen selama {} bulan"
LOWER, RELEASED, OUT = ("Penurunan jabatan setingkat lebih rendah selama 12 bulan", "Pembebasan dari jabatan menjadi jabatan pelaksana selama 12 bulan",
                        "Pemberhentian dengan hormat tidak atas permintaan sendiri")


@pytest.mark.parametrize("days, in_a_row, level, penalty", [
    (0, None, None, None), (2, None, None, None), (3, None, "ringan", ORAL), (4, None, "ringan", WRITTEN), (6, None, "ringan", WRITTEN),
    (7, None, "ringan", UNHAPPY), (10, None, "ringan", UNHAPPY), (11, None, "sedang", PAY.format(6)), (13, 9, "sedang", PAY.format(6)),
    (14, None, "sedang", PAY.format(9)), (16, None, "sedang", PAY.format(9)), (17, None, "sedang", PAY.format(12)), (20, None, "sedang", PAY.format(12)),
    (21, None, "berat", LOWER), (24, None, "berat", LOWER), (25, None, "berat", RELEASED), (27, None, "berat", RELEASED), (28, None, "berat", OUT),
    (10, 10, "berat", OUT)], ids=lambda v: str(v)[:12])
def test_penalties_of_absence(days, in_a_row, level, penalty, api):
    told = api.get(f"/v1/rules/absence-penalty?days={days}" + (f"&days_in_a_row={in_a_row}" if in_a_row is not None else "")).json
    assert (told["level"], told["penalty"]) == (level, penalty)


# ── public service (IPP) ──


@pytest.fixture
def counter(api, office):
    return make.service_unit(api, make.unit(api, office["id"])["id"])


def ipp(api, counter, year=2025):
    return api.get(f"/v1/service-units/{counter['id']}/service-index/{year}").json


def test_the_public_service_index_of_a_unit(api, counter):
    """E6."""
    told = make.service_index(api, counter["id"], 2025, note="F-01, F-02, F-03").json
    assert (told["value"].text, told["category"], told["unscored"]) == ("3.97", "B", [])
    whole = ipp(api, counter)
    assert (whole["value"], whole["category"], whole["note"], whole["name"]) == (3.97, "B", "F-01, F-02, F-03", counter["name"])
    assert {a["aspect"]: (a["weight"], a["score"]) for a in whole["aspects"]} == {
        "kebijakan": (24, 4), "profesionalisme_sdm": (25, 5), "sarana_prasarana": (18, 3), "sipp": (11, 4), "konsultasi_pengaduan": (10, 3), "inovasi": (12, 4)}
    assert {whole[m] for m in ("official_value", "official_category", "official_at", "ours_minus_theirs")} == {None}


CATEGORIES = [("3.50", "B-"), ("3.51", "B"), ("4.00", "B"), ("4.51", "A"), ("1.00", "F"), ("0", "F"), ("1.01", "E"), ("1.5", "E"), ("2", "D"), ("2.5", "C-"), ("3", "C"), ("4.5", "A-"), ("5", "A")]


@pytest.mark.parametrize("value, category", CATEGORIES)
def test_categories_of_the_public_service_index(value, category, api, sql, counter):
    """E5: all scores alike give that value."""
    assert sql("SELECT ipp_category_of(%s, '2025-12-31')", (value,)) == [(category,)]
    told = make.service_index(api, counter["id"], 2025, {a: float(value) for a in make.IPP}).json
    assert (float(told["value"]), told["category"]) == (float(value), category)


def test_the_published_index_stands_beside_ours(api, counter):
    where = f"/v1/service-units/{counter['id']}/service-index/2025/official"
    assert api.put(where, {"value": 3.9, "category": "B", "note": "Pengumuman"}, expect=200).json["value"] == 3.9
    alone = ipp(api, counter)
    assert (alone["value"], alone["official_value"], alone["ours_minus_theirs"], alone["unscored"]) == (None, 3.9, None, list(make.IPP))
    make.service_index(api, counter["id"], 2025)
    both = ipp(api, counter)
    assert (both["value"], both["official_value"], both["official_category"], both["official_note"], both["ours_minus_theirs"]) == (3.97, 3.9, "B", "Pengumuman", 0.07)
    make.service_index(api, counter["id"], 2025, {**make.IPP, "inovasi": 5})
    api.put(where, {"value": 4.02}, expect=200)
    now = ipp(api, counter)
    assert (now["value"], now["official_value"], now["official_category"], now["ours_minus_theirs"]) == (4.09, 4.02, None, 0.07)


def test_an_aspect_without_a_score_makes_no_index(api, counter):
    told = make.service_index(api, counter["id"], 2025, {"kebijakan": 5, "sipp": 5}).json
    assert (told["value"], told["category"], told["unscored"]) == (None, None, ["profesionalisme_sdm", "sarana_prasarana", "konsultasi_pengaduan", "inovasi"])
    assert ipp(api, counter)["unscored"] == told["unscored"]


@pytest.mark.parametrize("scores, faults", [
    ([("cinta", 3)], {"/scores/0/aspect": "reference-missing"}),
    ([("sipp", 3), ("sipp", 4), ("cinta", 3)], {"/scores/1/aspect": "service-index-twice", "/scores/2/aspect": "reference-missing"}),
    ([("sipp", 5.01)], {"/scores/0/score": "maximum"}), ([("sipp", -1)], {"/scores/0/score": "minimum"}), ([], {"/scores": "min-items"})])
def test_scores_that_cannot_be(scores, faults, api, counter):
    body = {"scores": [{"aspect": a, "score": s} for a, s in scores]}
    reply = api.put(f"/v1/service-units/{counter['id']}/service-index/2025", body, expect=422)
    assert set(reply.faults) == set(faults) and all(faults[w] == c or not c.startswith(("reference", "service")) for w, c in reply.faults.items())
    api.get(f"/v1/service-units/{counter['id']}/service-index/2025", expect=404)
    api.put(f"/v1/service-units/{counter['id']}/service-index/2025/official", {"value": 5.5}, expect=422)


def test_weights_have_their_day(api, counter, sql):
    """Another table from 2030 on; before 2022 there is none."""
    for year in (2025, 2029):
        make.service_index(api, counter["id"], year)
    assert make.service_index(api, counter["id"], 2021, expect=422).code == "reference-missing"
    api.put(f"/v1/service-units/{counter['id']}/service-index/2021/official", {"value": 3.2}, expect=200)
    assert (ipp(api, counter, 2021)["value"], ipp(api, counter, 2021)["aspects"]) == (None, [])
    sql("INSERT INTO ipp_aspect SELECT code, '2030-01-01', seq, name, name_en, 50, 'uji' FROM ipp_aspect WHERE code IN ('sipp', 'inovasi') AND valid_from = '2022-01-01' RETURNING code")
    try:
        assert make.service_index(api, counter["id"], 2030, {"sipp": 4, "inovasi": 5}).json["value"] == 4.5
        assert {y: ipp(api, counter, y)["value"] for y in (2025, 2029)} == {2025: 3.97, 2029: 3.97}
        days = [a["valid_from"] for a in api.get("/v1/service-index-aspects").json["data"]]
        assert days == ["2022-01-01"] * 6 + ["2030-01-01"] * 2
    finally:
        sql("DELETE FROM ipp_aspect WHERE valid_from = '2030-01-01' RETURNING code")


def test_indices_of_all_units_and_who_sees_them(api, keys, office, counter):
    other = make.service_unit(api, make.unit(api)["id"])
    for unit in (counter, other):
        make.service_index(api, unit["id"], 2026)
    rows = api.get(f"/v1/reports/service-indices?year=2026&under={office['id']}").json["data"]
    assert [(r["service_unit_id"], r["value"], r["category"]) for r in rows] == [(counter["id"], 3.97, "B")]
    part = api.as_key(keys("service.read", "service.write", "unit.read", units=(office["code"],)))
    assert {r["service_unit_id"] for r in part.get("/v1/reports/service-indices?year=2026").json["data"]} == {counter["id"]}
    part.get(f"/v1/service-units/{other['id']}/service-index/2026", expect=404)
    make.service_index(part, other["id"], 2026, expect=404)
    part.put(f"/v1/service-units/{other['id']}/service-index/2026/official", {"value": 3}, expect=404)


def test_open_data_shows_both(api, anonymous, counter):
    make.service_index(api, counter["id"], 2024)
    api.put(f"/v1/service-units/{counter['id']}/service-index/2024/official", {"value": 3.9}, expect=200)
    without = make.service_unit(api, make.unit(api)["id"])
    api.post("/v1/open-figures/2024/publish")
    rows = anonymous.get("/v1/public/figures/2024").json["figures"]
    told = {(r["service_unit_id"], r["code"]): (r["value"], r["n"], r["reason"]) for r in rows if r["code"].startswith("service_index")}
    assert told[counter["id"], "service_index"] == (3.97, 6, None) and told[counter["id"], "service_index_official"] == (3.9, 6, None)
    assert told[without["id"], "service_index"] == told[without["id"], "service_index_official"] == (None, None, "none")
