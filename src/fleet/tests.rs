//! The pure machine, by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::state::{CameTo, Done, State, ToDo};
use super::words::{Says, Word, Words};
use crate::outbox::Timestamp;

fn word(integration: &str, control: &str, position: u8, revision: u64) -> Arc<Word> {
    let says = Says::Control { name: control.to_owned(), position: position.to_string() };
    let (who, why) = ("ada".to_owned(), String::new());
    let (since, until, back) = (Timestamp(0), None, None);
    let integration = integration.to_owned();
    Arc::new(Word { integration, says, who, why, since, until, back, revision })
}

fn words(revision: u64, all: Vec<Arc<Word>>) -> Words {
    Words { revision, read: Timestamp(0), all }
}

fn words_of(to_do: &[ToDo]) -> Vec<Arc<Word>> {
    to_do.iter().map(|to_do| Arc::clone(&to_do.word)).collect()
}

fn obeyed(word: &Arc<Word>) -> Done {
    Done { word: Arc::clone(word), came_to: CameTo::Position(word.of().to_owned()) }
}

#[test]
fn a_word_that_comes_while_somebody_is_at_it_is_obeyed_by_whoever_is_at_it() {
    let mut state = State::<u8>::default();
    let (first, second) = (word("a", "x", 0, 1), word("a", "x", 1, 2));
    state.learn(words(1, vec![Arc::clone(&first)]));
    let same = |known: &u8| *known == 7;
    let to_do = state.begin(&7, "a", true, same).expect("something to do");
    assert_eq!(words_of(&to_do), [Arc::clone(&first)]);
    state.learn(words(2, vec![Arc::clone(&second)]));
    assert!(state.begin(&7, "a", true, same).is_none(), "one at a time");
    state.end(vec![obeyed(&first)], same);
    let to_do = state.begin(&7, "a", false, same).expect("more to do");
    assert_eq!(words_of(&to_do), [Arc::clone(&second)]);
    state.end(vec![obeyed(&second)], same);
    assert!(state.begin(&7, "a", false, same).is_none());
}

#[test]
fn what_is_missing_is_looked_for_again_and_told_once() {
    let mut state = State::<u8>::default();
    let word = word("a", "x", 0, 1);
    state.learn(words(1, vec![Arc::clone(&word)]));
    let missing = || vec![Done { word: Arc::clone(&word), came_to: CameTo::Missing }];
    for is_new in [true, false, false] {
        assert!(state.begin(&7, "a", true, |_| true).is_some());
        assert_eq!(state.end(missing(), |_| true), is_new);
        // Whoever looked just now doesn't look at once again.
        assert!(state.begin(&7, "a", false, |_| true).is_none());
    }
}

#[test]
fn who_was_here_before_the_first_word_is_as_old_as_it() {
    let mut state = State::<u8>::default();
    assert!(state.begin(&1, "a", true, |it| *it == 1).is_none(), "nothing is known");
    state.learn(words(5, vec![word("a", "x", 0, 5)]));
    let is_late = |state: &mut State<u8>, it: u8| {
        let to_do = state.begin(&it, "a", true, |known| *known == it);
        to_do.expect("something to do")[0].is_late
    };
    assert!(is_late(&mut state, 1));
    state.end(Vec::new(), |known| *known == 1);
    state.learn(words(8, vec![word("a", "x", 0, 8)]));
    assert!(is_late(&mut state, 2) && !is_late(&mut state, 1));
    // A database that was restored counts anew from there.
    state.learn(words(6, Vec::new()));
    state.end(Vec::new(), |known| *known == 2);
    state.learn(words(7, vec![word("a", "x", 0, 7)]));
    assert!(!is_late(&mut state, 2));
}

