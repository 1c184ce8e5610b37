# SPDX-License-Identifier: Apache-2.0
"""Days to come: what a history says of them shows in the record on the day, once, whoever asks first."""
import uuid


def test_what_begins_and_ends_later_shows_on_its_day(make, run):
    person = make.person(make.unit())
    nip = run("SELECT nip FROM asn WHERE id = %s", person)[0][0]
    for kind, start, end, facts in (("rank", "2030-04-01", None, '{"rank": "III/a"}'), ("position", "2030-02-01", "2030-05-01",
                                                                                       '{"assignment": "definitive", "position_kind": "pelaksana", "position": "Uji"}')):
        entry = f'{{"kind": "{kind}", "from": "{start}", "to": {"null" if end is None else chr(34) + end + chr(34)}, "facts": {facts}}}'
        run("SELECT * FROM history_write(%s, %s, ARRAY[''::ltree], '{admin}', %s, NULL, NULL, NULL, 'uji')", str(uuid.uuid4()), nip, entry, today="2030-01-01")
    seen = []
    for today in ("2030-01-31", "2030-02-01", "2030-03-31", "2030-04-01", "2030-05-01"):
        shown = run("SELECT history_show_today()", today=today)[0][0]
        again = run("SELECT history_show_today()", today=today)[0][0]
        seen.append((shown, again, *run("SELECT rank, position FROM asn WHERE id = %s", person)[0]))
    assert seen == [(0, 0, None, None), (1, 0, None, "Uji"), (0, 0, None, "Uji"), (1, 0, "III/a", "Uji"), (1, 0, "III/a", None)]


def test_one_record_that_refuses_does_not_keep_the_others_waiting(make, run):
    unit = make.unit()
    odd, even = make.person(unit), make.person(unit)
    for person in (odd, even):
        nip = run("SELECT nip FROM asn WHERE id = %s", person)[0][0]
        run("SELECT * FROM history_write(%s, %s, ARRAY[''::ltree], '{admin}', %s, NULL, NULL, NULL, 'uji')", str(uuid.uuid4()), nip,
            '{"kind": "rank", "from": "2031-04-01", "facts": {"rank": "III/a"}}', today="2031-01-01")
    run("UPDATE history SET facts = '{\"rank\": \"IX\"}' WHERE asn_id = %s AND kind = 'rank'", odd)  # as it could be written once
    assert run("SELECT history_show_today()", today="2031-04-01") == [(1,)]
    assert run("SELECT rank FROM asn WHERE id IN (%s, %s) ORDER BY rank", odd, even) == [("III/a",), (None,)]
    assert run("SELECT asn_id::text FROM history_ahead WHERE day = '2031-04-01'") == [(str(odd),)]
