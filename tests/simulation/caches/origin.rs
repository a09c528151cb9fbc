//! A provider that says who asked, when it answered, and what may be believed of its dates.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderValue, Method, Request, Response, StatusCode};
use outrigger::Body;
use tower::Service;

use super::spec::{Claim, Spec};
use crate::clock;
use crate::provider::{Provider, plan};

/// Clones are the same one.
#[derive(Clone)]
pub(super) struct Origin {
    provider: Provider,
    spec: Arc<Spec>,
    began: Instant,
    /// Which version there is of all that it has.
    version: Arc<AtomicU64>,
}

impl Origin {
    pub(super) fn new(spec: &Spec) -> Self {
        Self {
            provider: Provider::new(spec.plan.clone()),
            spec: Arc::new(spec.clone()),
            began: clock::now(),
            version: Arc::default(),
        }
    }

    /// Requests that it saw.
    pub(super) fn asked(&self) -> usize {
        self.provider.log(|log| log.seen.len())
    }

    /// The answer of a provider that is well.
    fn say(&self, asked: &Asked, answer: Response<Body>) -> Response<Body> {
        if asked.method != Method::GET {
            self.version.fetch_add(1, Ordering::Relaxed);
            return answer;
        }
        let mut answer = answer;
        let tag = format!("\"{} {}\"", asked.who, self.version.load(Ordering::Relaxed));
        if asked.known.as_deref() == Some(&tag) {
            *answer.body_mut() = Body::empty();
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let elapsed = clock::now() - self.began;
        let mut set = |name: &'static str, value: String| {
            let value = HeaderValue::try_from(value).expect("a header's value");
            answer.headers_mut().insert(name, value);
        };
        set("x-made", elapsed.as_millis().to_string());
        set("x-who", asked.who.clone());
        set("x-path", asked.path.clone());
        set("etag", tag);
        let now = self.wrong(plan::epoch() + elapsed);
        set("date", httpdate::fmt_http_date(now));
        if let Some(age) = self.spec.age {
            set("age", age.to_owned());
        }
        match self.spec.claim(&asked.path) {
            Claim::Nothing => {}
            Claim::NoStore => set("cache-control", "no-store".to_owned()),
            Claim::MaxAge(time) => set("cache-control", format!("max-age={time}")),
            Claim::Expires(time) => {
                set("expires", httpdate::fmt_http_date(now + Duration::from_secs(time)));
            }
            Claim::Windows(time, revalidate, if_error) => set(
                "cache-control",
                format!(
                    "max-age={time}, stale-while-revalidate={revalidate}, stale-if-error={if_error}"
                ),
            ),
        }
        answer
    }

    /// The time by a clock that is wrong.
    fn wrong(&self, at: SystemTime) -> SystemTime {
        let by = Duration::from_secs(self.spec.skew.unsigned_abs());
        if self.spec.skew < 0 { at - by } else { at + by }
    }
}

/// What it needs to know of a request.
struct Asked {
    method: Method,
    path: String,
    who: String,
    known: Option<String>,
}

impl Service<Request<Body>> for Origin {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let text =
            |name: &str| Some(request.headers().get(name)?.to_str().expect("a text").to_owned());
        let asked = Asked {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            who: text("x-caller").unwrap_or_default(),
            known: text("if-none-match"),
        };
        let (origin, answered) = (self.clone(), self.provider.call(request));
        Box::pin(async move {
            let answer = answered.await?;
            match answer.status().is_success() {
                true => Ok(origin.say(&asked, answer)),
                false => Ok(answer),
            }
        })
    }
}
