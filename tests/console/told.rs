//! What subscribers are told of acts and refusals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use http::{Method, Request, StatusCode};
use outrigger::console::{ActOutcome, ActRefusal, Console, Right};
use outrigger::control::Registry;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};

use super::bench::{Bench, Named, all, form_of};

/// Hears what the console tells, and of which integration.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Told>>>);

type Told = (Event, Option<String>);

impl Subscriber for Heard {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        if matches!(event, Event::ConsoleActed { .. } | Event::ConsoleRefused { .. }) {
            let of = origin.integration().map(str::to_owned);
            self.0.lock().unwrap().push((*event, of));
        }
    }
}

impl Heard {
    fn acts(&self) -> Vec<(Right, ActOutcome, Option<String>)> {
        let heard = self.0.lock().unwrap().clone().into_iter();
        let acts = heard.filter_map(|(event, of)| match event {
            Event::ConsoleActed { right, outcome } => Some((right, outcome, of)),
            _ => None,
        });
        acts.collect()
    }

    fn refusals(&self) -> Vec<ActRefusal> {
        let heard = self.0.lock().unwrap().clone().into_iter();
        let refusals = heard.filter_map(|(event, of)| match event {
            Event::ConsoleRefused { why } => {
                assert_eq!(of, None);
                Some(why)
            }
            _ => None,
        });
        refusals.collect()
    }
}

/// A console over payments and the lane of another bench, of which this hears.
fn bench(access: Named) -> (Bench, Heard) {
    let (heard, bench) = (Heard::default(), Bench::new(all()));
    let registry = Registry::new().subscriber(heard.clone());
    let payments = Integration::user_flow("payments").service(Script::new([Answer::status(200)]));
    let payments = payments.register(&registry).build().unwrap();
    let console = Console::builder(&registry, access).outbox(bench.outbox.clone());
    let console = console.build().unwrap();
    (Bench { console, payments, ..bench }, heard)
}

#[tokio::test(start_paused = true)]
async fn subscribers_are_told_what_acts_came_to_and_of_which_integration_or_lane() {
    static MAY: AtomicBool = AtomicBool::new(true);
    let (bench, heard) =
        bench(Named(|_, right, _| right == Right::Look || MAY.load(Ordering::Relaxed)));
    let page = "?integration=payments";
    bench.act("ada", page, "set", &[("to", "no-retries")]).await.location();
    bench.act("ada", page, "set", &[("to", "sideways")]).await.location();
    bench.act("ada", "?lane=mailer", "pause", &[("until", "open")]).await.location();
    // What a form makes up is no integration's name.
    bench.act("ada", page, "set", &[("integration", "made up"), ("to", "off")]).await.location();
    let mut form = form_of(&bench.get("bob", page).await.text, "set").unwrap();
    form.insert("to".to_owned(), "off".to_owned());
    MAY.store(false, Ordering::Relaxed);
    assert_eq!(bench.post("bob", &form).await.status, StatusCode::FORBIDDEN);
    let of = |outcome, of: Option<&str>| (Right::Steer, outcome, of.map(str::to_owned));
    let acts = [
        of(ActOutcome::Done, Some("payments")),
        of(ActOutcome::Failed, Some("payments")),
        of(ActOutcome::Done, Some("mailer")),
        of(ActOutcome::Failed, None),
        of(ActOutcome::NotAllowed, Some("payments")),
    ];
    assert_eq!(heard.acts(), acts);
    assert_eq!(heard.refusals(), []);
}

#[tokio::test(start_paused = true)]
async fn subscribers_are_told_why_an_act_was_refused() {
    let (bench, heard) = bench(all());
    let form = form_of(&bench.get("ada", "?integration=payments").await.text, "set").unwrap();
    let post = |headers: &[(&str, &str)], body: &'static str| {
        let mut request = Request::builder().method(Method::POST).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body)).unwrap()
    };
    let sends = [
        (post(&[], ""), ActRefusal::UnknownActor),
        (post(&[("x-user", "ada"), ("sec-fetch-site", "cross-site")], ""), ActRefusal::ForeignForm),
        (
            post(&[("x-user", "ada"), ("content-type", "application/json")], "{}"),
            ActRefusal::NoBearer,
        ),
        (post(&[("x-user", "ada"), ("content-type", "text/plain")], ""), ActRefusal::BadForm),
    ];
    let mut expected = Vec::new();
    for (request, why) in sends {
        assert!(bench.send(request).await.status.is_client_error());
        expected.push(why);
    }
    let changed = |name: &str, value: &str| {
        let mut form = form.clone();
        form.insert(name.to_owned(), value.to_owned());
        form
    };
    for (form, why) in [
        (changed("token", "forged"), ActRefusal::BadToken),
        (changed("why", " "), ActRefusal::BadForm),
    ] {
        assert!(bench.post("ada", &form).await.status.is_client_error());
        expected.push(why);
    }
    let id = bench.dead(1).await[0];
    let gone = [("message", "01a22f52-18ac-7cf0-9613-7250a3f0e824")];
    let replay = bench.act("ada", &format!("?message={id}"), "replay", &gone).await;
    assert_eq!(replay.status, StatusCode::NOT_FOUND);
    expected.push(ActRefusal::NotFound);
    for _ in 0..20 {
        bench.post("ada", &changed("to", "off")).await;
    }
    expected.push(ActRefusal::TooMany);
    assert_eq!(heard.refusals(), expected);
    // To look is no act.
    let looked = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(bench.send(looked).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(heard.refusals(), expected);
}
