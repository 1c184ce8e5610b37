# SPDX-License-Identifier: Apache-2.0
"""An import taken back: the tables are as they were, what depends on it is named, nobody slips in between, and the feed tells."""
import random
import re
import threading
from pathlib import Path

import pytest

from support import make, postgres
from support.daemon import run

# What a row says; who wrote its version, which one and when, is not what was before.
SAYS = {
    "asn": "to_jsonb(t) - '{version,updated_at}'::text[]",
    "history": "to_jsonb(t) - '{version,updated_at,reason,actor_key,actor_name}'::text[]",
    "unit": "to_jsonb(t) - '{version,updated_at}'::text[]",
    "unit_version": "to_jsonb(t)", "unit_version_before": "to_jsonb(t)", "unit_way": "to_jsonb(t)", "unit_external_id": "to_jsonb(t)",
    "document": "to_jsonb(t)", "document_link": "to_jsonb(t)", "skp": "to_jsonb(t)",
    "external_id": "to_jsonb(t)", "due": "to_jsonb(t)", "enrolment": "to_jsonb(t)", "evaluation": "to_jsonb(t)",
    "change_request": "to_jsonb(t)", "asn_merge": "to_jsonb(t)", "reference": "to_jsonb(t)",
    # A day on which nothing begins or ends any more is nobody's loss.
    "history_ahead": "to_jsonb(t)",
}
ONLY = {"history_ahead": "WHERE EXISTS (SELECT FROM history h WHERE h.asn_id = t.asn_id AND t.day IN (h.starts, h.ends) AND NOT h.is_void)"}
RANKS = ["II/a", "II/b", "II/c", "II/d", "III/a", "III/b", "III/c", "III/d", "IV/a"]


@pytest.fixture(scope="module")
def settings():
    """Whoever is to wait here waits for a test on a machine that may be busy."""
    return {"statement_timeout_ms": 120000}


@pytest.fixture
def state(sql):
    def read():
        return {name: sorted(row for row, in sql(f"SELECT ({says})::text FROM {name} t {ONLY.get(name, '')}")) for name, says in SAYS.items()}
    return read


def send(api, text, what="asn", **headers):
    path = {"asn": "/v1/asn/import", "units": "/v1/units/import", "history": "/v1/history/import"}[what]
    return api("POST", path, data=text.encode(), headers={"Content-Type": "text/csv", **headers}, expect=200).json


def undo(api, report, expect=200, **headers):
    return api("POST", f"/v1/imports/{report['id']}/undo", json={"reason": "Berkas yang salah"}, headers=headers, expect=expect)


def counts(report):
    return tuple(report[k] for k in ("created", "updated", "unchanged", "refused"))


def faults(reply):
    """code → (how many, examples)"""
    return {f["code"]: (int(f["detail"].split()[0]), f.get("value", "")) for f in reply.json["errors"]}


# ── exactly as before ──

def person_rows(rng, people, office, others, with_ranks=True):
    """Without ranks where histories hold later ones, which a record may not contradict."""
    head = ["nip", "kind", "name", "unit_code", "rank", "rank_since", "position_kind", "position", "education_level", "education", "title_back", "legal_status", "phone"]
    for nip in people:
        year = rng.choice([2012, 2016, 2020])
        row = {"nip": nip, "kind": "PNS", "name": rng.choice(["Pegawai Satu", "Pegawai Dua"]), "unit_code": rng.choice([office, *others]),
               "rank": rng.choice(RANKS[4:]), "rank_since": f"{year}-04-01", "position_kind": rng.choice(["pelaksana", "fungsional"]),
               "position": rng.choice(["Guru Ahli Muda", "Pengelola Arsip"]), "education_level": rng.choice(["40", "45", ""]), "education": "Hukum",
               "title_back": rng.choice(["S.H.", ""]), "legal_status": rng.choice(["01", "02"]), "phone": ""}
        for name in rng.sample(head[4:], rng.randint(0, 4)):
            row[name] = ""
        if not with_ranks:
            del row["rank"], row["rank_since"]
        yield row


def csv_of(rows):
    rows = list(rows)
    head = list(rows[0])
    return "\n".join([",".join(head), *(",".join(r.get(h) or "" for h in head) for r in rows)]) + "\n"


def history_rows(rng, people, office, known):
    for nip in people:
        for _ in range(rng.randint(1, 5)):
            kind = rng.choice(["rank", "education", "position", "placement", "course", "award", "pay", "title", "nip", "leave"])
            year = rng.randint(2010, 2030)
            row = dict.fromkeys(["nip", "kind", "from", "to", "rank", "education_level", "field", "assignment", "position_kind", "position", "unit_code", "name", "jp",
                                 "award", "service_years", "title_back", "new_nip", "grounds", "remote_id"], "")
            row.update({"nip": nip, "kind": kind, "from": f"{year}-{rng.randint(1, 12):02d}-01"})
            row.update({"rank": {"rank": rng.choice(RANKS)}, "education": {"education_level": rng.choice(["30", "40", "45"]), "field": "Hukum"},
                        "position": {"assignment": rng.choice(["definitive", "plt"]), "position_kind": "pelaksana", "position": f"Staf {rng.randint(1, 3)}"},
                        "placement": {"unit_code": office}, "course": {"name": "Bimtek", "jp": "10"}, "award": {"award": "201"},
                        "pay": {"service_years": "4"}, "title": {"title_back": rng.choice(["S.H.", "M.H."])}, "nip": {"new_nip": make.nip()},
                        "leave": {"grounds": "Sakit", "to": f"{year + 1}-12-01"}}[kind])
            if rng.random() < 0.4:
                row["remote_id"] = f"{kind}-{nip}-{rng.randint(1, 2)}"
            yield row


