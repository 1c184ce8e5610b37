# SPDX-License-Identifier: Apache-2.0
"""Reads at a standby: only for callers who send a position, never older than that, and whatever happens to the standby, the primary answers."""
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support import client as clients, daemon as daemons, make, postgres
from support.servers import pair
from support.writers import until as until_then

ANY = {"Asnd-Position": "0:0/0"}
BEYOND = "4294967295:FFFFFFFF/FFFFFFFF"
POSITION = re.compile(r"[0-9]{1,10}:[0-9A-F]{1,8}/[0-9A-F]{1,8}")
LAG_MS = 3000


def until(look, seconds=90):
    until_then(look, seconds)


@pytest.fixture(scope="module")
def servers():
    with pair() as made:
        yield made


@pytest.fixture(scope="module")
def primary(servers):
    return servers[0]


@pytest.fixture(scope="module")
def standby(servers):
    return servers[1]


@pytest.fixture(scope="module")
def cable(servers):
    return servers[2]


@pytest.fixture(scope="module")
def database(primary):
    return primary.url


@pytest.fixture(scope="module")
def settings(standby):
    return {"replica_url": standby.url, "replica_lag_ms": LAG_MS, "loops": 2, "statement_timeout_ms": 30000}


def counts(daemon):
    text = requests.get(f"{daemon.url}/metrics", timeout=30).text
    found = {what: int(n) for what, n in re.findall(r'^asnd_(?:reads|standby_passed_over)_total\{\w+="(\w+)"\} (\d+)$', text, re.MULTILINE)}
    return found | {name: int(n) for name, n in re.findall(r"^asnd_((?:loops|standby)\w*) (\d+)$", text, re.MULTILINE)}


class Since:
    """What has been counted since it was made."""

    def __init__(self, daemon):
        self.daemon, self.before = daemon, counts(daemon)

    def __getitem__(self, what):
        return counts(self.daemon)[what] - self.before[what]


def is_used(daemon):
    now = counts(daemon)
    return now["loops_with_standby"] == now["loops"]


@pytest.fixture
def used(daemon, standby, cable):
    """The daemon, with every loop reading at the standby; in the end that is so again."""
    def mend():
        cable.mend()
        standby.freeze(signal.SIGCONT)
        until(lambda: up(standby))
        standby.execute("SELECT pg_wal_replay_resume()")
        until(lambda: is_used(daemon), 60)
    mend()
    yield daemon
    mend()


def up(server):
    try:
        return server.execute("SELECT 1")
    except Exception:  # pylint: disable=broad-except
        server.start()
        return False


@pytest.fixture(scope="module")
def made(api):
    return make.unit(api, kind="dinas", name="Dinas Salinan")


def rename(api, unit, name):
    """The reply to a write of this name."""
    return api.patch(f"/v1/units/{unit['id']}", {"name": name}, etag="*")


def name_of(api, unit, position=None):
    return api.get(f"/v1/units/{unit['id']}", headers={"Asnd-Position": position} if position else {}).json["name"]


def last_request(daemon):
    return [line for line in daemon.log_lines() if line["event"] == "request" and line.get("operation") not in ("getMetrics", "getReadiness")][-1]


# ── who goes where ──

def test_without_a_position_nothing_is_read_at_the_standby(used, api, made):
    since = Since(used)
    for _ in range(20):
        name_of(api, made)
        api.get("/v1/units?limit=5")
    assert since["standby"] == 0 and since["primary"] == 40
    assert "read_at" not in last_request(used)


def test_whoever_would_have_any_reads_at_the_standby(used, api, made):
    since = Since(used)
    for _ in range(20):
        name_of(api, made, "0:0/0")
        api.get(f"/v1/units?limit=5&parent_id={made['id']}", headers=ANY)
    assert since["standby"] == 40 and since["primary"] == 0
    assert last_request(used)["read_at"] == "standby"


def test_a_write_says_where_it_stands(used, api, made):
    position = rename(api, made, "Dinas Satu").headers["Asnd-Position"]
    assert POSITION.fullmatch(position) and position != BEYOND
    until(lambda: name_of(api, made, position) == "Dinas Satu" and last_request(used)["read_at"] == "standby")
    assert "Asnd-Position" not in api.get(f"/v1/units/{made['id']}").headers


