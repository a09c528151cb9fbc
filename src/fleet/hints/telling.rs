//! Tells others which breakers are open here, and hears which are open there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;

use super::quorum::{BreakerName, hints};
use crate::circuit_breaker::BreakerHandle;
use crate::event::Event;
use crate::fleet::inner::Inner;
use crate::outbox::OutboxError;
use crate::rt;
use crate::terms::fleet::FleetEvent;

/// What this instance told last, and what it was told.
#[derive(Default)]
struct HintState {
    told: BTreeSet<BreakerName>,
    hinted: BTreeSet<BreakerName>,
}

/// Until the fleet is to stop.
pub(in crate::fleet) async fn run(inner: &Inner) {
    let (mut stop, mut known) = (inner.stop.subscribe(), HintState::default());
    while !*stop.borrow_and_update() {
        // What can't be told or heard is over in some seconds, by itself.
        rt::first(stop.changed(), known.look(inner)).await;
        if inner.stop.borrow().to_owned() {
            break;
        }
        let next = rt::after(rt::now(), inner.rng.about(LOOK));
        let _ = rt::until(Some(next), stop.changed()).await;
    }
}

impl HintState {
    async fn look(&mut self, inner: &Inner) -> Result<(), OutboxError> {
        let breakers = breakers(inner);
        let open = breakers.iter().filter(|(_, breaker)| breaker.has_found_outage());
        let open = at_most(MOST, open.map(|(name, _)| name.clone()));
        if !open.is_empty() || !self.told.is_empty() {
            inner.database.tell_outages(&inner.name, open.iter(), LASTS).await?;
            self.told = open;
        }
        let asked = rt::now();
        let hinted = hints(inner.database.outages().await?);
        for name in &hinted {
            let Some(breaker) = breakers.get(name) else { continue };
            breaker.hint(rt::after(asked, LASTS));
            if !self.hinted.contains(name) && !breaker.has_found_outage() {
                let emitter = inner.emitter.renamed(&name.integration);
                emitter.emit(None, || Event::Fleet(FleetEvent::Hinted));
            }
        }
        self.hinted = hinted;
        Ok(())
    }
}

/// So many of each integration.
fn at_most(most: u32, names: impl Iterator<Item = BreakerName>) -> BTreeSet<BreakerName> {
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let is_told = |name: &BreakerName| {
        let number = numbers.entry(name.integration.clone()).or_default();
        *number += 1;
        *number <= most
    };
    names.filter(is_told).collect()
}

/// The breakers of all integrations here.
fn breakers(inner: &Inner) -> BTreeMap<BreakerName, BreakerHandle> {
    let mut all = BTreeMap::new();
    for integration in inner.integrations() {
        let name = |key| BreakerName { integration: integration.name().to_owned(), key };
        match integration.keyed_breakers() {
            None => drop(all.insert(name(String::new()), integration.breaker())),
            Some(keyed) => all.extend(
                keyed
                    .keys()
                    .into_iter()
                    .filter_map(|key| Some((name(hash(&key)), keyed.get(&key)?))),
            ),
        }
    }
    all
}

/// Keys may be tenants' names, or worse: others need not read them.
fn hash(key: &str) -> String {
    Uuid::new_v5(&KEYS, key.as_bytes()).to_string()
}

/// How often it is told and heard, give or take a fifth.
const LOOK: Duration = Duration::from_secs(2);
/// How long it counts without being told again: two that are lost in a row change nothing.
const LASTS: Duration = Duration::from_secs(6);
/// How many breakers of an integration an instance tells of: when so many keys have an outage, a hundred of them are enough.
const MOST: u32 = 100;
/// The namespace of the hashes.
const KEYS: Uuid = Uuid::from_u128(0x8c1f_0a52_6de4_4b0b_9a77_35c4_d1e0_92f6);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_keys_of_one_integration_leave_room_for_the_others() {
        let name = |integration: &str, key: u32| BreakerName {
            integration: integration.to_owned(),
            key: key.to_string(),
        };
        let keys = (0..300).map(|key| name("audit", key)).chain([name("payments", 1)]);
        let told = at_most(100, keys);
        assert_eq!(told.len(), 101);
        assert!(told.contains(&name("payments", 1)));
    }
}
