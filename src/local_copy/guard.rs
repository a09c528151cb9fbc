use std::sync::Arc;

use super::load_error::LoadError;
use crate::rt::callback;

/// How many entries a copy has, and whether another may take its place. Functions of the host, which may panic.
pub(super) struct Guard<T> {
    pub(super) count: Box<dyn Fn(&T) -> usize + Send + Sync>,
    /// Absent: by the count.
    pub(super) own: Option<Box<OwnGuard<T>>>,
}

pub(super) type OwnGuard<T> = dyn Fn(Option<&T>, &T) -> Result<(), LoadError> + Send + Sync;

/// What takes the place of another copy.
pub(super) struct Counted<T> {
    pub(super) value: Arc<T>,
    pub(super) count: u64,
}

impl<T> Guard<T> {
    pub(super) fn count(&self, value: T) -> Counted<T> {
        let count = (self.count)(&value);
        Counted { value: Arc::new(value), count: u64::try_from(count).unwrap_or(u64::MAX) }
    }

    /// Whether `new` may take the place of `old`. A guard that panics refuses.
    pub(super) fn check(
        &self,
        old: Option<&Counted<T>>,
        new: &Counted<T>,
    ) -> Result<(), LoadError> {
        let Some(own) = &self.own else { return by_count(old.map(|old| old.count), new.count) };
        let checked = callback::call("guard", || own(old.map(|old| &*old.value), &new.value));
        checked.unwrap_or_else(|| Err(LoadError::new("refused: the guard panicked")))
    }
}

/// A provider that answers 200 and an empty or broken list must not wipe what is there.
fn by_count(old: Option<u64>, new: u64) -> Result<(), LoadError> {
    match old {
        _ if new == 0 => Err(LoadError::new("refused: it has no entries")),
        Some(old) if new < old.div_ceil(2) => {
            Err(LoadError::new(format!("refused: it has {new} entries in place of {old}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_fewer_than_half_are_refused() {
        for (old, new, is_taken) in [
            (None, 0, false),
            (None, 1, true),
            (Some(10), 0, false),
            (Some(10), 4, false),
            (Some(10), 5, true),
            (Some(11), 5, false),
            (Some(11), 6, true),
            (Some(0), 1, true),
            (Some(1), 1, true),
            (Some(u64::MAX), 1, false),
        ] {
            assert_eq!(by_count(old, new).is_ok(), is_taken, "{old:?} {new}");
        }
    }
}
