//! Dates that others have written down, read through `Retry-After` as a provider would send them.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Request;
use outrigger::backoff::Backoff;
use outrigger::event::{Emitter, Event};
use outrigger::retry::{RetryBudget, RetryLayer};
use outrigger::rt::Clock;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Body, Ratio};
use serde::Deserialize;
use tower::{Layer, ServiceExt};

/// The suite, whose source and licence stand in it.
#[derive(Deserialize)]
struct Suite {
    parse: Vec<Row<String>>,
    format: Vec<Row<Option<String>>>,
}

/// Seconds of the epoch, nanoseconds, text, and whether it is a date at all.
#[derive(Deserialize)]
struct Row<T>(i64, u32, T, bool);

/// A date and the second that it means.
struct Date {
    text: String,
    second: i64,
}

/// All dates; a fraction of a second, which HTTP doesn't have, is cut off by our reader.
fn dates() -> Vec<Date> {
    let suite: Suite = serde_json::from_str(include_str!("vectors/http-date.json")).unwrap();
    let parsed = suite.parse.into_iter().map(|Row(second, nanos, text, valid)| {
        assert!(valid, "the suite has only dates to be read");
        assert_eq!(text.contains('.'), nanos > 0);
        Date { text, second }
    });
    let formatted = suite.format.into_iter().filter_map(|Row(second, _, text, valid)| {
        assert_eq!(text.is_some(), valid);
        text.map(|text| Date { text, second })
    });
    let dates: Vec<_> = parsed.chain(formatted).collect();
    assert!(dates.len() > 150, "the suite isn't empty");
    dates
}

/// Those that a provider could send: `SystemTime` and every server begin with 1970.
fn recent() -> Vec<Date> {
    let recent: Vec<_> = dates().into_iter().filter(|date| date.second >= 0).collect();
    assert!(recent.len() > 90, "most of the suite");
    recent
}

impl Date {
    fn system_time(&self) -> SystemTime {
        match u64::try_from(self.second) {
            Ok(since) => UNIX_EPOCH + Duration::from_secs(since),
            Err(_) => UNIX_EPOCH - Duration::from_secs(self.second.unsigned_abs()),
        }
    }

    /// Its parts: weekday, day, month, year and time.
    fn parts(&self) -> [&str; 5] {
        let mut parts = self.text.split_ascii_whitespace();
        std::array::from_fn(|_| parts.next().unwrap())
    }

    fn year(&self) -> u32 {
        self.parts()[3].parse().unwrap()
    }

    /// As an asctime date (RFC 9110, 5.6.7), which pads its day with a blank.
    fn asctime(&self) -> String {
        let [weekday, day, month, year, time] = self.parts();
        let (weekday, day) = (&weekday[..3], day.trim_start_matches('0'));
        format!("{weekday} {month} {day:>2} {} {year}", whole(time))
    }

    /// As an RFC 850 date, whose year has two digits.
    fn rfc850(&self) -> String {
        let [weekday, day, month, year, time] = self.parts();
        let weekday = match &weekday[..3] {
            "Mon" => "Monday",
            "Tue" => "Tuesday",
            "Wed" => "Wednesday",
            "Thu" => "Thursday",
            "Fri" => "Friday",
            "Sat" => "Saturday",
            _ => "Sunday",
        };
        format!("{weekday}, {day}-{month}-{} {} GMT", &year[2..], whole(time))
    }
}

/// A time of day without its fraction.
fn whole(time: &str) -> &str {
    time.split('.').next().unwrap_or(time)
}

/// How long the retry after this answer is put off.
fn delay(answer: Answer, clock: Clock) -> Duration {
    let events = EventRecorder::new();
    let service = RetryLayer::new()
        .backoff(Backoff::fixed(NOT_OBEYED))
        .budget(RetryBudget::unlimited())
        .retry_after_spread(Ratio::ZERO)
        .without_retry_after_cap()
        .clock(clock)
        .emitter(Emitter::new().with(events.clone()))
        .layer(Script::new([answer]));
    // The wait is only announced: some of these dates are eight thousand years off.
    let call = pin!(service.oneshot(Request::new(Body::empty())));
    assert!(call.poll(&mut Context::from_waker(Waker::noop())).is_pending());
    match events.events()[..] {
        [Event::RetryScheduled { delay, .. }] => delay,
        ref other => panic!("one retry is scheduled, and not {other:?}"),
    }
}

fn asking(text: &str) -> Answer {
    Answer::status(503).header("retry-after", text)
}

/// How long the retry is put off 37 seconds before `date`, if the provider writes it as `text`.
fn shortly_before(date: &Date, text: &str) -> Duration {
    let clock = Clock::anchored(date.system_time() - AHEAD);
    delay(asking(text), clock)
}

#[tokio::test(start_paused = true)]
async fn every_date_is_the_second_that_it_says() {
    for date in recent() {
        assert_eq!(shortly_before(&date, &date.text), AHEAD, "{}", date.text);
    }
}

#[tokio::test(start_paused = true)]
async fn every_date_is_the_same_second_as_an_asctime_date() {
    for date in recent() {
        let text = date.asctime();
        assert_eq!(shortly_before(&date, &text), AHEAD, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_date_near_enough_for_two_digits_is_the_same_second_as_an_rfc_850_date() {
    let mut read = 0;
    // What two digits mean: RFC 6265, 5.1.1.
    for date in recent().into_iter().filter(|date| (1970..2070).contains(&date.year())) {
        let text = date.rfc850();
        assert_eq!(shortly_before(&date, &text), AHEAD, "{text}");
        read += 1;
    }
    assert!(read > 60);
}

#[tokio::test(start_paused = true)]
async fn two_dates_are_as_far_apart_as_their_seconds_whatever_the_clock_says() {
    let clock = Clock::anchored(UNIX_EPOCH);
    for pair in recent().windows(2).filter(|pair| pair[0].second < pair[1].second) {
        let answer = asking(&pair[1].text).header("date", &pair[0].text);
        let apart = Duration::from_secs(pair[1].second.abs_diff(pair[0].second));
        assert_eq!(delay(answer, clock), apart, "{} to {}", pair[0].text, pair[1].text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_that_has_passed_is_not_waited_for() {
    for date in dates() {
        let later = Clock::anchored(UNIX_EPOCH + AHEAD + Duration::from_secs(MILLENNIA));
        assert_eq!(delay(asking(&date.text), later), NOT_OBEYED, "{}", date.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_of_before_all_clocks_is_not_waited_for_either() {
    let ancient: Vec<_> = dates().into_iter().filter(|date| date.second < 0).collect();
    assert!(ancient.len() > 60);
    for date in ancient {
        assert_eq!(shortly_before(&date, &date.text), NOT_OBEYED, "{}", date.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_that_was_cut_short_is_not_read() {
    for date in recent() {
        for end in 0..date.text.len() {
            let text = &date.text[..end];
            assert_eq!(shortly_before(&date, text), NOT_OBEYED, "{text:?}");
        }
    }
}

/// How far before a date it is asked for.
const AHEAD: Duration = Duration::from_secs(37);
/// The backoff where a `Retry-After` says nothing; no date here is so near.
const NOT_OBEYED: Duration = Duration::from_millis(100);
/// Later than the last date of the suite.
const MILLENNIA: u64 = 300_000_000_000;
