// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// reader takes typed values from a query and keeps the first fault.
type reader struct {
	query url.Values
	err   error
}

func take[T any](r *reader, name string, parse func(string) (T, error)) T {
	value, err := parse(r.query.Get(name))
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	return value
}

func takeAll[T any](r *reader, name string, parse func(string) (T, error)) []T {
	var values []T
	for _, text := range r.query[name] {
		value, err := parse(text)
		if err != nil && r.err == nil {
			r.err = fmt.Errorf("%s: %w", name, err)
		}
		values = append(values, value)
	}
	return values
}

func asText(text string) (string, error) { return text, nil }

func asInt(bits int) func(string) (int64, error) {
	return func(text string) (int64, error) { return strconv.ParseInt(text, 10, bits) }
}

func asInt32(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	return int32(n), err
}

func asFloat(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

func asNumeric(text string) (pgtype.Numeric, error) {
	var n pgtype.Numeric
	err := n.Scan(text)
	return n, err
}

func asMoment(layout string) func(string) (time.Time, error) {
	return func(text string) (time.Time, error) { return time.Parse(layout, text) }
}

func asUUID(text string) (pgtype.UUID, error) {
	var id pgtype.UUID
	err := id.Scan(text)
	return id, err
}

func asClock(text string) (pgtype.Time, error) {
	t, err := time.Parse("15:04:05", text)
	return pgtype.Time{Microseconds: t.Sub(t.Truncate(24 * time.Hour)).Microseconds(), Valid: true}, err
}

func asJSON(text string) (json.RawMessage, error) {
	if !json.Valid([]byte(text)) {
		return nil, fmt.Errorf("no JSON")
	}
	return json.RawMessage(text), nil
}

func readParams(query url.Values) ([]any, error) {
	r := &reader{query: query}
	args := []any{
		take(r, "p_text", asText),
		take(r, "p_short", asInt(16)),
		take(r, "p_int", asInt(32)),
		take(r, "p_bigint", asInt(64)),
		take(r, "p_numeric", asNumeric),
		take(r, "p_real", asFloat),
		take(r, "p_double", asFloat),
		take(r, "p_bool", strconv.ParseBool),
		take(r, "p_date", asMoment(time.DateOnly)),
		take(r, "p_time", asClock),
		take(r, "p_timetz", asText),
		take(r, "p_timestamp", asMoment("2006-01-02T15:04:05")),
		take(r, "p_timestamptz", asMoment(time.RFC3339)),
		take(r, "p_interval", asText), // ISO 8601, which PostgreSQL reads itself
		take(r, "p_uuid", asUUID),
		take(r, "p_json", asJSON),
		takeAll(r, "p_ints", asInt32),
		takeAll(r, "p_texts", asText),
		takeAll(r, "p_bools", strconv.ParseBool),
		takeAll(r, "p_dates", asMoment(time.DateOnly)),
	}
	return args, r.err
}
