//! Values of types: as a check, with what they don't know, and with enums that grow.

use outrigger::validate::{Decodes, Lenient, Verdict};
use outrigger::{ErrorKind, ResponseExt};
use serde::Deserialize;

use crate::bench::{Bench, enforced, failed, json};

#[derive(Debug, Deserialize, PartialEq)]
struct Charge {
    id: String,
    items: Vec<Item>,
    #[serde(default)]
    state: Option<Lenient<State>>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Item {
    amount: u32,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum State {
    Paid,
}

const GOOD: &str = r#"{"id":"c1","items":[{"amount":1},{"amount":2}],"state":"paid"}"#;

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_type_cant_be_made_of_is_invalid_at_the_place() {
    for (body, at, reason) in [
        (
            r#"{"id":"c1","items":[{"amount":1},{"amount":"s3cr3t"}]}"#,
            "/items/1/amount",
            "a value of another type than expected",
        ),
        (r#"{"id":"c1","items":[{}]}"#, "/items/0", "missing field `amount`"),
        (r#"{"items":[]}"#, "", "missing field `id`"),
    ] {
        let bench = Bench::with([json(body)], enforced(Decodes::<Charge>::new()), |builder| {
            builder.without_retry()
        });
        let error = bench.get().await.unwrap_err();
        let found = failed(&error);
        assert_eq!((found.verdict(), found.reason()), (Verdict::Invalid, reason), "{body}");
        assert_eq!(found.pointer().unwrap_or_default(), at, "{body}");
        assert!(!format!("{error} {error:?} {found:?}").contains("s3cr3t"));
    }
    let bench = Bench::new([json(GOOD)], enforced(Decodes::<Charge>::new()));
    let charge: Charge = bench.get().await.unwrap().json().await.unwrap();
    assert_eq!(charge.items[1].amount, 2);
}

#[tokio::test(start_paused = true)]
async fn a_checked_value_says_what_the_type_does_not_know_once_each() {
    let body = r#"{"id":"c1","items":[{"amount":1,"vat":2},{"amount":2,"vat":3}],"new":{"a":1}}"#;
    let bench = Bench::new([json(body)], outrigger::validate::ValidateLayer::new());
    let checked = bench.get().await.unwrap().checked::<Charge>().await.unwrap();
    assert_eq!(checked.value.id, "c1");
    assert_eq!(checked.unknown, ["/items/*/vat", "/new"]);
    let wrong = Bench::new([json(r#"{"id":7}"#)], outrigger::validate::ValidateLayer::new());
    let error = wrong.get().await.unwrap().checked::<Charge>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().ends_with("a value of another type than expected (at /id)"),
        "{error}"
    );
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its shape counts")]
struct Nested {
    customer: Option<Wrapped>,
    by_name: std::collections::BTreeMap<String, Item>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its shape counts")]
struct Wrapped(Item);

#[tokio::test(start_paused = true)]
async fn an_unknown_members_place_is_that_of_the_json_and_not_of_the_type() {
    let body = r#"{"customer":{"amount":1,"new":2},"by_name":{"v1.2":{"amount":1,"a.b":2}}}"#;
    let bench = Bench::new([json(body)], outrigger::validate::ValidateLayer::new());
    let checked = bench.get().await.unwrap().checked::<Nested>().await.unwrap();
    // A name with a dot is one name, and not shown.
    assert_eq!(checked.unknown, ["/by_name/*/*", "/customer/new"]);
}

#[test]
fn a_variant_that_is_new_fails_nothing() {
    let charge = |state: &str| -> Result<Charge, _> {
        serde_json::from_str(&format!(r#"{{"id":"c1","items":[],"state":{state}}}"#))
    };
    assert_eq!(charge(r#""paid""#).unwrap().state, Some(Lenient::Known(State::Paid)));
    assert_eq!(charge(r#""held""#).unwrap().state, Some(Lenient::Unknown("held".to_owned())));
    assert_eq!(charge("null").unwrap().state, None);
    assert!(charge("7").is_err());
    assert_eq!(
        serde_json::to_string(&Lenient::<bool>::Unknown("held".to_owned())).unwrap(),
        r#""held""#
    );
}
