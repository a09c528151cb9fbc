use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::adaptive::{AdaptiveLimit, Sample};
use super::config::PermitsConfig;
use super::limit::Priority;
use super::queue::{Acquire, Queue, QueueSlot, Waiter};
use crate::pattern::ownership::Ownership;

/// A semaphore with priorities, a bounded queue and a limit that may move.
///
/// The number of permits in use and of waiting calls are packed into one word, so a permit is acquired
/// and released with one exchange as long as no call waits. While calls wait, the word changes under
/// the queue's lock only: a released permit is handed to the next call.
#[derive(Debug)]
pub(super) struct Permits {
    /// Permits in use in the low half, waiting calls in the high half.
    packed: AtomicU64,
    /// How many permits there are, or [`UNBOUNDED`]. Like the two below, it is written under the
    /// queue's lock, so that a call that queues has seen the present one.
    limit: AtomicU32,
    /// How many permits may be in use for a call of low priority to acquire one.
    low_limit: AtomicU32,
    queue_limit: AtomicU32,
    queue: Mutex<Queue>,
    adaptive: AtomicBool,
    /// Locked before the queue, where both are.
    control: Mutex<Control>,
    pub(super) ownership: Ownership,
}

/// The settings, and the adaptive limit if there is one.
#[derive(Debug)]
struct Control {
    config: PermitsConfig,
    machine: Option<AdaptiveLimit>,
}

/// Released when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Option<Arc<Permits>>);

/// The answer to a call that asks for a permit.
#[derive(Debug)]
pub(super) enum AcquireOutcome {
    /// There is no bound, so calls aren't counted.
    Uncounted,
    Admitted(Permit),
    Queued(Acquire),
    Full,
}

// === impl Places ===

impl Permits {
    pub(super) fn new(config: PermitsConfig) -> Self {
        let permits = Self {
            packed: AtomicU64::new(0),
            limit: AtomicU32::new(UNBOUNDED),
            low_limit: AtomicU32::new(UNBOUNDED),
            queue_limit: AtomicU32::new(0),
            queue: Mutex::default(),
            adaptive: AtomicBool::new(false),
            control: Mutex::new(Control { config: PermitsConfig::default(), machine: None }),
            ownership: Ownership::default(),
        };
        permits.reconfigure(config);
        permits
    }

    pub(super) fn config(&self) -> PermitsConfig {
        self.control().config.clone()
    }

    pub(super) fn limit(&self) -> Option<u32> {
        let limit = self.limit.load(Ordering::Relaxed);
        (limit != UNBOUNDED).then_some(limit)
    }

    pub(super) fn reserved(&self) -> u32 {
        self.limit.load(Ordering::Relaxed).saturating_sub(self.low_limit.load(Ordering::Relaxed))
    }

    pub(super) fn queue_limit(&self) -> u32 {
        self.queue_limit.load(Ordering::Relaxed)
    }

    pub(super) fn in_use(&self) -> u32 {
        in_use(self.packed.load(Ordering::Acquire))
    }

    pub(super) fn waiting(&self) -> u32 {
        waiting(self.packed.load(Ordering::Acquire))
    }

    pub(super) fn waiting_of(&self, priority: Priority) -> u32 {
        self.queue().len(priority)
    }

    pub(super) fn is_adaptive(&self) -> bool {
        self.adaptive.load(Ordering::Relaxed)
    }

    /// Whether a permit is free now, which may change at any time.
    pub(super) fn has_free_permit(&self, priority: Priority) -> bool {
        // Where one is free and others wait, one of them has it in a moment.
        in_use(self.packed.load(Ordering::Relaxed)) < self.bound(priority)
    }

    pub(super) fn acquire(
        self: &Arc<Self>,
        priority: Priority,
        queue_slot: QueueSlot,
    ) -> AcquireOutcome {
        let bound = self.bound(priority);
        if bound == UNBOUNDED {
            return AcquireOutcome::Uncounted;
        }
        let mut packed = self.packed.load(Ordering::Acquire);
        while waiting(packed) == 0 && in_use(packed) < bound {
            match self.exchange(packed, packed + 1) {
                Ok(_) => return self.admitted(),
                Err(now) => packed = now,
            }
        }
        if waiting(packed) == 0 && self.queue_limit() == 0 && queue_slot == QueueSlot::Counted {
            return AcquireOutcome::Full;
        }
        self.queue_up(priority, queue_slot)
    }

    fn queue_up(self: &Arc<Self>, priority: Priority, queue_slot: QueueSlot) -> AcquireOutcome {
        let mut queue = self.queue();
        loop {
            let packed = self.packed.load(Ordering::Acquire);
            let next = if in_use(packed) < self.bound(priority) && !queue.comes_before(priority) {
                packed + 1
            } else if queue_slot == QueueSlot::Counted
                && waiting(packed) - queue.exempt() >= self.queue_limit()
            {
                break;
            } else {
                packed + WAITER
            };
            // From this exchange on, a released permit is handed to the queue.
            match self.exchange(packed, next) {
                Err(_) => {}
                Ok(_) if next == packed + 1 => return self.admitted(),
                Ok(_) => {
                    return AcquireOutcome::Queued(self.queued(&mut queue, priority, queue_slot));
                }
            }
        }
        // Full: a call of high priority replaces the youngest of low priority.
        let Some(shed) = (priority == Priority::High).then(|| queue.shed()).flatten() else {
            return AcquireOutcome::Full;
        };
        let acquire = self.queued(&mut queue, priority, queue_slot);
        drop(queue);
        shed.wake();
        AcquireOutcome::Queued(acquire)
    }

