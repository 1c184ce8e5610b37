# SPDX-License-Identifier: Apache-2.0
"""Bulk data in: counts, faults by row, repairs, refused rows as a file, nothing stored by a dry run, the same again changes nothing."""
import csv
import io
import json
from contextlib import closing

import psycopg2
import pytest

from support import make
from support.daemon import StreamReader, run

HEAD = "nip,kind,name,unit_code"


def send(api, content, path="/v1/asn/import", media_type="text/csv", expect=200, **headers):
    data = content.encode() if isinstance(content, str) else content
    return api("POST", path, data=data, headers={"Content-Type": media_type, **headers}, expect=expect)


def rows(n, office, **options):
    return [f"{make.nip(**options)},PNS,Pegawai Impor {make.number()},{office['code']}" for _ in range(n)]


def counts(report):
    return tuple(report[k] for k in ("rows", "created", "updated", "unchanged", "refused"))


def test_made_again_changed(api, office):
    lines = rows(5, office)
    report = send(api, "\n".join([HEAD, *lines]) + "\n").json
    assert counts(report) == (5, 5, 0, 0, 0) and report["faults"] == [] and report["rejects"] is None and not report["dry_run"]
    assert counts(send(api, "\n".join([HEAD, *lines])).json) == (5, 0, 0, 5, 0)
    lines[2] = lines[2].replace("Pegawai Impor", "Pegawai Ganti Nama")
    assert counts(send(api, "\n".join([HEAD, *lines])).json) == (5, 0, 1, 4, 0)
    assert api.get(f"/v1/asn/{lines[2][:18]}").json["name"].startswith("Pegawai Ganti Nama")


FORMS = {
    "semicolons": lambda t: t.replace(",", ";"),
    "tabs": lambda t: t.replace(",", "\t"),
    "byte-order-mark": lambda t: "\ufeff" + t,
    "carriage-returns": lambda t: t.replace("\n", "\r\n"),
    "quoted": lambda t: "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in t.splitlines()),
    "blank-lines": lambda t: t.replace("\n", "\n\n"),
    "other-order": lambda t: "\n".join(",".join(reversed(line.split(","))) for line in t.splitlines()),
    "no-newline-at-the-end": lambda t: t.rstrip("\n"),
}


@pytest.mark.parametrize("form", FORMS.keys())
def test_forms_of_csv(form, api, office):
    text = "\n".join([HEAD, *rows(3, office)]) + "\n"
    assert counts(send(api, FORMS[form](text)).json) == (3, 3, 0, 0, 0)


def test_ndjson(api, office):
    people = [{"nip": make.nip(), "kind": "PNS", "name": f"Pegawai Baris {i}", "unit_code": office["code"]} for i in range(3)]
    text = "".join(json.dumps(p) + "\n" for p in people)
    assert counts(send(api, text, media_type="application/x-ndjson").json) == (3, 3, 0, 0, 0)
    broken = text + '{"nip":\n' + json.dumps({**people[0], "nip": 5}) + "\n"
    report = send(api, broken, media_type="application/x-ndjson").json
    assert counts(report)[3:] == (3, 2) and {f["line"] for f in report["faults"]} == {4, 5}


FAULTS = {
    "no-unit": ("{nip},PNS,Nama,NOWHERE", "unit_code"),
    "empty-name": ("{nip},PNS,,{unit}", "name"),
    "month-13": ("199001152015131999,PNS,Nama,{unit}", "nip"),
    "kind-unknown": ("{nip},HONORER,Nama,{unit}", "kind"),
    "a-spreadsheets-number": ("1.98703E+17,PNS,Nama,{unit}", "nip"),
    "too-few-columns": ("{nip},PNS", None),
    "too-many-columns": ("{nip},PNS,Nama,{unit},lagi", None),
    "an-open-quote": ('{nip},PNS,"Nama,{unit}', None),
}


