//! Which headers say what.

use http::HeaderName;
use outrigger::drift::{Drift, DriftKind, DriftLayer};

use crate::bench::{Bench, answer, bare, get, stamp};

const PAST: u64 = 1_688_169_599;
const TO_COME: u64 = 1_767_225_599;

async fn one(name: &'static str, value: &str) -> Vec<Drift> {
    Bench::new().headers(&[(name, value)]).await
}

fn kinds(drifts: &[Drift]) -> Vec<&'static str> {
    drifts.iter().map(|drift| drift.kind.name()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_deprecation_is_read_in_every_form_past_and_to_come() {
    for (form, at) in [
        ("@1688169599", Some(PAST)),
        ("@1767225599", Some(TO_COME)),
        ("  @1688169599 ", Some(PAST)),
        ("@1767225599, @1688169599", Some(PAST)),
        ("@1688169599;note=\"x\"", Some(PAST)),
        ("Fri, 30 Jun 2023 23:59:59 GMT", Some(PAST)),
        ("Friday, 30-Jun-23 23:59:59 GMT", Some(PAST)),
        ("Fri Jun 30 23:59:59 2023", Some(PAST)),
        ("Wed, 31 Dec 2025 23:59:59 GMT", Some(TO_COME)),
        ("2023-06-30T23:59:59Z", Some(PAST)),
        ("@-5", Some(0)),
        ("true", None),
        ("?1", None),
        ("soon", None),
        ("@", None),
        ("@99999999999999999999", None),
        ("version=\"v1\"", None),
    ] {
        let drifts = one("deprecation", form).await;
        assert_eq!(kinds(&drifts), ["deprecation"], "{form}");
        assert_eq!((drifts[0].at, &drifts[0].detail), (at.map(stamp), &None), "{form}");
        assert_eq!(drifts[0].host.as_deref(), Some("api.example"));
        assert_eq!(drifts[0].endpoint, "GET /v1/orders/{id}");
    }
    for none in ["", "false", "?0", "0"] {
        assert_eq!(one("deprecation", none).await, [], "{none}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sunset_is_read_in_three_forms_and_nothing_else_is_one() {
    for (form, at) in [
        ("Fri, 30 Jun 2023 23:59:59 GMT", PAST),
        ("Friday, 30-Jun-23 23:59:59 GMT", PAST),
        ("Fri Jun 30 23:59:59 2023", PAST),
        ("Wed, 31 Dec 2025 23:59:59 GMT", TO_COME),
        ("2025-12-31T23:59:59Z", TO_COME),
    ] {
        let drifts = one("sunset", form).await;
        assert_eq!(kinds(&drifts), ["sunset"], "{form}");
        assert_eq!(drifts[0].at, Some(stamp(at)), "{form}");
    }
    for none in ["", "true", "soon", "31.12.2025", "Wed, 31 Dec 2025"] {
        assert_eq!(one("sunset", none).await, [], "{none}");
    }
}

#[tokio::test(start_paused = true)]
async fn both_are_told_and_a_sunset_before_the_deprecation_is_said_to_be_odd() {
    let (early, late) = ("Fri, 30 Jun 2023 23:59:59 GMT", "Wed, 31 Dec 2025 23:59:59 GMT");
    let odd = Bench::new().headers(&[("deprecation", "@1767225599"), ("sunset", early)]).await;
    assert_eq!(kinds(&odd), ["sunset", "deprecation"]);
    assert!(odd[0].detail.as_deref().unwrap().contains("earlier"), "{odd:?}");
    let usual = Bench::new().headers(&[("deprecation", "@1688169599"), ("sunset", late)]).await;
    assert_eq!(kinds(&usual), ["sunset", "deprecation"]);
    assert_eq!(usual[0].detail, None);
}

#[tokio::test(start_paused = true)]
async fn of_several_dates_the_earliest_counts() {
    let (early, late) = ("Fri, 30 Jun 2023 23:59:59 GMT", "Wed, 31 Dec 2025 23:59:59 GMT");
    let headers = [
        ("sunset", late),
        ("sunset", early),
        ("sunset", "soon"),
        ("deprecation", "true"),
        ("deprecation", "@1767225599"),
        ("deprecation", "@1688169599"),
    ];
    let drifts = Bench::new().headers(&headers).await;
    assert_eq!(kinds(&drifts), ["sunset", "deprecation"]);
    assert!(drifts.iter().all(|drift| drift.at == Some(stamp(PAST))), "{drifts:?}");
}

#[tokio::test(start_paused = true)]
async fn links_are_shown_relative_to_the_request_and_without_their_query() {
    let link = "</docs/v1-ends?key=s3cr3t#when>; rel=\"deprecation sunset\"; type=\"text/html\", \
                <https://other.example/v2/orders/ada>; rel=successor-version, <x>; rel=next";
    let drifts = one("link", link).await;
    let shown = |drift: &Drift| (drift.kind.name(), drift.detail.clone().unwrap_or_default());
    let shown: Vec<_> = drifts.iter().map(shown).collect();
    let page = "https://[redacted]@api.example:8443/docs/v1-ends".to_owned();
    let next = "https://other.example/v2/orders/[redacted]".to_owned();
    assert_eq!(
        shown,
        [("deprecation_link", page.clone()), ("sunset_link", page), ("successor_version", next)]
    );
    for none in ["<mailto:a@b.test>; rel=sunset", "<//>; rel=sunset", "</a>", "rel=sunset", "<"] {
        assert_eq!(one("link", none).await, [], "{none}");
    }
}

#[tokio::test(start_paused = true)]
async fn warnings_that_stay_and_notices_are_told_with_their_text() {
    let drifts = one("warning", r#"299 - "use \"v2\"", 110 - "stale""#).await;
    assert_eq!((drifts.len(), drifts[0].kind), (1, DriftKind::Warning));
    assert_eq!(drifts[0].detail.as_deref(), Some(r#"use "v2""#));

    let drifts = one("x-shopify-api-deprecated-reason", "https://shop.test/a/b").await;
    let detail = "x-shopify-api-deprecated-reason: https://shop.test/[redacted]";
    assert_eq!((drifts[0].kind, drifts[0].detail.as_deref()), (DriftKind::Notice, Some(detail)));

    assert_eq!(one("x-api-warn", "v1 ends").await, []);
    let layer = DriftLayer::new().notice_header(HeaderName::from_static("x-api-warn"));
    let drifts = Bench::over(layer).headers(&[("x-api-warn", "v1 ends")]).await;
    assert_eq!(drifts[0].detail.as_deref(), Some("x-api-warn: v1 ends"));
}

#[tokio::test(start_paused = true)]
async fn texts_are_cut_and_have_no_control_characters() {
    let long = format!("299 - \"tab\t {}\"", "word ".repeat(200));
    let drifts = one("warning", &long).await;
    let text = drifts[0].detail.as_deref().unwrap();
    assert_eq!(text.chars().count(), 200);
    assert!(text.starts_with("tab word"), "{text}");
    let far_too_long = format!("299 - \"{}\"", "word ".repeat(2_000));
    assert_eq!(one("warning", &far_too_long).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_media_type_is_told_when_it_is_new_to_the_template() {
    let bench = Bench::new();
    let typed = |kind: &'static str| vec![("content-type", kind)];
    for known in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(bench.headers(&typed(known)).await, [], "{known}");
    }
    let drifts = bench.headers(&typed("text/html; charset=utf-8")).await;
    assert_eq!(drifts[0].kind, DriftKind::MediaType);
    assert_eq!(drifts[0].detail.as_deref(), Some("text/html, before: application/json"));
    for known in ["text/html", "application/json", ""] {
        assert_eq!(bench.headers(&typed(known)).await, [], "{known}");
    }

    let mut error = answer(&typed("text/plain"), "");
    *error.status_mut() = http::StatusCode::BAD_GATEWAY;
    assert_eq!(bench.send(get("/v1/orders/{id}"), error).await, [], "an error");
    let other = answer(&typed("text/csv"), "");
    assert_eq!(bench.send(get("/v1/reports/{id}"), other).await, [], "another template");
    for kind in ["text/csv", "text/html"] {
        assert_eq!(bench.send(bare("GET"), answer(&typed(kind), "")).await, [], "no template");
    }
    assert_eq!(bench.headers(&typed("a/b")).await.len(), 1);
    assert_eq!(bench.headers(&typed("c/d")).await, [], "it has no usual type");
}

#[tokio::test(start_paused = true)]
async fn of_hundreds_of_links_sixteen_signals_are_read_at_most() {
    let links: Vec<_> = (0..300).map(|at| format!("</{at}>; rel=sunset")).collect();
    let links = links.join(", ");
    assert!(links.len() > 4096);
    let line = &links[..4000];
    let bench = Bench::new();
    let told = bench.headers(&[("link", line), ("link", line), ("deprecation", "true")]).await;
    // Eight of a kind in a day at most, and the date.
    assert!(told.len() <= 9, "{}", told.len());
    let rels = "deprecation sunset successor-version ".repeat(90);
    let rels = format!("<https://a.test/x>; rel=\"{rels}\"");
    let allocations = |rel: &str| {
        let future = Bench::new();
        let answer = answer(&[("link", rel)], "");
        let info = allocation_counter::measure(|| {
            use futures_util::FutureExt;
            let sent = future.send(get("/v1/orders/{id}"), answer);
            sent.now_or_never().expect("nothing waits");
        });
        info.count_total
    };
    let few = allocations("<https://a.test/x>; rel=\"deprecation sunset successor-version\"");
    let many = allocations(&rels);
    assert!(many < few * 5, "{few} allocations, then {many}");
}
