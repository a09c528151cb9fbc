use std::time::Duration;

use super::layer::MirrorLayer;
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{Table, assign, section};
use crate::settings::values::LARGEST;

section! {
    /// `[mirror]`: where the copies go is code.
    MirrorSettings { share: Ratio, concurrency: u32, limit: Duration, body_cap: usize }
}

impl<T: Clone> Table<MirrorLayer<T>> for MirrorSettings {
    fn of(layer: &MirrorLayer<T>) -> Self {
        Self {
            share: Some(layer.handle().share()),
            concurrency: Some(layer.concurrency),
            limit: Some(layer.limit),
            body_cap: Some(layer.body_cap.min(LARGEST)),
        }
    }

    fn merge(&self, layer: &mut MirrorLayer<T>, _: &mut Reader<'_>) {
        let mut own = layer.clone();
        assign(&mut own.concurrency, &self.concurrency);
        assign(&mut own.limit, &self.limit);
        assign(&mut own.body_cap, &self.body_cap);
        *layer = match self.share {
            Some(share) => own.share(share),
            None => own,
        };
    }
}
