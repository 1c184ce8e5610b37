# SPDX-License-Identifier: Apache-2.0
"""Worksheets read back: rows of cells, and whether a cell says what JSON says."""
import io
import zipfile
from datetime import date, timedelta
from xml.etree import ElementTree

NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def cells(data):
    """Rows of the first worksheet: column letters → (type, text)."""
    book = zipfile.ZipFile(io.BytesIO(data))
    assert book.testzip() is None
    sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in sheet.iterfind(".//m:row", NS):
        found = {}
        for cell in row.iterfind("m:c", NS):
            column = 0
            for letter in cell.get("r").rstrip("0123456789"):
                column = column * 26 + ord(letter) - 64
            text = cell.find("m:v", NS)
            found[column - 1] = (cell.get("t", "n"), "".join(cell.find("m:is", NS).itertext()) if cell.get("t") == "inlineStr" else text.text, cell.get("s"))
        rows.append(found)
    return rows


def same(cell, value):
    kind, text, style = cell
    if isinstance(value, bool):
        return (kind, text) == ("b", str(int(value)))
    if isinstance(value, (int, float)):
        return kind == "n" and float(text) == float(value)
    if kind == "n" and isinstance(value, str):
        serial = int(float(text))  # 60 is the 29 February 1900 that a spreadsheet believes in
        return style is not None and (date(1899, 12, 31 if serial < 60 else 30) + timedelta(days=serial)).isoformat() == value
    return kind == "inlineStr" and (not isinstance(value, str) or text == value)
