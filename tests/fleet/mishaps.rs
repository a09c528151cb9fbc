//! Rows that somebody has spoiled, databases that were restored or take nothing, and names that aren't what they seem.

use outrigger::control::Registry;
use outrigger::event::SwitchMode;
use outrigger::fleet::FleetErrorKind;
use outrigger::local_copy::{Load, Loaded, LocalCopy};
use serde_json::json;

use crate::bench::{PATIENCE, Place, until};

#[tokio::test]
async fn no_control_is_called_settings_and_a_row_that_says_so_is_a_trouble_and_no_more() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let load = |_: Load| async { Ok(Loaded::new(vec![1])) };
    let copy = LocalCopy::<Vec<u8>>::builder("settings", &one.payments, Vec::len, load);
    assert!(copy.start().is_err());
    let person = place.fleet(&Registry::new(), "person");
    let error = person.set("payments", "settings", "x", "eve", "why").await.unwrap_err();
    assert_eq!(error.kind(), FleetErrorKind::Control);

    one.fleet.configure("payments", json!({ "deadline": "5s" }), "ada", "why").await.unwrap();
    place
        .sql(
            "UPDATE outrigger.fleet_meta SET value = 2 WHERE name = 'revision';
            INSERT INTO outrigger.fleet_control
            VALUES ('payments', 'settings', 'x', 'eve', 'why', 0, NULL, NULL, 2)",
        )
        .await;
    one.fleet.wait_obeyed(2, PATIENCE).await.unwrap();
    let missing = "this instance has no such control".to_owned();
    assert_eq!(one.troubles(), [("settings".to_owned(), missing)]);
    assert_eq!(serde_json::to_value(one.payments.config()).unwrap()["deadline"], "5s");
    // Both go by it.
    one.fleet.forget("payments", "settings").await.unwrap();
    assert_eq!(one.fleet.words().await.unwrap(), []);
}

#[tokio::test]
async fn settings_that_are_no_json_hold_up_nothing_else() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    place
        .sql("INSERT INTO outrigger.fleet_settings VALUES ('payments', '{', 'eve', 'why', 0, 1)")
        .await;
    one.fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap();
    one.comes_to(SwitchMode::Off).await;
    let why = "the settings can't be read: they are no JSON".to_owned();
    assert_eq!(one.troubles(), [("settings".to_owned(), why)]);
}

#[tokio::test]
async fn a_database_that_takes_nothing_is_obeyed_and_health_says_what_is_wrong() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    place
        .sql(
            "CREATE FUNCTION outrigger.refuse() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN RAISE EXCEPTION ''full''; END';
            CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON outrigger.fleet_instance
                FOR EACH ROW EXECUTE FUNCTION outrigger.refuse()",
        )
        .await;
    one.fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap();
    one.comes_to(SwitchMode::Off).await;
    let of_fleet = || one.registry.health_of("payments").unwrap().fleet.unwrap();
    until("it says so", async || of_fleet().error.is_some()).await;
    assert!(of_fleet().has_heard && of_fleet().unheard_since.is_none());
    place.sql("DROP TRIGGER refuse ON outrigger.fleet_instance").await;
    until("all is well", async || of_fleet().error.is_none()).await;
}

#[tokio::test]
async fn other_words_of_the_same_number_are_obeyed() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    one.fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap();
    one.comes_to(SwitchMode::Off).await;
    // Restored, and then somebody said something else.
    place
        .sql("UPDATE outrigger.fleet_control SET position = 'no-retries', since = since + 1")
        .await;
    one.comes_to(SwitchMode::NoRetries).await;
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_stored() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let lock = place.client().await;
    let schema = &place.schema;
    let held =
        format!("BEGIN; SELECT 1 FROM {schema}.fleet_meta WHERE name = 'revision' FOR UPDATE");
    lock.batch_execute(&held).await.unwrap();
    let error = one.fleet.set("payments", "kill_switch", "off", "ada", "why").await.unwrap_err();
    assert_eq!(error.kind(), FleetErrorKind::Unavailable);
    assert!(error.to_string().contains("a lock in the database was held"), "{error}");
    lock.batch_execute("COMMIT").await.unwrap();
    one.fleet.set("payments", "kill_switch", "no-retries", "bob", &"y".repeat(501)).await.unwrap();
    let said = one.fleet.words().await.unwrap().remove(0);
    assert_eq!((&*said.says, said.revision, said.why.len()), ("no-retries", 1, 500));
}
