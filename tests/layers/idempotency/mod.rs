//! Keys by which a provider knows a repeated call for the same one.

mod honoured;
mod keys;
mod lengths;
mod profiles;
mod repeats;

use http::Request;
use outrigger::idempotency::IdempotencyLayer;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, IdempotencyKey};
use tower::Layer;

use crate::call::{of, post, send};

/// The values of a header on every request that a provider saw.
fn headers(provider: &Script, name: &str) -> Vec<String> {
    let requests = provider.requests();
    let values = requests.iter().flat_map(|request| request.headers().get_all(name));
    values.map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// What a provider sees in this header of one call.
async fn seen(layer: IdempotencyLayer, name: &str, request: Request<Body>) -> Vec<String> {
    let provider = Script::new([Answer::status(200)]);
    send(&layer.layer(provider.clone()), request).await.unwrap();
    assert_eq!(provider.requests().len(), 1);
    headers(&provider, name)
}

/// A POST under a key of its caller's.
fn under(key: &str) -> Request<Body> {
    bringing(key, post("amount=1000"))
}

/// The same request, under a key of its caller's.
fn bringing(key: &str, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(IdempotencyKey::new(key).unwrap());
    request
}

fn by(method: &str) -> Request<Body> {
    of(method.parse().unwrap())
}
