use super::labels::Text;
use super::names;
use crate::event::End;
use crate::terms::Class;

/// A result in few words: the class alone, or a group of classes with the class as its reason.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) class: &'static str,
    pub(super) reason: Option<&'static str>,
}

impl Outcome {
    pub(super) fn of(end: End) -> Self {
        match end {
            End::Answered { class, .. } | End::Failed { class, .. } => class.into(),
            End::Abandoned { .. } | End::Overtaken => Self { class: end.name(), reason: None },
        }
    }

    /// The labels of class and reason.
    pub(super) fn labels(self) -> impl Iterator<Item = (&'static str, Text)> {
        let reason = self.reason.map(|reason| (names::REASON, reason.into()));
        [(names::CLASS, self.class.into())].into_iter().chain(reason)
    }
}

impl From<Class> for Outcome {
    fn from(class: Class) -> Self {
        let group = match class {
            Class::Timeout(_) => "timeout",
            Class::Transport(_) => "transport",
            Class::Rejected(_) => "rejected",
            class => return Self { class: class.name(), reason: None },
        };
        Self { class: group, reason: Some(class.name()) }
    }
}
