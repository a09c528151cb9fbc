//! Which messages are claimed where a tenant has a limit. Pure.

use std::collections::HashMap;

/// A message that may be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) seq: u64,
    pub(crate) tenant: Option<String>,
    /// When it came due, in milliseconds, less its priority's [head start](super::claim::head_start).
    pub(crate) due: i64,
}

/// Of which tenants how many messages are under way.
pub(crate) struct UnderWay {
    limit: usize,
    counts: HashMap<String, usize>,
}

impl UnderWay {
    pub(crate) fn new(limit: usize, counts: impl IntoIterator<Item = (String, usize)>) -> Self {
        Self { limit, counts: counts.into_iter().collect() }
    }

    /// How many more messages of a tenant may be claimed.
    #[cfg(any(feature = "sqlite", test))]
    pub(crate) fn places(&self, tenant: &str) -> usize {
        self.limit.saturating_sub(self.counts.get(tenant).copied().unwrap_or(0))
    }

    /// Those that are claimed: each tenant's oldest, as many as it has places. Tenants with fewer under way go first, so that
    /// several with long backlogs share the places with others.
    pub(crate) fn choose(&self, mut candidates: Vec<Candidate>, most: usize) -> Vec<u64> {
        candidates.sort_unstable_by_key(|one| (one.due, one.seq));
        candidates.dedup_by_key(|one| one.seq);
        let (mut counts, mut ranked) = (HashMap::new(), Vec::new());
        for one in &candidates {
            let tenant = one.tenant.as_deref();
            let before = || tenant.and_then(|tenant| self.counts.get(tenant)).copied().unwrap_or(0);
            let count = counts.entry(tenant).or_insert_with(before);
            if tenant.is_none() || *count < self.limit {
                ranked.push((*count, one.due, one.seq));
                *count += 1;
            }
        }
        ranked.sort_unstable();
        ranked.into_iter().take(most).map(|(_, _, seq)| seq).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(of: &[(&str, i64)]) -> Vec<Candidate> {
        let one = |(seq, (tenant, due)): (u64, &(&str, i64))| {
            let tenant = (!tenant.is_empty()).then(|| (*tenant).to_owned());
            Candidate { seq, tenant, due: *due }
        };
        (0..).zip(of).map(one).collect()
    }

    #[test]
    fn a_tenant_gets_no_more_than_its_limit_and_its_oldest_first() {
        let under_way = UnderWay::new(2, [("noisy".to_owned(), 1)]);
        let of =
            candidates(&[("noisy", 3), ("noisy", 1), ("quiet", 9), ("quiet", 8), ("quiet", 7)]);
        assert_eq!(under_way.choose(of, 9), [4, 1, 3]);
        assert_eq!((under_way.places("noisy"), under_way.places("quiet")), (1, 2));
    }

    #[test]
    fn tenants_share_places_and_messages_without_one_are_not_limited() {
        let under_way = UnderWay::new(3, []);
        let of = [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("b", 5), ("c", 6)];
        assert_eq!(under_way.choose(candidates(&of), 4), [0, 3, 5, 1]);
        assert_eq!(under_way.choose(candidates(&[("", 1), ("", 2), ("", 3), ("", 4)]), 9).len(), 4);
    }
}
