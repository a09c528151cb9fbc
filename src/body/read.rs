use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::answer::{AnswerOf, error_about};
use crate::outcome::{BoxError, Error, ErrorKind};

/// A body that is put together from its frames.
#[derive(Default)]
struct Whole {
    /// The first frame with data: most bodies have one, which is not copied.
    first: Bytes,
    /// All frames, once there are several. They are copied, because a small frame may keep the
    /// whole buffer alive that it was read into.
    all: Vec<u8>,
}

/// Reads a body to its end, or until `each` has seen enough of it.
///
/// A body whose frames are always ready, perhaps endless empty ones, must not keep its task from
/// checking a timer: after every [`AT_ONCE`] frames the task yields.
pub(crate) async fn read<B: Body, E>(
    body: B,
    mut each: impl FnMut(Result<Frame<B::Data>, B::Error>) -> Result<(), E>,
) -> Result<(), E> {
    let mut body = pin!(body);
    poll_fn(|cx| {
        for _ in 0..AT_ONCE {
            match ready!(body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(frame) => each(frame)?,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// The bytes of a body of at most `most` bytes. Trailers are left out. `of` says which call it is the answer
/// of.
pub(super) async fn collect<B>(
    body: B,
    most: usize,
    of: impl Fn(&B) -> Option<AnswerOf>,
) -> Result<Bytes, Error>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most, of(&body)));
    }
    // Allocate memory for the bytes that arrived, not for the announced length.
    let mut whole = Whole::default();
    let read = read(body.as_mut(), |frame: Result<Frame<Bytes>, _>| {
        let frame = frame.map_err(|error| Some(Error::from_body(error, None)))?;
        if let Ok(data) = frame.into_data() {
            if data.len() > most - whole.len() {
                return Err(None);
            }
            whole.add(data);
        }
        Ok(())
    });
    match read.await {
        Ok(()) => Ok(whole.into_bytes()),
        Err(error) => Err(error.unwrap_or_else(|| too_large(most, of(&body)))),
    }
}

fn too_large(most: usize, of: Option<AnswerOf>) -> Error {
    error_about(ErrorKind::TooLarge, of)
        .with_detail(format!("more than {most} bytes: allow more with `bytes_up_to`, or stream it"))
}

// === impl Whole ===

impl Whole {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn add(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if !self.first.is_empty() {
            self.all = std::mem::take(&mut self.first).into();
        }
        self.all.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        match self.all.is_empty() {
            true => self.first,
            false => self.all.into(),
        }
    }
}

/// So many take some microseconds.
const AT_ONCE: usize = 64;
