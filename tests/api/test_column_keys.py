# SPDX-License-Identifier: Apache-2.0
"""A NIK stands in the database sealed, under a key that is not there: nothing finds it in the files, and everything that asks for it works as before. Keys
are exchanged while the daemon serves; a lost one is told; what was moved to another record is refused."""
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from support import client as clients, daemon as daemons, make, postgres

PLANTED = "7602031501907731"  # not one digit of it may be told twice by chance: looked for whole
CSV = {"Content-Type": "text/csv"}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "column-keys"
    subprocess.run([daemons.program(), "column-keys", "new", path], check=True, capture_output=True, env={**os.environ, **daemons.SANITIZERS})
    return path


@pytest.fixture(scope="module")
def settings(key_file):
    return {"column_keys_file": key_file}


@pytest.fixture(scope="module")
def sealed(database, key_file):
    """Whoever the template has is sealed too."""
    run(database, key_file, "apply")


@pytest.fixture(scope="module")
def office(api, sealed):
    return make.unit(api)


def run(database, key_file, *arguments, check=True):
    return daemons.run(database, "column-keys", *arguments, check=check, ASND_COLUMN_KEYS_FILE=str(key_file))


def hang_up(daemon):
    """Once it has read its settings again."""
    def told():
        return [line for line in daemon.log_lines() if line["event"] in ("reloaded", "reload-refused")]
    before = len(told())
    daemon.process.send_signal(signal.SIGHUP)
    return daemon._poll("word of the reload", lambda: told()[before:])[0]["event"]


def stored(sql, nip):
    return sql("SELECT nik FROM asn WHERE nip = %s", (nip,))[0][0]


def niks(api, query):
    return {row["nip"] for row in api.get(f"/v1/asn?{query}&limit=1000").json["data"]}


def test_it_is_sealed_where_it_stands_and_shown_as_before(api, office, sql):
    person = make.person(api, office["id"], nik="7602011501900123")
    assert person["nik"] == "7602011501900123"
    text = stored(sql, person["nip"])
    assert text.startswith(f"~1.0001.{person['id']}.") and "76020115" not in text and len(text) == 161
    assert api.get(f"/v1/asn/{person['nip']}").json["nik"] == "7602011501900123"
    assert api.get(f"/v1/asn?unit_id={office['id']}&fields=nip,nik", headers={"Accept": "text/csv"}).text.count("7602011501900123") == 1
    assert "76************23" in api.get(f"/v1/asn?unit_id={office['id']}", headers={"Accept": "application/x-ndjson"}).text


def test_the_same_one_is_no_change_and_another_one_is(api, office, sql):
    person = make.person(api, office["id"], nik="7602011501900124")
    first = stored(sql, person["nip"])
    same = api.patch(f"/v1/asn/{person['nip']}", {"nik": "7602011501900124", "birth_place": "Majene"}, etag="*").json
    assert same["nik"] == "7602011501900124" and stored(sql, person["nip"]) == first
    api.patch(f"/v1/asn/{person['nip']}", {"nik": "7602011501900125"}, etag="*")
    assert stored(sql, person["nip"])[45:67] != first[45:67]
    assert api.get(f"/v1/asn/{person['nip']}").json["nik"] == "7602011501900125"
    assert api.patch(f"/v1/asn/{person['nip']}", {"nik": None}, etag="*").json["nik"] is None
    body = {"kind": "PNS", "name": "Contoh Ditulis", "unit_id": office["id"], "nik": "7602011501900126"}
    put = api.put(f"/v1/asn/{person['nip']}", body, etag="*").json
    assert put["nik"] == "7602011501900126"
    again = api.put(f"/v1/asn/{person['nip']}", body, etag="*").json
    assert again["version"] == put["version"], "what is so already is no change"


@pytest.mark.parametrize("q, finds", [("7602041501900127", True), ("7602 0415 0190 0127", True), ("760204", True), ("76020415", True), ("760204150190", True),
                                      ("7602041501900128", False), ("760205", False), ("76020416", False)])
