//! What this instance knows of its fleet's words, and which of them it has taken over: the pure machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::words::{Word, Words};
use crate::control::FleetTrouble;

/// `T` stands for an integration.
pub(super) struct State<T> {
    /// Nothing until the fleet was heard.
    words: Option<Words>,
    targets: Vec<Target<T>>,
}

/// One integration.
struct Target<T> {
    it: T,
    /// The number of the last change before it was here. What was asked for once by then is no business of it.
    born: u64,
    /// Somebody is at it.
    is_busy: bool,
    /// By what it is of.
    done: BTreeMap<String, Done>,
}

/// A word that was taken over.
#[derive(Clone, PartialEq)]
pub(super) struct Done {
    pub(super) word: Arc<Word>,
    pub(super) came_to: CameTo,
}

/// What came of a word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CameTo {
    /// A control has this position, as long as nobody sets it otherwise.
    Position(String),
    /// It was done, once.
    DoneOnce,
    /// The settings are these, as long as nobody changes them; and what could not be read of them.
    Settings { are: serde_json::Value, left_out: Vec<(String, String)> },
    /// There is no such control, or not yet: a local copy begins after its integration. It is looked for again.
    Missing,
    /// It could not be obeyed.
    Refused(String),
}

/// Words to be obeyed.
pub(super) struct ToDo {
    pub(super) words: Vec<Arc<Word>>,
    pub(super) born: u64,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { words: None, targets: Vec::new() }
    }
}

impl<T: Clone> State<T> {
    /// The number of the last change that is known; `None` if the fleet was never heard.
    pub(super) fn revision(&self) -> Option<u64> {
        self.words.as_ref().map(|words| words.revision)
    }

    /// What the fleet says of an integration.
    pub(super) fn words_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<Word>> {
        let all = self.words.iter().flat_map(|words| &words.all);
        all.filter(move |word| word.integration == name)
    }

    pub(super) fn learn(&mut self, words: Words) {
        // Those that were here before anything was heard.
        if self.words.is_none() {
            self.targets.iter_mut().for_each(|target| target.born = words.revision);
        }
        // Of what the fleet says nothing more, nothing is left but where it stands.
        let is_said = |done: &Done| {
            let is_it = |word: &Arc<Word>| {
                (&word.integration, word.of()) == (&done.word.integration, done.word.of())
            };
            words.all.iter().any(is_it)
        };
        self.targets.iter_mut().for_each(|target| target.done.retain(|_, done| is_said(done)));
        self.words = Some(words);
    }

    /// What an integration has to do; `None` if it is nothing, or if somebody is at it, who then asks again. What was
    /// missing is looked for again if this is the first time that it is asked.
    pub(super) fn begin(
        &mut self,
        it: &T,
        name: &str,
        is_first: bool,
        same: impl Fn(&T) -> bool,
    ) -> Option<ToDo> {
        let at = self.place(it, same);
        let (target, words) = (&mut self.targets[at], self.words.as_ref()?);
        let is_open = |done: &Done, word: &Arc<Word>| {
            done.word != *word || (is_first && done.came_to == CameTo::Missing)
        };
        let is_new = |word: &&Arc<Word>| {
            word.integration == name
                && target.done.get(word.of()).is_none_or(|done| is_open(done, word))
        };
        let words: Vec<_> = words.all.iter().filter(is_new).cloned().collect();
        if target.is_busy || words.is_empty() {
            return None;
        }
        target.is_busy = true;
        Some(ToDo { words, born: target.born })
    }

    /// Whether something can't be obeyed that wasn't known before.
    pub(super) fn end(&mut self, done: Vec<Done>, same: impl Fn(&T) -> bool) -> bool {
        let Some(target) = self.targets.iter_mut().find(|target| same(&target.it)) else {
            return false;
        };
        target.is_busy = false;
        let mut is_trouble = false;
        for done in done {
            is_trouble |=
                !done.troubles().is_empty() && target.done.get(done.word.of()) != Some(&done);
            target.done.insert(done.word.of().to_owned(), done);
        }
        is_trouble
    }

    /// Forgets integrations that are gone.
    pub(super) fn retain(&mut self, is_there: impl Fn(&T) -> bool) {
        self.targets.retain(|target| is_there(&target.it));
    }

    /// All integrations, and what came of the words to them.
    pub(super) fn done(&self) -> Vec<(T, Vec<Done>)> {
        let of = |target: &Target<T>| (target.it.clone(), target.done.values().cloned().collect());
        self.targets.iter().map(of).collect()
    }

    fn place(&mut self, it: &T, same: impl Fn(&T) -> bool) -> usize {
        if let Some(at) = self.targets.iter().position(|target| same(&target.it)) {
            return at;
        }
        let born = self.revision().unwrap_or_default();
        self.targets.push(Target { it: it.clone(), born, is_busy: false, done: BTreeMap::new() });
        self.targets.len() - 1
    }
}

impl Done {
    /// What can't be obeyed of it, whatever has happened since.
    pub(super) fn troubles(&self) -> Vec<FleetTrouble> {
        match &self.came_to {
            CameTo::Refused(why) => vec![self.trouble(self.word.of(), why)],
            CameTo::Missing => vec![self.trouble(self.word.of(), NO_CONTROL)],
            CameTo::Settings { left_out, .. } => {
                let of = |path: &str| format!("{}.{path}", self.word.of());
                left_out.iter().map(|(path, why)| self.trouble(of(path), why)).collect()
            }
            CameTo::Position(_) | CameTo::DoneOnce => Vec::new(),
        }
    }

    pub(super) fn trouble(&self, of: impl Into<String>, why: impl Into<String>) -> FleetTrouble {
        let integration = self.word.integration.clone();
        FleetTrouble { integration, of: of.into(), why: why.into() }
    }
}

const NO_CONTROL: &str = "this instance has no such control";
