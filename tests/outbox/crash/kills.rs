//! A hundred kills at random points.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc;
use std::time::Duration;

use super::{CONCURRENCY, PATIENCE, Place, Process, Provider, Reply, Seen, Task};
use crate::sqlite::Folder;

/// How many processes there are at a time.
const PROCESSES: usize = 10;
/// How often each is killed, and begins anew.
const KILLS: usize = 10;

/// It fails every seventh request.
async fn provider() -> Provider {
    Provider::start(0, |seen, _| if seen.len() % 7 == 3 { Reply::Fails } else { Reply::Done }).await
}

/// One process of a place after the other, each killed after some tenths of a second; the keys that they accepted.
fn lives(place: &Place, url: &str, name: usize) -> Vec<String> {
    let (mut accepted, mut draw) = (Vec::new(), 0x9E37_79B9_7F4A_7C15_u64 ^ name as u64);
    for nth in 0..KILLS {
        let task = Task::Enqueue { name, first: nth * 1_000_000 };
        let (process, lines) = Process::start(place, url, task);
        let (tell, first) = mpsc::channel();
        let reads = std::thread::spawn(move || {
            let mut keys = Vec::new();
            for line in lines.map_while(Result::ok) {
                if let Some((_, key)) = line.split_once("accepted ") {
                    keys.push(key.to_owned());
                    let _ = tell.send(());
                }
            }
            keys
        });
        if (nth + name).is_multiple_of(2) {
            // The others are killed while they start, too.
            first.recv_timeout(PATIENCE).expect("it accepts a message");
        }
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(60 + (draw >> 33) % 240));
        drop(process);
        let mut keys = reads.join().unwrap();
        // The last line may have been cut by the kill.
        keys.retain(|key| key.len() == 36);
        accepted.extend(keys);
    }
    accepted
}

/// The lives of all processes at once; each has the place that this says.
async fn all_lives(place: impl Fn(usize) -> Place, provider: &Provider) -> Vec<String> {
    let lives = (0..PROCESSES).map(|name| {
        let (place, url) = (place(name), provider.url.clone());
        tokio::task::spawn_blocking(move || lives(&place, &url, name))
    });
    let mut accepted = Vec::new();
    for life in lives.collect::<Vec<_>>() {
        accepted.extend(life.await.unwrap());
    }
    accepted
}

async fn finish(place: &Place, provider: &Provider) {
    let (process, _lines) = Process::start(place, &provider.url, Task::Finish);
    assert!(process.ended().await, "the last process delivers the rest");
    // What settled them was written once each, in the transaction that marked them delivered.
    let books = place.books().await;
    assert_eq!(books.delivered, books.messages, "{books:?}");
    assert_eq!((books.charges, books.charged), (books.messages, books.messages), "{books:?}");
}

fn judge(accepted: &[String], log: &[Seen]) {
    assert!(accepted.len() >= PROCESSES * KILLS / 2, "{} were accepted", accepted.len());
    let mut arrived: HashMap<&str, (&str, usize)> = HashMap::new();
    for Seen { key, body, .. } in log {
        let (first, times) = arrived.entry(key).or_insert((body, 0));
        assert_eq!(first, body, "a repetition has the same bytes");
        *times += 1;
    }
    let mut last_of: BTreeMap<&str, usize> = BTreeMap::new();
    let was_accepted: std::collections::HashSet<_> = accepted.iter().collect();
    for Seen { body, .. } in log.iter().filter(|seen| was_accepted.contains(&seen.key)) {
        let (order, number) = body.split_once(' ').unwrap();
        let number: usize = number.parse().unwrap();
        let last = last_of.entry(order).or_default();
        assert!(number >= *last, "{number} of {order} arrived after {last}");
        *last = number;
    }
    let is_done = |key: &&String| log.iter().any(|it| it.key == **key && it.reply == Reply::Done);
    let lost: Vec<_> = accepted.iter().filter(|key| !is_done(key)).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), accepted.len());
    let repeats: usize = arrived.values().map(|(_, times)| times - 1).sum();
    let failures = log.iter().filter(|seen| seen.reply == Reply::Fails).count();
    let in_flight = PROCESSES * KILLS * CONCURRENCY;
    assert!(repeats <= failures + in_flight, "{repeats} repeats, {failures} failures");
    println!(
        "{} accepted, {} requests, {repeats} repeats, {failures} failures",
        accepted.len(),
        log.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_accepted_is_lost_and_repeats_have_one_key_whenever_the_process_is_killed()
{
    // A file has one worker process.
    let folders: Vec<_> = (0..PROCESSES).map(|_| Folder::new()).collect();
    let places: Vec<_> = folders.iter().map(Place::sqlite).collect();
    let provider = provider().await;
    let accepted = all_lives(|name| places[name].clone(), &provider).await;
    let finishes = places.iter().map(|place| finish(place, &provider));
    futures_util::future::join_all(finishes).await;
    judge(&accepted, &provider.log());
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_accepted_is_lost_while_ten_processes_on_one_database_are_killed() {
    let Some(schema) = crate::postgres::Schema::new().await else { return };
    let (place, provider) = (Place::postgres(&schema).await, provider().await);
    let accepted = all_lives(|_| place.clone(), &provider).await;
    finish(&place, &provider).await;
    judge(&accepted, &provider.log());
}