@pytest.mark.parametrize("case", FAULTS.keys())
def test_one_rows_fault_never_hides_anothers(case, api, office):
    bad, column = FAULTS[case]
    bad = bad.format(nip=make.nip(), unit=office["code"])
    good = rows(2, office)
    order = [good[0], bad, good[1]] if case != "an-open-quote" else [good[0], good[1], bad]
    report = send(api, "\n".join([HEAD, *order]) + "\n").json
    assert counts(report) == (3, 2, 0, 0, 1), report
    assert {f["line"] for f in report["faults"]} == {order.index(bad) + 2}, report
    if column:
        assert {f["column"] for f in report["faults"]} == {column}, report


def test_all_faults_of_a_row_are_told(api, office):
    report = send(api, f"{HEAD},rank\n123,HONORER,,NOWHERE,X/z\n").json
    assert {f["column"] for f in report["faults"]} >= {"nip", "kind", "name", "rank"}, report


MENDED = {
    "an-apostrophe": ("'{nip}", "{nip}"),
    "spaces": ("{nip8} {nip6} {nip1} {nip3}", "{nip}"),
}


@pytest.mark.parametrize("case", MENDED.keys())
def test_damage_with_one_reading_is_mended(case, api, office):
    nip = make.nip()
    written = MENDED[case][0].format(nip=nip, nip8=nip[:8], nip6=nip[8:14], nip1=nip[14], nip3=nip[15:])
    report = send(api, f"{HEAD}\n{written},PNS,Nama Rapi,{office['code']}\n").json
    assert counts(report) == (1, 1, 0, 0, 0), report
    assert report["repaired"] == 1
    api.get(f"/v1/asn/{nip}")


def test_dates_of_spreadsheets(api, office):
    nips = [make.nip() for _ in range(3)]
    lines = [f"{n},PNS,Nama,{office['code']},{d}" for n, d in zip(nips, ("15/01/1990", "15-01-1990", "1990-01-15"))]
    report = send(api, "\n".join([HEAD + ",birth_date", *lines])).json
    assert counts(report) == (3, 3, 0, 0, 0), report
    assert {api.get(f"/v1/asn/{n}").json["birth_date"] for n in nips} == {"1990-01-15"}


def test_the_refused_rows_come_back_and_can_be_mended(api, office):
    good, nip = rows(1, office), make.nip()
    bad = [f"{nip},PNS,Nama Benar,NOWHERE", "123,PNS,Nama Salah," + office["code"]]
    report = send(api, "\n".join([HEAD, bad[0], *good, bad[1]]) + "\n").json
    assert counts(report) == (3, 1, 0, 0, 2)
    rejects = api.get(report["rejects"], headers={"Accept": "text/csv"})
    table = list(csv.DictReader(io.StringIO(rejects.text.removeprefix("\ufeff"))))
    assert [r["nip"] for r in table] == [nip, "123"]
    assert {"nip", "kind", "name", "unit_code"} < set(table[0])
    lines = api.get(report["rejects"], headers={"Accept": "application/x-ndjson"}).text.splitlines()
    assert len(lines) == 2 and all(json.loads(line) for line in lines)
    # Mended, the very same file is taken; its columns about the faults do not disturb.
    mended = send(api, rejects.text.replace("NOWHERE", office["code"])).json
    assert (mended["created"], mended["refused"]) == (1, 1), mended
    assert api.get(f"/v1/asn/{nip}").json["unit_id"] == office["id"]


RUN = {"name": '=HYPERLINK("http://contoh.example";"klik")', "title_front": "-2+3", "title_back": '="S.Kom."', "birth_place": "@SUM(A1)", "position": "+1 Staf",
       "education": "\tD-III", "phone": "+62 812-0000-0001", "email": "-"}


