# SPDX-License-Identifier: Apache-2.0
"""Each indicator names exactly the people that were made faulty, and the index is what the formula of docs/rules.md says of them."""
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest

from support import make

TODAY = make.today()
DIMENSIONS = {"COM": "completeness", "TIM": "timeliness", "ACC": "accuracy", "CON": "consistency"}
UNMEASURED = {"TIM_2", "ACC_2", "ACC_8"}


def born(years):
    """Somebody who is that many years and about half a year old."""
    return (TODAY - timedelta(days=int(years * 365.25 + 180))).strftime("%Y%m%d")


def nik(birth, sex):
    """One that fits: DDMMYY with 40 added for a woman."""
    return f"760201{int(birth[6:]) + (40 if sex == 'F' else 0):02d}{birth[4:6]}{birth[2:4]}{make.number() % 9999 + 1:04d}"


class Staff:
    """Makes people without a fault but those that are asked for."""

    def __init__(self, api, office):
        self.api, self.office = api, office
        self.expected = {}

    def person(self, *faults, kind="PNS", birth="19900115", appointed=None, sex="M", digit=None, performance=TODAY.year - 1, pns="2016-03-01",
               unit=None, **members):
        appointed = appointed or {"PNS": "201503", "CPNS": f"{TODAY.year}01"}.get(kind, f"{TODAY.year - 2}21")
        number = make.nip(sex=digit or (1 if sex == "M" else 2), birth=birth, appointed=appointed)
        birth = members.get("birth_date", f"{number[:4]}-{number[4:6]}-{number[6:8]}").replace("-", "")
        body = {"kind": kind, "nip": number, "position_kind": "pelaksana", "position": "Pengadministrasi Umum", "education_level": "40",
                "title_back": "S.Sos.", "email": f"uji{make.number()}@example.go.id", "phone": "081234567890", "nik": nik(birth, sex), "sex": sex}
        if kind.startswith("PPPK"):
            body["appointed_on"] = f"{number[8:12]}-02-01"
        body = {k: v for k, v in {**body, **members}.items() if v is not None}
        made = make.person(self.api, unit or self.office["id"], **body)
        if kind == "PNS" and pns:
            make.history(self.api, number, "appointment", {"kind": "PNS"}, pns)
        if performance:
            make.history(self.api, number, "performance", {"regime": "skp_2022", "year": performance, "predicate": "Baik"}, f"{performance}-12-31")
        for fault in faults:
            self.expected.setdefault(fault, set()).add(number)
        return made


def assessed(api, staff):
    """Whose only SKP is a final evaluation here."""
    person = staff.person(performance=None)
    year = TODAY.year - 1
    period = make.period(api, starts_on=f"{year}-01-01", ends_on=f"{year}-12-31")
    evaluation = make.evaluation(api, person["nip"], period["id"])
    path = f"/v1/evaluations/{evaluation['id']}"
    make.indicator(api, evaluation["id"])
    api.patch(path, {"results_rating": "sesuai_ekspektasi", "behaviour_rating": "sesuai_ekspektasi"}, etag="*")
    api.post(f"{path}/finalize", headers={"If-Match": "*"})


@pytest.fixture(scope="module")
def agency(api):
    return make.unit(api, kind="instansi", name="Instansi Uji Mutu")


