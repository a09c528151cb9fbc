//! A function of the host's that panics is named where errors are read.

use http::Response;
use outrigger::Integration;
use outrigger::fallback::{FallbackLayer, FallbackRecord, FallbackRecorder};
use outrigger::testing::{Answer, Script};
use tracing::Level;

use crate::call::{get, read};
use crate::capture::Capture;

struct Panicking;

impl FallbackRecorder for Panicking {
    fn record(&self, _: FallbackRecord) {
        panic!("for a reason that may hold anything: hunter2")
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_panics_is_told_once_by_its_name_alone() {
    let (told, _guard) = Capture::here();
    let fallback = FallbackLayer::value(Response::new("{}")).record_to(Panicking);
    let crm = Integration::user_flow("crm").fallback(fallback).without_retry();
    let crm = crm.service(Script::new([Answer::status(500)])).build().unwrap();
    assert_eq!(read(crm.send(get())).await.unwrap().status(), 200);
    assert_eq!(told.said(Level::ERROR), ["a callback panicked"]);
    let told = told.told();
    let said = told.events.iter().find(|said| said.level == Level::ERROR).unwrap();
    assert_eq!(
        (said.target.as_str(), said.fields.of("callback")),
        ("outrigger", "fallback recorder")
    );
    assert!(!format!("{told:?}").contains("hunter2"));
}