@pytest.mark.parametrize("by", ["kept", "answered", "from-ndjson", "twice"])
def test_refused_rows_are_not_run_by_a_spreadsheet_and_mean_the_same_when_they_come_back(by, api, office):
    """The same cells, sent to a unit that is there and to one that is not."""

    def row(nip, unit):
        return {"nip": nip, "kind": "PNS", "unit_code": unit, **RUN}

    def table(person, quoting=csv.QUOTE_MINIMAL):
        out = io.StringIO()
        writer = csv.DictWriter(out, list(person), quoting=quoting, lineterminator="\n")
        writer.writeheader()
        writer.writerow(person)
        return out.getvalue()

    taken, nip = make.nip(), make.nip()
    assert send(api, table(row(taken, office["code"]))).json["created"] == 1
    refused = row(nip, "NOWHERE")
    if by == "from-ndjson":
        sent = send(api, json.dumps(refused) + "\n", media_type="application/x-ndjson")
    else:
        sent = send(api, table(refused, csv.QUOTE_ALL if by == "kept" else csv.QUOTE_MINIMAL), **({"Accept": "text/csv"} if by == "answered" else {}))
    text = sent.text if by == "answered" else api.get(sent.json["rejects"], headers={"Accept": "text/csv"}).text
    if by == "twice":
        text = send(api, text, Accept="text/csv").text
    back = list(csv.reader(io.StringIO(text)))
    assert len(back) == 2 and not [c for r in back for c in r if c[:1] in tuple("=+-@\t\r")], back
    assert send(api, text.replace("NOWHERE", office["code"])).json["created"] == 1
    first, second = ({k: api.get(f"/v1/asn/{n}").json[k] for k in RUN} for n in (taken, nip))
    assert first == second
    assert second["name"] == RUN["name"] and second["title_back"] == "S.Kom." and second["email"] is None


def test_the_value_and_the_advice_beside_a_refused_row_are_not_run_either(api, office):
    reply = send(api, f"nip,kind,name,unit_code,=cmd()\n123,=1+1,Nama,{office['code']},x\n", Accept="text/csv")
    cells = [c for r in csv.reader(io.StringIO(reply.text)) for c in r]
    assert {"'=cmd()", "'=1+1"} < set(cells) and not [c for c in cells if c[:1] in tuple("=+-@")], cells


def test_the_answer_may_be_the_refused_rows_themselves(api, office):
    text = "\n".join([HEAD, "123,PNS,Nama," + office["code"], *rows(1, office)]) + "\n"
    reply = send(api, text, Accept="text/csv")
    table = list(csv.DictReader(io.StringIO(reply.text.removeprefix("\ufeff"))))
    assert [r["nip"] for r in table] == ["123"]


@pytest.mark.parametrize("prefer", [{}, {"Prefer": "dry-run"}], ids=["stored", "dry-run"])
def test_refused_rows_do_not_hold_up_the_file_that_they_come_from(prefer, api, office, sql):
    """More of them than any buffer holds, for a client that reads nothing before it has sent everything."""
    before = sql("SELECT count(*) FROM import")[0][0]
    text = "\n".join([HEAD, *(f"123,PNS,Nama {i}," + office["code"] for i in range(30000))]) + "\n"
    reply = send(api, text, Accept="text/csv", **prefer)
    assert len(list(csv.DictReader(io.StringIO(reply.text.removeprefix("\ufeff"))))) == 30000
    assert sql("SELECT count(*) FROM import")[0][0] == before + (not prefer)


def test_an_import_that_answers_with_rows_happens_once_under_a_key_too(api, office, sql):
    text = "\n".join([HEAD, "123,PNS,Nama," + office["code"], *rows(1, office)]) + "\n"
    first = send(api, text, Accept="text/csv", **{"Idempotency-Key": "rows-once"})
    n = sql("SELECT count(*) FROM import")
    again = send(api, text, Accept="text/csv", **{"Idempotency-Key": "rows-once"})
    assert first.type == "text/csv" and again.headers["Idempotency-Replayed"] == "true"
    assert counts(again.json) == (2, 1, 0, 0, 1) and api.get(again.json["rejects"], headers={"Accept": "text/csv"}).text == first.text
    assert sql("SELECT count(*) FROM import") == n
    send(api, text + "\n123,PNS,B," + office["code"], Accept="text/csv", expect=422, **{"Idempotency-Key": "rows-once"})