@pytest.mark.parametrize("seed", range(8))
def test_after_import_and_undo_every_table_is_as_before(seed, api, office, state):
    rng = random.Random(seed)
    others = [make.unit(api)["code"] for _ in range(2)]
    known, new = [make.nip() for _ in range(12)], [make.nip() for _ in range(6)]
    assert send(api, csv_of(person_rows(rng, known, office["code"], others)))["created"] == 12
    send(api, csv_of(history_rows(rng, known, office["code"], [])), "history")
    history = [list(history_rows(rng, known[:8], office["code"], [])) for _ in range(2)]
    files = [("asn", csv_of(person_rows(rng, known[:8] + new, office["code"], others, with_ranks=False))), ("history", csv_of(history[0])), ("history", csv_of(history[1] + history[0]))]
    before, made = [state()], []
    for what, text in files:
        made.append(send(api, text, what))
        before.append(state())
    assert sum(m["created"] + m["updated"] for m in made) > 20, made
    for report, was in zip(reversed(made), reversed(before[:-1])):
        answer = undo(api, report).json
        assert (answer["can_undo"], answer["undone_by"] is not None, answer["undone_reason"]) == (False, True, "Berkas yang salah")
        now = state()
        for name in SAYS:
            assert now[name] == was[name], (name, report)
    # The same files again come to the same.
    again = [send(api, text, what) for what, text in files]
    assert [counts(a) for a in again] == [counts(m) for m in made]


def test_people_that_it_made_are_gone_and_may_come_again(api, office, state):
    nip = make.nip()
    text = f"nip,kind,name,unit_code\n{nip},PNS,Pegawai Baru,{office['code']}\n"
    before = state()
    report = send(api, text)
    undo(api, report)
    api.get(f"/v1/asn/{nip}", expect=404)
    assert state() == before
    assert send(api, text)["created"] == 1


@pytest.mark.parametrize("seed", range(4))
def test_units_go_back_to_their_places(seed, api, state):
    rng = random.Random(100 + seed)
    n = make.number()
    root = make.unit(api, code=f"R{n}")
    units = [f"R{n}.{i}" for i in range(10)]

    def tree(codes):
        above = [f"R{n}"]
        rows = []
        for code in rng.sample(codes, len(codes)):
            rows.append(f"{code},Bidang {rng.randint(1, 9)},bidang,{rng.choice(above)},{rng.choice(['ya', 'tidak'])}")
            above.append(code)
        return "code,name,kind,parent_code,is_active\n" + "\n".join(rows) + "\n"

    assert send(api, tree(units), "units")["created"] == 10
    start = state()
    first = send(api, tree(units + [f"R{n}.n{i}" for i in range(5)]), "units")
    middle = state()
    second = send(api, tree(units + [f"R{n}.n{i}" for i in range(5)]), "units")
    assert first["created"] == 5 and first["updated"] > 0 and second["updated"] > 0
    undo(api, second)
    assert state() == middle
    undo(api, first)
    assert state() == start and root


DATED = "code,name,kind,parent_code,is_active,from,decree_number,decree_date,agency,head_position\n"


def dated_rows(rng, n, codes, years):
    """Whatever a file may say of units: names, places, days, decrees, heads, and whose tree it is."""
    above = [f"D{n}"]
    for code in rng.sample(codes, len(codes)):
        parent = rng.choice(["", above[0], rng.choice(above)])
        day = rng.choice(["", *(f"{year}-0{rng.randint(1, 9)}-01" for year in years)])
        yield (f"{code},Dinas {rng.randint(1, 5)},{rng.choice(['dinas', 'badan'])},{parent},{rng.choice(['', 'ya', 'tidak'])},{day},{rng.choice(['', 'Perda 1', 'Perda 2'])},"
               f"{rng.choice(['', '2009-12-01'])},{rng.choice([code, '']) if not parent else ''},{rng.choice(['', 'Kepala', 'Direktur'])}")
        above.append(code)


@pytest.mark.parametrize("seed", range(6))
def test_units_go_back_to_their_days(seed, api, state, sql):
    rng = random.Random(200 + seed)
    n = make.number()
    make.unit(api, code=f"D{n}", effective_on="2001-01-01")
    old, new = [f"D{n}.{i}" for i in range(8)], [f"D{n}.n{i}" for i in range(4)]
    base = DATED + "\n".join(f"{code},Dinas,dinas,D{n},ya,{rng.choice(['2012-01-01', '2014-01-01', ''])},,,," for code in old) + "\n"
    assert send(api, base, "units")["created"] == 8
    texts = [DATED + "\n".join(dated_rows(rng, n, codes, years)) + "\n"
             for codes, years in ((old + new, (2015, 2016)), (old + new, (2017, 2018)), (old, (2005, 2019, 2020)), (old + new, (2021, 2022)))]
    # Nothing new but a decree, of which the unit itself knows nothing.
    told = sql("SELECT code, name, kind, lower(valid)::text FROM unit_version WHERE code = ANY (%s) AND upper_inf(valid)", (old,))
    texts.insert(0, DATED + "\n".join(f"{code},{name},{kind},D{n},,{day},Perda 9/2011,2011-12-01,," for code, name, kind, day in told) + "\n")
    before, made = [state()], []
    for text in texts:
        made.append(send(api, text, "units"))
        before.append(state())
    assert counts(made[0]) == (0, 0, 8, 0) and before[1] != before[0], "the decrees are in the versions"
    assert sum(m["created"] for m in made) >= 2 and sum(m["updated"] for m in made) >= 8, made
    for report, was in zip(reversed(made), reversed(before[:-1])):
        undo(api, report)
        now = state()
        for name in SAYS:
            assert now[name] == was[name], (name, report)
    assert [counts(send(api, text, "units")) for text in texts] == [counts(m) for m in made]


