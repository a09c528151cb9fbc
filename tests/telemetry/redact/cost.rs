//! What it costs grows as what it is given does, whatever that is.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use outrigger::event::Kept;
use outrigger::redact::{Redactor, StandardRedactor};

use super::of_type;

/// What is repeated, to see whether anything is read again for each of them.
const REPEATED: [&str; 27] = [
    "[",
    "{\"a\":",
    "]",
    "\"",
    "\\",
    "\\\"",
    "\\u0040",
    "%40",
    "%",
    "&#64;",
    "&",
    "&a=1",
    "@",
    "a@",
    "-",
    "4",
    "0",
    "4242 ",
    "a1",
    "token->-",
    "Bearer ",
    "://",
    "=",
    "a==",
    "1.",
    "-----BEGIN",
    "a://b:@c/",
];

fn showing() -> StandardRedactor {
    StandardRedactor::new()
        .show_texts()
        .show_paths()
        .show_field("message")
        .show_query("message")
        .show_header(HeaderName::from_static("x-note"))
}

/// All that can be asked of a redactor, of texts that are made of so many bytes of it.
fn redact(repeated: &str, size: usize) -> usize {
    let redactor = showing();
    // What comes at the end may undo what was thought of all before.
    let text = repeated.repeat(size / repeated.len()) + "a";
    let mut shown = redactor.text(&text).len() + redactor.id(&text).len();
    let value = HeaderValue::from_str(&text).unwrap();
    for name in ["x-note", "x-other", "server", "location"] {
        shown += redactor.header(&HeaderName::from_static(name), &value).len();
    }
    let quoted = serde_json::json!({ "message": text }).to_string();
    let form = format!("message={text}");
    for media in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
        for body in [&text, &quoted, &form] {
            let cut = Kept::cut(body.as_str(), u64::MAX);
            shown += redactor.body(&of_type(media), &cut).map_or(0, |shown| shown.len());
        }
    }
    shown
}

#[test]
fn eight_times_as_much_takes_no_more_than_three_times_eight_times_as_long() {
    let time = |repeated: &str, size: usize| -> Duration {
        let began = Instant::now();
        assert!(redact(repeated, size) > 0);
        began.elapsed()
    };
    for repeated in REPEATED {
        // Others use the machine too: once among many is proof enough.
        let is_linear = (0..20).any(|_| {
            let few = time(repeated, 4 * 1024);
            time(repeated, 32 * 1024) < few * 24
        });
        assert!(is_linear, "{repeated:?}");
    }
}

#[test]
fn nesting_needs_no_stack() {
    let deep = |open: &str, close: &str| {
        let text = open.repeat(200_000) + &close.repeat(200_000);
        StandardRedactor::new().body(&HeaderMap::new(), &Kept::whole(text.as_str())).unwrap()
    };
    assert_eq!(deep("[", "]"), "[".repeat(32 * 1024) + "[cut]");
    assert_eq!(deep("[", "}"), "[400000 bytes]");
    let objects = "{\"a\":".repeat(200_000) + "1";
    let shown = StandardRedactor::new().body(&HeaderMap::new(), &Kept::cut(objects, u64::MAX));
    assert!(shown.unwrap().ends_with("{\"a\":[cut]"));
}
