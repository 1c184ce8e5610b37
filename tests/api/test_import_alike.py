# SPDX-License-Identifier: Apache-2.0
"""What holds for the files of every kind: a thing is told once in a file, however far apart its rows stand; and of what nothing has, what may have been meant is named."""
import pytest

from support import make

TAKES_LONG = True


@pytest.fixture(scope="module")
def counter(api, office):
    return make.service_unit(api, office["id"])


def send(api, what, rows, **headers):
    return api("POST", f"/v1/{what}/import", data=("\n".join(rows) + "\n").encode(), headers={"Content-Type": "text/csv", **headers}, expect=200).json


def presence(api, office, counter):
    person = make.person(api, office["id"])
    return "presence", "nip,month,present", [f"{person['nip']},2025-01,20"], f"{person['nip']},2025-01,21", ("month", 1)


def tickets(api, office, counter):
    service = make.service(api, counter["id"])
    return "tickets", "service_code,number,taken_at", [f"{service['code']},A1,2025-03-03 08:00"], f"{service['code']},A1,2025-03-03 08:30", ("number", 1)


def answers(api, office, counter):
    survey = make.survey(api, counter["id"])
    head = "survey,form,answered_on," + ",".join(f"U{n}" for n in range(1, 10))
    row = f"{survey['code']},1,{survey['starts_on']}" + ",{0}" * 9
    return "surveys/answers", head, [row.format(3)], row.format(4), ("form", 1)


def standards(api, office, counter):
    row = f"pelaksana,Jabatan {make.number()},kerja_sama,{{}},2024-02-01"
    return "competency-standards", "position_kind,position,competency,level,valid_from", [row.format(3)], row.format(4), ("competency", 1)


def assessments(api, office, counter):
    person = make.person(api, office["id"])
    return ("competency-assessments", "nip,assessed_on,method,source,integritas,komunikasi", [f"{person['nip']},2024-01-02,test,T,1,2"], f"{person['nip']},2024-01-02,test,T,,3",
            ("competency", 1))


def references(api, office, counter):
    code = f"UJI-{make.number()}"
    return "references", "list,code,name,valid_from", [f"award-kind,{code},Satu,2010-01-01"], f"award-kind,{code},Dua,2010-01-01", ("code", 1)


def questionnaires(api, office, counter):
    session = make.session(api, start=-400)
    rows = [f"{session['id']},participant,Map 1,{n},3" for n in range(1, 6)]
    return "questionnaires", "session_id,role,batch,form,R1", rows, rows[0][:-1] + "4", ("form", 5)


KINDS = {presence: 20000, tickets: 20000, answers: 20000, standards: 20000, assessments: 20000, references: 100000, questionnaires: 100000}  # rows of a batch


@pytest.mark.parametrize("kind", KINDS)
def test_a_thing_is_told_once_in_a_file_a_batch_behind_too(kind, api, office, counter):
    """In between stand rows that are cut short, which cost the importer least."""
    what, head, first, again, (column, made) = kind(api, office, counter)
    between = ["x"] * KINDS[kind]
    report = send(api, what, [head, *first, *between, again], Prefer="dry-run")
    told = [(f["line"], f["column"], f["code"]) for f in report["faults"] if f["code"] != "columns-missing"]
    assert report["created"] == made and report["refused"] == len(between) + 1, {k: report[k] for k in ("created", "updated", "unchanged", "refused")}
    assert not told or told == [(len(first) + len(between) + 2, column, "duplicate-row")], "the first hundred faults are told"
    report = send(api, what, [head, *first, again])
    faults = [(f["line"], f["column"], f["code"], f["detail"].endswith(" 2.")) for f in report["faults"] if f["code"] == "duplicate-row"]
    assert faults == [(len(first) + 2, column, "duplicate-row", True)]


def test_answers_that_come_behind_their_counted_batch_of_forms_are_refused(api, office, counter):
    """Counted is counted: what the same forms say in rows too far behind would be lost, so nobody is told that all is unchanged."""
    what, _, first, _, _ = questionnaires(api, office, counter)
    rows = [row + "," for row in first]
    more = [f"{row[:-1]},4".replace(",3,4", ",,4") for row in rows]
    report = send(api, what, ["session_id,role,batch,form,R1,R2", *rows, *["x"] * 100000, *more], Prefer="dry-run")
    assert (report["created"], report["unchanged"], report["refused"]) == (5, 0, 100005)