def test_a_unit_is_as_it_was_for_whoever_asks(api):
    n = make.number()
    a, b = (make.unit(api, code=f"E{n}-{x}", effective_on="2010-01-01", agency=f"E{n}-{x}") for x in "AB")
    one = make.unit(api, a["id"], code=f"E{n}-C", name="Dinas Lama", kind="dinas", effective_on="2012-01-01", head_position="Direktur")
    leaf = make.unit(api, one["id"], code=f"E{n}-D", effective_on="2013-01-01")
    report = send(api, DATED + f"E{n}-C,Dinas Baru,badan,E{n}-B,tidak,2020-01-01,Perda 7/2020,2019-12-20,,Kepala\nE{n}-N,Baru,bidang,E{n}-C,,2021-01-01,,,,\n"
                               f"E{n}-B,{b['name']},bidang,,,2005-01-01,,,,\nE{n}-A,{a['name']},bidang,E{n}-B,,2020-02-01,,,,\n", "units")
    assert counts(report) == (1, 3, 0, 0), report
    assert api.get(f"/v1/units/{leaf['id']}?as_of=2020-06-01").json["depth"] == 3
    new = api.get(f"/v1/units?under={one['id']}&sort=path").json["data"][-1]
    token = api.get("/v1/units", headers={"Accept": "application/x-ndjson"}).headers["Changes-After"]
    undo(api, report)
    for unit in (a, b, one, leaf):
        now = api.get(f"/v1/units/{unit['id']}").json
        assert {k: now[k] for k in unit if k not in ("version", "updated_at")} == {k: unit[k] for k in unit if k not in ("version", "updated_at")}
        version, = api.get(f"/v1/units/{unit['id']}/versions").json["data"]
        assert (version["from"], version["to"], version["name"]) == ({"A": "2010", "B": "2010", "C": "2012", "D": "2013"}[unit["code"][-1]] + "-01-01", None, unit["name"])
    api.get(f"/v1/units/{b['id']}?as_of=2009-12-31", expect=404)
    api.get(f"/v1/units/{new['id']}", expect=404)
    told = {(c["kind"], c["key"]) for c in api.get(f"/v1/changes?after={token}&limit=1000").json["changes"] if c["entity"] == "unit"}
    assert told >= {("updated", f"E{n}-A"), ("updated", f"E{n}-B"), ("updated", f"E{n}-C"), ("deleted", f"E{n}-N")}, told


# ── what depends on it ──

@pytest.fixture
def imported(api, office):
    nip = make.nip()
    report = send(api, f"nip,kind,name,unit_code,rank,rank_since\n{nip},PNS,Pegawai Impor,{office['code']},III/a,2020-04-01\n")
    return nip, report


def later_patch(api, nip):
    path = f"/v1/asn/{nip}"
    api.patch(path, {"name": "Nama Lain"}, etag=make.tag(api, path))


def later_evaluation(api, nip):
    make.evaluation(api, nip, make.period(api)["id"])


def later_merge(api, nip):
    other = make.person(api, api.get(f"/v1/asn/{nip}").json["unit_id"])
    api.post(f"/v1/asn/{nip}/merge", {"into": other["nip"], "reason": "Dua kali"})


BKN = {"qualification": 15, "competence": 0, "performance": 25, "discipline": 5}
LATER = {
    "asn": later_patch,
    "enrolment": lambda api, nip: make.enrol(api, make.session(api)["id"], nip),
    "evaluation": later_evaluation,
    "change-request": lambda api, nip: make.request(api, nip),
    "asn-merge": later_merge,
    "history": lambda api, nip: make.history(api, nip, "course", {"name": "Bimtek"}, "2021-01-01"),
    "external-id": lambda api, nip: api.put(f"/v1/asn/{nip}/external-ids/absensi", {"value": nip}),
    "document": lambda api, nip: make.document(api, nip),
    "document-link": lambda api, nip: make.document(api, nip, type="858", history_ids=api.get(f"/v1/asn/{nip}/history?kind=rank").json["data"][0]["id"]),
    "skp": lambda api, nip: make.skp(api, nip, make.period(api)["id"]),
    "potential": lambda api, nip: api.post(f"/v1/asn/{nip}/potentials", {"score": 70, "method": "Asesmen uji"}, expect=201),
    "ip-asn-bkn": lambda api, nip: api.put(f"/v1/asn/{nip}/professionalism-index/2025/bkn", BKN),
    "activity-participant": lambda api, nip: make.participant(api, make.activity(api, make.partner(api)["id"])["id"], nip=nip),
    "ticket": lambda api, nip: served(api, nip),
    "external-certificate": lambda api, nip: make.external(api, nip),
}


def served(api, nip):
    unit = api.get(f"/v1/asn/{nip}").json["unit_id"]
    counters = api.get(f"/v1/service-units?under={unit}").json["data"] or [make.service_unit(api, unit)]
    ticket = make.ticket(api, make.service(api, counters[0]["id"])["id"])
    for step in ("call", "start"):
        api.post(f"/v1/tickets/{ticket['id']}/{step}", {"nip": nip}, expect=200)


# What refers to a person or unit goes unnamed only where it goes with it, or is told by a code of its own.
OTHERWISE = {"history", "history-version", "unit-version"}


def test_every_table_that_may_hang_on_an_import_has_its_words(sql):
    """As import_referrers() finds them: a new table with a foreign key needs a line in undo.c."""
    text = (Path(__file__).resolve().parents[2] / "src/stream/undo.c").read_text()
    worded = set(re.findall(r'^    \{"([a-z-]+)", *$|^    \{"([a-z-]+)", "', text, re.M))
    worded = {a or b for a, b in worded}
    tables = {row[0].replace("_", "-") for row in sql("""SELECT DISTINCT c.conrelid::regclass::text FROM pg_constraint c
        WHERE c.contype = 'f' AND c.confrelid IN ('asn'::regclass, 'history'::regclass, 'unit'::regclass) AND c.confdeltype <> 'c'""")}
    assert len(tables) > 20
    assert not tables - worded - OTHERWISE


