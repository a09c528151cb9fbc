use proptest::prelude::*;

use super::*;
use crate::bulkhead::Priority::{High, Low};

/// What the permits should do, in the plainest words.
struct Model {
    limit: usize,
    queue_limit: usize,
    in_use: usize,
    /// Who waits, by number, in the order of arrival.
    waiting: Vec<(usize, Priority, QueueSlot)>,
    granted: Vec<usize>,
    shed: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Step {
    Enter(bool, bool),
    GiveBack(usize),
    /// Looks whether its turn has come.
    Ask(usize),
    /// Goes away, whether its turn has come or not.
    Leave(usize),
    Limit(u32),
    Queue(u32),
}

impl Model {
    fn bound(&self, priority: Priority) -> usize {
        let reserve = if self.limit < 2 { 0 } else { (self.limit / 10).max(1) };
        self.limit - if priority == Low { reserve } else { 0 }
    }

    fn next(&self) -> Option<usize> {
        let first = |of| self.waiting.iter().position(|(_, priority, _)| *priority == of);
        let at = first(High).or_else(|| first(Low))?;
        (self.in_use < self.bound(self.waiting[at].1)).then_some(at)
    }

    fn settle(&mut self) {
        while let Some(at) = self.next() {
            self.in_use += 1;
            let (number, ..) = self.waiting.remove(at);
            self.granted.push(number);
        }
    }

    /// "A" permit, a place in the queue, or neither.
    fn acquire(&mut self, number: usize, priority: Priority, queue_slot: QueueSlot) -> char {
        let is_first = self.waiting.iter().all(|(_, other, _)| priority == High && *other == Low);
        if is_first && self.in_use < self.bound(priority) {
            self.in_use += 1;
            return 'A';
        }
        let has_spot = |(_, _, queue_slot): &&_| *queue_slot == QueueSlot::Counted;
        let spots = self.waiting.iter().filter(has_spot).count();
        if queue_slot == QueueSlot::Counted && spots >= self.queue_limit {
            let is_low = |other: &(_, Priority, QueueSlot)| other.1 == Low && has_spot(&other);
            let youngest = self.waiting.iter().rposition(is_low);
            let Some(at) = youngest.filter(|_| priority == High) else { return 'F' };
            let (shed, ..) = self.waiting.remove(at);
            self.shed.push(shed);
        }
        self.waiting.push((number, priority, queue_slot));
        'Q'
    }

    fn leave(&mut self, number: usize) {
        match self.waiting.iter().position(|(other, ..)| *other == number) {
            Some(at) => drop(self.waiting.remove(at)),
            None if self.granted.contains(&number) => self.in_use -= 1,
            None => {}
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => any::<(bool, bool)>().prop_map(|(high, exempt)| Step::Enter(high, exempt)),
        4 => any::<usize>().prop_map(Step::GiveBack),
        2 => any::<usize>().prop_map(Step::Ask),
        1 => any::<usize>().prop_map(Step::Leave),
        1 => (1_u32..30).prop_map(Step::Limit),
        1 => (0_u32..10).prop_map(Step::Queue),
    ];
    proptest::collection::vec(step, 0..300)
}

proptest! {
    #[test]
    fn places_go_to_whom_the_reference_model_gives_them(steps in steps()) {
        let permits = permits(3, 4);
        let mut model = Model {
            limit: 3,
            queue_limit: 4,
            in_use: 0,
            waiting: Vec::new(),
            granted: Vec::new(),
            shed: Vec::new(),
        };
        let (mut taken, mut tickets) = (Vec::new(), Vec::<(usize, Acquire)>::new());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Enter(is_high, is_extra) => {
                    let priority = if is_high { High } else { Low };
                    let queue_slot = if is_extra { QueueSlot::Exempt } else { QueueSlot::Counted };
                    let came = match permits.acquire(priority, queue_slot) {
                        AcquireOutcome::Admitted(permit) => { taken.push(permit); 'A' }
                        AcquireOutcome::Queued(acquire) => { tickets.push((number, acquire)); 'Q' }
                        AcquireOutcome::Full => 'F',
                        AcquireOutcome::Uncounted => '-',
                    };
                    prop_assert_eq!(came, model.acquire(number, priority, queue_slot));
                }
                Step::GiveBack(at) if !taken.is_empty() => {
                    drop(taken.swap_remove(at % taken.len()));
                    model.in_use -= 1;
                }
                Step::Ask(at) if !tickets.is_empty() => {
                    let at = at % tickets.len();
                    let number = tickets[at].0;
                    match poll(&mut tickets[at].1) {
                        Poll::Pending => {
                            prop_assert!(model.waiting.iter().any(|(other, ..)| *other == number));
                        }
                        Poll::Ready(result) => {
                            prop_assert_eq!(result.is_ok(), model.granted.contains(&number));
                            prop_assert_eq!(result.is_err(), model.shed.contains(&number));
                            taken.extend(result);
                            tickets.swap_remove(at);
                        }
                    }
                }
                Step::Leave(at) if !tickets.is_empty() => {
                    let (number, acquire) = tickets.swap_remove(at % tickets.len());
                    drop(acquire);
                    model.leave(number);
                }
                Step::Limit(limit) => {
                    permits.reconfigure(PermitsConfig { concurrency: Some(limit), ..permits.config() });
                    model.limit = limit as usize;
                }
                Step::Queue(queue) => {
                    permits.reconfigure(PermitsConfig { queue, ..permits.config() });
                    model.queue_limit = queue as usize;
                }
                _ => {}
            }
            model.settle();
            let figures = (permits.in_use() as usize, permits.waiting() as usize);
            prop_assert_eq!(figures, (model.in_use, model.waiting.len()));
        }
        drop((taken, tickets));
        prop_assert_eq!((permits.in_use(), permits.waiting()), (0, 0));
    }
}
