//! Settings of all instances.

use outrigger::Integration;
use outrigger::control::{InstanceState, Registry};
use outrigger::event::Event;
use outrigger::fleet::{FleetErrorKind, FleetEvent};
use outrigger::testing::{Answer, Script};
use serde_json::{Value, json};

use crate::bench::{Instance, PATIENCE, Place, run, until};

/// A setting as it is, by its path.
fn present(instance: &Instance, path: &str) -> Value {
    let config = serde_json::to_value(instance.payments.config()).unwrap();
    config.pointer(path).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_table_is_applied_by_all_and_an_empty_one_undoes_it() {
    let Some(place) = Place::new().await else { return };
    let (one, other) = (place.instance("web-1").await, place.instance("web-2").await);
    let before = present(&other, "/deadline");
    let table: toml::Table =
        toml::from_str("deadline = \"5s\"\n[retry]\nmax_attempts = 1").unwrap();
    let revision = one.fleet.configure("payments", table, "ada", "they are slow").await.unwrap();
    one.fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
    for instance in [&one, &other] {
        assert_eq!(present(instance, "/deadline"), "5s");
        assert_eq!(present(instance, "/retry/max_attempts"), 1);
    }
    let revision = one.fleet.configure("payments", json!({}), "ada", "all is well").await.unwrap();
    one.fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
    assert_eq!(present(&other, "/deadline"), before);
}

#[tokio::test]
async fn all_mistakes_are_named_at_once_and_nothing_is_stored() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let wrong = json!({ "deadline": "soon", "retry": { "max_attemps": 2 } });
    let error = one.fleet.configure("payments", wrong, "ada", "why").await.unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(|error| error.field().to_owned()).collect();
    assert_eq!(error.kind(), FleetErrorKind::Settings);
    assert_eq!(fields, ["deadline", "retry.max_attemps"]);
    // Each is right, and they can't work together.
    let wrong = json!({ "deadline": "1s", "timeout": { "attempt": "2s" } });
    let error = one.fleet.configure("payments", wrong, "ada", "why").await.unwrap_err();
    assert_eq!(error.errors().len(), 1, "{error}");
    assert_eq!(one.fleet.instances().await.unwrap().revision, 0);
}

#[tokio::test]
async fn what_does_not_exist_is_not_stored() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let set = async |integration: &str, control: &str, position: &str| {
        let set = one.fleet.set(integration, control, position, "ada", "why");
        set.await.map_err(|error| error.kind())
    };
    assert_eq!(set("paymens", "kill_switch", "off").await, Err(FleetErrorKind::NoIntegration));
    assert_eq!(set("payments", "kill_swich", "off").await, Err(FleetErrorKind::Control));
    assert_eq!(set("payments", "kill_switch", "of").await, Err(FleetErrorKind::Control));
    let error = one.fleet.configure("paymens", json!({}), "ada", "why").await.unwrap_err();
    assert_eq!(error.kind(), FleetErrorKind::NoIntegration);
    assert_eq!(one.fleet.instances().await.unwrap().revision, 0);
}

#[tokio::test]
async fn an_older_version_names_what_it_does_not_know_and_applies_the_rest() {
    let Some(place) = Place::new().await else { return };
    let (one, other) = (place.instance("web-1").await, place.instance("web-2").await);
    // As a later version stores it.
    let later = r#"{ "deadline": "5s", "retry": { "max_attempts": 1, "quantum": "yes" } }"#;
    place
        .sql(&format!(
            "UPDATE outrigger.fleet_meta SET value = 7 WHERE name = 'revision';
            INSERT INTO outrigger.fleet_settings VALUES ('payments', '{later}', 'ada', 'why', 0, 7);
            INSERT INTO outrigger.fleet_control VALUES
                ('payments', 'kill_switch', 'half', 'ada', 'why', 0, NULL, NULL, 7),
                ('payments', 'circuit_breaker', 'open', 'ada', 'why', 0, NULL, NULL, 7)"
        ))
        .await;
    let disobeys = async || {
        let view = one.fleet.instances().await.unwrap();
        view.instances.iter().all(|it| it.state == InstanceState::Disobeys && it.revision == 7)
    };
    until("both say what they can't obey", disobeys).await;
    for instance in [&one, &other] {
        let troubles = instance.troubles();
        let of: Vec<_> = troubles.iter().map(|(of, _)| of.as_str()).collect();
        assert_eq!(of, ["settings.retry.quantum", "kill_switch"]);
        assert_eq!(present(instance, "/deadline"), "5s");
        assert_eq!(present(instance, "/retry/max_attempts"), 1);
        assert!(instance.payments.breaker().forced().is_some());
        // Told once, however often it looks.
        let is_it = |event: &Event| *event == Event::Fleet(FleetEvent::Disobeyed);
        assert_eq!(instance.recorder.count(is_it), 1);
    }
    let told = one.fleet.instances().await.unwrap().instances.remove(1).to_string();
    assert!(told.contains("payments, kill_switch: no position \"half\""), "{told}");
}

#[tokio::test]
async fn one_that_can_not_obey_holds_up_no_other_and_keeps_what_it_has() {
    let Some(place) = Place::new().await else { return };
    let (one, registry) = (place.instance("web-1").await, Registry::new());
    // In code, this instance's attempts take up to 6 s.
    let slow = Integration::user_flow("payments")
        .deadline(std::time::Duration::from_secs(20))
        .timeout(|timeout| timeout.attempt(std::time::Duration::from_secs(6)))
        .service(Script::by(|_| Answer::status(200)))
        .register(&registry)
        .build()
        .unwrap();
    let fleet = place.fleet(&registry, "web-2");
    run(&fleet);
    assert!(fleet.wait_heard(PATIENCE).await);
    let five = json!({ "deadline": "5s" });
    let revision = one.fleet.configure("payments", five, "ada", "why").await.unwrap();
    let view = one.fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
    let states: Vec<_> = view.instances.iter().map(|it| it.state).collect();
    assert_eq!(states, [InstanceState::Obeys, InstanceState::Disobeys]);
    let trouble = &view.instances[1].troubles[0];
    assert!(trouble.of == "settings" && trouble.why.contains("timeout.attempt"), "{trouble}");
    assert_eq!(serde_json::to_value(slow.config()).unwrap()["deadline"], "20s");
    // A preset is none of what can be changed.
    let background = json!({ "preset": "background", "deadline": "7s" });
    let error = one.fleet.configure("payments", &background, "ada", "why").await.unwrap_err();
    let built_as = "it was built as user_flow: build it as background, or take this out";
    assert_eq!((error.errors()[0].field(), error.errors()[0].problem()), ("preset", built_as));
    let person = place.fleet(&Registry::new(), "person");
    let revision = person.configure("payments", &background, "ada", "why").await.unwrap();
    let view = person.wait_obeyed(revision, PATIENCE).await.unwrap();
    let trouble = &view.instances[0].troubles[0];
    assert_eq!((&*trouble.of, &*trouble.why), ("settings", &*format!("preset: {built_as}")));
    assert_eq!(present(&one, "/deadline"), "5s");
    let five = json!({ "preset": "user_flow", "deadline": "5s" });
    let revision = one.fleet.configure("payments", five, "ada", "why").await.unwrap();
    one.fleet.wait_obeyed(revision, PATIENCE).await.unwrap();
    assert_eq!(one.troubles(), []);
    // What was changed on the spot is told, too.
    one.payments.apply(&outrigger::IntegrationConfig::default()).unwrap();
    let why = "changed on the spot since the fleet's were applied";
    assert_eq!(one.troubles(), [("settings".to_owned(), why.to_owned())]);
}
