//! Members that say what happened: status fields, problems, and what vendors write.

use outrigger::event::Event;
use outrigger::testing::Answer;
use outrigger::validate::{FailedCheck, Problem, Problems, Row, StatusField, Vendors, Verdict};

use crate::bench::{Bench, enforced, failed, json, secs};

/// The verdict, where it is, and the class by which it is repeated.
async fn found(
    answer: Answer,
    check: impl outrigger::validate::Check,
) -> Option<(Verdict, String)> {
    let bench =
        Bench::with([answer], enforced(check), outrigger::IntegrationBuilder::without_retry);
    let failed = match bench.get().await {
        Err(error) => failed(&error).clone(),
        Ok(answer) => answer.extensions().get::<FailedCheck>()?.clone(),
    };
    Some((failed.verdict(), failed.pointer().unwrap_or_default().to_owned()))
}

#[tokio::test(start_paused = true)]
async fn slacks_errors_mean_what_its_documentation_says() {
    for (body, wanted) in [
        (r#"{"ok":true,"channel":"C1"}"#, None),
        (r#"{"ok":true,"error":"ratelimited"}"#, None),
        (r#"{"ok":false,"error":"ratelimited"}"#, Some((Verdict::Throttled, "/error"))),
        (r#"{"ok":false,"error":"invalid_auth"}"#, Some((Verdict::Unauthorized, "/error"))),
        (r#"{"ok":false,"error":"token_revoked"}"#, Some((Verdict::Unauthorized, "/error"))),
        (r#"{"ok":false,"error":"fatal_error"}"#, Some((Verdict::Transient, "/error"))),
        (r#"{"ok":false,"error":"channel_not_found"}"#, Some((Verdict::Permanent, "/error"))),
        (r#"{"ok":false}"#, Some((Verdict::Permanent, "/error"))),
        (r#"{"ok":"true"}"#, Some((Verdict::Permanent, "/error"))),
        (r#"{"error":"x"}"#, Some((Verdict::Invalid, "/ok"))),
        ("<html>", Some((Verdict::Transient, ""))),
    ] {
        let found = found(json(body), StatusField::slack()).await;
        assert_eq!(found, wanted.map(|(verdict, at)| (verdict, at.to_owned())), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_field_of_your_own_has_its_successes_codes_and_default() {
    let own = || {
        StatusField::new("/meta/status", "done")
            .or_success(0)
            .code_at("/meta/code")
            .code("17", Verdict::Transient)
            .otherwise(Verdict::Invalid)
    };
    for (body, wanted) in [
        (r#"{"meta":{"status":"done"}}"#, None),
        (r#"{"meta":{"status":0}}"#, None),
        (r#"{"meta":{"status":0.0}}"#, None),
        (r#"{"meta":{"status":0.5}}"#, Some(Verdict::Invalid)),
        (r#"{"meta":{"status":1,"code":17}}"#, Some(Verdict::Transient)),
        (r#"{"meta":{"status":1,"code":"17"}}"#, Some(Verdict::Transient)),
        (r#"{"meta":{"status":1,"code":18}}"#, Some(Verdict::Invalid)),
    ] {
        let found = found(json(body), own()).await;
        assert_eq!(found.map(|found| found.0), wanted, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_results_some_failures_are_a_part_and_all_are_the_worst() {
    let batch =
        || StatusField::new("/status", 201).code("429", Verdict::Throttled).each("/results");
    let of = |statuses: &[u16]| {
        let results: Vec<_> =
            statuses.iter().map(|status| serde_json::json!({"status": status})).collect();
        json(&serde_json::json!({ "results": results }).to_string())
    };
    for (statuses, wanted, partial) in [
        (&[201, 201][..], None, 0),
        (&[], None, 0),
        (&[201, 400], None, 1),
        (&[429, 201, 400], None, 1),
        (&[429, 429], Some(Verdict::Throttled), 0),
        (&[429, 400], Some(Verdict::Permanent), 0),
    ] {
        let bench = Bench::new([of(statuses)], enforced(batch()));
        let answer = bench.get().await.unwrap();
        let found = answer.extensions().get::<FailedCheck>().map(FailedCheck::verdict);
        assert_eq!(found, wanted, "{statuses:?}");
        let told = Event::AnswerPassed { check: "status_field", partial: true };
        assert_eq!(bench.events.count(|event| *event == told), partial, "{statuses:?}");
    }
    assert_eq!(found(json("{}"), batch()).await.map(|found| found.0), Some(Verdict::Invalid));
}

fn problem(status: u16, body: &str) -> Answer {
    Answer::status(status).header("content-type", "application/problem+json").body(body.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_problem_is_on_its_answer_and_its_type_may_have_a_meaning() {
    let body = r#"{"type":"https://bank.test/busy","title":"Busy","status":"503","detail":"s3cr3t","balance":30}"#;
    let busy = || Problems::new().kind("https://bank.test/busy", Verdict::Transient);
    let bench = Bench::new([problem(403, body)], enforced(busy()));
    let answer = bench.get().await.unwrap();
    assert_eq!(bench.provider.begun(), 2);
    let found = answer.extensions().get::<Problem>().unwrap();
    assert_eq!(found.kind, "https://bank.test/busy");
    assert_eq!((found.title.as_deref(), found.status), (Some("Busy"), None));
    assert_eq!(found.others["balance"], 30);
    assert!(!format!("{found:?}").contains("s3cr3t"));
    // Without a meaning of its own, the status says what it means.
    for body in [body, r#"{"status":200}"#, "[]", "{", ""] {
        let bench = Bench::new([problem(403, body)], enforced(Problems::new()));
        let answer = bench.get().await.unwrap();
        assert_eq!((answer.status().as_u16(), bench.provider.begun()), (403, 1));
        assert!(answer.extensions().get::<FailedCheck>().is_none());
        assert_eq!(answer.extensions().get::<Problem>().is_some(), body.len() > 2, "{body}");
    }
    let blank = Bench::new([problem(404, "{}")], enforced(Problems::new())).get().await.unwrap();
    assert_eq!(blank.extensions().get::<Problem>().unwrap().kind, "about:blank");
}

#[tokio::test(start_paused = true)]
async fn what_vendors_write_into_bodies_is_understood() {
    let retry_info = r#"{"error":{"code":429,"details":[{"@type":"x"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"58s"}]}}"#;
    for (status, body, wanted) in [
        (
            403,
            r#"{"error":{"errors":[{"reason":"x"},{"reason":"userRateLimitExceeded"}]}}"#,
            Some(Verdict::Throttled),
        ),
        (403, r#"{"error":{"errors":[{"reason":"insufficientPermissions"}]}}"#, None),
        (
            403,
            r#"{"message":"You have exceeded a secondary rate limit and have been …"}"#,
            Some(Verdict::Throttled),
        ),
        (403, r#"{"message":"Must have admin rights"}"#, None),
        (
            403,
            r#"[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]"#,
            Some(Verdict::Throttled),
        ),
        (403, "[]", None),
        (429, retry_info, Some(Verdict::Throttled)),
        (
            429,
            r#"{"error":{"code":"insufficient_quota","type":"insufficient_quota"}}"#,
            Some(Verdict::Permanent),
        ),
        (429, r#"{"error":{"code":"rate_limit_exceeded"}}"#, None),
        (
            200,
            r#"<?xml version="1.0"?><Error><Code>InternalError</Code></Error>"#,
            Some(Verdict::Transient),
        ),
        (200, r#"{"a":"<Code>InternalError</Code>"}"#, None),
        (404, r#"{"error":{"code":"insufficient_quota"}}"#, None),
        (403, "<html>", None),
    ] {
        let found = found(Answer::status(status).body(body), Vendors::new()).await;
        assert_eq!(found.map(|found| found.0), wanted, "{status} {body}");
    }
    // The time is the provider's.
    let bench = Bench::new([Answer::status(429).body(retry_info)], enforced(Vendors::new()));
    let error = outrigger::ResponseExt::error_for_status(bench.get().await.unwrap()).unwrap_err();
    assert_eq!(error.retry_after(), Some(secs(58)));
    // Money doesn't come back by waiting.
    let broke = Answer::status(429).body(r#"{"error":{"code":"insufficient_quota"}}"#);
    let bench = Bench::new([broke], enforced(Vendors::new()));
    bench.get().await.unwrap();
    assert_eq!(bench.provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_of_your_own_is_asked_first() {
    let own = || {
        Vendors::new()
            .row(Row::json(429, "/error/code", "insufficient_quota", Verdict::Transient))
            .row(Row::json_with(409, "/errors/*/text", "lock", Verdict::Transient))
            .row(Row::text(418, "teapot", Verdict::Permanent))
    };
    for (status, body, wanted) in [
        (429, r#"{"error":{"code":"insufficient_quota"}}"#, Some(Verdict::Transient)),
        (409, r#"{"errors":[{"text":"x"},{"text":"a lock"}]}"#, Some(Verdict::Transient)),
        (409, r#"{"errors":{"text":"a lock"}}"#, None),
        (418, "a teapot", Some(Verdict::Permanent)),
    ] {
        let found = found(Answer::status(status).body(body), own()).await;
        assert_eq!(found.map(|found| found.0), wanted, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn larks_header_says_for_how_long_to_wait_where_its_body_says_that_it_was_too_much() {
    let limited = r#"{"code":99991400,"msg":"request trigger frequency limit"}"#;
    for (status, body, wait) in [
        (400, limited, Some(secs(52))),
        (429, limited, Some(secs(52))),
        (400, r#"{"code":99991672,"msg":"Access denied"}"#, None),
    ] {
        let answer = Answer::status(status).header("x-ogw-ratelimit-reset", "52").body(body);
        let bench = Bench::new([answer], enforced(Vendors::new()));
        let answer = bench.get().await.unwrap();
        let error = outrigger::ResponseExt::error_for_status(answer).unwrap_err();
        assert_eq!(error.retry_after(), wait, "{status} {body}");
    }
}
