//! Requests to send, and what is planted in them.

use http::{Method, Request, Response};
use outrigger::context::{BusinessKey, PathTemplate};
use outrigger::integration::Call;
use outrigger::{Body, Error};

/// What nobody may ever see again.
pub(crate) const SECRETS: [&str; 5] =
    ["PATH-SECRET", "QUERY-SECRET", "HEADER-SECRET", "BODY-SECRET", "KEY-SECRET"];

pub(crate) fn get() -> Request<Body> {
    request(Method::GET)
}

pub(crate) fn post() -> Request<Body> {
    request(Method::POST)
}

/// A request with a secret in every place.
pub(crate) fn request(method: Method) -> Request<Body> {
    let uri = "https://crm.test/orders/PATH-SECRET?a=QUERY-SECRET";
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header("authorization", "Bearer HEADER-SECRET")
        .body(Body::from("BODY-SECRET"))
        .expect("a request");
    request.extensions_mut().insert(PathTemplate::new("/orders/{id}"));
    request.extensions_mut().insert(BusinessKey::new("KEY-SECRET"));
    request
}

/// The response's head and the whole body.
pub(crate) async fn read(call: Call) -> Result<Response<String>, Error> {
    let (parts, body) = call.await?.into_parts();
    Ok(Response::from_parts(parts, body.text().await?))
}

pub(crate) fn keeps_secrets(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
