//! Secrets in every place: none is in any record, span, error or `Debug` text.

use std::io;
use std::time::Duration;

use http::{HeaderValue, Request};
use outrigger::context::BusinessKey;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::fallback::{FallbackLayer, FallbackRecord, FallbackRecorder};
use outrigger::telemetry::audit::{Audit, TracingSink};
use outrigger::telemetry::tracing::Spans;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};
use std::sync::{Arc, Mutex};

use super::{Collected, collecting};
use crate::call::read;
use crate::capture::Capture;

/// Each stands somewhere else.
const PLANTED: [&str; 20] = [
    "Hunter2xSecret",
    "4242424242424242",
    "4242 4242 4242 4242",
    "ada@crm.test",
    "ada%40crm.test",
    "BinarySecret",
    "Lovelace",
    "Müller",
    "M\\u00fcller",
    "García",
    "Lefèvre",
    "Wiśniewski",
    "Marszałkowska",
    "田中",
    "Hauptstr",
    "532013000",
    "DE8937",
    "1815-12-10",
    "F32.1",
    "fluffy",
];

/// Bodies, and what they say they are.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let json = r#"{"a":[{"user":{"apiKey":"Hunter2xSecret"}}],"n":4242424242424242,"to":"mail ada@crm.test, 4242 4242 4242 4242","raw":"{\"token\":\"Hunter2xSecret\"}","field":"pin","value":"Hunter2xSecret"}"#;
    let form = "password=Hunter2xSecret&x=4242+4242+4242+4242&n=4242424242424242&to=ada%40crm.test&u[secret]=Hunter2xSecret";
    let multipart = "--b\r\ncontent-disposition: form-data; name=\"password\"\r\n\r\nHunter2xSecret\r\n--b\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nHunter2xSecret\r\n--b\r\n\
        content-disposition: form-data; name=\"note\"\r\n\r\nto ada@crm.test by 4242424242424242\r\n--b--";
    let xml = "<a><s:Password>Hunter2xSecret</s:Password><c n=\"4242424242424242\" token=\"Hunter2xSecret\"/>ada@crm.test</a>";
    let text = "Authorization: Bearer Hunter2xSecret\nfor https://u:Hunter2xSecret@h.test/p?k=Hunter2xSecret\nto ada@crm.test 4242-4242-4242-4242 4242 4242 4242 4242";
    let people = r#"{"kunde":{"vorname":"Ada","nachname":"Müller","strasse":"Hauptstr. 5","kontonummer":"532013000","konto":532013000,"iban":"DE89370400440532013000"},"code":"Lovelace","cliente":{"apellidos":"García"},"client":{"nom":"Lefèvre","naissance":"1815-12-10"},"klient":{"nazwisko":"Wiśniewski","ulica":"Marszałkowska"},"顧客":"田中","balances":{"Ada Lovelace":1},"patient":{"diagnosis":"F32.1","security_answer":"fluffy"}}"#;
    let all = [json, form, multipart, xml, text, people];
    let media = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "application/xml",
        "text/plain",
        "text/html",
        "application/octet-stream",
    ];
    let mut bodies: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for media in media {
        for text in all {
            bodies.push((media, text.into()));
        }
        bodies.push((media, [&b"\xff\xfe BinarySecret "[..], json.as_bytes()].concat()));
        bodies.push((media, b"p\0w\0d\0=\0BinarySecret".to_vec()));
    }
    bodies
}

fn request(media: &'static str, body: Vec<u8>) -> Request<Body> {
    let mut request =
        Request::post("https://crm.test/o/Hunter2xSecret?sig=Hunter2xSecret&to=ada%40crm.test")
            .header("content-type", media)
            .header("authorization", "Bearer Hunter2xSecret")
            .header("cookie", "sid=Hunter2xSecret")
            .header("x-api-key", "Hunter2xSecret")
            .header("x-note", "ada@crm.test 4242424242424242")
            .header("x-customer", "Ada Lovelace")
            .header("x-kunde", "Müller")
            .header("x-532013000", "1")
            .header("referer", "https://h.test/x?token=Hunter2xSecret")
            .body(Body::from(body))
            .unwrap();
    let key = BusinessKey::new("order of ada@crm.test");
    request.extensions_mut().insert(key);
    request
}

fn answer(status: u16, media: &'static str, body: Vec<u8>) -> Answer {
    Answer::status(status)
        .header("content-type", media)
        .header("set-cookie", "sid=Hunter2xSecret")
        .header("location", "/next?code=Hunter2xSecret")
        .header("www-authenticate", "Bearer Hunter2xSecret")
        .header("x-account", "DE89370400440532013000")
        .header("etag", "\"Hunter2xSecret\"")
        .body(body)
}

