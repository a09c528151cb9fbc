//! A switch that follows a file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};

use outrigger::event::{Event, SourceProblem, SwitchMode};
use outrigger::kill_switch::{Following, SwitchFile};

use super::{Switched, changes};
use crate::clock::{millis, secs, wait};

/// A folder of its own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("outrigger-switch-{}-{number}", process::id()));
        fs::create_dir(&path).expect("a folder of its own");
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("crm")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// As one is told to: by renaming.
fn write(path: &Path, text: impl AsRef<[u8]>) {
    let aside = path.with_extension("new");
    fs::write(&aside, text).expect("written");
    fs::rename(aside, path).expect("renamed");
}

/// A switch that follows a file in a folder.
struct Followed {
    crm: Switched,
    folder: Folder,
    _following: Following,
}

impl Followed {
    async fn new(content: Option<&str>) -> Self {
        let (crm, folder) = (Switched::new(), Folder::new());
        if let Some(content) = content {
            write(&folder.file(), content);
        }
        let following = crm.switch.follow(SwitchFile::new(folder.file()));
        wait(MOMENT).await;
        Self { crm, folder, _following: following }
    }

    /// Writes the file, and waits until it was looked at.
    async fn write(&self, text: impl AsRef<[u8]>) {
        write(&self.folder.file(), text);
        wait(secs(1) + MOMENT).await;
    }

    fn mode(&self) -> SwitchMode {
        self.crm.switch.mode()
    }

    fn problem(&self) -> Option<SourceProblem> {
        self.crm.switch.trouble().map(|trouble| trouble.problem())
    }

    /// The troubles that were told.
    fn told(&self) -> Vec<SourceProblem> {
        let problem = |event| match event {
            Event::KillSwitchSourceFailed { problem, .. } => Some(problem),
            _ => None,
        };
        self.crm.events.events().into_iter().filter_map(problem).collect()
    }

    /// Whether the last trouble mattered when it was told, and whether it does now.
    fn matters(&self) -> (Option<bool>, bool) {
        let matters = |event| match event {
            Event::KillSwitchSourceFailed { matters, .. } => Some(matters),
            _ => None,
        };
        let told = self.crm.events.events().into_iter().rev().find_map(matters);
        (told, self.crm.switch.is_troubled())
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_there_is_obeyed_at_once() {
    let crm = Followed::new(Some("off\nwho: ada\nwhy: moving house\n")).await;
    let error = crm.crm.call().await.unwrap_err().to_string();
    assert!(error.ends_with("by ada: moving house"), "{error}");
    assert_eq!((crm.problem(), crm.told()), (None, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_missing_at_first_is_obeyed_once_it_appears() {
    let crm = Followed::new(None).await;
    wait(secs(30)).await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::On, Some(SourceProblem::Missing)));
    assert_eq!(crm.told(), [SourceProblem::Missing], "told once, not every second");
    let trouble = crm.crm.switch.trouble().unwrap().to_string();
    assert_eq!(trouble, format!("{} isn't there", crm.folder.file().display()));
    crm.write("cache-only").await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::CacheOnly, None));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_missing_is_missed_if_it_was_there_before_or_the_switch_was_moved() {
    let crm = Followed::new(None).await;
    assert_eq!(crm.matters(), (Some(false), false), "it never was there");
    crm.crm.set(SwitchMode::Off);
    assert_eq!(crm.matters(), (Some(false), true), "who wants it on again may write there");
    crm.crm.set(SwitchMode::On);
    assert_eq!(crm.matters(), (Some(false), false));
    crm.write("on").await;
    fs::remove_file(crm.folder.file()).unwrap();
    wait(secs(2)).await;
    assert_eq!(crm.matters(), (Some(true), true), "it was there");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_is_followed() {
    use SwitchMode::{FallbackOnly, Off, On};
    let crm = Followed::new(Some("on")).await;
    for text in ["off", "off\nwhy: still", "fallback-only", "on"] {
        crm.write(text).await;
    }
    assert_eq!(changes(&crm.crm.events), [(On, Off), (Off, FallbackOnly), (FallbackOnly, On)]);
}

#[tokio::test(start_paused = true)]
async fn a_malformed_file_keeps_the_switch_where_it_is_and_says_so_once() {
    let crm = Followed::new(Some("off")).await;
    crm.write("offf\n").await;
    wait(secs(30)).await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::Off, Some(SourceProblem::Malformed)));
    assert_eq!(crm.told(), [SourceProblem::Malformed]);
    let trouble = crm.crm.switch.trouble().unwrap().to_string();
    let begins =
        format!("{}: line 1: what is there (4 bytes) is no mode", crm.folder.file().display());
    assert!(trouble.starts_with(&begins), "{trouble}");
    crm.write("off").await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::Off, None), "mended");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_no_text_or_a_folder_is_trouble_too() {
    let crm = Followed::new(Some("off")).await;
    crm.write([0xff, 0xfe, b'o', b'n']).await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::Off, Some(SourceProblem::Malformed)));
    fs::remove_file(crm.folder.file()).unwrap();
    fs::create_dir(crm.folder.file()).unwrap();
    wait(secs(1) + MOMENT).await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::Off, Some(SourceProblem::Unreadable)));
    assert_eq!(crm.told(), [SourceProblem::Malformed, SourceProblem::Unreadable]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_removed_keeps_the_switch_where_it_is() {
    let crm = Followed::new(Some("off\nwho: ada")).await;
    fs::remove_file(crm.folder.file()).unwrap();
    wait(secs(30)).await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::Off, Some(SourceProblem::Missing)));
    assert_eq!(crm.crm.switch.position().who(), Some("ada"));
    assert_eq!(crm.told(), [SourceProblem::Missing]);
    crm.write("off\nwho: ada").await;
    assert_eq!(crm.problem(), None, "as it was, and there again");
}

