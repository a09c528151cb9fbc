//! The console in a real browser: seen on small and large screens, with a keyboard alone, without its script.
//!
//! Where there is no Chromium these tests say so and check nothing; `OUTRIGGER_REQUIRE_BROWSER=1` makes that a
//! failure. `OUTRIGGER_SCREENSHOTS=folder` keeps a picture of each page.

mod chromium;

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use http::HeaderValue;
use outrigger::event::SwitchMode;
use outrigger::outbox::{DeadReason, LaneStats, Message};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use super::bench::{Bench, all};
use super::foreign::{Foreign, wide};
use chromium::{Browser, Key};

/// A console on a port, in which ada looks.
struct Served {
    bench: Bench,
    address: String,
    server: JoinHandle<()>,
}

impl Served {
    async fn new() -> Self {
        Self::of(Bench::new(all())).await
    }

    async fn of(bench: Bench) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}/ops/", listener.local_addr().unwrap());
        let named = bench.console.clone().map_request(|mut request: Request| {
            request.headers_mut().insert("x-user", HeaderValue::from_static("ada"));
            request
        });
        let routes = Router::new().nest_service("/ops", named);
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { bench, address, server }
    }

    fn page(&self, query: &str) -> String {
        format!("{}{query}", self.address)
    }

    async fn stats(&self) -> LaneStats {
        self.bench.outbox.store().stats("mailer".into()).await.unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Goes from one control to the next until one is reached of which an expression is true.
async fn tab_to(browser: &mut Browser, is_it: &str) {
    for _ in 0..100 {
        browser.press(Key::Tab).await;
        let is_it = format!("(it => {is_it})(document.activeElement)");
        if browser.value(&is_it).await == true {
            let outline = "getComputedStyle(document.activeElement).outlineStyle !== 'none'";
            assert_eq!(browser.value(outline).await, true, "one sees where the keyboard is");
            return;
        }
    }
    panic!("no key leads to {is_it}");
}

#[tokio::test]
async fn each_page_can_be_read_on_every_screen_by_light_and_in_the_dark() {
    let Some(mut browser) = Browser::start().await else { return };
    let served = Served::new().await;
    let message = served.bench.dead(30).await[0];
    let long = Message::post("http://mail.test/send").lane("mailer").dedup_key("x".repeat(200));
    let long = long.deadline(Duration::from_millis(1));
    served.bench.outbox.enqueue(long).await.unwrap();
    served.bench.dead(1).await;
    served.bench.payments.kill_switch().set(SwitchMode::Off, "ada", "they charge twice");
    let message = format!("?message={message}");
    let pages = [
        "",
        "?integration=payments",
        "?lane=mailer&state=dead",
        &message,
        "?acts",
        "?find=order%2012",
    ];
    let mut wrong = Vec::new();
    for (number, page) in pages.into_iter().enumerate() {
        for (width, scheme) in
            [(320, "light"), (320, "dark"), (768, "light"), (1440, "light"), (1440, "dark")]
        {
            browser.look(width, scheme).await;
            browser.open(&served.page(page)).await;
            // What is folded is read, too.
            browser
                .value("document.querySelectorAll('details').forEach(it => it.open = true)")
                .await;
            let found = browser.value(include_str!("checks.js")).await;
            let found = found.as_array().unwrap().iter();
            wrong.extend(found.map(|found| format!("{page} at {width} px, {scheme}: {found}")));
            browser.picture(&format!("{number}-{width}-{scheme}")).await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(browser.log().await, Vec::<String>::new());
    browser.end().await;
}

#[tokio::test]
async fn pages_in_a_language_from_right_to_left_can_be_read_on_every_screen() {
    let Some(mut browser) = Browser::start().await else { return };
    let bench = Bench::with(all(), |console| console.words(Foreign::new(true)));
    let served = Served::of(bench).await;
    let message = format!("?message={}", served.bench.dead(3).await[0]);
    let mut wrong = Vec::new();
    for page in ["", "?integration=payments", "?lane=mailer&state=dead", &message, "?acts"] {
        for width in [320, 1440] {
            browser.look(width, "light").await;
            browser.open(&served.page(page)).await;
            browser
                .value("document.querySelectorAll('details').forEach(it => it.open = true)")
                .await;
            let found = browser.value(include_str!("checks.js")).await;
            let found = found.as_array().unwrap().iter();
            wrong.extend(found.map(|found| format!("{page} at {width} px: {found}")));
            let heading = "document.querySelector('h1')";
            let direction = format!("getComputedStyle({heading}).direction");
            assert_eq!(browser.value(&direction).await, "rtl");
            let right = format!("{heading}.getBoundingClientRect().right");
            let right = browser.value(&right).await.as_f64().unwrap();
            let edge = f64::from(width);
            assert!(right > edge / 2.0 && right <= edge, "{page} at {width} px: {right}");
            browser.picture(&format!("rtl-{width}-{}", page.len())).await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.open(&served.page("?integration=payments")).await;
    let zone = browser.text("fieldset + fieldset").await;
    assert!(zone.contains(&wide("your time")) && !zone.contains("UTC"), "{zone}");
    assert_eq!(browser.log().await, Vec::<String>::new());
    browser.end().await;
}

#[tokio::test]
async fn a_page_that_gets_no_news_says_so_in_the_hosts_language() {
    let Some(mut browser) = Browser::start().await else { return };
    let bench = Bench::with(all(), |console| console.words(Foreign::new(false)));
    let served = Served::of(bench).await;
    // So many look that there is no place for this page.
    let look = || {
        let request = Request::get("/?live=1").header("x-user", "ada");
        served.bench.console.clone().oneshot(request.body(outrigger::Body::empty()).unwrap())
    };
    let mut others = Vec::new();
    for _ in 0..50 {
        others.push(look().await.unwrap());
    }
    browser.open(&served.page("")).await;
    let told = wide("Not live since {time}.");
    let (before, _) = told.split_once("{time}").unwrap();
    browser
        .until(&format!(
            "(document.getElementById('live')?.textContent ?? '').startsWith('{before}')"
        ))
        .await;
    let said = browser.text("#live").await;
    assert!(!said.contains('{') && said.contains(':'), "{said}");
    browser.end().await;
}

#[tokio::test]
async fn a_person_with_a_keyboard_stops_payments_and_sends_a_thousand_messages_again() {
    let Some(mut browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.page("")).await;
    tab_to(&mut browser, "it.textContent === 'payments'").await;
    browser.press(Key::Enter).await;
    browser.loaded().await;
    tab_to(&mut browser, "it.textContent === 'Change the kill switch'").await;
    browser.press(Key::Enter).await;
    tab_to(&mut browser, "it.name === 'to'").await;
    for _ in 0..10 {
        if browser.value("document.activeElement.value").await == "off" {
            break;
        }
        browser.press(Key::Down).await;
    }
    tab_to(&mut browser, "it.name === 'until'").await;
    browser.press(Key::Down).await;
    tab_to(&mut browser, "it.name === 'why'").await;
    browser.write("they charge twice").await;
    browser.press(Key::Enter).await;
    browser.loaded().await;
    assert_eq!(served.bench.payments.kill_switch().mode(), SwitchMode::Off);
    let said = browser.text("[role=status]").await;
    assert!(said.contains("the kill switch is at off"), "{said}");

    served.bench.dead(1_000).await;
    browser.open(&served.page("?lane=mailer&state=dead")).await;
    tab_to(&mut browser, "it.textContent === 'Send all 1000 again'").await;
    browser.press(Key::Enter).await;
    // Their key is forgotten by now, as far as anybody knows.
    tab_to(&mut browser, "it.name === 'force'").await;
    browser.press(Key::Space).await;
    tab_to(&mut browser, "it.name === 'why'").await;
    browser.write("the provider is back").await;
    tab_to(&mut browser, "it.textContent === 'Send 1000 again'").await;
    browser.press(Key::Enter).await;
    browser.loaded().await;
    let sent = async {
        while served.stats().await.ready != 1_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), sent).await.expect("all wait to be sent");
    assert_eq!(served.stats().await.dead.get(&DeadReason::Expired).copied().unwrap_or(0), 0);
    assert_eq!(browser.log().await, Vec::<String>::new());
    browser.end().await;
}

#[tokio::test]
async fn a_person_stops_payments_until_six_where_they_are() {
    let Some(mut browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.stand_in("America/Los_Angeles").await;
    browser.open(&served.page("?integration=payments")).await;
    assert!(browser.text("fieldset + fieldset").await.contains("this time (your time)"));
    browser.click("details summary").await;
    browser.click("details[open] input[name=to][value=off]").await;
    browser.value("document.querySelector('details[open] input[name=time]').value = '18:00'").await;
    browser.click("details[open] input[name=why]").await;
    browser.write("they charge twice").await;
    browser.press(Key::Enter).await;
    browser.loaded().await;
    let card = browser.text("article").await;
    assert!(card.contains("Wanted until") && card.contains("6:00:00"), "{card}");
    assert_eq!(served.bench.payments.kill_switch().mode(), SwitchMode::Off);
    browser.end().await;
}

#[tokio::test]
async fn a_card_tells_of_a_fall_while_somebody_looks() {
    let Some(mut browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.open(&served.page("")).await;
    let card = browser.text("#cards article").await;
    assert!(!card.contains("down"), "{card}");
    // It is gone if the page is loaded again.
    browser.value("document.body.dataset.kept = 'yes'").await;
    served.bench.status.store(0, Ordering::Relaxed);
    let client = served.bench.payments.clone();
    let calls = tokio::spawn(async move {
        loop {
            let request = http::Request::get("http://pay.test/").body(outrigger::Body::empty());
            let _refused = client.send(request.unwrap()).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    browser
        .until("document.querySelector('#cards article').textContent.includes('has been down')")
        .await;
    assert_eq!(browser.value("document.body.dataset.kept").await, "yes");
    calls.abort();
    assert_eq!(browser.log().await, Vec::<String>::new());
    browser.end().await;
}

#[tokio::test]
async fn without_its_script_a_page_does_everything() {
    let Some(mut browser) = Browser::start().await else { return };
    let served = Served::new().await;
    browser.without_script().await;
    browser.open(&served.page("?integration=payments")).await;
    browser.click("details summary").await;
    browser.click("details[open] input[name=to][value=off]").await;
    browser.click("details[open] input[name=why]").await;
    browser.write("a look without script").await;
    browser.click("details[open] button").await;
    browser.loaded().await;
    assert_eq!(served.bench.payments.kill_switch().mode(), SwitchMode::Off);

    served.bench.dead(1).await;
    browser.open(&served.page("?find=order%200")).await;
    assert!(browser.text("main").await.contains("mailer"), "the order is found");
    browser.open(&served.page("?lane=mailer")).await;
    browser.click("details summary").await;
    browser.click("details[open] input[name=why]").await;
    browser.write("they look odd").await;
    browser.click("details[open] button").await;
    browser.loaded().await;
    assert!(served.stats().await.paused.is_some());
    assert_eq!(browser.log().await, Vec::<String>::new());
    browser.end().await;
}
