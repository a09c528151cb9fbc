//! All instances of a service, as a registry sees them.

use std::fmt;
#[cfg(feature = "console")]
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::registry::Controllable;
use crate::terms::InstanceState;

/// How this instance obeys its fleet (feature `fleet`), for one integration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetHealth {
    /// This instance's name.
    pub instance: String,
    /// Whether the fleet's database has answered since the process began. If not, controls and settings are those
    /// of this process.
    pub has_heard: bool,
    /// The time since it answered last; since the fleet was built, if it never has.
    pub heard_ago: Duration,
    /// Why the last look at the database failed, if it did; or why an integration is given no share of its account's rate.
    pub error: Option<String>,
    /// Since when it doesn't answer, if that is longer than 10 s. Controls and settings stay as they were told last.
    pub unheard_since: Option<SystemTime>,
    /// Until when somebody wanted a control to be where it is, by the database's clock; the earliest.
    pub wanted_until: Option<SystemTime>,
    /// What this instance doesn't obey; all is well if there is nothing.
    pub troubles: Vec<FleetTrouble>,
}

/// What an instance doesn't obey.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetTrouble {
    /// The integration.
    pub integration: String,
    /// A control's name, `settings`, or the path of one setting: `settings.retry.max_attempts`.
    pub of: String,
    /// Why.
    pub why: String,
}

/// All instances of a fleet, and what they obey.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetView {
    /// The number of the last change that was stored.
    pub revision: u64,
    /// The instances, by name.
    pub instances: Vec<FleetInstance>,
}

/// One process of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetInstance {
    /// Its name.
    pub name: String,
    /// The machine that it runs on, as far as that is known.
    pub host: String,
    /// The version of this library that it was built with.
    pub version: String,
    /// Whether it obeys.
    pub state: InstanceState,
    /// For how long it hasn't obeyed; `None` if it does.
    pub for_time: Option<Duration>,
    /// The time since its last sign, by the database's clock.
    pub seen_ago: Duration,
    /// The number of the last change that it has taken over.
    pub revision: u64,
    /// What it doesn't obey.
    pub troubles: Vec<FleetTrouble>,
}

/// What a fleet says of an integration: a control's position, or its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetWord {
    /// The integration.
    pub integration: String,
    /// A control's name, or `settings`.
    pub of: String,
    /// The position; of settings the table, as JSON.
    pub says: String,
    /// Who said so.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when, by the database's clock.
    pub since: SystemTime,
    /// Until when it is wanted, if somebody said so.
    pub until: Option<SystemTime>,
    /// The position that it is then set back to.
    pub back: Option<String>,
    /// The number of the change.
    pub revision: u64,
}

/// A fleet, as a registry sees it.
pub(crate) trait AnyFleet: Send + Sync {
    /// How this instance obeys it, for one integration.
    fn health(&self, integration: &str) -> FleetHealth;

    /// An integration was registered, and obeys from now on.
    fn obey(&self, newcomer: Arc<dyn Controllable>);

    /// Sets a control of all instances, waits a moment for them to obey, and says who does.
    #[cfg(feature = "console")]
    fn set(self: Arc<Self>, set: FleetSet) -> FleetAnswer<Obeyed>;

    /// Gives an integration settings on all instances, waits a moment for them to obey, and says who does; or all that is wrong.
    #[cfg(feature = "console")]
    fn configure(self: Arc<Self>, new: FleetConfigure) -> FleetAnswer<Obeyed, Vec<String>>;

    /// The settings of an integration.
    #[cfg(feature = "console")]
    fn settings(self: Arc<Self>, integration: String) -> FleetAnswer<FleetSettings>;

    /// All instances.
    #[cfg(feature = "console")]
    fn view(self: Arc<Self>) -> FleetAnswer<FleetView>;

    /// All that the fleet says.
    #[cfg(feature = "console")]
    fn words(self: Arc<Self>) -> FleetAnswer<Vec<FleetWord>>;
}

/// What the database answers, or why it doesn't.
#[cfg(feature = "console")]
pub(crate) type FleetAnswer<T, E = String> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Who obeys what was stored, or why that can't be asked.
#[cfg(feature = "console")]
pub(crate) type Obeyed = Result<FleetView, String>;

/// A control that a person sets for all instances.
#[cfg(feature = "console")]
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "fleet"), expect(dead_code, reason = "only a fleet reads it"))]
pub(crate) struct FleetSet {
    pub(crate) integration: String,
    pub(crate) control: String,
    pub(crate) to: String,
    pub(crate) who: String,
    pub(crate) why: String,
    /// For how long it is wanted, if they said so.
    pub(crate) wanted_for: Option<Duration>,
    /// Whether it is set back then.
    pub(crate) is_set_back: bool,
}

/// Settings that a person gives an integration on all instances.
#[cfg(feature = "console")]
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "fleet"), expect(dead_code, reason = "only a fleet reads it"))]
pub(crate) struct FleetConfigure {
    pub(crate) integration: String,
    /// In TOML.
    pub(crate) text: String,
    /// The number of the change that they saw when they wrote it, 0 if there was none. If there is another, nothing is stored.
    pub(crate) seen: Option<u64>,
    pub(crate) who: String,
    pub(crate) why: String,
}

/// The settings of an integration.
#[cfg(feature = "console")]
#[derive(Clone, Debug)]
pub(crate) struct FleetSettings {
    /// What the fleet says.
    pub(crate) said: Option<FleetWord>,
    /// The same, in TOML; nothing if it says nothing.
    pub(crate) text: String,
    /// All of them as they are on this instance, in TOML; `None` if it doesn't have the integration.
    pub(crate) present: Option<String>,
}

impl FleetView {
    /// Without the troubles of other integrations.
    #[cfg(feature = "console")]
    pub(crate) fn only(mut self, is_shown: impl Fn(&str) -> bool) -> Self {
        for instance in &mut self.instances {
            instance.troubles.retain(|trouble| is_shown(&trouble.integration));
        }
        self
    }

    /// Those that don't obey, or haven't done so yet.
    pub fn disobeying(&self) -> impl Iterator<Item = &FleetInstance> {
        self.instances.iter().filter(|instance| instance.state != InstanceState::Obeys)
    }
}

/// A sentence: `4 of 5 obey; web-3 not seen for 40 s`.
impl fmt::Display for FleetView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.instances.len();
        write!(f, "{} of {all} obey", all - self.disobeying().count())?;
        let (gone, here): (Vec<_>, Vec<_>) = self.disobeying().partition(|it| it.is_long_gone());
        here.into_iter().try_for_each(|it| write!(f, "; {it}"))?;
        match gone.len() {
            0 => Ok(()),
            count => write!(f, "; {count} not seen for over an hour"),
        }
    }
}

impl FleetInstance {
    pub(crate) fn is_long_gone(&self) -> bool {
        self.state == InstanceState::NotSeen && self.seen_ago > LONG
    }
}

/// Most that weren't seen for so long have been killed. Those that can't reach the database are among them.
const LONG: Duration = Duration::from_secs(3_600);

/// Its name, and what is the matter: `web-3 not seen for 40 s`.
impl fmt::Display for FleetInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.state.name())?;
        if let Some(time) = self.for_time {
            write!(f, " for {} s", time.as_secs())?;
        }
        self.troubles.iter().try_for_each(|trouble| write!(f, " ({trouble})"))
    }
}

/// `payments, kill_switch: why`.
impl fmt::Display for FleetTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.integration, self.of, self.why)
    }
}