def test_who_is_hired_elsewhere_while_a_file_is_read_is_not_taken_away(api, keys, office, database, sql):
    """The other's transaction is open when the row is looked up, and ends while the row is being stored."""
    other, nip = make.unit(api, kind="dinas"), make.nip()
    ours = api.as_key(keys("import.write", "asn.write", units=(office["code"],)))
    with closing(psycopg2.connect(database)) as theirs:
        with theirs.cursor() as cursor:
            cursor.execute("INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status) "
                           "VALUES (gen_random_uuid(), %s, 'PNS', 'Milik Mereka', '1990-01-15', 'M', %s, '01')", (nip, other["id"]))
        sent = StreamReader(send, ours, f"{HEAD}\n{nip},PNS,Diambil,{office['code']}\n{rows(1, office)[0]}\n")
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while sql(waits)[0][0] == 0:
            assert sent.is_alive(), sent.get()
        theirs.commit()
    report = sent.get().json
    assert counts(report) == (2, 1, 0, 0, 1) and report["faults"][0]["code"] == "nip-taken", report
    person = api.get(f"/v1/asn/{nip}").json
    assert (person["name"], person["unit_id"]) == ("Milik Mereka", other["id"])


def test_the_rows_of_others_need_the_scopes_of_the_records(api, keys, office):
    rejects = send(api, f"{HEAD},nik\n123,PNS,Nama,{office['code']},7604011501900001\n").json["rejects"]
    units = send(api, "code,name,kind,parent_code\nX,Nama,tak ada,\n", path="/v1/units/import").json["rejects"]
    for scopes, of_people, of_units in [(("import.write",), 403, 403), (("import.write", "asn.read"), 403, 403), (("import.write", "asn.sensitive"), 403, 403),
                                        (("import.write", "unit.read"), 403, 200), (("import.write", "asn.read", "asn.sensitive"), 200, 403)]:
        other = api.as_key(keys(*scopes))
        assert (other("GET", rejects).status, other("GET", units).status) == (of_people, of_units), scopes
    sender = api.as_key(keys("import.write", "asn.write", "asn.sensitive"))
    own = send(sender, f"{HEAD},nik\n123,PNS,Nama,{office['code']},7604011501900001\n").json["rejects"]
    assert "7604011501900001" in sender.get(own, headers={"Accept": "text/csv"}).text


def test_a_dry_run_tells_all_and_stores_nothing(api, office, sql):
    before = sql("SELECT (SELECT count(*) FROM asn), (SELECT count(*) FROM import)")
    text = "\n".join([HEAD, *rows(3, office), "123,PNS,Nama," + office["code"]]) + "\n"
    report = send(api, text, Prefer="dry-run").json
    assert counts(report) == (4, 3, 0, 0, 1) and report["dry_run"] and report["id"] is None
    assert sql("SELECT (SELECT count(*) FROM asn), (SELECT count(*) FROM import)") == before
    assert counts(send(api, text).json) == (4, 3, 0, 0, 1)


HEADERS = {
    "empty-file": ("", 400), "no-known-column": ("a,b,c\n1,2,3\n", 400), "nip-missing": ("kind,name\nPNS,Nama\n", 400),
    "column-twice": ("nip,nip,kind,name,unit_code\n1,2,PNS,N,U\n", 400),
}


@pytest.mark.parametrize("case", HEADERS.keys())
def test_a_header_that_cannot_be_understood_is_400(case, api):
    text, status = HEADERS[case]
    assert send(api, text, expect=status).json["detail"]


