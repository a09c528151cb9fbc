//! A table of optional settings.

use super::read::{Reader, Setting};

/// A table of settings that are a layer's, or a client's.
pub(crate) trait Table<L>: Setting {
    /// What is set.
    fn of(layer: &L) -> Self;

    /// Lays what is there over what was set.
    fn merge(&self, layer: &mut L, reader: &mut Reader<'_>);

    /// The table's name for what code calls `field`. It is empty for the table as a whole.
    fn key_of<'f>(field: &'f str, _: &L) -> &'f str {
        field
    }
}

/// Makes a table of settings that can be read, with the names of its fields as keys.
macro_rules! section {
    ($(#[doc = $doc:literal])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(crate) struct $name {
            $(pub(crate) $field: Option<$kind>,)*
        }

        impl $crate::settings::read::Setting for $name {
            fn read(
                value: &$crate::settings::raw::Raw,
                reader: &mut $crate::settings::read::Reader<'_>,
            ) -> Option<Self> {
                let table = reader.table(value, &[$(stringify!($field)),*])?;
                Some(Self { $($field: reader.entry(table, stringify!($field)),)* })
            }

            fn write(&self) -> serde_json::Value {
                use $crate::settings::read::Setting;
                let mut map = serde_json::Map::new();
                $(if let Some(value) = &self.$field {
                    map.insert(stringify!($field).to_owned(), Setting::write(value));
                })*
                map.into()
            }
        }
    };
}

pub(crate) use section;

/// Replaces a value by a setting, if that is present.
pub(crate) fn assign<T: Clone>(over: &mut T, setting: &Option<T>) {
    if let Some(value) = setting {
        over.clone_from(value);
    }
}
