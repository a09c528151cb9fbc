//! Calls that run all the time, and what they come to.

use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use outrigger::context::{BusinessKey, PathTemplate};
use outrigger::event::SwitchMode;
use outrigger::fallback::FellBack;
use outrigger::kill_switch::KillSwitchHandle;
use outrigger::{Body, Integration};
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};

/// What the calls came to, and how many requests the provider got.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) answered: u32,
    pub(crate) fell_back: u32,
    pub(crate) refused: u32,
    pub(crate) last_refusal: String,
    pub(crate) at_provider: u32,
}

pub(crate) type Shared<T> = Arc<Mutex<T>>;

/// A call every 20 ms, for as long as the example runs.
pub(crate) async fn traffic(rates: Integration, url: String, tally: Shared<Tally>) {
    for nth in 1.. {
        let mut request = Request::get(format!("{url}/rates")).body(()).expect("the URL is one");
        request.extensions_mut().insert(PathTemplate::new("/rates"));
        request.extensions_mut().insert(BusinessKey::new(format!("basket {nth}")));
        let result = rates.send(request).await;
        let marked = |answer: &Response<Body>| answer.extensions().get::<FellBack>().is_some();
        with(&tally, |tally| match result {
            Ok(answer) if marked(&answer) => tally.fell_back += 1,
            Ok(_) => tally.answered += 1,
            Err(error) => {
                tally.refused += 1;
                tally.last_refusal = error.to_string();
            }
        });
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the switch stands there, watches calls for a while, and tells what they came to.
pub(crate) async fn watch(
    switch: &KillSwitchHandle,
    mode: SwitchMode,
    tally: &Shared<Tally>,
) -> Result<Tally, Elapsed> {
    until(|| (switch.mode() == mode).then_some(())).await?;
    // Calls that were under way end as they began.
    sleep(Duration::from_millis(50)).await;
    with(tally, mem::take);
    sleep(Duration::from_millis(400)).await;
    let seen = with(tally, mem::take);
    let Tally { answered, fell_back, refused, at_provider, .. } = &seen;
    println!("  {answered} answered, {fell_back} by the fallback, {refused} refused");
    println!("  requests that reached the provider: {at_provider}");
    Ok(seen)
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Result<T, Elapsed> {
    let asked = async {
        loop {
            match ask() {
                Some(answer) => break answer,
                None => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(Duration::from_secs(5), asked).await
}

pub(crate) fn with<T, R>(shared: &Shared<T>, change: impl FnOnce(&mut T) -> R) -> R {
    change(&mut shared.lock().expect("nobody panics with it"))
}
