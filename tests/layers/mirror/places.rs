//! So many copies at a time, and no more.

use outrigger::outcome::Class;
use outrigger::testing::Answer;

use super::{Mirrored, as_it_is};
use crate::call::{get, status};
use crate::clock::{secs, settle, wait};

#[tokio::test(start_paused = true)]
async fn what_is_over_the_places_is_skipped_and_counted() {
    let mirrored = Mirrored::to(Answer::hang(), |layer| layer.concurrency(3).limit(secs(10)));
    for _ in 0..5 {
        assert_eq!(status(&mirrored.service.clone(), get()).await.unwrap(), 200);
    }
    settle().await;
    let handle = &mirrored.handle;
    assert_eq!((handle.in_flight(), handle.skipped(), handle.mirrored()), (3, 2, 0));
    assert_eq!((mirrored.target.requests().len(), mirrored.skips_told()), (3, 2));
    wait(secs(11)).await;
    assert_eq!((handle.in_flight(), handle.mirrored()), (0, 3));
    status(&mirrored.service, get()).await.unwrap();
    settle().await;
    assert_eq!((handle.in_flight(), handle.skipped()), (1, 2), "there is room again");
}

#[tokio::test(start_paused = true)]
async fn eight_at_a_time_unless_another_number_is_set() {
    let mirrored = Mirrored::to(Answer::hang(), as_it_is);
    for _ in 0..10 {
        status(&mirrored.service, get()).await.unwrap();
    }
    assert_eq!((mirrored.handle.in_flight(), mirrored.handle.skipped()), (8, 2));
    wait(secs(29)).await;
    assert_eq!(mirrored.handle.in_flight(), 8);
    wait(secs(2)).await;
    assert_eq!((mirrored.handle.in_flight(), mirrored.handle.mirrored()), (0, 8));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_waits_for_its_real_answer_holds_its_place_until_the_limit() {
    let mirrored = Mirrored::to(Answer::status(200), |layer| {
        layer.concurrency(1).limit(secs(10)).compare(|_, _| true)
    });
    let unread = crate::call::send(&mirrored.service, get()).await.unwrap();
    wait(secs(9)).await;
    assert_eq!((mirrored.handle.in_flight(), mirrored.told()), (1, vec![]));
    wait(secs(2)).await;
    assert_eq!(mirrored.handle.in_flight(), 0);
    assert_eq!(mirrored.told(), [(Class::Success, None)]);
    drop(unread);
}
