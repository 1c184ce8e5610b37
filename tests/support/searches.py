# SPDX-License-Identifier: Apache-2.0
"""The documented set of searches of listAsn: each filter alone with a frequent and a rare value, and what goes badly together: filters that exclude each other, that
go with the order, that leave little of a large or of a small subtree. docs/performance.md and tests/migration/test_plans.py speak of these."""

FILTERS = {
    "everybody": {},
    "kind, frequent": {"kind": "PNS"},
    "kind, rare": {"kind": "PPPK_PARUH_WAKTU"},
    "several kinds": {"kind": "CPNS,PPPK_PARUH_WAKTU"},
    "rank, frequent": {"rank": "IX"},
    "rank, rare": {"rank": "IV/e"},
    "ranks from": {"rank_min": "IV/c"},
    "ranks between": {"rank_min": "III/a", "rank_max": "III/d"},
    "position, rare education": {"position_kind": "struktural", "education_level": "05"},
    "status, rare": {"legal_status": "14,66"},
    "excluding each other": {"kind": "PPPK", "rank": "III/a"},
    "all codes": {"kind": "PNS", "rank": "III/b", "position_kind": "pelaksana", "education_level": "15", "legal_status": "99", "sex": "M"},
    "sex and age": {"sex": "F", "age_min": 50, "age_max": 55},
    "the old": {"age_min": 59},
    "the young": {"age_max": 23},
    "the young, all codes": {"age_max": 23, "kind": "PNS", "position_kind": "struktural", "legal_status": "01"},
    "old for the rank": {"age_min": 57, "rank": "II/a"},
    "retirement year": {"retires_in": 2031},
    "retirement year and rank": {"retires_in": 2031, "rank_min": "IV/a"},
    "changed since long": {"updated_since": "2020-01-01T00:00:00Z"},
    "changed since now": {"updated_since": "2099-12-31T00:00:00Z"},
    "unit": {"unit_id": "{office}"},
    "small subtree": {"under": "{agency}"},
    "large subtree": {"under": "{province}"},
    "large subtree, rare rank": {"under": "{province}", "rank": "IV/d", "kind": "PNS"},
    "small subtree, codes": {"under": "{agency}", "position_kind": "fungsional", "education_level": "45,50"},
    "small subtree, retirement": {"under": "{agency}", "retires_in": 2031},
    "name, frequent": {"q": "siti"},
    "name, rare": {"q": "{rare}"},
    "name with a typo": {"q": "rahmavati"},
    "name, two letters swapped": {"q": "rahmawtai"},
    "two names, other order": {"q": "hidayat muhamad"},
    "three letters": {"q": "adi"},
    "one letter": {"q": "m"},
    "nobody's name": {"q": "xyzzyx"},
    "name, subtree": {"q": "nur", "under": "{agency}"},
    "name, codes": {"q": "dewi lestari", "kind": "PNS", "rank_min": "IV/a"},
    "name, excluded": {"q": "siti", "rank": "IV/e"},
    "NIP": {"q": "{nip}"},
    "NIP, six digits": {"q": "{nip6}"},
    "NIP, two digits": {"q": "19"},
    "NIK, six digits": {"q": "{nik6}"},
}
SORTS = ("nip", "-nip", "name", "rank", "-rank", "rank_since", "birth_date", "-birth_date")


def filled(filters, places):
    """The filters with {agency} and the like filled in."""
    return {name: value.format(**places) if isinstance(value, str) else value for name, value in filters.items()}
