//! What a request's query asks for. The console has one path, so that its links work under any prefix.

use crate::outbox::MessageId;
use crate::terms::outbox::{DeadReason, State};

/// A page, or something that a page loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Overview,
    Integration(String),
    Find(String),
    Lane(LaneView),
    Message(MessageId),
    Instances,
    /// The settings of an integration on all instances.
    Settings(String),
    Acts,
    ActsCsv,
    Task(u64),
    Live,
    Style,
    Script,
    Nothing,
}

/// A part of a lane's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LaneView {
    pub(super) lane: String,
    pub(super) state: Option<State>,
    pub(super) reason: Option<DeadReason>,
    /// After the message with this number.
    pub(super) after: Option<u64>,
}

/// The pairs of a query or a form.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// The value of a name, if it is there.
pub(super) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A query with these pairs, to be used as a link.
pub(super) fn link(pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new("?".to_owned());
    query.extend_pairs(pairs);
    // The serializer takes the question mark for a pair.
    query.finish().replacen("?&", "?", 1)
}

impl Route {
    /// The first name says what it is.
    pub(super) fn of(query: Option<&str>) -> Self {
        let pairs = pairs(query.unwrap_or_default());
        let Some((name, first)) = pairs.first() else { return Self::Overview };
        match name.as_str() {
            "integration" => Self::Integration(first.clone()),
            "find" => Self::Find(first.trim().to_owned()),
            "lane" => Self::Lane(LaneView::of(&pairs)),
            "message" => first.parse().map_or(Self::Nothing, Self::Message),
            "instances" => Self::Instances,
            "settings" => Self::Settings(first.clone()),
            "acts" if first == "csv" => Self::ActsCsv,
            "acts" => Self::Acts,
            "task" => first.parse().map_or(Self::Nothing, Self::Task),
            "live" => Self::Live,
            "style" => Self::Style,
            "script" => Self::Script,
            _ => Self::Nothing,
        }
    }
}

impl LaneView {
    /// What a query or a form says. Unknown words are as if they weren't there.
    pub(super) fn of(pairs: &[(String, String)]) -> Self {
        let named = |name| value(pairs, name);
        let state = STATES.into_iter().find(|state| named("state") == Some(state.name()));
        let reason = REASONS.into_iter().find(|reason| named("reason") == Some(reason.name()));
        Self {
            lane: named("lane").unwrap_or_default().to_owned(),
            state: state.or(reason.map(|_| State::Dead)),
            reason,
            after: named("after").and_then(|after| after.parse().ok()),
        }
    }

    /// Its address.
    pub(super) fn link(&self) -> String {
        let after = self.after.map(|after| after.to_string());
        let mut pairs = vec![("lane", self.lane.as_str())];
        pairs.extend(self.state.map(|state| ("state", state.name())));
        pairs.extend(self.reason.map(|reason| ("reason", reason.name())));
        pairs.extend(after.as_deref().map(|after| ("after", after)));
        link(&pairs)
    }
}

pub(super) const STATES: [State; 6] = [
    State::Ready,
    State::Leased,
    State::Dead,
    State::Delivered,
    State::Cancelled,
    State::Discarded,
];
pub(super) const REASONS: [DeadReason; 7] = [
    DeadReason::Rejected,
    DeadReason::Exhausted,
    DeadReason::Expired,
    DeadReason::Poison,
    DeadReason::UnknownOutcome,
    DeadReason::HookFailed,
    DeadReason::Sealed,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_name_says_which_page() {
        assert_eq!(Route::of(None), Route::Overview);
        assert_eq!(Route::of(Some("")), Route::Overview);
        assert_eq!(Route::of(Some("integration=a%20b&x=1")), Route::Integration("a b".to_owned()));
        assert_eq!(Route::of(Some("find=+1042+")), Route::Find("1042".to_owned()));
        assert_eq!(Route::of(Some("instances")), Route::Instances);
        assert_eq!(Route::of(Some("acts")), Route::Acts);
        assert_eq!(Route::of(Some("acts=csv")), Route::ActsCsv);
        assert_eq!(Route::of(Some("message=no-id")), Route::Nothing);
        assert_eq!(Route::of(Some("admin")), Route::Nothing);
    }

    proptest! {
        #[test]
        fn a_link_leads_to_what_it_was_made_for(lane in "\\PC*", after in proptest::option::of(any::<u64>())) {
            for state in STATES {
                let view = LaneView { lane: lane.clone(), state: Some(state), reason: None, after };
                let link = view.link();
                prop_assert_eq!(Route::of(link.strip_prefix('?')), Route::Lane(view));
            }
        }

        #[test]
        fn any_query_is_a_page(query in "\\PC*") {
            let _route = Route::of(Some(&query));
        }
    }
}
