//! What `Debug` shows, which ends up in panics and logs.

use std::io;

use http::{HeaderValue, Request, Response};
use outrigger::Body;
use outrigger::context::RequestHead;
use outrigger::correlation::CorrelationLayer;
use outrigger::outcome::ResponseHead;
use tower::{Layer, service_fn};

use crate::call::{get, send};

#[tokio::test(start_paused = true)]
async fn an_error_shows_its_source_without_secrets() {
    let told = "401 for https://ada:HUNTER2@api.example/v1?key=HUNTER2: token \"HUNTER2\" revoked";
    let inner = service_fn(move |_: Request<Body>| async move {
        Err::<Response<Body>, _>(io::Error::other(told))
    });
    let error = send(&CorrelationLayer::new().layer(inner), get()).await.unwrap_err();
    for shown in [format!("{error:?}"), format!("{error:#?}"), error.to_string()] {
        assert!(!shown.contains("HUNTER2"), "{shown}");
    }
    let shown = format!("{error:?}");
    let (kind, length) = ("io::Error(Other)", format!("[{} bytes]", told.len()));
    assert!(shown.contains(kind) && shown.contains(&length), "{shown}");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), told, "as it was");
}

#[test]
fn heads_show_neither_headers_nor_what_a_url_asks() {
    let mut request = get();
    let secret = HeaderValue::from_static("HUNTER2");
    request.headers_mut().insert("authorization", secret.clone());
    *request.uri_mut() = "https://ada:HUNTER2@api.example/HUNTER2?k=HUNTER2".parse().unwrap();
    let shown = format!("{:?}", RequestHead::of(&request));
    assert!(!shown.contains("HUNTER2") && shown.contains("api.example"), "{shown}");
    let mut response = Response::new(());
    response.headers_mut().insert("set-cookie", secret);
    let shown = format!("{:?}", ResponseHead::of(&response));
    assert_eq!(shown, "ResponseHead { status: 200, .. }");
}