@pytest.mark.parametrize("what", LATER)
def test_what_depends_on_it_is_named_and_nothing_is_touched(what, api, imported, state):
    nip, report = imported
    LATER[what](api, nip)
    before = state()
    reply = undo(api, report, expect=409)
    assert reply.code == "import-depends"
    number, examples = faults(reply)[what]
    assert number >= 1 and nip in examples, reply.json
    assert state() == before
    shown = api.get(f"/v1/imports/{report['id']}").json
    assert (shown["can_undo"], shown["undone_at"]) == (True, None)


ROWS = {
    "document-link": lambda api, nip, row: make.document(api, nip, type="858", history_ids=row),
    "history": lambda api, nip, row: api("POST", f"/v1/asn/{nip}/history/{row}/annul", json={"reason": "Keliru"}, headers={"If-Match": "*"}, expect=200),
}


@pytest.mark.parametrize("what", ROWS)
def test_what_hangs_on_a_row_of_a_history_is_named(what, api, office, state):
    person = make.person(api, office["id"])
    report = send(api, f"nip,kind,from,rank\n{person['nip']},rank,2020-04-01,III/b\n", "history")
    row, = api.get(f"/v1/asn/{person['nip']}/history?kind=rank").json["data"]
    ROWS[what](api, person["nip"], row["id"])
    before = state()
    assert faults(undo(api, report, expect=409))[what] == (1, person["nip"])
    assert state() == before


def test_what_came_later_without_touching_the_rows_of_a_history_stays(api, office):
    """The person was there before: a plan, a document of his are none of the import's."""
    person = make.person(api, office["id"])
    report = send(api, f"nip,kind,from,rank\n{person['nip']},rank,2020-04-01,III/b\n", "history")
    document, plan = make.document(api, person["nip"]), make.skp(api, person["nip"], make.period(api)["id"])
    undo(api, report)
    api.get(f"/v1/documents/{document['id']}")
    api.get(f"/v1/skps/{plan['id']}")


def test_a_later_import_of_the_same_person_is_named_and_once_it_is_undone_the_first_can_be(api, office, imported):
    nip, report = imported
    later = send(api, f"nip,kind,name,unit_code\n{nip},PNS,Nama Berikutnya,{office['code']}\n")
    found = faults(undo(api, report, expect=409))
    assert found["asn"] == (1, nip) and found["import"] == (1, later["id"])
    undo(api, later)
    undo(api, report)


# ── told otherwise and back again ──

@pytest.fixture
def row(api, office):
    """Somebody with a rank, and how to tell it otherwise: by hand or by a file."""
    class Row:
        nip = make.person(api, office["id"])["nip"]
        path = f"/v1/asn/{nip}/history"
        id = make.history(api, nip, "rank", {"rank": "III/a"}, "2020-04-01")["id"]

        def put(self, rank):
            told = {"kind": "rank", "from": "2020-04-01", "facts": {"rank": rank}, "reason": "Diperiksa"}
            return api.put(f"{self.path}/{self.id}", told, etag=make.tag(api, f"{self.path}/{self.id}")).json

        def file(self, rank, day="2020-04-01"):
            report = send(api, f"nip,kind,from,rank\n{self.nip},rank,{day},{rank}\n", "history")
            assert counts(report) in ((1, 0, 0, 0), (0, 1, 0, 0)), report
            return report

        def says(self):
            return api.get(f"{self.path}/{self.id}").json["facts"]["rank"]
    return Row()


def test_a_value_that_somebody_put_back_depends_on_the_import(api, row, state):
    """It was A, the file says B, somebody puts A back: what the row says now is his."""
    report = row.file("III/b")
    row.put("III/a")
    before = state()
    assert faults(undo(api, report, expect=409)) == {"asn": (1, row.nip), "history": (1, row.nip)}
    assert state() == before


def test_a_value_that_came_back_to_the_imports_depends_on_it(api, row, state):
    """The file says B, somebody corrects it and takes his correction back: he has looked, the import has not."""
    report = row.file("III/b")
    row.put("III/c")
    row.put("III/b")
    before = state()
    assert faults(undo(api, report, expect=409))["history"] == (1, row.nip)
    assert state() == before and row.says() == "III/b"


def test_a_row_that_it_made_and_somebody_confirmed_stays(api, office, state):
    """Here nothing of it shows in the record."""
    nip = make.person(api, office["id"])["nip"]
    report = send(api, f"nip,kind,from,name,jp\n{nip},course,2020-04-01,Bimtek,10\n", "history")
    entry, = api.get(f"/v1/asn/{nip}/history?kind=course").json["data"]
    for name in ("Kursus", "Bimtek"):
        api.put(f"/v1/asn/{nip}/history/{entry['id']}", {"kind": "course", "from": "2020-04-01", "facts": {"name": name, "jp": 10}, "reason": "Diperiksa"},
                etag=make.tag(api, f"/v1/asn/{nip}/history/{entry['id']}"))
    before = state()
    assert faults(undo(api, report, expect=409)) == {"history": (1, nip)}
    assert state() == before and len(api.get(f"/v1/asn/{nip}/history/{entry['id']}/versions").json["data"]) == 3


def test_two_imports_there_and_back_are_undone_from_the_last(api, row, state):
    start = state()
    first = row.file("III/b")
    middle = state()
    second = row.file("III/a")
    found = faults(undo(api, first, expect=409))
    assert found["import"] == (1, second["id"]) and found["history"] == (1, row.nip)
    undo(api, second)
    assert row.says() == "III/b" and state() == middle
    undo(api, first)
    assert row.says() == "III/a" and state() == start


def test_a_later_import_of_what_the_record_does_not_show_is_named(api, office):
    nip = make.person(api, office["id"])["nip"]
    one, two = (send(api, f"nip,kind,from,name,jp,decree_number\n{nip},course,2020-04-01,Bimtek,10,{decree}\n", "history") for decree in ("800/1", "800/2"))
    assert counts(two) == (0, 1, 0, 0)
    assert faults(undo(api, one, expect=409)) == {"history": (1, nip), "import": (1, two["id"])}
    undo(api, two)
    undo(api, one)
    assert api.get(f"/v1/asn/{nip}/history?kind=course").json["data"] == []


