//! Reads what an HTTP/2 peer announces about its streams, from its frames on their way to hyper.
//!
//! hyper reports the number of streams that a peer accepts only while the connection is polled, and
//! a GOAWAY only when a stream is opened.

use std::io;
use std::sync::Arc;

use super::super::watched_io::Watch;
use super::signals::Signals;

/// Reads frames (RFC 9113, 4.1) as they come in, in parts of any size.
#[derive(Debug)]
pub(in super::super) struct Frames {
    signals: Arc<Signals>,
    head: [u8; HEAD],
    /// How much of the head has arrived.
    head_here: usize,
    /// How much of the payload is still to come.
    left: usize,
    /// The payload of settings or of a GOAWAY.
    payload: Vec<u8>,
    /// The peer's first settings have come.
    is_begun: bool,
}

impl Frames {
    pub(in super::super) fn new(signals: Arc<Signals>) -> Self {
        let (head, payload) = ([0; HEAD], Vec::new());
        Self { signals, head, head_here: 0, left: 0, payload, is_begun: false }
    }

    /// The frame is complete.
    fn end(&mut self) {
        let word = |item: &[u8]| item.first_chunk().map_or(0, |word| u32::from_be_bytes(*word));
        match self.head[KIND] {
            SETTINGS if self.head[FLAGS] & ACK == 0 => {
                let mut settings = self.payload.chunks_exact(SETTINGS_ITEM);
                let is_streams = |item: &&[u8]| item.starts_with(&MAX_CONCURRENT_STREAMS);
                let streams = settings.rfind(is_streams).map(|item| word(&item[2..]));
                let untold = (!std::mem::replace(&mut self.is_begun, true)).then_some(u32::MAX);
                if let Some(streams) = streams.or(untold) {
                    self.signals.set_max_streams(streams);
                }
            }
            // With an error, it ends the connection, of which hyper knows more.
            GOAWAY if self.payload.get(4..8).is_some_and(|error| word(error) == NO_ERROR) => {
                self.signals.leave();
            }
            _ => {}
        }
        self.head_here = 0;
        self.payload.clear();
    }
}

impl Watch for Frames {
    fn read(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.head_here < HEAD {
                let taken = bytes.len().min(HEAD - self.head_here);
                self.head[self.head_here..][..taken].copy_from_slice(&bytes[..taken]);
                self.head_here += taken;
                bytes = &bytes[taken..];
                let [a, b, c, ..] = self.head;
                self.left = u32::from_be_bytes([0, a, b, c]) as usize;
            } else {
                let (payload, rest) = bytes.split_at(self.left.min(bytes.len()));
                if matches!(self.head[KIND], SETTINGS | GOAWAY) {
                    let room = payload.len().min(MOST_PAYLOAD - self.payload.len());
                    self.payload.extend_from_slice(&payload[..room]);
                }
                self.left -= payload.len();
                bytes = rest;
            }
            if self.head_here == HEAD && self.left == 0 {
                self.end();
            }
        }
        Ok(())
    }
}

/// The sizes, places and words of RFC 9113, 4.1, 6.5, 6.8 and 7.
const HEAD: usize = 9;
const KIND: usize = 3;
const FLAGS: usize = 4;
const SETTINGS: u8 = 0x4;
const SETTINGS_ITEM: usize = 6;
const ACK: u8 = 0x1;
const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 0x3];
const GOAWAY: u8 = 0x7;
const NO_ERROR: u32 = 0x0;
/// hyper takes no longer frame (RFC 9113, 6.5.2: the initial value).
const MOST_PAYLOAD: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, 0]);
        frame.extend(payload);
        frame
    }

    fn setting(id: u16, value: u32) -> Vec<u8> {
        [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
    }

    fn read(bytes: &[u8], part: usize) -> (u32, bool) {
        let signals = Arc::new(Signals::default());
        let mut frames = Frames::new(Arc::clone(&signals));
        bytes.chunks(part).for_each(|part| frames.read(part).expect("it never fails"));
        (signals.max_streams(), signals.is_leaving())
    }

    #[test]
    fn what_a_peer_says_is_read_however_it_is_cut_into_parts() {
        let many = [setting(0x1, 9), setting(0x3, 7), setting(0x4, 3)].concat();
        let streams = frame(SETTINGS, 0, &many);
        let (none, ack) = (frame(SETTINGS, 0, &[]), frame(SETTINGS, ACK, &[]));
        let other = frame(0x0, 0, &[SETTINGS; 300]);
        let word = |code: u8| frame(GOAWAY, 0, &[0, 0, 0, 1, 0, 0, 0, code, b'b', b'y', b'e']);
        for part in 1..64 {
            assert_eq!(read(&streams, part), (7, false));
            assert_eq!(read(&none, part), (u32::MAX, false));
            assert_eq!(read(&ack, part), (1, false));
            let later = [&none[..], &other, &streams, &none, &other].concat();
            assert_eq!(read(&later, part), (7, false));
            assert_eq!(read(&[&streams[..], &word(0), &other].concat(), part), (7, true));
            assert_eq!(read(&[&streams[..], &word(2), &other].concat(), part), (7, false));
        }
    }
}
