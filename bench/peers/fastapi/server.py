# SPDX-License-Identifier: Apache-2.0
"""The same answers as asnd by FastAPI and asyncpg: one uvicorn worker a core on uvloop, a pool in each, statements prepared by asyncpg's cache, replies by
orjson."""
import hashlib
import hmac
import json
import os
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from uuid import UUID

import asyncpg
import orjson
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel

STATEMENTS = json.loads(Path(os.environ["BENCH_STATEMENTS"]).read_text(encoding="utf-8"))
KEY_HASH = bytes.fromhex(os.environ["BENCH_KEY_HASH"])
CONNECTIONS = max(1, int(os.environ["BENCH_CONNECTIONS"]) // int(os.environ["BENCH_PROCESSES"]))


def as_written(text):
    return text


async def set_codecs(connection):
    """Durations and times with an offset as PostgreSQL writes them; JSON is passed through as it is."""
    for name in ("interval", "timetz"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=as_written, decoder=as_written, format="text")
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=as_written, decoder=orjson.Fragment, format="text")


@asynccontextmanager
async def lifespan(application):
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=CONNECTIONS, max_size=CONNECTIONS, init=set_codecs) as pool:
        application.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)


def number(value):
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, asyncpg.pgproto.pgproto.UUID):
        return str(value)
    raise TypeError(type(value))


def answer(value, status=200):
    return Response(orjson.dumps(value, default=number), status, media_type="application/json")


async def guard(authorization: Annotated[str, Header()] = ""):
    given = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest()
    if not hmac.compare_digest(given, KEY_HASH):
        raise HTTPException(401)


async def many(name, *values):
    return [dict(row) for row in await app.state.pool.fetch(STATEMENTS[name], *values)]


async def one(name, *values):
    row = await app.state.pool.fetchrow(STATEMENTS[name], *values)
    if row is None:
        raise HTTPException(404)
    return answer(dict(row))


async def whole(name, *values):
    return answer({"data": await many(name, *values), "page": {"next": None}})


@app.get("/livez")
async def livez():
    return answer({"status": "alive"})


@app.get("/v1/asn/{nip}", dependencies=[Depends(guard)])
async def get_asn(nip: str):
    return await one("getAsn", nip)


@app.get("/v1/asn", dependencies=[Depends(guard)])
async def list_asn():
    rows = await many("listAsn")
    return answer({"data": rows[:50], "page": {"next": rows[49]["nip"] if len(rows) > 50 else None}})


class EnrolmentNew(BaseModel):
    session_id: UUID
    nip: str


@app.post("/v1/enrolments", dependencies=[Depends(guard)])
async def create_enrolment(new: EnrolmentNew, request: Request):
    row = dict(await app.state.pool.fetchrow(STATEMENTS["createEnrolment"], new.session_id, new.nip, (await request.body()).decode()))
    problem = row.pop("problem")
    return answer({"code": problem}, 409) if problem else answer(row, 201)


# ── the public workload ──


@app.get("/perf-test")
async def perf_test(records: Annotated[int, Query(ge=1, le=500)]):
    return await whole("perfTest", records)


@app.get("/minimal")
async def minimal():
    return await one("minimal")


class PostNew(BaseModel):
    name: str
    count: int
    price: Decimal
    active: bool
    tags: list[str]


@app.post("/post")
async def post(new: PostNew):
    return await one("post", new.name, new.count, new.price, new.active, new.tags)


@app.get("/nested")
async def nested(depth: Annotated[int, Query(ge=1, le=3)]):
    return await whole("nested", depth)


@app.get("/large")
async def large(kilobytes: Annotated[int, Query(ge=1, le=500)]):
    return await one("large", kilobytes)


@app.get("/params")
async def params(p_text: str, p_short: int, p_int: int, p_bigint: int, p_numeric: Decimal, p_real: float, p_double: float, p_bool: bool, p_date: date,
                 p_time: time, p_timetz: str, p_timestamp: datetime, p_timestamptz: datetime, p_interval: str, p_uuid: UUID, p_json: str,
                 p_ints: Annotated[list[int], Query()], p_texts: Annotated[list[str], Query()], p_bools: Annotated[list[bool], Query()],
                 p_dates: Annotated[list[date], Query()]):
    return await one("params", p_text, p_short, p_int, p_bigint, p_numeric, p_real, p_double, p_bool, p_date, p_time, p_timetz, p_timestamp, p_timestamptz,
                     p_interval, p_uuid, p_json, p_ints, p_texts, p_bools, p_dates)
