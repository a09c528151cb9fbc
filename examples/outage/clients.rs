use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use outrigger::{ConfigError, Delivery, IdempotencyKey, Integration};
use tokio::time::{sleep, timeout};

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
}

#[derive(Clone)]
enum Way {
    Bare(Bare),
    Naive(Bare),
    Outrigger(Integration),
}

type Bare = HyperClient<HttpConnector, Full<Bytes>>;

impl Client {
    pub(crate) fn new(kind: Kind, provider: SocketAddr) -> Result<Self, ConfigError> {
        let bare = || HyperClient::builder(TokioExecutor::new()).build_http();
        let way = match kind {
            Kind::Bare => Way::Bare(bare()),
            Kind::Naive => Way::Naive(bare()),
            Kind::UserFlow => Way::Outrigger(Integration::user_flow("payments").build()?),
            Kind::Background => Way::Outrigger(Integration::background("payments").build()?),
        };
        Ok(Self { base: format!("http://{provider}").into(), way })
    }

    /// Three of ten calls are charges; the others read.
    pub(crate) async fn call(&self, order: u64) -> Outcome {
        let is_charge = matches!(order % 10, 0 | 3 | 6);
        let (method, path) = match is_charge {
            true => (Method::POST, "charges"),
            false => (Method::GET, "orders"),
        };
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
                    // What the business knows makes the key; without it, no POST is repeated.
                    let key = IdempotencyKey::from_business_key(format!("charge {order}"));
                    request.extensions_mut().insert(key);
                }
                through(integration, request, is_charge).await
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
