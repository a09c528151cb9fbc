//! The shapes of answers: which are looked at, and what becomes of them on their way.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use outrigger::Body;
use outrigger::drift::{DriftKind, DriftLayer, ShapeConfig, Shapes};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::{Layer, ServiceExt, service_fn};

use crate::bench::{Bench, answer, bare, get, secs, wait};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const ORDER: &str = "GET /v1/orders/{id} 2xx";

/// Of few answers, so that tests are short.
fn config() -> ShapeConfig {
    ShapeConfig::new().answers(20).time(Duration::ZERO)
}

fn bench() -> Bench {
    Bench::over(DriftLayer::new().shapes(config()))
}

fn order(number: u64) -> Value {
    json!({ "id": number, "state": "open", "lines": [{ "price": 1 }] })
}

async fn orders(bench: &Bench, numbers: std::ops::Range<u64>, order: fn(u64) -> Value) -> usize {
    let mut told = 0;
    for number in numbers {
        let body = order(number).to_string();
        told += bench.send(get("/v1/orders/{id}"), answer(&JSON, body)).await.len();
        // Fewer than ten in a second.
        wait(secs(1)).await;
    }
    told
}

fn endpoints(bench: &Bench) -> Vec<String> {
    bench.handle().export().endpoints().map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn a_change_of_shape_is_told_as_an_event_and_listed() {
    let bench = bench();
    assert_eq!(orders(&bench, 0..40, order).await, 0);
    let body = json!({ "id": "A-1", "state": "paid", "lines": [{ "price": null }] }).to_string();
    let drifts = bench.send(get("/v1/orders/{id}"), answer(&JSON, body)).await;
    let told: Vec<_> =
        drifts.iter().map(|it| (it.kind.name(), it.detail.as_deref().unwrap())).collect();
    let expected = [
        ("type_changed", "2xx: /id (string, before: number)"),
        ("new_null", "2xx: /lines/*/price"),
        ("new_value", "2xx: /state"),
    ];
    assert!(expected.iter().all(|it| told.contains(it)) && told.len() == 3, "{told:?}");
    assert_eq!(bench.handle().drifts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn many_places_are_told_in_one_event_that_is_short() {
    let bench = bench();
    orders(&bench, 0..20, order).await;
    let body: serde_json::Map<String, Value> =
        (0..40).map(|at| (format!("a_longer_name_{at}"), json!(1))).collect();
    let mut told = Vec::new();
    for _ in 0..20 {
        let body = Value::from(body.clone()).to_string();
        told.extend(bench.send(get("/v1/orders/{id}"), answer(&JSON, body)).await);
        wait(secs(1)).await;
    }
    let kinds: Vec<_> = told.iter().map(|drift| drift.kind).collect();
    assert_eq!(kinds, [DriftKind::NewField, DriftKind::FieldGone]);
    let detail = told[0].detail.as_deref().unwrap();
    assert!(detail.len() <= 200 && detail.ends_with(" more"), "{detail}");
    assert_eq!(told[1].detail.as_deref(), Some("2xx: /id, /lines, /state"));
}

#[tokio::test(start_paused = true)]
async fn templates_methods_and_classes_of_status_have_shapes_of_their_own() {
    let bench = bench();
    for (request, status) in [
        (get("/v1/orders/{id}"), StatusCode::OK),
        (get("/v1/orders/{id}"), StatusCode::ACCEPTED),
        (get("/v1/orders/{id}"), StatusCode::NOT_FOUND),
        (get("/v1/orders"), StatusCode::OK),
    ] {
        let mut answer = answer(&JSON, "{}");
        *answer.status_mut() = status;
        bench.send(request, answer).await;
    }
    assert_eq!(endpoints(&bench), ["GET /v1/orders 2xx", ORDER, "GET /v1/orders/{id} 4xx"]);
}

#[tokio::test(start_paused = true)]
async fn only_plain_json_within_the_cap_is_looked_at() {
    let long = format!("\"{}\"", "x".repeat(64 * 1024));
    let length = long.len().to_string();
    for (headers, body) in [
        (vec![], "{}"),
        (vec![("content-type", "text/html")], "{}"),
        (vec![("content-type", "application/x-ndjson")], "{}"),
        (vec![JSON[0], ("content-encoding", "gzip")], "{}"),
        (vec![JSON[0], ("content-length", &length)], &long),
        (vec![JSON[0]], &long),
        (vec![JSON[0]], "{\"a\":"),
        (vec![JSON[0]], ""),
    ] {
        let bench = bench();
        bench.send(get("/v1/orders/{id}"), answer(&headers, body.to_owned())).await;
        assert_eq!(endpoints(&bench), [""; 0], "{headers:?} {body:.20}");
    }
    let bench = bench();
    bench.send(bare("GET"), answer(&JSON, "{}")).await;
    assert_eq!(endpoints(&bench), [""; 0], "no template");
    for kind in ["application/json; charset=utf-8", "application/problem+json", "Application/JSON"]
    {
        let bench = self::bench();
        let headers = [("content-type", kind), ("content-encoding", "identity")];
        bench.send(get("/v1/orders/{id}"), answer(&headers, "{}")).await;
        assert_eq!(endpoints(&bench), [ORDER], "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_learned_by_default() {
    let bench = Bench::new();
    bench.send(get("/v1/orders/{id}"), answer(&JSON, "{}")).await;
    assert_eq!(endpoints(&bench), [""; 0]);
}

/// A body of unknown length, which comes frame by frame.
fn frames(parts: &[&'static str], is_broken: bool) -> Body {
    struct Piped(mpsc::UnboundedReceiver<std::io::Result<Bytes>>);

    impl http_body::Body for Piped {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<std::io::Result<http_body::Frame<Bytes>>>> {
            self.0.poll_recv(cx).map(|it| it.map(|it| it.map(http_body::Frame::data)))
        }
    }

    let (send, receive) = mpsc::unbounded_channel();
    let parts = parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes())));
    let broken = is_broken.then(|| Err(std::io::ErrorKind::ConnectionReset.into()));
    parts.chain(broken).for_each(|part| send.send(part).expect("it is read"));
    Body::new(Piped(receive))
}

const PARTS: [&str; 5] = ["{\"id\":", "7,\"li", "nes\":", "[]", "}"];

#[tokio::test(start_paused = true)]
async fn a_call_may_be_dropped_after_each_frame_and_only_a_whole_body_is_learned() {
    for read in 0..=PARTS.len() + 1 {
        let bench = bench();
        let provider = service_fn(async |_: http::Request<Body>| {
            let mut answer = Response::new(frames(&PARTS, false));
            answer.headers_mut().insert("content-type", JSON[0].1.parse().unwrap());
            Ok::<_, std::convert::Infallible>(answer)
        });
        let service = bench.layer().layer(provider);
        let answer = service.oneshot(get("/v1/orders/{id}")).await.unwrap();
        let mut body = Box::pin(answer.into_body());
        for at in 0..read {
            let frame = body.frame().await.map(|frame| frame.unwrap().into_data().unwrap());
            assert_eq!(frame.as_deref(), PARTS.get(at).map(|part| part.as_bytes()));
        }
        drop(body);
        let learned = usize::from(read > PARTS.len());
        assert_eq!(endpoints(&bench).len(), learned, "{read} frames");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_not_learned() {
    let bench = bench();
    let provider = service_fn(async |_: http::Request<Body>| {
        let mut answer = Response::new(frames(&PARTS, true));
        answer.headers_mut().insert("content-type", JSON[0].1.parse().unwrap());
        Ok::<_, std::convert::Infallible>(answer)
    });
    let answer = bench.layer().layer(provider).oneshot(get("/v1/orders/{id}")).await.unwrap();
    answer.into_body().collect().await.unwrap_err();
    assert_eq!(endpoints(&bench), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_knows_the_length_and_never_asks_for_the_end_is_enough() {
    let bench = bench();
    let provider = service_fn(async |_: http::Request<Body>| {
        let answer = Response::builder().header("content-type", "application/json");
        Ok::<_, std::convert::Infallible>(answer.body(Body::from("{}")).unwrap())
    });
    let answer = bench.layer().layer(provider).oneshot(get("/v1/orders/{id}")).await.unwrap();
    let mut body = Box::pin(answer.into_body());
    assert_eq!(http_body::Body::size_hint(&*body).exact(), Some(2));
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "{}");
    drop(body);
    assert_eq!(endpoints(&bench), [ORDER]);
}

#[tokio::test(start_paused = true)]
async fn shapes_of_a_file_are_compared_from_the_first_answer_on() {
    let before = bench();
    orders(&before, 0..20, order).await;
    let file = before.handle().export().to_json();

    let after = bench();
    after.handle().import(&Shapes::from_json(&file).unwrap());
    assert_eq!(orders(&after, 0..100, order).await, 0);
    assert_eq!(
        orders(&after, 0..1, |_| json!({ "id": "A", "state": "open", "lines": [] })).await,
        1
    );
    assert_eq!(after.handle().drifts()[0].kind, DriftKind::TypeChanged);
}

#[test]
fn two_files_are_compared_and_each_kind_of_change_is_named() {
    let file = |places: &str| {
        let text = format!(r#"{{ "version": 1, "shapes": {{ "{ORDER}": {{ {places} }} }} }}"#);
        Shapes::from_json(&text).unwrap()
    };
    let known = file(
        r#""": { "types": ["object"] },
        "/id": { "types": ["number"], "always": true },
        "/note": { "types": ["string"] },
        "/total": { "types": ["number"], "always": true },
        "/state": { "types": ["string"], "always": true, "words": ["open", "paid"] },
        "/lines": { "types": ["array"], "always": true },
        "/lines/*": { "types": ["object"] },
        "/lines/*/price": { "types": ["number"], "always": true }"#,
    );
    let now = file(
        r#""": { "types": ["object"] },
        "/id": { "types": ["number", "string"], "always": true },
        "/tax": { "types": ["number"], "always": true },
        "/state": { "types": ["string"], "always": true, "words": ["lost", "open"] },
        "/lines": { "types": ["array"], "always": true },
        "/lines/*": { "types": ["object"] },
        "/lines/*/price": { "types": ["null", "number"], "always": true }"#,
    );
    let changes: Vec<_> = known.changes(&now).iter().map(ToString::to_string).collect();
    let said = |text: &str| format!("{ORDER}: {text}");
    assert_eq!(
        changes,
        [
            said("a field of another type: /id (string, before: number)"),
            said("a field is null: /lines/*/price"),
            said("a new value: /state"),
            said("a new field: /tax"),
            said("a field is gone: /total"),
        ]
    );
    assert_eq!(known.changes(&known), []);
    assert_eq!(known.changes(&Shapes::default()), []);
}

#[test]
fn a_file_that_cannot_be_read_says_where_and_what_to_do() {
    let shape =
        |places: &str| format!(r#"{{ "version": 1, "shapes": {{ "{ORDER}": {{ {places} }} }} }}"#);
    for (file, says) in [
        ("{".to_owned(), "not JSON"),
        ("[]".to_owned(), "`version` is not 1"),
        (r#"{ "version": 2, "shapes": {} }"#.to_owned(), "`version` is not 1"),
        (r#"{ "version": 1 }"#.to_owned(), "`shapes` is no object"),
        (r#"{ "version": 1, "shapes": { "orders": {} } }"#.to_owned(), "orders: it is no endpoint"),
        (r#"{ "version": 1, "shapes": { "GET /a 2xx": 1 } }"#.to_owned(), "GET /a 2xx: it is no"),
        (shape(r#""id": { "types": ["number"] }"#), "it is no place"),
        (shape(r#""/ada@b.test": { "types": ["number"] }"#), "it is no place"),
        (shape(r#""": {}"#), "`types` is missing"),
        (shape(r#""": { "types": "object" }"#), "`types` is no list"),
        (shape(r#""": { "types": ["map"] }"#), "no type \"map\""),
        (shape(r#""": { "type": ["object"] }"#), "no `type` here"),
        (shape(r#""": { "types": ["object"], "always": true }"#), "only a field"),
        (
            shape(r#""": { "types": ["object"] }, "/a": { "types": ["null"], "always": 1 }"#),
            "neither",
        ),
        (shape(r#""/a/b": { "types": ["number"], "always": true }"#), "the place \"\" is missing"),
        (shape(r#""": { "types": ["string"], "words": ["Ada Lovelace"] }"#), "`words`"),
        (
            shape(&format!(r#""{}": {{ "types": ["null"] }}"#, "/a".repeat(10_000))),
            "it is no place",
        ),
    ] {
        let error = Shapes::from_json(&file).unwrap_err().to_string();
        assert!(error.starts_with("shapes: ") && error.contains(says), "{file:.80}: {error:.300}");
    }
}

#[tokio::test(start_paused = true)]
async fn neither_a_value_nor_a_key_that_is_one_is_in_any_output() {
    let planted = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
    let bench = bench();
    let body = |number: u64| {
        let planted = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";
        json!({
            "secret": format!("{planted}{number}"),
            "name": if number < 20 { "Ada Lovelace" } else { "Grace Hopper" },
            "by_mail": { format!("ada{number}@example.com"): { "pin": "1234" } },
            "by_key": { planted: { "a": number } },
        })
    };
    orders(&bench, 0..40, body).await;
    let other = |_| json!({ "secret": 1, "by_mail": { "eve@example.com": { "pin": 1 } } });
    assert!(orders(&bench, 0..40, other).await > 0);
    let handle = bench.handle();
    let said = bench.told().said.lock().unwrap().clone();
    let file = handle.export().to_json();
    let debug = format!("{:?} {:#?} {:?}", bench.layer(), handle.export(), handle.drifts());
    assert!(said.contains("/by_mail/{}/pin"), "{said}");
    for output in [&said, &file, &debug] {
        for secret in [planted, "4eC39", "Ada", "Grace", "ada1", "eve@", "1234"] {
            assert!(!output.contains(secret), "{secret} in {output}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hostile_body_of_half_a_megabyte_costs_twice_that_of_a_quarter() {
    let bodies: [fn(usize) -> String; 5] = [
        |bytes| format!("[{}0]", "0,".repeat(bytes / 2)),
        |bytes| format!("[{}{{}}]", "{},".repeat(bytes / 3)),
        |bytes| {
            let keys: Vec<_> = (0..bytes / 12).map(|at| format!("\"k{at:06}\":0")).collect();
            format!("{{{}}}", keys.join(","))
        },
        |bytes| format!("[{}0]", "[[[[[[[[{\"a\":{\"b\":0}}]]]]]]]],".repeat(bytes / 32)),
        |bytes| format!("{}1{}", "[".repeat(120), "]".repeat(120)).repeat(bytes / 241),
    ];
    for body in bodies {
        let mut counted = Vec::new();
        for bytes in [1 << 18, 1 << 19] {
            let bench = Bench::over(DriftLayer::new().shapes(config().body_cap(1 << 20)));
            let answer = answer(&JSON, body(bytes));
            let future = bench.send(get("/v1/orders/{id}"), answer);
            let info = allocation_counter::measure(|| {
                use futures_util::FutureExt;
                future.now_or_never().expect("nothing waits");
            });
            counted.push((info.count_total, info.bytes_max));
        }
        let ((few, small), (many, large)) = (counted[0], counted[1]);
        assert!(many <= few * 5 / 2 + 100, "{few} allocations, then {many}: {:.40}", body(100));
        assert!(large <= small * 5 / 2 + 10_000, "{small} bytes, then {large}: {:.40}", body(100));
    }
}

#[test]
fn a_cap_of_over_a_megabyte_is_refused_by_name() {
    let layer = |bytes| DriftLayer::new().shapes(config().body_cap(bytes));
    assert!(layer(1 << 20).check().is_ok());
    let error = layer((1 << 20) + 1).check().unwrap_err().to_string();
    assert!(error.contains("shapes.body_cap") && error.contains("1 MiB"), "{error}");
}