def person_lines(form, people):
    """CSV or NDJSON, and the line of the first."""
    if form == "ndjson":
        return "".join(json.dumps(p) + "\n" for p in people), {"media_type": "application/x-ndjson"}, 1
    head = list(people[0])
    return "\n".join([",".join(head), *(",".join(p[h] for h in head) for p in people)]) + "\n", {}, 2


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("between", [0, 5200])
def test_the_same_person_twice_in_a_file(between, form, api, office):
    """Told the same again it is unchanged; told otherwise it is refused by the line that was taken, a batch behind it too. A second time nothing changes."""
    first = {"nip": make.nip(), "kind": "PNS", "name": "Nama Pertama", "unit_code": office["code"], "position": "Analis"}
    people = [first, *({**first, "nip": n} for n in numbers(between)), {**first, "name": "Nama Kedua"}, first, {**first, "position": ""}, first]
    text, how, line = person_lines(form, people)
    n = len(people)
    for made in (1 + between, 0):
        report = send(api, text, **how).json
        assert counts(report) == (n, made, 0, n - 2 - made, 2), report
        assert [(f["line"] - line - between, f["column"], f["code"], f["value"]) for f in report["faults"]] == [(k, "nip", "duplicate-row", first["nip"]) for k in (1, 3)]
        assert all(f["detail"].endswith(f" {line}.") for f in report["faults"])
        person = api.get(f"/v1/asn/{first['nip']}").json
        assert (person["name"], person["position"], person["version"]) == ("Nama Pertama", "Analis", 1)


def numbers(n):
    return {make.nip(birth=f"{1970 + k % 30}{1 + k // 30 % 12:02d}{1 + k // 360 % 28:02d}") for k in range(n)}


def test_the_same_unit_twice_in_a_file(api):
    n = make.number()
    rows = f"U{n},Dinas,dinas\nV{n},Badan,badan\nU{n},Dinas,dinas\nU{n},Dinas Lain,dinas\n"
    for made in (2, 0):
        report = send(api, f"code,name,kind\n{rows}", "/v1/units/import").json
        assert counts(report) == (4, made, 0, 3 - made, 1), report
        assert [(f["line"], f["column"], f["code"]) for f in report["faults"]] == [(5, "code", "duplicate-row")] and report["faults"][0]["detail"].endswith(" 2.")


def test_whom_a_refused_row_is_about_a_later_row_may_tell(api, office):
    nip = make.nip()
    report = send(api, f"{HEAD}\n{nip},PNS,Nama Pertama,NOWHERE\n{nip},PNS,Nama Kedua,{office['code']}\n{nip},PNS,Nama Kedua,{office['code']}\n").json
    assert counts(report) == (3, 1, 0, 1, 1) and [(f["line"], f["code"]) for f in report["faults"]] == [(2, "unit-unknown")]
    assert api.get(f"/v1/asn/{nip}").json["name"] == "Nama Kedua"


def test_an_id_twice_in_a_file(api, office):
    """Of the same number it is the same row; of another, or another id of the same number, it contradicts."""
    nip, other = make.nip(), make.nip()
    text = "".join(f"{n},PNS,Nama,{office['code']},{i}\n" for n, i in ((nip, f"A-{nip}"), (nip, f"A-{nip}"), (other, f"A-{nip}"), (nip, f"B-{nip}"), (nip, "")))
    for made in (1, 0):
        report = send(api, f"{HEAD},siasn_id\n{text}").json
        # Once the id is known, the other number is but another number of whoever has it, and says nothing else.
        wanted = [(4, "duplicate-id"), (5, "duplicate-row")] if made else [(5, "duplicate-row")]
        assert [(f["line"], f["code"]) for f in report["faults"]] == wanted, report
        assert counts(report) == (5, made, 0, 5 - made - len(wanted), len(wanted)), report
    assert api.get(f"/v1/asn/{nip}/external-ids").json["external_ids"] == {"siasn": f"A-{nip}"}