def test_what_an_undone_import_did_in_between_stands_in_nobodys_way(api, row, state):
    start = state()
    first, second = row.file("III/b"), row.file("III/c")
    undo(api, second)
    third = row.file("III/d")
    undo(api, third)
    undo(api, first)
    assert row.says() == "III/a" and state() == start


def test_an_end_that_moved_away_and_back_stands_in_nobodys_way(api, row):
    report = row.file("III/b")
    later = make.history(api, row.nip, "rank", {"rank": "III/c"}, "2024-04-01")
    assert "history" in faults(undo(api, report, expect=409))
    api.post(f"{row.path}/{later['id']}/annul", {"reason": "SK dibatalkan"}, headers={"If-Match": make.tag(api, f"{row.path}/{later['id']}")})
    found = faults(undo(api, report, expect=409))
    assert set(found) == {"asn"}, "the record showed it, the row itself is as the import left it"


@pytest.mark.parametrize("what", ["name", "siasn_id"])
def test_a_record_that_somebody_put_back_depends_on_the_import(what, api, office, state):
    person = make.person(api, office["id"], name="Nama Lama")
    path = f"/v1/asn/{person['nip']}"
    if what == "name":
        report = send(api, f"nip,kind,name,unit_code\n{person['nip']},PNS,Nama Baru,{office['code']}\n")
        api.patch(path, {"name": "Nama Lama"}, etag=make.tag(api, path))
    else:
        api.put(f"{path}/external-ids/siasn", {"value": f"A-{person['nip']}"})
        report = send(api, f"nip,kind,name,unit_code,siasn_id\n{person['nip']},PNS,Nama Lama,{office['code']},B-{person['nip']}\n")
        if report["refused"]:
            pytest.fail(str(report))
        api.put(f"{path}/external-ids/siasn", {"value": f"A-{person['nip']}"})
    before = state()
    assert faults(undo(api, report, expect=409)) == {"asn": (1, person["nip"])}
    assert state() == before


def test_a_unit_that_somebody_put_back_depends_on_the_import(api, state):
    unit = make.unit(api, name="Dinas Lama", kind="dinas")
    report = send(api, f"code,name,kind\n{unit['code']},Dinas Baru,dinas\n", "units")
    assert counts(report) == (0, 1, 0, 0)
    path = f"/v1/units/{unit['id']}"
    api.patch(path, {"name": "Dinas Lama"}, etag=make.tag(api, path))
    before = state()
    assert faults(undo(api, report, expect=409)) == {"unit-changed": (1, unit["code"])}
    assert state() == before


def test_a_row_that_came_between_depends_on_the_imports(api, office):
    """A later rank that lies before the imported one ends where it begins."""
    person = make.person(api, office["id"])
    report = send(api, f"nip,kind,from,rank\n{person['nip']},rank,2020-04-01,III/b\n", "history")
    make.history(api, person["nip"], "rank", {"rank": "III/a"}, "2016-04-01")
    assert "history" in faults(undo(api, report, expect=409))


def test_rows_that_do_not_touch_the_imports_stay(api, office):
    person = make.person(api, office["id"])
    report = send(api, f"nip,kind,from,rank\n{person['nip']},rank,2020-04-01,III/b\n", "history")
    course = make.history(api, person["nip"], "course", {"name": "Bimtek"}, "2021-01-01")
    undo(api, report)
    kinds = {e["kind"]: e["id"] for e in api.get(f"/v1/asn/{person['nip']}/history").json["data"]}
    assert kinds["course"] == course["id"] and "rank" not in kinds
    assert api.get(f"/v1/asn/{person['nip']}").json["rank"] is None


def test_units_in_use_are_named(api, keys):
    n = make.number()
    report = send(api, f"code,name,kind\nX{n}-A,Dinas,dinas\nX{n}-B,Dinas,dinas\nX{n}-C,Dinas,dinas\n", "units")
    ids = {u["code"]: u["id"] for u in api.get("/v1/units?limit=1000").json["data"] if u["code"].startswith(f"X{n}-")}
    person = make.person(api, ids[f"X{n}-A"])
    make.unit(api, parent=ids[f"X{n}-B"])
    make.post(api, ids[f"X{n}-C"])
    api.patch(f"/v1/units/{ids[f'X{n}-C']}", {"name": "Lain"}, etag=make.tag(api, f"/v1/units/{ids[f'X{n}-C']}"))
    keys("asn.read", units=(f"X{n}-B",))
    found = faults(undo(api, report, expect=409))
    assert {"asn": found["asn"][1], "unit": found["unit"][1], "post": found["post"][1], "unit-changed": found["unit-changed"][1],
            "history": found["history"][1]} == {
                "asn": f"X{n}-A", "unit": f"X{n}-B", "post": f"X{n}-C", "unit-changed": f"X{n}-C", "history": person["nip"]}
    assert found["api-key"][0] == 1


@pytest.fixture
def reformed(api):
    """P and Q, C below P; the file makes N, and moves and renames C in 2020. X is somebody else."""
    n = make.number()
    ids = {x: make.unit(api, code=f"F{n}-{x}", effective_on="2010-01-01")["id"] for x in "PQX"}
    ids["C"] = make.unit(api, ids["P"], code=f"F{n}-C", effective_on="2012-01-01")["id"]
    ids["R"] = make.unit(api, code=f"F{n}-R", effective_on="2010-01-01", agency=f"F{n}")["id"]
    report = send(api, DATED + f"F{n}-N,Baru,bidang,,,2015-01-01,,,,\nF{n}-C,Dinas Baru,bidang,F{n}-Q,,2020-01-01,,,,Kepala\nF{n}-R,Akar,bidang,,,,,,F{n}-2,\n", "units")
    assert counts(report) == (1, 2, 0, 0), report
    ids["N"] = next(u["id"] for u in api.walk("/v1/units?q=Baru&limit=200")[0] if u["code"] == f"F{n}-N")
    return n, ids, report


