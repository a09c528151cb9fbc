//! The tables of a file: those of the slots, and the top-level settings.

use std::time::Duration;

use super::client::Client;
use crate::integration::preset::Preset;
use crate::integration::slots::{Slots, each_slot};
use crate::settings::read::Reader;
use crate::settings::section::{Table, section};
use crate::settings::values::words;
use crate::transport::pool::PoolLimits;

/// Makes the tables of a file from the list of slots.
macro_rules! tables {
    ($($name:ident: $layer:ident $(<$part:ty>)? $(=> $table:ident)?,)*) => {
        section! {
            /// The whole file.
            Tables {
                preset: Preset,
                deadline: Option<Duration>,
                deadline_may_be_lengthened: bool,
                idle_timeout: Option<Duration>,
                $($($name: crate::$name::$table,)?)*
                hyper: Client,
            }
        }

        impl Tables {
            /// All that is set.
            pub(super) fn of(preset: Preset, slots: &Slots, limits: Option<&PoolLimits>) -> Self {
                Self {
                    preset: Some(preset),
                    deadline: Some(slots.deadline.limit()),
                    deadline_may_be_lengthened: Some(slots.deadline.may_be_lengthened),
                    idle_timeout: Some(slots.idle_timeout.limit),
                    $($($name: Some(crate::$name::$table::of(&slots.$name)),)?)*
                    hyper: limits.map(Client::of),
                }
            }

            fn merge_each(&self, slots: &mut Slots, reader: &mut Reader<'_>) {
                $($(if let Some(table) = &self.$name {
                    reader.under(stringify!($name), |reader| {
                        crate::$name::$table::merge(table, &mut slots.$name, reader);
                    });
                })?)*
            }

            /// The key for what code calls `field`, in the table of this name.
            pub(super) fn key_of<'f>(table: &str, field: &'f str, slots: &Slots) -> &'f str {
                $($(if table == stringify!($name) {
                    return crate::$name::$table::key_of(field, &slots.$name);
                })?)*
                field
            }
        }
    };
}

each_slot!(tables);

impl Tables {
    /// Merges the file over what was set in code.
    pub(super) fn merge(
        &self,
        preset: Preset,
        slots: &mut Slots,
        limits: &mut Option<PoolLimits>,
        reader: &mut Reader<'_>,
    ) {
        if let Some(named) = self.preset.filter(|named| *named != preset) {
            let problem =
                format!("it was built as {preset}: build it as {named}, or take this out");
            reader.under("preset", |reader| reader.wrong(problem));
        }
        if let Some(limit) = self.deadline {
            slots.deadline = slots.deadline.clone().with_limit(limit);
        }
        if let Some(may) = self.deadline_may_be_lengthened {
            slots.deadline.may_be_lengthened = may;
        }
        if let Some(limit) = self.idle_timeout {
            slots.idle_timeout.limit = limit;
        }
        self.merge_each(slots, reader);
        if let Some(table) = &self.rate_limit {
            let places = slots.bulkhead.config().concurrency;
            reader.under("rate_limit", |reader| {
                table.check_in_flight(&slots.rate_limit, places, reader);
            });
        }
        match (&self.hyper, limits) {
            (Some(table), Some(limits)) => table.merge(limits, reader),
            (Some(_), None) => reader.under("hyper", |reader| {
                reader.wrong("the client is not the integration's own: set it up where it is made");
            }),
            (None, _) => {}
        }
    }
}

words! {
    Preset {
        Self::UserFlow => "user_flow" as Self::UserFlow,
        Self::Background => "background" as Self::Background,
    }
}
