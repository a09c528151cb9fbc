use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use outrigger::Integration;
use outrigger::rt::Clock;
use outrigger::telemetry::audit::{Audit, AuditRecord, AuditSink, JsonLinesFile};
use outrigger::testing::{Answer, Script};
use serde_json::Value;

use super::collecting;
use crate::call::{get, read};

/// A folder of its own, which goes with its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("outrigger-audit-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("audit.jsonl")
    }

    /// How many records are in each file, by name.
    fn lines(&self) -> Vec<(String, usize)> {
        let files = fs::read_dir(&self.0).unwrap().map(|file| file.unwrap());
        let files = files.filter(|file| file.file_type().unwrap().is_file());
        let lines = |text: String| {
            text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count()
        };
        let mut files: Vec<_> = files
            .map(|file| {
                let name = file.file_name().into_string().unwrap();
                (name, lines(fs::read_to_string(file.path()).unwrap()))
            })
            .collect();
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn call(audit: &Audit, times: u32) {
    let crm = Integration::user_flow("crm").subscriber(audit.clone());
    let crm = crm.service(Script::new([Answer::status(200)])).build().unwrap();
    for _ in 0..times {
        read(crm.send(get())).await.unwrap();
    }
    assert!(audit.flush(Duration::from_secs(10)), "{:?}", audit.trouble());
}

/// A record, to be written where time can be held.
async fn record() -> AuditRecord {
    let (audit, collected) = collecting();
    call(&audit, 1).await;
    collected.records(&audit).remove(0)
}

fn named(files: &[(&str, usize)]) -> Vec<(String, usize)> {
    files.iter().map(|(name, lines)| ((*name).to_owned(), *lines)).collect()
}

#[tokio::test(start_paused = true)]
async fn lines_are_added_to_what_is_there() {
    let folder = Folder::new();
    for _ in 0..2 {
        let audit = Audit::to(JsonLinesFile::create(folder.file()).unwrap()).start().unwrap();
        call(&audit, 3).await;
    }
    assert_eq!(folder.lines(), named(&[("audit.jsonl", 6)]));
    assert!(JsonLinesFile::create(folder.0.join("no/such/folder")).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_torn_takes_no_other_with_it() {
    let folder = Folder::new();
    fs::write(folder.file(), "{}\n{\"at\":").unwrap();
    let audit = Audit::to(JsonLinesFile::create(folder.file()).unwrap()).start().unwrap();
    call(&audit, 2).await;
    assert_eq!(folder.lines(), named(&[("audit.jsonl", 3)]));
    let text = fs::read_to_string(folder.file()).unwrap();
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_moved_away_is_begun_anew() {
    let folder = Folder::new();
    let audit = Audit::to(JsonLinesFile::create(folder.file()).unwrap()).start().unwrap();
    call(&audit, 2).await;
    fs::rename(folder.file(), folder.0.join("old.jsonl")).unwrap();
    call(&audit, 1).await;
    assert_eq!(folder.lines(), named(&[("audit.jsonl", 1), ("old.jsonl", 2)]));
    fs::remove_file(folder.file()).unwrap();
    call(&audit, 3).await;
    assert_eq!(folder.lines(), named(&[("audit.jsonl", 3), ("old.jsonl", 2)]));
}

#[tokio::test(start_paused = true)]
async fn a_full_file_is_put_aside_and_the_oldest_is_removed() {
    let folder = Folder::new();
    let file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1).keep(2);
    let audit = Audit::to(file).start().unwrap();
    call(&audit, 5).await;
    let files = [("audit.jsonl", 1), ("audit.jsonl.1", 1), ("audit.jsonl.2", 1)];
    assert_eq!(folder.lines(), named(&files));
    drop(audit);
    let file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1).keep(0);
    call(&Audit::to(file).start().unwrap(), 3).await;
    assert_eq!(folder.lines(), named(&files), "nothing is kept, and what is there is let be");
}

#[tokio::test(start_paused = true)]
async fn as_many_are_kept_after_a_restart_and_all_where_all_are_wanted() {
    let folder = Folder::new();
    let record = record().await;
    for _ in 0..5 {
        let mut file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1).keep(2);
        file.write(&record).unwrap();
    }
    let files = [("audit.jsonl", 1), ("audit.jsonl.1", 1), ("audit.jsonl.2", 1)];
    assert_eq!(folder.lines(), named(&files));
    let mut file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1).keep(usize::MAX);
    for _ in 0..5 {
        file.write(&record).unwrap();
    }
    assert_eq!(folder.lines().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn what_cant_be_put_aside_is_written_on_and_costs_no_other_file() {
    let folder = Folder::new();
    let record = record().await;
    let mut file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1).keep(5);
    for _ in 0..6 {
        file.write(&record).unwrap();
    }
    // A folder in a file's place can be moved, but not to where one more is in the way.
    let blocked = folder.0.join("audit.jsonl.1");
    fs::remove_file(&blocked).unwrap();
    fs::create_dir(&blocked).unwrap();
    fs::remove_file(folder.0.join("audit.jsonl.5")).unwrap();
    fs::create_dir_all(folder.0.join("audit.jsonl.5").join("full")).unwrap();
    for n in 2..6 {
        file.write(&record).unwrap();
        assert_eq!(folder.lines()[0], ("audit.jsonl".to_owned(), n));
        let told = file.flush().unwrap_err().to_string();
        assert!(told.starts_with("a full file can't be put aside: "), "{told}");
        tokio::time::advance(Duration::from_secs(61)).await;
    }
    let kept = ["audit.jsonl.2", "audit.jsonl.3", "audit.jsonl.4"];
    assert!(kept.iter().all(|name| folder.lines().contains(&((*name).to_owned(), 1))));
    fs::remove_dir_all(folder.0.join("audit.jsonl.5")).unwrap();
    fs::remove_dir(&blocked).unwrap();
    file.write(&record).unwrap();
    assert!(file.flush().is_ok());
    assert_eq!(folder.lines()[..2], named(&[("audit.jsonl", 1), ("audit.jsonl.1", 5)]));
}

#[tokio::test(start_paused = true)]
async fn two_services_that_write_to_one_file_lose_nothing() {
    let folder = Folder::new();
    let record = record().await;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let file = JsonLinesFile::create(folder.file()).unwrap();
            let (mut file, record) = (file.max_bytes(900).keep(1_000), record.clone());
            scope.spawn(move || (0..100).for_each(|_| file.write(&record).unwrap()));
        }
    });
    let files = folder.lines();
    assert_eq!(files.iter().map(|(_, lines)| lines).sum::<usize>(), 400, "{files:?}");
    // How often depends on who is in whose way.
    assert!(files.len() > 1, "no full file was put aside");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_died_over_it_holds_up_the_others_for_two_seconds() {
    let folder = Folder::new();
    let record = record().await;
    let lock = folder.0.join("audit.jsonl.lock");
    for left_behind in ["", "another service 3\n"] {
        let mut file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1).keep(1);
        file.write(&record).unwrap();
        fs::write(&lock, left_behind).unwrap();
        let before = folder.lines()[0].1;
        for n in 1..4 {
            file.write(&record).unwrap();
            assert_eq!(folder.lines()[0], ("audit.jsonl".to_owned(), before + n));
        }
        tokio::time::advance(Duration::from_millis(1_999)).await;
        file.write(&record).unwrap();
        assert_eq!(folder.lines()[0].1, before + 4);
        tokio::time::advance(Duration::from_millis(1)).await;
        file.write(&record).unwrap();
        let files = [("audit.jsonl", 1), ("audit.jsonl.1", before + 4)];
        assert_eq!(folder.lines(), named(&files), "at once, with the same line");
        assert!(!lock.exists() && file.flush().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_at_work_on_it_is_waited_for() {
    let folder = Folder::new();
    let record = record().await;
    let mut file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1);
    for step in 1..10 {
        fs::write(folder.0.join("audit.jsonl.lock"), format!("another service {step}\n")).unwrap();
        file.write(&record).unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    let lines = folder.lines().into_iter().find(|(name, _)| name == "audit.jsonl");
    assert_eq!(lines, Some(("audit.jsonl".to_owned(), 9)));
}

#[tokio::test(start_paused = true)]
async fn a_day_has_its_own_file() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let folder = Folder::new();
    let record = record().await;
    // Two seconds before the end of a leap day, in UTC.
    let clock = Clock::anchored(SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_251_198));
    let mut file = JsonLinesFile::create(folder.file()).unwrap().daily().keep(2).clock(clock);
    let mut written_after = async |times: &[Duration]| {
        for time in times {
            tokio::time::advance(*time).await;
            file.write(&record).unwrap();
        }
        folder.lines()
    };
    let second = Duration::from_secs(1);
    // Made on a day on which nothing happened, and begun on the next.
    let files = written_after(&[2 * second, second, DAY - 2 * second]).await;
    assert_eq!(files, named(&[("audit.jsonl", 3)]));
    let files = written_after(&[second, second]).await;
    assert_eq!(files, named(&[("audit.jsonl", 2), ("audit.jsonl.1", 3)]));
    let files = written_after(&[DAY]).await;
    let kept = [("audit.jsonl", 1), ("audit.jsonl.1", 2), ("audit.jsonl.2", 3)];
    assert_eq!(files, named(&kept));
    // Days without a record have no file.
    let files = written_after(&[5 * DAY, second, second, second]).await;
    let kept = [("audit.jsonl", 4), ("audit.jsonl.1", 1), ("audit.jsonl.2", 2)];
    assert_eq!(files, named(&kept));
}

