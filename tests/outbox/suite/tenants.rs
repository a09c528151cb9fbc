use outrigger::outbox::{Action, ClaimRequest, DeadReason, Message, Outcome, Priority};
use outrigger::rt::Rng;

use super::bench::{Bench, LANE, Open, body, mail, open, request};

fn of(tenant: &str, body: &'static str) -> Message {
    mail(body).tenant(tenant)
}

fn limited(most: usize, limit: usize) -> ClaimRequest {
    ClaimRequest { tenant_limit: Some(limit), ..request(LANE, most) }
}

async fn claim(bench: &Bench, most: usize, limit: usize) -> Vec<String> {
    bench.claim_as(limited(most, limit)).await.messages.iter().map(body).collect()
}

/// Stores so many messages of one tenant, which this makes.
async fn fill(bench: &Bench, messages: usize, make: impl Fn(usize) -> Message) {
    let (now, rng) = (bench.now().await, Rng::seeded(3));
    let new = (0..messages).map(|nth| make(nth).build(LANE, now, &rng).unwrap());
    bench.store.enqueue(new.collect()).await.unwrap();
}

pub(crate) async fn a_tenant_has_no_more_under_way_than_its_limit(with: Open<'_>) {
    let bench = open(with).await;
    for body in ["1", "2", "3", "4"] {
        bench.enqueue(of("ada", body)).await;
    }
    let claimed = bench.claim_as(limited(9, 2)).await.messages;
    assert_eq!(claimed.iter().map(body).collect::<Vec<_>>(), ["1", "2"]);
    assert!(claim(&bench, 9, 2).await.is_empty());
    bench.deliver(&claimed[0]).await;
    assert_eq!(claim(&bench, 9, 2).await, ["3"]);
    // One that waits for its next attempt isn't under way.
    bench.fail(&claimed[1], 60).await;
    assert_eq!(claim(&bench, 9, 2).await, ["4"]);
}

pub(crate) async fn without_a_limit_tenants_are_claimed_as_they_come(with: Open<'_>) {
    let bench = open(with).await;
    for (tenant, body) in [("ada", "1"), ("ada", "2"), ("bob", "3")] {
        bench.enqueue(of(tenant, body)).await;
    }
    assert_eq!(bench.claim_bodies(9).await, ["1", "2", "3"]);
}

pub(crate) async fn a_message_without_a_tenant_is_not_limited(with: Open<'_>) {
    let bench = open(with).await;
    for body in ["1", "2", "3"] {
        bench.enqueue(of("", body)).await;
    }
    assert_eq!(claim(&bench, 9, 1).await, ["1", "2", "3"]);
    let id = bench.enqueue(of("ada", "4")).await;
    assert_eq!(bench.get(id).await.message.content.tenant.as_deref(), Some("ada"));
}

pub(crate) async fn tenants_with_fewer_under_way_go_first(with: Open<'_>) {
    let bench = open(with).await;
    for (tenant, body) in [("ada", "1"), ("ada", "2"), ("ada", "3"), ("bob", "4")] {
        bench.enqueue(of(tenant, body)).await;
    }
    assert_eq!(claim(&bench, 1, 3).await, ["1"]);
    assert_eq!(claim(&bench, 2, 3).await, ["4", "2"]);
    bench.enqueue(of("eve", "5").priority(Priority::Low)).await;
    bench.enqueue(of("eve", "6").priority(Priority::High)).await;
    assert_eq!(claim(&bench, 9, 3).await, ["6", "5", "3"]);
}

pub(crate) async fn a_backlog_of_one_tenant_hides_no_others(with: Open<'_>) {
    let bench = open(with).await;
    // More than a claim looks at first.
    fill(&bench, 600, |_| of("noisy", "noisy")).await;
    bench.enqueue(of("quiet", "quiet")).await;
    bench.enqueue(of("zoe", "late").priority(Priority::Low)).await;
    bench.enqueue(of("zoe", "later").not_before(std::time::Duration::from_secs(9))).await;
    assert_eq!(claim(&bench, 9, 2).await, ["noisy", "quiet", "late", "noisy"]);
    bench.enqueue(of("quiet", "again")).await;
    assert_eq!(claim(&bench, 9, 2).await, ["again"]);
    assert!(claim(&bench, 9, 2).await.is_empty());
}

pub(crate) async fn a_backlog_of_one_tenants_order_keys_hides_no_others(with: Open<'_>) {
    let bench = open(with).await;
    fill(&bench, 600, |nth| of("noisy", "noisy").order_key(format!("key {}", nth % 300))).await;
    bench.enqueue(of("quiet", "first").order_key("quiet")).await;
    bench.enqueue(of("quiet", "second").order_key("quiet")).await;
    bench.enqueue(of("quiet", "free")).await;
    assert_eq!(claim(&bench, 9, 2).await, ["noisy", "first", "noisy", "free"]);
    assert!(claim(&bench, 9, 2).await.is_empty());
}

pub(crate) async fn claims_at_once_keep_a_tenants_limit(with: Open<'_>) {
    let bench = open(with).await;
    fill(&bench, 60, |nth| of(if nth % 2 == 0 { "ada" } else { "bob" }, "1")).await;
    let claims = (0..8).map(|_| bench.claim_as(limited(4, 3)));
    let claimed = futures_util::future::join_all(claims).await;
    let tenants = claimed.iter().flat_map(|it| &it.messages).map(|it| it.content.tenant.as_deref());
    let (ada, bob): (Vec<_>, Vec<_>) = tenants.partition(|tenant| *tenant == Some("ada"));
    assert_eq!((ada.len(), bob.len()), (3, 3));
}

pub(crate) async fn an_edited_message_is_of_the_same_tenant(with: Open<'_>) {
    let bench = open(with).await;
    let id = bench.enqueue(of("ada", "1")).await;
    let claimed = bench.claim_one(LANE).await;
    bench.settle(&claimed, Outcome::Dead(DeadReason::Rejected)).await;
    let edited = of("ada", "2").build(LANE, bench.now().await, &Rng::seeded(9)).unwrap();
    bench.store.edit(id, edited, "ada".into(), "typo".into()).await.unwrap();
    bench.enqueue(of("ada", "3")).await;
    assert_eq!(claim(&bench, 9, 1).await, ["2"]);
    bench.act(id, Action::Discard).await;
    assert!(claim(&bench, 9, 1).await.is_empty());
}
