//! How many calls are copied, and who sets it.

use outrigger::Ratio;
use outrigger::mirror::MirrorLayer;
use outrigger::rt::Rng;
use outrigger::testing::Answer;
use tower::Layer;

use super::{Mirrored, as_it_is};
use crate::call::{get, status};
use crate::clock::settle;
use crate::provider::{Provider, Streaming};

#[tokio::test(start_paused = true)]
async fn the_share_is_kept() {
    let layer = MirrorLayer::new(Streaming::new([]), Ratio::percent(10)).rng(Rng::seeded(1));
    let (service, handle) = (layer.layer(Provider::new(Answer::status(200))), layer.handle());
    for _ in 0..10_000 {
        status(&service, get()).await.unwrap();
        settle().await;
    }
    // Four standard deviations are 120.
    assert!(handle.mirrored().abs_diff(1_000) < 120, "{}", handle.mirrored());
    assert_eq!(handle.skipped(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_share_is_set_while_calls_go_on() {
    let mirrored = Mirrored::to(Answer::status(200), as_it_is);
    let handle = mirrored.handle.clone();
    for (share, copies) in [(Ratio::ONE, 10), (Ratio::ZERO, 10), (Ratio::percent(500), 20)] {
        handle.set_share(share);
        for _ in 0..10 {
            status(&mirrored.service, get()).await.unwrap();
            settle().await;
        }
        assert_eq!(handle.mirrored(), copies, "{share}");
    }
    assert_eq!(handle.share(), Ratio::ONE, "which is all of them");
    assert_eq!(mirrored.provider.begun(), 30);
}

#[tokio::test(start_paused = true)]
async fn setting_anything_afterwards_makes_a_share_of_its_own() {
    let layer = MirrorLayer::new(Streaming::new([]), Ratio::percent(10));
    let handle = layer.handle();
    assert_eq!(layer.clone().handle().share(), Ratio::percent(10));
    handle.set_share(Ratio::percent(50));
    assert_eq!(layer.clone().handle().share(), Ratio::percent(50), "clones share it");
    assert_eq!(layer.concurrency(1).handle().share(), Ratio::percent(10));
}