def test_what_was_not_written_stands_nowhere(used, api, made, anonymous):
    dry = api.patch(f"/v1/units/{made['id']}", {"name": "Dinas Uji Coba"}, etag="*", headers={"Prefer": "dry-run"})
    refused = api.post("/v1/units", {"code": "X"}, expect=(400, 422))
    unknown = anonymous("POST", "/v1/units", json={}, expect=401)
    assert not any("Asnd-Position" in reply.headers for reply in (dry, refused, unknown))


def test_a_stored_answer_stands_where_it_can_be_read(used, api):
    unit = {"code": f"SLN{make.number()}", "name": "Unit Salinan", "kind": "dinas"}
    replies = [api.post("/v1/units", unit, headers={"Idempotency-Key": unit["code"]}) for _ in range(2)]
    assert replies[1].headers["Idempotency-Replayed"] == "true"
    for reply in replies:
        assert name_of(api, reply.json, reply.headers["Asnd-Position"]) == "Unit Salinan"


def test_a_reply_that_begins_before_its_commit_sends_reads_to_the_primary(used, api):
    rows = "nip,kind,name,unit_code\n" + f"{make.nip(sex=3)},PNS,Ditolak,TIDAKADA\n" * 3
    reply = api("POST", "/v1/asn/import", data=rows.encode(), headers={"Content-Type": "text/csv", "Accept": "text/csv"}, expect=200)
    assert reply.headers["Asnd-Position"] == BEYOND
    since = Since(used)
    api.get("/v1/imports", headers={"Asnd-Position": BEYOND})
    assert since["primary"] == 1 and since["behind"] == 1


@pytest.mark.parametrize("text", ["", "0/0", "1:0", "x", "1:0/0 1", "99999999999:0/0", "1:123456789/0", "1:0/0'; --", "é"])
def test_what_is_no_position_is_refused(used, api, made, text):
    if not text:
        reply = requests.get(f"{used.url}/v1/units", headers={"Authorization": f"Bearer {api.key}", "Asnd-Position": ""}, timeout=30)
        assert reply.status_code == 400
        return
    reply = api.get(f"/v1/units/{made['id']}", headers={"Asnd-Position": text.encode("utf-8")}, expect=400)
    assert reply.code == "bad-request" and reply.faults == {"Asnd-Position": "pattern"}
    rename_reply = api.patch(f"/v1/units/{made['id']}", {"name": "Dinas Lain"}, etag="*", headers={"Asnd-Position": text.encode("utf-8")})
    assert rename_reply.status == 200, "of a write it is not asked"


def test_a_position_that_nobody_has_is_the_primarys(used, api, made):
    since = Since(used)
    name_of(api, made, BEYOND)
    name_of(api, made, "7:0/0")
    assert since["primary"] == 2 and since["behind"] == 2


def test_without_a_standby_there_are_no_positions(primary, api, made):
    alone = daemons.Daemon(primary.url, name="alone")
    try:
        mine = clients.Client(alone.url, api.key)
        assert "Asnd-Position" not in rename(mine, made, "Dinas Dua").headers
        assert name_of(mine, made, BEYOND) == "Dinas Dua"
        assert counts(alone)["standby"] == 0 and counts(alone)["standby_lag_milliseconds"] == 0
    finally:
        alone.stop()


def test_every_list_is_the_same_there(used, api, contract):
    """And nothing that a query does needs the primary."""
    settle(used, api)
    paths = [o.path for o in contract.operations.values() if o.method == "get" and not o.where("path") and "application/json" in o.success_types() and o.path.startswith("/v1/")
             and not any(p.get("required") for p in o.parameters)]
    since = Since(used)
    for path in paths:
        here, there = api.get(path, expect=None), api.get(path, headers=ANY, expect=None)
        if here.status == 200:
            assert there.status == 200 and (volatile(here.json) == volatile(there.json)), path
        else:
            assert there.status == here.status, path
    assert since["failed"] == 0 and since["standby"] > 60, "they were answered by the primary"


