//! What this instance knows of its fleet's words, and which of them it has taken over: the pure machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
    /// By the control's name; nothing stands for the settings.
    done: BTreeMap<Option<String>, Done>,
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
    /// It could not be obeyed, or not yet: what it is refused for may have changed, so it is tried again.
    Refused(String),
}

/// A word to be obeyed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ToDo {
    pub(super) word: Arc<Word>,
    /// What asks for something that is done once isn't done any more.
    pub(super) is_late: bool,
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
        // Those that were here before anything was heard; and a database that was restored counts anew from there.
        let is_first = self.words.is_none();
        for target in &mut self.targets {
            target.born = if is_first { words.revision } else { target.born.min(words.revision) };
        }
        // Of what the fleet says nothing more, nothing is left but where it stands.
        let is_said = |done: &Done| {
            let is_it = |word: &Arc<Word>| {
                (&word.integration, word.control()) == (&done.word.integration, done.word.control())
            };
            words.all.iter().any(is_it)
        };
        self.targets.iter_mut().for_each(|target| target.done.retain(|_, done| is_said(done)));
        self.words = Some(words);
    }

    /// What an integration has to do; `None` if it is nothing, or if somebody is at it, who then asks again. What was
    /// missing or refused is tried again if this is the first time that it is asked.
    pub(super) fn begin(
        &mut self,
        it: &T,
        name: &str,
        is_first: bool,
        same: impl Fn(&T) -> bool,
    ) -> Option<Vec<ToDo>> {
        let at = self.place(it, same);
        let (target, words) = (&mut self.targets[at], self.words.as_ref()?);
        let to_do = |word: &Arc<Word>| {
            let done = target.done.get(&word.control().map(str::to_owned));
            let again = done.filter(|done| done.word == *word);
            let is_old = word.revision <= target.born || words.read.since(word.since) > LATE;
            let to_do = ToDo { word: Arc::clone(word), is_late: is_old || again.is_some() };
            again.is_none_or(|done| is_first && done.is_open()).then_some(to_do)
        };
        let own = words.all.iter().filter(|word| word.integration == name);
        let to_do: Vec<_> = own.filter_map(to_do).collect();
        if target.is_busy || to_do.is_empty() {
            return None;
        }
        target.is_busy = true;
        Some(to_do)
    }

    /// Whether something can't be obeyed that wasn't known before.
    pub(super) fn end(&mut self, done: Vec<Done>, same: impl Fn(&T) -> bool) -> bool {
        let Some(target) = self.targets.iter_mut().find(|target| same(&target.it)) else {
            return false;
        };
        target.is_busy = false;
        let mut is_trouble = false;
        for done in done {
            let of = done.word.control().map(str::to_owned);
            is_trouble |= !done.troubles().is_empty() && target.done.get(&of) != Some(&done);
            target.done.insert(of, done);
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
    /// Whether it may come to something else when it is tried again.
    fn is_open(&self) -> bool {
        matches!(self.came_to, CameTo::Missing | CameTo::Refused(_))
    }

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

/// What is asked for once is meant for what is so now. An instance that hears of it later doesn't do it: an `accept`
/// would let a load pass that nobody has seen.
const LATE: Duration = Duration::from_secs(60);
const NO_CONTROL: &str = "this instance has no such control";
