//! A file that a new process begins with.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use outrigger::event::{LocalCopyEvent, SnapshotProblem};
use outrigger::fallback::FallbackLayer;
use outrigger::local_copy::{CopyState, LoadFailure, LocalCopyBuilder};
use outrigger::outcome::{Class, HttpClassifier, ResponseHead};
use outrigger::rt::Clock;

use crate::bench::{Bench, Builder, Prices, list, noon, secs, wait};

/// A folder that is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("outrigger-copy-{}-{number}", process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("prices")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn kept(copy: LocalCopyBuilder<Prices>, file: &Path) -> LocalCopyBuilder<Prices> {
    copy.snapshot(
        file,
        |prices| Ok(prices.join("\n").into_bytes()),
        |bytes| {
            let prices: Prices = std::str::from_utf8(bytes)?.lines().map(str::to_owned).collect();
            assert!(!prices.iter().any(|price| price == "panic"), "it can't be decoded");
            Ok(prices)
        },
    )
}

/// Loads once and ends, a day before noon.
async fn an_earlier_process(folder: &Folder) {
    let bench = Bench::new();
    let copy = bench.copy().clock(Clock::anchored(noon() - secs(86_400)));
    let prices = kept(copy, &folder.file()).start().unwrap();
    prices.ready().await.unwrap();
    wait(1).await;
    assert_eq!(bench.told(), [], "a missing file is no trouble");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_during_an_outage_has_the_last_copy_marked_with_its_age() {
    let (folder, bench) = (Folder::new(), Bench::new());
    an_earlier_process(&folder).await;
    bench.plan(|plan| plan.is_down = true);
    let prices = kept(bench.copy(), &folder.file()).start().unwrap();
    assert_eq!(prices.ready().await.unwrap().join("\n") + "\n", list(10));
    let health = prices.health();
    assert!(health.is_from_snapshot && health.state == CopyState::Late);
    let day = health.age.unwrap();
    assert!(day >= secs(86_399) && day < secs(86_402), "{day:?}");
    wait(1).await;
    let told = bench.told();
    let LocalCopyEvent::SnapshotRead { age, count: 10 } = told[0] else { panic!("{told:?}") };
    assert!(age >= secs(86_399));
    assert!(told.contains(&LocalCopyEvent::Late));

    bench.plan(|plan| plan.is_down = false);
    prices.reload().await.unwrap();
    assert!(!prices.health().is_from_snapshot && prices.age().unwrap() < secs(1));
    // Until it is written.
    wait(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_too_old_is_not_served_and_guards_all_the_same() {
    let (folder, bench) = (Folder::new(), Bench::new());
    an_earlier_process(&folder).await;
    bench.plan(|plan| plan.entries = 1);
    let prices = kept(bench.copy().max_age(secs(3600)), &folder.file()).start().unwrap();
    let error = prices.ready().await.unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::Refused));
    assert!(error.expired_since().is_some_and(|since| since < noon() - secs(80_000)));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_torn_foreign_or_unreadable_is_ignored_and_told() {
    let folder = Folder::new();
    an_earlier_process(&folder).await;
    let whole = fs::read(folder.file()).unwrap();
    let mut other = String::from_utf8(whole.clone()).unwrap();
    other = other.replace("price 3", "price 4");
    for (content, problem) in [
        (whole[..whole.len() - 1].to_vec(), SnapshotProblem::Torn),
        (other.into_bytes(), SnapshotProblem::Torn),
        (b"{\"prices\":[]}".to_vec(), SnapshotProblem::Foreign),
        (Vec::new(), SnapshotProblem::Foreign),
    ] {
        let bench = Bench::new();
        bench.plan(|plan| plan.is_down = true);
        fs::write(folder.file(), content).unwrap();
        let prices = kept(bench.copy(), &folder.file()).start().unwrap();
        prices.ready().await.unwrap_err();
        assert_eq!(bench.told()[0], LocalCopyEvent::SnapshotFailed { problem });
        assert_eq!(prices.health().snapshot, Some(problem));
    }
    let bench = Bench::new();
    let inner = folder.0.join("a folder");
    fs::create_dir(&inner).unwrap();
    let prices = kept(bench.copy(), &inner).start().unwrap();
    prices.ready().await.unwrap();
    wait(1).await;
    let told = [SnapshotProblem::Unreadable, SnapshotProblem::Unwritable]
        .map(|problem| LocalCopyEvent::SnapshotFailed { problem });
    assert_eq!(bench.told(), told);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_can_not_be_decoded_or_written_costs_no_load() {
    let folder = Folder::new();
    let bench = Bench::new();
    let panics = bench.copy().snapshot(folder.file(), |_| panic!("it fails"), |_| Ok(Vec::new()));
    let panics = panics.start().unwrap();
    panics.ready().await.unwrap();
    wait(1).await;
    let problem = SnapshotProblem::Unencodable;
    assert_eq!(bench.told(), [LocalCopyEvent::SnapshotFailed { problem }]);
    wait(600).await;
    assert!(bench.begun() > 8, "loads go on");

    let bench = Bench::new();
    let nowhere = kept(bench.copy(), &folder.0.join("missing/prices")).start().unwrap();
    nowhere.ready().await.unwrap();
    wait(1).await;
    let problem = SnapshotProblem::Unwritable;
    assert_eq!(bench.told(), [LocalCopyEvent::SnapshotFailed { problem }]);
    assert_eq!(nowhere.health().snapshot, Some(problem));

    let bench = Bench::new();
    let copy = bench.copy().snapshot(
        folder.file(),
        |_| Ok(b"panic".to_vec()),
        |_| Err("another version wrote this".into()),
    );
    let copy = copy.start().unwrap();
    copy.ready().await.unwrap();
    wait(1).await;
    drop(copy);
    let bench = Bench::new();
    bench.plan(|plan| plan.is_down = true);
    let prices = kept(bench.copy(), &folder.file()).start().unwrap();
    prices.ready().await.unwrap_err();
    let problem = SnapshotProblem::Undecodable;
    assert_eq!(bench.told()[0], LocalCopyEvent::SnapshotFailed { problem });
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_snapshot_is_its_owners_alone_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    an_earlier_process(&folder).await;
    let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

/// An answer that stands in for the provider's, by a layer of this builder, changes neither copy nor file.
async fn stays_as_it_is(change: impl FnOnce(Builder) -> Builder) {
    let (folder, bench) = (Folder::new(), Bench::over(change));
    let prices = kept(bench.copy(), &folder.file()).start().unwrap();
    prices.ready().await.unwrap();
    wait(1).await;
    let file = fs::read(folder.file()).unwrap();
    bench.plan(|plan| plan.is_down = true);
    wait(600).await;
    assert_eq!((prices.state(), prices.get().unwrap().len()), (CopyState::Late, 10));
    assert_eq!(prices.health().failure, Some(LoadFailure::Failed));
    assert!(fs::read(folder.file()).unwrap() == file, "the file is as it was");
}

#[tokio::test(start_paused = true)]
async fn a_fallbacks_answer_does_not_take_the_place_of_the_copy() {
    let default = "a\nb\nc\nd\ne\nf";
    let fallback = FallbackLayer::value(http::Response::new(default));
    stays_as_it_is(|builder| builder.fallback(fallback)).await;
}

#[cfg(feature = "cache")]
#[tokio::test(start_paused = true)]
async fn a_stale_answer_does_not_take_the_place_of_the_copy() {
    let cache = outrigger::cache::CacheLayer::new().clock(Clock::anchored(noon()));
    let cache = cache.fresh_for(secs(1)).stale_if_error(secs(86_400));
    stays_as_it_is(|builder| builder.cache(cache)).await;
}

#[tokio::test(start_paused = true)]
async fn a_200_that_a_classifier_calls_an_error_does_not_take_the_place_of_the_copy() {
    let own =
        |head: &ResponseHead<'_>| head.headers.contains_key("etag").then_some(Class::ServerError);
    let bench = Bench::over(|builder| builder.classifier(HttpClassifier::new().with(own)));
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| (plan.etag, plan.entries) = (Some("\"down\""), 8));
    let error = prices.reload().await.unwrap_err().to_string();
    assert!(error.ends_with("the answer is no success: server error"), "{error}");
    assert_eq!(prices.get().unwrap().len(), 10);
}