#[test]
fn what_is_asked_for_once_is_late_after_a_minute_by_the_databases_clock() {
    let mut state = State::<u8>::default();
    assert!(state.begin(&1, "a", true, |_| true).is_none());
    state.learn(words(0, Vec::new()));
    for (age, is_late) in [(59_000, false), (61_000, true)] {
        let read = Timestamp(age);
        let revision = age.unsigned_abs();
        state.learn(Words { revision, read, all: vec![word("a", "x", 0, revision)] });
        let to_do = state.begin(&1, "a", true, |_| true).expect("something to do");
        assert_eq!(to_do[0].is_late, is_late);
        state.end(vec![obeyed(&to_do[0].word)], |_| true);
    }
}

#[test]
fn settings_and_a_control_of_their_name_are_two_things() {
    let mut state = State::<u8>::default();
    let control = word("a", "settings", 0, 1);
    let says = Says::Settings(serde_json::json!({}));
    let settings = Arc::new(Word { says, ..(*word("a", "", 0, 2)).clone() });
    state.learn(words(2, vec![control, settings]));
    let to_do = state.begin(&1, "a", true, |_| true).expect("something to do");
    state.end(to_do.iter().map(|to_do| obeyed(&to_do.word)).collect(), |_| true);
    assert_eq!(to_do.len(), 2);
    assert!(state.begin(&1, "a", false, |_| true).is_none(), "or it would never end");
}

/// What happens to two integrations of a name each, and one without words.
#[derive(Clone, Copy, Debug)]
enum Step {
    Say { control: u8, position: u8 },
    Begin(u8),
    End(u8),
    Go(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_u8, 0..4_u8).prop_map(|(control, position)| Step::Say { control, position }),
        (0..3_u8).prop_map(Step::Begin),
        (0..3_u8).prop_map(Step::End),
        (0..3_u8).prop_map(Step::Go),
    ]
}

proptest! {
    /// However acts, looks and registrations meet: in the end each control is where it was put last.
    #[test]
    fn in_the_end_every_integration_has_the_last_words(steps in prop::collection::vec(step(), 0..60)) {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let mut state = State::<u8>::default();
        let (mut said, mut revision) = (BTreeMap::new(), 0);
        let mut present: BTreeMap<(u8, String), String> = BTreeMap::new();
        let mut under_way: BTreeMap<u8, Vec<Arc<Word>>> = BTreeMap::new();
        let set = |present: &mut BTreeMap<_, _>, it: u8, words: &[Arc<Word>]| -> Vec<Done> {
            for word in words {
                let Says::Control { name, position } = &word.says else { continue };
                present.insert((it, name.clone()), position.clone());
            }
            words.iter().map(obeyed).collect()
        };
        let settle = (0..3).map(Step::End).chain((0..3).flat_map(|it| [Step::Begin(it), Step::End(it)]));
        for step in steps.into_iter().chain(settle) {
            match step {
                Step::Say { control, position } => {
                    revision += 1;
                    // The third has no words.
                    for name in &NAMES[..2] {
                        let control = format!("x{control}");
                        let new = word(name, &control, position, revision);
                        said.insert((*name, control), new);
                    }
                    state.learn(words(revision, said.values().cloned().collect()));
                }
                Step::Begin(it) => {
                    let name = NAMES[usize::from(it)];
                    let to_do = state.begin(&it, name, true, |known| *known == it);
                    prop_assert!(to_do.is_none() || !under_way.contains_key(&it), "one at a time");
                    under_way.extend(to_do.map(|to_do| (it, words_of(&to_do))));
                }
                Step::End(it) => {
                    if let Some(words) = under_way.remove(&it) {
                        let done = set(&mut present, it, &words);
                        state.end(done, |known| *known == it);
                    }
                }
                Step::Go(it) => {
                    state.retain(|known| *known != it);
                    under_way.remove(&it);
                    present.retain(|(of, _), _| *of != it);
                }
            }
        }
        for ((name, control), word) in &said {
            let it = NAMES.iter().position(|known| known == name).unwrap() as u8;
            let Says::Control { position, .. } = &word.says else { continue };
            prop_assert_eq!(present.get(&(it, control.clone())), Some(position));
        }
    }
}
