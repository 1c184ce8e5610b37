# SPDX-License-Identifier: Apache-2.0
"""What falls due, while rules and people change at once."""
import threading

import pytest

from support import postgres

PERSON = "UPDATE asn SET position = 'Analis Ahli Utama' WHERE name = 'Pegawai Uji'"
RULE = "UPDATE reference SET facts = facts WHERE list = 'echelon'"
NEW = """INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, legal_status, appointed_on, position_kind, position)
         SELECT gen_random_uuid(), '1980011520050310' || (10 + %s)::text, 'PNS', 'Pegawai Uji', '1980-01-15', 'M', u.id, '01', '2005-03-01', 'fungsional', 'Analis Ahli Muda' FROM unit u"""


@pytest.mark.parametrize("number, first, second", [(1, PERSON, RULE), (2, RULE, PERSON), (3, NEW, RULE), (4, RULE, NEW)], ids=["person-rule", "rule-person", "new-rule", "rule-new"])
def test_a_person_who_changes_while_a_rule_does_falls_due_once(number, first, second, url):
    """By the rule that holds in the end: each would write what the other does not see."""
    with postgres.connected(url, autocommit=False) as one, postgres.connected(url, autocommit=False) as other:
        ask = {connection: connection.cursor() for connection in (one, other)}
        ask[one].execute("INSERT INTO unit (id, code, name, kind) VALUES (gen_random_uuid(), 'U', 'Dinas Uji', 'dinas') ON CONFLICT DO NOTHING")
        if NEW not in (first, second):
            ask[one].execute(NEW, (number,))
        one.commit()
        ask[one].execute(first, (number,) if first == NEW else None)
        waiting = threading.Thread(target=lambda: (ask[other].execute(second, (number,) if second == NEW else None), other.commit()))
        waiting.start()
        postgres.until_somebody_waits(url)
        one.commit()
        waiting.join()
    kept, told = (postgres.query(url, f"SELECT asn_id, list, rule, due_on FROM {name} ORDER BY 1, 2, 3") for name in ("due", "due_told"))
    assert kept == told and len({(asn_id, what) for asn_id, what, *_ in kept if what == "retirement"}) == sum(what == "retirement" for _, what, *_ in kept) > 0
