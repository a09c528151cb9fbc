use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger::outbox::Lane;
use outrigger::testing::{Answer, Script};

use super::bench::{integration, mail, run, secs, sleep};

#[tokio::test(start_paused = true)]
async fn a_tenant_with_a_backlog_leaves_places_to_others() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let script = Script::by(move |request| {
        if &request.body()[..] == b"noisy" {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        Answer::status(201).after(secs(10))
    });
    let lane = Lane::new(&integration("mailer", &script)).concurrency(4).tenant_limit(2);
    let running = run(lane);
    for _ in 0..20 {
        running.enqueue(mail("noisy").tenant("noisy")).await;
    }
    sleep(1).await;
    assert_eq!(sent.load(Ordering::SeqCst), 2);
    let quiet = running.enqueue(mail("quiet").tenant("quiet")).await;
    let state = running.outbox.wait(quiet.id, secs(15)).await.unwrap();
    assert!(state.is_final(), "{state:?}");
    sleep(200).await;
    assert_eq!(script.requests().len(), 21);
    running.shut_down(secs(1)).await;
}

#[test]
fn a_limit_of_none_cannot_be_kept() {
    let script = Script::new([Answer::status(201)]);
    let lane = Lane::new(&integration("mailer", &script)).tenant_limit(0);
    let refused = super::bench::memory().lane(lane).build().unwrap_err();
    assert!(refused.to_string().contains("tenant_limit"), "{refused}");
}
