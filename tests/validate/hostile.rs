//! Bodies that are made to hurt, and secrets that are planted in bodies.

use std::time::{Duration, Instant};

use outrigger::IntegrationBuilder;
use outrigger::redact::StandardRedactor;
use outrigger::testing::Answer;
use outrigger::validate::graphql::GraphQl;
use outrigger::validate::{
    Check, Decodes, FailedCheck, Problems, Required, Row, StatusField, ValidateLayer, Vendors,
    Verdict,
};

use crate::bench::{Bench, failed, json};

/// All checks that read bodies, on one body.
fn all() -> ValidateLayer {
    let own = Vendors::new()
        .row(Row::text(200, "aaaaaaaaaaaaaaaaaaab", Verdict::Permanent))
        .row(Row::json(200, "/errors/*/extensions/*/code", "x", Verdict::Permanent));
    let layer = ValidateLayer::new()
        .report(Required::new(["/a/0/b", "/z"]))
        .report(StatusField::slack())
        .report(StatusField::new("/s", 1).each("").named("each"))
        .report(GraphQl::shopify())
        .report(Problems::new())
        .report(own)
        .report(Decodes::<std::collections::BTreeMap<String, u8>>::new())
        .body_cap(1 << 21);
    #[cfg(feature = "json-schema")]
    let layer = layer.report(schema());
    layer
}

/// Patterns, references and combinations over which other engines take for ever.
#[cfg(feature = "json-schema")]
fn schema() -> impl Check {
    outrigger::validate::JsonSchema::new(&serde_json::json!({
        "$defs": {
            "slow": { "pattern": "^(a+)+$" },
            "tree": {
                "properties": { "a": { "$ref": "#/$defs/tree" }, "text": { "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$" } },
                "additionalProperties": { "$ref": "#/$defs/slow" },
            },
        },
        "$ref": "#/$defs/tree",
        "anyOf": [{ "$ref": "#/$defs/tree" }, { "$ref": "#/$defs/slow" }],
        "items": { "anyOf": [{ "type": "integer" }, { "$ref": "#/$defs/tree" }] },
    }))
    .unwrap()
}

