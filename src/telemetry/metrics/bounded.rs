use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use super::labels::Text;
use crate::telemetry::known::OTHER;

/// The integrations that have emitted events.
#[derive(Debug, Default)]
pub(super) struct KnownIntegrations(RwLock<HashMap<Arc<str>, Arc<LabelValues>>>);

/// The label values of one integration so far.
#[derive(Debug)]
pub(super) struct LabelValues {
    pub(super) name: Arc<str>,
    pub(super) hosts: Bounded<Arc<str>>,
    pub(super) ports: Bounded<u16>,
    pub(super) templates: Bounded<Arc<str>>,
}

/// The first values of a kind; all later ones are `_OTHER`.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    most: usize,
    first: RwLock<HashSet<T>>,
}

impl KnownIntegrations {
    pub(super) fn integration(&self, name: &str) -> Arc<LabelValues> {
        if let Some(values) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(values);
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let name: Arc<str> = name.into();
        let values =
            all.entry(Arc::clone(&name)).or_insert_with(|| Arc::new(LabelValues::of(name)));
        Arc::clone(values)
    }
}

impl LabelValues {
    fn of(name: Arc<str>) -> Self {
        let (hosts, ports) = (Bounded::to(MOST_HOSTS), Bounded::to(MOST_HOSTS));
        Self { name, hosts, ports, templates: Bounded::to(MOST_TEMPLATES) }
    }
}

impl<T: Clone + Eq + Hash + Into<Text>> Bounded<T> {
    fn to(most: usize) -> Self {
        Self { most, first: RwLock::default() }
    }

    /// The value as a label's; `_OTHER` if there are too many.
    pub(super) fn text<Q>(&self, value: &Q) -> Text
    where
        T: Borrow<Q> + From<Q::Owned>,
        Q: ToOwned + Eq + Hash + ?Sized,
    {
        if let Some(known) = self.first.read().unwrap_or_else(PoisonError::into_inner).get(value) {
            return known.clone().into();
        }
        let mut first = self.first.write().unwrap_or_else(PoisonError::into_inner);
        if first.len() >= self.most && !first.contains(value) {
            return OTHER.into();
        }
        let own = T::from(value.to_owned());
        first.insert(own.clone());
        own.into()
    }
}

/// An API has a few: a sandbox, regions, a host for files. One with a host for each customer has too
/// many for metrics.
const MOST_HOSTS: usize = 16;
/// More endpoints than a team calls of one API; fewer than the ids that a path could hold.
const MOST_TEMPLATES: usize = 128;
