//! The pure machine, by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::state::{CameTo, Done, State};
use super::words::{Says, Word, Words};
use crate::outbox::Timestamp;

fn word(integration: &str, control: &str, position: u8, revision: u64) -> Arc<Word> {
    let says = Says::Control { name: control.to_owned(), position: position.to_string() };
    let (who, why) = ("ada".to_owned(), String::new());
    let (since, until, back) = (Timestamp(0), None, None);
    let integration = integration.to_owned();
    Arc::new(Word { integration, says, who, why, since, until, back, revision })
}

fn obeyed(word: &Arc<Word>) -> Done {
    Done { word: Arc::clone(word), came_to: CameTo::Position(word.of().to_owned()) }
}

#[test]
fn a_word_that_comes_while_somebody_is_at_it_is_obeyed_by_whoever_is_at_it() {
    let mut state = State::<u8>::default();
    let (first, second) = (word("a", "x", 0, 1), word("a", "x", 1, 2));
    state.learn(Words { revision: 1, all: vec![Arc::clone(&first)] });
    let same = |known: &u8| *known == 7;
    let to_do = state.begin(&7, "a", true, same).expect("something to do");
    assert_eq!(to_do.words, [Arc::clone(&first)]);
    state.learn(Words { revision: 2, all: vec![Arc::clone(&second)] });
    assert!(state.begin(&7, "a", true, same).is_none(), "one at a time");
    state.end(vec![obeyed(&first)], same);
    let to_do = state.begin(&7, "a", false, same).expect("more to do");
    assert_eq!(to_do.words, [Arc::clone(&second)]);
    state.end(vec![obeyed(&second)], same);
    assert!(state.begin(&7, "a", false, same).is_none());
}

#[test]
fn what_is_missing_is_looked_for_again_and_told_once() {
    let mut state = State::<u8>::default();
    let word = word("a", "x", 0, 1);
    state.learn(Words { revision: 1, all: vec![Arc::clone(&word)] });
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
    state.learn(Words { revision: 5, all: vec![word("a", "x", 0, 5)] });
    let born = |state: &mut State<u8>, it: u8| {
        state.begin(&it, "a", true, |known| *known == it).expect("something to do").born
    };
    assert_eq!(born(&mut state, 1), 5);
    state.learn(Words { revision: 8, all: vec![word("a", "x", 0, 8)] });
    assert_eq!(born(&mut state, 2), 8);
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
                    state.learn(Words { revision, all: said.values().cloned().collect() });
                }
                Step::Begin(it) => {
                    let name = NAMES[usize::from(it)];
                    let to_do = state.begin(&it, name, true, |known| *known == it);
                    prop_assert!(to_do.is_none() || !under_way.contains_key(&it), "one at a time");
                    under_way.extend(to_do.map(|to_do| (it, to_do.words)));
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
