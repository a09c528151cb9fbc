use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::adaptive::{Machine, Sample};
use super::config::PlacesConfig;
use super::limit::Priority;
use super::queue::{Queue, Standing, Ticket, Waiter};
use crate::pattern::ownership::Ownership;

/// The places and the queue for them.
///
/// Places in use and the number of those who wait share one word, so that a place is taken and given
/// back with one exchange as long as nobody waits. While somebody waits, the word changes under the
/// queue's lock alone: whoever gives a place back sees it and hands the place over instead.
#[derive(Debug)]
pub(super) struct Places {
    /// Places in use in the low half, waiters in the high half.
    word: AtomicU64,
    /// How many there are; [`UNBOUNDED`] where nobody counts. Like the two below, it is written
    /// under the queue's lock, so that whoever queues up has seen the one that holds.
    limit: AtomicU32,
    /// How many of them a call of low priority may find in use before it must wait.
    low_limit: AtomicU32,
    queue_limit: AtomicU32,
    queue: Mutex<Queue>,
    adaptive: AtomicBool,
    /// Locked before the queue, where both are.
    control: Mutex<Control>,
    pub(super) ownership: Ownership,
}

/// What the places were set to, and what moves their number.
#[derive(Debug)]
struct Control {
    config: PlacesConfig,
    machine: Option<Machine>,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Option<Arc<Places>>);

/// What came of asking for a place.
#[derive(Debug)]
pub(super) enum Entry {
    /// There is no bound, and nobody counts.
    Uncounted,
    Admitted(Permit),
    Queued(Ticket),
    Full,
}

// === impl Places ===

impl Places {
    pub(super) fn new(config: PlacesConfig) -> Self {
        let places = Self {
            word: AtomicU64::new(0),
            limit: AtomicU32::new(UNBOUNDED),
            low_limit: AtomicU32::new(UNBOUNDED),
            queue_limit: AtomicU32::new(0),
            queue: Mutex::default(),
            adaptive: AtomicBool::new(false),
            control: Mutex::new(Control { config: PlacesConfig::default(), machine: None }),
            ownership: Ownership::default(),
        };
        places.reconfigure(config);
        places
    }

    pub(super) fn config(&self) -> PlacesConfig {
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
        in_use(self.word.load(Ordering::Acquire))
    }

    pub(super) fn waiting(&self) -> u32 {
        waiting(self.word.load(Ordering::Acquire))
    }

    pub(super) fn waiting_of(&self, priority: Priority) -> u32 {
        self.queue().len(priority)
    }

    pub(super) fn is_adaptive(&self) -> bool {
        self.adaptive.load(Ordering::Relaxed)
    }

