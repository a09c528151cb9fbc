//! How much may be under way in an inbox at a time: anybody can send to a public URL.

use std::sync::Mutex;

use super::error::InboxError;
use crate::rt::Lock;
use crate::terms::inbox::InboxErrorKind;

/// What all requests of an inbox share.
pub(super) struct Capacity {
    /// The most requests.
    pub(super) requests: usize,
    /// The most bytes of their bodies.
    pub(super) bytes: usize,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    requests: usize,
    /// Of bodies that are whole and of those that aren't.
    bytes: usize,
    /// Of those that aren't whole.
    arriving: usize,
}

/// What one request takes of it, given back when this is dropped.
pub(super) struct Place<'a> {
    capacity: &'a Capacity,
    bytes: usize,
    /// How many of these are of a body that isn't whole.
    arriving: usize,
}

impl Capacity {
    pub(super) fn new(requests: usize, bytes: usize) -> Self {
        Self { requests, bytes, used: Mutex::default() }
    }

    /// A place for one more request, if there is one.
    pub(super) fn enter(&self) -> Result<Place<'_>, InboxError> {
        let mut used = self.used.locked();
        if used.requests >= self.requests {
            return Err(InboxError::new(InboxErrorKind::Busy));
        }
        used.requests += 1;
        Ok(Place { capacity: self, bytes: 0, arriving: 0 })
    }
}

impl Place<'_> {
    /// Takes so many bytes more for its body, of which more is to come. Several such bodies together have half of all
    /// bytes, so that slow senders leave room for what comes at once.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), InboxError> {
        let capacity = self.capacity;
        let mut used = capacity.used.locked();
        let is_alone = used.arriving == self.arriving;
        if !is_alone && bytes > (capacity.bytes / 2).saturating_sub(used.arriving) {
            return Err(InboxError::new(InboxErrorKind::Busy));
        }
        self.take(&mut used, bytes)?;
        used.arriving += bytes;
        self.arriving += bytes;
        Ok(())
    }

    /// Takes so many bytes more for the end of its body.
    pub(super) fn hold_last(&mut self, bytes: usize) -> Result<(), InboxError> {
        let capacity = self.capacity;
        let mut used = capacity.used.locked();
        self.take(&mut used, bytes)?;
        used.arriving -= std::mem::take(&mut self.arriving);
        Ok(())
    }

    fn take(&mut self, used: &mut Used, bytes: usize) -> Result<(), InboxError> {
        if bytes > self.capacity.bytes - used.bytes {
            return Err(InboxError::new(InboxErrorKind::Busy));
        }
        used.bytes += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut used = self.capacity.used.locked();
        used.requests -= 1;
        used.bytes -= self.bytes;
        used.arriving -= self.arriving;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_more_is_under_way_than_is_allowed_and_all_is_given_back(
            steps in proptest::collection::vec((0_u8..5, 0_usize..40), 0..60),
        ) {
            let capacity = Capacity::new(3, 50);
            let mut places: Vec<(Place<'_>, usize, usize)> = Vec::new();
            for (kind, much) in steps {
                let held: usize = places.iter().map(|(_, bytes, _)| bytes).sum();
                let arriving: usize = places.iter().map(|(.., arriving)| arriving).sum();
                match (kind, places.len()) {
                    (0 | 1, count) => match capacity.enter() {
                        Ok(place) => places.push((place, 0, 0)),
                        Err(_) => prop_assert_eq!(count, 3),
                    },
                    (2 | 3, 1..) => {
                        let at = much % places.len();
                        let (place, bytes, own) = &mut places[at];
                        let shares = kind == 3 || much == 0 || arriving == *own || arriving + much <= 25;
                        let fits = held + much <= 50 && shares;
                        let taken = if kind == 2 { place.hold(much) } else { place.hold_last(much) };
                        prop_assert_eq!(taken.is_ok(), fits);
                        if fits {
                            (*bytes, *own) = (*bytes + much, if kind == 2 { *own + much } else { 0 });
                        }
                    }
                    (_, 1..) => drop(places.swap_remove(much % places.len())),
                    _ => {}
                }
                prop_assert!(places.len() <= 3);
            }
            drop(places);
            let used = capacity.used.locked();
            prop_assert_eq!((used.requests, used.bytes, used.arriving), (0, 0, 0));
        }
    }
}
