//! The fields of draft-ietf-httpapi-ratelimit-headers, in its newer and older forms.

use std::time::Duration;

use sfv::{BareItem, Dictionary, List, ListEntry, Parameters, Parser};

use super::facts::{LimitFacts, PLAIN, named};

impl LimitFacts {
    /// `"burst";q=100;w=60, "daily";q=1000;w=86400`, or `100;w=60`.
    pub(super) fn read_policies(&mut self, text: &str) {
        let Ok(list) = Parser::new(text).parse::<List>() else { return };
        for (name, parameters) in items(&list) {
            let counts_others = matches!(parameters.get("qu"), Some(unit) if !is_requests(unit));
            let limit = integer(parameters.get("q")).or_else(|| integer(Some(name)));
            let window = integer(parameters.get("w")).map(Duration::from_secs);
            let is_unnamed = scope(name) == PLAIN && window.is_some();
            let scope =
                scope(name) + window.filter(|_| is_unnamed).map_or(0, |window| window.as_secs());
            let Some(fact) = self.of(scope).filter(|_| limit.is_some()) else { continue };
            fact.is_unnamed = is_unnamed;
            (fact.limit, fact.window) = (limit, window.or(fact.window));
            fact.counts_others = counts_others;
        }
    }

    /// `"default";r=30;t=12`, or `limit=100, remaining=30, reset=12`.
    pub(super) fn read_state(&mut self, text: &str) {
        if let Ok(list) = Parser::new(text).parse::<List>() {
            for (name, parameters) in items(&list) {
                let Some(remaining) = integer(parameters.get("r")) else { continue };
                if let Some(fact) = self.of(scope(name)) {
                    fact.remaining = Some(remaining);
                    fact.reset = integer(parameters.get("t")).map(Duration::from_secs);
                }
            }
            return;
        }
        let Ok(fields) = Parser::new(text).parse::<Dictionary>() else { return };
        let field = |name: &str| match fields.get(name) {
            Some(ListEntry::Item(item)) => integer(Some(&item.bare_item)),
            _ => None,
        };
        let (limit, remaining) = (field("limit"), field("remaining"));
        if let Some(fact) = self.of(PLAIN).filter(|_| remaining.is_some()) {
            (fact.limit, fact.remaining) = (limit.or(fact.limit), remaining);
            fact.reset = field("reset").map(Duration::from_secs);
        }
    }
}

fn items(list: &List) -> impl Iterator<Item = (&BareItem, &Parameters)> {
    list.iter().filter_map(|entry| match entry {
        ListEntry::Item(item) => Some((&item.bare_item, &item.params)),
        ListEntry::InnerList(_) => None,
    })
}

fn integer(item: Option<&BareItem>) -> Option<u64> {
    match item? {
        BareItem::Integer(number) => u64::try_from(i64::from(*number)).ok(),
        _ => None,
    }
}

fn is_requests(unit: &BareItem) -> bool {
    matches!(unit, BareItem::String(unit) if unit.as_str() == "requests")
}

/// A policy's name as a number; a number is the name of no policy.
fn scope(name: &BareItem) -> u64 {
    match name {
        BareItem::String(name) => named(name.as_str()),
        BareItem::Token(name) => named(name.as_str()),
        _ => PLAIN,
    }
}
