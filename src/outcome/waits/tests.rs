use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::select;

use super::facts::MOST;
use super::rows::{FAMILIES, HEADERS, WORDS};
use super::*;
use crate::rt::Clock;
use crate::terms::Class;

type Figures = (Option<u64>, Option<u64>, Option<u64>, Option<u64>);

fn read(headers: &[(&str, &str)]) -> LimitFacts {
    read_all(headers).limits
}

fn read_all(headers: &[(&str, &str)]) -> Told {
    let pairs = headers.iter().map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    let mut map = HeaderMap::new();
    pairs.for_each(|(name, value)| {
        map.append(name, value);
    });
    Told::read(&map, &[], &Clock::anchored(httpdate::parse_http_date(NOW).unwrap()))
}

/// Limit, window, what remains, and seconds until the reset (rounded).
fn told(headers: &[(&str, &str)]) -> Vec<Figures> {
    let seconds = |time: Duration| (time.as_secs_f64()).round() as u64;
    let facts = read(headers);
    assert_eq!(facts.is_empty(), facts.iter().next().is_none());
    let fact = |fact: &LimitFact| {
        (fact.limit, fact.window.map(seconds), fact.remaining, fact.reset.map(seconds))
    };
    facts.iter().map(fact).collect()
}

#[test]
fn every_spelling_in_use_is_read() {
    let both = (Some(100), Some(60), Some(30), Some(12));
    let plain = (Some(100), None, Some(30), Some(12));
    for (headers, facts) in [
        (r#"ratelimit-policy: "a";q=100;w=60 | ratelimit: "a";r=30;t=12"#, both),
        (r#"ratelimit: "a";r=30;t=12 | ratelimit-policy: "a";q=100;w=60"#, both),
        (r#"ratelimit: "a";r=30"#, (None, None, Some(30), None)),
        ("ratelimit-policy: a;q=100;w=60 | ratelimit: a;r=30;t=12", both),
        ("ratelimit: limit=100, remaining=30, reset=12 | ratelimit-policy: 100;w=60", both),
        ("ratelimit: limit=100, remaining=30, reset=12", plain),
        ("ratelimit-limit: 100 | ratelimit-remaining: 30 | ratelimit-reset: 12", plain),
        (
            "x-ratelimit-limit: 100 | x-ratelimit-remaining:  30  | x-ratelimit-reset-after: 12.0",
            plain,
        ),
        ("x-rate-limit-limit: 100 | x-rate-limit-remaining: 30 | x-rate-limit-reset: 12", plain),
        (
            "x-ratelimit-limit-requests: 100 | x-ratelimit-remaining-requests: 30 | \
             x-ratelimit-reset-requests: 12s",
            plain,
        ),
        (
            "x-ratelimit-limit: 100, 100;w=60 | x-ratelimit-remaining: 30 | x-ratelimit-reset: 12",
            both,
        ),
        (
            "ratelimit-policy: 100;w=60 | ratelimit-limit: 100 | ratelimit-remaining: 30 | \
             ratelimit-reset: 12",
            both,
        ),
        ("x-shopify-shop-api-call-limit: 32/40", (Some(40), Some(20), Some(8), None)),
    ] {
        let pairs = headers.split(" | ").map(|header| header.split_once(": ").unwrap());
        assert_eq!(told(&pairs.collect::<Vec<_>>()), [facts], "{headers}");
    }
}

#[test]
fn several_limits_are_told_apart() {
    let policies = ("ratelimit-policy", r#""s";q=10;w=1, "d";q=1000;w=86400"#);
    let states = ("ratelimit", r#""d";r=7;t=600, "s";r=9;t=1"#);
    let both =
        [(Some(10), Some(1), Some(9), Some(1)), (Some(1_000), Some(86_400), Some(7), Some(600))];
    assert_eq!(told(&[policies, states]), both);
    for (unit, window) in [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400)] {
        let (limit, left) =
            (format!("x-ratelimit-limit-{unit}"), format!("x-ratelimit-remaining-{unit}"));
        let facts = told(&[(&limit, "10"), (&left, "3"), ("x-ratelimit-limit", "5")]);
        let of_unit = (Some(10), Some(window), Some(3), None);
        assert_eq!(facts, [of_unit, (Some(5), None, None, None)], "{unit}");
    }
    let lines = [("ratelimit", r#""a";r=1"#), ("ratelimit", r#""b";r=2"#)];
    assert_eq!(told(&lines).len(), 2);
    assert_ne!(read(&lines).0[0].unwrap().scope, read(&lines).0[1].unwrap().scope);
}

#[test]
fn policies_without_names_are_told_apart_by_their_windows() {
    let (minute, hour) = ((Some(100), Some(60)), (Some(1_000), Some(3_600)));
    let with = |(limit, window), left, reset| (limit, window, left, reset);
    let policies = ("ratelimit-policy", "100;w=60, 1000;w=3600");
    for (limit, first, second) in [
        ("100", (Some(3), Some(9)), (None, None)),
        ("1000", (None, None), (Some(3), Some(9))),
        ("100, 100;w=60, 1000;w=3600", (Some(3), Some(9)), (None, None)),
        ("100;w=60", (Some(3), Some(9)), (None, None)),
    ] {
        let state =
            [("ratelimit-limit", limit), ("ratelimit-remaining", "3"), ("ratelimit-reset", "9")];
        let facts = [with(minute, first.0, first.1), with(hour, second.0, second.1)];
        for order in [[&[policies][..], &state[..]], [&state[..], &[policies][..]]] {
            let mut read = told(&order.concat());
            read.sort_unstable();
            assert_eq!(read, facts, "{limit}");
        }
    }
    let unknown = [("x-ratelimit-limit", "10, 100;w=60"), ("x-ratelimit-remaining", "3")];
    let apart = [(Some(10), None, Some(3), None), (Some(100), Some(60), None, None)];
    assert_eq!(told(&unknown), apart);
    let first = [policies, ("ratelimit-remaining", "3")];
    assert_eq!(told(&first), [with(minute, Some(3), None), with(hour, None, None)]);
}

#[test]
fn more_limits_than_there_is_room_for_are_left_out() {
    let names: Vec<_> = (0..12).map(|name| format!(r#""{name}x";r={name}"#)).collect();
    let facts = told(&[("ratelimit", &names.join(", "))]);
    let left: Vec<_> = facts.iter().map(|(_, _, left, _)| left.unwrap()).collect();
    assert_eq!(left, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn units_other_than_requests_are_left_out_in_either_order() {
    let policy =
        ("ratelimit-policy", r#""b";q=1000000;w=60;qu="content-bytes", "r";q=5;w=1;qu="requests""#);
    let state = ("ratelimit", r#""b";r=0;t=60, "r";r=4;t=1"#);
    for headers in [[policy, state], [state, policy]] {
        assert_eq!(told(&headers), [(Some(5), Some(1), Some(4), Some(1))], "{headers:?}");
    }
    for name in
        ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"]
    {
        assert_eq!(told(&[(name, "12")]), [], "{name}");
    }
}

#[test]
fn a_reset_is_known_by_its_size_and_form() {
    for (text, reset, stamp) in [
        ("0", 0, None),
        ("90", 90, None),
        ("1.6", 2, None),
        ("784111777", 784_111_777, None),
        ("1784111777", 1_000_000_037, Some(1_784_111_777)),
        ("1784111777.0", 1_000_000_037, Some(1_784_111_777)),
        ("1784111777000", 1_000_000_037, Some(1_784_111_777)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37, None),
        ("Sun, 6 Nov 1994 08:49:37 UTC", 37, None),
        ("Sat, 05 Nov 1994 08:49:37 GMT", 0, None),
        ("6m0s", 360, None),
        ("1h2m3s", 3_723, None),
        ("1500ms", 2, None),
        ("7.66s", 8, None),
    ] {
        let facts = read(&[("x-ratelimit-reset", text)]);
        let fact = facts.iter().next().unwrap_or_else(|| panic!("{text}"));
        let seconds = fact.reset.map(|reset| reset.as_secs_f64().round() as u64);
        assert_eq!((seconds, fact.reset_stamp), (Some(reset), stamp), "{text}");
    }
}

#[test]
fn a_unix_time_is_measured_against_the_answers_own_date() {
    let sent = ("date", "Wed, 15 Jul 2026 10:36:00 GMT");
    let reset = httpdate::parse_http_date(sent.1).unwrap() + Duration::from_secs(25);
    let stamp = reset.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string();
    for text in [stamp.as_str(), "Wed, 15 Jul 2026 10:36:25 GMT"] {
        assert_eq!(told(&[sent, ("x-ratelimit-reset", text)])[0].3, Some(25), "{text}");
    }
}

#[test]
fn what_cannot_be_read_says_nothing() {
    for (name, text) in [
        ("ratelimit", ""),
        ("ratelimit", "30"),
        ("ratelimit", r#""a";r=-1"#),
        ("ratelimit", r#""a";r="30""#),
        ("ratelimit", r#""a;r=30"#),
        ("ratelimit", "limit=100"),
        ("ratelimit-policy", r#""a""#),
        ("ratelimit-policy", "100;;w"),
        ("x-ratelimit-limit", "unlimited"),
        ("x-ratelimit-remaining", "-1"),
        ("x-ratelimit-remaining", "99999999999999999999"),
        ("x-ratelimit-reset", "soon"),
        ("x-ratelimit-reset", "-5"),
        ("x-ratelimit-reset", "nan"),
        ("x-ratelimit-reset", "inf"),
        ("x-ratelimit-reset", "1e300"),
        ("x-ratelimit-reset", "10000000000000000000000"),
        ("x-ratelimit-reset", "99999999999999999999999s"),
        ("x-ratelimit-reset", "6m0"),
        ("x-ratelimit-reset", "m"),
        ("x-ratelimit-reset", "6 minutes"),
        ("x-ratelimit-used", "12"),
        ("x-ratelimit-resource", "core"),
        ("x-shopify-shop-api-call-limit", "32"),
        ("x-shopify-shop-api-call-limit", "-1/40"),
        ("retry-after", "12"),
    ] {
        assert_eq!(told(&[(name, text)]), [], "{name}: {text}");
    }
}

fn name() -> impl Strategy<Value = String> {
    let whole = HEADERS.map(|(name, _)| name.to_owned());
    let part = (select(&FAMILIES), select(&WORDS), "(-minute|-tokens)?");
    prop_oneof![
        select(whole.to_vec()),
        part.prop_map(|(family, (word, _), unit)| format!("{family}{word}{unit}")),
        Just("date".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let numbers = "[0-9]{1,25}(\\.[0-9]{1,5})?(ms|s|m|h|e[0-9]{1,3})?";
    prop_oneof!["[ -~]{0,40}", numbers, "\"[a-c]\";[qrtw]=[0-9]{1,16}(;[qrtw]=-?[0-9]{1,16})?"]
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        name(),
        "(x-)?(rate-?limit|retry|[a-z])[a-z0-9_-]{0,24}",
        "x-ratelimit-[a-z-]{0,24}",
    ]
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let dates =
        "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[Tt ][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?[Z+-]?[0-9:]{0,5}";
    prop_oneof![
        value().prop_map(String::into_bytes),
        dates.prop_map(String::into_bytes),
        proptest::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8], 0..64),
        proptest::collection::vec(0x30..0x3a_u8, 1_000..3_000),
    ]
}

proptest! {
    #[test]
    fn no_header_panics_or_says_more_than_there_is_room_for(
        headers in proptest::collection::vec((any_name(), any_value()), 0..12),
    ) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.trim_ascii());
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                map.append(name, value);
            }
        }
        let own = [(HeaderName::from_static("x-a"), LimitHeader::Wait)];
        let told = Told::read(&map, &own, &Clock::anchored(SystemTime::UNIX_EPOCH));
        prop_assert!(told.limits.iter().count() <= MOST);
        let (asked, all) = (told.wait(Class::ServerError), told.wait(Class::Throttled));
        prop_assert!(asked.is_none_or(|asked| asked.is_zero() || all == Some(asked)));
    }
}

#[test]
fn what_is_longer_than_any_word_of_a_provider_is_not_looked_at() {
    let long = format!("1{}", " ".repeat(2_000));
    assert_eq!(read_all(&[("retry-after", &long)]).wait(Class::Throttled), None);
}

const NOW: &str = "Sun, 06 Nov 1994 08:49:00 GMT";
