//! Handles that were taken from a layer before an integration was built with it.

use outrigger::event::{Event, SwitchMode};
use outrigger::integration::Service;
use outrigger::kill_switch::{KillSwitchHandle, KillSwitchLayer};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Integration, IntegrationBuilder};

use crate::call::{get, read};

fn crm() -> IntegrationBuilder<Service<Script>> {
    Integration::user_flow("crm").service(Script::new([Answer::status(200)]))
}

async fn is_refused(integration: &Integration) -> bool {
    read(integration.send(get())).await.is_err_and(|error| error.is_rejected())
}

#[tokio::test(start_paused = true)]
async fn a_handle_of_a_switch_that_was_given_moves_the_integrations() {
    let layer = KillSwitchLayer::new();
    let switch = layer.handle();
    let crm = crm().kill_switch(|_| layer.clone()).build().unwrap();
    switch.set(SwitchMode::Off, "ada", "wrong invoices");
    assert!(is_refused(&crm).await);
    assert_eq!((crm.kill_switch().position().who(), switch.rejected()), (Some("ada"), 1));
    crm.kill_switch().set(SwitchMode::On, "bob", "mended");
    assert_eq!(switch.position().who(), Some("bob"));
    layer.handle().set(SwitchMode::Off, "ada", "not quite");
    assert!(is_refused(&crm).await, "a handle that is taken later is one of the same switch");
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_was_taken_while_it_was_built_moves_the_integrations() {
    let mut taken = None::<KillSwitchHandle>;
    let builder = crm().kill_switch(|switch| {
        taken = Some(switch.handle());
        switch
    });
    let crm = builder.build().unwrap();
    taken.unwrap().set(SwitchMode::Off, "ada", "wrong invoices");
    assert!(is_refused(&crm).await);
}

#[tokio::test(start_paused = true)]
async fn one_switch_of_several_integrations_moves_them_all_and_all_their_listeners_are_told() {
    let layer = KillSwitchLayer::new();
    let switch = layer.handle();
    let listeners = [EventRecorder::new(), EventRecorder::new()];
    let built = listeners
        .clone()
        .map(|listener| crm().kill_switch(|_| layer.clone()).subscriber(listener).build().unwrap());
    switch.set(SwitchMode::Off, "ada", "wrong invoices");
    for (integration, listener) in built.iter().zip(&listeners) {
        assert_eq!(integration.kill_switch().mode(), SwitchMode::Off);
        let changed = Event::KillSwitchChanged { from: SwitchMode::On, to: SwitchMode::Off };
        assert_eq!(listener.events(), [changed]);
    }
    built[0].kill_switch().set(SwitchMode::On, "ada", "mended");
    assert_eq!(listeners.map(|listener| listener.events().len()), [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn two_of_one_builder_have_a_switch_each_unless_a_handle_of_it_was_taken() {
    let builder = crm().kill_switch(|_| KillSwitchLayer::new());
    let (first, second) = (builder.clone().build().unwrap(), builder.clone().build().unwrap());
    first.kill_switch().set(SwitchMode::Off, "ada", "");
    assert_eq!(second.kill_switch().mode(), SwitchMode::On);
    assert_eq!(builder.build().unwrap().kill_switch().mode(), SwitchMode::On);
}
