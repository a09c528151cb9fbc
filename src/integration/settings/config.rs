use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::paths::{in_file, may_follow_from};
use super::tables::Tables;
use crate::event::Event;
use crate::integration::builder::IntegrationBuilder;
use crate::integration::client::OwnClient;
use crate::integration::handle::Integration;
use crate::integration::merged::Merged;
use crate::integration::preset::Preset;
use crate::integration::reload::Baseline;
use crate::integration::slots::Slots;
use crate::settings::raw::Raw;
use crate::settings::read::{Reader, Setting, WHOLE};
use crate::settings::{ConfigError, ValidationError};
use crate::transport::pool::PoolLimits;

/// Settings of an integration, from TOML, JSON or whatever else serde reads (feature `serde`).
///
/// A file names only what differs from what is set in code. Durations are `"250ms"`, `"2s"` or
/// `"5m"`, shares `"10%"`, and `"none"` removes a limit. Anything without effect is an error: an unknown
/// key, for which the nearest name is suggested, a duplicate key, JSON's `null`. All errors are reported
/// at once, each with its path.
///
/// ```
/// use outrigger::{Integration, IntegrationConfig};
/// # use outrigger::testing::{Answer, Script};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config: IntegrationConfig = toml::from_str(
///     r#"
///     deadline = "5s"
///
///     [retry]
///     max_attempts = 2
///     budget = { ratio = "5%" }
///
///     [rate_limit]
///     requests = 100
///     per = "1m"
///     "#,
/// )?;
/// let crm = Integration::user_flow("crm")
/// #   .service(Script::new([Answer::status(200)]))
///     .config(config)
///     .build()?;
///
/// // Later, when the file has changed; calls in flight keep their settings.
/// let changed: IntegrationConfig = toml::from_str(r#"deadline = "3s""#)?;
/// crm.apply(&changed)?;
/// # Ok(()) }
/// ```
///
/// The files of `examples/config/` name every setting of each preset, with its value and the reason.
///
/// A file can't set functions (what a fallback answers, where copies go), classifiers, TLS and proxies,
/// nor the position of the kill switch, which has a file of its own
/// ([`SwitchFile`](crate::kill_switch::SwitchFile)).
#[derive(Clone, Default, PartialEq)]
pub struct IntegrationConfig(Arc<Tables>);

/// The settings that a builder got.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Settings(Option<IntegrationConfig>);

// === impl IntegrationConfig ===

impl IntegrationConfig {
    /// Reads settings, with each error on its own:
    /// `IntegrationConfig::read(toml::Deserializer::parse(&text)?)`, for example.
    ///
    /// # Errors
    ///
    /// If a value is invalid or a key is unknown; then, if `preset` is named, also what can't work
    /// with that preset, so that all errors are reported together. Whether valid settings can work is
    /// checked when they are used, because that depends on what is set in code.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, ConfigError> {
        let mut found = Vec::new();
        let config = Raw::deserialize(deserializer)
            .map_err(|error| found.push(ValidationError::new(WHOLE, error.to_string())))
            .map(|value| Self::by(value, &mut found));
        ConfigError::check(None, found).map(|()| config.unwrap_or_default())
    }

    /// Reads a file that has a table for each integration, under its name, with the errors of all of
    /// them at once: `sync.retry.max_attempts`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); and if something at the top isn't a table, or two have one name.
    pub fn read_all<'de, D>(deserializer: D) -> Result<BTreeMap<String, Self>, ConfigError>
    where
        D: Deserializer<'de>,
    {
        let file = Raw::deserialize(deserializer).map_err(|error| {
            ConfigError::of(None, ValidationError::new(WHOLE, error.to_string()))
        })?;
        let Raw::Table(entries) = file else {
            let problem = "give a table for each integration, under its name";
            return Err(ConfigError::of(None, ValidationError::new(WHOLE, problem)));
        };
        let (mut configs, mut found) = (BTreeMap::new(), Vec::new());
        for (name, value) in entries {
            let mut of_one = Vec::new();
            let config = match value {
                Raw::Table(_) => Self::by(value, &mut of_one),
                _ => {
                    let problem = "this is no table of an integration's settings";
                    found.push(ValidationError::new(&name, problem));
                    continue;
                }
            };
            let path = |error: &ValidationError| match error.field() {
                WHOLE => name.clone(),
                field => format!("{name}.{field}"),
            };
            let errors = of_one.iter();
            found.extend(errors.map(|error| ValidationError::new(path(error), error.problem())));
            if configs.contains_key(&name) {
                found.push(ValidationError::new(&name, "it is here twice: join them"));
            }
            configs.insert(name, config);
        }
        ConfigError::check(None, found).map(|()| configs)
    }

    fn by(value: Raw, found: &mut Vec<ValidationError>) -> Self {
        let tables = Tables::read(&value.with_present_names(), &mut Reader::new(found));
        let config = Self(Arc::new(tables.unwrap_or_default()));
        // Whether settings can work depends on what is set in code. But if some are invalid, the others
        // are checked against the preset, so that all errors are reported together.
        if let Some(preset) = config.0.preset.filter(|_| !found.is_empty()) {
            config.check_against(preset, found);
        }
        config
    }

    /// The preset that it names.
    #[must_use]
    pub fn preset(&self) -> Option<Preset> {
        self.0.preset
    }

    /// Adds what can't work with the preset's settings.
    fn check_against(&self, preset: Preset, found: &mut Vec<ValidationError>) {
        let limits = self.0.hyper.as_ref().map(|_| PoolLimits::unset());
        let base = Baseline { preset, slots: preset.slots(), limits };
        let mut more = Vec::new();
        Settings(Some(self.clone())).merge(&base, &mut more);
        // An invalid value keeps the preset's, so errors that follow from it are dropped.
        more.retain(|mistake| !found.iter().any(|known| may_follow_from(mistake, known)));
        found.extend(more);
    }

    fn of(preset: Preset, slots: &Slots, limits: Option<&PoolLimits>) -> Self {
        Self(Arc::new(Tables::of(preset, slots, limits)))
    }
}