fn hostile() -> Vec<(&'static str, String)> {
    let mega = 1 << 20;
    let keys = |member: &dyn Fn(usize) -> String| (0..50_000).map(member).collect::<String>();
    vec![
        ("open brackets", "[".repeat(mega)),
        ("open objects", "{\"a\":".repeat(mega / 5)),
        ("closed depth", format!("{}{}", "[".repeat(mega / 2), "]".repeat(mega / 2))),
        (
            "depth at the limit",
            format!("[{}0]", format!("{}{},", "[".repeat(126), "]".repeat(126)).repeat(mega / 253)),
        ),
        ("a wide array", format!("[{}0]", "0,".repeat(mega / 2))),
        ("many errors", format!("{{\"errors\":[{}{{}}]}}", "{},".repeat(mega / 3))),
        (
            "many codes",
            format!(
                "{{\"errors\":[{}{{}}]}}",
                "{\"extensions\":{\"code\":\"x\"}},".repeat(mega / 30)
            ),
        ),
        (
            "many payloads",
            format!(
                "{{\"data\":{{{}\"k\":0}}}}",
                keys(&|key| format!("\"k{key}\":{{\"userErrors\":[]}},"))
            ),
        ),
        ("many results", format!("[{}{{}}]", "{\"s\":1,\"errors\":[{}]},".repeat(mega / 24))),
        ("one key many times", format!("{{{}\"k\":0}}", "\"k\":0,".repeat(mega / 6))),
        ("many keys", format!("{{{}\"k\":0}}", keys(&|key| format!("\"key-{key}\":[],")))),
        ("long keys", format!("{{\"{}\":0}}", "k".repeat(mega))),
        ("escapes", format!("\"{}\"", "\\u0041".repeat(mega / 6))),
        ("halves of characters", format!("\"{}\"", "\\ud83d".repeat(mega / 6))),
        ("a long whole number", "9".repeat(mega)),
        ("a long fraction", format!("0.{}", "3".repeat(mega))),
        ("long exponents", format!("[{}1]", "1e-999999999,".repeat(mega / 13))),
        (
            "a text for slow patterns",
            format!(
                "{{\"k\":\"{}b\",\"text\":\"{}!\"}}",
                "a".repeat(mega / 2),
                "a".repeat(mega / 2)
            ),
        ),
        (
            "a sentence almost",
            format!("{{\"message\":\"{}\"}}", "secondary rate limi ".repeat(mega / 20)),
        ),
        ("a text almost", "aaaaaaaaaaaaaaaaaaa ".repeat(mega / 20)),
        ("angle brackets", "<".repeat(mega)),
        ("elements", "<a>".repeat(mega / 3)),
        ("the root many times", "<Envelope>".repeat(mega / 10)),
        (
            "almost the path",
            format!("<Envelope>{}", "<Body><Fault></Fault></Body>".repeat(mega / 28)),
        ),
        ("comments", format!("<Error>{}", "<!---->".repeat(mega / 7))),
        ("open comments", format!("<Error>{}", "<!--".repeat(mega / 4))),
        ("a quoted attribute", format!("<Error a=\"{}", ">".repeat(mega))),
        ("a byte that is no text", "\u{fffd}\u{80}".repeat(mega / 5)),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_megabyte_of_whatever_is_read_in_time() {
    for (name, body) in hostile() {
        for (status, media) in
            [(200, ""), (200, "application/vnd.api+json"), (403, "application/problem+json")]
        {
            let answer = Answer::status(status).header("content-type", media);
            let bench = Bench::new([answer.body(body.clone())], all());
            let began = Instant::now();
            bench.get().await.unwrap();
            let took = began.elapsed();
            // A second in a build for users; a test's is slower, and so may be its machine.
            assert!(took < Duration::from_secs(20), "{name}, {status} {media}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_megabyte_of_a_request_is_read_in_time() {
    let mega = 1 << 20;
    for document in [
        "{a".repeat(mega / 2),
        "{a(".repeat(mega / 3),
        "query A{a}".repeat(mega / 10),
        format!("{{a(s:\"{}", "\\\\\\\"".repeat(mega / 8)),
        "\"\"\"".repeat(mega / 6),
        "#".repeat(mega / 2),
        "fragment F on T{a}".repeat(mega / 20),
    ] {
        let bench = Bench::with([json("{\"data\":{}}")], ValidateLayer::new(), |builder| {
            builder.graphql(GraphQl::new())
        });
        let request = bench.api.post("http://api.test/graphql");
        let request = request.json(&serde_json::json!({ "query": document }));
        let began = Instant::now();
        request.send().await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }
}

/// A secret as a value and as a key, in all places that checks look at.
const SECRET: &str = "s3cr3t Ada-77 key";

fn planted() -> Vec<(u16, &'static str, String)> {
    let everywhere = serde_json::json!({
        "ok": false, "error": SECRET, "type": SECRET, "s3": {SECRET: SECRET}, "status": SECRET,
        "errors": [{"message": SECRET, "status": SECRET, "extensions": {"code": SECRET}}],
        "message": SECRET, SECRET: [SECRET], "__type": SECRET, "errorCode": SECRET, "name": SECRET,
    });
    let google = serde_json::json!({
        "error": {"code": SECRET, "type": SECRET, "errors": [{"reason": SECRET}], "details": [
            {"reason": "RATE_LIMIT_EXCEEDED", "retryDelay": SECRET, "metadata": {SECRET: SECRET}}]},
    });
    let xml = format!("<Error><Code>{SECRET}</Code><Message>{SECRET}</Message></Error>");
    let soap = format!(
        "<Envelope><Body><Fault><faultcode>{SECRET}</faultcode><faultstring>{SECRET}</faultstring></Fault></Body></Envelope>"
    );
    let json = "application/json";
    vec![
        (200, json, everywhere.to_string()),
        (403, json, everywhere.to_string()),
        (403, "application/problem+json", everywhere.to_string()),
        (200, "application/problem+json", everywhere.to_string()),
        (
            200,
            "application/vnd.api+json",
            serde_json::json!({"errors": [{"status": SECRET}]}).to_string(),
        ),
        (200, "application/graphql-response+json", everywhere.to_string()),
        (403, json, google.to_string()),
        (200, "application/xml", xml.clone()),
        (503, "application/xml", xml),
        (200, "text/xml", soap.clone()),
        (500, "text/xml", soap),
        (200, "text/html", format!("<html>{SECRET}</html>")),
        (200, json, format!("{{\"id\": \"{SECRET}")),
    ]
}

type MakeCheck = Box<dyn Fn(ValidateLayer) -> ValidateLayer>;

fn checks() -> Vec<MakeCheck> {
    fn one<C: Check>(make: impl Fn() -> C + 'static) -> MakeCheck {
        Box::new(move |layer| layer.enforce(make()))
    }
    type Numbers = std::collections::BTreeMap<String, u8>;
    vec![
        one(|| Required::new(["/id"])),
        one(StatusField::slack),
        one(|| StatusField::new("/status", "ok").each("/errors")),
        one(GraphQl::shopify),
        one(Vendors::new),
        one(Problems::new),
        one(Decodes::<Numbers>::new),
        #[cfg(feature = "json-schema")]
        one(schema),
        #[cfg(feature = "json-schema")]
        one(|| {
            let closed = serde_json::json!({ "additionalProperties": false, "propertyNames": { "maxLength": 3 } });
            outrigger::validate::JsonSchema::new(&closed).unwrap()
        }),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_a_body_is_in_no_error_event_sample_health_or_debug() {
    let mut rejections = 0;
    for (status, media, body) in planted() {
        for check in checks() {
            let layer = check(ValidateLayer::new()).keep_samples(StandardRedactor::new());
            let answer = Answer::status(status).header("content-type", media).body(body.clone());
            let bench = Bench::with([answer], layer, IntegrationBuilder::without_retry);
            let result = bench.get().await;
            let mut said = format!("{:?} {:?}", bench.events.events(), bench.api.health());
            said += &format!("{:?}", bench.api.validation().unwrap().samples());
            match &result {
                Err(error) => {
                    said += &format!("{error} {error:?} {:?} {}", failed(error), failed(error));
                }
                Ok(answer) => {
                    said += &format!("{:?}", answer.extensions().get::<FailedCheck>());
                    said +=
                        &format!("{:?}", answer.extensions().get::<outrigger::validate::Problem>());
                }
            }
            assert!(!said.contains(SECRET), "{status} {media}: {said}");
            rejections += bench.api.validation().unwrap().rejected();
        }
    }
    assert!(rejections > 40, "{rejections}");
}
