//! A request body that refuses to leave too late, and knows whether it left.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The bytes of a request, given out only before a deadline.
///
/// A process may be paused at any moment, for longer than its lease. The check sits where the HTTP
/// client takes the body to write it, so that hardly anything lies between check and write; the
/// request is useless without its body.
pub(super) struct GuardedBody {
    bytes: Option<Bytes>,
    deadline: Instant,
    left: Departure,
}

/// What became of a request's body.
#[derive(Clone, Default)]
pub(super) struct Departure(Arc<Fate>);

#[derive(Default)]
struct Fate {
    left: AtomicBool,
    too_late: AtomicBool,
}

impl Departure {
    /// Whether the body was taken to be written. False means for certain that nothing was sent.
    pub(super) fn happened(&self) -> bool {
        self.0.left.load(Ordering::Acquire)
    }

    /// Whether the body was held back because its time had passed.
    pub(super) fn was_refused(&self) -> bool {
        self.0.too_late.load(Ordering::Acquire)
    }
}

/// The deadline had passed.
#[derive(Debug, thiserror::Error)]
#[error("the time in which this process may send had passed")]
pub(super) struct TooLate;

impl GuardedBody {
    pub(super) fn new(bytes: Bytes, deadline: Instant) -> (Self, Departure) {
        let left = Departure::default();
        (
            Self {
                bytes: Some(bytes),
                deadline,
                left: left.clone(),
            },
            left,
        )
    }
}

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        if self.bytes.is_some() && Instant::now() > self.deadline {
            self.left.0.too_late.store(true, Ordering::Release);
            return Poll::Ready(Some(Err(TooLate)));
        }
        let Some(bytes) = self.bytes.take() else {
            return Poll::Ready(None);
        };
        self.left.0.left.store(true, Ordering::Release);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