def test_a_unit_that_nothing_is_suggests_one(api, keys):
    """By its code or its name; not to whoever does not see it."""
    n = make.number()
    unit = make.unit(api, code=f"DINKES-{n}", name=f"Dinas Kesehatan Masyarakat {n}", kind="dinas")
    for column, told, meant in (("unit_code", f"DINEKS-{n}", unit["code"]), ("unit_code", f"dinkes-{n}", unit["code"]), ("unit_name", f"Dinas Kesehtan Masyarakat {n}", unit["name"]),
                                ("unit_code", "SAMA-SEKALI-LAIN", None)):
        fault, = send(api, f"nip,kind,name,{column}\n{make.nip()},PNS,Nama,{told}\n").json["faults"]
        assert (fault["column"], fault["code"], fault["value"], fault.get("suggestion")) == (column, "unit-unknown", told, meant)
    theirs = api.as_key(keys("import.write", "asn.write", units=(make.unit(api, kind="dinas")["code"],)))
    fault, = send(theirs, f"{HEAD}\n{make.nip()},PNS,Nama,DINEKS-{n}\n").json["faults"]
    assert fault.get("suggestion") is None
    fault, = send(api, f"code,name,kind,parent_code\nSEKSI-{n},Seksi,seksi,DINEKS-{n}\n", "/v1/units/import").json["faults"]
    assert (fault["column"], fault["value"], fault.get("suggestion")) == ("parent_code", f"DINEKS-{n}", unit["code"])


@pytest.mark.parametrize("rank, since, refused", [("III/b", "2020-04-01", True), ("III/d", "2023-04-01", True), ("III/d", "2099-04-01", True),
                                                  ("III/c", "2023-04-01", False), ("III/d", "2025-04-01", False), ("III/c", "2024-04-01", False)])
def test_a_rank_that_the_histories_contradict_is_its_rows_fault(rank, since, refused, api, office):
    one, other = make.person(api, office["id"]), make.person(api, office["id"])
    for start, known in (("2020-04-01", "III/a"), ("2024-04-01", "III/c")):
        make.history(api, one["nip"], "rank", {"rank": known}, start)
    lines = [f"{p['nip']},PNS,{p['name']},{office['code']},{r},{d}" for p, r, d in ((one, rank, since), (other, "III/a", "2020-04-01"))]
    report = send(api, "\n".join([HEAD + ",rank,rank_since", *lines]) + "\n").json
    assert [(f["line"], f["column"], f["code"], f["value"]) for f in report["faults"]] == [(2, "rank", "history-disagrees", rank)] * refused
    assert api.get(f"/v1/asn/{other['nip']}").json["rank"] == "III/a"
    assert api.get(f"/v1/asn/{one['nip']}").json["rank"] == ("III/c" if refused else rank)


def test_restricted_people_are_named_and_the_others_taken(api, keys, office):
    held, free = make.person(api, office["id"]), make.person(api, office["id"])
    make.restriction(api, held["nip"])
    text = "\n".join([HEAD, *(f"{p['nip']},PNS,Nama Lain,{office['code']}" for p in (held, free))]) + "\n"
    report = send(api.as_key(keys("asn.read", "asn.write", "import.write")), text).json
    assert [(f["line"], f["column"], f["code"]) for f in report["faults"]] == [(2, "nip", "restricted")]
    assert [api.get(f"/v1/asn/{p['nip']}").json["name"] for p in (held, free)] == [held["name"], "Nama Lain"]
    assert counts(send(api, text).json) == (2, 0, 1, 1, 0)


def test_imports_are_listed_and_told(api, office):
    api("POST", "/v1/asn/import?file_name=pegawai-juli.csv", data="\n".join([HEAD, *rows(2, office)]).encode(),
        headers={"Content-Type": "text/csv"}, expect=200)
    newest = api.get("/v1/imports?limit=1").json["data"][0]
    assert (newest["kind"], newest["file_name"], newest["created"]) == ("asn", "pegawai-juli.csv", 2)
    assert api.get(f"/v1/imports/{newest['id']}").json == newest
    assert newest["id"] in {i["id"] for i in api.get("/v1/imports?kind=asn").json["data"]}
    assert newest["id"] not in {i["id"] for i in api.get("/v1/imports?kind=unit").json["data"]}


