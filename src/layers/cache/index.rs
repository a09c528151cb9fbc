use std::collections::{HashMap, HashSet};

use super::key::CacheKey;
use super::stored::CacheEntry;

/// Which keys a URI has, one for each partition, and which a group of an origin has.
///
/// It names the keys of a store and no others, so the store's bounds are its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    by_uri: HashMap<String, HashSet<CacheKey>>,
    /// By the origin and the group, with a line end between, which neither has.
    by_group: HashMap<String, HashSet<CacheKey>>,
}

impl Index {
    /// An entry is stored under this key, which had none.
    pub(super) fn add(&mut self, key: &CacheKey, entry: &CacheEntry) {
        self.by_uri.entry(key.uri().to_owned()).or_default().insert(key.clone());
        for group in entry.groups() {
            let label = label_of(key.origin(), group);
            self.by_group.entry(label).or_default().insert(key.clone());
        }
    }

    /// This entry is stored under this key no more.
    pub(super) fn remove(&mut self, key: &CacheKey, entry: &CacheEntry) {
        take(&mut self.by_uri, key.uri(), key);
        for group in entry.groups() {
            take(&mut self.by_group, &label_of(key.origin(), group), key);
        }
    }

    pub(super) fn of_uri(&self, uri: &str) -> Vec<CacheKey> {
        keys(&self.by_uri, uri)
    }

    pub(super) fn of_group(&self, origin: &str, group: &str) -> Vec<CacheKey> {
        keys(&self.by_group, &label_of(origin, group))
    }

    /// The index of these entries.
    #[cfg(test)]
    pub(super) fn of(entries: impl Iterator<Item = (CacheKey, CacheEntry)>) -> Self {
        let mut index = Self::default();
        entries.for_each(|(key, entry)| index.add(&key, &entry));
        index
    }
}

fn take(among: &mut HashMap<String, HashSet<CacheKey>>, label: &str, key: &CacheKey) {
    if let Some(keys) = among.get_mut(label) {
        keys.remove(key);
        if keys.is_empty() {
            among.remove(label);
        }
    }
}

fn keys(among: &HashMap<String, HashSet<CacheKey>>, label: &str) -> Vec<CacheKey> {
    among.get(label).into_iter().flatten().cloned().collect()
}

fn label_of(origin: &str, group: &str) -> String {
    format!("{origin}\n{group}")
}
