//! Whatever happens, an answer is never older than it may be, and never somebody else's.

use std::time::Duration;

use outrigger::Integration;
use outrigger::cache::{CacheOutcome, CachePartition};
use outrigger::testing::{Answer, Script};
use proptest::prelude::*;
use tokio::time::Instant;

use super::origin::{get, layer, send};

const LIFETIME: u64 = 10;
const REVALIDATE: u64 = 20;
const IF_ERROR: u64 = 50;

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask { who: u8, what: u8 },
    Wait { millis: u16 },
    Break,
    Repair,
    Write { who: u8, what: u8 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3_u8, 0..3_u8).prop_map(|(who, what)| Step::Ask { who, what }),
        4 => (0..30_000_u16).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Break),
        1 => Just(Step::Repair),
        1 => (0..3_u8, 0..3_u8).prop_map(|(who, what)| Step::Write { who, what }),
    ];
    proptest::collection::vec(step, 1..80)
}

async fn live(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let began = Instant::now();
    let down = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_down = std::sync::Arc::clone(&down);
    let provider = Script::by(move |seen| {
        if is_down.load(std::sync::atomic::Ordering::Relaxed) {
            return Answer::status(503);
        }
        let who = seen.headers()["who"].to_str().unwrap().to_owned();
        let text = format!("{who} {} {}", seen.uri().path(), began.elapsed().as_millis());
        Answer::status(200).body(text).after(Duration::from_millis(50))
    });
    let second = Duration::from_secs;
    let rates = Integration::user_flow("rates")
        .without_rate_limit()
        .cache(
            layer()
                .fresh_for(second(LIFETIME))
                .stale_while_revalidate(second(REVALIDATE))
                .stale_if_error(second(IF_ERROR)),
        )
        .service(provider)
        .build()
        .unwrap();
    for step in steps {
        match step {
            Step::Wait { millis } => tokio::time::sleep(Duration::from_millis(millis.into())).await,
            Step::Break => down.store(true, std::sync::atomic::Ordering::Relaxed),
            Step::Repair => down.store(false, std::sync::atomic::Ordering::Relaxed),
            Step::Ask { who, what } | Step::Write { who, what } => {
                let path = format!("/{what}");
                let mut request = get(&format!("http://rates.test{path}"));
                if matches!(step, Step::Write { .. }) {
                    *request.method_mut() = http::Method::PUT;
                }
                request.headers_mut().insert("who", u16::from(who).into());
                request.extensions_mut().insert(CachePartition::new(who.to_string()));
                let asked = began.elapsed();
                let Ok(got) = send(&rates, request).await else { continue };
                if !got.head.status().is_success() {
                    continue;
                }
                let parts: Vec<_> = got.text.split(' ').collect();
                prop_assert_eq!(parts[0], who.to_string());
                prop_assert_eq!(parts[1], path);
                let made = Duration::from_millis(parts[2].parse().unwrap());
                let most = match got.outcome() {
                    CacheOutcome::Hit => LIFETIME,
                    CacheOutcome::StaleWhileRevalidate => LIFETIME + REVALIDATE,
                    CacheOutcome::StaleIfError => LIFETIME + IF_ERROR,
                    _ => 0,
                };
                // A stale answer may be given at the end of an attempt that failed.
                let age = asked.saturating_sub(made);
                prop_assert!(age <= second(most), "{:?} {age:?}", got.outcome());
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_is_older_than_its_windows_or_of_another_partition(steps in steps()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(live(steps))?;
    }
}
