//! The promises of an integration as a whole.

use std::collections::HashMap;
use std::time::Duration;

use outrigger::Integration;
use outrigger::event::{BreakerState, Event};

use super::{Broken, Promise};
use crate::provider::Provider;
use crate::provider::log::{Did, Seen};
use crate::terms::Terms;

/// What was told of all calls together.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    calls: u32,
    /// Attempts that began and haven't ended.
    under_way: u32,
    /// Attempts beyond each call's first.
    repeats: u32,
    /// Retries that were saved up at first.
    saved: u32,
    /// The most that any settings allowed so far.
    ratio: f64,
    floor: u32,
    period: Duration,
    is_rationed: bool,
    places: Option<u32>,
    /// Calls may have a second request beside the first.
    hedges: bool,
    /// The provider was never anything but well, as far as an attempt can tell.
    is_well: bool,
    keys: HashMap<String, usize>,
}

impl Whole {
    pub(crate) fn new(integration: &Integration) -> Self {
        let mut whole = Self {
            calls: 0,
            under_way: 0,
            repeats: 0,
            saved: integration.retry_budget().saved().unwrap_or_default(),
            ratio: 0.0,
            floor: 0,
            period: Duration::MAX,
            is_rationed: true,
            places: Some(0),
            hedges: false,
            is_well: true,
            keys: HashMap::new(),
        };
        whole.allow(&Terms::of(integration));
        whole
    }

    /// Other settings hold from now on.
    pub(crate) fn allow(&mut self, terms: &Terms) {
        match terms.budget {
            None => self.is_rationed = false,
            Some(budget) => {
                self.ratio = self.ratio.max(budget.ratio);
                self.floor = self.floor.max(budget.floor);
                self.period = self.period.min(budget.period);
            }
        }
        self.hedges |= terms.hedges;
        self.places = self.places.zip(terms.places).map(|(before, now)| before.max(now));
    }

    /// An attempt began; `begun` is its number in its call.
    pub(crate) fn began(&mut self, begun: u32, elapsed: Duration) -> Result<(), Broken> {
        self.repeats += u32::from(begun > 1);
        if !self.is_rationed || begun == 1 {
            return Ok(());
        }
        let periods = (elapsed.as_nanos() / self.period.as_nanos()) as u32 + 1;
        let floor = u64::from(self.floor) * u64::from(periods);
        let earned = self.ratio * f64::from(self.calls);
        let allowed = u64::from(self.saved) + floor + (earned + EPSILON) as u64;
        Promise::Budget.holds(u64::from(self.repeats) <= allowed, || {
            format!(
                "{} retries went out, and the budget of {} calls in {elapsed:?} is {allowed}",
                self.repeats, self.calls
            )
        })
    }

    pub(crate) fn hear(&mut self, event: &Event, forced: bool) -> Result<(), Broken> {
        match event {
            Event::CallStarted => self.calls += 1,
            Event::AttemptStarted => self.under_way += 1,
            Event::AttemptFinished { .. } => self.under_way = self.under_way.saturating_sub(1),
            Event::BreakerRejected => Promise::WellIsNotRefused
                .holds(forced || !self.is_well, || {
                    "the breaker refused a call, and the provider had never failed".into()
                })?,
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn see(&mut self, did: Did, seen: &Seen, call: usize) -> Result<(), Broken> {
        match did {
            Did::Arrived => {
                let Some(key) = &seen.key else { return Ok(()) };
                let owner = *self.keys.entry(key.clone()).or_insert(call);
                Promise::OneKey.holds(owner == call, || {
                    format!("the key {key} is that of call {owner} and of call {call}")
                })
            }
            Did::Executed | Did::Replayed | Did::BodyTaken => Ok(()),
            Did::Answered(status) if status < 400 => Ok(()),
            _ => {
                self.is_well = false;
                Ok(())
            }
        }
    }

    /// What must be so when nothing could go on without time: who was given a place has set out.
    pub(crate) fn check_at_rest(&self, integration: &Integration) -> Result<(), Broken> {
        let bulkhead = integration.bulkhead();
        let (taken, waiting) = (bulkhead.in_use(), bulkhead.waiting());
        let Some(places) = bulkhead.limit() else { return Ok(()) };
        Promise::NoneWaitsForNothing.holds(taken <= self.under_way, || {
            format!("{taken} places are taken, and {} attempts are under way", self.under_way)
        })?;
        Promise::NoneWaitsForNothing.holds(waiting == 0 || taken >= places, || {
            format!("{waiting} calls wait for a place, and of {places} only {taken} are taken")
        })
    }

    /// What must be so at every step.
    pub(crate) fn check(
        &self,
        integration: &Integration,
        provider: &Provider,
        live: usize,
    ) -> Result<(), Broken> {
        let under_way = provider.under_way();
        let bulkhead = integration.bulkhead();
        if let Some(places) = self.places {
            Promise::Places.holds(under_way <= places as usize, || {
                format!("{under_way} requests are under way in {places} places")
            })?;
            let (in_use, waiting) = (bulkhead.in_use() as usize, bulkhead.waiting() as usize);
            Promise::Places.holds(under_way <= in_use, || {
                format!("{under_way} requests are under way, and {in_use} places are taken")
            })?;
            let limits = integration.rate_limit();
            let waiting = waiting.max(limits.waiting() as usize);
            let most = if self.hedges { 2 * live } else { live };
            Promise::AllGivenBack.holds(in_use <= most && waiting <= most, || {
                format!("{in_use} places are taken and {waiting} wait, of {live} calls")
            })?;
        }
        if live > 0 {
            return Ok(());
        }
        let limits = integration.rate_limit();
        let held = [bulkhead.in_use(), bulkhead.waiting(), limits.waiting(), limits.in_flight()];
        Promise::AllGivenBack.holds(held == [0; 4] && under_way == 0, || {
            let [places, waiting, turns, in_flight] = held;
            format!(
                "with no call left, {places} places are taken, {waiting} wait for one, {turns} for a turn, {in_flight} are in flight, and the provider has {under_way}"
            )
        })
    }

    /// Whether the integration is as it should be when the provider is well.
    pub(crate) fn is_closed(integration: &Integration) -> bool {
        integration.breaker().state() == BreakerState::Closed
    }
}

/// Ratios are exact, floats are not.
const EPSILON: f64 = 1e-6;