LATER = {
    presence: lambda row: row.rsplit(",", 1)[0] + ",32",
    standards: lambda row: row + ",2023-01-01", assessments: lambda row: row + ",2023-01-01", references: lambda row: row + ",2009-01-01",
}


@pytest.mark.parametrize("kind", LATER)
def test_a_row_that_was_refused_does_not_stand_for_a_later_one(kind, api, office, counter):
    what, head, first, again, _ = kind(api, office, counter)
    end = {standards: ",valid_until", assessments: ",valid_until", references: ",valid_to"}.get(kind, "")
    report = send(api, what, [head + end, LATER[kind](first[0]), again + ("," if end else "")])
    assert (report["created"], report["refused"], [f["line"] for f in report["faults"]]) == (1, 1, [2]), report


def slip(text, at=-1):
    """The same with one letter wrong."""
    text = list(text)
    text[at] = chr(ord(text[at]) + 1) if text[at] not in "9zZ" else chr(ord(text[at]) - 1)
    return "".join(text)


def test_what_may_have_been_meant(api, office, counter, keys):
    person, service, survey = make.person(api, office["id"]), make.service(api, counter["id"]), make.survey(api, counter["id"])
    nip, answered = person["nip"], f"{survey['starts_on']}" + ",3" * 9
    head = "survey,form,answered_on," + ",".join(f"U{n}" for n in range(1, 10)) + ",service_code,occupation"
    asked = [
        ("presence", "nip,month,present", f"{slip(nip, -6)},2025-01,20", "nip", nip),
        ("tickets", "service_code,number,taken_at", f"{service['code'].lower()},1,2025-03-03 08:00", "service_code", service["code"]),
        ("tickets", "service_code,number,taken_at,nip", f"{service['code']},1,2025-03-03 08:00,{slip(nip, -6)}", "nip", nip),
        ("tickets", "service_code,number,taken_at,state", f"{service['code']},1,2025-03-03 08:00,dipangil", "state", "called"),
        ("surveys/answers", head, f"{survey['code'].lower()},1,{answered},,", "survey", survey["code"]),
        ("surveys/answers", head, f"{survey['code']},1,{answered},{service['code'].lower()}x,", "service_code", service["code"]),
        ("surveys/answers", head, f"{survey['code']},1,{answered},,swata", "occupation", "swasta"),
        ("references", "list,code,name", "award-kinds,X,Nama", "list", "award-kind"),
        ("competency-assessments", "nip,assessed_on,method,source,integritas", f"{slip(nip, -6)},2024-01-02,test,T,1", "nip", nip),
        ("competency-assessments", "nip,assessed_on,method,source,competency,level", f"{nip},2024-01-02,test,T,Kerja smaa,1", "competency", "kerja_sama"),
        ("competency-assessments", "nip,assessed_on,method,source,integritas", f"{nip},2024-01-02,tets,T,1", "method", None),
        ("questionnaires", "session_id,role,batch,form,R1", "00000000-0000-7000-8000-000000000000,pesrta,M,1,3", "role", "participant"),
        ("asn", "nip,kind,name,unit_code,position_kind", f"{make.nip()},PNSS,Nama,{office['code']},strukturral", "kind", "PNS"),
        ("asn", "nip,kind,name,unit_code,position_kind", f"{make.nip()},PNS,Nama,{office['code']},strukturral", "position_kind", "struktural"),
        ("asn", "nip,kind,name,unit_code,sex", f"{make.nip()},PNS,Nama,{office['code']},9", "sex", None),
        ("history", "nip,kind,from,rank", f"{slip(nip, -6)},rank,2019-04-01,III/a", "nip", nip),
    ]
    for what, columns, row, column, meant in asked:
        report = send(api, what, [columns, row], Prefer="dry-run")
        found = {f["column"]: f.get("suggestion") for f in report["faults"]}
        assert column in found and found[column] == meant, (what, row, report["faults"])
    elsewhere = api.as_key(keys("import.write", "performance.write", "performance.read", units=(make.unit(api, kind="dinas")["code"],)))
    assert send(elsewhere, "presence", ["nip,month,present", f"{slip(nip, -6)},2025-01,20"])["faults"][0].get("suggestion") is None, "whom the sender does not see"
