//! JSON Schema.

use outrigger::validate::{Check, JsonSchema, Verdict};
use serde_json::json as value;

use crate::bench::{Bench, enforced, failed, json};

fn charge() -> JsonSchema {
    JsonSchema::new(&value!({
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": { "type": "string", "pattern": "^ch_[a-z0-9]+$" },
            "items": { "type": "array", "items": { "$ref": "#/$defs/item" } },
            "when": { "type": "string", "format": "date-time" },
        },
        "additionalProperties": { "type": "integer" },
        "$defs": { "item": { "type": "object", "properties": { "amount": { "minimum": 1 } } } },
    }))
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_its_schema_is_invalid_at_the_place_and_tells_no_value() {
    for (body, wanted) in [
        (r#"{"id":"ch_1","items":[{"amount":1}],"when":"today","extra":1}"#, None),
        (r#"{"items":[]}"#, Some(("", "it breaks `required`"))),
        (r#"{"id":"s3cr3t"}"#, Some(("/id", "it breaks `pattern`"))),
        (
            r#"{"id":"ch_1","items":[{"amount":1},{"amount":0}]}"#,
            Some(("/items/1/amount", "it breaks `minimum`")),
        ),
        (r#"{"id":"ch_1","ada.lovelace@s3cr3t.test":"x"}"#, Some(("/*", "it breaks `type`"))),
        ("[]", Some(("", "it breaks `type`"))),
    ] {
        let bench = Bench::with(
            [json(body)],
            enforced(charge()),
            outrigger::IntegrationBuilder::without_retry,
        );
        match (bench.get().await, wanted) {
            (Ok(_), None) => {}
            (Err(error), Some((at, reason))) => {
                let found = failed(&error);
                assert_eq!((found.verdict(), found.reason()), (Verdict::Invalid, reason), "{body}");
                assert_eq!(found.pointer().unwrap_or_default(), at, "{body}");
                assert!(!format!("{error} {error:?} {found:?}").contains("s3cr3t"));
            }
            (result, wanted) => panic!("{body}: {result:?} instead of {wanted:?}"),
        }
    }
}

#[test]
fn a_schema_that_cant_work_is_refused_with_its_place() {
    for (schema, part) in [
        (value!({ "type": 7 }), "/type"),
        (value!({ "$ref": "https://evil.test/schema.json" }), "evil.test"),
        (value!({ "$ref": "file:///etc/passwd" }), "/etc/passwd"),
        (value!({ "properties": { "a": { "pattern": "(?=x)" } } }), "pattern"),
        (value!({ "properties": { "a": { "pattern": "(a)\\1" } } }), "pattern"),
    ] {
        let error = JsonSchema::new(&schema).map(drop).unwrap_err().to_string();
        assert!(error.contains("validate.schema") && error.contains(part), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pattern_takes_linear_time() {
    let schema = JsonSchema::new(&value!({ "items": { "pattern": "^(a+)+$" } })).unwrap();
    let hostile = format!("[\"{}b\"]", "a".repeat(60_000));
    let bench = Bench::with(
        [json(&hostile)],
        enforced(schema),
        outrigger::IntegrationBuilder::without_retry,
    );
    let began = std::time::Instant::now();
    assert_eq!(failed(&bench.get().await.unwrap_err()).pointer(), Some("/0"));
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn a_schema_shows_nothing_of_itself() {
    assert_eq!(format!("{:?}", charge()), "JsonSchema { .. }");
    assert_eq!(charge().name(), "schema");
}