@pytest.mark.parametrize("way", ["q={q}", "q={q}&count=exact", "q={q}&as_of=2026-01-05", "q={q}&sort=-name"])
def test_it_is_found_by_all_of_its_digits_or_the_first_ones(way, q, finds, api, keys, office):
    nip = "199001152015031127"
    if api.get(f"/v1/asn/{nip}", expect=(200, 404)).status == 404:
        make.person(api, office["id"], nip=nip, nik="7602041501900127")
    assert (nip in niks(api, way.format(q=q))) == finds
    assert nip not in niks(api.as_key(keys("asn.read")), way.format(q=q))


def test_what_contradicts_it_is_known_without_it(api, office):
    woman = make.person(api, office["id"], nik="7602015501909999")
    assert woman["nik_warnings"] == ["NIK_SEX"]
    mended = api.patch(f"/v1/asn/{woman['nip']}", {"sex": "F"}, etag="*").json
    assert mended["nik_warnings"] == []
    later = api.patch(f"/v1/asn/{woman['nip']}", {"birth_date": "1990-01-16"}, etag="*").json
    assert later["nik_warnings"] == ["NIK_BIRTH"]


def test_two_of_one_nik_are_doubles(api, office):
    one, two = (make.person(api, office["id"], nik="7602061501900129") for _ in range(2))
    pairs = api.get(f"/v1/asn/doubles?nip={one['nip']}&limit=1000").json["data"]
    assert [p["why"] for p in pairs if {p["nip"], p["other_nip"]} == {one["nip"], two["nip"]}] and any("nik" in p["why"] for p in pairs)


def test_a_proposal_holds_it_sealed_and_makes_it_true(api, keys, office, sql):
    person = make.person(api, office["id"], nik="7602011501900130")
    clerk = api.as_key(keys("asn.read", "asn.sensitive", "request.read", "request.write"))
    made = clerk.post("/v1/change-requests", {"nip": person["nip"], "record": {"nik": "7602011501900131"}, "proof_text": "KTP"}, expect=201).json
    assert made["record"]["nik"] == "7602011501900131" and made["before"]["nik"] == "7602011501900130"
    assert sql("SELECT record ->> 'nik' LIKE '~1.%%', before ->> 'nik' LIKE '~1.%%' FROM change_request WHERE id = %s", (made["id"],)) == [(True, True)]
    assert api.get(f"/v1/change-requests/{made['id']}").json["record"]["nik"] == "7602011501900131"
    listed = [r for r in api.get(f"/v1/change-requests?nip={person['nip']}").json["data"] if r["id"] == made["id"]][0]
    assert (listed["record"]["nik"], listed["before"]["nik"]) == ("76************31", "76************30")
    api.post(f"/v1/change-requests/{made['id']}/approve", {}, headers={"If-Match": "*"}, expect=200)
    assert api.get(f"/v1/asn/{person['nip']}").json["nik"] == "7602011501900131"
    assert stored(sql, person["nip"])[8:44] == person["id"]


def test_lists_of_others_are_held_against_it(api, office):
    person = make.person(api, office["id"], nik="7602011501900132")
    same = api.post("/v1/asn/reconcile", {"people": [{"nip": person["nip"], "nik": "7602011501900132"}]}, expect=200).json
    assert (same["same"], same["different"]) == (1, [])
    other = api.post("/v1/asn/reconcile", {"people": [{"nip": person["nip"], "nik": "7602011501900133"}]}, expect=200).json["different"]
    assert other[0]["fields"] == [{"field": "nik", "theirs": "7602011501900133", "ours": "76************32"}]
    for nik, result in (("7602011501900133", "different"), ("7602011501900132", "same")):
        lines = api("POST", "/v1/asn/reconcile/file?with_same=true", data=f"nip,nik\n{person['nip']},{nik}\n".encode(), headers=CSV, expect=200).text
        assert f'"{result}"' in lines and "~" not in lines
        assert (result == "same") == (nik not in lines) and (result == "same") == ("76************32" not in lines)


