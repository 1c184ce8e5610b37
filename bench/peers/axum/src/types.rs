// SPDX-License-Identifier: Apache-2.0

//! The two types that no crate reads: intervals by ISO 8601 and times of the day with an offset.

use std::{error::Error, fmt::Write};

use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};
use tokio_postgres::types::{private::BytesMut, to_sql_checked, FromSql, IsNull, ToSql, Type};

type Fault = Box<dyn Error + Sync + Send>;

#[derive(Debug)]
pub struct Interval {
    months: i32,
    days: i32,
    microseconds: i64,
}

impl<'a> FromSql<'a> for Interval {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Interval {
            microseconds: i64::from_be_bytes(raw[0..8].try_into()?),
            days: i32::from_be_bytes(raw[8..12].try_into()?),
            months: i32::from_be_bytes(raw[12..16].try_into()?),
        })
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }
}

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        out.extend_from_slice(&self.microseconds.to_be_bytes());
        out.extend_from_slice(&self.days.to_be_bytes());
        out.extend_from_slice(&self.months.to_be_bytes());
        Ok(IsNull::No)
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }
    to_sql_checked!();
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = String::from("P");
        let seconds = self.microseconds / 1_000_000;
        for (n, unit) in [(self.months / 12, 'Y'), (self.months % 12, 'M'), (self.days, 'D')] {
            if n != 0 {
                let _ = write!(out, "{n}{unit}");
            }
        }
        if self.microseconds != 0 || out.len() == 1 {
            out.push('T');
        }
        for (n, unit) in [(seconds / 3600, 'H'), (seconds / 60 % 60, 'M')] {
            if n != 0 {
                let _ = write!(out, "{n}{unit}");
            }
        }
        if self.microseconds % 60_000_000 != 0 || out.ends_with('T') {
            let _ = write!(out, "{}S", (self.microseconds % 60_000_000) as f64 / 1e6);
        }
        serializer.serialize_str(&out)
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut read = Interval { months: 0, days: 0, microseconds: 0 };
        let (mut in_time, mut digits) = (false, String::new());
        for c in text.strip_prefix('P').ok_or_else(|| D::Error::custom("no duration"))?.chars() {
            if c == 'T' {
                in_time = true;
                continue;
            }
            if c.is_ascii_digit() || c == '-' || c == '.' {
                digits.push(c);
                continue;
            }
            let n: f64 = digits.parse().map_err(D::Error::custom)?;
            digits.clear();
            match (in_time, c) {
                (false, 'Y') => read.months += 12 * n as i32,
                (false, 'M') => read.months += n as i32,
                (false, 'D') => read.days += n as i32,
                (true, 'H') => read.microseconds += (n * 3.6e9) as i64,
                (true, 'M') => read.microseconds += (n * 6e7) as i64,
                (true, 'S') => read.microseconds += (n * 1e6) as i64,
                _ => return Err(D::Error::custom("no duration")),
            }
        }
        Ok(read)
    }
}

#[derive(Debug)]
pub struct TimeTz {
    microseconds: i64,
    seconds_west: i32,
}

impl<'a> FromSql<'a> for TimeTz {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(TimeTz { microseconds: i64::from_be_bytes(raw[0..8].try_into()?), seconds_west: i32::from_be_bytes(raw[8..12].try_into()?) })
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMETZ
    }
}

impl ToSql for TimeTz {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        out.extend_from_slice(&self.microseconds.to_be_bytes());
        out.extend_from_slice(&self.seconds_west.to_be_bytes());
        Ok(IsNull::No)
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMETZ
    }
    to_sql_checked!();
}

impl Serialize for TimeTz {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (seconds, west) = (self.microseconds / 1_000_000, self.seconds_west);
        let mut out = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        if self.microseconds % 1_000_000 != 0 {
            let _ = write!(out, ".{}", format!("{:06}", self.microseconds % 1_000_000).trim_end_matches('0'));
        }
        let _ = write!(out, "{}{:02}", if west > 0 { '-' } else { '+' }, west.abs() / 3600);
        if west % 3600 != 0 {
            let _ = write!(out, ":{:02}", west.abs() / 60 % 60);
        }
        serializer.serialize_str(&out)
    }
}

impl<'de> Deserialize<'de> for TimeTz {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = text.find(['+', '-']).ok_or_else(|| D::Error::custom("no offset"))?;
        let clock: chrono::NaiveTime = text[..at].parse().map_err(D::Error::custom)?;
        let hours: i32 = text[at..].parse().map_err(D::Error::custom)?;
        Ok(TimeTz { microseconds: (clock - chrono::NaiveTime::MIN).num_microseconds().unwrap_or(0), seconds_west: -hours * 3600 })
    }
}
