//! A switch's setting as text.

use outrigger::event::SwitchMode;
use outrigger::kill_switch::{KillSwitchLayer, SwitchSetting};
use proptest::prelude::*;

fn mode() -> impl Strategy<Value = SwitchMode> {
    proptest::sample::select(&SwitchMode::ALL[..])
}

/// Of every kind, and at times longer than a reason may be.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ #:\\r\\n\\ta-z\u{85}\u{2028}\u{2029}]{0,40}", "[a-z ]{490,520}",]
}

proptest! {
    #[test]
    fn a_setting_reads_back_as_it_was(mode in mode(), who in text(), why in text()) {
        let setting = SwitchSetting::new(mode).who(&who).why(&why);
        let text = setting.to_string();
        prop_assert_eq!(text.parse::<SwitchSetting>().unwrap(), setting.clone(), "{:?}", text);
        let lines = 1 + usize::from(setting.who.is_some()) + usize::from(setting.why.is_some());
        prop_assert_eq!(text.lines().count(), lines);
    }

    #[test]
    fn who_and_why_are_one_line_of_bounded_length(given in text()) {
        let setting = SwitchSetting::new(SwitchMode::Off).who(&given).why(&given);
        prop_assert_eq!(&setting.who, &setting.why);
        if let Some(kept) = setting.who {
            let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            prop_assert!(!kept.contains(breaks), "{:?}", kept);
            prop_assert!((1..=500).contains(&kept.chars().count()));
            prop_assert_eq!(kept.trim(), &kept);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = text.parse::<SwitchSetting>();
    }
}

#[test]
fn no_modes_name_is_the_beginning_of_another() {
    for one in SwitchMode::ALL {
        for other in SwitchMode::ALL.into_iter().filter(|other| *other != one) {
            assert!(!other.name().starts_with(one.name()), "{one} begins {other}");
        }
    }
}

#[test]
fn half_a_file_is_no_mode() {
    for mode in SwitchMode::ALL {
        for end in 0..mode.name().len() {
            assert!(mode.name()[..end].parse::<SwitchSetting>().is_err(), "half of {mode}");
        }
    }
}

#[test]
fn a_text_may_be_written_by_hand() {
    let off = SwitchSetting::new(SwitchMode::Off);
    let full = off.clone().who("ada").why("see: #42");
    for (text, setting) in [
        ("off", off.clone()),
        ("OFF\r\n", off.clone()),
        ("\n# a comment\n\n  Off  \n", off.clone()),
        ("off\nwho: ada\nwhy: see: #42\n", full.clone()),
        ("off\r\n  why :see: #42\r\n# more\r\nwho:ada", full),
        ("off\nwho:\nwhy", off.clone()),
        ("off\nwho: bob\nwho: ada", off.who("ada")),
        ("no-retries", SwitchSetting::new(SwitchMode::NoRetries)),
    ] {
        assert_eq!(text.parse(), Ok(setting), "{text:?}");
    }
}

#[test]
fn a_malformed_text_is_named_with_its_line() {
    for (text, line, says) in [
        ("", "line 1: ", "no mode: use one of on, no-retries, cache-only, fallback-only, off"),
        ("# nothing yet\n", "line 1: ", "no mode: use one of"),
        ("of", "line 1: ", "what is there (2 bytes) is no mode: use one of"),
        ("\n\nwho: ada\noff", "line 3: ", "what is there (8 bytes) is no mode"),
        ("off\non", "line 2: ", "what is there (2 bytes) is neither `who:` nor `why:`"),
        ("off\nwho: ada\n\nwhen: now", "line 4: ", "what is there (4 bytes) is neither"),
        ("on off", "line 1: ", "what is there (6 bytes) is no mode"),
        ("off\nWho: ada", "line 2: ", "what is there (3 bytes) is neither"),
        ("\u{0}off", "line 1: ", "what is there (4 bytes) is no mode"),
    ] {
        let error = text.parse::<SwitchSetting>().unwrap_err().to_string();
        assert!(error.starts_with(line) && error.contains(says), "{text:?}: {error}");
    }
}

#[test]
fn a_novel_is_cut_and_what_would_forge_a_log_line_is_cleaned() {
    let switch = KillSwitchLayer::new().handle();
    switch.set(SwitchMode::Off, "ada\r\n2026 ERROR forged\u{1b}[31m", "x".repeat(10_000));
    let position = switch.position();
    assert_eq!(position.who(), Some("ada  2026 ERROR forged [31m"));
    assert_eq!(position.why().map(str::len), Some(500));
    assert_eq!(position.to_string().lines().count(), 1);
    switch.set(SwitchMode::Off, "\n\t", " ");
    assert_eq!((switch.position().who(), switch.position().why()), (None, None));
}
