use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// A provider on the loopback that logs each request before it answers.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) url: String,
    log: Arc<Mutex<Vec<Seen>>>,
}

/// What it saw, in order.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) key: String,
    pub(super) body: String,
    pub(super) reply: Reply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Done,
    Fails,
    /// It never answers.
    Hangs,
}

impl Provider {
    /// Replies as this function says: it gets what was seen before, and the body. No reply begins before so many
    /// requests have arrived.
    pub(super) async fn start(
        least: usize,
        reply: impl Fn(&[Seen], &str) -> Reply + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { url, log: Arc::default() };
        let serves = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (provider, reply) = (serves.clone(), reply.clone());
                let service = service_fn(move |request| {
                    let (provider, reply) = (provider.clone(), reply.clone());
                    async move { provider.answer(request, least, reply).await }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        provider
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        least: usize,
        reply: impl Fn(&[Seen], &str) -> Reply,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let key = request.headers()["idempotency-key"].to_str().unwrap().to_owned();
        let body = request.into_body().collect().await?.to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let reply = {
            let mut log = self.log.lock().unwrap();
            let reply = reply(&log, &body);
            log.push(Seen { key, body, reply });
            reply
        };
        self.seen_by(least).await;
        // So that kills find requests under way.
        tokio::time::sleep(Duration::from_millis(3)).await;
        let mut response = Response::new(Full::default());
        match reply {
            Reply::Done => {}
            Reply::Fails => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
            Reply::Hangs => std::future::pending().await,
        }
        Ok(response)
    }

    /// Waits until so many requests have arrived.
    pub(super) async fn seen_by(&self, least: usize) {
        while self.log.lock().unwrap().len() < least {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) fn log(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }
}