def test_files_come_in_and_go_out(api, office, sql):
    nips = [make.nip() for _ in range(3)]

    def send(*niks_):
        rows = "".join(f"{nip},PNS,Contoh Berkas,{office['code']},{nik}\n" for nip, nik in zip(nips, niks_))
        return api("POST", "/v1/asn/import", data=("nip,kind,name,unit_code,nik\n" + rows).encode(), headers=CSV, expect=200).json
    first = send("7602011501900141", "7602011501900142", "7602011501900143")
    assert (first["created"], first["refused"]) == (3, 0)
    again = send("7602011501900141", "7602011501900142", "7602011501900143")
    assert (again["unchanged"], again["updated"]) == (3, 0)
    changed = send("7602011501900141", "7602011501900149", "")
    assert (changed["unchanged"], changed["updated"]) == (1, 2)
    assert [api.get(f"/v1/asn/{nip}").json["nik"] for nip in nips] == ["7602011501900141", "7602011501900149", None]
    assert sql("SELECT count(*) FROM asn WHERE nik NOT LIKE '~1.%%'") == [(0,)]
    api.post(f"/v1/imports/{changed['id']}/undo", {"reason": "salah berkas"}, expect=(200, 204))
    assert [api.get(f"/v1/asn/{nip}").json["nik"] for nip in nips] == ["7602011501900141", "7602011501900142", "7602011501900143"]


def test_refused_rows_are_kept_sealed(api, office, sql):
    text = f"nip,kind,name,unit_code,nik\n{make.nip()},PNS,Contoh Ditolak,tidak-ada,7602011501900151\n"
    report = api("POST", "/v1/asn/import", data=text.encode(), headers=CSV, expect=200).json
    assert report["refused"] == 1
    assert all(raw.startswith("~2.0001.") for raw, in sql("SELECT raw FROM import_reject WHERE import_id = %s", (report["id"],)))
    back = api.get(f"/v1/imports/{report['id']}/rejects", headers={"Accept": "text/csv"}).text
    assert "7602011501900151" in back and "unit-unknown" in back


def test_a_merge_is_taken_back_with_it(api, office):
    gone, heir = make.person(api, office["id"], nik="7602011501900161"), make.person(api, office["id"])
    api.post(f"/v1/asn/{gone['nip']}/merge", {"into": heir["nip"], "reason": "orang yang sama"}, expect=(200, 201))
    api.post(f"/v1/asn/{gone['nip']}/unmerge", {"reason": "bukan orang yang sama"}, expect=(200, 201))
    assert api.get(f"/v1/asn/{gone['nip']}").json["nik"] == "7602011501900161"


def test_a_person_is_told_it(api, office):
    person = make.person(api, office["id"], nik="7602011501900171")
    assert "7602011501900171" in api.get(f"/v1/asn/{person['nip']}/personal-data").text
    assert api.get(f"/v1/asn/{person['nip']}/personal-data/pdf", headers={"Accept": "application/pdf"}).bytes.startswith(b"%PDF")


def test_the_same_answer_is_given_again(api, office, sql):
    body = {"nip": make.nip(), "kind": "PNS", "name": "Contoh Dua Kali", "unit_id": office["id"], "nik": "7602011501900181"}
    headers = {"Idempotency-Key": "column-keys-1"}
    first = api.post("/v1/asn", body, headers=headers)
    assert api.post("/v1/asn", body, headers=headers).json == first.json
    api.post("/v1/asn", {**body, "nik": "7602011501900182"}, headers=headers, expect=422)
    assert sql("SELECT convert_from(body, 'UTF8') LIKE '~2.0001.%%' FROM idempotency WHERE key = 'column-keys-1'") == [(True,)]


