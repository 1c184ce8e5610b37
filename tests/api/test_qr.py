# SPDX-License-Identifier: Apache-2.0
"""The QR codes of tickets and surveys: what a reader finds in them is a link by which one can answer."""
import re
import subprocess

import pytest

from support import daemon as daemons
from support import make
from support.client import Client

PUBLIC, PORTAL = "https://asn.example.go.id", "https://skm.example.go.id/isi"


@pytest.fixture(scope="module")
def settings():
    return {"public_url": PUBLIC + "/", "public_rate": 1000000}


@pytest.fixture(scope="module")
def counter(api, office):
    return make.service_unit(api, office["id"])


def read(svg, tmp_path):
    """What a reader of codes finds; the image is painted from the SVG's own words, four pixels a module."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
    black = {(int(x) + n, int(y)) for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", svg) for n in range(int(length))}
    assert re.fullmatch(r'<svg xmlns="http://www.w3.org/2000/svg" [^<>]*><rect [^<>]*/><path d="(M\d+ \d+h\d+v1h-\d+z)+"/></svg>\n', svg)
    assert all(4 <= x < side - 4 and 4 <= y < side - 4 for x, y in black), "four modules around it stay white"
    rows = ("".join(("0 " if (x, y) in black else "255 ") * 4 for x in range(side)) for y in range(side) for _ in range(4))
    file = tmp_path / "code.pgm"
    file.write_text(f"P2\n{4 * side} {4 * side}\n255\n" + "\n".join(rows) + "\n")
    return subprocess.run(["zbarimg", "--quiet", "--raw", str(file)], capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_a_ticket_is_answered_by_what_its_code_says(api, anonymous, counter, tmp_path):
    survey = make.survey(api, counter["id"])
    ticket = make.ticket(api, make.service(api, counter["id"])["id"])
    reply = api("GET", f"/v1/tickets/{ticket['id']}/qr", expect=200)
    assert reply.headers["Content-Security-Policy"].startswith("sandbox")
    link = read(reply.text, tmp_path)
    assert re.fullmatch(rf"{PUBLIC}/v1/public/tickets/[\w-]+/survey", link)
    anonymous.post(link.removeprefix(PUBLIC), make.form(), expect=200)
    api.post(f"/v1/surveys/{survey['id']}/close")
    again = api("GET", f"/v1/tickets/{ticket['id']}/qr", expect=200)
    assert (again.text, again.etag) == (reply.text, reply.etag), "the same link is the same image"
    assert api("GET", f"/v1/tickets/{ticket['id']}/qr", headers={"If-None-Match": reply.etag}).status == 304


def test_a_survey_for_all_has_a_code_and_one_by_ticket_has_none(api, anonymous, counter, tmp_path):
    unit = make.service_unit(api, make.unit(api)["id"])
    survey = make.survey(api, unit["id"], is_open_link=True)
    link = read(api("GET", f"/v1/surveys/{survey['id']}/qr", expect=200).text, tmp_path)
    anonymous.post(link.removeprefix(PUBLIC), make.form(), expect=200)
    closed = make.survey(api, unit["id"], is_open=False)
    assert api("GET", f"/v1/surveys/{closed['id']}/qr", expect=409).code == "survey-no-link"


def test_where_the_code_leads_is_a_setting(api, counter, database, keys, tmp_path):
    ticket = make.ticket(api, make.service(api, counter["id"])["id"])
    path = f"/v1/tickets/{ticket['id']}"
    for settings, expected in (({"survey_url": PORTAL, "public_url": PUBLIC}, PORTAL), ({}, None)):
        other = daemons.Daemon(database, name="test_qr_other", **settings)
        try:
            client = Client(other.url, keys("admin"))
            if expected is None:
                assert client("GET", f"{path}/qr", expect=409).code == "service-address"
            else:
                token = client.get(path).json["answer_token"]
                found = read(client("GET", f"{path}/qr", expect=200).text, tmp_path)
                assert found.startswith(expected + "/") and len(found) == len(f"{expected}/{token}")
        finally:
            other.stop()


def test_codes_are_of_whoever_may_see_the_unit(api, keys, counter):
    ticket = make.ticket(api, make.service(api, counter["id"])["id"])
    other = api.as_key(keys("service.read", units=(make.unit(api)["code"],)))
    other("GET", f"/v1/tickets/{ticket['id']}/qr", expect=404)
    api.as_key(keys("service.read"))("GET", f"/v1/tickets/{ticket['id']}/qr", expect=200)