def settle(daemon, api):
    """All that was written can be read there."""
    position = api.post("/v1/units", {"code": f"TNG{make.number()}", "name": "Unit Tenang", "kind": "dinas"}).headers["Asnd-Position"]

    def is_there():
        since = Since(daemon)
        api.get("/v1/units?limit=1", headers={"Asnd-Position": position})
        return since["standby"] == 1
    until(is_there)


def volatile(value):
    """Without the moments at which it was worked out, and sealed tokens, which never are the same twice."""
    if isinstance(value, dict):
        return {k: volatile(v) for k, v in value.items() if k not in ("as_of", "computed_at", "generated_at", "now", "next", "cursor")}
    return [volatile(v) for v in value] if isinstance(value, list) else value


def test_the_feed_is_read_at_the_primary(used, api):
    """How far it can be read only the primary knows."""
    since = Since(used)
    api.get("/v1/changes", headers=ANY)
    assert since["standby"] == 0 and since["primary"] == 1


def test_what_is_sensitive_leaves_its_entry(used, api, sql):
    person = make.person(api, make.unit(api)["id"], nik="7602011501900044")
    settle(used, api)
    reply = api.get(f"/v1/asn/{person['nip']}", headers=ANY)
    assert reply.json["nik"] == "7602011501900044" and last_request(used)["read_at"] == "standby"
    entries = sql("SELECT operation FROM audit_entry WHERE content LIKE '%%' || %s || '%%'", (reply.headers["X-Request-Id"],))
    assert entries == [("getAsn",)]


def test_a_revoked_key_reads_nowhere(used, daemon, primary, made):
    key = daemon.create_key(name="revoked", scopes=["unit.read"])
    mine = clients.Client(daemon.url, key)
    mine.get(f"/v1/units/{made['id']}", headers=ANY)
    primary_sql = "UPDATE api_key SET revoked_at = now() WHERE name = 'revoked'"
    postgres.query(primary.url, primary_sql)
    until(lambda: mine.get(f"/v1/units/{made['id']}", headers=ANY, expect=(200, 401)).status == 401)


def test_whose_rows_a_key_sees_is_held_there_too(used, daemon, api):
    mine, other = make.unit(api), make.unit(api)
    settle(used, api)
    bound = clients.Client(daemon.url, daemon.create_key(name="bound", scopes=["unit.read"], units=[mine["code"]]))
    since = Since(used)
    assert bound.get(f"/v1/units/{mine['id']}", headers=ANY).status == 200
    assert bound.get(f"/v1/units/{other['id']}", headers=ANY, expect=404).code == "not-found"
    assert since["standby"] == 2


# ── never older than one's own writes ──

def test_a_write_is_seen_though_the_standby_stands_still(used, api, made, standby):
    rename(api, made, "Dinas Lama")
    settle(used, api)
    standby.execute("SELECT pg_wal_replay_pause()")
    until(lambda: standby.execute("SELECT 1 WHERE pg_get_wal_replay_pause_state() = 'paused'"))
    since = Since(used)
    position = rename(api, made, "Dinas Baru").headers["Asnd-Position"]
    assert name_of(api, made, "0:0/0") == "Dinas Lama", "whoever would have any gets what is there"
    for _ in range(20):
        assert name_of(api, made, position) == "Dinas Baru"
    assert since["standby"] == 1 and since["primary"] == 20
    standby.execute("SELECT pg_wal_replay_resume()")
    before = Since(used)
    until(lambda: name_of(api, made, position) == "Dinas Baru" and before["standby"] > 0)


def test_nobody_reads_what_is_older_than_his_own_write(used, api, standby):
    """Eight clients, while replay stops and goes on."""
    ends = threading.Event()
    since = Since(used)
    units = [make.unit(api) for _ in range(8)]

    def write_and_read(unit):
        mine, turns = clients.Client(used.url, api.key), 0
        while not ends.is_set():
            position = rename(mine, unit, f"Nama {turns}").headers["Asnd-Position"]
            for _ in range(4):
                assert name_of(mine, unit, position) == f"Nama {turns}"
            turns += 1
        return turns
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(write_and_read, unit) for unit in units]
        try:
            for _ in range(6):
                before = Since(used)
                standby.execute("SELECT pg_wal_replay_pause()")
                until(lambda: before["behind"] > 40 or any(w.done() for w in work))
                standby.execute("SELECT pg_wal_replay_resume()")
                until(lambda: before["standby"] > 10 or any(w.done() for w in work))
        finally:
            ends.set()
    assert sum(each.result() for each in work) > 50
    print(f"{since['standby']} reads at the standby, {since['primary']} at the primary, {since['behind']} because it was behind: none was older than its caller's write")