fn keeps_secrets(text: &str) {
    for planted in PLANTED {
        assert!(!text.contains(planted), "{planted} in {text}");
    }
}

/// What somebody prints who doesn't think of it.
#[derive(Clone, Default)]
struct Careless(Arc<Mutex<String>>);

impl Subscriber for Careless {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        let told = format!("{event:?} {origin:?} {:#?}", origin.exchange());
        self.0.lock().unwrap().push_str(&told);
    }
}

#[tokio::test(start_paused = true)]
async fn no_record_span_error_or_debug_text_holds_one() {
    let (told, _guard) = Capture::here();
    let (audit, collected) = collecting();
    let spoken = Audit::to(TracingSink::new()).failures(4_096).start().unwrap();
    let careless = Careless::default();
    let mut errors = String::new();
    for (media, body) in bodies() {
        let failures = [
            answer(422, media, body.clone()),
            answer(500, media, body.clone()),
            Answer::hang(),
            Answer::broken(io::ErrorKind::ConnectionReset),
        ];
        for failure in failures {
            let crm = Integration::user_flow("crm")
                .subscriber(audit.clone())
                .subscriber(spoken.clone())
                .subscriber(careless.clone())
                .subscriber(Spans::new())
                .service(Script::new([failure]))
                .build()
                .unwrap();
            match read(crm.send(request(media, body.clone()))).await {
                Ok(_) => {}
                Err(error) => errors.push_str(&format!("{error} {error:?}")),
            }
        }
    }
    let records = collected.records(&audit);
    assert!(records.len() >= 4 * bodies().len() && records.iter().all(|r| r.exchange.is_some()));
    assert!(records.iter().any(|record| record.to_json().contains("[redacted]")));
    for record in &records {
        keeps_secrets(&record.to_json());
        keeps_secrets(&format!("{record:?} {record:#?}"));
    }
    assert!(spoken.flush(Duration::from_secs(10)));
    let told = told.text();
    assert!(told.contains("outrigger::audit"));
    keeps_secrets(&told);
    keeps_secrets(&errors);
    keeps_secrets(&careless.0.lock().unwrap());
}

/// Keeps what fallbacks are recorded by.
#[derive(Clone, Default)]
struct Repairs(Arc<Mutex<String>>);

impl FallbackRecorder for Repairs {
    fn record(&self, record: FallbackRecord) {
        self.0.lock().unwrap().push_str(&format!("{record:?}\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn no_record_of_a_fallback_and_no_health_holds_one() {
    let repairs = Repairs::default();
    let fallback = || FallbackLayer::value(http::Response::new("{}")).record_to(repairs.clone());
    for (media, body) in bodies() {
        for failure in [answer(500, media, body.clone()), Answer::broken(io::ErrorKind::Other)] {
            let crm = Integration::user_flow("crm").fallback(fallback());
            let crm = crm.service(Script::new([failure])).build().unwrap();
            let mut request = request(media, body.clone());
            request.extensions_mut().insert(BusinessKey::new("order 1042"));
            read(crm.send(request)).await.unwrap();
            keeps_secrets(&format!("{crm:?} {:?}", crm.health()));
        }
    }
    let repairs = repairs.0.lock().unwrap();
    assert!(repairs.contains("order 1042"));
    keeps_secrets(&repairs);
}

#[tokio::test(start_paused = true)]
async fn wherever_a_body_is_cut_no_part_of_one_is_left() {
    for cap in (0..400).step_by(3) {
        let collected = Collected::default();
        let audit = Audit::to(collected.clone()).failures(cap).start().unwrap();
        for (media, body) in bodies().into_iter().take(6) {
            let crm = Integration::user_flow("crm").subscriber(audit.clone()).without_retry();
            let crm = crm.service(Script::new([answer(422, media, body.clone())])).build().unwrap();
            read(crm.send(request(media, body))).await.unwrap();
        }
        for record in collected.records(&audit) {
            // The call's id is made by chance, and may hold any digits.
            let line = record.to_json().replace(&record.call_id.to_string(), "");
            for part in
                ["Hunter2x", "4242 42", "424242", "ada@", "ada%40", "Lovel", "5320130", "Garc"]
            {
                assert!(!line.contains(part), "{part} at {cap} in {line}");
            }
        }
    }
}

#[test]
fn a_header_that_is_no_text_is_hidden() {
    use outrigger::redact::{Redactor, StandardRedactor};
    let value = HeaderValue::from_bytes(b"\xffBinarySecret").unwrap();
    let shown = StandardRedactor::new().header(&http::header::SERVER, &value);
    assert_eq!(shown, "[redacted]");
}
