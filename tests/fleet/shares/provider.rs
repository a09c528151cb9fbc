//! A provider on the loopback that counts.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::Instant;

pub(crate) struct Provider {
    pub(crate) url: String,
    /// When each request came, and from whom, as its path says.
    seen: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { url, seen: Arc::default() };
        let seen = Arc::clone(&provider.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                let service = service_fn(move |request: Request<Incoming>| {
                    let from = request.uri().path().trim_matches('/').to_owned();
                    seen.lock().unwrap().push((Instant::now(), from));
                    async { Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::default())) }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        provider
    }

    /// How many requests came from this one.
    pub(crate) fn count(&self, from: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|(_, name)| name == from).count()
    }

    pub(crate) fn all(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn times(&self) -> Vec<Instant> {
        self.seen.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }
}

/// By how many requests a rate was exceeded in the worst of all windows.
pub(crate) fn most_over(times: &[Instant], rate: f64) -> f64 {
    let Some(first) = times.first() else { return 0.0 };
    // For each end, the begin that is worst: the sum of requests less what was allowed, at its lowest until then.
    let (mut lowest, mut most) = (0.0_f64, 0.0_f64);
    for (nth, at) in times.iter().enumerate() {
        let allowed = at.duration_since(*first).as_secs_f64() * rate;
        lowest = lowest.min(nth as f64 - allowed);
        most = most.max(nth as f64 + 1.0 - allowed - lowest);
    }
    most
}