@pytest.fixture(scope="module")
def staff(api, agency):
    office = make.unit(api, agency["id"], kind="dinas")
    some = Staff(api, office)
    other = make.unit(api, agency["id"], kind="dinas")
    closed = make.unit(api, agency["id"])
    head = {"position_kind": "struktural", "position": "Kepala Bidang", "echelon": "31"}
    leader = {"position_kind": "struktural", "position": "Kepala Dinas", "echelon": "22", "education_level": "45"}
    expert = {"position_kind": "fungsional"}

    # without any fault
    for kind in ("PNS", "CPNS", "PPPK"):
        some.person(kind=kind)
        some.person(kind=kind, sex="F")
    some.person(kind="PPPK_PARUH_WAKTU", appointed=f"{TODAY.year - 1}21")
    some.person(**head, unit=other["id"])
    some.person(**leader, rank="IV/b", rank_since="2020-04-01", birth=born(58), appointed="199503", pns="1996-03-01", unit=other["id"])
    some.person(**expert, position="Arsiparis Ahli Madya", birth=born(58), appointed="199503", pns="1996-03-01")
    some.person(**expert, position="Juru Ukur", birth=born(58), appointed="199503", pns="1996-03-01")  # of no level that is known: not asked
    some.person(**expert, position="Guru Ahli Pertama", birth=born(58), appointed="199503", pns="1996-03-01")  # a teacher's 60, UU 14/2005
    some.person(education_level="15", title_back=None)  # no degree to bear
    some.person(legal_status="02", position=None, position_kind=None)  # on leave: of no end that is known, and no post to hold
    some.person(performance=TODAY.year - 2)
    assessed(api, some)
    some.person("COM_4", kind="PNS", pns=None)
    # who has left is nobody's fault
    some.person(legal_status="99", position=None, nik=None, email=None, phone=None, performance=None, pns=None, birth=born(80), appointed="198003")

    some.person("COM_1", performance=None)
    some.person("COM_1", performance=TODAY.year - 3)
    some.person("COM_2", position=None)
    some.person("COM_2", position=None, position_kind=None)
    some.person("COM_3", education_level=None)
    some.person("COM_5", title_back=None)
    some.person("COM_6", email=None)
    some.person("COM_7", phone=None)
    some.person("TIM_1", unit=closed["id"])
    api.patch(f"/v1/units/{closed['id']}", {"is_active": False}, etag="*")
    some.person("TIM_3", kind="CPNS", appointed=f"{TODAY.year - 2}03")
    some.person("TIM_4", **head)
    some.person("TIM_4", **{**head, "position": "KEPALA  BIDANG"})
    some.person("TIM_5", birth=born(58), appointed="199503", pns="1996-03-01", position="Pengolah Data")
    some.person("TIM_5", **expert, position="Perawat Ahli Pertama", birth=born(58), appointed="199503", pns="1996-03-01")
    some.person("TIM_5", **expert, position="Guru", birth=born(60), appointed="199003", pns="1991-03-01")
    some.person("TIM_5", **leader, rank="IV/b", rank_since="2020-04-01", birth=born(60), appointed="199003", pns="1991-03-01")
    away = some.person("TIM_6", legal_status="02", position=None, position_kind=None)
    make.history(api, away["nip"], "leave", {"grounds": "Mengikuti suami bertugas"}, "2020-01-01", to="2022-01-01")
    still = some.person(legal_status="13", position=None, position_kind=None)
    make.history(api, still["nip"], "leave", {"grounds": "Mengikuti suami bertugas"}, "2020-01-01")
    some.person("ACC_1", appointed="201703", pns="2016-03-01")
    recent = TODAY - timedelta(days=300)
    some.person("ACC_3", **{**head, "position": "Kepala Seksi", "echelon": "41"}, appointed=f"{recent:%Y%m}", pns=f"{recent + timedelta(days=200)}")
    some.person("ACC_4", kind="PPPK", legal_status="01")
    some.person("ACC_4", kind="PPPK_PARUH_WAKTU", appointed=f"{TODAY.year - 1}21", legal_status="71")
    some.person("ACC_5", nik=None)
    some.person("ACC_5", nik="7602010102800001")
    some.person("ACC_5", sex="F", birth="19880310", nik=nik("19880310", "M"))
    some.person("ACC_6", **{**head, "position": "Kepala Subbagian", "echelon": "41"}, **{"education_level": "15", "title_back": None})
    some.person("ACC_7", kind="PPPK", appointed="201821")
    some.person("ACC_9", position="Pranata Komputer Ahli Muda")
    some.person("ACC_10", **leader, rank="III/d", rank_since="2020-04-01", unit=make.unit(api, agency["id"])["id"])
    some.person("CON_1", appointed_on="2015-04-01")
    some.person("CON_2", birth_date="1990-02-16")
    some.person("CON_3", digit=1, sex="F")
    some.person("CON_4", kind="PPPK", appointed_on=f"{TODAY.year - 1}-02-01")
    return some


def rows(api, path):
    return api.walk(path)[0]


def test_each_indicator_names_exactly_whom_it_should(api, agency, staff):
    indicators = rows(api, f"/v1/data-quality/indicators?under={agency['id']}")
    assert len(indicators) == 27
    named = {i["code"]: {p["nip"] for p in rows(api, f"/v1/data-quality/indicators/{i['code']}/persons?under={agency['id']}")} for i in indicators}
    for code, people in named.items():
        assert people == staff.expected.get(code, set()), code
    assert {code for code, people in named.items() if not people} == UNMEASURED, "an indicator that nobody was made faulty for"
    assert {i["code"]: i["people_named"] for i in indicators if i["is_measured"]} == {c: len(p) for c, p in named.items() if c not in UNMEASURED}


