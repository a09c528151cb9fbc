//! What a request's query asks for. The console has one path, so that its links work under any prefix.

use super::words::{Phrase, phrase};
use crate::outbox::{Filter, MessageId, Timestamp};
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
    /// The last answer's status.
    pub(super) status: Option<u16>,
    /// How a business key or an order key begins.
    pub(super) key: Option<String>,
    /// A part of the last error.
    pub(super) error: Option<String>,
    /// Enqueued not longer ago than this.
    pub(super) within: Option<Within>,
    /// After the message with this number.
    pub(super) after: Option<u64>,
}

/// How long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    Hour,
    Day,
    Week,
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
        let text = |name| named(name).map(str::trim).filter(|text| !text.is_empty());
        Self {
            lane: named("lane").unwrap_or_default().to_owned(),
            state: state.or(reason.map(|_| State::Dead)),
            reason,
            status: text("status").and_then(|status| status.parse().ok()),
            key: text("key").map(str::to_owned),
            error: text("error").map(str::to_owned),
            within: WITHIN.into_iter().find(|within| named("within") == Some(within.name())),
            after: named("after").and_then(|after| after.parse().ok()),
        }
    }

    /// The same for an act, where a word that says nothing must not mean all.
    pub(super) fn checked(pairs: &[(String, String)]) -> Result<Self, Phrase> {
        let view = Self::of(pairs);
        let fields = view.fields();
        for name in ["state", "reason", "status", "key", "error", "within"] {
            let said = value(pairs, name).filter(|said| !said.is_empty());
            if let Some(said) = said.filter(|_| fields.iter().all(|(known, _)| *known != name)) {
                return Err(phrase!(
                    "the field {field} can't be {value}",
                    field = format!("{name:?}"),
                    value = format!("{said:?}")
                ));
            }
        }
        Ok(view)
    }

    /// Its address.
    pub(super) fn link(&self) -> String {
        let (mut fields, after) = (self.fields(), self.after.map(|after| after.to_string()));
        fields.extend(after.map(|after| ("after", after)));
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        link(&pairs)
    }

    /// What of the lane is meant, as the fields of a form.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let fields = [
            ("lane", Some(self.lane.clone())),
            ("state", self.state.map(|state| state.name().to_owned())),
            ("reason", self.reason.map(|reason| reason.name().to_owned())),
            ("status", self.status.map(|status| status.to_string())),
            ("key", self.key.clone()),
            ("error", self.error.clone()),
            ("within", self.within.map(|within| within.name().to_owned())),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Its messages, at this time of the store's.
    pub(super) fn filter(&self, at: Timestamp) -> Filter {
        let since = |within: Within| Timestamp(at.0.saturating_sub(within.millis()));
        Filter {
            lane: Some(self.lane.clone()),
            state: self.state,
            reason: self.reason,
            status: self.status,
            key_prefix: self.key.clone(),
            error: self.error.clone(),
            created_from: self.within.map(since),
            ..Filter::all()
        }
    }
}

impl Within {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    const fn millis(self) -> i64 {
        let hours = match self {
            Self::Hour => 1,
            Self::Day => 24,
            Self::Week => 168,
        };
        hours * 3_600_000
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
pub(super) const WITHIN: [Within; 3] = [Within::Hour, Within::Day, Within::Week];
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
        fn a_link_leads_to_what_it_was_made_for(
            lane in "\\PC*",
            text in proptest::option::of("[^\\s\\pC](\\PC*[^\\s\\pC])?"),
            status in proptest::option::of(any::<u16>()),
            after in proptest::option::of(any::<u64>()),
        ) {
            for (state, within) in STATES.into_iter().zip([None, Some(Within::Day)].into_iter().cycle()) {
                let (key, error) = (text.clone(), text.clone());
                let lane = lane.clone();
                let view =
                    LaneView { lane, state: Some(state), reason: None, status, key, error, within, after };
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