def test_nothing_in_the_files_of_the_server_tells_it(api, keys, office, sql, database, daemon):
    """Tables, indexes, the log of changes (WAL) and what the server logs, after every way in that there is."""
    person = make.person(api, office["id"], nik=PLANTED)
    headers = {"Idempotency-Key": "column-keys-planted"}
    api.post("/v1/asn", {"nip": make.nip(), "kind": "PNS", "name": "Contoh Tertanam", "unit_id": office["id"], "nik": PLANTED}, headers=headers)
    other = make.person(api, office["id"])
    api.patch(f"/v1/asn/{other['nip']}", {"nik": PLANTED}, etag="*")
    api.patch(f"/v1/asn/{other['nip']}", {"nik": "7602011501900199"}, etag="*")
    api.put(f"/v1/asn/{other['nip']}", {"kind": "PNS", "name": "Contoh Lain", "unit_id": office["id"], "nik": PLANTED}, etag="*")
    api.post("/v1/change-requests", {"nip": other["nip"], "record": {"nik": PLANTED}, "proof_text": "KTP"}, expect=201)
    rows = f"{make.nip()},PNS,Contoh Berkas,{office['code']},{PLANTED}\n{make.nip()},PNS,Contoh Ditolak,tidak-ada,{PLANTED}\n{other['nip']},PNS,Contoh Lain,{office['code']},{PLANTED}\n"
    assert api("POST", "/v1/asn/import", data=("nip,kind,name,unit_code,nik\n" + rows).encode(), headers=CSV, expect=200).json["refused"] == 1
    api.post("/v1/asn/reconcile", {"people": [{"nip": other["nip"], "nik": PLANTED}]}, expect=200)
    assert person["nip"] in niks(api, f"q={PLANTED}&fields=nip,nik")
    heir = make.person(api, office["id"])
    api.post(f"/v1/asn/{person['nip']}/merge", {"into": heir["nip"], "reason": "orang yang sama"}, expect=(200, 201))
    sql("SELECT pg_switch_wal()")
    postgres.query(database, "CHECKPOINT")
    files = Path(sql("SHOW data_directory")[0][0])
    searched = subprocess.run(["grep", "-rlaF", "--", PLANTED, str(files.parent)], capture_output=True, text=True, check=False)
    assert searched.stdout == "" and PLANTED not in daemon.log_text()
    control = subprocess.run(["grep", "-rlaF", "--", "Contoh Tertanam", str(files)], capture_output=True, text=True, check=False)
    assert control.stdout, "what is not sealed is found, so the search searches"


def test_what_was_moved_to_another_record_is_refused(api, office, sql):
    one, two = make.person(api, office["id"], nik="7602011501900191"), make.person(api, office["id"], nik="7602011501900192")
    with pytest.raises(Exception, match="asn_nik_form"):
        sql("UPDATE asn a SET nik = b.nik FROM asn b WHERE a.nip = %s AND b.nip = %s RETURNING a.nip", (two["nip"], one["nip"]))
    forged = stored(sql, one["nip"]).replace(one["id"], two["id"])
    sql("UPDATE asn SET nik = %s WHERE nip = %s RETURNING nip", (forged, two["nip"]))
    refused = api.get(f"/v1/asn/{two['nip']}", expect=503)
    assert refused.json["code"] == "column-key-missing"
    assert api.get(f"/v1/asn/{one['nip']}").json["nik"] == "7602011501900191"
    sql("UPDATE asn SET nik = NULL WHERE nip = %s RETURNING nip", (two["nip"],))


