//! A day in the life of a short token.

use outrigger::event::Event;

use crate::bench::{Bench, Issuer, millis, now, secs, send};

#[tokio::test(start_paused = true)]
async fn a_day_of_tokens_that_live_a_minute() {
    let bench = Bench::new(&Issuer::default().lifetime(secs(60)));
    let (began, mut waits) = (now(), 0);
    // A call each 4.3 s, so that each token's window has one.
    while now() - began < secs(24 * 3600) {
        let before = now();
        send(&bench.shop).await.unwrap();
        waits += u32::from(now() > before);
        bench.pass(millis(4_300)).await;
    }
    let fetches = bench.issuer.begun();
    assert!((24 * 60..24 * 60 * 3 / 2).contains(&fetches), "{fetches} fetches");
    assert_eq!((bench.issuer.most_at_once(), waits), (1, 1));
    let told = bench.events.count(|event| matches!(event, Event::TokenRefreshed { .. }));
    assert_eq!(told, fetches);
    let times = bench.issuer.times();
    assert!(times.windows(2).all(|two| two[1].1 - two[0].1 >= secs(40)));
}

#[tokio::test(start_paused = true)]
async fn issuers_that_hand_out_ended_tokens_are_not_asked_in_a_loop() {
    for lifetime in [secs(0), millis(999), secs(1), secs(5)] {
        let bench = Bench::new(&Issuer::default().lifetime(lifetime));
        let began = now();
        while now() - began < secs(100) {
            let _answer = send(&bench.shop).await;
            bench.pass(millis(10)).await;
        }
        let fetches = bench.issuer.begun();
        assert!(fetches <= 160, "{fetches} fetches in 100 s of {lifetime:?}");
    }
}
