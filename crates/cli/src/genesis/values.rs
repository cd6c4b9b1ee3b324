//! Values of a network's file that TOML has no type for: amounts, keys, moments.

use std::fmt;

use hysteron_api::Hex32;
use hysteron_ledger::{PublicKey, format_hys, parse_hys};
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::value::Datetime;

/// An amount of HYS, written as a decimal number in quotes.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Hys(pub u64);

impl Serialize for Hys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_hys(self.0))
    }
}

impl<'de> Deserialize<'de> for Hys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_hys(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A public key, in hexadecimal digits.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Key(pub PublicKey);

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Hex32(self.0.0))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let refuse = |why: String| {
            let mend = "a public key is 64 hexadecimal digits, as `hysteron wallet address --public-key` prints them";
            serde::de::Error::custom(format!(
                "\"{}\" is no public key: {why}; {mend}",
                text.chars().take(80).collect::<String>()
            ))
        };
        let key: Hex32 =
            text.parse().map_err(|error| refuse(format!("{error}").trim_end_matches('.').to_owned()))?;
        let key = PublicKey(key.0);
        if key.is_usable() { Ok(Self(key)) } else { Err(refuse("no signature can be of it".into())) }
    }
}

/// A moment: Unix seconds; a date and time in TOML, in quotes or not; or a whole number.
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct Time(pub u64);

const SECONDS_PER_DAY: u64 = 86_400;

impl Time {
    fn of(moment: &Datetime) -> Result<Self, String> {
        let refuse = |what: &str| Err(format!("the moment {moment} {what}, such as 2027-01-01T00:00:00Z"));
        let (Some(date), Some(time)) = (moment.date, moment.time) else {
            return refuse("must be a date and a time");
        };
        let offset_minutes = match moment.offset {
            Some(toml::value::Offset::Z) => 0,
            Some(toml::value::Offset::Custom { minutes }) => i64::from(minutes),
            None => return refuse("must say its offset from UTC"),
        };
        let days = days_since_1970(date.year.into(), date.month.into(), date.day.into());
        let seconds = i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60;
        let seconds = seconds + i64::from(time.second.unwrap_or(0)) - offset_minutes * 60;
        match u64::try_from(days * SECONDS_PER_DAY as i64 + seconds) {
            Ok(unix) => Ok(Self(unix)),
            Err(_) => refuse("must not be before 1970"),
        }
    }
}

/// Days from 1 January 1970 to a day of the Gregorian calendar. Years are counted from March, so that the leap day is their last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// The inverse.
fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (400 * era + year_of_era + i64::from(month <= 2), month, day)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / SECONDS_PER_DAY, self.0 % SECONDS_PER_DAY);
        let (year, month, day) = date_of(i64::try_from(days).unwrap_or(i64::MAX / 2));
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Years of more digits are no date of TOML's.
        match i64::try_from(self.0) {
            Ok(unix) if self.0 >= 253_402_300_800 => serializer.serialize_i64(unix),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl<'de> Visitor<'de> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date and time such as 2027-01-01T00:00:00Z, or Unix seconds")
    }
    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Time, E> {
        u64::try_from(seconds).map(Time).map_err(|_| E::custom("a network cannot begin before 1970"))
    }
    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Time, E> {
        Ok(Time(seconds))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Time, E> {
        let moment: Datetime = text.parse().map_err(|error| {
            E::custom(format!(
                "\"{}\" is no moment ({error}); write 2027-01-01T00:00:00Z",
                text.chars().take(40).collect::<String>()
            ))
        })?;
        Time::of(&moment).map_err(E::custom)
    }
    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Time, M::Error> {
        // How the reader of TOML hands out its dates.
        let moment = Datetime::deserialize(MapAccessDeserializer::new(map))?;
        Time::of(&moment).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2027-01-01T01:00:00+01:00", 1_798_761_600),
        ] {
            for text in [format!("t = {text}"), format!("t = \"{text}\""), format!("t = {unix}")] {
                let read: std::collections::BTreeMap<String, Time> = toml::from_str(&text).expect("a moment");
                assert_eq!(read["t"], Time(unix), "{text}");
            }
        }
        for days in (0..60_000).step_by(13) {
            let (year, month, day) = date_of(days);
            assert_eq!(days_since_1970(year, month, day), days);
        }
        assert_eq!(Time(951_827_696).to_string(), "2000-02-29T12:34:56Z");
        for wrong in ["t = 2027-01-01", "t = 2027-01-01T00:00:00", "t = -5", "t = \"soon\"", "t = true"] {
            assert!(toml::from_str::<std::collections::BTreeMap<String, Time>>(wrong).is_err(), "{wrong}");
        }
    }
}
