//! A provider on a loopback socket that answers as it was told, and integrations that call it.

#![expect(clippy::disallowed_methods, reason = "a provider is no code of the crate")]

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use outrigger::timeout::TimeoutLayer;
use outrigger::{BoxError, Integration};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the provider does with a request.
#[derive(Clone)]
pub enum Answer {
    /// Answers with this status, these headers and this body.
    With(u16, &'static [(&'static str, &'static str)], Bytes),
    /// As a gRPC server: this message, and `grpc-status: 0` in the trailers.
    Grpc(Bytes),
    /// Reads the request and never answers.
    Hangs,
    /// Reads the request and closes the connection.
    Closes,
}

/// A request that the provider has got.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: http::Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A server on a port of its own, until it is dropped.
pub struct Provider {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    server: JoinHandle<()>,
}

impl Answer {
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::With(200, &[("content-type", "application/json")], body.into())
    }

    pub fn status(status: u16) -> Self {
        Self::With(status, &[], Bytes::new())
    }
}

impl Provider {
    /// Gives each request the next answer; the last one again and again.
    pub async fn start<const N: usize>(answers: [Answer; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answers) = (Arc::clone(&seen), Arc::new(answers.to_vec()));
        let server = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
                let service = service_fn(move |request| {
                    answer(request, Arc::clone(&log), Arc::clone(&answers))
                });
                let server = auto::Builder::new(TokioExecutor::new());
                tokio::spawn(async move {
                    // A client that leaves is no failure here.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, seen, server }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.seen().len()
    }

    /// An integration with the preset's limits, which a slow machine keeps.
    pub fn integration(&self) -> Integration {
        Integration::user_flow("provider").base_url(self.url()).build().unwrap()
    }

    /// Limits on an attempt that a test can wait for.
    pub fn short() -> TimeoutLayer {
        TimeoutLayer::new().attempt(Duration::from_secs(1))
    }

    /// One that doesn't wait long for an answer.
    pub fn impatient(&self) -> Integration {
        Integration::user_flow("provider")
            .base_url(self.url())
            .timeout(|_| Self::short())
            .build()
            .unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    request: http::Request<Incoming>,
    log: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Vec<Answer>>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, BoxError> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let at = {
        let mut log = log.lock().unwrap();
        log.push(Seen { method: head.method, path, headers: head.headers, body });
        log.len().min(answers.len()) - 1
    };
    match answers[at].clone() {
        Answer::With(status, headers, body) => {
            let response = Response::builder().status(status);
            let response = headers
                .iter()
                .fold(response, |response, (name, value)| response.header(*name, *value));
            Ok(response.body(Full::new(body).boxed())?)
        }
        Answer::Grpc(message) => {
            let mut frame = vec![0; 5];
            frame[1..].copy_from_slice(&u32::try_from(message.len())?.to_be_bytes());
            frame.extend_from_slice(&message);
            let trailers = HeaderMap::from_iter([("grpc-status".parse()?, "0".parse()?)]);
            let body = Full::new(frame.into()).with_trailers(async { Some(Ok(trailers)) });
            Ok(Response::builder().header("content-type", "application/grpc").body(body.boxed())?)
        }
        Answer::Hangs => pending().await,
        Answer::Closes => Err("the connection is closed".into()),
    }
}
