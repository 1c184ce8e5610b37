# SPDX-License-Identifier: Apache-2.0
"""asnd import tickets and answers: the same importers as the API's, without a network in between."""
import pytest

from support import daemon as daemons
from support import make


@pytest.fixture(scope="module")
def counter(api, office):
    return make.service_unit(api, office["id"])


def run(database, *arguments):
    return daemons.run(database, "import", *arguments).stdout


def test_tickets_from_a_file(api, counter, database, tmp_path):
    service = make.service(api, counter["id"], promise_minutes=10)
    file = tmp_path / "tickets.csv"
    file.write_text("service_code,number,taken_at,called_at,started_at,finished_at,nip,result\n" + "".join(
        f"{service['code']},{n:03d},2025-03-03T08:{n:02d}:00+08:00,2025-03-03T08:{n + 5:02d}:00+08:00,2025-03-03T08:{n + 5:02d}:00+08:00,2025-03-03T08:{n + 9:02d}:00+08:00,,completed\n"
        for n in range(6)) + f"NOT-THERE,001,2025-03-03T08:00:00+08:00,,,,,\n")
    assert "7 rows: 6 created, 0 updated, 0 unchanged, 1 refused" in run(database, "tickets", file, "--dry-run")
    assert api.get(f"/v1/tickets?service_id={service['id']}").json["data"] == []
    rejects = tmp_path / "rejects.csv"
    assert "6 created, 0 updated, 0 unchanged, 1 refused" in run(database, "tickets", file, "--rejects", rejects)
    assert "0 created, 0 updated, 6 unchanged, 1 refused" in run(database, "tickets", file)
    assert "NOT-THERE" in rejects.read_text()
    [row] = api.get(f"/v1/service-figures?from=2025-03&key={service['id']}").json["data"]
    assert (row["taken"], row["on_time"]) == (6, 6)


def test_answers_from_a_file(api, counter, database, tmp_path):
    survey = make.survey(api, counter["id"])
    file = tmp_path / "answers.csv"
    file.write_text("survey,form,answered_on,U1,U2,U3,U4,U5,U6,U7,U8,U9\n" + "".join(f"{survey['code']},{n:04d},{survey['starts_on']},4,4,4,4,4,4,4,4,4\n" for n in range(7)))
    assert "7 created, 0 updated, 0 unchanged, 0 refused" in run(database, "answers", file)
    assert "0 created, 0 updated, 7 unchanged, 0 refused" in run(database, "answers", file)
    told = api.get(f"/v1/surveys/{survey['id']}/result").json
    assert (told["respondents"], told["converted"].text) == (7, "100.00")
