//! One case, and what must hold of it.

use std::time::{Duration, Instant};

use http::StatusCode;
use outrigger::retry::Retries;
use outrigger::{Delivery, Error, Integration};

use crate::fault::{After, Fault};
use crate::provider::{Entry, Provider};
use crate::way::{Ask, Client, DEADLINE, Identity, Preset, Way};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) way: Way,
    pub(crate) client: Client,
    pub(crate) preset: Preset,
    pub(crate) ask: Ask,
    pub(crate) fault: Fault,
    /// For how many requests the fault stands.
    pub(crate) times: u32,
}

/// How a call ended.
enum End {
    /// With an answer that was read to its end, and with what it says of the attempts before.
    Answer(StatusCode, Option<Delivery>),
    Failed(Error),
}

impl Case {
    /// What doesn't hold.
    pub(crate) async fn run(self, identity: &Identity) -> Vec<String> {
        let mut provider = Provider::new(self.way, identity);
        let shop = self.way.integration(self.client, self.preset, &provider, identity);
        let mut before = 0;
        if self.fault == Fault::ClosesKept {
            provider.start();
            let _ = self.call(&shop, &provider, Ask::Get).await;
            before = provider.log().len();
        }
        provider.fails(self.fault, self.times);
        let began = Instant::now();
        let end = self.call(&shop, &provider, self.ask).await;
        let took = began.elapsed();
        // What was sent last may still be on its way to the log.
        tokio::time::sleep(Duration::from_millis(30)).await;
        let log = provider.log().split_off(before);
        let mut broken = self.judge(&end, &log);
        if took > DEADLINE + Duration::from_secs(2) {
            broken.push(format!("it took {took:?}"));
        }
        provider.recovers();
        broken.extend(self.goes_on(&shop, &provider).await);
        broken
    }

    async fn call(self, shop: &Integration, provider: &Provider, ask: Ask) -> End {
        match shop.send(self.way.request(ask, provider)).await {
            Ok(response) => {
                let (head, body) = response.into_parts();
                match body.bytes().await {
                    Ok(_) => {
                        let retries = head.extensions.get::<Retries>();
                        End::Answer(head.status, retries.map(|retries| retries.earlier))
                    }
                    Err(error) => End::Failed(error),
                }
            }
            Err(error) => End::Failed(error),
        }
    }

    fn judge(self, end: &End, log: &[Entry]) -> Vec<String> {
        let mut broken = Vec::new();
        let reached: Vec<_> = log.iter().filter(|entry| entry.path == "/charge").collect();
        let posts = || reached.iter().filter(|entry| entry.method == "POST" && !entry.left_alone);
        // One that was pointed to itself with its method kept is the client's own repetition.
        let by_client = matches!(self.fault, Fault::Points(307 | 308, _));
        if self.ask == Ask::Post && posts().count() > 1 && !by_client {
            broken.push(format!("a POST without a key came {} times", posts().count()));
        }
        if self.ask == Ask::Keyed && reached.iter().any(|entry| entry.key.is_none()) {
            broken.push("a request came without the caller's key".into());
        }
        let done = reached.iter().any(|entry| !entry.left_alone);
        match end {
            End::Failed(error) if error.delivery() == Delivery::NotSent && done => {
                broken.push(format!("called not sent ({error}), but {} came", reached.len()));
            }
            End::Failed(error) if log.is_empty() && error.delivery() == Delivery::Answered => {
                broken.push(format!("called answered ({error}), but nothing came"));
            }
            End::Answer(status, _) if log.is_empty() => {
                broken.push(format!("answered {status}, but nothing came"));
            }
            End::Answer(status, earlier)
                if self.loses_answers()
                    && reached.len() > 1
                    && *earlier != Some(Delivery::Unknown) =>
            {
                broken.push(format!("answered {status} after a loss, and called {earlier:?}"));
            }
            _ => {}
        }
        if let (End::Failed(error), Fault::Refuses) = (end, self.fault)
            && error.delivery() != Delivery::NotSent
        {
            broken.push(format!("nobody listened, but it is called {:?}", error.delivery()));
        }
        broken
    }

    /// Whether what was done is not answered by a head.
    fn loses_answers(self) -> bool {
        use After::{Closes, Garbage, HalfHead, HalfHeadAndSilence, Resets, Silence};
        matches!(
            self.fault,
            Fault::Done(Closes | Garbage | HalfHead | HalfHeadAndSilence | Resets | Silence)
        )
    }

    /// Nothing is held, and the next calls are answered.
    async fn goes_on(self, shop: &Integration, provider: &Provider) -> Vec<String> {
        let mut broken = Vec::new();
        if shop.bulkhead().in_use() != 0 {
            broken.push("a place in the bulkhead is still taken".into());
        }
        // On a machine with much else to do, a call may run into its limits once and again.
        let mut left = 20;
        while left > 0 {
            match self.call(shop, provider, Ask::Get).await {
                End::Answer(StatusCode::OK, _) => break,
                End::Answer(..) | End::Failed(_) => left -= 1,
            }
        }
        if left == 0 {
            broken.push("no call is answered after it".into());
        }
        let free = || shop.pool().is_none_or(|pool| pool.figures().in_use == 0);
        let mut looks = 40;
        while !free() && looks > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            looks -= 1;
        }
        if !free() {
            broken.push("a connection is still in use".into());
        }
        broken
    }
}
