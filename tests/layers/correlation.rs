//! An id that ties a call to what caused it, and what is kept from third parties.

use std::sync::{Arc, Mutex};

use http::{HeaderName, HeaderValue, Request};
use outrigger::context::{Context, CorrelationId, Scope};
use outrigger::correlation::CorrelationLayer;
use outrigger::event::{Emitter, Event, Origin, Subscriber};
use outrigger::rt::Rng;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, Error};
use tower::Layer;

use crate::call::{get, send, status};
use crate::clock::secs;
use crate::retry::plain;

const HEADER: &str = "x-request-id";

fn id(text: &str) -> CorrelationId {
    text.parse().unwrap()
}

/// A request with these headers.
fn carrying(headers: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = get();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    request
}

/// The request as the provider sees it.
async fn seen(layer: &CorrelationLayer, request: Request<Body>) -> Request<bytes::Bytes> {
    let provider = Script::new([Answer::status(200)]);
    send(&layer.layer(provider.clone()), request).await.unwrap();
    provider.requests().remove(0)
}

/// The one id that the provider sees.
async fn sent(layer: &CorrelationLayer, request: Request<Body>) -> String {
    sent_in(HEADER, layer, request).await
}

/// The same, in a header of one's own.
async fn sent_in(header: &str, layer: &CorrelationLayer, request: Request<Body>) -> String {
    let request = seen(layer, request).await;
    let ids: Vec<_> = request.headers().get_all(header).iter().collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids[0].to_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_id_is_inherited_from_the_nearest_and_else_made() {
    let layer = CorrelationLayer::new();
    let scope = Scope::new().correlation_id(id("of-the-scope"));
    let with = |extension: bool, header: bool| {
        let mut request =
            if header { carrying(&[(HEADER, "of-the-header")]) } else { carrying(&[]) };
        if extension {
            request.extensions_mut().insert(id("of-the-extension"));
        }
        request
    };
    scope
        .run(async {
            assert_eq!(sent(&layer, with(true, true)).await, "of-the-extension");
            assert_eq!(sent(&layer, with(true, false)).await, "of-the-extension");
            assert_eq!(sent(&layer, with(false, true)).await, "of-the-header");
            assert_eq!(sent(&layer, with(false, false)).await, "of-the-scope");
        })
        .await;
    let made = seen(&layer, get()).await;
    let context = made.extensions().get::<Context>().unwrap();
    assert_eq!(made.headers()[HEADER], context.call_id().to_string().as_str());
}

#[tokio::test(start_paused = true)]
async fn a_scope_is_inherited_by_the_scopes_inside_and_forgotten_outside() {
    let layer = CorrelationLayer::new();
    let outer = Scope::new().correlation_id(id("outer"));
    outer
        .run(async {
            let deeper = Scope::new().deadline_in(secs(60));
            assert_eq!(deeper.run(sent(&layer, get())).await, "outer");
            let other = Scope::new().correlation_id(id("inner"));
            assert_eq!(other.run(sent(&layer, get())).await, "inner");
            assert_eq!(sent(&layer, get()).await, "outer");
        })
        .await;
    assert_eq!(sent(&layer, get()).await.len(), 36, "one that was made");
}

#[tokio::test(start_paused = true)]
async fn two_calls_have_two_ids() {
    let layer = CorrelationLayer::new();
    assert_ne!(sent(&layer, get()).await, sent(&layer, get()).await);
    assert_ne!(sent(&layer.clone(), get()).await, sent(&layer.clone(), get()).await);
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_its_ids() {
    let run = |seed| async move {
        let layer = CorrelationLayer::new().rng(Rng::seeded(seed));
        [sent(&layer, get()).await, sent(&layer, get()).await]
    };
    let [first, second] = run(7).await;
    assert_ne!(first, second);
    assert_eq!(run(7).await, [first.clone(), second]);
    assert!(!run(8_000).await.contains(&first));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_the_same_id() {
    for request in [get(), carrying(&[(HEADER, "order-1042")])] {
        let provider = Script::new([Answer::status(503)]);
        let service = CorrelationLayer::new().layer(plain().layer(provider.clone()));
        send(&service, request).await.unwrap();
        let requests = provider.requests();
        let ids: Vec<_> = requests.iter().map(|request| &request.headers()[HEADER]).collect();
        assert_eq!(ids.len(), 3);
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_header_is_a_setting_both_in_and_out() {
    let layer = CorrelationLayer::new().header(HeaderName::from_static("x-correlation-id"));
    let both = carrying(&[("x-correlation-id", "order-1042"), (HEADER, "another")]);
    assert_eq!(sent_in("x-correlation-id", &layer, both).await, "order-1042");
    let other = seen(&layer, carrying(&[(HEADER, "another")])).await;
    assert_eq!(other.headers()[HEADER], "another", "which is not this layer's business");
    assert_ne!(other.headers()["x-correlation-id"], "another");
    assert!(!seen(&layer, get()).await.headers().contains_key(HEADER));
}

/// The correlation id that each event was of.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Option<CorrelationId>>>>);

impl Subscriber for Told {
    fn on_event(&self, _: &Event, origin: &Origin<'_>) {
        let id = origin.context().and_then(|context| context.correlation_id().cloned());
        self.0.lock().unwrap().push(id);
    }
}

#[tokio::test(start_paused = true)]
async fn the_id_is_on_the_error_and_on_every_event() {
    let told = Told::default();
    let emitter = Emitter::named("crm").with(told.clone());
    let attempts = TimeoutLayer::new().attempt(secs(2)).emitter(emitter.clone());
    let attempts = attempts.layer(Script::new([Answer::hang()]));
    let retried = plain().emitter(emitter.clone()).layer(attempts);
    let service = CorrelationLayer::new().emitter(emitter).layer(retried);
    let result = status(&service, carrying(&[(HEADER, "order-1042")])).await;
    let error = result.unwrap_err();
    assert_eq!(error.correlation_id().unwrap().as_str(), "order-1042");
    assert_eq!(error.integration(), Some("crm"));
    // Three timeouts, two retries, and giving up.
    assert_eq!(*told.0.lock().unwrap(), vec![Some(id("order-1042")); 6]);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_error_gets_the_id_as_well() {
    let broken = Script::new([Answer::broken(std::io::ErrorKind::ConnectionReset)]);
    let result: Result<u16, Error> = status(&CorrelationLayer::new().layer(broken), get()).await;
    let error = result.unwrap_err();
    let made = error.call_id().unwrap().to_string();
    assert_eq!(error.correlation_id().unwrap().as_str(), made);
}

#[tokio::test(start_paused = true)]
async fn an_inbound_id_that_is_none_is_replaced_and_told() {
    for untrusted in [
        "",
        "two words",
        "a\tb",
        "<script>",
        "a;b",
        "a,b",
        "{a}",
        "\"a\"",
        "a%0d%0ax",
        "caf\u{e9}",
        "${jndi}",
        &"a".repeat(129),
    ] {
        let events = EventRecorder::new();
        let layer = CorrelationLayer::new().emitter(Emitter::new().with(events.clone()));
        let request = seen(&layer, carrying(&[(HEADER, untrusted)])).await;
        let context = request.extensions().get::<Context>().unwrap();
        let made = context.call_id().to_string();
        assert_eq!(request.headers()[HEADER], made.as_str(), "{untrusted:?}");
        assert_eq!(context.correlation_id().unwrap().as_str(), made);
        assert_eq!(events.events(), [Event::CorrelationReplaced], "{untrusted:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_inbound_id_that_is_one_is_kept_and_not_told() {
    let longest = "a".repeat(128);
    for trusted in ["1", "order-1042", "Root=1-67891233-abcdef012345678912345678", "a.b_c~d:e/f+g="]
        .into_iter()
        .chain([longest.as_str()])
    {
        let events = EventRecorder::new();
        let layer = CorrelationLayer::new().emitter(Emitter::new().with(events.clone()));
        assert_eq!(sent(&layer, carrying(&[(HEADER, trusted)])).await, trusted);
        assert_eq!(events.events(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn in_place_of_an_untrusted_header_the_scopes_id_is_inherited() {
    let layer = CorrelationLayer::new();
    let scope = Scope::new().correlation_id(id("of-the-scope"));
    let untrusted = carrying(&[(HEADER, "two words")]);
    assert_eq!(scope.run(sent(&layer, untrusted)).await, "of-the-scope");
}

#[tokio::test(start_paused = true)]
async fn of_several_inbound_ids_one_is_sent() {
    let layer = CorrelationLayer::new();
    let several = carrying(&[(HEADER, "first"), (HEADER, "two words")]);
    assert_eq!(sent(&layer, several).await, "first");
}

#[test]
fn an_id_by_hand_is_held_to_the_same_rules() {
    for bad in ["", "two words", "a\nb", &"a".repeat(129)] {
        let text = bad.parse::<CorrelationId>().unwrap_err().to_string();
        assert!(text.contains("correlation id") && text.contains("128"), "{text}");
    }
    assert_eq!(id("order-1042").to_string(), "order-1042");
    assert_eq!(id("order-1042").as_header(), "order-1042");
}

/// Whether the provider at this address sees the baggage.
async fn baggage(layer: &CorrelationLayer, uri: &str) -> bool {
    let mut request = carrying(&[
        ("baggage", "user=42"),
        ("baggage", "plan=gold"),
        ("host", "api.example"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ]);
    *request.uri_mut() = uri.parse().unwrap();
    let seen = seen(layer, request).await;
    assert!(seen.headers().contains_key("traceparent"), "only baggage is withheld");
    let seen = seen.headers().get_all("baggage").iter().count();
    assert!(seen == 0 || seen == 2, "all of it or nothing");
    seen == 2
}

#[tokio::test(start_paused = true)]
async fn baggage_is_seen_by_the_hosts_that_are_named_and_by_nobody_else() {
    let nobody = CorrelationLayer::new();
    assert!(!baggage(&nobody, "https://api.example/v1").await);
    let layer = CorrelationLayer::new().baggage_to("api.example").baggage_to("Own.Internal");
    for (uri, seen) in [
        ("https://api.example/v1", true),
        ("https://API.Example:8443/v1", true),
        ("http://own.internal/", true),
        ("https://other.example/", false),
        ("https://sub.api.example/", false),
        ("https://api.example.evil.test/", false),
        ("https://evilapi.example/", false),
        ("https://api.example@evil.test/", false),
        ("https://evil.test/api.example", false),
        // What the request says of its host isn't where it goes.
        ("/v1", false),
    ] {
        assert_eq!(baggage(&layer, uri).await, seen, "{uri}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_too_much_baggage_the_first_members_are_seen() {
    let layer = CorrelationLayer::new().baggage_to("crm.test");
    let sent = async |values: &[&str]| {
        let lines: Vec<_> = values.iter().map(|value| ("baggage", *value)).collect();
        let mut request = carrying(&lines);
        *request.uri_mut() = "http://crm.test/".parse().unwrap();
        let seen = seen(&layer, request).await;
        let values = seen.headers().get_all("baggage").iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let members = |count: usize| {
        let members: Vec<_> = (0..count).map(|number| format!("k{number:03}=v")).collect();
        members.join(",")
    };
    assert_eq!(sent(&[&members(180)]).await, [members(180)]);
    assert_eq!(sent(&[&members(181)]).await, [members(180)]);
    assert_eq!(
        sent(&[&members(100), " , k=v;p=1", &members(100)]).await[0].matches('=').count(),
        181
    );
    let large = |size: usize| format!("large={}", "v".repeat(size - 6));
    assert_eq!(sent(&[&large(8188), "b=2"]).await, [&large(8188), "b=2"], "as it is");
    assert_eq!(sent(&[&large(8188), "b=22"]).await, [large(8188)]);
    assert_eq!(sent(&["a=1", &large(8193), "b=2"]).await, ["a=1"]);
    assert!(sent(&[&large(8193)]).await.is_empty());
    assert!(sent(&[&",".repeat(8193)]).await.is_empty());
}