# ── a standby in trouble ──

def is_not_used(daemon):
    return counts(daemon)["loops_with_standby"] == 0


def test_one_that_lags_is_left_alone(used, api, made, standby):
    rename(api, made, "Dinas Kemarin")
    settle(used, api)
    standby.execute("SELECT pg_wal_replay_pause()")
    rename(api, made, "Dinas Hari Ini")
    until(lambda: is_not_used(used))
    since = Since(used)
    assert name_of(api, made, "0:0/0") == "Dinas Hari Ini"
    assert since["stale"] == 1 and counts(used)["standby_lag_milliseconds"] >= LAG_MS
    until(lambda: any(line["event"] == "replica-not-used" and line["reason"] == "it is too old" for line in used.log_lines()))
    standby.execute("SELECT pg_wal_replay_resume()")
    until(lambda: is_used(used))


def test_one_that_is_cut_off_is_left_alone_though_it_believes_itself_up_to_date(used, api, made, standby, cable):
    rename(api, made, "Dinas Terhubung")
    settle(used, api)
    cable.cut()
    rename(api, made, "Dinas Terputus")
    until(lambda: is_not_used(used))
    assert standby.execute("SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()") == [(True,)]
    assert name_of(api, made, "0:0/0") == "Dinas Terputus"


class Readers:
    """Clients that read with the position that any standby has, until told to stop; each reply must be good."""

    def __init__(self, daemon, key, path, count=6):
        self._ends, self._errors, self.replies = threading.Event(), [], [0] * count
        self._daemon, self._key, self._path = daemon, key, path
        self._threads = [threading.Thread(target=self._read, args=(n,)) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def _read(self, number):
        session = requests.Session()
        session.trust_env = False
        while not self._ends.is_set():
            reply = session.get(self._daemon.url + self._path, headers={"Authorization": f"Bearer {self._key}", **ANY}, timeout=60)
            if reply.status_code != 200:
                self._errors.append((reply.status_code, reply.text[:300]))
            self.replies[number] += 1

    def wait_for_each(self, more):
        """Until every one of them has had so many replies."""
        goals = [n + more for n in self.replies]
        until(lambda: all(n >= goal for n, goal in zip(self.replies, goals)))

    def stop(self):
        self._ends.set()
        for thread in self._threads:
            thread.join()
        assert not self._errors, self._errors[:3]
        return sum(self.replies)


@pytest.fixture
def readers(used, api, made):
    begun = []

    def begin(path=f"/v1/units/{made['id']}"):
        begun.append(Readers(used, api.key, path))
        return begun[-1]
    yield begin
    for one in begun:
        one.stop()


def test_when_it_dies_no_read_fails(used, readers, standby):
    reading = readers()
    since = Since(used)
    until(lambda: since["standby"] > 40, 60)
    standby.kill()
    until(lambda: is_not_used(used))
    after = Since(used)
    until(lambda: after["primary"] > 40, 60)
    assert used.is_ready(), "without a standby it serves as ever"
    until(lambda: up(standby))
    until(lambda: is_used(used), 60)
    again = Since(used)
    until(lambda: again["standby"] > 40, 60)
    assert reading.stop() > 120
    assert {"replica-used", "replica-not-used"} <= {line["event"] for line in used.log_lines()}


def test_when_it_stands_still_no_read_fails(used, readers, standby):
    reading = readers()
    since = Since(used)
    until(lambda: since["standby"] > 40, 60)
    standby.freeze()
    reading.wait_for_each(3)  # nobody is left waiting there
    assert since["failed"] >= 1
    standby.freeze(signal.SIGCONT)
    reading.stop()


def test_a_read_in_the_way_of_replay_is_answered_by_the_primary(used, api, primary, standby):
    """Replay may cancel what is in its way at once. A reader is held up there behind the lock of one table while it has another; then replay wants that one."""
    standby.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    standby.execute("SELECT pg_reload_conf()")
    settle(used, api)
    since = Since(used)
    with postgres.connected(primary.url, autocommit=False) as holder, postgres.connected(primary.url, autocommit=False) as second, ThreadPoolExecutor(1) as pool:
        lock(holder, "programme", primary)
        until(lambda: standby.execute("SELECT 1 FROM pg_locks WHERE relation = 'programme'::regclass AND mode = 'AccessExclusiveLock' AND granted", "asnd"))
        reading = pool.submit(lambda: api.get("/v1/budget-lines?limit=3", headers=ANY))
        until(lambda: standby.execute(HELD_UP, "asnd"))
        lock(second, standby.execute(HELD_UP, "asnd")[0][0], primary)
        until(lambda: since["failed"] >= 1)
        holder.rollback()
        second.rollback()
        assert reading.result().status == 200
    standby.execute("ALTER SYSTEM RESET max_standby_streaming_delay")
    standby.execute("SELECT pg_reload_conf()")


def lock(connection, table, primary):
    """It goes to the standby with the next commit."""
    connection.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    primary.execute("SELECT pg_current_xact_id()")


# Tables that a reader has who waits for one more.
HELD_UP = """SELECT l.relation::regclass::text FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_class c ON c.oid = l.relation
             WHERE a.application_name = 'asnd replica' AND l.granted AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
               AND EXISTS (SELECT FROM pg_locks w WHERE w.pid = l.pid AND NOT w.granted)"""


# ── a standby of something else, none, another ──

def told(daemon, reason):
    return any(line["event"] == "replica-not-used" and line["reason"] == reason for line in daemon.log_lines())


@pytest.fixture
def other(primary, api):
    """A daemon with another replica_url."""
    begun = []

    def begin(url=None, **settings):
        begun.append(daemons.Daemon(primary.url, name="other", loops=1, **settings, **({"replica_url": url} if url else {})))
        begun[-1].api = clients.Client(begun[-1].url, api.key)
        return begun[-1]
    yield begin
    for one in begun:
        one.stop()


def test_a_standby_of_another_database_is_not_used(other, standby, made):
    daemon = other(standby.url.replace("/asnd?", "/postgres?"))
    until(lambda: told(daemon, "it is of another database"))
    assert name_of(daemon.api, made, "0:0/0") and counts(daemon)["standby"] == 0


def test_a_primary_is_no_standby(other, primary, made):
    daemon = other(primary.url)
    until(lambda: told(daemon, "it does not answer"))  # libpq is told to take only a standby
    assert name_of(daemon.api, made, "0:0/0") and counts(daemon)["standby"] == 0
    daemon = other(primary.url + "&target_session_attrs=any")
    until(lambda: told(daemon, "it is no standby"))
    assert name_of(daemon.api, made, "0:0/0") and counts(daemon)["standby"] == 0


def test_nobody_there_holds_nothing_up(other, made):
    daemon = other("postgresql://postgres@/asnd?host=/nowhere")
    assert daemon.is_ready()
    position = rename(daemon.api, made, "Dinas Tiga").headers["Asnd-Position"]
    assert name_of(daemon.api, made, position) == "Dinas Tiga"
    assert counts(daemon)["away"] == 1


def test_it_comes_and_goes_by_a_reload(other, standby, made, tmp_path):
    path = tmp_path / "asnd.conf"
    path.write_text("", encoding="utf-8")
    daemon = other(config=path)
    assert "Asnd-Position" not in rename(daemon.api, made, "Dinas Empat").headers

    def reload(text):
        path.write_text(text, encoding="utf-8")
        daemon.process.send_signal(signal.SIGHUP)
    reload(f"replica_url = {standby.url}\n")
    until(lambda: is_used(daemon))
    assert not any(line.get("needs_restart") for line in daemon.log_lines())
    position = rename(daemon.api, made, "Dinas Lima").headers["Asnd-Position"]
    until(lambda: name_of(daemon.api, made, position) == "Dinas Lima" and counts(daemon)["standby"] > 0)
    reload("")
    until(lambda: counts(daemon)["loops_with_standby"] == 0)
    since = Since(daemon)
    assert name_of(daemon.api, made, "0:0/0") == "Dinas Lima" and since["primary"] == 1
