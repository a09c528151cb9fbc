//! Calls that a cache answers: the provider isn't called.

use std::fmt::Debug;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use outrigger::cache::{CacheLayer, CachePartition};
use outrigger::{Body, Integration};
use tokio::runtime::Runtime;
use tower::{Layer, Service};

use crate::provider::{self, Provider, Way, request};
use crate::subjects::{Over, Subject};

pub(crate) fn all(runtime: &'static Runtime) -> Vec<Subject> {
    // One that answers in a task, which nothing else would wake.
    let provider = || Provider::cacheable(Way::Ready);
    let layer = || CacheLayer::new().layer(provider());
    let user_flow = Integration::user_flow("stripe").service(provider()).cache(CacheLayer::new());
    vec![
        hit("cache, hit", runtime, layer(), plain),
        hit("cache, hit, by its credentials", runtime, layer(), request),
        hit("cache, hit, in a partition", runtime, layer(), in_partition),
        hit("user_flow + cache, hit", runtime, user_flow.build().unwrap(), plain),
    ]
}

/// A service that has the answer stored.
fn hit<S, B>(
    name: &'static str,
    runtime: &'static Runtime,
    mut service: S,
    request: fn() -> Request<Body>,
) -> Subject
where
    S: Service<Request<Body>, Response = Response<B>> + 'static,
    S::Error: Debug,
    B: http_body::Body<Data = Bytes>,
    B::Error: Debug,
{
    let first = service.call(request());
    runtime.block_on(async {
        first.await.unwrap().into_body().collect().await.unwrap();
        // The task that stores it ends.
        tokio::task::yield_now().await;
    });
    let call = move || provider::call(&mut service, request(), || {}).unwrap();
    Subject::new(name, Over::Request, call)
}

/// The ordinary request without a credential.
fn plain() -> Request<Body> {
    let mut request: Request<Body> = request();
    request.headers_mut().remove("authorization");
    request
}

/// The ordinary request of a tenant.
fn in_partition() -> Request<Body> {
    let mut request: Request<Body> = request();
    request.extensions_mut().insert(CachePartition::new("tenant 1042"));
    request
}
