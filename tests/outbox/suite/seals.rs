use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use outrigger::BoxError;
use outrigger::outbox::{
    Action, ClaimRequest, DeadReason, Filter, OutboxErrorKind, Outcome, Page, Seal, Sealed,
    SealedStore, Store,
};

use super::bench::{Bench, LANE, Open, answer, body, lease, mail, open, request};

/// In place of cryptography: it hides nothing from who knows it, and tells whether a key, a context or bytes are others.
#[derive(Clone)]
pub(crate) struct Keys(Arc<Mutex<Vec<&'static str>>>);

impl Keys {
    /// The first seals; all of them open.
    pub(crate) fn new(known: impl Into<Vec<&'static str>>) -> Self {
        Self(Arc::new(Mutex::new(known.into())))
    }

    pub(crate) fn become_those(&self, known: impl Into<Vec<&'static str>>) {
        *self.0.lock().unwrap() = known.into();
    }
}

fn turned(key: &str, bytes: &[u8]) -> Vec<u8> {
    let key = key.bytes().fold(0x5a, |one: u8, other| one.wrapping_mul(31) ^ other) | 0x80;
    bytes.iter().map(|byte| byte ^ key).collect()
}

fn tag(key: &str, bytes: &[u8], context: &[u8]) -> [u8; 8] {
    let mut hasher = DefaultHasher::new();
    (key, bytes, context).hash(&mut hasher);
    hasher.finish().to_be_bytes()
}

impl Seal for Keys {
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Sealed, BoxError> {
        let key = *self.0.lock().unwrap().first().ok_or("no key")?;
        let bytes = [&tag(key, plain, context)[..], &turned(key, plain)].concat();
        Ok(Sealed { key: key.to_owned(), bytes })
    }

    fn open(&self, key: &str, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, BoxError> {
        self.0.lock().unwrap().iter().find(|known| **known == key).ok_or("not a key of ours")?;
        let (told, bytes) = sealed.split_at_checked(8).ok_or("too short")?;
        let plain = turned(key, bytes);
        if told != tag(key, &plain, context) {
            return Err("it was changed".into());
        }
        Ok(plain)
    }
}

/// A store as it is, and the same with keys.
async fn both(with: Open<'_>, keys: &Keys) -> (Arc<dyn Store>, Bench) {
    let mut bench = open(with).await;
    let plain = Arc::clone(&bench.store);
    bench.store = Arc::new(SealedStore::new(Arc::clone(&plain), Arc::new(keys.clone())));
    (plain, bench)
}

pub(crate) async fn what_is_sealed_is_stored_unreadable_and_read_as_it_was(with: Open<'_>) {
    let (plain, bench) = both(with, &Keys::new(["k1"])).await;
    let message = mail("a secret").header("x-of", "ada").header("x-of", "bob");
    let id = bench.enqueue(message).await;
    let stored = plain.get(id).await.unwrap().unwrap().message.content;
    assert_eq!(stored.sealed_by.as_deref(), Some("k1"));
    assert_eq!((stored.uri.to_string(), stored.headers.len()), ("/".to_owned(), 0));
    assert!(stored.fingerprint.is_empty() && !stored.body.windows(6).any(|at| at == b"secret"));
    assert!(!stored.body.windows(3).any(|at| at == b"ada" || at == b"api"));

    let browsed = bench.store.browse(Filter::all(), Page::first(9)).await.unwrap().remove(0);
    let claimed = bench.claim_one(LANE).await;
    for read in [browsed, claimed, bench.get(id).await.message] {
        assert_eq!(body(&read), "a secret");
        assert_eq!(read.content.uri, "https://api.mailer.example/mails");
        assert_eq!(read.content.headers.get_all("x-of").iter().count(), 2);
        assert_eq!((read.content.fingerprint.len(), read.content.sealed_by), (36, None));
    }
    // What was stored before there was a key.
    let before = mail("plain").build(LANE, bench.now().await, &outrigger::rt::Rng::seeded(9));
    plain.enqueue(vec![before.unwrap()]).await.unwrap();
    assert_eq!(bench.claim_bodies(9).await, ["plain"]);
}

pub(crate) async fn an_answer_is_sealed_and_cut_to_its_cap_when_it_is_read(with: Open<'_>) {
    let (plain, bench) = both(with, &Keys::new(["k1"])).await;
    let id = bench.enqueue(mail("1").keep_answer(4)).await;
    let claimed = bench.claim_one(LANE).await;
    let outcome = Outcome::Delivered { hook_again: bench.after(5).await };
    bench.settle_with(lease(&claimed), outcome, Some(answer(201, "a secret"))).await;
    let stored = plain.get(id).await.unwrap().unwrap().message.answer.unwrap();
    assert_eq!((stored.status, stored.sealed_by.as_deref()), (201, Some("k1")));
    assert!(stored.headers.is_empty() && !stored.body.windows(6).any(|at| at == b"secret"));
    let found = bench.store.find(id).await.unwrap().unwrap().answer;
    for read in [found, bench.get(id).await.message.answer] {
        assert_eq!(read, Some(answer(201, "a se")));
    }
}

pub(crate) async fn a_key_that_changes_opens_what_it_sealed(with: Open<'_>) {
    let keys = Keys::new(["k1"]);
    let (plain, bench) = both(with, &keys).await;
    bench.add("old").await;
    keys.become_those(["k2", "k1"]);
    let new = bench.add("new").await;
    let stored = plain.get(new).await.unwrap().unwrap().message.content.sealed_by;
    assert_eq!(stored.as_deref(), Some("k2"));
    assert_eq!(bench.claim_bodies(9).await, ["old", "new"]);
}

pub(crate) async fn what_no_key_opens_stays_sealed_until_it_is_back(with: Open<'_>) {
    let keys = Keys::new(["k1"]);
    let (_, bench) = both(with, &keys).await;
    let id = bench.add("1").await;
    keys.become_those(["k2"]);
    let claimed = bench.claim_one(LANE).await;
    assert_eq!(claimed.content.sealed_by.as_deref(), Some("k1"));
    bench.settle(&claimed, Outcome::Dead(DeadReason::Sealed)).await;
    assert_eq!(bench.state(id).await, "sealed");
    // Nothing was sent, so that no key's time has begun.
    let progress = bench.get(id).await.message.progress;
    assert_eq!((progress.attempt, progress.key_valid_until), (0, None));
    keys.become_those(["k2", "k1"]);
    bench.advance_secs(7 * 24 * 3600).await;
    let replay = Action::Replay(outrigger::outbox::ExpiredKey::Refuse);
    assert_eq!(bench.act(id, replay).await.changed, [id]);
    assert_eq!(bench.claim_bodies(9).await, ["1"]);
}

pub(crate) async fn the_bytes_of_another_message_are_not_opened(with: Open<'_>) {
    let (plain, bench) = both(with, &Keys::new(["k1"])).await;
    let one = bench.add("to ada").await;
    let other = mail("to eve").build(LANE, bench.now().await, &outrigger::rt::Rng::seeded(9));
    let mut other = other.unwrap();
    let stored = plain.get(one).await.unwrap().unwrap().message.content;
    (other.content.body, other.content.sealed_by) = (stored.body, stored.sealed_by);
    let id = other.content.id;
    plain.enqueue(vec![other]).await.unwrap();
    assert_eq!(bench.get(id).await.message.content.sealed_by.as_deref(), Some("k1"));
    assert_eq!(body(&bench.get(one).await.message), "to ada");
}

pub(crate) async fn business_and_order_keys_work_on_what_is_sealed(with: Open<'_>) {
    let (_, bench) = both(with, &Keys::new(["k1"])).await;
    let first = bench.enqueue(mail("1").dedup_key("welcome").order_key("ada")).await;
    let again = bench.enqueue_in(LANE, mail("2").dedup_key("welcome")).await;
    assert_eq!((again.id, again.is_duplicate), (first, true));
    bench.enqueue(mail("3").order_key("ada")).await;
    assert_eq!(bench.claim_bodies(9).await, ["1"]);
}

pub(crate) async fn an_edited_message_is_sealed_and_an_erased_one_is_empty(with: Open<'_>) {
    let (plain, bench) = both(with, &Keys::new(["k1"])).await;
    let id = bench.add("1").await;
    let claimed = bench.claim_one(LANE).await;
    bench.settle(&claimed, Outcome::Dead(DeadReason::Rejected)).await;
    let edited = mail("2").build(LANE, bench.now().await, &outrigger::rt::Rng::seeded(9));
    bench.store.edit(id, edited.unwrap(), "ada".into(), "typo".into()).await.unwrap();
    let new = bench.claim_one(LANE).await;
    let stored = plain.get(new.content.id).await.unwrap().unwrap().message.content;
    assert_eq!((body(&new), stored.sealed_by.as_deref()), ("2".to_owned(), Some("k1")));
    bench.act(id, Action::Erase).await;
    let erased = plain.get(id).await.unwrap().unwrap().message.content;
    assert!(erased.body.is_empty() && erased.sealed_by.is_none());
}

pub(crate) async fn the_request_of_a_batch_is_sealed(with: Open<'_>) {
    let keys = Keys::new(["k1"]);
    let (plain, bench) = both(with, &keys).await;
    let id = bench.add("1").await;
    let batch = ClaimRequest { batch: Some(id), ..request(LANE, 9) };
    let claimed = bench.claim_as(batch.clone()).await.messages.remove(0);
    let kept = Bytes::from_static(b"POST /batch\r\n\r\na secret");
    assert!(bench.store.keep_request(lease(&claimed), kept.clone()).await.unwrap());
    let stored = plain.get(id).await.unwrap().unwrap().message.batch_request.unwrap();
    assert!(stored.starts_with(b"\0k1\0") && !stored.windows(6).any(|at| at == b"secret"));
    assert_eq!(bench.store.members(id).await.unwrap()[0].batch_request, Some(kept.clone()));
    bench.fail(&claimed, 0).await;
    let again = bench.claim_as(batch).await.messages.remove(0);
    assert_eq!(again.batch_request, Some(kept));
    keys.become_those(["k2"]);
    assert_eq!(bench.get(id).await.message.batch_request, Some(stored));
}

pub(crate) async fn a_seal_that_fails_accepts_nothing(with: Open<'_>) {
    let (plain, bench) = both(with, &Keys::new([])).await;
    let new = mail("1").build(LANE, bench.now().await, &outrigger::rt::Rng::seeded(9)).unwrap();
    let refused = bench.store.enqueue(vec![new]).await.unwrap_err();
    assert_eq!(refused.kind(), OutboxErrorKind::Seal);
    assert!(plain.browse(Filter::all(), Page::first(9)).await.unwrap().is_empty());
}