#[tokio::test(start_paused = true)]
async fn a_handles_word_holds_until_the_file_changes() {
    let crm = Followed::new(Some("off")).await;
    crm.crm.set(SwitchMode::On);
    wait(secs(30)).await;
    assert_eq!(crm.mode(), SwitchMode::On);
    crm.write("off\nwhy: I mean it").await;
    assert_eq!(crm.mode(), SwitchMode::Off);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_mended_as_it_was_overrules_nobody() {
    let crm = Followed::new(Some("on")).await;
    crm.crm.set(SwitchMode::Off);
    crm.write("onn").await;
    assert_eq!(crm.problem(), Some(SourceProblem::Malformed));
    crm.write("on").await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::Off, None));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_removed_and_is_written_again_is_obeyed() {
    let crm = Followed::new(Some("off")).await;
    fs::remove_file(crm.folder.file()).unwrap();
    wait(secs(1) + MOMENT).await;
    crm.crm.set(SwitchMode::On);
    crm.write("off").await;
    assert_eq!((crm.mode(), crm.problem()), (SwitchMode::Off, None));
}

#[tokio::test(start_paused = true)]
async fn what_the_wrong_file_holds_is_shown_nowhere() {
    let crm = Followed::new(Some("on")).await;
    for text in ["root:x:0:0:hunter2", "off\nhunter2: 1", "off\nhunter2", "# \n\nhunter2\noff"] {
        crm.write(text).await;
        assert_eq!(crm.problem(), Some(SourceProblem::Malformed), "{text}");
        let trouble = crm.crm.switch.trouble().unwrap();
        let shown = format!("{trouble} {trouble:?} {:?}", crm.crm.switch);
        assert!(!shown.contains("hunter2") && shown.contains("bytes"), "{shown}");
    }
    crm.write(b"\xffhunter2").await;
    let trouble = crm.crm.switch.trouble().unwrap().to_string();
    assert!(trouble.ends_with("crm: 8 bytes that are no text"), "{trouble}");
    crm.write("off\n".repeat(20_000)).await;
    let trouble = crm.crm.switch.trouble().unwrap().to_string();
    assert!(trouble.ends_with("crm: it has more than 65536 bytes"), "{trouble}");
    assert_eq!(crm.mode(), SwitchMode::On);
}

/// To open a named pipe that nobody writes to would wait for ever.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_pipe_is_refused_at_once_and_a_file_in_its_place_is_obeyed() {
    let (crm, folder) = (Switched::new(), Folder::new());
    let made = process::Command::new("mkfifo").arg(folder.file()).status().expect("mkfifo");
    assert!(made.success());
    let _following = crm.switch.follow(SwitchFile::new(folder.file()));
    wait(MOMENT).await;
    let trouble = crm.switch.trouble().expect("it is no file");
    let said = format!("{}: it is no regular file", folder.file().display());
    assert_eq!((trouble.problem(), trouble.to_string()), (SourceProblem::Unreadable, said));
    write(&folder.file(), "off\nwho: ada");
    wait(secs(1) + MOMENT).await;
    assert_eq!((crm.switch.mode(), crm.switch.trouble()), (SwitchMode::Off, None));
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_link_to_a_file_is_followed() {
    let (crm, folder) = (Switched::new(), Folder::new());
    let real = folder.file().with_extension("real");
    write(&real, "off");
    std::os::unix::fs::symlink(&real, folder.file()).unwrap();
    let _following = crm.switch.follow(SwitchFile::new(folder.file()));
    wait(MOMENT).await;
    assert_eq!((crm.switch.mode(), crm.switch.trouble()), (SwitchMode::Off, None));
}

#[test]
fn a_switch_file_shows_its_path_alone() {
    let shown = format!("{:?}", SwitchFile::new("/etc/switch"));
    assert_eq!(shown, r#"SwitchFile { path: "/etc/switch", every: 1s, .. }"#);
}

#[tokio::test(start_paused = true)]
async fn how_often_it_is_looked_at_is_a_setting() {
    let (crm, folder) = (Switched::new(), Folder::new());
    write(&folder.file(), "on");
    let file = SwitchFile::new(folder.file()).every(secs(60));
    let _following = crm.switch.follow(file);
    wait(MOMENT).await;
    write(&folder.file(), "off");
    wait(secs(59)).await;
    assert_eq!(crm.switch.mode(), SwitchMode::On);
    wait(secs(1)).await;
    assert_eq!(crm.switch.mode(), SwitchMode::Off);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_no_longer_looked_at_once_following_is_dropped() {
    let crm = Followed::new(Some("on")).await;
    let Followed { crm, folder, _following: following } = crm;
    drop(following);
    write(&folder.file(), "off");
    wait(secs(30)).await;
    assert_eq!(crm.switch.mode(), SwitchMode::On);
}

/// Paused time stands still while a file is read, so this is time enough for it.
const MOMENT: Duration = millis(5);
