use std::time::Duration;

use serde_json::Value;

use super::config::CacheWindows;
use super::layer::CacheLayer;
use crate::context::PathTemplate;
use crate::settings::raw::Raw;
use crate::settings::read::{Reader, Setting, name_of};
use crate::settings::section::{Table, assign, section};

section! {
    /// `[cache]`: whether there is one is code, and so is its store.
    CacheSettings {
        fresh_for: Option<Duration>,
        stale_while_revalidate: Duration,
        stale_if_error: Duration,
        max_bytes: u64,
        max_keys: u32,
        body_cap: usize,
        templates: Templates,
    }
}

section! {
    /// The windows of one path template, by its name in `[cache.templates]`.
    WindowSettings {
        fresh_for: Duration,
        stale_while_revalidate: Duration,
        stale_if_error: Duration,
    }
}

/// The tables of path templates, by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Templates(Vec<(String, WindowSettings)>);

impl Table<CacheLayer> for CacheSettings {
    fn of(layer: &CacheLayer) -> Self {
        let config = &layer.config;
        let bounds = Some(config.bounds).filter(|_| !layer.has_own_store());
        Self {
            fresh_for: Some(config.windows.fresh_for),
            stale_while_revalidate: Some(config.windows.stale_while_revalidate),
            stale_if_error: Some(config.windows.stale_if_error),
            max_bytes: bounds.map(|bounds| bounds.bytes),
            max_keys: bounds.map(|bounds| bounds.keys),
            body_cap: Some(config.body_cap),
            templates: Some(Templates::of(&config.templates)),
        }
    }

    fn merge(&self, layer: &mut CacheLayer, reader: &mut Reader<'_>) {
        let bounds =
            [("max_bytes", self.max_bytes.is_some()), ("max_keys", self.max_keys.is_some())];
        for (key, _) in bounds.into_iter().filter(|(_, is_set)| *is_set && layer.has_own_store()) {
            reader.under(key, |reader| {
                reader.wrong("the store is one of your own, which bounds itself: leave it out");
            });
        }
        let config = &mut layer.config;
        assign(&mut config.windows.fresh_for, &self.fresh_for);
        assign(&mut config.windows.stale_while_revalidate, &self.stale_while_revalidate);
        assign(&mut config.windows.stale_if_error, &self.stale_if_error);
        assign(&mut config.bounds.bytes, &self.max_bytes);
        assign(&mut config.bounds.keys, &self.max_keys);
        assign(&mut config.body_cap, &self.body_cap);
        for (name, table) in self.templates.iter().flat_map(|templates| &templates.0) {
            let template = PathTemplate::new(name.as_str());
            let known = config.templates.iter().find(|(known, _)| *known == template);
            let mut windows = known.map(|(_, windows)| *windows).unwrap_or_default();
            windows.fresh_for = table.fresh_for.or(windows.fresh_for);
            windows.stale_while_revalidate =
                table.stale_while_revalidate.or(windows.stale_while_revalidate);
            windows.stale_if_error = table.stale_if_error.or(windows.stale_if_error);
            config.set_template(template, windows);
        }
    }
}

impl Templates {
    fn of(templates: &[(PathTemplate, CacheWindows)]) -> Self {
        let table = |(template, windows): &(PathTemplate, CacheWindows)| {
            let CacheWindows { fresh_for, stale_while_revalidate, stale_if_error } = *windows;
            let table = WindowSettings { fresh_for, stale_while_revalidate, stale_if_error };
            (template.as_str().to_owned(), table)
        };
        let mut tables: Vec<_> = templates.iter().map(table).collect();
        // Formats that sort their keys read back the same.
        tables.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self(tables)
    }
}

impl Setting for Templates {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let Raw::Table(entries) = value else {
            reader.wrong(format!(
                "{} where there should be a table for each path template",
                name_of(value)
            ));
            return None;
        };
        let keys: Vec<_> = entries.iter().map(|(name, _)| name.as_str()).collect();
        reader.table(value, &keys)?;
        let read = |name: &String| Some((name.clone(), reader.entry(entries, name)?));
        let mut tables: Vec<_> = keys.iter().map(|name| (*name).to_owned()).collect();
        tables.sort();
        tables.dedup();
        Some(Self(tables.iter().filter_map(read).collect()))
    }

    fn write(&self) -> Value {
        let tables = self.0.iter().map(|(name, table)| (name.clone(), table.write()));
        tables.collect::<serde_json::Map<_, _>>().into()
    }
}
