//! A switch that follows a source of one's own.

use std::sync::{Arc, Mutex};

use outrigger::event::{Event, SourceProblem, SwitchMode};
use outrigger::kill_switch::{Polled, SourceError, SwitchSetting, SwitchSource};
use tokio::sync::mpsc;

use super::{Switched, changes};
use crate::clock::{secs, settle, wait};

type Word = Result<SwitchSetting, SourceError>;

/// What is sent to it by hand.
struct Told(mpsc::UnboundedReceiver<Word>);

impl SwitchSource for Told {
    async fn next(&mut self) -> Option<Word> {
        self.0.recv().await
    }
}

fn told() -> (mpsc::UnboundedSender<Word>, Told) {
    let (send, receive) = mpsc::unbounded_channel();
    (send, Told(receive))
}

fn word(mode: SwitchMode) -> Word {
    Ok(SwitchSetting::new(mode).who("flags"))
}

fn trouble(detail: &str) -> Word {
    Err(SourceError::new(SourceProblem::Unreadable, detail))
}

#[tokio::test(start_paused = true)]
async fn it_goes_where_the_source_says() {
    let crm = Switched::new();
    let (tell, source) = told();
    let _following = crm.switch.follow(source);
    for mode in [SwitchMode::Off, SwitchMode::NoRetries, SwitchMode::On] {
        tell.send(word(mode)).unwrap();
        settle().await;
        assert_eq!(crm.switch.mode(), mode);
    }
    assert_eq!(crm.switch.position().who(), Some("flags"));
    assert_eq!(changes(&crm.events).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_spoke_last_is_obeyed() {
    let crm = Switched::new();
    let (tell, source) = told();
    let _following = crm.switch.follow(source);
    tell.send(word(SwitchMode::Off)).unwrap();
    settle().await;
    crm.set(SwitchMode::On);
    settle().await;
    assert_eq!(crm.switch.mode(), SwitchMode::On);
    tell.send(word(SwitchMode::CacheOnly)).unwrap();
    settle().await;
    assert_eq!(crm.switch.mode(), SwitchMode::CacheOnly);
}

#[tokio::test(start_paused = true)]
async fn trouble_moves_nothing_is_told_once_and_clears_with_the_next_word() {
    let crm = Switched::new();
    let (tell, source) = told();
    let _following = crm.switch.follow(source);
    tell.send(word(SwitchMode::Off)).unwrap();
    for _ in 0..3 {
        tell.send(trouble("flag service: 503")).unwrap();
    }
    settle().await;
    assert_eq!(crm.switch.mode(), SwitchMode::Off);
    let trouble_now = crm.switch.trouble().unwrap();
    assert_eq!(trouble_now.problem(), SourceProblem::Unreadable);
    assert_eq!(trouble_now.to_string(), "flag service: 503");
    let problem = SourceProblem::Unreadable;
    let failed = Event::KillSwitchSourceFailed { problem, matters: true };
    assert_eq!(crm.events.count(|event| *event == failed), 1);
    tell.send(trouble("flag service: 500")).unwrap();
    settle().await;
    assert_eq!(crm.events.count(|event| *event == failed), 2, "it is another trouble");
    tell.send(word(SwitchMode::Off)).unwrap();
    settle().await;
    assert_eq!(crm.switch.trouble(), None);
    tell.send(trouble("flag service: 500")).unwrap();
    settle().await;
    assert_eq!(crm.events.count(|event| *event == failed), 3, "and this is new again");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_ends_leaves_the_switch_where_it_is() {
    let crm = Switched::new();
    let (tell, source) = told();
    let _following = crm.switch.follow(source);
    tell.send(word(SwitchMode::Off)).unwrap();
    drop(tell);
    settle().await;
    assert_eq!(crm.switch.mode(), SwitchMode::Off);
    crm.set(SwitchMode::On);
    assert_eq!(crm.call().await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn it_stops_following_when_that_is_dropped() {
    let crm = Switched::new();
    let (tell, source) = told();
    let following = crm.switch.follow(source);
    tell.send(word(SwitchMode::Off)).unwrap();
    settle().await;
    drop(following);
    settle().await;
    assert!(tell.send(word(SwitchMode::On)).is_err(), "the source is gone");
    assert_eq!(crm.switch.mode(), SwitchMode::Off);
}

#[tokio::test(start_paused = true)]
async fn it_follows_on_when_that_was_detached() {
    let crm = Switched::new();
    let (tell, source) = told();
    crm.switch.follow(source).detach();
    settle().await;
    tell.send(word(SwitchMode::Off)).unwrap();
    settle().await;
    assert_eq!(crm.switch.mode(), SwitchMode::Off);
}

#[tokio::test(start_paused = true)]
async fn one_sources_good_word_does_not_hide_anothers_trouble() {
    let crm = Switched::new();
    let ((tell_one, one), (tell_other, other)) = (told(), told());
    let (first, _second) = (crm.switch.follow(one), crm.switch.follow(other));
    tell_one.send(trouble("flags are away")).unwrap();
    tell_other.send(word(SwitchMode::On)).unwrap();
    settle().await;
    assert_eq!(crm.switch.trouble().map(|it| it.to_string()), Some("flags are away".into()));
    drop(first);
    settle().await;
    assert_eq!(crm.switch.trouble(), None, "who is followed no more troubles nobody");
}

/// What a page answers, and who asks it every five seconds.
fn page(answer: Word) -> (Arc<Mutex<Word>>, impl SwitchSource) {
    let answer = Arc::new(Mutex::new(answer));
    let asked = Arc::clone(&answer);
    let ask = move || {
        let answer = asked.lock().unwrap().clone();
        async move { answer }
    };
    (answer, Polled::new(secs(5), ask))
}

#[tokio::test(start_paused = true)]
async fn what_is_polled_speaks_only_when_it_changes() {
    let crm = Switched::new();
    let (answer, page) = page(word(SwitchMode::Off));
    let _following = crm.switch.follow(page);
    settle().await;
    assert_eq!(crm.switch.mode(), SwitchMode::Off);
    crm.switch.set(SwitchMode::On, "ada", "all is well");
    wait(secs(60)).await;
    assert_eq!(crm.switch.mode(), SwitchMode::On, "the same answer is no word");
    *answer.lock().unwrap() = word(SwitchMode::CacheOnly);
    wait(secs(5)).await;
    settle().await;
    assert_eq!(crm.switch.mode(), SwitchMode::CacheOnly);
}

#[tokio::test(start_paused = true)]
async fn a_hiccup_of_what_is_polled_overrules_nobody() {
    let crm = Switched::new();
    let (answer, page) = page(word(SwitchMode::On));
    let _following = crm.switch.follow(page);
    settle().await;
    crm.set(SwitchMode::Off);
    *answer.lock().unwrap() = trouble("flag service: 503");
    wait(secs(6)).await;
    assert!(crm.switch.trouble().is_some());
    *answer.lock().unwrap() = word(SwitchMode::On);
    wait(secs(6)).await;
    assert_eq!((crm.switch.mode(), crm.switch.trouble()), (SwitchMode::Off, None));
    *answer.lock().unwrap() = word(SwitchMode::CacheOnly);
    wait(secs(6)).await;
    *answer.lock().unwrap() = word(SwitchMode::On);
    wait(secs(6)).await;
    assert_eq!(crm.switch.mode(), SwitchMode::On, "what changes is a word");
}

/// Panics when it is asked for the second time.
struct Breaking(u32);

impl SwitchSource for Breaking {
    async fn next(&mut self) -> Option<Word> {
        self.0 += 1;
        assert!(self.0 < 2, "a mistake in it");
        Some(word(SwitchMode::Off))
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_is_in_trouble_for_as_long_as_it_is_followed() {
    let crm = Switched::new();
    let following = crm.switch.follow(Breaking(0));
    wait(secs(60)).await;
    assert_eq!(crm.switch.mode(), SwitchMode::Off);
    assert_eq!(crm.switch.trouble().unwrap().to_string(), "the source panicked");
    let failed =
        Event::KillSwitchSourceFailed { problem: SourceProblem::Unreadable, matters: true };
    assert_eq!(crm.events.count(|event| *event == failed), 1);
    drop(following);
    settle().await;
    assert_eq!(crm.switch.trouble(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_polled_and_never_answers_is_in_trouble_and_asked_again() {
    let crm = Switched::new();
    let asked = Arc::new(Mutex::new(0));
    let ask = {
        let asked = Arc::clone(&asked);
        move || {
            *asked.lock().unwrap() += 1;
            std::future::pending()
        }
    };
    let _following = crm.switch.follow(Polled::new(secs(5), ask));
    wait(secs(61)).await;
    assert_eq!(crm.switch.trouble().unwrap().to_string(), "no answer within 10s");
    let failed =
        Event::KillSwitchSourceFailed { problem: SourceProblem::Unreadable, matters: true };
    assert_eq!(crm.events.count(|event| *event == failed), 1, "told once");
    assert_eq!(*asked.lock().unwrap(), 5, "at 0 s, 15 s, 30 s, 45 s and 60 s");
}
