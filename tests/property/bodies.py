# SPDX-License-Identifier: Apache-2.0
"""Bodies that are no JSON, for schemathesis: the contract knows them as text, so whatever text it thinks of becomes rows below a head that the
importer knows, and members of a line. Text that brings its own head (an example of the contract) goes as it is."""
import json

import schemathesis

HEADS = {"importAsn": ("nip", "kind", "name", "unit_code", "birth_date", "rank"), "importUnits": ("code", "name", "kind", "parent_code"),
         "importReferences": ("list", "code", "name", "source", "valid_from"), "importHistory": ("nip", "kind", "from", "rank", "decree_number"),
         "reconcileAsnFile": ("nip", "name", "kind", "rank", "unit_code"),
         "importTickets": ("service_code", "number", "taken_at", "called_at", "result"), "importSurveyAnswers": ("survey", "form", "answered_on", "U1", "U2"),
         "importPresence": ("nip", "month", "present", "late", "absent"),
         "importCompetencyStandards": ("position_level", "competency", "level", "valid_from", "source"),
         "importCompetencyAssessments": ("nip", "assessed_on", "method", "source", "integritas", "competency", "level"),
         "importQuestionnaires": ("session_id", "role", "batch", "form", "R1", "item", "answer")}


def columns(context):
    return HEADS[context.case.operation.definition.raw["operationId"]]


def encoded(text):
    return text.encode("utf-8", "surrogatepass")


@schemathesis.serializer("text/csv")
def as_csv(context, value):
    """None, what is no text, is no body at all."""
    if not isinstance(value, str):
        return None
    head = ",".join(columns(context))
    return encoded(value if value.startswith(columns(context)[:1]) else f"{head}\n{value}\n")


@schemathesis.serializer("application/x-ndjson")
def as_lines(context, value):
    if not isinstance(value, str):
        return None
    return encoded(value if value.startswith("{") else f"{json.dumps(dict.fromkeys(columns(context), value))}\n{value}\n")


def as_file(begins):
    """A file of the sort that was said, with whatever it thinks of behind its first bytes."""
    def write(context, value):
        data = getattr(value, "data", value)
        data = encoded(data) if isinstance(data, str) else data
        return begins + data if isinstance(data, bytes) else None
    return write


for media_type, begins in (("application/pdf", b"%PDF-1.7\n"), ("image/jpeg", b"\xff\xd8\xff"), ("image/png", b"\x89PNG\r\n\x1a\n")):
    schemathesis.serializer(media_type)(as_file(begins))


@schemathesis.hook
def filter_headers(context, headers):
    """requests writes a header in Latin-1, which is not what the contract has a purpose in: tests/api sends one in UTF-8."""
    purpose = (headers or {}).get("Purpose")
    return not isinstance(purpose, str) or purpose.isascii()
