//! Many callers on several threads.

use std::time::Duration;

use futures_util::future::join_all;
use http::Request;
use http_body_util::BodyExt;
use outrigger::{Body, Error};
use tower::{Service, ServiceExt};

/// Threads, callers and the calls of each.
const THREADS: usize = 4;
const CALLERS: usize = 48;
const CALLS: usize = 60;

pub(crate) fn request(path: &'static str) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = http::Uri::from_static(path);
    request
}

/// All callers, each with a clone of the service. How many calls were answered, and how many refused.
///
/// Every eighth caller leaves each of its calls after one look at it. Fails if somebody waits for ever.
pub(crate) fn run<S, B>(service: S, path: &'static str) -> (usize, usize)
where
    S: Service<Request<Body>, Response = http::Response<B>, Error = Error, Future: Send>,
    S: Clone + Send + Sync + 'static,
    B: http_body::Body<Data: Send, Error: std::fmt::Debug> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .unwrap();
    let callers = (0..CALLERS).map(|caller| {
        let service = service.clone();
        runtime.spawn(async move {
            match caller % 8 {
                0 => leave(service, path).await,
                _ => stay(service, path).await,
            }
        })
    });
    let all = join_all(callers.collect::<Vec<_>>());
    let limited = async { tokio::time::timeout(Duration::from_secs(20), all).await };
    let counts = runtime.block_on(limited).expect("nobody waits for ever");
    counts.into_iter().map(Result::unwrap).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// How many calls there are of callers who stay.
pub(crate) fn of_those_who_stay() -> usize {
    (CALLERS - CALLERS.div_ceil(8)) * CALLS
}

async fn stay<S, B>(service: S, path: &'static str) -> (usize, usize)
where
    S: Service<Request<Body>, Response = http::Response<B>, Error = Error> + Clone,
    B: http_body::Body<Data: Send, Error: std::fmt::Debug>,
{
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..CALLS {
        match service.clone().oneshot(request(path)).await {
            Ok(answer) => {
                answer.into_body().collect().await.unwrap();
                answered += 1;
            }
            Err(_) => refused += 1,
        }
    }
    (answered, refused)
}

async fn leave<S>(service: S, path: &'static str) -> (usize, usize)
where
    S: Service<Request<Body>, Error = Error> + Clone,
{
    for _ in 0..CALLS {
        let call = Box::pin(service.clone().oneshot(request(path)));
        drop(futures_util::poll!(call));
        tokio::task::yield_now().await;
    }
    (0, 0)
}
