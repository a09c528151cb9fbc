//! How times, and the texts of strangers, are written.

use std::time::{Duration, SystemTime};

use crate::rt::clamp_to_year_9999;

/// A duration in one or two units: `250 ms`, `12 s`, `3 min`, `2 h 5 min`, `4 d`.
pub(in crate::console) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => match seconds % 3600 / 60 {
            0 => format!("{} h", seconds / 3600),
            minutes => format!("{} h {minutes} min", seconds / 3600),
        },
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `2026-12-01T14:02:11Z`, for machines and as the text where no script runs.
pub(in crate::console) fn date(at: SystemTime) -> String {
    humantime::format_rfc3339_seconds(clamp_to_year_9999(at)).to_string()
}

/// Text of strangers: control characters are shown, and so is what has no width or turns the direction of writing; and it
/// is cut.
pub(in crate::console) fn shown(text: &str) -> String {
    let plain = text.chars().take(MOST).map(|sign| match sign {
        '\n' | '\t' => sign,
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + sign as u32).unwrap_or('␀'),
        '\u{7f}'..='\u{9f}' => '␡',
        '\u{200e}'
        | '\u{200f}'
        | '\u{061c}'
        | '\u{200b}'
        | '\u{2060}'
        | '\u{feff}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '␣',
        _ => sign,
    });
    let mut plain: String = plain.collect();
    if text.chars().nth(MOST).is_some() {
        plain.push('…');
    }
    plain
}

/// What is recorded of a text that somebody typed.
pub(in crate::console) fn cut(text: &str) -> String {
    text.chars().take(LINE).collect()
}

/// The longest reason, in characters.
const LINE: usize = 500;
/// The longest text of a stranger, in characters.
const MOST: usize = 16_384;