    /// Whether a place is free just now; by the time it is asked for, it may not be.
    pub(super) fn has_room(&self, priority: Priority) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        in_use(word) < self.bound(priority) && (waiting(word) == 0 || priority == Priority::High)
    }

    pub(super) fn enter(self: &Arc<Self>, priority: Priority, standing: Standing) -> Entry {
        let bound = self.bound(priority);
        if bound == UNBOUNDED {
            return Entry::Uncounted;
        }
        let mut word = self.word.load(Ordering::Acquire);
        while waiting(word) == 0 && in_use(word) < bound {
            match self.exchange(word, word + 1) {
                Ok(_) => return self.admitted(),
                Err(now) => word = now,
            }
        }
        if waiting(word) == 0 && self.queue_limit() == 0 && standing == Standing::Counted {
            return Entry::Full;
        }
        self.queue_up(priority, standing)
    }

    fn queue_up(self: &Arc<Self>, priority: Priority, standing: Standing) -> Entry {
        let mut queue = self.queue();
        loop {
            let word = self.word.load(Ordering::Acquire);
            let next = if in_use(word) < self.bound(priority) && !queue.comes_before(priority) {
                word + 1
            } else if standing == Standing::Counted
                && waiting(word) - queue.extra() >= self.queue_limit()
            {
                break;
            } else {
                word + WAITER
            };
            // Only this exchange lets the next one who gives a place back know of us.
            match self.exchange(word, next) {
                Err(_) => {}
                Ok(_) if next == word + 1 => return self.admitted(),
                Ok(_) => return Entry::Queued(self.ticket(&mut queue, priority, standing)),
            }
        }
        // Full: the youngest of those who may wait longest makes room for one who may not.
        let Some(shed) = (priority == Priority::High).then(|| queue.shed()).flatten() else {
            return Entry::Full;
        };
        let ticket = self.ticket(&mut queue, priority, standing);
        drop(queue);
        shed.wake();
        Entry::Queued(ticket)
    }

    fn ticket(
        self: &Arc<Self>,
        queue: &mut Queue,
        priority: Priority,
        standing: Standing,
    ) -> Ticket {
        Ticket::new(Arc::clone(self), queue.push(priority, standing), priority)
    }

    pub(super) fn admitted(self: &Arc<Self>) -> Entry {
        Entry::Admitted(self.permit())
    }

    /// The hand on a place that was counted already.
    pub(super) fn permit(self: &Arc<Self>) -> Permit {
        Permit(Some(Arc::clone(self)))
    }

    pub(super) fn give_back(&self) {
        let mut word = self.word.load(Ordering::Acquire);
        while waiting(word) == 0 {
            match self.exchange(word, word - 1) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        let mut queue = self.queue();
        self.word.fetch_sub(1, Ordering::AcqRel);
        // At most one may go on, because there was room for none.
        let next = self.admit(&mut queue);
        drop(queue);
        if let Some(next) = next {
            next.wake();
        }
    }

    /// Takes a waiter out of the queue who has no turn any more; whether it was still there.
    pub(super) fn leave(&self, waiter: &Arc<Waiter>, priority: Priority) -> bool {
        let mut queue = self.queue();
        let was_there = queue.remove(waiter, priority);
        if was_there {
            self.word.fetch_sub(WAITER, Ordering::AcqRel);
        }
        was_there
    }

    /// Gives a place to the next who waits, if there is one for it.
    fn admit(&self, queue: &mut Queue) -> Option<Arc<Waiter>> {
        let in_use = self.in_use();
        let has_room = |priority| in_use < self.bound(priority);
        let next = queue.next(has_room)?;
        // One waiter less, one place more in use.
        self.word.fetch_sub(WAITER - 1, Ordering::AcqRel);
        next.grant();
        Some(next)
    }

    /// Sets the places anew; who has one keeps it, and who waits goes on waiting.
    pub(super) fn reconfigure(&self, config: PlacesConfig) {
        let woken = {
            let mut control = self.control();
            let is_same = (control.config.concurrency, &control.config.adaptive)
                == (config.concurrency, &config.adaptive);
            if !is_same {
                // What it has learned is about other bounds.
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

    /// Learns from one call; where that moves the limit: from where, to where.
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

    /// Who may go on at once is to be woken, when no lock is held.
    fn resize(&self, limit: u32, config: &PlacesConfig) -> Vec<Arc<Waiter>> {
        let mut queue = self.queue();
        self.limit.store(limit, Ordering::Relaxed);
        let low_limit = if limit == UNBOUNDED { limit } else { limit - config.reserve_of(limit) };
        self.low_limit.store(low_limit, Ordering::Relaxed);
        self.queue_limit.store(config.queue, Ordering::Relaxed);
        std::iter::from_fn(|| self.admit(&mut queue)).collect()
    }

    /// How many calls may be under way as far as this priority goes, where there is a bound.
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
        self.word.compare_exchange_weak(from, to, Ordering::AcqRel, Ordering::Acquire)
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
        if let Some(places) = self.0.take() {
            places.give_back();
        }
    }
}

fn in_use(word: u64) -> u32 {
    word as u32
}

fn waiting(word: u64) -> u32 {
    (word >> 32) as u32
}

/// One waiter in the word.
const WAITER: u64 = 1 << 32;
/// No limit. (More calls than this are under way nowhere.)
const UNBOUNDED: u32 = u32::MAX;
