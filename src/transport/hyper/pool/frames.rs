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
    /// A setting, or the beginning of a GOAWAY.
    item: [u8; GOAWAY_ITEM],
    item_here: usize,
    /// The peer's first settings have come.
    is_begun: bool,
    /// How many streams the settings named that are being read.
    streams: Option<u32>,
}

impl Frames {
    pub(in super::super) fn new(signals: Arc<Signals>) -> Self {
        Self {
            signals,
            head: [0; HEAD],
            head_here: 0,
            left: 0,
            item: [0; GOAWAY_ITEM],
            item_here: 0,
            is_begun: false,
            streams: None,
        }
    }

    fn payload(&mut self, bytes: &mut &[u8]) {
        let size = match self.head[KIND] {
            SETTINGS => SETTINGS_ITEM,
            GOAWAY => GOAWAY_ITEM,
            _ => 0,
        };
        let before = bytes.len();
        if size == 0 || self.item_here == size {
            let skipped = self.left.min(bytes.len());
            *bytes = &bytes[skipped..];
        } else {
            let mut part = &bytes[..self.left.min(bytes.len())];
            let offered = part.len();
            take(&mut part, &mut self.item[..size], &mut self.item_here);
            *bytes = &bytes[offered - part.len()..];
        }
        self.left -= before - bytes.len();
        if size > 0 && self.item_here == size {
            self.item();
        }
    }

    /// A setting, or the first of a GOAWAY, is complete.
    fn item(&mut self) {
        let [a, b, c, d, e, f, g, h] = self.item;
        if self.head[KIND] == SETTINGS {
            if u16::from_be_bytes([a, b]) == MAX_CONCURRENT_STREAMS {
                self.streams = Some(u32::from_be_bytes([c, d, e, f]));
            }
            self.item_here = 0;
        } else if u32::from_be_bytes([e, f, g, h]) == NO_ERROR {
            // Any other ends the connection, of which hyper knows more.
            self.signals.leave();
        }
    }

    /// The frame is complete.
    fn end(&mut self) {
        if self.head[KIND] == SETTINGS && self.head[FLAGS] & ACK == 0 {
            let untold = (!self.is_begun).then_some(u32::MAX);
            self.is_begun = true;
            if let Some(streams) = self.streams.or(untold) {
                self.signals.set_max_streams(streams);
            }
        }
        (self.head_here, self.item_here, self.streams) = (0, 0, None);
    }
}

impl Watch for Frames {
    fn read(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.head_here < HEAD {
                take(&mut bytes, &mut self.head, &mut self.head_here);
                if self.head_here == HEAD {
                    let [a, b, c, ..] = self.head;
                    self.left = u32::from_be_bytes([0, a, b, c]) as usize;
                }
            } else {
                self.payload(&mut bytes);
            }
            if self.head_here == HEAD && self.left == 0 {
                self.end();
            }
        }
        Ok(())
    }
}

/// Moves as much from `bytes` as is still wanted.
fn take(bytes: &mut &[u8], into: &mut [u8], here: &mut usize) {
    let taken = bytes.len().min(into.len() - *here);
    into[*here..*here + taken].copy_from_slice(&bytes[..taken]);
    *here += taken;
    *bytes = &bytes[taken..];
}

/// The sizes, places and words of RFC 9113, 4.1, 6.5, 6.8 and 7.
const HEAD: usize = 9;
const KIND: usize = 3;
const FLAGS: usize = 4;
const SETTINGS: u8 = 0x4;
const SETTINGS_ITEM: usize = 6;
const ACK: u8 = 0x1;
const MAX_CONCURRENT_STREAMS: u16 = 0x3;
const GOAWAY: u8 = 0x7;
const GOAWAY_ITEM: usize = 8;
const NO_ERROR: u32 = 0x0;

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
