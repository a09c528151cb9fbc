//! A provider's bad day, lived through by one kind of client, counted in virtual time.
//!
//! A [`Scenario`] says what the provider goes through and how it is called; [`run`] lets a [`Stack`]
//! live through it and counts [`Figures`]: what the calls came to, and what the provider's log says.
//! A whole hour takes seconds. [`catalog`] has the scenarios, [`bars`] what must hold in them.

#[path = "plans/bars.rs"]
pub(crate) mod bars;
#[path = "plans/call.rs"]
mod call;
#[path = "plans/catalog.rs"]
pub(crate) mod catalog;
#[path = "plans/figures.rs"]
pub(crate) mod figures;
#[path = "plans/scenario.rs"]
pub(crate) mod scenario;
#[path = "plans/stack.rs"]
pub(crate) mod stack;

use std::sync::{Arc, Mutex};

use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::provider::Provider;
use crate::provider::chance::Chance;
use call::Call;
use figures::Figures;
use scenario::Scenario;
use stack::{Client, Stack};

/// Lives through the scenario in a runtime of its own, whose time is paused.
pub(crate) fn run(scenario: &Scenario, stack: Stack, seed: u64) -> Figures {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without I/O").block_on(live(scenario, stack, seed))
}

#[expect(clippy::disallowed_methods, reason = "the scenarios' one clock and one timer")]
async fn live(scenario: &Scenario, stack: Stack, seed: u64) -> Figures {
    let mut chance = Chance::new(seed);
    let provider = Provider::new(scenario.plan(chance.next()));
    let clients: Vec<_> = (0..scenario.clients)
        .map(|_| Client::new(stack, scenario.job_deadline, provider.clone(), chance.next()))
        .collect();
    let (calls, began) = (Arc::new(Mutex::new(Vec::new())), Instant::now());
    let mut under_way = JoinSet::new();
    // The seeds differ in where the calls stand against the phases.
    for (number, due) in scenario.due(chance.fraction()).into_iter().enumerate() {
        sleep_until(began + due).await;
        let is_post = chance.hits(scenario.posts);
        let client = clients[number % clients.len()].clone();
        calls.lock().expect("no panic holds it").push(Call { began: began.elapsed(), end: None });
        let calls = Arc::clone(&calls);
        under_way.spawn(async move {
            let end = client.call(number, is_post).await;
            calls.lock().expect("no panic holds it")[number].end = Some((end, began.elapsed()));
        });
    }
    let all = async { while under_way.join_next().await.is_some() {} };
    let _all_ended = timeout(stack.longest(scenario.job_deadline), all).await;
    let calls = std::mem::take(&mut *calls.lock().expect("no panic holds it"));
    provider.log(|log| Figures::count(scenario, &calls, log))
}