    fn queued(
        self: &Arc<Self>,
        queue: &mut Queue,
        priority: Priority,
        queue_slot: QueueSlot,
    ) -> Acquire {
        Acquire::new(Arc::clone(self), queue.push(priority, queue_slot), priority)
    }

    pub(super) fn admitted(self: &Arc<Self>) -> AcquireOutcome {
        AcquireOutcome::Admitted(self.permit())
    }

    /// The guard of a permit that was counted already.
    pub(super) fn permit(self: &Arc<Self>) -> Permit {
        Permit(Some(Arc::clone(self)))
    }

    pub(super) fn release(&self) {
        let mut packed = self.packed.load(Ordering::Acquire);
        while waiting(packed) == 0 {
            match self.exchange(packed, packed - 1) {
                Ok(_) => return,
                Err(now) => packed = now,
            }
        }
        let mut queue = self.queue();
        self.packed.fetch_sub(1, Ordering::AcqRel);
        // At most one call may go, because there was no free permit.
        let next = self.admit(&mut queue);
        drop(queue);
        if let Some(next) = next {
            next.wake();
        }
    }

    /// Removes a call from the queue; false if it was granted or shed before.
    pub(super) fn leave(&self, waiter: &Arc<Waiter>, priority: Priority) -> bool {
        let mut queue = self.queue();
        let was_there = queue.remove(waiter, priority);
        if was_there {
            self.packed.fetch_sub(WAITER, Ordering::AcqRel);
        }
        was_there
    }

    /// Gives a permit to the next waiting call, if one is free for it.
    fn admit(&self, queue: &mut Queue) -> Option<Arc<Waiter>> {
        let in_use = self.in_use();
        let has_free_permit = |priority| in_use < self.bound(priority);
        let next = queue.next(has_free_permit)?;
        // One waiting call less, one permit in use more.
        self.packed.fetch_sub(WAITER - 1, Ordering::AcqRel);
        next.grant();
        Some(next)
    }

    /// Applies other settings. Permits in use stay, and waiting calls stay in the queue.
    pub(super) fn reconfigure(&self, config: PermitsConfig) {
        let woken = {
            let mut control = self.control();
            let is_same = (control.config.concurrency, &control.config.adaptive)
                == (config.concurrency, &config.adaptive);
            if !is_same {
                // The old one learned about another limit.
                control.machine = config.machine();
            }
            self.adaptive.store(control.machine.is_some(), Ordering::Relaxed);
            let limit = match &control.machine {
                Some(machine) => machine.limit(),
                None => config.concurrency.map_or(UNBOUNDED, |limit| limit.min(UNBOUNDED - 1)),
            };
            control.config = config;
            self.resize(limit, &control.config)
        };
        woken.iter().for_each(|waiter| waiter.wake());
    }

    /// Learns from one call. Returns the old and the new limit, if it moved.
    pub(super) fn learn(&self, sample: &Sample) -> Option<(u32, u32)> {
        let (moved, woken) = {
            let mut control = self.control();
            let machine = control.machine.as_mut()?;
            let from = machine.limit();
            machine.learn(sample);
            let to = machine.limit();
            if from == to {
                return None;
            }
            ((from, to), self.resize(to, &control.config))
        };
        woken.iter().for_each(|waiter| waiter.wake());
        Some(moved)
    }

    /// Returns the calls that may go, which are to be woken once no lock is held.
    fn resize(&self, limit: u32, config: &PermitsConfig) -> Vec<Arc<Waiter>> {
        let mut queue = self.queue();
        self.limit.store(limit, Ordering::Relaxed);
        let low_limit = if limit == UNBOUNDED { limit } else { limit - config.reserve_of(limit) };
        self.low_limit.store(low_limit, Ordering::Relaxed);
        self.queue_limit.store(config.queue, Ordering::Relaxed);
        std::iter::from_fn(|| self.admit(&mut queue)).collect()
    }

    /// How many calls may be in flight for a call of this priority to go, if there is a bound.
    pub(super) fn limit_of(&self, priority: Priority) -> Option<u32> {
        Some(self.bound(priority)).filter(|bound| *bound != UNBOUNDED)
    }

    fn bound(&self, priority: Priority) -> u32 {
        match priority {
            Priority::High => self.limit.load(Ordering::Relaxed),
            Priority::Low => self.low_limit.load(Ordering::Relaxed),
        }
    }

    fn exchange(&self, from: u64, to: u64) -> Result<u64, u64> {
        self.packed.compare_exchange_weak(from, to, Ordering::AcqRel, Ordering::Acquire)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(permits) = self.0.take() {
            permits.release();
        }
    }
}

fn in_use(packed: u64) -> u32 {
    packed as u32
}

fn waiting(packed: u64) -> u32 {
    (packed >> 32) as u32
}

/// One waiting call in the packed word.
const WAITER: u64 = 1 << 32;
/// No limit. There are never so many calls in flight.
const UNBOUNDED: u32 = u32::MAX;