def test_an_import_under_a_key_happens_once(api, office, sql):
    text = "\n".join([HEAD, *rows(2, office)])
    first = send(api, text, **{"Idempotency-Key": "impor-sekali"})
    again = send(api, text, **{"Idempotency-Key": "impor-sekali"})
    assert again.json["id"] == first.json["id"] and again.headers["Idempotency-Replayed"] == "true"


def test_units_with_their_parents_in_any_order(api):
    n = make.number()
    text = f"code,name,kind,parent_code\nU{n}-C,Seksi,seksi,U{n}-B\nU{n}-B,Bidang,bidang,U{n}-A\nU{n}-A,Dinas,dinas,\n"
    report = send(api, text, path="/v1/units/import").json
    assert counts(report) == (3, 3, 0, 0, 0), report
    top = next(u for u in api.get("/v1/units?limit=1000").json["data"] if u["code"] == f"U{n}-A")
    assert {u["code"]: u["depth"] for u in api.get(f"/v1/units?under={top['id']}").json["data"]} == {f"U{n}-A": 1, f"U{n}-B": 2, f"U{n}-C": 3}
    assert counts(send(api, text, path="/v1/units/import").json) == (3, 0, 0, 3, 0)
    circle = f"code,name,kind,parent_code\nU{n}-A,Dinas,dinas,U{n}-C\n"
    report = send(api, circle, path="/v1/units/import").json
    assert report["refused"] == 1, report


def test_an_import_stays_within_the_callers_units(api, keys, office):
    other = make.unit(api, kind="dinas")
    ours = api.as_key(keys("admin", units=(office["code"],)))
    theirs = make.person(api, other["id"])
    text = "\n".join([HEAD, *rows(1, office), *rows(1, other), f"{theirs['nip']},PNS,Diambil,{office['code']}"]) + "\n"
    report = send(ours, text).json
    assert (report["created"], report["refused"]) == (1, 2), report
    assert api.get(f"/v1/asn/{theirs['nip']}").json == theirs
    imported = ours.get("/v1/imports").json["data"]
    assert {i["id"] for i in imported} == {report["id"]}, "another's imports are not there"


def test_the_command_line_says_the_same(database, api, office, tmp_path):
    good, bad = rows(2, office), "123,PNS,Nama," + office["code"]
    path, rejects = tmp_path / "asn.csv", tmp_path / "rejects.csv"
    path.write_text("\n".join([HEAD, *good, bad]) + "\n", encoding="utf-8")
    dry = run(database, "import", "asn", path, "--dry-run", check=False)
    assert api("GET", f"/v1/asn/{good[0][:18]}").status == 404, dry.stdout
    run(database, "import", "asn", path, "--rejects", rejects, check=False)
    api.get(f"/v1/asn/{good[0][:18]}")
    assert "123" in rejects.read_text(encoding="utf-8")
    path.write_text("\n".join([HEAD, good[0], good[0].replace("Impor", "Lain"), good[0]]) + "\n", encoding="utf-8")
    assert "3 rows: 0 created, 0 updated, 2 unchanged, 1 refused" in run(database, "import", "asn", path, "--rejects", rejects, check=False).stdout
    nip = good[0][:18]
    path.write_text(f"nip,kind,from,rank\n{nip},rank,2019-04-01,III/a\n{nip},rank,2019-04-01,III/b\n{nip},rank,2019-04-01,III/a\n", encoding="utf-8")
    for told in ("1 created, 0 updated, 1 unchanged, 1 refused", "0 created, 0 updated, 2 unchanged, 1 refused"):
        assert told in run(database, "import", "history", path, "--rejects", rejects, check=False).stdout
        assert "duplicate-row" in rejects.read_text(encoding="utf-8")
