//! The request and the answer that are on an HTTP/1.1 connection.

use std::io;
use std::sync::{Arc, Mutex};

use super::head_check::{Checked, HeadCheck};
use super::pool::Signals;
use super::watched_io::Watch;
use crate::context::UploadProgress;
use crate::rt::{self, Lock};

/// The present request and its answer.
#[derive(Clone, Debug)]
pub(super) struct Exchange(Arc<Mutex<State>>);

/// Watches the I/O of its connection.
#[derive(Debug)]
pub(super) struct Http1Watch {
    pub(super) exchange: Exchange,
    pub(super) signals: Arc<Signals>,
}

#[derive(Debug)]
struct State {
    /// Broken lines are left out, so heads are looked at.
    is_lenient: bool,
    head: Option<HeadCheck>,
    upload: Option<UploadProgress>,
}

impl Watch for Http1Watch {
    fn read(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.exchange.check_head(bytes)
    }

    fn wrote(&mut self, bytes: usize) {
        self.signals.add_written(bytes);
        if bytes > 0
            && let Some(upload) = &self.exchange.0.locked().upload
        {
            upload.wrote(rt::now());
        }
    }

    fn flushed(&mut self) {
        if let Some(upload) = &self.exchange.0.locked().upload {
            upload.flushed(rt::now());
        }
    }
}

// === impl Exchange ===

impl Exchange {
    /// Nothing yet. Heads are looked at where broken lines of them are left out.
    pub(super) fn new(is_lenient: bool) -> Self {
        Self(Arc::new(Mutex::new(State { is_lenient, head: None, upload: None })))
    }

    /// A request will be written. `upload` counts how much of its body was.
    pub(super) fn begin(&self, upload: Option<UploadProgress>) {
        if let Some(upload) = &upload {
            upload.count_writes(true);
            upload.go(rt::now());
        }
        let mut state = self.0.locked();
        state.upload = upload;
        state.head = state.is_lenient.then(HeadCheck::new);
    }

    fn check_head(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.locked();
        match state.head.as_mut().map(|head| head.read(bytes)) {
            Some(Checked::Broken) => Err(io::Error::new(io::ErrorKind::InvalidData, BROKEN)),
            Some(Checked::Complete) => {
                state.head = None;
                Ok(())
            }
            Some(Checked::More) | None => Ok(()),
        }
    }
}

const BROKEN: &str = "a line of the head that says where the body ends is broken";
