//! The checks that come with the crate, on single answers.

use http::Method;
use outrigger::context::PathTemplate;
use outrigger::testing::Answer;
use outrigger::validate::{
    Check, Finding, Media, Required, Size, ValidateLayer, Verdict, function,
};

use crate::bench::{Bench, enforced, failed, json, request};

/// What the check says of an answer; `None` if nothing is wrong.
async fn verdict(answer: Answer, check: impl Check) -> Option<(Verdict, Option<String>)> {
    let bench =
        Bench::with([answer], enforced(check), outrigger::IntegrationBuilder::without_retry);
    match bench.get().await {
        Err(error) => {
            let failed = failed(&error);
            Some((failed.verdict(), failed.pointer().map(str::to_owned)))
        }
        Ok(answer) => {
            let failed = answer.extensions().get::<outrigger::validate::FailedCheck>()?;
            Some((failed.verdict(), failed.pointer().map(str::to_owned)))
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_media_type_is_compared_without_parameters_and_case() {
    let typed = |media| Answer::status(200).header("content-type", media).body("x");
    for (media, verdict_of_it) in [
        ("application/json", None),
        ("Application/JSON; charset=utf-8", None),
        ("application/vnd.api+json", None),
        ("application/hal+JSON;profile=x", None),
        ("text/html", Some(Verdict::Transient)),
        ("application/jsonp", Some(Verdict::Transient)),
        ("text/plain; application/json", Some(Verdict::Transient)),
        ("", Some(Verdict::Transient)),
    ] {
        let found = verdict(typed(media), Media::json()).await;
        assert_eq!(found.map(|found| found.0), verdict_of_it, "{media:?}");
    }
    assert_eq!(verdict(typed("text/csv"), Media::of(["text/csv", "text/plain"])).await, None);
    // Without a body, there is nothing to be of a type.
    assert_eq!(verdict(Answer::status(200), Media::json()).await, None);
    let untyped = verdict(Answer::status(200).body("x"), Media::json()).await;
    assert_eq!(untyped.map(|found| found.0), Some(Verdict::Transient));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_missing_or_null_is_named() {
    let required = || Required::new(["/id", "/items/0/a~1b"]);
    for (body, pointer) in [
        (r#"{"id": 0, "items": [{"a/b": false}]}"#, None),
        (r#"{"id": null, "items": [{"a/b": 1}]}"#, Some("/id")),
        (r#"{"id": 1, "items": []}"#, Some("/items/0/a~1b")),
        ("[]", Some("/id")),
        ("null", Some("/id")),
    ] {
        let found = verdict(json(body), required()).await;
        let wanted = pointer.map(|pointer| (Verdict::Invalid, Some(pointer.to_owned())));
        assert_eq!(found, wanted, "{body}");
    }
    for body in ["", "<html>", r#"{"id": 1"#, r#"{"id": 1} {}"#] {
        let found = verdict(json(body), required()).await;
        assert_eq!(found, Some((Verdict::Transient, None)), "{body}");
    }
}

#[test]
#[should_panic(expected = "a JSON pointer begins with a slash: \"id\"")]
fn a_pointer_that_finds_nothing_is_refused() {
    let _ = Required::new(["id"]);
}

#[tokio::test(start_paused = true)]
async fn a_size_is_compared_with_both_ends() {
    for (body, check, is_wrong) in [
        ("12", Size::at_least(2), false),
        ("1", Size::at_least(2), true),
        ("", Size::at_least(1), true),
        ("12", Size::at_most(2), false),
        ("123", Size::at_most(2), true),
        ("123", Size::at_least(1).and_at_most(3), false),
    ] {
        assert_eq!(verdict(json(body), check).await.is_some(), is_wrong, "{body:?} {check:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_announced_size_is_believed_where_the_body_is_not_read() {
    let large = || json(&"1".repeat(200));
    let small = |layer: ValidateLayer| layer.body_cap(100);
    for (check, is_wrong) in
        [(Size::at_most(150), true), (Size::at_most(250), false), (Size::at_least(250), true)]
    {
        let bench = Bench::with(
            [large()],
            small(enforced(check)),
            outrigger::IntegrationBuilder::without_retry,
        );
        assert_eq!(bench.get().await.is_err(), is_wrong, "{check:?}");
        assert_eq!(bench.api.validation().unwrap().unchecked(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_can_be_for_one_endpoint() {
    let layer = ValidateLayer::new()
        .enforce(Required::new(["/id"]).at("/orders/{id}").named("order"))
        .enforce(Required::new(["/total"]).when(|answer| answer.method == Method::PUT));
    let bench = Bench::with([json("{}")], layer, outrigger::IntegrationBuilder::without_retry);
    assert!(bench.get().await.is_ok());
    let mut order = request(Method::GET);
    order.extensions_mut().insert(PathTemplate::new("/orders/{id}"));
    let error = bench.api.send(order).await.unwrap_err();
    assert_eq!(failed(&error).check(), "order");
    let error = bench.send(Method::PUT).await.unwrap_err();
    assert_eq!((failed(&error).check(), failed(&error).pointer()), ("required", Some("/total")));
}

#[test]
fn two_checks_of_one_name_and_a_cap_of_nothing_are_refused() {
    let any = || function("any", |_, _| Finding::pass());
    let layer = ValidateLayer::new().enforce(any()).report(any()).body_cap(0);
    let error = layer.check().unwrap_err().to_string();
    assert!(error.contains("validate.enforce: two checks have the name \"any\""), "{error}");
    assert!(error.contains("validate.body_cap: with 0 no body is checked"), "{error}");
    assert!(ValidateLayer::new().enforce(any()).report(any().named("other")).check().is_ok());
    let capped = |bytes| ValidateLayer::new().enforce(any()).body_cap(bytes).check();
    let error = capped((16 << 20) + 1).unwrap_err().to_string();
    assert!(error.contains("validate.body_cap: it is over 16 MiB"), "{error}");
    assert_eq!(capped(16 << 20), Ok(()));
}