def test_a_unit_counts_whom_the_indicators_name_in_it(api, agency, staff):
    """Of whom an indicator is asked: as many as the units below add up to, and never fewer than it names."""
    whole = {i["code"]: (i["people_asked"], i["people_named"]) for i in rows(api, f"/v1/data-quality/indicators?under={agency['id']}") if i["is_measured"]}
    parts = [{i["code"]: (i["people_asked"], i["people_named"]) for i in rows(api, f"/v1/data-quality/indicators?under={u['unit_id']}") if i["is_measured"]}
             for u in rows(api, f"/v1/data-quality?parent_id={agency['id']}")]
    for code, (asked, named) in whole.items():
        assert (asked, named) == (sum(p[code][0] for p in parts), sum(p[code][1] for p in parts)) and 0 < named <= asked, code


def test_the_due_list_and_the_index_tell_the_same_day_of_retirement(api, agency, staff):
    due = {r["nip"]: r for r in rows(api, f"/v1/due/retirement?under={agency['id']}")}
    named = rows(api, f"/v1/data-quality/indicators/TIM_5/persons?under={agency['id']}")
    assert len(named) == 4
    for person in named:
        told = due[person["nip"]]
        assert (person["facts"]["retires_on"], person["facts"]["rule"]) == (told["due_on"], told["rule"])


def test_what_is_not_kept_is_not_measured(api):
    indicators = rows(api, "/v1/data-quality/indicators")
    assert {i["code"] for i in indicators if not i["is_measured"]} == UNMEASURED
    for i in indicators:
        assert (i["lacks"] is None, i["people_asked"] is None, i["people_named"] is None) == ((True, False, False) if i["is_measured"] else (False, True, True))


FACTS = {"COM_1": {"last_year", "needed_from"}, "TIM_5": {"birth_date", "position_level", "rule", "bup", "retires_on"}, "TIM_4": {"position", "unit_id", "others"},
         "ACC_5": {"reasons"}, "ACC_10": {"echelon", "rank", "min_rank"}, "CON_1": {"nip", "appointed_on"}}


@pytest.mark.parametrize("code", FACTS)
def test_the_facts_are_told(code, api, agency, staff):
    for person in rows(api, f"/v1/data-quality/indicators/{code}/persons?under={agency['id']}"):
        assert set(person["facts"]) == FACTS[code] and person["reason"] and person["reason_en"]


def index(indicators):
    """The formula once more, in fractions."""
    scores, weights = {}, {}
    for i in indicators:
        if i["is_measured"] and i["people_asked"]:
            weight, share = Fraction(str(i["weight"])), 1 - Fraction(i["people_named"], i["people_asked"])
            part, whole = scores.get(i["dimension"], (0, 0))
            scores[i["dimension"]] = (part + weight * share, whole + weight)
            weights[i["dimension"]] = Fraction(str(i["dimension_weight"]))
    scores = {d: part / whole for d, (part, whole) in scores.items()}
    told = {name: rounded(scores[d]) if d in scores else None for d, name in DIMENSIONS.items()}
    return {**told, "score": rounded(sum(weights[d] * s for d, s in scores.items()) / sum(weights.values())) if scores else None}


