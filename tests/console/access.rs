//! Who may see and do what.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use outrigger::console::{Access, Actor, Console, OpenOnLoopback, Peer, ReadOnly, Right, Scope};
use outrigger::control::Registry;
use outrigger::outbox::{MemoryStore, Message, Outbox};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration, ResponseExt};
use serde_json::Value;
use tower::ServiceExt;

use super::bench::{Bench, Named, all, form_of};

/// An act: its page, its form, the right that it takes and more fields.
type ActCase = (&'static str, &'static str, Right, &'static [(&'static str, &'static str)]);

const ACTS: [ActCase; 8] = [
    ("?integration=payments", "set", Right::Steer, &[("to", "off"), ("until", "open")]),
    ("?lane=mailer", "pause", Right::Steer, &[("until", "open")]),
    ("?lane=mailer&state=dead", "replay_all", Right::Replay, &[]),
    ("?lane=mailer&state=dead", "discard_all", Right::Discard, &[("count", "2")]),
    ("MESSAGE", "replay", Right::Replay, &[]),
    ("MESSAGE", "edit", Right::Replay, &[("body", "to=bob")]),
    ("MESSAGE", "discard", Right::Discard, &[]),
    ("MESSAGE", "reveal", Right::Reveal, &[]),
];

#[tokio::test(start_paused = true)]
async fn each_act_takes_its_right_and_no_other() {
    for (page, act, right, fields) in ACTS {
        // Ada has this right; Bob has all others.
        let bench = Bench::new(Named(|name, right, _| match name.split_once(' ') {
            Some(("ada", only)) => matches!(right, Right::Look) || right.name() == only,
            Some((_, without)) => right.name() != without,
            None => true,
        }));
        let ids = bench.dead(2).await;
        let page = page.replace("MESSAGE", &format!("?message={}", ids[0]));
        let (ada, bob) = (format!("ada {}", right.name()), format!("bob {}", right.name()));

        // The page of who may not has no form; who sends another person's form is refused.
        let of_bob = bench.get(&bob, &page).await;
        assert_eq!(of_bob.status, StatusCode::OK, "{act}");
        assert!(form_of(&of_bob.text, act).is_none(), "{act} is on the page of who may not");
        let mut stolen = form_of(&bench.get(&ada, &page).await.text, act).unwrap();
        stolen.extend(fields.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        assert_eq!(bench.post(&bob, &stolen).await.status, StatusCode::FORBIDDEN, "{act}");

        let done = bench.act(&ada, &page, act, fields).await;
        assert!(
            matches!(done.status, StatusCode::SEE_OTHER | StatusCode::OK),
            "{act}: {}",
            done.text
        );
        let acts = bench.recorded.lock().unwrap().clone();
        assert!(acts.iter().all(|act| act.right == right && act.who == ada), "{acts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_no_longer_do_it_when_the_form_comes_is_refused_and_recorded() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static MAY: AtomicBool = AtomicBool::new(true);
    let bench =
        Bench::new(Named(|_, right, _| right == Right::Look || MAY.load(Ordering::Relaxed)));
    let page = bench.get("ada", "?integration=payments").await;
    let mut form = form_of(&page.text, "set").unwrap();
    form.extend([("to".to_owned(), "off".to_owned())]);
    MAY.store(false, Ordering::Relaxed);
    assert_eq!(bench.post("ada", &form).await.status, StatusCode::FORBIDDEN);
    assert!(bench.payments.kill_switch().mode().lets_calls_through());
    let acts = bench.recorded.lock().unwrap();
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0].result, outrigger::console::ActResult::NotAllowed);
    assert_eq!(acts[0].what, "payments: kill_switch to off");
}

#[tokio::test(start_paused = true)]
async fn who_may_look_at_one_integration_and_lane_sees_nothing_of_the_others() {
    let bench = Bench::new(Named(|_, right, scope| {
        matches!(right, Right::Look | Right::Search)
            && matches!(scope, Scope::All | Scope::Integration("payments"))
    }));
    let ids = bench.dead(1).await;
    let overview = bench.get("ada", "").await;
    assert!(
        overview.text.contains("payments") && !overview.text.contains("mailer"),
        "{}",
        overview.text
    );
    let message = format!("?message={}", ids[0]);
    for page in ["?integration=mailer", "?lane=mailer", &message] {
        assert_eq!(bench.get("ada", page).await.status, StatusCode::FORBIDDEN, "{page}");
    }
    let by_key = Bench::new(Named(|_, right, _| right == Right::Look));
    let lane = by_key.get("ada", "?lane=mailer").await;
    assert!(lane.status == StatusCode::OK && !lane.text.contains("Key begins with"));
    let searched = by_key.get("ada", "?lane=mailer&key=order").await;
    assert_eq!(searched.status, StatusCode::FORBIDDEN, "that is a search");
    let found = bench.get("ada", "?find=order+0").await;
    assert!(found.text.contains("Nothing is known"), "{}", found.text);
}

#[tokio::test(start_paused = true)]
async fn an_integrations_lanes_are_told_to_who_may_look_at_them() {
    let registry = Registry::new();
    let outbox = two_lanes(&registry);
    let access = Named(|who, _, scope| who == "bob" || !matches!(scope, Scope::Lane(_)));
    let console = Console::builder(&registry, access).outbox(outbox.clone()).build().unwrap();
    let worker = tokio::spawn(async move { outbox.run().await });
    let lanes_for = async |who: &str| {
        let request = Request::get("/?integration=mailer").header("x-user", who);
        let request = request.header("accept", "application/json").body(Body::empty()).unwrap();
        let response = console.clone().oneshot(request).await.unwrap();
        let page: Value = response.json().await.unwrap();
        page["health"]["lanes"].as_array().unwrap().len()
    };
    // The worker counts them.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((lanes_for("bob").await, lanes_for("ada").await), (1, 0));
    worker.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_found_of_lanes_that_one_may_not_look_at_is_read_to_a_bound() {
    let registry = Registry::new();
    let outbox = two_lanes(&registry);
    let access = Named(|_, _, scope| !matches!(scope, Scope::Lane("mailer")));
    let console = Console::builder(&registry, access).outbox(outbox.clone()).build().unwrap();
    let found = async |order: &str| {
        let request = Request::get(format!("/?find={order}")).header("x-user", "ada");
        let request = request.body(Body::empty()).unwrap();
        console.clone().oneshot(request).await.unwrap().into_body().text().await.unwrap()
    };
    let mail = |order: &str| {
        Message::post("http://mail.test/send").lane("mailer").body("1").order_key(order)
    };
    for (order, hidden) in [("near", 499), ("far", 500)] {
        for _ in 0..hidden {
            outbox.enqueue(mail(order)).await.unwrap();
        }
        outbox.enqueue(mail(order).lane("crm")).await.unwrap();
    }
    assert!(found("near").await.contains("crm"));
    assert!(!found("far").await.contains("crm"));
}

/// An outbox with the lanes `mailer` and `crm`.
fn two_lanes(registry: &Registry) -> Outbox {
    let mut outbox = Outbox::with_store(MemoryStore::new()).register(registry);
    for name in ["mailer", "crm"] {
        let lane = Integration::background(name).service(Script::new([Answer::status(200)]));
        outbox = outbox.lane(&lane.register(registry).build().unwrap());
    }
    outbox.build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_in_whom_the_host_does_not_know() {
    let bench = Bench::new(all());
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let request = Request::builder().method(&method).uri("/").body(Body::empty()).unwrap();
        assert_eq!(bench.send(request).await.status, StatusCode::UNAUTHORIZED, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_looks_and_nobody_acts_where_it_is_read_only() {
    let bench = Bench::new(ReadOnly);
    let ids = bench.dead(1).await;
    let message = format!("?message={}", ids[0]);
    for page in ["", "?integration=payments", "?lane=mailer&state=dead", &message, "?acts"] {
        let page = bench.get("anybody", page).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.text.contains("method=\"post\""), "{}", page.text);
    }
    assert_eq!(bench.get("anybody", "?find=order+0").await.status, StatusCode::FORBIDDEN);
}

#[test]
fn on_loopback_only_who_came_by_no_proxy_is_let_in() {
    let actor = |peer: Option<&str>, header: Option<&str>| -> Option<Actor> {
        let mut request = Request::get("/").header("host", "localhost:9000").body(()).unwrap();
        if let Some(peer) = peer {
            request.extensions_mut().insert(Peer(peer.parse::<SocketAddr>().unwrap()));
        }
        if let Some(name) = header {
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, http::HeaderValue::from_static("127.0.0.1"));
        }
        OpenOnLoopback.actor(&request.into_parts().0)
    };
    for peer in ["127.0.0.1:9000", "[::1]:9000", "[::ffff:127.0.0.1]:9000"] {
        assert!(actor(Some(peer), None).is_some(), "{peer}");
    }
    for peer in ["192.0.2.1:9000", "[2001:db8::1]:9000", "0.0.0.0:9000"] {
        assert!(actor(Some(peer), None).is_none(), "{peer}");
    }
    assert!(actor(None, None).is_none(), "a peer that nobody knows");
    for header in ["forwarded", "x-forwarded-for", "x-real-ip", "via"] {
        assert!(actor(Some("127.0.0.1:9000"), Some(header)).is_none(), "{header}");
    }
}

#[test]
fn on_loopback_a_name_that_is_not_this_machine_s_lets_nobody_in() {
    let lets_in = |uri: &str, hosts: &[&str]| {
        let mut request = Request::get(uri);
        for host in hosts {
            request = request.header("host", *host);
        }
        let mut request = request.body(()).unwrap();
        request.extensions_mut().insert(Peer("127.0.0.1:9000".parse::<SocketAddr>().unwrap()));
        OpenOnLoopback.actor(&request.into_parts().0).is_some()
    };
    for host in
        ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "[::1]"]
    {
        assert!(lets_in("/", &[host]), "{host}");
        assert!(lets_in(&format!("http://{host}/"), &[]), "{host}");
    }
    for host in
        ["evil.example:8080", "localhost.evil.example", "192.0.2.1", "[2001:db8::1]", "", "a b"]
    {
        assert!(!lets_in("/", &[host]), "{host}");
        assert!(!lets_in("/", &["localhost", host]), "{host}");
    }
    assert!(!lets_in("/", &[]), "a request without a name");
    assert!(!lets_in("http://evil.example/", &["localhost"]));
}
