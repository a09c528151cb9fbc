use crate::outcome::BoxError;

/// Encrypts what an outbox stores, and decrypts it again. The cryptography and the keys are yours.
///
/// Sealed are a message's URI, headers and body, the request of a [batch](super::super::Batch), and answers that are kept.
/// Plain stay what the store itself needs and what people look for: ids, lanes, states, times, the method, the template, the
/// idempotency key, business, order and correlation keys, tenants, statuses, what settling functions and a batch's functions said
/// when they failed, and, until it has ended, where a job is [polled](super::super::Polling), which may hold a part of the
/// URI that was sent. The key of a webhook whose event has no id holds the SHA-256 of its body.
///
/// Both functions run where the outbox is used, in its async tasks or on a store's thread: they must not block. Fetch keys
/// before, and again where you rotate them. With the AES-GCM of the crate `ring`:
///
/// ```
/// use outrigger::outbox::{Outbox, Seal, Sealed};
/// use outrigger::BoxError;
/// use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
/// use ring::rand::{SecureRandom, SystemRandom};
///
/// /// The first key seals; all of them open.
/// struct Keys(Vec<(String, LessSafeKey)>);
///
/// impl Seal for Keys {
///     fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Sealed, BoxError> {
///         let (name, key) = self.0.first().ok_or("no key")?;
///         let mut nonce = [0; 12];
///         SystemRandom::new().fill(&mut nonce).map_err(|_| "no random bytes")?;
///         let (mut bytes, of) = (plain.to_vec(), Aad::from(context));
///         key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), of, &mut bytes)
///             .map_err(|_| "too long")?;
///         bytes.splice(..0, nonce);
///         Ok(Sealed { key: name.clone(), bytes })
///     }
///
///     fn open(&self, key: &str, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, BoxError> {
///         let (_, key) = self.0.iter().find(|(name, _)| name == key).ok_or("not a key of ours")?;
///         let (nonce, bytes) = sealed.split_at_checked(12).ok_or("too short")?;
///         let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| "no nonce")?;
///         let mut bytes = bytes.to_vec();
///         let plain = key.open_in_place(nonce, Aad::from(context), &mut bytes);
///         Ok(plain.map_err(|_| "wrong key, or changed")?.to_vec())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bytes = [7; 32]; // from your vault
/// let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| "no key")?);
/// let outbox = Outbox::memory().seal(Keys(vec![("2026-12".into(), key)])).build()?;
/// # let _ = outbox; Ok(()) }
/// ```
///
/// # Keys that change
///
/// The name of its key is stored with what is sealed. So a new key is one that seals from now on, and the old one stays known
/// for as long as something is sealed by it: in a database, the column `headers` of such a message is a zero byte and the
/// key's name, and so is `answer_headers`. What is stored plain, because it was enqueued before there was a key, is delivered as it is,
/// and stays plain, dead messages for as long as they are kept.
///
/// All processes must know a new key before one of them seals by it.
///
/// # A key that is not there
///
/// A message that can't be opened is not sent. It waits, without an attempt, and is tried again every 30 s, here or by a process that
/// knows the key, while the lane claims less in this process. Subscribers are told once by
/// [`KeyMissing`](super::super::OutboxEvent::KeyMissing). After 15 minutes, or before its deadline is over, it is parked as
/// [`Sealed`](super::super::DeadReason::Sealed), and can be replayed when its key is back. Lists show it without its request.
///
/// An answer that can't be sealed is tried again for 30 s, and then the message is settled without it: that the provider did it
/// must not be lost. The settling function sees the answer then, and only its status if it has to be run again.
///
/// # What it doesn't protect from
///
/// Sealed bytes are bound to their message and their part of it, and to nothing else. Who can write to the store can put a plain
/// request in the place of a sealed one, which is sent with the integration's credentials; can move a message to another lane,
/// and so to another integration; can change its idempotency key, so that the provider does it twice; and can bring back earlier
/// bytes of the same part. Sealing hides what is stored from who reads it; who may write must be trusted.
///
/// While a settling function has yet to succeed, up to 64 KiB of an answer are kept, and what is sealed of it is cut to
/// [`keep_answer`](super::super::Message::keep_answer) only when it is read: who has the key can read more of it in the table.
///
/// Before you give an outbox a seal, stop the workers of versions that don't know it, and give it to all processes that work: a
/// worker without it parks the messages.
pub trait Seal: Send + Sync + 'static {
    /// Encrypts `plain`. Only the same `context` may open it: pass it as associated data. It names the message and what of it
    /// this is, so that nobody who can write to the store can put one message's bytes into another.
    ///
    /// # Errors
    ///
    /// A message is not accepted: [`OutboxErrorKind::Seal`](super::super::OutboxErrorKind::Seal). For the request of a batch, it is
    /// an attempt that failed. What an attempt came to is stored after 30 s without its answer.
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Sealed, BoxError>;

    /// Decrypts what was sealed by the key of this name.
    ///
    /// # Errors
    ///
    /// The key isn't known, or it is another, or the bytes or their context were changed: the message is parked.
    fn open(&self, key: &str, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, BoxError>;
}

/// What a [`Seal`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the key: a text without a zero byte, of at most 255 bytes. It is no secret.
    pub key: String,
    /// The encrypted bytes, with all that it takes to open them beside the key.
    pub bytes: Vec<u8>,
}