def changing(which, **members):
    return lambda api, n, ids: api.patch(f"/v1/units/{ids[which]}", {k: ids.get(v, v) if v else v for k, v in members.items()}, etag="*")


def closing(which, **members):
    return lambda api, n, ids: api.post(f"/v1/units/{ids[which]}/close", {k: ids.get(v, v) for k, v in members.items()})


def moved_below_for_a_while(which):
    def act(api, n, ids):
        changing("X", parent_id=which, effective_on="2021-01-01")(api, n, ids)
        changing("X", parent_id=None, effective_on="2022-01-01")(api, n, ids)
    return act


def later_circle(api, n, ids):
    changing("P", parent_id="C", effective_on="2021-01-01")(api, n, ids)
    changing("P", parent_id=None, effective_on="2022-01-01")(api, n, ids)


def later_skp(api, n, ids):
    make.skp(api, make.person(api, ids["N"])["nip"], make.period(api)["id"])


def later_predicate(api, n, ids):
    body = {"unit_id": ids["N"], "period_id": make.period(api)["id"], "predicate": "baik", "reason": "IKU", "leader": "Bupati"}
    api.post("/v1/unit-predicates", body, expect=201)


def later_quota(api, unit_id):
    session = make.session(api)["id"]
    api.put(f"/v1/sessions/{session}/quotas", {"quotas": [{"unit_id": unit_id, "seats": 2}]}, etag=make.tag(api, f"/v1/sessions/{session}"))


# case → (what happens, which code names it, whom)
LATER_UNITS = {
    "external id": (lambda api, n, ids: api.put(f"/v1/units/{ids['N']}/external-ids/siasn", {"value": f"F{n}"}), "unit-external-id", "N"),
    "told of a day before": (changing("C", name="Dinas Dulu", effective_on="2014-01-01"), "unit-changed", "C"),
    "told that it began earlier": (changing("C", effective_on="2011-01-01"), "unit-changed", "C"),
    "head": (changing("C", head_position="Ketua"), "unit-changed", "C"),
    "closed": (closing("C"), "unit-changed", "C"),
    "new one closed": (closing("N", effective_on="2021-01-01"), "unit-changed", "N"),
    "closed in favour": (closing("X", successor_id="N"), "unit", "N"),
    "merged": (lambda api, n, ids: api.post(f"/v1/units/{ids['N']}/merge", {"sources": [ids["X"]]}), "unit", "N"),
    "split": (lambda api, n, ids: api.post(f"/v1/units/{ids['X']}/split", {"code": f"F{n}-S", "name": "Pecahan", "kind": "bidang", "parent_id": ids["N"]}), "unit", "N"),
    "below it then": (moved_below_for_a_while("N"), "unit-version", "N"),
    "post": (lambda api, n, ids: make.post(api, ids["N"]), "post", "N"),
    "service unit": (lambda api, n, ids: make.service_unit(api, ids["N"]), "service-unit", "N"),
    "quota": (lambda api, n, ids: later_quota(api, ids["N"]), "session-quota", "N"),
    "placement": (lambda api, n, ids: make.person(api, ids["N"]), "asn", "N"),
    "skp": (later_skp, "skp", "N"),
    "predicate": (later_predicate, "unit-predicate", "N"),
    "snapshot": (lambda api, n, ids: api.post("/v1/data-quality/snapshots"), "quality-snapshot", "N"),
    "the one above closed": (closing("P"), "unit-tree", "C"),
    "the agency taken": (lambda api, n, ids: make.unit(api, code=f"F{n}-T", agency=f"F{n}"), "unit-agency", "T"),
    "a circle on a day gone by": (later_circle, "unit-tree", None),
}


@pytest.mark.parametrize("case", LATER_UNITS)
def test_what_depends_on_units_is_named_and_nothing_is_touched(case, api, reformed, state):
    n, ids, report = reformed
    act, code, whom = LATER_UNITS[case]
    act(api, n, ids)
    before = state()
    found = faults(undo(api, report, expect=409))
    assert code in found, found
    assert found[code][0] >= 1 and found[code][1] == (f"F{n}-{whom}" if whom else ""), found
    assert state() == before


def test_what_does_not_touch_the_units_stays(api, reformed, state):
    n, ids, report = reformed
    moved_below_for_a_while("P")(api, n, ids)
    make.post(api, ids["C"])
    person = make.person(api, ids["C"])
    api.put(f"/v1/units/{ids['C']}/external-ids/siasn", {"value": f"F{n}"})
    undo(api, report)
    assert api.get(f"/v1/asn/{person['nip']}").json["unit_id"] == ids["C"]
    assert api.get(f"/v1/units/{ids['C']}/external-ids").json["external_ids"] == {"siasn": f"F{n}"}
    assert [v["parent_id"] for v in api.get(f"/v1/units/{ids['X']}/versions").json["data"]] == [None, ids["P"], None]
    assert api.get(f"/v1/units/{ids['C']}?as_of=2021-06-01").json["parent_id"] == ids["P"]


def test_a_later_file_that_tells_no_more_than_a_decree_is_named_too(api, reformed, state):
    n, ids, report = reformed
    before = state()
    later = send(api, DATED + f"F{n}-C,Dinas Baru,bidang,F{n}-Q,,2020-01-01,Perda 7/2020,,,\n", "units")
    assert counts(later) == (0, 0, 1, 0)
    assert faults(undo(api, report, expect=409)) == {"unit-version": (1, f"F{n}-C"), "import": (1, later["id"])}
    undo(api, later)
    assert state() == before
    undo(api, report)


