//! Faults that a request asks for.

use http::{HeaderName, HeaderValue, Request, StatusCode};
use outrigger::event::InjectedFault;
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Delivery, ErrorKind};
use tower::Layer;

use super::{ALL, Injecting, told};
use crate::call::{fetch, get, send, status};
use crate::clock::{millis, secs, timed, within};

const NAME: HeaderName = HeaderName::from_static("x-fault");

fn by_request() -> FaultInjectionLayer {
    FaultInjectionLayer::new().allow().header(NAME)
}

fn asking(values: &[&str]) -> Request<Body> {
    let mut request = get();
    for value in values {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header's value");
        request.headers_mut().append(NAME, value);
    }
    request
}

#[tokio::test(start_paused = true)]
async fn a_request_gets_the_fault_that_it_asks_for_and_others_none() {
    let Injecting { provider, service, handle, events } = Injecting::by(by_request());
    assert_eq!(status(&service, asking(&["status=503"])).await.unwrap(), 503);
    assert_eq!(
        fetch(&service, asking(&[r#"answer={"ok":false}"#])).await.unwrap(),
        r#"{"ok":false}"#
    );
    assert_eq!(fetch(&service, asking(&["answer="])).await.unwrap(), "");
    let reset = status(&service, asking(&["reset"])).await.unwrap_err();
    assert_eq!(reset.to_string(), "crm: connection reset by api.example:443: injected");
    assert!(within(secs(3600), status(&service, asking(&["hang"]))).await.is_none());
    assert_eq!((provider.begun(), handle.injected()), (0, 5));
    for (value, took) in [
        ("latency=2s", secs(2)),
        ("latency=250ms", millis(250)),
        ("latency=1m", secs(60)),
        ("slow-body=100ms", millis(100)),
    ] {
        assert_eq!(timed(fetch(&service, asking(&[value]))).await.0, took, "{value}");
    }
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!((provider.begun(), handle.injected(), handle.is_on()), (5, 9, false));
    assert_eq!(events.events().len(), 9);
}

#[tokio::test(start_paused = true)]
async fn faults_of_several_headers_combine() {
    let Injecting { service, events, .. } = Injecting::by(by_request());
    let asked = asking(&["latency=1s", "answer=sorry", "slow-body=1s"]);
    let (took, body) = timed(fetch(&service, asked)).await;
    assert_eq!((took, &body.unwrap()[..]), (secs(2), &b"sorry"[..]));
    let faults = [InjectedFault::Latency, InjectedFault::Answer, InjectedFault::SlowBody];
    assert_eq!(events.events(), told(&faults));
}

#[tokio::test(start_paused = true)]
async fn the_header_is_never_sent() {
    for layer in [by_request(), FaultInjectionLayer::new().header(NAME)] {
        let provider = Script::new([Answer::status(200)]);
        let service = layer.layer(provider.clone());
        let mut request = asking(&["latency=1ms", "slow-body=1ms"]);
        request.headers_mut().insert("x-other", HeaderValue::from_static("kept"));
        assert_eq!(status(&service, request).await.unwrap(), 200);
        let headers = provider.requests()[0].headers().clone();
        assert_eq!((headers.get(NAME), headers.len()), (None, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_opt_in_the_header_passes_untouched() {
    let provider = Script::new([Answer::status(200)]);
    let service = FaultInjectionLayer::new().allow().layer(provider.clone());
    assert_eq!(status(&service, asking(&["status=503"])).await.unwrap(), 200);
    assert_eq!(provider.requests()[0].headers()[NAME], "status=503");
}

#[tokio::test(start_paused = true)]
async fn where_fault_injections_are_forbidden_a_request_can_not_ask_for_one() {
    let Injecting { service, handle, .. } = Injecting::by(FaultInjectionLayer::new().header(NAME));
    for value in ["status=503", "hang", "nonsense"] {
        assert_eq!(status(&service, asking(&[value])).await.unwrap(), 200, "{value}");
    }
    assert_eq!(handle.injected(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_read_fails_the_call_and_says_why() {
    let Injecting { provider, service, handle, events } = Injecting::by(by_request());
    let cases: [(&[&str], &str); 13] = [
        (&["explode"], "names no fault"),
        (&[""], "names no fault"),
        (&["hang=1s"], "names no fault"),
        (&["status"], "names no fault"),
        (&["Status=503"], "names no fault"),
        (&["status=5xx"], "status needs a number"),
        (&["status=100"], "from 200 to 999"),
        (&["latency=fast"], "latency needs a time"),
        (&["latency=2"], "latency needs a time"),
        (&["latency=2 s"], "latency needs a time"),
        (&["latency=99999999999999999999s"], "latency needs a time"),
        (&["slow-body=-1s"], "slow-body needs a time"),
        (&["hang", "status=503"], "one of status, answer, hang and reset"),
    ];
    for (values, why) in cases {
        let error = status(&service, asking(values)).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Request, Delivery::NotSent));
        let text = error.to_string();
        let start = "crm: request can't be sent to api.example:443: fault injection header: ";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains(why), "{values:?}: {text}");
    }
    assert_eq!((provider.begun(), handle.injected(), events.events()), (0, 0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn the_longest_latency_that_can_be_written_is_waited_for() {
    let Injecting { service, provider, .. } = Injecting::by(by_request());
    for value in ["latency=18446744073709551615s", "latency=18446744073709551615m"] {
        let call = status(&service, asking(&[value]));
        assert!(within(secs(3600), call).await.is_none());
    }
    assert_eq!(provider.begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_asks_for_itself_is_left_alone_by_the_plan() {
    let plan = Plan::new().status(ALL, StatusCode::SERVICE_UNAVAILABLE);
    let Injecting { service, .. } = Injecting::by(by_request().plan(plan));
    assert_eq!(status(&service, get()).await.unwrap(), 503);
    assert_eq!(status(&service, asking(&["status=418"])).await.unwrap(), 418);
    let late = send(&service, asking(&["latency=1s"])).await.unwrap();
    assert_eq!(late.status(), 200, "late, and the real one");
}
