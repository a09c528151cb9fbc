//! Keys from a file: rotated while calls go on.

use std::fs;
use std::path::PathBuf;

use http::HeaderName;
use outrigger::Integration;
use outrigger::testing::{Answer, Script};
use outrigger::token::{KeyFile, TokenLayer};

use crate::bench::{get, millis, secs, send};

/// A file of its own, which is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("outrigger-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn shop(file: &File, provider: &Script) -> Integration {
    let keys = TokenLayer::new(KeyFile::new(&file.0)).header(HeaderName::from_static("x-api-key"));
    Integration::user_flow("shop").service(provider.clone()).token(keys).build().unwrap()
}

fn takes(key: &'static str) -> Script {
    Script::by(move |request| {
        Answer::status(if request.headers()["x-api-key"] == key { 200 } else { 401 })
    })
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_followed_by_the_second_once() {
    let file = File::new("overlap", "# rotated on Mondays\nold\n\nnew\n");
    let provider = takes("new");
    let shop = shop(&file, &provider);
    assert_eq!(send(&shop).await.unwrap(), 200);
    assert_eq!(provider.begun(), 2);
    assert_eq!(send(&shop).await.unwrap(), 200);
    assert_eq!(provider.begun(), 3);
    // The old one is taken away.
    fs::write(&file.0, "new\n").unwrap();
    tokio::time::sleep(secs(11)).await;
    for _ in 0..3 {
        assert_eq!(send(&shop).await.unwrap(), 200);
        tokio::time::sleep(millis(100)).await;
    }
    assert_eq!(provider.begun(), 6);
}

#[tokio::test(start_paused = true)]
async fn two_wrong_keys_are_two_requests_and_then_one_each() {
    let file = File::new("wrong", "one\ntwo\n");
    let provider = takes("three");
    let shop = shop(&file, &provider);
    assert_eq!(send(&shop).await.unwrap(), 401);
    assert_eq!(provider.begun(), 2);
    for _ in 0..9 {
        assert_eq!(send(&shop).await.unwrap(), 401);
    }
    assert_eq!(provider.begun(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_noticed_and_a_missing_one_harms_nothing() {
    let file = File::new("changed", "one\n");
    let provider = Script::new([Answer::status(200)]);
    let shop = shop(&file, &provider);
    send(&shop).await.unwrap();
    fs::remove_file(&file.0).unwrap();
    tokio::time::sleep(secs(3600)).await;
    send(&shop).await.unwrap();
    settle().await;
    assert!(shop.token().unwrap().error().unwrap().to_string().contains("can't be read"));
    fs::write(&file.0, "two\n").unwrap();
    tokio::time::sleep(secs(31)).await;
    send(&shop).await.unwrap();
    settle().await;
    shop.send(get()).await.unwrap();
    let keys: Vec<_> = provider
        .requests()
        .iter()
        .map(|seen| seen.headers()["x-api-key"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys, ["one", "one", "one", "two"]);
}

/// Lets the file be read, on a thread of its own: paused time stands still meanwhile.
async fn settle() {
    tokio::time::sleep(millis(50)).await;
}

#[tokio::test(start_paused = true)]
async fn a_byte_order_mark_is_no_part_of_a_key() {
    let file = File::new("bom", "\u{feff}key\r\n");
    assert_eq!(send(&shop(&file, &takes("key"))).await.unwrap(), 200);
}
