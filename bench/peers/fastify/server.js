// SPDX-License-Identifier: Apache-2.0
// The same answers as asnd by Fastify and pg: one process a core (cluster), named prepared statements, response schemas, so that replies are written by
// fast-json-stringify.
import cluster from 'node:cluster';
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import pg from 'pg';
import * as schemas from './schemas.js';

const processes = Number(process.env.BENCH_PROCESSES);

if (cluster.isPrimary) {
  for (let i = 0; i < processes; i++) cluster.fork();
  cluster.on('exit', () => process.exit(1));
  process.on('SIGTERM', () => process.exit(0));
} else {
  await serve();
}

// Numbers as numbers, moments as texts of ISO 8601, durations as PostgreSQL writes them.
function setParsers() {
  const { types } = pg;
  const asTexts = types.getTypeParser(1009);
  const each = (parse) => (text) => asTexts(text).map((item) => (item === null ? null : parse(item)));
  const moment = (text) => text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
  types.setTypeParser(20, Number);
  types.setTypeParser(1016, each(Number));
  types.setTypeParser(1700, Number);
  types.setTypeParser(1231, each(Number));
  for (const oid of [1082, 1186]) types.setTypeParser(oid, (text) => text);
  types.setTypeParser(1182, asTexts);
  types.setTypeParser(1114, moment);
  types.setTypeParser(1115, each(moment));
  types.setTypeParser(1184, moment);
}

async function serve() {
  setParsers();
  const statements = JSON.parse(readFileSync(process.env.BENCH_STATEMENTS, 'utf8'));
  const keyHash = Buffer.from(process.env.BENCH_KEY_HASH, 'hex');
  const max = Math.max(1, Math.floor(Number(process.env.BENCH_CONNECTIONS) / processes));
  const pool = new pg.Pool({ connectionString: process.env.BENCH_DATABASE, max, min: max, idleTimeoutMillis: 0 });
  const app = Fastify({ logger: false });

  const query = async (name, values = []) => (await pool.query({ name, text: statements[name], values })).rows;

  const guard = async (request, reply) => {
    const header = request.headers.authorization ?? '';
    const hash = createHash('sha256').update(header.replace(/^Bearer /, '')).digest();
    if (!timingSafeEqual(hash, keyHash)) return reply.code(401).send({ detail: 'unauthenticated' });
  };

  const one = async (reply, name, values) => {
    const [row] = await query(name, values);
    if (!row) return reply.code(404).send({ detail: 'not found' });
    return row;
  };

  const all = async (name, values) => ({ data: await query(name, values), page: { next: null } });

  app.get('/livez', async () => ({ status: 'alive' }));
  app.get('/v1/asn/:nip', { onRequest: guard, schema: schemas.getAsn }, (request, reply) => one(reply, 'getAsn', [request.params.nip]));
  app.get('/v1/asn', { onRequest: guard, schema: schemas.listAsn }, async () => {
    const rows = await query('listAsn');
    const next = rows.length > 50 ? rows[49].nip : null;
    return { data: rows.slice(0, 50), page: { next } };
  });
  app.post('/v1/enrolments', { onRequest: guard, schema: schemas.createEnrolment }, async (request, reply) => {
    const [made] = await query('createEnrolment', [request.body.session_id, request.body.nip, JSON.stringify(request.body)]);
    if (made.problem) return reply.code(409).send({ code: made.problem });
    return reply.code(201).send(made);
  });
  app.get('/perf-test', { schema: schemas.perfTest }, (request) => all('perfTest', [request.query.records]));
  app.get('/minimal', { schema: schemas.minimal }, (request, reply) => one(reply, 'minimal'));
  app.post('/post', { schema: schemas.post }, (request, reply) => {
    const b = request.body;
    return one(reply, 'post', [b.name, b.count, b.price, b.active, b.tags]);
  });
  app.get('/nested', { schema: schemas.nested }, (request) => all('nested', [request.query.depth]));
  app.get('/large', { schema: schemas.large }, (request, reply) => one(reply, 'large', [request.query.kilobytes]));
  app.get('/params', { schema: schemas.params }, (request, reply) =>
    one(reply, 'params', schemas.paramNames.map((name) => request.query[name])));

  await app.listen({ host: '127.0.0.1', port: Number(process.env.BENCH_PORT) });
}
