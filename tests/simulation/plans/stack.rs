use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};
use outrigger::rt::Rng;
use outrigger::{Body, BoxError, Integration};
use tower::retry::Policy;
use tower::retry::budget::{Budget, TpsBudget};
use tower::util::BoxCloneService;
use tower::{Service, ServiceBuilder, ServiceExt};

use super::call::End;
use crate::provider::Provider;

/// What stands between the calls and the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stack {
    /// Nothing: what an HTTP client does.
    Bare,
    /// tower's Timeout, Retry within a `TpsBudget`, and ConcurrencyLimit, with `user_flow`'s values.
    Tower,
    UserFlow,
    Background,
}

/// A client of one kind. Clones share what it remembers.
#[derive(Clone)]
pub(super) enum Client {
    Bare(Provider),
    Tower(BoxCloneService<Message, Response<Body>, BoxError>),
    Ours(Integration),
}

/// A request that can be sent again.
type Message = Request<&'static str>;

/// Repeats once what failed, within the budget. All unsafe calls here have keys that are honoured.
#[derive(Clone)]
struct OnFailure {
    budget: Arc<TpsBudget>,
    is_first: bool,
}

impl Stack {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Tower => "tower",
            Self::UserFlow => "user_flow",
            Self::Background => "background",
        }
    }

    /// How long calls get after the last was made.
    pub(super) fn longest(self, job_deadline: Option<Duration>) -> Duration {
        match self {
            Self::Background => job_deadline.unwrap_or(HOUR) + MINUTE,
            _ => MINUTE,
        }
    }
}

impl Client {
    pub(super) fn new(
        stack: Stack,
        job_deadline: Option<Duration>,
        provider: Provider,
        seed: u64,
    ) -> Self {
        let ours = match stack {
            Stack::Bare => return Self::Bare(provider),
            Stack::Tower => return Self::Tower(tower(provider)),
            Stack::UserFlow => Integration::user_flow("api").breaker(|breaker| {
                // A breaker draws from another sequence than the retries.
                breaker.rng(Rng::seeded(!seed))
            }),
            Stack::Background => Integration::background("api"),
        };
        let ours = match job_deadline.filter(|_| stack == Stack::Background) {
            Some(limit) => ours.deadline(limit),
            None => ours,
        };
        let ours = ours.retry(|retry| retry.rng(Rng::seeded(seed))).service(provider);
        Self::Ours(ours.build().expect("the preset's own values"))
    }

    pub(super) async fn call(self, number: usize, is_post: bool) -> End {
        let message = message(number, is_post);
        let answer = match self {
            Self::Bare(mut provider) => provider.call(message.map(Body::from)).await.ok(),
            Self::Tower(mut tower) => match tower.ready().await {
                Ok(tower) => tower.call(message).await.ok(),
                Err(_) => None,
            },
            Self::Ours(integration) => match integration.send(message).await {
                Err(error) if error.attempts() == 0 => return End::Refused,
                answer => answer.ok(),
            },
        };
        match answer {
            Some(answer) if answer.status().is_success() => {
                match answer.into_body().bytes().await {
                    Ok(_) => End::Answered,
                    Err(_) => End::Failed,
                }
            }
            _ => End::Failed,
        }
    }
}

impl<E> Policy<Message, Response<Body>, E> for OnFailure {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Message,
        result: &mut Result<Response<Body>, E>,
    ) -> Option<Ready<()>> {
        if result.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            self.budget.deposit();
            return None;
        }
        let is_first = std::mem::replace(&mut self.is_first, false);
        (is_first && self.budget.withdraw()).then(|| ready(()))
    }

    fn clone_request(&mut self, message: &Message) -> Option<Message> {
        Some(message.clone())
    }
}

fn tower(provider: Provider) -> BoxCloneService<Message, Response<Body>, BoxError> {
    let on_failure = OnFailure { budget: Arc::default(), is_first: true };
    let stack = ServiceBuilder::new()
        .timeout(Duration::from_secs(8))
        .retry(on_failure)
        .concurrency_limit(64)
        .timeout(Duration::from_secs(3))
        .map_request(|message: Message| message.map(Body::from))
        .service(provider);
    BoxCloneService::new(stack)
}

fn message(number: usize, is_post: bool) -> Message {
    let (method, path) = match is_post {
        true => (Method::POST, format!("/charges/{number}")),
        false => (Method::GET, format!("/orders/{number}")),
    };
    let message = Request::builder().method(method).uri(path);
    let message = match is_post {
        true => message.header("idempotency-key", number).body("amount=1000"),
        false => message.body(""),
    };
    message.expect("a fixed message is well formed")
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
