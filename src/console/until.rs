//! Until when somebody wants something, as they write it.

use std::time::{Duration, SystemTime};

use super::route::value;
use super::words::{Phrase, phrase};

/// What a form says: `None` for "until somebody changes it". Its times are those of the browser's zone, as far
/// as its script told it, or UTC.
pub(super) fn until(
    pairs: &[(String, String)],
    now: SystemTime,
) -> Result<Option<SystemTime>, Phrase> {
    let zone = zone(value(pairs, "zone").unwrap_or_default())?;
    let time = value(pairs, "time").filter(|time| !time.is_empty());
    let next = |minute| Ok(Some(next(now, zone, minute)));
    match (value(pairs, "until").unwrap_or("open"), time) {
        ("open", None) => Ok(None),
        ("1h", None) => Ok(Some(now + Duration::from_secs(3600))),
        ("day", None) => next(0),
        // Whoever writes a time means it.
        ("at" | "open", Some(time)) => next(minute_of_day(time)?),
        ("at", None) => Err(phrase!("write the time until which you want it")),
        ("1h" | "day", Some(time)) => Err(phrase!(
            "you wrote {time}, and chose another time: leave one of them out",
            time = time
        )),
        (other, _) => Err(phrase!("there is no time {time}", time = format!("{other:?}"))),
    }
}

/// How far the browser's zone is ahead of UTC, in seconds, from minutes that it is behind, as scripts say it.
fn zone(behind: &str) -> Result<i64, Phrase> {
    match behind.parse::<i64>() {
        _ if behind.is_empty() => Ok(0),
        // None is further away (RFC 9557 and the zones of today: 14 hours).
        Ok(minutes @ -1440..=1440) => Ok(-minutes * 60),
        _ => Err(phrase!("there is no zone {zone}", zone = format!("{behind:?}"))),
    }
}

/// `18:00` as a number of minutes.
fn minute_of_day(time: &str) -> Result<i64, Phrase> {
    let parts: Vec<_> = time.split(':').map(str::parse::<u8>).collect();
    match parts[..] {
        // Browsers add seconds where they aren't zero.
        [Ok(hour @ 0..24), Ok(minute @ 0..60)]
        | [Ok(hour @ 0..24), Ok(minute @ 0..60), Ok(0..60)] => {
            Ok(i64::from(hour) * 60 + i64::from(minute))
        }
        _ => Err(phrase!("{time} is no time: write it as 18:00", time = format!("{time:?}"))),
    }
}

/// When it is this minute of the day next, after now.
fn next(now: SystemTime, zone: i64, minute: i64) -> SystemTime {
    let epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let here = i64::try_from(epoch.as_secs()).unwrap_or(0) + zone;
    let left = (minute * 60 - here).rem_euclid(DAY);
    let left = if left == 0 { DAY } else { left };
    SystemTime::UNIX_EPOCH + Duration::from_secs(epoch.as_secs() + left.unsigned_abs())
}

/// A day, in seconds.
const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    /// What a form of 14:30:07 UTC on some day says.
    fn said(until: &str, time: &str, zone: &str) -> Result<Option<Duration>, Phrase> {
        let midnight = SystemTime::UNIX_EPOCH + Duration::from_secs(20_000 * 86_400);
        let pairs = [("until", until), ("time", time), ("zone", zone)];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let until = super::until(&pairs, midnight + Duration::from_secs(14 * 3600 + 30 * 60 + 7))?;
        Ok(until.map(|until| until.duration_since(midnight).unwrap()))
    }

    fn at(hours: f64) -> Result<Option<Duration>, Phrase> {
        Ok(Some(Duration::from_secs_f64(hours * 3600.0)))
    }

    #[test]
    fn six_is_the_next_six_where_the_browser_is() {
        assert_eq!(said("at", "18:00", ""), at(18.0));
        assert_eq!(said("open", "18:00", ""), at(18.0), "whoever writes a time means it");
        assert_eq!(said("at", "18:00:00", "-60"), at(17.0), "in Berlin");
        assert_eq!(said("at", "18:00", "480"), at(26.0), "in Los Angeles");
        assert_eq!(said("at", "14:30", ""), at(38.5), "it has just passed");
        assert_eq!(said("at", "05:45", "-345"), at(24.0), "midnight in Nepal");
    }

    #[test]
    fn a_day_ends_where_the_browser_is() {
        assert_eq!(said("day", "", ""), at(24.0));
        assert_eq!(said("day", "", "-120"), at(22.0));
        assert_eq!(said("day", "", "300"), at(29.0));
    }

    #[test]
    fn what_is_no_time_is_refused_in_words() {
        assert_eq!(said("open", "", ""), Ok(None));
        for (until, time, zone) in [
            ("at", "", ""),
            ("at", "24:00", ""),
            ("at", "6", ""),
            ("at", "-1:00", ""),
            ("at", "18:00", "90000"),
            ("at", "18:00", "-9223372036854775808"),
            ("at", "18:00", "Berlin"),
            ("1h", "18:00", ""),
            ("tomorrow", "", ""),
        ] {
            assert!(said(until, time, zone).is_err(), "{until} {time} {zone}");
        }
    }
}
