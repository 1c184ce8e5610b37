#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a regency on paper: units.csv, asn.csv in the style of the national export, history.csv with the careers of some of these people, and
for both files what an import into an empty database must make of them, line by line: expected.csv, history-expected.csv.

    tools/generate.py --out DIRECTORY [--people 6000] [--seed 2026] [--clean] [--dirt-every 16] [--careers-every 40]

All people are invented, and could be: rank, echelon, position, schooling, age and years of service fit each other. The same arguments
give the same bytes. Rows are written as they are made, so that millions need no memory.
Every 16th row carries one kind of damage (DIRT), in turn; --clean writes none. The numbers of a person follow from the row's index: day of
birth and sequence are unique together, so no NIP comes twice unless a duplicate is meant.

expected.csv, history-expected.csv: line; outcome (created, unchanged, refused); columns and codes of its faults, in pairs, separated by spaces ("-" where no column is
to blame); repaired columns; warnings; what was done to the row."""
import argparse
import random
from datetime import date, timedelta
from pathlib import Path

# ── units ──

DISTRICTS = {  # name: villages (Kepmendagri 300.2.2-2138/2025)
    "Mamuju": 8, "Tapalang": 10, "Kalukku": 14, "Kalumpang": 13, "Papalang": 9, "Sampaga": 7, "Tommo": 14, "Simboro": 8,
    "Tapalang Barat": 7, "Bonehau": 9, "Kepulauan Bala Balakang": 2}
AGENCIES = {  # code: (name, kind, fields of work)
    "DISDIK": ("Dinas Pendidikan dan Kebudayaan", "dinas", ["Pembinaan SD", "Pembinaan SMP", "PAUD", "Kebudayaan"]),
    "DINKES": ("Dinas Kesehatan", "dinas", ["Kesehatan Masyarakat", "Pencegahan Penyakit", "Pelayanan Kesehatan", "Sumber Daya Kesehatan"]),
    "PUPR": ("Dinas Pekerjaan Umum dan Penataan Ruang", "dinas", ["Bina Marga", "Cipta Karya", "Sumber Daya Air", "Tata Ruang"]),
    "PERKIM": ("Dinas Perumahan dan Kawasan Permukiman", "dinas", ["Perumahan", "Permukiman", "Pertanahan"]),
    "DINSOS": ("Dinas Sosial", "dinas", ["Rehabilitasi Sosial", "Pemberdayaan Sosial", "Perlindungan Sosial"]),
    "NAKER": ("Dinas Tenaga Kerja dan Transmigrasi", "dinas", ["Penempatan Kerja", "Hubungan Industrial", "Transmigrasi"]),
    "PPPA": ("Dinas Pemberdayaan Perempuan dan Perlindungan Anak", "dinas", ["Pemberdayaan Perempuan", "Perlindungan Anak"]),
    "PANGAN": ("Dinas Ketahanan Pangan", "dinas", ["Ketersediaan Pangan", "Konsumsi Pangan"]),
    "DLH": ("Dinas Lingkungan Hidup", "dinas", ["Tata Lingkungan", "Persampahan", "Pengendalian Pencemaran"]),
    "DUKCAPIL": ("Dinas Kependudukan dan Pencatatan Sipil", "dinas", ["Pendaftaran Penduduk", "Pencatatan Sipil", "Informasi Kependudukan"]),
    "PMD": ("Dinas Pemberdayaan Masyarakat dan Desa", "dinas", ["Pemerintahan Desa", "Ekonomi Desa"]),
    "DALDUK": ("Dinas Pengendalian Penduduk dan Keluarga Berencana", "dinas", ["Keluarga Berencana", "Ketahanan Keluarga"]),
    "DISHUB": ("Dinas Perhubungan", "dinas", ["Lalu Lintas", "Angkutan", "Pelayaran"]),
    "KOMINFO": ("Dinas Komunikasi, Informatika, Statistik dan Persandian", "dinas", ["Aplikasi Informatika", "Komunikasi Publik", "Statistik"]),
    "KOPUKM": ("Dinas Koperasi, Usaha Kecil dan Menengah", "dinas", ["Koperasi", "Usaha Kecil"]),
    "DPMPTSP": ("Dinas Penanaman Modal dan PTSP", "dinas", ["Promosi", "Perizinan", "Pengaduan"]),
    "DISPORA": ("Dinas Pemuda dan Olahraga", "dinas", ["Kepemudaan", "Keolahragaan"]),
    "DISPAR": ("Dinas Pariwisata", "dinas", ["Destinasi", "Pemasaran", "Ekonomi Kreatif"]),
    "PERPUS": ("Dinas Perpustakaan dan Kearsipan", "dinas", ["Perpustakaan", "Kearsipan"]),
    "DKP": ("Dinas Kelautan dan Perikanan", "dinas", ["Perikanan Tangkap", "Perikanan Budidaya"]),
    "TANI": ("Dinas Pertanian", "dinas", ["Tanaman Pangan", "Hortikultura", "Peternakan", "Penyuluhan"]),
    "BUN": ("Dinas Perkebunan", "dinas", ["Tanaman Tahunan", "Pengolahan Hasil"]),
    "DAGRIN": ("Dinas Perdagangan dan Perindustrian", "dinas", ["Perdagangan", "Perindustrian", "Pasar"]),
    "SATPOL": ("Satuan Polisi Pamong Praja dan Pemadam Kebakaran", "dinas", ["Ketertiban Umum", "Pemadam Kebakaran"]),
    "BAPPEDA": ("Badan Perencanaan Pembangunan, Riset dan Inovasi Daerah", "badan", ["Perencanaan", "Ekonomi", "Infrastruktur", "Riset"]),
    "BKAD": ("Badan Keuangan dan Aset Daerah", "badan", ["Anggaran", "Perbendaharaan", "Akuntansi", "Aset"]),
    "BAPENDA": ("Badan Pendapatan Daerah", "badan", ["Pajak", "Retribusi", "Pembukuan"]),
    "BKPP": ("Badan Kepegawaian, Pendidikan dan Pelatihan", "badan", ["Mutasi", "Pengembangan", "Disiplin", "Pendidikan dan Pelatihan"]),
    "BPBD": ("Badan Penanggulangan Bencana Daerah", "badan", ["Pencegahan", "Kedaruratan", "Rekonstruksi"]),
    "KESBANG": ("Badan Kesatuan Bangsa dan Politik", "badan", ["Wawasan Kebangsaan", "Politik Dalam Negeri"]),
}
SECTIONS = ("Pemerintahan", "Ekonomi Pembangunan", "Kesejahteraan Sosial", "Ketertiban", "Pelayanan Umum")


def units():
    """(code, name, kind, code of the unit above, active), each behind the one above it."""
    def office(code, name, above, letters):
        yield code, name, "sekretariat", above, True
        for letter, what in zip("ABC"[:letters], ("Umum dan Kepegawaian", "Keuangan", "Perencanaan")):
            yield f"{code}-{letter}", f"Sub Bagian {what} {name.split(' ', 1)[-1]}", "subbagian", code, True

    yield "MJU", "Pemerintah Kabupaten Mamuju", "instansi", "", True
    yield "MJU-SETDA", "Sekretariat Daerah", "sekretariat", "MJU", True
    for n, what in enumerate(("Pemerintahan", "Kesejahteraan Rakyat", "Hukum", "Ekonomi", "Pembangunan", "Pengadaan", "Organisasi", "Umum",
                              "Protokol"), 1):
        yield f"MJU-SETDA-{n}", f"Bagian {what}", "bagian", "MJU-SETDA", True
        for m in (1, 2, 3):
            yield f"MJU-SETDA-{n}{m}", f"Sub Bagian {what} {m}", "subbagian", f"MJU-SETDA-{n}", True
    yield "MJU-SETWAN", "Sekretariat DPRD", "sekretariat", "MJU", True
    for n, what in enumerate(("Umum dan Keuangan", "Persidangan", "Fasilitasi Anggaran"), 1):
        yield f"MJU-SETWAN-{n}", f"Bagian {what}", "bagian", "MJU-SETWAN", True
    yield "MJU-ITKAB", "Inspektorat", "inspektorat", "MJU", True
    yield from office("MJU-ITKAB-S", "Sekretariat Inspektorat", "MJU-ITKAB", 3)
    for n in range(1, 5):
        yield f"MJU-ITKAB-{n}", f"Inspektur Pembantu Wilayah {n}", "bidang", "MJU-ITKAB", True
    for code, (name, kind, fields) in AGENCIES.items():
        yield f"MJU-{code}", name, kind, "MJU", True
        yield from office(f"MJU-{code}-S", f"Sekretariat {name}", f"MJU-{code}", 3)
        for n, field in enumerate(fields, 1):
            yield f"MJU-{code}-{n}", f"Bidang {field}", "bidang", f"MJU-{code}", True
            for m in (1, 2):
                yield f"MJU-{code}-{n}{m}", f"Seksi {field} {m}", "seksi" if kind == "dinas" else "subbidang", f"MJU-{code}-{n}", True
    yield "MJU-RSUD", "RSUD Kabupaten Mamuju", "rumah_sakit", "MJU-DINKES", True
    for d, (district, villages) in enumerate(DISTRICTS.items(), 1):
        code = f"MJU-K{d:02d}"
        yield code, f"Kecamatan {district}", "kecamatan", "MJU", True
        yield from office(f"{code}-S", f"Sekretariat Kecamatan {district}", code, 2)
        for n, what in enumerate(SECTIONS, 1):
            yield f"{code}-{n}", f"Seksi {what} Kecamatan {district}", "seksi", code, True
        for n in range(1, villages + 1):
            yield f"{code}-D{n:02d}", f"Kantor Kelurahan/Desa {n} {district}", "kelurahan", code, True
        for n in range(1, villages // 5 + 2):
            yield f"MJU-PKM-{d:02d}{n}", f"Puskesmas {district} {n}", "puskesmas", "MJU-DINKES", True
        for n in range(1, villages * 2 + 1):
            yield f"MJU-SD-{d:02d}{n:02d}", f"SD Negeri {n} {district}", "sekolah", "MJU-DISDIK", True
        for n in range(1, villages // 2 + 2):
            yield f"MJU-SMP-{d:02d}{n:02d}", f"SMP Negeri {n} {district}", "sekolah", "MJU-DISDIK", True
    yield "MJU-LAMA", "Kantor Pengolahan Data Elektronik (dibubarkan)", "lainnya", "MJU", False


# ── people ──

FIRST_M = ("Muhammad", "Ahmad", "Abdul", "Andi", "Rahmat", "Syamsul", "Irfan", "Yusuf", "Daniel", "Markus", "Baso", "Hamzah", "Ilham", "Ridwan",
           "Agus", "Budi", "Hendra", "Rizal", "Sulaiman", "Ma'ruf", "Sa'ad", "Anas", "Wahyu", "Yohanes", "I Made", "Jufri")
FIRST_F = ("Nur", "Siti", "Sitti", "Nur'aini", "Rahmawati", "Hasna", "Andi", "Maria", "Yuliana", "Fitriani", "Mardiana", "Sri", "Dewi", "Ni Luh",
           "Jum'ah", "Rosmini", "Herlina", "Kartini", "Ratna", "Suriani", "Lydia", "Ester", "Wa Ode", "Hajrah", "Indah")
LAST = ("Rahman", "Hidayat", "Syarif", "Pattana", "Mappasessu", "Tandi", "Palullungan", "Santoso", "Wijaya", "Ismail", "Abdullah", "Saleh",
        "Al-Fatih", "Nur-Alam", "Ma'mun", "Sa'diyah", "Lestari", "Kurniawan", "Basri", "Tasrif", "Dg. Matutu", "Mangiwa", "Sampe", "Ramadhani",
        "Husain", "Jafar", "Amir", "Latif", "Usman", "Yunus", "Halim", "Salim", "Bakri", "Tahir", "Arif")
PLACES = ("Mamuju", "Majene", "Polewali", "Makassar", "Tapalang", "Kalukku", "Mamasa", "Palu", "Toraja", "Pare-Pare", "Ujung Pandang", "Wonomulyo")
# National name: (age when hired, first rank of a PNS, highest one as a clerk (PP 99/2000), rank of PPPK)
LEVELS = {"SLTP": (20, "I/c", "II/c", "IV"), "SLTA": (20, "II/a", "III/b", "V"), "SLTA Kejuruan": (20, "II/a", "III/b", "V"),
          "Diploma III/Sarjana Muda": (21, "II/c", "III/c", "VII"), "Diploma IV": (22, "III/a", "III/d", "IX"),
          "S-1/Sarjana": (22, "III/a", "III/d", "IX"), "Profesi": (24, "III/b", "III/d", "X"), "S-2": (24, "III/b", "IV/a", "X"),
          "S-3/Doktor": (27, "III/c", "IV/b", "XI")}
RANKS = ("I/c", "I/d", "II/a", "II/b", "II/c", "II/d", "III/a", "III/b", "III/c", "III/d", "IV/a", "IV/b", "IV/c", "IV/d")
YEARS_A_RANK = 4
SCHOOLING = {  # (national name, field, degree in front, degrees behind)
    "junior": ("SLTP", "SLTP Umum", "", ""), "senior": ("SLTA", "SMA IPS", "", ""), "package": ("SLTA", "Paket C", "", ""),
    "trade": ("SLTA Kejuruan", "SMK Akuntansi", "", ""), "technical": ("SLTA Kejuruan", "SMK Teknik", "", ""),
    "nursing": ("Diploma III/Sarjana Muda", "D-III Keperawatan", "", "A.Md.Kep."),
    "midwifery": ("Diploma III/Sarjana Muda", "D-III Kebidanan", "", "A.Md.Keb."), "midwifery4": ("Diploma IV", "D-IV Kebidanan", "", "S.Tr.Keb."),
    "radiology": ("Diploma III/Sarjana Muda", "D-III Radiologi", "", "A.Md.Rad."),
    "books": ("Diploma III/Sarjana Muda", "D-III Akuntansi", "", "A.Md."), "government4": ("Diploma IV", "D-IV Pemerintahan", "", "S.STP."),
    "computing": ("S-1/Sarjana", "S-1 Teknik Informatika", "", "S.Kom."), "teaching": ("S-1/Sarjana", "S-1 PGSD", "", "S.Pd."),
    "accounting": ("S-1/Sarjana", "S-1 Akuntansi", "", "S.E."), "law": ("S-1/Sarjana", "S-1 Ilmu Hukum", "", "S.H."),
    "administration": ("S-1/Sarjana", "S-1 Ilmu Administrasi", "", "S.Sos."),
    "administration-once": ("S-1/Sarjana", "S-1 Ilmu Administrasi", "Drs.", ""),
    "engineering": ("S-1/Sarjana", "S-1 Teknik Sipil", "", "S.T."), "farming-once": ("S-1/Sarjana", "S-1 Pertanian", "Ir.", ""),
    "medicine": ("Profesi", "Profesi Dokter", "dr.", ""), "dentistry": ("Profesi", "Profesi Dokter Gigi", "drg.", ""),
    "nurse": ("Profesi", "Profesi Ners", "", "S.Kep., Ns."), "pharmacy": ("Profesi", "Profesi Apoteker", "apt.", "S.Farm."),
    "management2": ("S-2", "S-2 Manajemen", "", "S.E., M.M."), "teaching2": ("S-2", "S-2 Pendidikan", "", "S.Pd., M.Pd."),
    "government2": ("S-2", "S-2 Ilmu Pemerintahan", "", "S.Sos., M.Si."), "engineering2": ("S-2", "S-2 Teknik Sipil", "", "S.T., M.T."),
    "government3": ("S-3/Doktor", "S-3 Ilmu Pemerintahan", "Dr.", "S.Sos., M.Si.")}
# Echelon: (lowest and highest rank, PP 13/2002; from that age there are enough years for it; schooling)
ECHELONS = {"II.a": ("IV/c", "IV/d", 52, ("government2", "management2", "government3")),
            "II.b": ("IV/b", "IV/c", 48, ("government2", "management2", "engineering2", "government3")),
            "III.a": ("IV/a", "IV/b", 44, ("government2", "management2", "engineering2", "administration-once", "farming-once")),
            "III.b": ("III/d", "IV/a", 40, ("administration", "law", "engineering", "accounting", "government4", "management2")),
            "IV.a": ("III/c", "III/d", 36, ("administration", "law", "engineering", "accounting", "computing", "government4"))}
ONCE, LAST_BIRTH_ONCE = ("Drs.", "Ir."), 1973  # degrees that nobody got any more who was born later
EXPERTS = {  # kind of unit: (position, schooling)
    "sekolah": (("Guru", ("teaching", "teaching", "teaching", "teaching2")),),
    "puskesmas": (("Perawat", ("nursing", "nursing", "nurse")), ("Bidan", ("midwifery", "midwifery", "midwifery4")), ("Dokter", ("medicine",)),
                  ("Dokter Gigi", ("dentistry",)), ("Apoteker", ("pharmacy",))),
    "rumah_sakit": (("Perawat", ("nursing", "nurse")), ("Dokter", ("medicine",)), ("Radiografer", ("radiology",)))}
OFFICERS = (("Pranata Komputer", ("computing",)), ("Analis SDM Aparatur", ("administration", "law")), ("Perencana", ("engineering", "management2")),
            ("Arsiparis", ("books", "administration")))
AUDITORS = (("Auditor", ("accounting", "management2")),)
CLERKS = (("Pengelola Keuangan", ("books",)), ("Pengadministrasi Perkantoran", ("senior", "trade", "package")),
          ("Pengemudi", ("junior", "senior", "technical")), ("Operator Layanan Operasional", ("senior", "technical")),
          ("Penelaah Teknis Kebijakan", ("administration", "law", "accounting", "teaching")))
# Name of the level: (lowest rank, highest rank, PermenPANRB 1/2023 and those of each position)
SKILLED = (("Terampil", "II/c", "II/d"), ("Mahir", "III/a", "III/b"), ("Penyelia", "III/c", "III/d"))
EXPERT = (("Ahli Pertama", "III/a", "III/b"), ("Ahli Muda", "III/c", "III/d"), ("Ahli Madya", "IV/a", "IV/c"))

HEADER = ("NIP BARU", "NAMA", "GELAR DEPAN", "GELAR BELAKANG", "TEMPAT LAHIR NAMA", "TANGGAL LAHIR", "JENIS KELAMIN", "NIK",
          "STATUS CPNS PNS", "TMT CPNS", "GOL AKHIR NAMA", "TMT GOLONGAN", "JENIS JABATAN NAMA", "JABATAN NAMA", "ESELON",
          "TINGKAT PENDIDIKAN NAMA", "PENDIDIKAN NAMA", "KEDUDUKAN HUKUM NAMA", "UNOR KODE", "UNOR NAMA", "NOMOR HP", "EMAIL", "KPKN NAMA")
FIELDS = ("nip", "name", "title_front", "title_back", "birth_place", "birth_date", "sex", "nik", "kind", "appointed_on", "rank", "rank_since",
          "position_kind", "position", "echelon", "education_level", "education", "legal_status", "unit_code", "unit_name", "phone", "email",
          "treasury")
TODAY = 2026  # the year that the demo data shows
FIRST_BIRTH, BIRTHS = date(1969, 1, 1), 13149  # to 2004: nobody is of the age of retirement (58)
STRIDE = 7919  # a prime: neighbours in the file are not neighbours in age


def national(day):
    return f"{day:%d-%m-%Y}"


def post(unit):
    """(position, echelon) of whoever heads the unit; None for those that nobody of a structural post heads."""
    code, name, kind = unit[:3]
    if code == "MJU-SETDA":
        return "Sekretaris Daerah", "II.a"
    if code == "MJU-SETWAN":
        return "Sekretaris DPRD", "II.b"
    if kind in ("dinas", "badan"):
        return f"Kepala {name}", "II.b"
    if kind == "inspektorat":
        return "Inspektur Daerah", "II.b"
    if kind == "sekretariat":
        return f"Sekretaris {name.removeprefix('Sekretariat ')}", "III.b" if "Kecamatan" in name else "III.a"
    if name.startswith("Inspektur Pembantu"):
        return name, "III.a"
    return {"bagian": (f"Kepala {name}", "III.a"), "kecamatan": (f"Camat {name.removeprefix('Kecamatan ')}", "III.a"),
            "bidang": (f"Kepala {name}", "III.b"), "kelurahan": (f"Lurah {name.removeprefix('Kantor Kelurahan/Desa ')}", "IV.a"),
            "subbagian": (f"Kepala {name}", "IV.a"), "subbidang": (f"Kepala {name}", "IV.a"), "seksi": (f"Kepala {name}", "IV.a")}.get(kind)


class People:
    def __init__(self, rng, places):
        self.rng = rng
        places = [u for u in places if u[4] and u[2] != "instansi"]
        self.posts = {echelon: [(u, *post(u)) for u in places if post(u) and post(u)[1] == echelon][::-1] for echelon in ECHELONS}
        self.offices = [u for u in places if u[2] not in EXPERTS]
        self.schools = [u for u in places if u[2] in EXPERTS]

    def pick(self, items):
        return items[int(self.rng.random() * len(items))]

    def name(self, sex):
        first = self.pick(FIRST_M if sex == "M" else FIRST_F)
        chance = self.rng.random()
        if chance < 0.04:
            return first  # a single name
        return f"{first} {self.pick(LAST)}" if chance < 0.75 else f"{first} {self.pick(LAST)} {self.pick(LAST)}"

    def schooling(self, choices, birth):
        """One that somebody of that birth can have had."""
        old = birth.year <= LAST_BIRTH_ONCE
        return SCHOOLING[self.pick([c for c in choices if old or SCHOOLING[c][2] not in ONCE])]

    def head(self, i, birth):
        """(unit, position, echelon) of the highest post that is free and that the age is enough for; in every fourth row."""
        for echelon, (_, _, age, _) in ECHELONS.items():
            if i % 4 == 0 and self.posts[echelon] and TODAY - birth.year >= age:
                return self.posts[echelon].pop()
        return None

    def work(self, sex, birth):
        """(unit, kind of position, position, schooling) of all others: what there is at the unit, for somebody who has had the time to learn it."""
        while True:
            unit = self.pick(self.schools if self.rng.random() < 0.6 else self.offices)
            jobs, kind = CLERKS, "Jabatan Pelaksana"
            if self.rng.random() < (0.9 if unit[2] in EXPERTS else 0.3):
                jobs, kind = EXPERTS.get(unit[2]) or (AUDITORS if unit[0].startswith("MJU-ITKAB") else OFFICERS), "Jabatan Fungsional Tertentu"
            position, choices = self.pick(jobs)
            school = self.schooling(choices, birth)
            if birth.year + LEVELS[school[0]][0] < TODAY and not (position == "Bidan" and sex == "M"):
                return unit, kind, position, school

    def kind(self, birth, school):
        """PNS were hired by 2023 and, as CPNS of 2025, at 35 at most."""
        first, chance = birth.year + LEVELS[school[0]][0], self.rng.random()
        if first > 2023 or (chance < 0.06 and birth.year >= 1990):
            return "CPNS"
        return "PNS" if chance < 0.72 else "PPPK" if chance < 0.96 else "PPPK PARUH WAKTU"

    def hired(self, kind, birth, school, is_head):
        """Day of appointment. Who heads a unit came early."""
        first = birth.year + LEVELS[school[0]][0]
        if kind in ("PNS", "CPNS"):
            last = first + 1 if is_head else min(2023, max(first, birth.year + 34))
            year = 2025 if kind == "CPNS" else first + int(self.rng.random() * (last - first + 1))
            return date(year, 1 + int(self.rng.random() * 12), 1)
        first = max(2020, first) if kind == "PPPK" else 2025
        return date(first + int(self.rng.random() * (2026 - first)), 3, 1)

    def rank(self, appointed, first, highest):
        """(rank, since when): one step each four years, up to the highest."""
        steps = min((TODAY - 1 - appointed.year) // YEARS_A_RANK, RANKS.index(highest) - RANKS.index(first))
        since = date(appointed.year + YEARS_A_RANK * steps, self.pick((4, 10)), 1) if steps > 0 else appointed
        return RANKS[RANKS.index(first) + max(0, steps)], since

    def number(self, i, kind, sex, birth, appointed):
        tail = f"{1 if sex == 'M' else 2}{i // BIRTHS + 1:03d}"
        return f"{birth:%Y%m%d}{appointed:%Y%m}{tail}" if kind in ("PNS", "CPNS") else f"{birth:%Y%m%d}{appointed:%Y}21{tail}"

    def expert(self, position, school, rank):
        """The position with its level, which follows the rank (of PPPK: the first)."""
        levels = SKILLED if school[0].startswith("Diploma III") else EXPERT
        for name, lowest, highest in levels:
            if rank in RANKS and RANKS.index(lowest) <= RANKS.index(rank) <= RANKS.index(highest):
                return f"{position} {name}"
        return f"{position} {levels[0][0]}"

    def person(self, i):
        rng = self.rng
        sex = "M" if rng.random() < 0.45 else "F"
        birth = FIRST_BIRTH + timedelta(days=i * STRIDE % BIRTHS)
        head = self.head(i, birth)
        if head:
            (unit, position, echelon), position_kind, kind = head, "Jabatan Struktural", "PNS"
            school = self.schooling(ECHELONS[echelon][3], birth)
        else:
            unit, position_kind, position, school = self.work(sex, birth)
            kind, echelon = self.kind(birth, school), ""
        appointed = self.hired(kind, birth, school, head)
        level, field_of_study, front, behind = school
        _, first, highest, contract = LEVELS[level]
        if position_kind == "Jabatan Fungsional Tertentu":
            highest = "III/d" if level.startswith("Diploma III") else "IV/c"
        rank, since = self.rank(appointed, first, ECHELONS[echelon][1] if echelon else highest) if kind in ("PNS", "CPNS") else (contract, appointed)
        if position_kind == "Jabatan Fungsional Tertentu":
            position = self.expert(position, school, rank)
        front = "Dra." if front == "Drs." and sex == "F" else front
        district = 1 + int(rng.random() * 16)
        status = {"PPPK": "PPPK Aktif", "PPPK PARUH WAKTU": "PPPK Paruh Waktu Aktif"}.get(kind) or (
            "Aktif" if echelon or rng.random() < 0.97 else self.pick(("Tugas Belajar", "CLTN")))
        return dict(zip(FIELDS, (
            self.number(i, kind, sex, birth, appointed), self.name(sex), front, behind, self.pick(PLACES), national(birth),
            "Laki-laki" if sex == "M" else "Perempuan",
            f"7602{district:02d}{birth.day + (40 if sex == 'F' else 0):02d}{birth:%m%y}{i // BIRTHS + 1:04d}",
            kind, national(appointed), rank, national(since), position_kind, position, echelon, level, field_of_study, status, unit[0],
            unit[1], f"0899{i % 100000000:08d}", f"pegawai.{i}@example.go.id", "KPPN Mamuju")))


# ── dirt ──
# Each changes a row and returns what must come of it: faults [(column, code)], repaired columns, warnings. None: it does not fit this row.

def refuse(column, value, code):
    def act(row, _):
        row[column] = value(row[column]) if callable(value) else value
        return [(column, code)], [], []
    return act


def repair(column, value):
    def act(row, _):
        if not row[column]:
            return None
        row[column] = value(row[column])
        return [], [column], []
    return act


def warn(column, value, for_pns, for_others):
    def act(row, _):
        row[column] = value(row[column])
        return [], [], for_pns if row["kind"] in ("PNS", "CPNS") else for_others
    return act


def point_zero(row, _):
    """A double may have eaten the last digits unless the number is none that a double can hold."""
    n = int(row["nip"])
    row["nip"] += ".0"
    return ([("nip", "spreadsheet-number")], [], []) if int(float(n)) == n else ([], ["nip"], [])


def another_month(row, _):
    if row["kind"] not in ("PNS", "CPNS"):
        return None
    row["nip"] = row["nip"][:12] + "13" + row["nip"][14:]
    return [("nip", "nip-month")], [], []


def rank_of_others(row, _):
    row["rank"] = "IX" if row["kind"] in ("PNS", "CPNS") else "III/a"
    return [("rank", "rank-unknown")], [], []


def twice(row, earlier):
    if earlier is None:
        return None
    row.update(earlier)
    row["name"] += " Kedua"
    return [("nip", "duplicate-row")], [], []


def two_faults(row, _):
    row["name"], row["unit_code"] = "", "MJU-TIDAK-ADA"
    return [("name", "missing"), ("unit_code", "unit-unknown")], [], []


def empty_words(row, _):
    row["title_front"], row["title_back"], row["email"], row["phone"], row["echelon"] = "null", "NULL", "-", "N/A", "-"
    return [], [], []


def other_day(text):
    day, rest = int(text[:2]), text[2:]
    return f"{day % 28 + 1:02d}{rest}"


def other_year(text):
    return text[:-4] + str(int(text[-4:]) - 1)


def serial(text):
    return str((date(int(text[6:]), int(text[3:5]), int(text[:2])) - date(1899, 12, 30)).days)


def half(text):
    """Two words with two spaces between, or one word in two lines."""
    return text.replace(" ", "  ", 1) if " " in text else text + "\n" + "Putra"


DIRT = {
    "nip-scientific": refuse("nip", lambda v: f"{v[0]},{v[1:6]}E+17", "spreadsheet-number"),
    "nip-apostrophe": repair("nip", lambda v: "'" + v),
    "nip-fifteen-digits": refuse("nip", lambda v: v[:15] + "000", "digits-lost"),
    "nip-grouped": repair("nip", lambda v: f"{v[:8]} {v[8:14]} {v[14]} {v[15:]}"),
    "nip-point-zero": point_zero,
    "nip-too-short": refuse("nip", lambda v: v[:-1], "digits-missing"),
    "nip-month-13": another_month,
    "nik-lost-digit": refuse("nik", lambda v: v[1:], "digits-missing"),
    "nik-point-zero": repair("nik", lambda v: v + ".0"),
    "nik-formula": repair("nik", lambda v: f'="{v}"'),
    "nik-scientific": refuse("nik", lambda v: f"{v[0]}.{v[1:6]}E+15", "spreadsheet-number"),
    "date-slashes": repair("birth_date", lambda v: v.replace("-", "/")),
    "date-serial": repair("birth_date", serial),
    "date-two-digit-year": refuse("birth_date", lambda v: v[:6].replace("-", "/") + v[8:], "two-digit-year"),
    "date-impossible": refuse("birth_date", lambda v: "31-02" + v[5:], "date-impossible"),
    "date-words": repair("rank_since", lambda v: v.replace("-04-", " April ").replace("-10-", " Okt ").replace("-", "/")),
    "unit-unknown": refuse("unit_code", "MJU-TIDAK-ADA", "unit-unknown"),
    "unit-inactive": refuse("unit_code", "MJU-LAMA", "unit-inactive"),
    "rank-of-others": rank_of_others,
    "rank-unheard-of": refuse("rank", "V/f", "rank-unknown"),
    "name-empty": refuse("name", "", "missing"),
    "name-blanks": repair("name", half),
    "name-line-end": repair("name", lambda v: v + "\r\nS.Pd"),
    "kind-unknown": refuse("kind", "HONORER", "kind-unknown"),
    "duplicate": twice,
    "phone-lost-zero": repair("phone", lambda v: v[1:]),
    "phone-words": refuse("phone", "tidak punya", "phone-form"),
    "email-broken": refuse("email", lambda v: v.replace("@", " at "), "email-form"),
    "formula-error": refuse("position", "#REF!", "spreadsheet-error"),
    "two-faults": two_faults,
    "row-cut": lambda row, _: ([("-", "columns-missing")], [], []),
    "quote-in-quotes": lambda row, _: ([("-", "quote-text")], [], []),
    "latin-1": lambda row, _: ([("-", "not-utf8")], [], []),
    "empty-words": empty_words,
    "birth-differs": warn("birth_date", other_day, ["CON_2", "NIK_BIRTH"], ["CON_2", "NIK_BIRTH"]),
    "sex-differs": warn("sex", lambda v: "P" if v == "Laki-laki" else "L", ["CON_3", "NIK_SEX"], ["CON_3", "NIK_SEX"]),
    "appointment-differs": warn("appointed_on", other_year, ["CON_1"], ["CON_4"]),
}


def field(text):
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ';"\r\n') else text


def line_of(row, dirt):
    cells = [field(row[f]) for f in FIELDS]
    if dirt == "row-cut":
        cells = cells[:9]
    elif dirt == "quote-in-quotes":
        cells[1] = f'"{row["name"]}" alias'
    text = ";".join(cells)
    if dirt == "latin-1":
        return text.replace(row["name"], "José", 1).encode("latin-1") + b"\r\n"
    return (text + "\r\n").encode()


def dirty(row, names, turn, earlier):
    """The next kind of dirt that fits; (its name, faults, repaired, warnings)."""
    for n in range(len(names)):
        name = names[(turn + n) % len(names)]
        if name == "appointment-differs" and row["kind"] == "PPPK PARUH WAKTU":
            continue  # the layout of their number is not known, so nothing can differ
        outcome = DIRT[name](row, earlier)
        if outcome:
            return name, *outcome
    raise AssertionError("no dirt fits")


# ── histories ──

HISTORY = {  # column of history.csv: as the importer names it
    "NIP": "nip", "RIWAYAT": "kind", "TMT": "from", "SAMPAI": "to", "NOMOR SK": "decree_number", "TANGGAL SK": "decree_date", "ID RIWAYAT": "remote_id",
    "GOLONGAN": "rank", "MASA KERJA TAHUN": "service_years", "MASA KERJA BULAN": "service_months", "JENIS PENUGASAN": "assignment",
    "JENIS JABATAN": "position_kind", "NAMA JABATAN": "position", "TINGKAT PENDIDIKAN": "education_level", "NAMA SEKOLAH": "school",
    "TANGGAL LULUS": "graduated_on", "NAMA DIKLAT": "name", "BENTUK": "form", "PENYELENGGARA": "organiser", "JAM PELAJARAN": "jp", "ATURAN": "regime",
    "TAHUN": "year", "HASIL KERJA": "results", "PERILAKU KERJA": "behaviour", "PREDIKAT": "predicate", "KREDIT JUMLAH": "total",
    "TINGKAT HUKDIS": "discipline_level", "PELANGGARAN": "violation", "JENIS PENGHARGAAN": "award",
    "NOMOR KONTRAK": "number"}
COURSES = (("Bimbingan Teknis Penyusunan SKP", "B10", 16), ("Pelatihan Pengadaan Barang dan Jasa", "B3", 40), ("Sosialisasi Kode Etik ASN", "B11", 6),
           ("Pelatihan Pelayanan Prima", "B3", 24), ("Bimbingan Teknis Arsip Dinamis", "B10", 12))
MEDALS = ((30, "203"), (20, "202"), (10, "201"))
MARKS = (("above", "above", "Sangat Baik"), ("expected", "expected", "Baik"), ("expected", "above", "Baik"), ("below", "expected", "Butuh Perbaikan"))


def day_of(text):
    return date(int(text[6:]), int(text[3:5]), int(text[:2]))


class Careers:
    """What a file of histories says of a person; no row lies over one that the record itself leaves behind."""

    def __init__(self, rng):
        self.rng, self.rows = rng, 0

    def pick(self, items):
        return items[int(self.rng.random() * len(items))]

    def row(self, person, kind, start, **more):
        self.rows += 1
        return {"nip": person["nip"], "kind": kind, "from": national(start), "remote_id": f"R{self.rows:06d}", **more}

    def ranks(self, person, appointed):
        """The ranks below the present one, from the appointment on."""
        since, now = day_of(person["rank_since"]), RANKS.index(person["rank"]) if person["rank"] in RANKS else 0
        steps = min(now, (since.year - appointed.year) // YEARS_A_RANK)
        for n in range(steps, 0, -1):
            start = appointed if n == steps else since.replace(year=since.year - YEARS_A_RANK * n)
            yield self.row(person, "kepangkatan", start, rank=RANKS[now - n], service_years=str(max(0, start.year - appointed.year)), service_months="0",
                           decree_number=f"823.{now - n}/{self.rows}/BKPP", decree_date=national(start - timedelta(days=20)))

    def of(self, person):
        appointed, born, is_pns = day_of(person["appointed_on"]), day_of(person["birth_date"]), person["kind"] in ("PNS", "CPNS")
        if is_pns:
            yield from self.ranks(person, appointed)
        else:
            yield self.row(person, "kontrak", appointed, to=national(appointed.replace(year=appointed.year + 5)), number=f"PK.{self.rows}/BKPP")
        if not person["education_level"].startswith("SLT"):
            yield self.row(person, "pendidikan", date(born.year + 19, 6, 1), education_level="SLTA", school=f"SMA Negeri {1 + int(self.rng.random() * 9)} Contoh",
                           graduated_on=national(date(born.year + 19, 5, 20)))
        if is_pns and appointed.year < 2024:
            yield self.row(person, "jabatan", appointed, assignment="definitif", position_kind="pelaksana", position="Pengadministrasi Perkantoran")
        for year in range(max(2022, appointed.year), TODAY):
            results, behaviour, predicate = self.pick(MARKS)
            yield self.row(person, "skp", date(year, 12, 31), regime="skp_2022", year=str(year), results=results, behaviour=behaviour, predicate=predicate)
        name, form, jp = self.pick(COURSES)
        yield self.row(person, "kursus", date(2025, 1 + int(self.rng.random() * 12), 3), name=name, form=form, jp=str(jp), organiser="BKPSDM Contoh")
        if person["position_kind"].startswith("Jabatan Fungsional") and is_pns:
            yield self.row(person, "angka kredit", date(2025, 1, 2), total=f"{10 + int(self.rng.random() * 900) / 10:.1f}")
        for years, award in MEDALS:
            if person["kind"] == "PNS" and TODAY - 1 - appointed.year >= years:
                yield self.row(person, "penghargaan", date(appointed.year + years, 8, 17), award=award, year=str(appointed.year + years))
        if self.rng.random() < 0.04:
            yield self.row(person, "hukdis", date(2024, 3, 1), to="01-09-2024", discipline_level="ringan", violation="Tidak masuk kerja lima hari")


def blame(column, code, **cells):
    """Cells that a row gets, by which it is refused."""
    return lambda row: (row.update({k: v(row) if callable(v) else v for k, v in cells.items()}), (column, code, ""))[1]


def mend(column, value):
    return lambda row: (row.update({column: value(row[column])}), ("", "", column))[1]


HISTORY_DIRT = {
    "nip-unknown": blame("nip", "person-unknown", nip="199912312020121999"),
    "nip-scientific": blame("nip", "spreadsheet-number", nip=lambda r: f"{r['nip'][0]},{r['nip'][1:6]}E+17"),
    "nip-apostrophe": mend("nip", lambda v: "'" + v),
    "kind-unknown": blame("kind", "kind-unknown", kind="hobi"),
    "from-missing": blame("from", "missing", **{"from": ""}),
    "from-serial": mend("from", serial),
    "from-slashes": mend("from", lambda v: v.replace("-", "/")),
    "from-two-digit-year": blame("from", "two-digit-year", **{"from": "01/04/19"}),
    "from-impossible": blame("from", "date-impossible", **{"from": "31-02-2020"}),
    "before-birth": blame("from", "before-birth", **{"from": "01-01-1950"}),
    "member-of-others": blame("rank", "unknown-member", rank="III/a"),
    "year-in-words": blame("year", "type", year="dua ribu"),
    "form-unknown": blame("form", "code-unknown", form="Z9"),
    "formula-error": blame("decree_number", "spreadsheet-error", decree_number="#REF!"),
}
FITS = {"member-of-others": ("skp",), "year-in-words": ("skp",), "form-unknown": ("kursus",)}


def write_histories(out, people, seed, clean, every):
    """Every row by itself: its dirt changes nothing of the others; and of each fifth file's row that is sound a second one, which says nothing new."""
    careers, names, turn, line = Careers(random.Random(seed + 1)), list(HISTORY_DIRT), 0, 2
    with open(out / "history.csv", "wb") as file, open(out / "history-expected.csv", "w", encoding="utf-8", newline="\n") as expected:
        file.write(b"\xef\xbb\xbf" + ";".join(HISTORY).encode() + b"\r\n")
        expected.write("line;outcome;columns;codes;repaired;dirt\n")

        def put(row, outcome, column="", code="", repaired="", dirt=""):
            nonlocal line
            file.write(";".join(field(row.get(c, "")) for c in HISTORY.values()).encode() + b"\r\n")
            expected.write(f"{line};{outcome};{column};{code};{repaired};{dirt}\n")
            line += 1

        for n, person in enumerate(people):
            last = None
            for row in careers.of(person):
                dirt = names[turn % len(names)]
                if not clean and careers.rows % every == every // 2 and row["kind"] in FITS.get(dirt, (row["kind"],)):
                    column, code, repaired = HISTORY_DIRT[dirt](row)
                    put(row, "refused" if code else "created", column, code, repaired, dirt)
                    turn += 1
                else:
                    put(row, "created")
                    last = row
            if not clean and n % 5 == 4 and last:
                put(last, "unchanged", dirt="again")