def test_keys_are_exchanged_while_it_serves(api, office, sql, database, daemon, key_file):
    people = [make.person(api, office["id"], nik=f"76020715019{n:05}") for n in range(1, 13)]
    versions = {p["nip"]: p["version"] for p in people}
    told = sql("SELECT count(*) FROM change")
    stop, faults = threading.Event(), []

    def read():
        reader = clients.Client(daemon.url, api.key)
        while not stop.is_set():
            for p in people:
                seen = reader.get(f"/v1/asn/{p['nip']}", expect=None)
                if seen.status != 200 or seen.json["nik"] != p["nik"]:
                    faults.append(seen.text)
    threads = [threading.Thread(target=read) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        for number in ("0002", "0003"):
            daemons.run(database, "column-keys", "new", key_file)
            assert hang_up(daemon) == "reloaded"
            run(database, key_file, "apply")
            assert {key for key, in sql("SELECT DISTINCT substr(nik, 4, 4) FROM asn WHERE nik IS NOT NULL")} == {number}
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert faults == []
    assert {p["nip"]: api.get(f"/v1/asn/{p['nip']}").json["version"] for p in people} == versions, "sealing anew is no change"
    assert sql("SELECT count(*) FROM change") == told, "nor is it told"
    for table in ("change_request WHERE record ? 'nik' AND NOT record ->> 'nik' LIKE '~1.0003.%%'", "asn_merge WHERE NOT record ->> 'nik' LIKE '~1.0003.%%'",
                  "import_row WHERE NOT before ->> 'nik' LIKE '~1.0003.%%'", "import_reject WHERE NOT raw LIKE '~2.0003.%%'"):
        assert sql(f"SELECT count(*) FROM {table.replace('%%', '%')}") == [(0,)], table
    assert people[0]["nip"] in niks(api, f"q={people[0]['nik']}")
    report = sql("SELECT import_id FROM import_reject LIMIT 1")[0][0]
    assert "unit-unknown" in api.get(f"/v1/imports/{report}/rejects", headers={"Accept": "text/csv"}).text
    assert run(database, key_file, "apply").stdout == "", "again there is nothing to do"


def test_a_lost_key_is_told_and_breaks_nothing_else(api, office, database, daemon, key_file, tmp_path):
    person = make.person(api, office["id"], nik="7602011501900201")
    bare = make.person(api, office["id"])
    kept = key_file.read_text()
    lost = tmp_path / "other"
    daemons.run(database, "column-keys", "new", lost)
    key_file.write_text(with_lines(kept, lines_of(kept, "search"), [line.replace("0001 ", "0009 ") for line in lines_of(lost.read_text(), "0001")]))
    try:
        assert hang_up(daemon) == "reloaded"
        assert api.get(f"/v1/asn/{person['nip']}", expect=503).json["code"] == "column-key-missing"
        assert api.get(f"/v1/asn?unit_id={office['id']}", expect=503).json["code"] == "column-key-missing"
        assert api.get(f"/v1/asn/{bare['nip']}").json["nik"] is None
        assert api.get(f"/v1/asn?unit_id={office['id']}&fields=nip,name").json["data"]
        told = daemons.run(database, "check", "--security", check=False, ASND_COLUMN_KEYS_FILE=str(key_file)).stdout
        assert "weak column-key-missing: " in told and "0003" in told
        assert "KEY MISSING" in run(database, key_file, "status", check=False).stdout
        assert run(database, key_file, "apply", check=False).returncode == 1
        key_file.chmod(0o644)
        assert hang_up(daemon) == "reload-refused"
        key_file.chmod(0o600)
    finally:
        key_file.chmod(0o600)
        key_file.write_text(kept)
        assert hang_up(daemon) == "reloaded"
    assert api.get(f"/v1/asn/{person['nip']}").json["nik"] == "7602011501900201"


def lines_of(text, *names):
    return [line for line in text.splitlines() if line.split(" ")[0] in names]


def with_lines(text, *lines):
    return "\n".join([text.splitlines()[0], *(line for some in lines for line in some)]) + "\n"


@pytest.fixture
def others(key_file, database, tmp_path):
    """Files that another one's key, or all of its keys, were taken into."""
    other = tmp_path / "other"
    daemons.run(database, "column-keys", "new", other)
    strange, own = other.read_text(), key_file.read_text()
    numbers = [line.split(" ")[0] for line in own.splitlines() if line[0].isdigit()]
    made = {"whole": with_lines(own, lines_of(strange, "search"), [line.replace("0001 ", f"{n} ") for n in numbers for line in lines_of(strange, "0001")]),
            "key": with_lines(own, lines_of(own, "search"), [line.replace("0001 ", f"{numbers[-1]} ") for line in lines_of(strange, "0001")]),
            "search": with_lines(own, lines_of(strange, "search"), lines_of(own, *numbers)),
            "search and a new key": with_lines(own, lines_of(strange, "search"), lines_of(own, *numbers), [line.replace("0001 ", "0099 ") for line in lines_of(strange, "0001")])}
    told = {"whole": numbers[-1], "key": numbers[-1], "search": "search", "search and a new key": "search"}

    def write(what):
        path = tmp_path / "wrong"
        path.write_text(made[what])
        path.chmod(0o600)
        return path, told[what]
    return write


@pytest.mark.parametrize("known", [True, False], ids=["noted", "told by what is sealed"])
@pytest.mark.parametrize("what", ["whole", "key", "search", "search and a new key"])
def test_another_key_of_the_same_number_is_not_taken(what, known, api, office, sql, database, daemon, key_file, others, tmp_path):
    person = make.person(api, office["id"], nik="7602011501900221")
    wrong, name = others(what)
    assert {number for number, in sql("SELECT number FROM column_key")} >= {"search", "0001"}
    kept, noted = key_file.read_text(), sql("SELECT number, says FROM column_key ORDER BY 1")
    if not known:
        sql("DELETE FROM column_key")
    try:
        before = sql("SELECT number FROM column_key ORDER BY 1")
        for arguments in (("serve",), ("column-keys", "apply"), ("import", "asn", tmp_path / "none.csv")):
            (tmp_path / "none.csv").write_text("nip,kind,name,unit_code\n", encoding="utf-8")
            done = daemons.run(database, *arguments, check=False, ASND_COLUMN_KEYS_FILE=str(wrong), ASND_PORT="0")
            assert done.returncode == 1 and "is not the one that this database was written under" in done.stderr and name in done.stderr, (arguments, done.stderr)
        told = run(database, wrong, "status", check=False)
        assert told.returncode == 1 and "WRONG KEY: " in told.stdout and name in told.stdout
        told = daemons.run(database, "check", "--security", check=False, ASND_COLUMN_KEYS_FILE=str(wrong))
        assert told.returncode == 1 and "weak column-key-wrong: " in told.stdout
        key_file.write_text(wrong.read_text())
        assert hang_up(daemon) == "reload-refused"
        assert sql("SELECT number FROM column_key ORDER BY 1") == before, "nothing of a wrong file is noted"
    finally:
        key_file.write_text(kept)
        assert hang_up(daemon) == "reloaded"
        if not known:
            run(database, key_file, "apply")
    again = sql("SELECT number, says FROM column_key ORDER BY 1")
    assert {"search", name} <= {number for number, _ in again} and set(again) <= set(noted), "what the right file's keys are told by is what it was"
    assert api.get(f"/v1/asn/{person['nip']}").json["nik"] == "7602011501900221"
    assert run(database, key_file, "status").stdout.count("WRONG") == 0


def test_check_tells_what_is_left(api, office, sql, database, key_file):
    person = make.person(api, office["id"])
    sql("UPDATE asn SET nik = '7602011501900211' WHERE nip = %s RETURNING nip", (person["nip"],))
    assert api.get(f"/v1/asn/{person['nip']}").json["nik"] == "7602011501900211", "what is not sealed yet is shown"
    told = daemons.run(database, "check", "--security", check=False, ASND_COLUMN_KEYS_FILE=str(key_file)).stdout
    assert "weak column-keys-left: " in told
    assert "weak column-keys: " in daemons.run(database, "check", "--security", check=False).stdout
    assert "asn: 1 sealed" in run(database, key_file, "apply").stdout
    assert "weak column-keys" not in daemons.run(database, "check", "--security", check=False, ASND_COLUMN_KEYS_FILE=str(key_file)).stdout
    assert api.get(f"/v1/asn/{person['nip']}").json["nik"] == "7602011501900211"