impl<'de> Deserialize<'de> for IntegrationConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer).map_err(serde::de::Error::custom)
    }
}

impl Serialize for IntegrationConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write().serialize(serializer)
    }
}

impl fmt::Debug for IntegrationConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IntegrationConfig({})", self.0.write())
    }
}

// === impl Settings ===

impl Settings {
    /// Merges the settings over what was set in code, and checks all together.
    pub(in super::super) fn merge(
        &self,
        base: &Baseline,
        found: &mut Vec<ValidationError>,
    ) -> Merged {
        let (mut slots, mut limits) = (base.slots.clone(), base.limits);
        if let Some(IntegrationConfig(tables)) = &self.0 {
            let mut reader = Reader::new(found);
            tables.merge(base.preset, &mut slots, &mut limits, &mut reader);
        }
        let so_far = found.len();
        let laid = Merged::checked(slots, limits, found);
        if self.0.is_some() {
            let more = found.split_off(so_far).into_iter();
            found.extend(more.map(|mistake| {
                ValidationError::new(in_file(mistake.field(), &laid.slots), mistake.problem())
            }));
        }
        laid
    }
}

// === what integrations do with settings ===

impl Integration {
    /// An integration with the preset that `config` names, to be adjusted further in code.
    ///
    /// # Errors
    ///
    /// When it names none.
    pub fn from_config(
        name: impl Into<Arc<str>>,
        config: IntegrationConfig,
    ) -> Result<IntegrationBuilder<OwnClient>, ConfigError> {
        let name = name.into();
        let builder = match config.preset() {
            Some(Preset::UserFlow) => Self::user_flow(Arc::clone(&name)),
            Some(Preset::Background) => Self::background(Arc::clone(&name)),
            None => {
                let problem = "it is missing: say \"user_flow\" or \"background\"";
                let missing = ValidationError::new("preset", problem);
                return Err(ConfigError::of(Some(&name), missing));
            }
        };
        Ok(builder.config(config))
    }

    /// Applies other settings, merged over what was set in code, from the next call on.
    ///
    /// Connections, the breaker's state and results, tokens, permits, queues, what was learned (unless
    /// learning is switched off) and the kill switch's position stay; calls in flight keep the settings
    /// that they began with. A setting that an earlier config set and this one doesn't name is again as
    /// it was set in code: so an empty config undoes all of them, and a file that couldn't be read must
    /// not be applied as an empty one. A subscriber of the change may apply other settings in turn.
    ///
    /// # Errors
    ///
    /// If the settings can't work: all errors are reported, and nothing is changed.
    pub fn apply(&self, config: &IntegrationConfig) -> Result<(), ConfigError> {
        let laid = self.merged(config)?;
        self.shared.live.change(laid.slots, || {
            if let (Some(pool), Some(limits)) = (&self.shared.pool, laid.limits) {
                pool.set_limits(limits);
            }
        });
        self.shared.emitter.emit(None, || Event::SettingsApplied);
        Ok(())
    }

    /// Whether settings could be [applied](Self::apply), without applying them: where one file has the
    /// settings of several integrations, check all of them first.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub fn check_config(&self, config: &IntegrationConfig) -> Result<(), ConfigError> {
        self.merged(config).map(drop)
    }

    fn merged(&self, config: &IntegrationConfig) -> Result<Merged, ConfigError> {
        let mut found = Vec::new();
        let settings = Settings(Some(config.clone()));
        let laid = settings.merge(self.shared.live.base(), &mut found);
        ConfigError::check(Some(self.name()), found).map(|()| laid)
    }

    /// All settings as they are, those from code included.
    #[must_use]
    pub fn config(&self) -> IntegrationConfig {
        let limits = self.shared.pool.as_ref().map(crate::transport::pool::PoolHandle::limits);
        let preset = self.shared.live.base().preset;
        IntegrationConfig::of(preset, &self.shared.live.slots(), limits.as_ref())
    }
}

impl<T> IntegrationBuilder<T> {
    /// Merges settings from a file over those of the builder, in whichever order they were given.
    pub fn config(mut self, config: IntegrationConfig) -> Self {
        self.settings = Settings(Some(config));
        self
    }
}
