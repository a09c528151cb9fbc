//! The console in other languages.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Request;
use outrigger::Body;
use outrigger::console::{Text, TextFault, Words, check_words};
use outrigger::outbox::{DeadReason, State};

use super::bench::{Bench, all, form_of};
use super::foreign::{Foreign, english_on};

/// What stays as it is: names and what people wrote, words of metrics and of HTTP, units.
const KNOWN: &str = "outrigger payments mailer ada order a test to example com UTC ms s min h on off fallback-only \
    cache-only no-retries automatic open closed GET POST http mail send redacted bytes";

async fn pages(bench: &Bench) -> Vec<String> {
    let mut pages = vec![bench.get("ada", "").await.text];
    let ids = bench.dead(2).await;
    bench.status.store(0, Ordering::Relaxed);
    for _ in 0..30 {
        let request = http::Request::get("http://mail.test/send").body(Body::empty()).unwrap();
        let _refused = bench.payments.send(request).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let message = format!("?message={}", ids[0]);
    let done = |fields| bench.act("ada", "?integration=payments", "set", fields);
    let set = done(&[("to", "off"), ("until", "1h")]).await;
    let ready = format!("?message={}", ids[1]);
    let mut replay = form_of(&bench.get("ada", &ready).await.text, "replay").unwrap();
    replay.insert("force".to_owned(), "yes".to_owned());
    let (_done, failed) = (bench.post("ada", &replay).await, bench.post("ada", &replay).await);
    let tasked = bench.act("ada", "?lane=mailer&state=dead", "replay_all", &[]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    pages.push(bench.act("ada", &message, "reveal", &[]).await.text);
    for page in [
        "",
        set.location(),
        failed.location(),
        &ready,
        tasked.location(),
        "?lane=mailer",
        "?lane=mailer&state=dead",
        &message,
        "?find=order+0",
        "?find=order+9",
        "?acts",
    ] {
        pages.push(bench.get("ada", page).await.text);
    }
    bench.act("ada", "?lane=mailer", "pause", &[("until", "open")]).await.location();
    pages.push(bench.get("ada", "?lane=mailer").await.text);
    pages
}

#[tokio::test(start_paused = true)]
async fn no_page_says_anything_in_english_to_whoever_has_another_language() {
    let bench = Bench::with(all(), |console| console.words(Foreign::new(false)));
    for page in pages(&bench).await {
        let left = english_on(&page, KNOWN);
        assert!(left.is_empty(), "{}\n{page}", left.join("\n"));
        assert!(page.contains("<html lang=\"x-wide\">"), "{page}");
    }
    let missing =
        bench.act("ada", "?integration=payments", "set", &[("to", "on"), ("why", " ")]).await;
    let nothing = bench.get("ada", "?nothing").await;
    for refused in [missing, nothing] {
        assert!(refused.status.is_client_error());
        assert_eq!(english_on(&refused.text, ""), Vec::<String>::new());
    }
    // What is recorded is English, whoever reads it.
    for act in bench.recorded.lock().unwrap().iter() {
        assert!(!has_wide(&format!("{} {}", act.what, act.result)), "{act:?}");
    }
}

fn has_wide(text: &str) -> bool {
    text.contains(|sign| ('Ａ'..='ｚ').contains(&sign))
}

#[tokio::test(start_paused = true)]
async fn robots_are_told_the_same_in_every_language() {
    let bench = Bench::with(all(), |console| console.words(Foreign::new(true)));
    pages(&bench).await;
    for page in ["", "?integration=payments", "?lane=mailer", "?find=order+0", "?acts", "?nothing"]
    {
        let request = Request::get(format!("/{page}")).header("x-user", "ada");
        let request = request.header("accept", "application/json").body(Body::empty()).unwrap();
        let got = bench.send(request).await;
        assert!(!has_wide(&got.text) && got.text.len() > 10, "{}", got.text);
    }
    for act in ["resume", "dance"] {
        let fields = format!(r#"{{"act":"{act}","lane":"mailer","why":"a test"}}"#);
        let request = Request::post("/").header("x-user", "ada");
        let request = request.header("authorization", "Bearer s3cr3t");
        let request = request.header("content-type", "application/json");
        let got = bench.send(request.body(Body::from(fields)).unwrap()).await;
        assert!(!has_wide(&got.text) && got.text.len() > 10, "{}", got.text);
    }
}

/// German, with mistakes.
struct Mistaken;

impl Words for Mistaken {
    fn language(&self) -> &str {
        "de"
    }

    fn text(&self, english: &str, number: Option<u64>) -> Option<&str> {
        Some(match (english, number) {
            ("Integrations", _) => "Anbindungen",
            ("{name} works.", _) => "Alles funktioniert.",
            ("Lane {name}", _) => "Spur {name} von {provider}",
            ("You are {name}", _) => "{Name}, das sind Sie",
            ("{n} messages wait for a person", Some(1)) => "{n} Nachricht wartet",
            ("{n} messages wait for a person", Some(2)) => "zwei Nachrichten warten",
            ("{n} messages wait for a person", _) => "{n} Nachrichten warten",
            ("Wait for a person", _) => "<script>alert(1)</script>",
            ("Lanes of the outbox", _) => "\" onfocus=\"alert(1)",
            _ => return None,
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_translation_with_other_places_loses_nothing_and_one_that_is_missing_is_english() {
    let bench = Bench::with(all(), |console| console.words(Mistaken));
    bench.dead(1).await;
    let page = bench.get("ada", "").await.text;
    assert!(page.contains("<h1>Anbindungen</h1>"), "{page}");
    assert!(page.contains("payments works.") && page.contains("You are ada"), "{page}");
    assert!(page.contains("All 2 integrations work; 1 Nachricht wartet."), "{page}");
    assert!(bench.get("ada", "?lane=mailer").await.text.contains("Lane <bdi>mailer</bdi>"));
    bench.dead(1).await;
    let page = bench.get("ada", "").await.text;
    assert!(page.contains("; 2 messages wait for a person."), "{page}");
    bench.dead(1).await;
    let page = bench.get("ada", "").await.text;
    assert!(page.contains("; 3 Nachrichten warten."), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_translation_is_text_whatever_stands_in_it() {
    let bench = Bench::with(all(), |console| console.words(Mistaken));
    let page = bench.get("ada", "").await.text;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    assert!(page.contains("aria-label=\"&quot; onfocus=&quot;alert(1)\""), "{page}");
    assert_eq!(page.matches("<script").count(), 1);
}

#[test]
fn a_test_of_the_host_finds_what_is_missing_and_what_has_other_places() {
    assert_eq!(check_words(&Foreign::new(false)), []);
    let (wrong, missing): (Vec<_>, Vec<_>) =
        check_words(&Mistaken).into_iter().partition(TextFault::is_wrong);
    let wrong: Vec<_> = wrong.iter().map(|fault| (fault.english, fault.number)).collect();
    assert_eq!(wrong.len(), 4, "{wrong:?}");
    assert!(wrong.contains(&("{n} messages wait for a person", Some(2))), "{wrong:?}");
    assert!(wrong.contains(&("You are {name}", None)), "{wrong:?}");
    assert_eq!(missing.len(), Text::all().count() - 7);
    assert_eq!(missing[0].to_string(), format!("{:?} has no translation", missing[0].english));
}

#[test]
fn each_text_is_said_somewhere_and_listed_once() {
    let sources = sources(Path::new("src/console"));
    let words = State::ALL.iter().map(|state| state.name().to_owned());
    let words: Vec<_> = words.chain(DeadReason::ALL.iter().map(ToString::to_string)).collect();
    let mut listed = HashSet::new();
    for text in Text::all() {
        assert!(listed.insert(text.english), "{text:?} is listed twice");
        let is_said = sources.iter().any(|source| source.contains(&format!("{:?}", text.english)));
        assert!(is_said || words.iter().any(|word| word == text.english), "nothing says {text:?}");
    }
}

/// The texts of the files, but for the lists.
fn sources(folder: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("texts") || path.ends_with("assets") => {}
            true => sources.extend(self::sources(&path)),
            false => sources.push(fs::read_to_string(path).unwrap()),
        }
    }
    sources
}

#[test]
fn a_page_says_nothing_that_translators_do_not_know() {
    let mut found = Vec::new();
    for source in sources(Path::new("src/console/page")) {
        let code: String = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|line| format!("{line}\n"))
            .collect();
        let code =
            code.split("#[cfg(test)]").next().unwrap().replace("'\"'", "").replace("\\\"", "");
        let parts: Vec<_> = code.split('"').collect();
        for pair in parts.chunks_exact(2) {
            let (before, text) = (pair[0].trim_end(), pair[1]);
            let is_known =
                ["w,", "phrase!(", "text!(", "counted!("].iter().any(|end| before.ends_with(end));
            let is_heard =
                ["aria-label=", "title=", "placeholder="].iter().any(|end| before.ends_with(end));
            let is_attribute = before.ends_with('=') && !is_heard;
            let text = without_places(text);
            let words = text
                .split(|sign: char| !sign.is_alphabetic() && sign != '_')
                .filter(|word| word.len() > 1)
                .count();
            let is_sentence =
                words > 1 || text.starts_with(|sign: char| sign.is_uppercase() || sign == ' ');
            if is_sentence && words > 0 && !is_known && !is_attribute {
                found.push(text.to_owned());
            }
        }
    }
    found.retain(|text| !OTHERS.contains(&text.as_str()));
    assert_eq!(found, Vec::<String>::new());
}

fn without_places(template: &str) -> String {
    let mut text = String::new();
    for part in template.split('{') {
        text += part.split_once('}').map_or(part, |(_, text)| text);
    }
    text
}

/// A zone, the crate's name, and what isn't read by people.
const OTHERS: &[&str] = &["UTC", " UTC", " ms", " · outrigger"];
