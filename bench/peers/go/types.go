// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// What encoding/json cannot write as PostgreSQL does: moments without an offset, times of the day, durations.

type localTime struct{ pgtype.Timestamp }

func (t localTime) MarshalJSON() ([]byte, error) {
	if !t.Valid {
		return []byte("null"), nil
	}
	return json.Marshal(t.Time.Format("2006-01-02T15:04:05.999999"))
}

type clock struct{ pgtype.Time }

func (t clock) MarshalJSON() ([]byte, error) {
	if !t.Valid {
		return []byte("null"), nil
	}
	return json.Marshal(time.UnixMicro(t.Microseconds).UTC().Format("15:04:05.999999"))
}

type duration struct{ pgtype.Interval }

func (d duration) MarshalJSON() ([]byte, error) {
	var out strings.Builder
	part := func(n int64, unit string) {
		if n != 0 {
			fmt.Fprintf(&out, "%d%s", n, unit)
		}
	}
	if !d.Valid {
		return []byte("null"), nil
	}
	out.WriteString("P")
	part(int64(d.Months/12), "Y")
	part(int64(d.Months%12), "M")
	part(int64(d.Days), "D")
	seconds := d.Microseconds / 1e6
	if d.Microseconds != 0 {
		out.WriteString("T")
	}
	part(seconds/3600, "H")
	part(seconds/60%60, "M")
	if d.Microseconds%60e6 != 0 {
		out.WriteString(strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.6f", float64(d.Microseconds%60e6)/1e6), "0"), ".") + "S")
	}
	if out.Len() == 1 {
		out.WriteString("T0S")
	}
	return json.Marshal(out.String())
}

type asn struct {
	ID             pgtype.UUID        `json:"id"`
	Nip            string             `json:"nip"`
	Kind           string             `json:"kind"`
	Name           string             `json:"name"`
	TitleFront     *string            `json:"title_front"`
	TitleBack      *string            `json:"title_back"`
	BirthDate      pgtype.Date        `json:"birth_date"`
	BirthPlace     *string            `json:"birth_place"`
	Sex            string             `json:"sex"`
	Nik            *string            `json:"nik"`
	UnitID         pgtype.UUID        `json:"unit_id"`
	UnitName       string             `json:"unit_name"`
	PositionKind   *string            `json:"position_kind"`
	Position       *string            `json:"position"`
	Echelon        *string            `json:"echelon"`
	Rank           *string            `json:"rank"`
	RankSince      pgtype.Date        `json:"rank_since"`
	EducationLevel *string            `json:"education_level"`
	Education      *string            `json:"education"`
	LegalStatus    string             `json:"legal_status"`
	Email          *string            `json:"email"`
	Phone          *string            `json:"phone"`
	AppointedOn    pgtype.Date        `json:"appointed_on"`
	Warnings       []string           `json:"warnings"`
	NikWarnings    []string           `json:"nik_warnings"`
	Version        int64              `json:"version"`
	CreatedAt      pgtype.Timestamptz `json:"created_at"`
	UpdatedAt      pgtype.Timestamptz `json:"updated_at"`
}

type enrolment struct {
	Problem        *string            `json:"-"`
	ID             pgtype.UUID        `json:"id"`
	SessionID      pgtype.UUID        `json:"session_id"`
	Nip            *string            `json:"nip"`
	Name           *string            `json:"name"`
	State          *string            `json:"state"`
	Reason         *string            `json:"reason"`
	Route          *string            `json:"route"`
	QueuePlace     *int64             `json:"queue_place"`
	Priority       *int32             `json:"priority"`
	PriorityReason *string            `json:"priority_reason"`
	OfferUntil     pgtype.Timestamptz `json:"offer_until"`
	Warnings       []string           `json:"warnings"`
	Attendance     pgtype.Numeric     `json:"attendance"`
	PreTest        pgtype.Numeric     `json:"pre_test"`
	PostTest       pgtype.Numeric     `json:"post_test"`
	Grade          pgtype.Numeric     `json:"grade"`
	Jp             *int32             `json:"jp"`
	Version        *int64             `json:"version"`
	CreatedAt      pgtype.Timestamptz `json:"created_at"`
	UpdatedAt      pgtype.Timestamptz `json:"updated_at"`
}

type perfRow struct {
	ID               int64              `json:"id"`
	TextValue        *string            `json:"text_value"`
	IntValue         int32              `json:"int_value"`
	NumericValue     pgtype.Numeric     `json:"numeric_value"`
	RealValue        float32            `json:"real_value"`
	DoubleValue      float64            `json:"double_value"`
	BoolValue        bool               `json:"bool_value"`
	DateValue        pgtype.Date        `json:"date_value"`
	TimeValue        clock              `json:"time_value"`
	TimetzValue      string             `json:"timetz_value"`
	TimestampValue   localTime          `json:"timestamp_value"`
	TimestamptzValue pgtype.Timestamptz `json:"timestamptz_value"`
	IntervalValue    duration           `json:"interval_value"`
	UUIDValue        pgtype.UUID        `json:"uuid_value"`
	JSONValue        json.RawMessage    `json:"json_value"`
	JsonbValue       json.RawMessage    `json:"jsonb_value"`
	Ints             []int32            `json:"ints"`
	Bigints          []int64            `json:"bigints"`
	Texts            []string           `json:"texts"`
	Bools            []bool             `json:"bools"`
	Numerics         []pgtype.Numeric   `json:"numerics"`
	Timestamps       []localTime        `json:"timestamps"`
	Dates            []pgtype.Date      `json:"dates"`
}

type minimalRow struct {
	Status string             `json:"status"`
	Now    pgtype.Timestamptz `json:"now"`
}

type postNew struct {
	Name   string         `json:"name"`
	Count  int32          `json:"count"`
	Price  pgtype.Numeric `json:"price"`
	Active bool           `json:"active"`
	Tags   []string       `json:"tags"`
}

type postRow struct {
	Name    string         `json:"name"`
	Shouted string         `json:"shouted"`
	Count   int32          `json:"count"`
	Doubled int32          `json:"doubled"`
	Price   pgtype.Numeric `json:"price"`
	Total   pgtype.Numeric `json:"total"`
	Active  bool           `json:"active"`
	Tags    []string       `json:"tags"`
	NTags   int32          `json:"n_tags"`
}

type nestedRow struct {
	ID    int32           `json:"id"`
	Name  string          `json:"name"`
	Child json.RawMessage `json:"child"`
}

type largeRow struct {
	Kilobytes int32  `json:"kilobytes"`
	Text      string `json:"text"`
}

type paramsRow struct {
	Text        string             `json:"p_text"`
	Short       int16              `json:"p_short"`
	Int         int32              `json:"p_int"`
	Bigint      int64              `json:"p_bigint"`
	Numeric     pgtype.Numeric     `json:"p_numeric"`
	Real        float32            `json:"p_real"`
	Double      float64            `json:"p_double"`
	Bool        bool               `json:"p_bool"`
	Date        pgtype.Date        `json:"p_date"`
	Time        clock              `json:"p_time"`
	Timetz      string             `json:"p_timetz"`
	Timestamp   localTime          `json:"p_timestamp"`
	Timestamptz pgtype.Timestamptz `json:"p_timestamptz"`
	Interval    duration           `json:"p_interval"`
	UUID        pgtype.UUID        `json:"p_uuid"`
	JSON        json.RawMessage    `json:"p_json"`
	Ints        []int32            `json:"p_ints"`
	Texts       []string           `json:"p_texts"`
	Bools       []bool             `json:"p_bools"`
	Dates       []pgtype.Date      `json:"p_dates"`
}