def test_an_id_that_comes_while_a_unit_goes_finds_none(api, database, reformed, sql):
    n, ids, report = reformed
    with postgres.connected(database, autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT * FROM import_depends(%s, ARRAY[''::ltree], '{admin}')", (report["id"],))
        assert cursor.fetchall() == []
        answer = []
        thread = threading.Thread(target=lambda: answer.append(api("PUT", f"/v1/units/{ids['N']}/external-ids/siasn", json={"value": f"F{n}"})))
        thread.start()
        postgres.until_somebody_waits(database)
        cursor.execute("SELECT * FROM import_take_back(%s, 'uji', NULL, 'uji')", (report["id"],))
        assert cursor.fetchall() == []
        other.commit()
        thread.join()
    assert answer[0].status == 404, answer[0].json
    assert sql("SELECT count(*) FROM unit_external_id WHERE value = %s", (f"F{n}",)) == [(0,)]


# ── who, and how often ──

def test_twice_is_refused(api, imported):
    _, report = imported
    undo(api, report)
    again = undo(api, report, expect=409)
    assert again.code == "import-undone"


def test_an_idempotency_key_gives_the_answer_again(api, imported):
    _, report = imported
    key = {"Idempotency-Key": f"undo-{report['id']}"}
    first, again = undo(api, report, **key), undo(api, report, **key)
    assert first.json == again.json and again.headers["Idempotency-Replayed"] == "true"


def test_a_dry_run_says_whether_it_could_be(api, imported, state):
    nip, report = imported
    before = state()
    assert undo(api, report, Prefer="dry-run").json["undone_at"]
    assert state() == before
    make.enrol(api, make.session(api)["id"], nip)
    undo(api, report, expect=409, Prefer="dry-run")


def test_who_may(api, keys, office, imported):
    _, report = imported
    other = api.as_key(keys("import.write", "asn.write", units=(make.unit(api, kind="dinas")["code"],)))
    undo(other, report, expect=404)
    assert undo(api.as_key(keys("import.write")), report, expect=403).code == "forbidden"
    person = make.person(api, office["id"])
    report = send(api, f"nip,kind,from,discipline_level\n{person['nip']},discipline,2019-04-01,berat\n", "history")
    undo(api.as_key(keys("import.write", "asn.write")), report, expect=403)
    undo(api, report)


def test_rows_of_reference_lists_and_tickets_are_kept_and_old_imports_forgotten(api, imported, sql):
    made = api("POST", "/v1/references/import", data=f"list,code,name\naward-kind,Z{make.number()},Uji\n".encode(), headers={"Content-Type": "text/csv"}, expect=200).json
    assert undo(api, made, expect=409).code == "import-kept"
    for path, rows in (("/v1/tickets/import", "service_code,number,taken_at\nX,1,2025-01-06 08:00\n"), ("/v1/surveys/answers/import", "survey,form,answered_on,U1\nX,1,2025-01-06,3\n"),
                       ("/v1/presence/import", "nip,month,present\n199912312022031998,2025-01,20\n")):
        made = api("POST", path, data=rows.encode(), headers={"Content-Type": "text/csv"}, expect=200).json
        assert undo(api, made, expect=409).code == "import-kept" and api.get(f"/v1/imports/{made['id']}").json["can_undo"] is False
    _, report = imported
    sql("UPDATE import SET started_at = started_at - interval '91 days' WHERE id = %s", (report["id"],))
    assert sql("SELECT import_forget(90)") == [(1,)]
    assert sql("SELECT count(*) FROM import_row WHERE import_id = %s", (report["id"],)) == [(0,)]
    assert undo(api, report, expect=409).code == "import-forgotten"
    assert api.get(f"/v1/imports/{report['id']}").json["can_undo"] is False


def test_the_command_line_undoes_too(database, api, office, tmp_path, imported):
    nip, report = imported
    run(database, "import", "--undo", report["id"], "--reason", "Salah berkas", "--dry-run")
    api.get(f"/v1/asn/{nip}")
    run(database, "import", "--undo", report["id"], "--reason", "Salah berkas")
    api.get(f"/v1/asn/{nip}", expect=404)
    again = run(database, "import", "--undo", report["id"], "--reason", "Salah berkas", check=False)
    assert again.returncode == 1 and "undone already" in again.stderr
    assert api.get(f"/v1/imports/{report['id']}").json["undone_by"] == "command line"
    assert run(database, "import", "--undo", report["id"], check=False).returncode == 2


# ── the feed, and others at the same moment ──

def test_the_feed_tells_what_went_and_what_came_back(api, office):
    person = make.person(api, office["id"])
    new = make.nip()
    report = send(api, f"nip,kind,name,unit_code\n{person['nip']},PNS,Nama Lain,{office['code']}\n{new},PNS,Pegawai Baru,{office['code']}\n")
    history = send(api, f"nip,kind,from,discipline_level\n{person['nip']},discipline,2019-04-01,berat\n", "history")
    token = api.get("/v1/asn", headers={"Accept": "application/x-ndjson"}).headers["Changes-After"]
    undo(api, history)
    undo(api, report)
    told = [(c["entity"], c["kind"], c["key"], c["part"]) for c in api.get(f"/v1/changes?after={token}&limit=1000").json["changes"]]
    assert ("asn", "updated", person["nip"], None) in told and ("asn", "deleted", new, None) in told
    assert ("history", "deleted", person["nip"], "discipline") in told
    assert not [t for t in told if t[0] == "history" and t[2] == new], "what goes with a person is not told one by one"


def test_who_writes_at_the_same_moment_is_before_or_after(api, office, database, imported):
    """A writer holds the person: the undo waits for it, and then sees what it did."""
    nip, report = imported
    with postgres.connected(database, autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("UPDATE asn SET name = 'Sementara' WHERE nip = %s", (nip,))
        answer = []
        thread = threading.Thread(target=lambda: answer.append(undo(api, report, expect=409)))
        thread.start()
        postgres.until_somebody_waits(database)
        other.commit()
        thread.join()
    assert faults(answer[0])["asn"] == (1, nip)


COMERS = {
    "enrolment": lambda api, nip: api("POST", "/v1/enrolments", json={"session_id": make.session(api)["id"], "nip": nip}),
    "skp": lambda api, nip: api("POST", "/v1/skps", json={"nip": nip, "period_id": make.period(api)["id"], "assessor_name": "Bupati", "assessor_position": "Bupati"}),
    "potential": lambda api, nip: api("POST", f"/v1/asn/{nip}/potentials", json={"score": 70, "method": "Asesmen uji"}),
    "ip_asn_bkn": lambda api, nip: api("PUT", f"/v1/asn/{nip}/professionalism-index/2025/bkn", json=BKN),
    "document": lambda api, nip: api("POST", f"/v1/asn/{nip}/documents?type=872", data=make.pdf(), headers={"Content-Type": "application/pdf"}),
}


@pytest.mark.parametrize("what", COMERS)
def test_who_comes_after_an_undo_finds_nobody(what, api, database, imported, sql):
    nip, report = imported
    number = f"SELECT count(*) FROM {what}"
    before = sql(number)
    with postgres.connected(database, autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT * FROM import_depends(%s, ARRAY[''::ltree], '{admin}')", (report["id"],))
        assert cursor.fetchall() == []
        answer = []
        thread = threading.Thread(target=lambda: answer.append(COMERS[what](api, nip)))
        thread.start()
        postgres.until_somebody_waits(database)
        cursor.execute("SELECT * FROM import_take_back(%s, 'uji', NULL, 'uji')", (report["id"],))
        assert cursor.fetchall() == []
        other.commit()
        thread.join()
    assert answer[0].status in (404, 422), answer[0].json
    assert sql(number) == before


def test_a_unit_that_goes_is_not_named_meanwhile(api, office, database, sql):
    code = f"G{make.number()}"
    report = send(api, f"code,name,kind\n{code},Dinas,dinas\n", "units")
    unit = sql("SELECT id::text FROM unit WHERE code = %s", (code,))[0][0]
    person = make.person(api, office["id"])
    body = {"kind": "position", "from": "2019-01-01", "facts": {"assignment": "plt", "position_kind": "struktural", "position": "Kepala", "unit_id": unit}}
    with postgres.connected(database, autocommit=False) as other, other.cursor() as cursor:
        cursor.execute("SELECT * FROM import_depends(%s, ARRAY[''::ltree], '{admin}')", (report["id"],))
        assert cursor.fetchall() == []
        answer = []
        thread = threading.Thread(target=lambda: answer.append(api("POST", f"/v1/asn/{person['nip']}/history", json=body)))
        thread.start()
        postgres.until_somebody_waits(database)
        cursor.execute("SELECT * FROM import_take_back(%s, 'uji', NULL, 'uji')", (report["id"],))
        other.commit()
        thread.join()
    assert (answer[0].status, answer[0].code) == (422, "reference-missing")
    assert sql("SELECT count(*) FROM history WHERE facts ->> 'unit_id' = %s", (unit,)) == [(0,)]


def test_of_two_at_once_one_undoes(api, imported):
    _, report = imported
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(api("POST", f"/v1/imports/{report['id']}/undo", json={"reason": "Ganda"}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status for a in answers) == [200, 409, 409, 409]


# ── the refused rows, mended ──

def refused(api, report):
    return {(f["line"], f["column"], f["code"]) for f in report["faults"]}, api.get(report["rejects"], headers={"Accept": "text/csv"}).text


def codes(report):
    return sorted((f["column"], f["code"]) for f in report["faults"] if f["code"] != "columns-ignored")


REJECTS = {
    "asn": ("nip,kind,name,unit_code,rank\n{a},PNS,Satu,NOWHERE,III/a\n{b},HONORER,Dua,{unit},III/a\n{c},PNS,Tiga,{unit},III/z\n{d},PNS,Empat,{unit},III/a\n",
            [("NOWHERE", "{unit}"), ("HONORER", "PNS"), ("III/z", "III/b")]),
    "units": ("code,name,kind,parent_code\nM{n}-1,Dinas,dinas,TIDAK-ADA\nM{n}-2,Dinas,istana,\nM{n}-3,Dinas,dinas,M{n}-2\nM{n}-4,Dinas,dinas,\n",
              [("TIDAK-ADA", "M{n}-4"), ("istana", "dinas")]),
    "history": ("nip,kind,from,rank,unit_code\n{e},rank,2019-04-01,III/z,\n{e},hobi,2019-05-01,III/a,\n{e},placement,2019-06-01,,TIDAK-ADA\n{e},rank,2011-04-01,II/c,\n",
                [("III/z", "III/a"), ("hobi", "rank"), (",2019-05-01,III/a,", ",2021-05-01,III/b,"), ("TIDAK-ADA", "{unit}")]),
}


@pytest.mark.parametrize("what", REJECTS)
def test_refused_rows_come_back_with_the_same_reasons_and_mended_they_are_taken(what, api, office):
    text, mends = REJECTS[what]
    known = {"n": make.number(), "unit": office["code"], "e": make.person(api, office["id"])["nip"], **{k: make.nip() for k in "abcd"}}
    report = send(api, text.format(**known), what)
    assert report["created"] == 1 and report["refused"] == 3, report
    _, rejects = refused(api, report)
    again = send(api, rejects, what)
    assert (again["rows"], again["refused"]) == (3, 3)
    assert codes(again) == codes(report)
    assert [line.split(",asnd_")[0] for line in refused(api, again)[1].splitlines()][0] == [line.split(",asnd_")[0] for line in rejects.splitlines()][0]
    for bad, good in mends:
        assert bad in rejects
        rejects = rejects.replace(bad, good.format(**known), 1)
    mended = send(api, rejects, what)
    assert counts(mended) == (3, 0, 0, 0), mended
