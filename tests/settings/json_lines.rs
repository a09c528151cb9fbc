//! The file of what fallbacks answered: nothing that was recorded is lost while the disk comes and goes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use http::{Method, Response};
use outrigger::Integration;
use outrigger::context::{BusinessKey, IdempotencyKey, PathTemplate};
use outrigger::fallback::{FallbackLayer, JsonLines};
use outrigger::rt::Clock;
use outrigger::testing::{Answer, Script};
use serde_json::Value;

use crate::call::{answers, get, request, status};

/// A folder of one test, which is gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("outrigger-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("fallbacks.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn crm(lines: &JsonLines, provider: &Script) -> Integration {
    Integration::user_flow("crm")
        .without_breaker()
        .fallback(FallbackLayer::value(Response::new("{}")).record_to(lines.clone()))
        .service(provider.clone())
        .build()
        .unwrap()
}

/// The lines of a file, all of which must be whole.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Falls back so many times.
async fn fall_back(crm: &Integration, times: usize) {
    for _ in 0..times {
        let request = crate::call::once();
        assert_eq!(status(crm.send(request)).await.unwrap(), 200);
    }
}

/// Waits for what another thread does.
fn until(mut reached: impl FnMut() -> bool) {
    // It ends by itself: ten seconds are no measure, but a way out of a failed test.
    for _ in 0..5_000 {
        if reached() {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("waited in vain");
}

const LONG: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_record_is_a_line_with_every_field() {
    let folder = Folder::new("fields");
    let written = JsonLines::create(folder.file()).unwrap();
    let crm = crm(&written, &Script::new([Answer::status(503).after(Duration::from_secs(1))]));
    let mut order = request(Method::PUT);
    order.extensions_mut().insert(PathTemplate::new("/orders/{id}"));
    order.extensions_mut().insert(BusinessKey::new("order \"7\""));
    order.extensions_mut().insert(IdempotencyKey::from_business_key("order 7"));
    order.extensions_mut().insert(outrigger::retry::RetryOverride::Never);
    status(crm.send(order)).await.unwrap();
    assert!(written.flush(LONG));
    let lines = lines(&folder.file());
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let mut keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "at",
        "attempts",
        "business_key",
        "call_id",
        "class",
        "correlation_id",
        "delivery",
        "elapsed",
        "error",
        "idempotency_key",
        "integration",
        "method",
        "path",
        "status",
    ];
    assert_eq!(keys, expected);
    let is = |key: &str, value: Value| assert_eq!(line[key], value, "{key}");
    is("attempts", 1.into());
    is("business_key", "order \"7\"".into());
    is("delivery", "answered".into());
    is("elapsed", 1.0.into());
    is("error", Value::Null);
    is("integration", "crm".into());
    is("method", "PUT".into());
    is("path", "/orders/{id}".into());
    is("status", 503.into());
    for key in ["at", "call_id", "class", "correlation_id"] {
        assert!(line[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_says_what_was_wrong() {
    let folder = Folder::new("error");
    let written = JsonLines::create(folder.file()).unwrap();
    let broken = Answer::broken(std::io::ErrorKind::ConnectionReset);
    let crm = crm(&written, &Script::new([broken]));
    fall_back(&crm, 1).await;
    assert!(written.flush(LONG));
    let line = &lines(&folder.file())[0];
    assert!(line["error"].is_string() && line["status"].is_null(), "{line}");
    assert!(line["path"].is_null() && line["business_key"].is_null());
    assert!(!line.to_string().contains("crm.test"), "no URL: {line}");
}

#[tokio::test(start_paused = true)]
async fn lines_are_added_to_what_a_file_holds() {
    let folder = Folder::new("append");
    fs::write(folder.file(), "{\"old\":1}\n").unwrap();
    for n in 2..4 {
        let written = JsonLines::create(folder.file()).unwrap();
        fall_back(&crm(&written, &answers(500)), 1).await;
        assert!(written.flush(LONG));
        assert_eq!((lines(&folder.file()).len(), written.lost()), (n, 0));
    }
    assert_eq!(lines(&folder.file())[0]["old"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_torn_takes_no_other_with_it() {
    let folder = Folder::new("torn");
    fs::write(folder.file(), "{\"old\":1}\n{\"old\":").unwrap();
    let written = JsonLines::create(folder.file()).unwrap();
    let crm = crm(&written, &answers(500));
    for n in 1..3 {
        fall_back(&crm, 1).await;
        assert!(written.flush(LONG));
        let text = fs::read_to_string(folder.file()).unwrap();
        let read = text.lines().map(serde_json::from_str::<Value>);
        assert_eq!(read.filter(Result::is_ok).count(), 1 + n, "{text}");
        assert_eq!(text.lines().count(), 2 + n, "{text}");
    }
}

/// A disk that is full in the middle of a line, as the one that this very test runs with again.
#[cfg(unix)]
#[test]
fn a_batch_that_was_written_in_part_is_gone_on_with() {
    const FILE: &str = "OUTRIGGER_TEST_FULL_DISK";
    /// Than have room in 4 KiB, and fewer than in twice as much.
    const MORE: usize = 16;
    let name = "json_lines::a_batch_that_was_written_in_part_is_gone_on_with";
    let Some(file) = std::env::var_os(FILE).map(PathBuf::from) else {
        let folder = Folder::new("full");
        let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact \"$1\"";
        let again = std::process::Command::new("sh")
            .args(["-c", limited])
            .arg(std::env::current_exe().unwrap())
            .arg(name)
            .env(FILE, folder.file())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&again.stdout);
        assert!(again.status.success() && said.contains("1 passed"), "{said}");
        return;
    };
    let written = JsonLines::create(&file).unwrap();
    let crm = crm(&written, &answers(500));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // One batch: they wait while a folder stands where the file was.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    runtime.unwrap().block_on(async {
        fall_back(&crm, 1).await;
        until(|| written.trouble().is_some());
        fall_back(&crm, MORE - 1).await;
    });
    fs::remove_dir(&file).unwrap();
    until(|| written.trouble().is_some_and(|why| why.contains("large")));
    let full = file.with_extension("full");
    fs::rename(&file, &full).unwrap();
    assert!(written.flush(LONG), "{:?}", written.trouble());
    let text = fs::read_to_string(&full).unwrap() + "\n" + &fs::read_to_string(&file).unwrap();
    let read = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut calls: Vec<_> = read.map(|line| line["call_id"].to_string()).collect();
    assert_eq!((calls.len(), written.lost()), (MORE, 0), "{text}");
    calls.sort_unstable();
    calls.dedup();
    assert_eq!(calls.len(), MORE, "none is written twice");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_wrong_loses_nothing() {
    let folder = Folder::new("clock");
    let written = JsonLines::create(folder.file()).unwrap();
    let year = Duration::from_secs(366 * 24 * 3600);
    for at in [SystemTime::UNIX_EPOCH - year, SystemTime::UNIX_EPOCH + 9_000 * year] {
        let layer = FallbackLayer::value(Response::new("{}")).record_to(written.clone());
        let crm = Integration::user_flow("crm").fallback(layer.clock(Clock::anchored(at)));
        let crm = crm.service(answers(500)).build().unwrap();
        fall_back(&crm, 1).await;
    }
    assert!(written.flush(LONG));
    let dates: Vec<_> = lines(&folder.file()).iter().map(|line| line["at"].to_string()).collect();
    assert_eq!(dates, ["\"1970-01-01T00:00:00.000Z\"", "\"9999-12-31T23:59:59.000Z\""]);
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_is_no_record() {
    let folder = Folder::new("good");
    let written = JsonLines::create(folder.file()).unwrap();
    status(crm(&written, &answers(200)).send(get())).await.unwrap();
    assert!(written.flush(Duration::ZERO), "there is nothing to wait for");
    assert_eq!(lines(&folder.file()).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_moved_away_is_begun_anew() {
    let folder = Folder::new("moved");
    let written = JsonLines::create(folder.file()).unwrap();
    let crm = crm(&written, &answers(500));
    fall_back(&crm, 2).await;
    assert!(written.flush(LONG));
    let old = folder.0.join("fallbacks.jsonl.1");
    fs::rename(folder.file(), &old).unwrap();
    fall_back(&crm, 3).await;
    assert!(written.flush(LONG));
    assert_eq!((lines(&old).len(), lines(&folder.file()).len()), (2, 3));
    fs::remove_file(folder.file()).unwrap();
    fall_back(&crm, 1).await;
    assert!(written.flush(LONG));
    assert_eq!(lines(&folder.file()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_named_kept_and_written_later() {
    let folder = Folder::new("trouble");
    let written = JsonLines::create(folder.file()).unwrap();
    let crm = crm(&written, &answers(500));
    fall_back(&crm, 1).await;
    assert!(written.flush(LONG));
    assert_eq!(written.trouble(), None);
    // A folder stands where the file was.
    fs::remove_file(folder.file()).unwrap();
    fs::create_dir(folder.file()).unwrap();
    fall_back(&crm, 3).await;
    until(|| written.trouble().is_some());
    assert!(!written.flush(Duration::from_millis(1)), "it isn't written");
    fs::remove_dir(folder.file()).unwrap();
    fall_back(&crm, 1).await;
    assert!(written.flush(LONG));
    assert_eq!((lines(&folder.file()).len(), written.lost()), (4, 0));
    assert_eq!(written.trouble(), None);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_was_removed_and_comes_back_costs_nothing() {
    let folder = Folder::new("removed");
    let written = JsonLines::create(folder.file()).unwrap();
    let crm = crm(&written, &answers(500));
    fs::remove_dir_all(&folder.0).unwrap();
    fall_back(&crm, 2).await;
    until(|| written.trouble().is_some());
    fs::create_dir_all(&folder.0).unwrap();
    assert!(written.flush(LONG));
    assert_eq!((lines(&folder.file()).len(), written.trouble()), (2, None));
}

#[tokio::test(start_paused = true)]
async fn dropping_it_writes_what_is_kept() {
    let folder = Folder::new("drop");
    let written = JsonLines::create(folder.file()).unwrap();
    let crm = crm(&written, &answers(500));
    fall_back(&crm, 50).await;
    drop(written);
    drop(crm);
    assert_eq!(lines(&folder.file()).len(), 50);
}

#[tokio::test(start_paused = true)]
async fn dropping_it_ends_though_nothing_can_be_written() {
    let folder = Folder::new("lost");
    let written = JsonLines::create(folder.file()).unwrap();
    let crm = crm(&written, &answers(500));
    fs::remove_dir_all(&folder.0).unwrap();
    fall_back(&crm, 1).await;
    until(|| written.trouble().is_some());
    drop((written, crm));
}

#[test]
fn a_path_that_cannot_be_a_file_is_refused_at_once() {
    let folder = Folder::new("refused");
    assert!(JsonLines::create(&folder.0).is_err());
    assert!(JsonLines::create(folder.0.join("nowhere").join("file")).is_err());
}

#[test]
fn many_threads_write_whole_lines() {
    let folder = Folder::new("threads");
    let written = JsonLines::create(folder.file()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let crm = crm(&written, &answers(500));
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(fall_back(&crm, 250));
            });
        }
    });
    assert!(written.flush(LONG));
    let lines = lines(&folder.file());
    let calls: std::collections::HashSet<_> =
        lines.iter().map(|line| line["call_id"].as_str().unwrap()).collect();
    assert_eq!((lines.len(), calls.len(), written.lost()), (2_000, 2_000, 0));
}

#[test]
fn it_shows_its_path() {
    let folder = Folder::new("debug");
    let shown = format!("{:?}", JsonLines::create(folder.file()).unwrap());
    assert!(shown.starts_with("JsonLines") && shown.contains("fallbacks.jsonl"), "{shown}");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("mode");
    let _lines = JsonLines::create(folder.file()).unwrap();
    let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o177, 0, "{mode:o}");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn no_link_is_followed_at_first_or_later() {
    let folder = Folder::new("links");
    let elsewhere = folder.0.join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, folder.file()).unwrap();
    assert!(JsonLines::create(folder.file()).is_err());
    fs::remove_file(folder.file()).unwrap();
    let written = JsonLines::create(folder.file()).unwrap();
    let crm = crm(&written, &answers(500));
    fs::remove_file(folder.file()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, folder.file()).unwrap();
    fall_back(&crm, 2).await;
    until(|| written.trouble().is_some());
    assert_eq!(written.trouble().unwrap(), "it is a symbolic link");
    assert!(!elsewhere.exists());
    fs::remove_file(folder.file()).unwrap();
    assert!(written.flush(LONG));
    assert_eq!((lines(&folder.file()).len(), written.lost()), (2, 0));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_at_once() {
    let folder = Folder::new("pipe");
    let made = std::process::Command::new("mkfifo").arg(folder.file()).status().expect("mkfifo");
    assert!(made.success());
    let error = JsonLines::create(folder.file()).unwrap_err();
    assert_eq!(error.to_string(), "it is no regular file");
}
