# SPDX-License-Identifier: Apache-2.0
"""The reference rows that the migrations bring: whole, each with its source, and what rules read of them."""
import pytest

VILLAGES = {"76.02.01": 8, "76.02.02": 10, "76.02.03": 14, "76.02.04": 13, "76.02.07": 9, "76.02.08": 7, "76.02.11": 14, "76.02.12": 8, "76.02.13": 7,
            "76.02.15": 9, "76.02.16": 2}  # Kepmendagri 300.2.2-2138/2025


def test_the_districts_of_mamuju_have_their_villages(run):
    rows = run("SELECT parent, count(*) FROM reference WHERE list = 'region' AND parent LIKE '76.02.%%' GROUP BY parent")
    assert dict(rows) == VILLAGES


@pytest.mark.parametrize("fault, statement", [
    ("a row without an English gloss", "SELECT list, code FROM reference WHERE name_en IS NULL"),
    ("a parent that is not there", """SELECT r.list, r.code FROM reference r WHERE r.parent IS NOT NULL
                                      AND NOT EXISTS (SELECT FROM reference p WHERE p.code = r.parent)"""),
    ("one SIASN id for two codes", "SELECT list, siasn_id FROM reference WHERE siasn_id IS NOT NULL GROUP BY 1, 2 HAVING count(DISTINCT code) > 1"),
    ("a list without rows", "SELECT list FROM reference_list l WHERE NOT EXISTS (SELECT FROM reference r WHERE r.list = l.list)"),
    ("a legal status that does not say whether it is in service", "SELECT code FROM reference WHERE list = 'legal-status' AND NOT facts ? 'in_service'"),
    ("a member of a history whose list is not there", "SELECT * FROM history_code c WHERE NOT EXISTS (SELECT FROM reference r WHERE r.list = c.list)"),
])
def test_there_is_no(fault, statement, run):
    assert run(statement) == [], fault


@pytest.mark.parametrize("which, word, code", [
    ("education-level", "S-1", "40"), ("education-level", "40", "40"), ("education-level", "D-III/Sarjana Muda", "30"), ("echelon", "II.b", "22"),
    ("echelon", "I.a", None), ("legal-status", "tugas belajar", "03"), ("rank-pns", "III/a", "III/a"), ("rank-pns", "Penata", "III/c")])
def test_a_word_means_a_code_if_it_means_one_only(which, word, code, run):
    rows = run("SELECT code FROM reference_word WHERE list = %s AND word = reference_fold(%s)", which, word)
    assert rows == ([(code,)] if code else [])


def test_a_code_that_ends_keeps_its_row(run, refused):
    run("INSERT INTO reference (list, code, name, valid, source) VALUES ('religion', 'X1', 'Lama', '[2000-01-01,2010-01-01)', 'uji')")
    run("INSERT INTO reference (list, code, name, valid, source) VALUES ('religion', 'X1', 'Baru', '[2010-01-01,)', 'uji')")
    assert run("SELECT reference_holds('religion', 'X1', '2009-12-31'), reference_holds('religion', 'X1', '1999-12-31')") == [(True, False)]
    assert refused("INSERT INTO reference (list, code, name, valid, source) VALUES ('religion', 'X1', 'Lagi', '[2012-01-01,)', 'uji')") == "reference_once_a_day"
