use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client as HyperClient};
use hyper_util::rt::TokioExecutor;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::{Delivery, IdempotencyKey, Integration};
use tokio::time::{sleep, timeout};

use crate::tally::{Outcome, Tally};

/// One way of calling a provider.
#[derive(Clone)]
pub(crate) struct Client {
    name: &'static str,
    base: Arc<str>,
    tally: Arc<Tally>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Bare(Bare),
    NaiveRetry(Bare),
    Outrigger(Integration),
}

type Bare = HyperClient<HttpConnector, Full<Bytes>>;

impl Client {
    pub(crate) fn new(
        name: &'static str,
        provider: SocketAddr,
        tally: &Arc<Tally>,
    ) -> Result<Self, Box<dyn Error>> {
        let bare = || HyperClient::builder(TokioExecutor::new()).build_http();
        let attempts = CountAttempts(Arc::clone(tally));
        let way = match name {
            "bare hyper" => Way::Bare(bare()),
            "naive retry" => Way::NaiveRetry(bare()),
            "user_flow" => {
                Way::Outrigger(Integration::user_flow(name).subscriber(attempts).build()?)
            }
            _ => Way::Outrigger(Integration::background(name).subscriber(attempts).build()?),
        };
        Ok(Self { name, base: format!("http://{provider}").into(), tally: Arc::clone(tally), way })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Three of ten calls are charges; the others read.
    pub(crate) async fn call(&self, order: u64) -> Outcome {
        let is_charge = order % 10 < 3;
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
            Way::Bare(client) => {
                self.tally.attempt();
                bare(client, request()).await.unwrap_or_else(|error| lost(&error, is_charge))
            }
            Way::NaiveRetry(client) => self.naive(client, request, is_charge).await,
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

    /// What is often written at first: try five times, whatever it is.
    async fn naive(
        &self,
        client: &Bare,
        request: impl Fn() -> Request<Full<Bytes>>,
        is_charge: bool,
    ) -> Outcome {
        let mut last = Outcome::Failed;
        for _ in 0..5 {
            self.tally.attempt();
            match timeout(Duration::from_secs(3), bare(client, request())).await {
                Ok(Ok(Outcome::Answered)) => return Outcome::Answered,
                Ok(Ok(outcome)) => last = outcome,
                Ok(Err(error)) => last = lost(&error, is_charge),
                Err(_) if is_charge => last = Outcome::Unknown,
                Err(_) => last = Outcome::Failed,
            }
            sleep(Duration::from_millis(100)).await;
        }
        last
    }
}

async fn bare(client: &Bare, request: Request<Full<Bytes>>) -> Result<Outcome, legacy::Error> {
    let response = client.request(request).await?;
    let status = response.status();
    let read = response.into_body().collect().await.is_ok();
    Ok(outcome(status, read))
}

async fn through(
    integration: &Integration,
    request: Request<Full<Bytes>>,
    is_charge: bool,
) -> Outcome {
    match integration.send(request).await {
        Ok(response) => {
            let status = response.status();
            outcome(status, response.into_body().bytes().await.is_ok())
        }
        Err(error) if is_charge && error.delivery() == Delivery::Unknown => Outcome::Unknown,
        Err(_) => Outcome::Failed,
    }
}

fn outcome(status: StatusCode, read: bool) -> Outcome {
    if status.is_success() && read { Outcome::Answered } else { Outcome::Failed }
}

/// Without an answer, a charge may have been made, unless there was not even a connection.
fn lost(error: &legacy::Error, is_charge: bool) -> Outcome {
    if is_charge && !error.is_connect() { Outcome::Unknown } else { Outcome::Failed }
}

/// Counts what goes out.
struct CountAttempts(Arc<Tally>);

impl Subscriber for CountAttempts {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        if let Event::AttemptStarted = event {
            self.0.attempt();
        }
    }
}
