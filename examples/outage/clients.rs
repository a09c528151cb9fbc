use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::AGE;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use outrigger::cache::{CacheLayer, CacheOutcome};
use outrigger::outbox::{Message, Outbox, TicketState};
use outrigger::{ConfigError, Delivery, IdempotencyKey, Integration};
use tokio::time::{sleep, timeout};

use crate::jobs;
use crate::tally::Outcome;

/// One way of calling a provider.
#[derive(Clone)]
pub(crate) struct Client {
    base: Arc<str>,
    way: Way,
}

/// What stands between the calls and the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bare,
    Naive,
    UserFlow,
    Background,
    /// `user_flow` with a cache, for rates that many ask for.
    Cached,
    /// A durable queue in a file, whose process is killed meanwhile.
    Outbox,
}

#[derive(Clone)]
enum Way {
    Bare(Bare),
    Naive(Bare),
    Outrigger(Integration),
    Cached(Integration),
    Outbox(Outbox),
}

type Bare = HyperClient<HttpConnector, Full<Bytes>>;

impl Client {
    /// Whose jobs go through an outbox has one.
    pub(crate) fn new(
        kind: Kind,
        provider: SocketAddr,
        outbox: &Outbox,
    ) -> Result<Self, ConfigError> {
        let bare = || HyperClient::builder(TokioExecutor::new()).build_http();
        let way = match kind {
            Kind::Bare => Way::Bare(bare()),
            Kind::Naive => Way::Naive(bare()),
            Kind::UserFlow => Way::Outrigger(Integration::user_flow("payments").build()?),
            Kind::Background => Way::Outrigger(Integration::background("payments").build()?),
            Kind::Cached => Way::Cached(Integration::user_flow("rates").cache(cache()).build()?),
            Kind::Outbox => Way::Outbox(outbox.clone()),
        };
        Ok(Self { base: format!("http://{provider}").into(), way })
    }

    /// Three of ten calls are charges; the others read. With a cache all read: one of ten rates.
    pub(crate) async fn call(&self, order: u64) -> Outcome {
        let is_charge = matches!(order % 10, 0 | 3 | 6);
        let (method, path) = match is_charge {
            true => (Method::POST, "charges"),
            false => (Method::GET, "orders"),
        };
        // What the business knows makes the key; without it, no POST is repeated.
        let key = || IdempotencyKey::from_business_key(format!("charge {order}"));
        let request = || {
            let uri = format!("{}/{path}/{order}", self.base);
            let body = Full::from(if is_charge { "amount=1000" } else { "" });
            let request = Request::builder().method(method.clone()).uri(uri).body(body);
            request.expect("a fixed request is well formed")
        };
        match &self.way {
            Way::Bare(client) => bare(client, request(), is_charge).await,
            Way::Naive(client) => naive(client, request, is_charge).await,
            Way::Outrigger(integration) => {
                let mut request = request();
                if is_charge {
                    request.extensions_mut().insert(key());
                }
                through(integration, request, is_charge).await
            }
            Way::Cached(integration) => {
                let rate = integration.get(format!("{}/rates/{}", self.base, order % 10));
                asked(rate.send().await).await
            }
            Way::Outbox(outbox) => {
                let job = Message::new(method, format!("/{path}/{order}")).lane(jobs::LANE);
                let job = if is_charge { job.idempotency_key(key()) } else { job };
                enqueued(outbox, job.body(if is_charge { "amount=1000" } else { "" })).await
            }
        }
    }
}

/// Sends it once.
async fn bare(client: &Bare, request: Request<Full<Bytes>>, is_charge: bool) -> Outcome {
    match client.request(request).await {
        Ok(response) => {
            let status = response.status();
            let read = response.into_body().collect().await.is_ok();
            outcome(status, read, is_charge)
        }
        // Without an answer a charge may have been made, unless there was not even a connection.
        Err(error) => failed(is_charge && !error.is_connect()),
    }
}

/// What is often written at first: try five times, whatever it is.
async fn naive(
    client: &Bare,
    request: impl Fn() -> Request<Full<Bytes>>,
    is_charge: bool,
) -> Outcome {
    let mut last = Outcome::Failed;
    for _ in 0..5 {
        let attempt = timeout(Duration::from_secs(3), bare(client, request(), is_charge));
        last = match attempt.await.unwrap_or(failed(is_charge)) {
            Outcome::Answered => return Outcome::Answered,
            // What one attempt may have done, the next one doesn't undo.
            _ if last == Outcome::Unknown => last,
            outcome => outcome,
        };
        sleep(Duration::from_millis(100)).await;
    }
    last
}

async fn through(
    integration: &Integration,
    request: Request<Full<Bytes>>,
    is_charge: bool,
) -> Outcome {
    match integration.send(request).await {
        Ok(response) => {
            let status = response.status();
            outcome(status, response.into_body().bytes().await.is_ok(), is_charge)
        }
        Err(error) if error.attempts() == 0 => Outcome::Refused,
        Err(error) => failed(is_charge && error.delivery() != Delivery::NotSent),
    }
}

/// An answer that was kept says how old it is, in seconds.
async fn asked(answer: Result<http::Response<outrigger::Body>, outrigger::Error>) -> Outcome {
    let Ok(response) = answer else { return Outcome::Failed };
    let kept = response.extensions().get::<CacheOutcome>().is_some_and(|kept| kept.is_stale());
    let age = response.headers().get(AGE).and_then(|age| age.to_str().ok()?.parse().ok());
    let status = response.status();
    match outcome(status, response.into_body().bytes().await.is_ok(), false) {
        Outcome::Answered if kept => Outcome::Stale(Duration::from_secs(age.unwrap_or(0))),
        outcome => outcome,
    }
}

/// Fresh for two seconds; an hour long better than none.
fn cache() -> CacheLayer {
    CacheLayer::new()
        .fresh_for(Duration::from_secs(2))
        .stale_while_revalidate(Duration::from_secs(2))
        .stale_if_error(Duration::from_secs(3600))
}

/// From here on the job is the outbox's, whatever becomes of a process; this only looks what came of it.
async fn enqueued(outbox: &Outbox, job: Message) -> Outcome {
    let Ok(ticket) = outbox.enqueue(job).await else { return Outcome::Failed };
    loop {
        sleep(Duration::from_millis(500)).await;
        match outbox.ticket(ticket.id).await {
            Ok(TicketState::Delivered { .. }) => return Outcome::Answered,
            Ok(state) if state.is_final() => return Outcome::Failed,
            // It waits; a file that is busy now isn't in half a second.
            Ok(_) | Err(_) => {}
        }
    }
}

/// A 5xx leaves open whether a charge was made.
fn outcome(status: StatusCode, read: bool, is_charge: bool) -> Outcome {
    match status.is_success() && read {
        true => Outcome::Answered,
        false => failed(is_charge && (status.is_server_error() || !read)),
    }
}

fn failed(may_have_happened: bool) -> Outcome {
    if may_have_happened { Outcome::Unknown } else { Outcome::Failed }
}