def write(out, people, seed, clean, every, careers_every):
    out.mkdir(parents=True, exist_ok=True)
    rows = list(units())
    with open(out / "units.csv", "wb") as file:
        file.write("\ufeffUNOR KODE;UNOR NAMA;JENIS UNOR;UNOR ATASAN KODE;AKTIF\r\n".encode())
        for code, name, kind, above, active in rows:
            file.write(";".join((code, field(name), kind, above, "ya" if active else "tidak")).encode() + b"\r\n")
    maker, names, line, turn, earlier = People(random.Random(seed), rows), list(DIRT), 2, 0, None
    careers = []
    with open(out / "asn.csv", "wb", 1 << 20) as file, open(out / "expected.csv", "w", encoding="utf-8", newline="\n") as expected:
        file.write(b"\xef\xbb\xbf" + ";".join(HEADER).encode() + b"\r\n")
        expected.write("line;outcome;columns;codes;repaired;warnings;dirt\n")
        for i in range(people):
            row, done = maker.person(i), ("", [], [], [])
            if not clean and i % every == every // 2:
                done = dirty(row, names, turn, earlier)
                turn += 1
            elif i % every == 1:
                earlier = dict(row)
            elif careers_every and i % careers_every == 3 % careers_every:
                careers.append(dict(row))
            dirt, faults, repaired, warnings = done
            text = line_of(row, dirt)
            file.write(text)
            expected.write(f"{line};{'refused' if faults else 'created'};{' '.join(c for c, _ in faults)};{' '.join(c for _, c in faults)};"
                           f"{' '.join(repaired)};{' '.join(warnings)};{dirt}\n")
            line += text.count(b"\n")
    write_histories(out, careers, seed, clean, every)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--people", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--clean", action="store_true", help="no dirt")
    parser.add_argument("--dirt-every", type=int, default=16, metavar="N", help="one row in N is damaged (at least 3)")
    parser.add_argument("--careers-every", type=int, default=40, metavar="N", help="one person in N has a career in history.csv; 0: nobody")
    args = parser.parse_args()
    if not 0 <= args.people <= 5_000_000 or args.dirt_every < 3:
        parser.error("up to 5,000,000 people, and one damaged row in 3 or more")
    write(args.out, args.people, args.seed, args.clean, args.dirt_every, args.careers_every)


if __name__ == "__main__":
    main()
