use proptest::prelude::*;

use super::*;
use crate::bulkhead::Priority::{High, Low};

/// What the places should do, in the plainest words.
struct Model {
    limit: usize,
    queue_limit: usize,
    in_use: usize,
    /// Who waits, by number, in the order of arrival.
    waiting: Vec<(usize, Priority, Standing)>,
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

    /// "A" place, a place in the queue, or neither.
    fn enter(&mut self, number: usize, priority: Priority, standing: Standing) -> char {
        let is_first = self.waiting.iter().all(|(_, other, _)| priority == High && *other == Low);
        if is_first && self.in_use < self.bound(priority) {
            self.in_use += 1;
            return 'A';
        }
        let has_spot = |(_, _, standing): &&_| *standing == Standing::Counted;
        let spots = self.waiting.iter().filter(has_spot).count();
        if standing == Standing::Counted && spots >= self.queue_limit {
            let is_low = |other: &(_, Priority, Standing)| other.1 == Low && has_spot(&other);
            let youngest = self.waiting.iter().rposition(is_low);
            let Some(at) = youngest.filter(|_| priority == High) else { return 'F' };
            let (shed, ..) = self.waiting.remove(at);
            self.shed.push(shed);
        }
        self.waiting.push((number, priority, standing));
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
        6 => any::<(bool, bool)>().prop_map(|(high, extra)| Step::Enter(high, extra)),
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
        let places = places(3, 4);
        let mut model = Model {
            limit: 3,
            queue_limit: 4,
            in_use: 0,
            waiting: Vec::new(),
            granted: Vec::new(),
            shed: Vec::new(),
        };
        let (mut permits, mut tickets) = (Vec::new(), Vec::<(usize, Ticket)>::new());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Enter(is_high, is_extra) => {
                    let priority = if is_high { High } else { Low };
                    let standing = if is_extra { Standing::Extra } else { Standing::Counted };
                    let came = match places.enter(priority, standing) {
                        Entry::Admitted(permit) => { permits.push(permit); 'A' }
                        Entry::Queued(ticket) => { tickets.push((number, ticket)); 'Q' }
                        Entry::Full => 'F',
                        Entry::Uncounted => '-',
                    };
                    prop_assert_eq!(came, model.enter(number, priority, standing));
                }
                Step::GiveBack(at) if !permits.is_empty() => {
                    drop(permits.swap_remove(at % permits.len()));
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
                            permits.extend(result);
                            tickets.swap_remove(at);
                        }
                    }
                }
                Step::Leave(at) if !tickets.is_empty() => {
                    let (number, ticket) = tickets.swap_remove(at % tickets.len());
                    drop(ticket);
                    model.leave(number);
                }
                Step::Limit(limit) => {
                    places.reconfigure(PlacesConfig { concurrency: Some(limit), ..places.config() });
                    model.limit = limit as usize;
                }
                Step::Queue(queue) => {
                    places.reconfigure(PlacesConfig { queue, ..places.config() });
                    model.queue_limit = queue as usize;
                }
                _ => {}
            }
            model.settle();
            let figures = (places.in_use() as usize, places.waiting() as usize);
            prop_assert_eq!(figures, (model.in_use, model.waiting.len()));
        }
        drop((permits, tickets));
        prop_assert_eq!((places.in_use(), places.waiting()), (0, 0));
    }
}
