// SPDX-License-Identifier: Apache-2.0

//! What goes in and out of each route, and how it is read from a row: by position, as the statements give their columns.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use crate::types::{Interval, TimeTz};

pub trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, Error>;
}

/// A struct whose members are the columns, in their order.
macro_rules! row {
    ($name:ident { $($(#[$attribute:meta])* $member:ident: $type:ty,)* }) => {
        #[derive(Serialize)]
        pub struct $name {
            $($(#[$attribute])* pub $member: $type,)*
        }

        impl FromRow for $name {
            fn from_row(row: &Row) -> Result<Self, Error> {
                let mut columns = 0..;
                let mut at = || columns.next().unwrap_or_default();
                Ok($name { $($member: row.try_get::<usize, _>(at())?,)* })
            }
        }
    };
}

row!(Asn {
    id: Uuid,
    nip: String,
    kind: String,
    name: String,
    title_front: Option<String>,
    title_back: Option<String>,
    birth_date: NaiveDate,
    birth_place: Option<String>,
    sex: String,
    nik: Option<String>,
    unit_id: Uuid,
    unit_name: String,
    position_kind: Option<String>,
    position: Option<String>,
    echelon: Option<String>,
    rank: Option<String>,
    rank_since: Option<NaiveDate>,
    education_level: Option<String>,
    education: Option<String>,
    legal_status: String,
    email: Option<String>,
    phone: Option<String>,
    appointed_on: Option<NaiveDate>,
    warnings: Vec<String>,
    nik_warnings: Vec<String>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
});

row!(Enrolment {
    #[serde(skip)] problem: Option<String>,
    id: Option<Uuid>,
    session_id: Option<Uuid>,
    nip: Option<String>,
    name: Option<String>,
    state: Option<String>,
    reason: Option<String>,
    route: Option<String>,
    queue_place: Option<i64>,
    priority: Option<i32>,
    priority_reason: Option<String>,
    offer_until: Option<DateTime<Utc>>,
    warnings: Option<Vec<String>>,
    attendance: Option<Decimal>,
    pre_test: Option<Decimal>,
    post_test: Option<Decimal>,
    grade: Option<Decimal>,
    jp: Option<i32>,
    version: Option<i64>,
    created_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
});

row!(Perf {
    id: i64,
    text_value: Option<String>,
    int_value: i32,
    numeric_value: Decimal,
    real_value: f32,
    double_value: f64,
    bool_value: bool,
    date_value: NaiveDate,
    time_value: NaiveTime,
    timetz_value: TimeTz,
    timestamp_value: NaiveDateTime,
    timestamptz_value: DateTime<Utc>,
    interval_value: Interval,
    uuid_value: Uuid,
    json_value: Value,
    jsonb_value: Value,
    ints: Vec<i32>,
    bigints: Vec<i64>,
    texts: Vec<String>,
    bools: Vec<bool>,
    numerics: Vec<Decimal>,
    timestamps: Vec<NaiveDateTime>,
    dates: Vec<NaiveDate>,
});

row!(Minimal {
    status: String,
    now: DateTime<Utc>,
});

row!(Post {
    name: String,
    shouted: String,
    count: i32,
    doubled: i32,
    price: Decimal,
    total: Decimal,
    active: bool,
    tags: Vec<String>,
    n_tags: i32,
});

row!(Nested {
    id: i32,
    name: String,
    child: Value,
});

row!(Large {
    kilobytes: i32,
    text: String,
});

row!(Params {
    p_text: String,
    p_short: i16,
    p_int: i32,
    p_bigint: i64,
    p_numeric: Decimal,
    p_real: f32,
    p_double: f64,
    p_bool: bool,
    p_date: NaiveDate,
    p_time: NaiveTime,
    p_timetz: TimeTz,
    p_timestamp: NaiveDateTime,
    p_timestamptz: DateTime<Utc>,
    p_interval: Interval,
    p_uuid: Uuid,
    p_json: Value,
    p_ints: Vec<i32>,
    p_texts: Vec<String>,
    p_bools: Vec<bool>,
    p_dates: Vec<NaiveDate>,
});

#[derive(Deserialize)]
pub struct PostNew {
    pub name: String,
    pub count: i32,
    pub price: Decimal,
    pub active: bool,
    pub tags: Vec<String>,
}

#[derive(Deserialize)]
pub struct ParamsNew {
    pub p_text: String,
    pub p_short: i16,
    pub p_int: i32,
    pub p_bigint: i64,
    pub p_numeric: Decimal,
    pub p_real: f32,
    pub p_double: f64,
    pub p_bool: bool,
    pub p_date: NaiveDate,
    pub p_time: NaiveTime,
    pub p_timetz: TimeTz,
    pub p_timestamp: NaiveDateTime,
    pub p_timestamptz: DateTime<Utc>,
    pub p_interval: Interval,
    pub p_uuid: Uuid,
    pub p_json: String,
    pub p_ints: Vec<i32>,
    pub p_texts: Vec<String>,
    pub p_bools: Vec<bool>,
    pub p_dates: Vec<NaiveDate>,
}
