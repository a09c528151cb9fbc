use std::fmt;
use std::str::FromStr;

use crate::terms::SwitchMode;

/// A kill switch's mode, with who set it and why.
///
/// As text it is what a [`SwitchFile`](super::SwitchFile) holds, and reads back as it was.
///
/// ```
/// use outrigger::{event::SwitchMode, kill_switch::SwitchSetting};
///
/// let setting: SwitchSetting = "off\nwho: ada\nwhy: invoices are wrong\n".parse()?;
/// assert_eq!(setting, SwitchSetting::new(SwitchMode::Off).who("ada").why("invoices are wrong"));
/// # Ok::<(), outrigger::kill_switch::InvalidSetting>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwitchSetting {
    /// The mode.
    pub mode: SwitchMode,
    /// Who says so.
    pub who: Option<String>,
    /// Why.
    pub why: Option<String>,
}

/// A text that is no setting of a kill switch. It shows nothing of the text, which may be of something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSetting {
    line: usize,
    problem: String,
}

impl SwitchSetting {
    /// A mode without a person or a reason.
    #[must_use]
    pub fn new(mode: SwitchMode) -> Self {
        Self { mode, ..Self::default() }
    }

    /// Who says so. It stands on every refusal, on one line: of a longer text, the first 500
    /// characters are kept.
    #[must_use]
    pub fn who(mut self, who: impl AsRef<str>) -> Self {
        self.who = one_line(who.as_ref());
        self
    }

    /// Why. It stands on every refusal, on one line: of a longer text, the first 500 characters are
    /// kept.
    #[must_use]
    pub fn why(mut self, why: impl AsRef<str>) -> Self {
        self.why = one_line(why.as_ref());
        self
    }
}

impl FromStr for SwitchSetting {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let mut setting = None::<Self>;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let invalid = |problem| InvalidSetting { line: at + 1, problem };
            let Some(known) = &mut setting else {
                setting = Some(Self::new(mode(line).map_err(invalid)?));
                continue;
            };
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            match key.trim() {
                "who" => known.who = one_line(value),
                "why" => known.why = one_line(value),
                other => {
                    return Err(invalid(format!("{} is neither `who:` nor `why:`", sized(other))));
                }
            }
        }
        let empty = || InvalidSetting { line: 1, problem: format!("no mode: {}", modes()) };
        setting.ok_or_else(empty)
    }
}

impl fmt::Display for SwitchSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.mode)?;
        for (key, value) in [("who", &self.who), ("why", &self.why)] {
            if let Some(value) = value {
                writeln!(f, "{key}: {value}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for InvalidSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for InvalidSetting {}

fn mode(name: &str) -> Result<SwitchMode, String> {
    let known = SwitchMode::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(name));
    known.ok_or_else(|| format!("{} is no mode: {}", sized(name), modes()))
}

/// A text without its content.
fn sized(text: &str) -> String {
    format!("what is there ({} bytes)", text.len())
}

fn modes() -> String {
    let names = SwitchMode::ALL.map(SwitchMode::name).join(", ");
    format!("use one of {names}")
}

/// The text on one line, without control characters.
fn one_line(text: &str) -> Option<String> {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let clean = |c: char| if breaks(c) { ' ' } else { c };
    // Trimmed first, so that shortening a shortened text changes nothing.
    let text: String =
        text.trim_matches(|c| clean(c).is_whitespace()).chars().map(clean).take(LONGEST).collect();
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Every refusal contains the text, so it should be short.
const LONGEST: usize = 500;
