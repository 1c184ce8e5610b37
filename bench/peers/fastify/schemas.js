// SPDX-License-Identifier: Apache-2.0
// What goes in and out of each route.
const text = { type: 'string' };
const maybe = { type: ['string', 'null'] };
const integer = { type: 'integer' };
const maybeInteger = { type: ['integer', 'null'] };
const number = { type: 'number' };
const maybeNumber = { type: ['number', 'null'] };
const boolean = { type: 'boolean' };
const any = {};
const arrayOf = (items) => ({ type: 'array', items });
const object = (properties) => ({ type: 'object', properties });
const listOf = (item) => object({ data: arrayOf(item), page: object({ next: maybe }) });
const query = (properties) => ({ type: 'object', required: Object.keys(properties), properties });

const asn = object({
  id: text, nip: text, kind: text, name: text, title_front: maybe, title_back: maybe, birth_date: text, birth_place: maybe, sex: text, nik: maybe,
  unit_id: text, unit_name: text, position_kind: maybe, position: maybe, echelon: maybe, rank: maybe, rank_since: maybe, education_level: maybe,
  education: maybe, legal_status: text, email: maybe, phone: maybe, appointed_on: maybe, warnings: arrayOf(text), nik_warnings: arrayOf(text),
  version: integer, created_at: text, updated_at: text,
});

const enrolment = object({
  id: text, session_id: text, nip: text, name: maybe, state: text, reason: maybe, route: maybe, queue_place: maybeInteger, priority: maybeInteger,
  priority_reason: maybe, offer_until: maybe, warnings: arrayOf(text), attendance: maybeNumber, pre_test: maybeNumber, post_test: maybeNumber,
  grade: maybeNumber, jp: maybeInteger, version: integer, created_at: text, updated_at: text,
});

const perfRow = object({
  id: integer, text_value: maybe, int_value: integer, numeric_value: number, real_value: number, double_value: number, bool_value: boolean,
  date_value: text, time_value: text, timetz_value: text, timestamp_value: text, timestamptz_value: text, interval_value: text, uuid_value: text,
  json_value: any, jsonb_value: any, ints: arrayOf(integer), bigints: arrayOf(integer), texts: arrayOf(text), bools: arrayOf(boolean),
  numerics: arrayOf(number), timestamps: arrayOf(text), dates: arrayOf(text),
});

const parameters = {
  p_text: text, p_short: integer, p_int: integer, p_bigint: integer, p_numeric: number, p_real: number, p_double: number, p_bool: boolean,
  p_date: { type: 'string', format: 'date' }, p_time: text, p_timetz: text, p_timestamp: text, p_timestamptz: { type: 'string', format: 'date-time' },
  p_interval: { type: 'string', format: 'duration' }, p_uuid: { type: 'string', format: 'uuid' }, p_json: text, p_ints: arrayOf(integer),
  p_texts: arrayOf(text), p_bools: arrayOf(boolean), p_dates: arrayOf({ type: 'string', format: 'date' }),
};
export const paramNames = Object.keys(parameters);

const found = Object.fromEntries(paramNames.map((name) => [name, parameters[name].format ? text : parameters[name]]));
found.p_json = any;
found.p_dates = arrayOf(text);

export const getAsn = { response: { 200: asn } };
export const listAsn = { response: { 200: listOf(asn) } };
export const createEnrolment = {
  body: { type: 'object', required: ['session_id', 'nip'], properties: { session_id: text, nip: text } },
  response: { 201: enrolment },
};
export const perfTest = {
  querystring: query({ records: { type: 'integer', minimum: 1, maximum: 500 } }),
  response: { 200: listOf(perfRow) },
};
export const minimal = { response: { 200: object({ status: text, now: text }) } };
export const post = {
  body: query({ name: text, count: integer, price: number, active: boolean, tags: arrayOf(text) }),
  response: {
    200: object({
      name: text, shouted: text, count: integer, doubled: integer, price: number, total: number, active: boolean, tags: arrayOf(text), n_tags: integer,
    }),
  },
};
export const nested = {
  querystring: query({ depth: { type: 'integer', minimum: 1, maximum: 3 } }),
  response: { 200: listOf(object({ id: integer, name: text, child: any })) },
};
export const large = {
  querystring: query({ kilobytes: { type: 'integer', minimum: 1, maximum: 500 } }),
  response: { 200: object({ kilobytes: integer, text }) },
};
export const params = { querystring: query(parameters), response: { 200: object(found) } };