#[tokio::test(start_paused = true)]
async fn a_file_of_another_day_is_put_aside() {
    let folder = Folder::new();
    fs::write(folder.file(), "{}\n").unwrap();
    let yesterday = SystemTime::now() - Duration::from_secs(24 * 3600);
    let old = fs::File::options().append(true).open(folder.file()).unwrap();
    old.set_modified(yesterday).unwrap();
    let audit = Audit::to(JsonLinesFile::create(folder.file()).unwrap().daily()).start().unwrap();
    call(&audit, 2).await;
    assert_eq!(folder.lines(), named(&[("audit.jsonl", 2), ("audit.jsonl.1", 1)]));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_replaced_by_one_of_the_same_size_is_not_written_on() {
    let folder = Folder::new();
    let record = record().await;
    let mut file = JsonLinesFile::create(folder.file()).unwrap();
    file.write(&record).unwrap();
    let (old, new) = (folder.0.join("old"), folder.0.join("new"));
    fs::copy(folder.file(), &new).unwrap();
    fs::rename(folder.file(), &old).unwrap();
    fs::rename(&new, folder.file()).unwrap();
    file.write(&record).unwrap();
    assert_eq!(folder.lines(), named(&[("audit.jsonl", 2), ("old", 1)]));
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1);
    let audit = Audit::to(file).start().unwrap();
    call(&audit, 2).await;
    for file in [folder.file(), folder.0.join("audit.jsonl.1")] {
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o177, 0, "{mode:o}");
    }
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn what_is_no_regular_file_is_refused() {
    let folder = Folder::new();
    let (elsewhere, nowhere) = (folder.0.join("elsewhere"), folder.0.join("nowhere"));
    fs::write(&elsewhere, "").unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.0.join("pipe")).status();
    assert!(made.expect("mkfifo").success());
    std::os::unix::fs::symlink(&elsewhere, folder.0.join("link")).unwrap();
    std::os::unix::fs::symlink(&nowhere, folder.0.join("dangling")).unwrap();
    fs::create_dir(folder.0.join("folder")).unwrap();
    for (name, why) in [
        ("link", "it is a symbolic link"),
        ("dangling", "it is a symbolic link"),
        ("pipe", "it is no regular file"),
        ("folder", "it is no regular file"),
    ] {
        let error = JsonLinesFile::create(folder.0.join(name)).unwrap_err();
        assert_eq!(error.to_string(), why, "{name}");
    }
    assert!(JsonLinesFile::create("/dev/null").is_err());
    assert!(!nowhere.exists(), "nothing is made where a link leads");
    // Links on the way are no matter.
    let real = folder.0.join("real");
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, folder.0.join("way")).unwrap();
    assert!(JsonLinesFile::create(folder.0.join("way").join("audit.jsonl")).is_ok());
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_link_that_takes_its_place_is_not_followed() {
    let folder = Folder::new();
    let record = record().await;
    let mut file = JsonLinesFile::create(folder.file()).unwrap();
    file.write(&record).unwrap();
    let elsewhere = folder.0.join("elsewhere");
    fs::rename(folder.file(), &elsewhere).unwrap();
    // It leads to the very file that is open.
    std::os::unix::fs::symlink(&elsewhere, folder.file()).unwrap();
    assert_eq!(file.write(&record).unwrap_err().to_string(), "it is a symbolic link");
    assert_eq!(folder.lines(), named(&[("elsewhere", 1)]));
    fs::remove_file(folder.file()).unwrap();
    file.write(&record).unwrap();
    assert_eq!(folder.lines(), named(&[("audit.jsonl", 1), ("elsewhere", 1)]));
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_folder_that_nothing_can_be_moved_in_lets_it_be_written_on() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let record = record().await;
    let mut file = JsonLinesFile::create(folder.file()).unwrap().max_bytes(1);
    let may_write =
        |mode| fs::set_permissions(&folder.0, fs::Permissions::from_mode(mode)).unwrap();
    may_write(0o500);
    let is_stopped = fs::write(folder.0.join("other"), "").is_err();
    for _ in 0..3 {
        file.write(&record).unwrap();
    }
    let told = file.flush();
    may_write(0o700);
    // Nothing stops the system's own user.
    if is_stopped {
        assert!(told.is_err());
        assert_eq!(folder.lines(), named(&[("audit.jsonl", 3)]));
    }
}