def rounded(share):
    return str((Decimal(share.numerator * 100) / Decimal(share.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def scores(row):
    return {name: row[name] if row[name] is None else row[name].text for name in [*DIMENSIONS.values(), "score"]}


def test_the_index_is_what_the_formula_says(api, agency, staff):
    whole = rows(api, f"/v1/data-quality?unit_id={agency['id']}")
    assert scores(whole[0]) == index(rows(api, f"/v1/data-quality/indicators?under={agency['id']}"))
    below = rows(api, f"/v1/data-quality?parent_id={agency['id']}")
    assert len(below) == 4 and sum(b["people"] for b in below) == whole[0]["people"]
    for unit in below:
        assert scores(unit) == index(rows(api, f"/v1/data-quality/indicators?under={unit['unit_id']}"))


def test_a_unit_without_people_has_no_index(api):
    unit = make.unit(api)
    row = rows(api, f"/v1/data-quality?unit_id={unit['id']}")[0]
    assert row["people"] == 0 and set(scores(row).values()) == {None}


def test_without_a_filter_the_highest_units_that_are_seen(api, keys, agency, staff):
    limited = api.as_key(keys("asn.read", units=(staff.office["code"],)))
    assert [r["unit_id"] for r in rows(limited, "/v1/data-quality")] == [staff.office["id"]]
    assert agency["id"] in {r["unit_id"] for r in rows(api, "/v1/data-quality")}
    assert rows(limited, f"/v1/data-quality?unit_id={agency['id']}") == []
    named = {p["nip"] for p in rows(limited, "/v1/data-quality/indicators/TIM_1/persons")}
    assert named == set()


def test_a_snapshot_is_kept_once_a_day(api, sql, agency, staff):
    first = api.post("/v1/data-quality/snapshots", expect=200).json
    assert first["units_new"] == first["units_counted"] == sql("SELECT count(*) FROM unit")[0][0]
    again = api.post("/v1/data-quality/snapshots", expect=200).json
    assert (again["units_new"], again["day"]) == (0, first["day"])
    now = rows(api, f"/v1/data-quality?unit_id={agency['id']}")[0]
    kept = rows(api, f"/v1/data-quality/snapshots?unit_id={agency['id']}")
    assert [{k: v for k, v in k_.items() if k != "day"} for k_ in kept] == [now]
    make.unit(api)
    assert api.post("/v1/data-quality/snapshots", expect=200).json["units_new"] == 1
    sql("UPDATE quality_snapshot SET day = day - 30 WHERE unit_id = %s", (agency["id"],))
    api.post("/v1/data-quality/snapshots", expect=200)
    trend = rows(api, f"/v1/data-quality/snapshots?unit_id={agency['id']}")
    assert len(trend) == 2 and trend[0]["day"] > trend[1]["day"]
    assert len(rows(api, f"/v1/data-quality/snapshots?unit_id={agency['id']}&from={first['day']}")) == 1


def test_what_a_nik_says_is_told_to_its_scope_alone(api, keys, agency, staff):
    plain, full = api.as_key(keys("asn.read")), api.as_key(keys("asn.read", "asn.sensitive"))
    path = f"/v1/data-quality/indicators/ACC_5/persons?under={agency['id']}"
    assert rows(plain, path) == [] and {p["nip"] for p in rows(full, path)} == staff.expected["ACC_5"]
    for person in rows(full, path):
        assert not any(c.isdigit() for c in "".join(person["facts"]["reasons"]))


# Worked examples A19 … A21 and B9: what the record itself warns of is what the indicator names. (id, members, indicator, warning, member of it)
WORKED = [
    ("A19", {"nip": "199001152015031999", "kind": "PNS", "appointed_on": "2015-04-01"}, "CON_1", "CON_1", "warnings"),
    ("A20", {"nip": "199505202024211997", "kind": "PPPK", "appointed_on": "2023-03-01"}, "CON_4", "CON_4", "warnings"),
    ("A21", {"nip": "199001152015031998", "kind": "PNS", "sex": "F"}, "CON_3", "CON_3", "warnings"),
    ("B9", {"nip": "199001152015031997", "kind": "PNS", "nik": "7602015501909999"}, "ACC_5", "NIK_SEX", "nik_warnings"),
    ("birth", {"nip": "199001152015031996", "kind": "PNS", "birth_date": "1990-01-16"}, "CON_2", "CON_2", "warnings"),
    ("nik", {"nip": "199001152015031995", "kind": "PNS", "nik": "7602011601909999"}, "ACC_5", "NIK_BIRTH", "nik_warnings"),
]


@pytest.mark.parametrize("example, members, code, warning, member", WORKED, ids=[w[0] for w in WORKED])
def test_a_number_that_contradicts_the_record_is_a_warning(example, members, code, warning, member, api):
    unit = make.unit(api)
    made = make.person(api, unit["id"], **{"nik": None, **members})
    assert made[member] == [warning]
    assert [p["nip"] for p in rows(api, f"/v1/data-quality/indicators/{code}/persons?under={unit['id']}")] == [members["nip"]]


@pytest.mark.parametrize("nik_, birth, sex, faults", [
    ("7602011501909999", "1990-01-15", "M", []), ("7602015501909999", "1990-01-15", "F", []), ("7602017112859999", "1985-12-31", "F", []),
    ("7602013501909999", "1990-01-15", "M", ["NIK_BIRTH"]), ("7602017201909999", "1990-01-15", "F", ["NIK_BIRTH"]),
    ("7602011513909999", "1990-01-15", "M", ["NIK_BIRTH"]), ("7602011501900000", "1990-01-15", "M", ["NIK_FORM"]),
    ("7602051501909999", "1990-01-15", "M", []), ("3171011501909999", "1990-01-15", "M", []), (None, "1990-01-15", "M", ["NIK_MISSING"])])
def test_the_worked_numbers_read_the_same_in_the_database(nik_, birth, sex, faults, sql):
    assert sql("SELECT nik_faults(%s, %s, %s)", (nik_, birth, sex)) == [(faults,)]
