//! What it costs to redact 64 KiB of something, or a header of 1 MiB, by the default and where all of it
//! is asked for: the hostile ones repeat what makes a careless reader begin again.
//!
//! `cargo bench --bench redact`. A record may take a millisecond for each 64 KiB.

use divan::Bencher;
use http::{HeaderMap, HeaderName, HeaderValue};
use outrigger::event::Kept;
use outrigger::redact::{Redactor, StandardRedactor};

fn main() {
    divan::main();
}

const SIZE: usize = 64 * 1024;
const REPEATED: [&str; 20] = [
    "[",
    "[1,",
    "[true,",
    "{\"a\":",
    "{\"a\":\"b\"}",
    "{\"status\":\"x\"}",
    "\"\",",
    "\\\"",
    "\\u0040",
    "%40",
    "4",
    "4444 4444 444 ",
    "YWRhOmh1bnRlcjI",
    "@",
    "a@",
    "-",
    "token->-",
    "Bearer ",
    "a://b:@c/",
    "&a=1",
];

fn json(text: String, redactor: &StandardRedactor) -> Option<String> {
    let media = HeaderValue::from_static("application/json");
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, media)]);
    redactor.body(&headers, &Kept::cut(text, u64::MAX))
}

/// JSON that is made of it, as far as it is any; else it is a string's content.
#[divan::bench(args = REPEATED)]
fn body(bencher: Bencher<'_, '_>, repeated: &str) {
    let text = match repeated.as_bytes()[0] {
        b'[' | b'{' => repeated.repeat(SIZE / repeated.len()),
        b'"' => "[".to_owned() + &repeated.repeat(SIZE / repeated.len()),
        _ => format!("{{\"message\":\"{}\"}}", repeated.repeat(SIZE / repeated.len())),
    };
    let redactor = StandardRedactor::new();
    bencher.bench(|| json(text.clone(), &redactor));
}

#[divan::bench(args = REPEATED)]
fn asked(bencher: Bencher<'_, '_>, repeated: &str) {
    let text = repeated.repeat(SIZE / repeated.len());
    let redactor = StandardRedactor::new().show_texts();
    bencher.bench(|| redactor.text(&text));
}

#[divan::bench(args = ["x-other", "server", "x-request-id", "location", "x-asked"])]
fn header_of_one_mebibyte(bencher: Bencher<'_, '_>, name: &str) {
    let value = HeaderValue::from_str(&"token->-".repeat(16 * SIZE / 8)).expect("a value");
    let redactor = StandardRedactor::new().show_header(HeaderName::from_static("x-asked"));
    let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
    bencher.bench(|| redactor.header(&name, &value));
}

#[divan::bench]
fn form(bencher: Bencher<'_, '_>) {
    let media = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, media)]);
    let text = "&a=1".repeat(SIZE / 4);
    let redactor = StandardRedactor::new();
    bencher.bench(|| redactor.body(&headers, &Kept::whole(text.as_str())));
}
