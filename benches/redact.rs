//! What it costs to redact 64 KiB of something, or a header of 1 MiB, by the default and where all of it
//! is asked for: the hostile ones repeat what makes a careless reader begin again.
//!
//! `cargo bench --bench redact --features audit`. A record may take a millisecond for each 64 KiB.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

use divan::Bencher;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use outrigger::event::Kept;
use outrigger::redact::{Redactor, StandardRedactor};
use outrigger::telemetry::audit::{Audit, AuditRecord, AuditSink};
use outrigger::{Body, BoxError, Integration};
use tower::service_fn;

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

/// Headers of 64 KiB, as many as there may be.
#[divan::bench(args = [100, 1_000, 8_000])]
fn headers(bencher: Bencher<'_, '_>, count: usize) {
    let value = HeaderValue::from_str(&"a".repeat(SIZE / count - 7)).expect("a value");
    let name = |at| HeaderName::from_bytes(format!("x-{at:05}").as_bytes()).expect("a name");
    let headers: Vec<_> = (0..count).map(name).collect();
    let redactor = StandardRedactor::new();
    bencher.bench(|| headers.iter().map(|name| redactor.header(name, &value).len()).sum::<usize>());
}

struct Nowhere;

impl AuditSink for Nowhere {
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
        black_box(record.to_json());
        Ok(())
    }
}

/// A call that fails with such a body of 64 KiB, to the end of its record as JSON.
#[divan::bench(args = REPEATED)]
fn record(bencher: Bencher<'_, '_>, repeated: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("one");
    let _inside = runtime.enter();
    let body = repeated.repeat(SIZE / repeated.len());
    let fails = service_fn(move |_: Request<Body>| {
        let mut response = Response::new(Body::from(body.clone()));
        *response.status_mut() = http::StatusCode::NOT_FOUND;
        let media = HeaderValue::from_static("application/json");
        response.headers_mut().insert(http::header::CONTENT_TYPE, media);
        async { Ok::<_, Infallible>(response) }
    });
    let audit = Audit::to(Nowhere).failures(SIZE).start().expect("a thread");
    let crm = Integration::user_flow("crm").subscriber(audit.clone()).service(fails);
    let crm = crm.build().expect("settings that can work");
    bencher.bench_local(|| {
        let request = Request::get("https://crm.test/").body(Body::empty()).expect("a request");
        let response = runtime.block_on(crm.send(request)).expect("an answer");
        black_box(runtime.block_on(response.into_body().bytes()).expect("a body"));
        assert!(audit.flush(Duration::from_secs(10)));
    });
}
