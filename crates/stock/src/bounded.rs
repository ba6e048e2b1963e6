//! A feed as UTF-8 while it streams, never more of it than is allowed.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use encoding_rs::{Decoder, Encoding};

/// How much is decoded at once, in bytes.
const PIECE: usize = 16 << 10;

/// Counts what was read since the last element began.
#[derive(Debug, Clone)]
pub(crate) struct Meter(Rc<Cell<u64>>);

impl Meter {
    /// An element begins.
    pub(crate) fn begin(&self) {
        self.0.set(0);
    }
}

/// Which bound was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overrun {
    /// That of one element.
    Element(u64),
    /// That of the whole feed.
    Feed(u64),
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(most) => write!(f, "an element of more than {most} bytes"),
            Self::Feed(most) => write!(f, "a feed of more than {most} bytes"),
        }
    }
}

impl std::error::Error for Overrun {}

/// The bound that an error is about.
pub(crate) fn overrun(error: &io::Error) -> Option<Overrun> {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref())
        .copied()
}

/// Decodes a feed.
pub(crate) struct Bounded<R> {
    input: R,
    decoder: Decoder,
    raw: Box<[u8]>,
    /// Raw bytes that are not decoded yet.
    raw_at: (usize, usize),
    text: Box<[u8]>,
    text_at: (usize, usize),
    ended: bool,
    total: u64,
    most: u64,
    element: Rc<Cell<u64>>,
    element_most: u64,
}

impl<R: Read> Bounded<R> {
    pub(crate) fn new(
        input: R,
        encoding: &'static Encoding,
        most: u64,
        element_most: u64,
    ) -> (Self, Meter) {
        let element = Rc::new(Cell::new(0));
        let meter = Meter(Rc::clone(&element));
        let bounded = Self {
            input,
            decoder: encoding.new_decoder(),
            raw: vec![0; PIECE].into(),
            raw_at: (0, 0),
            // What one piece can become in UTF-8.
            text: vec![0; PIECE * 3 + 16].into(),
            text_at: (0, 0),
            ended: false,
            total: 0,
            most,
            element,
            element_most,
        };
        (bounded, meter)
    }

    fn refill(&mut self) -> io::Result<()> {
        if self.raw_at.0 == self.raw_at.1 && !self.ended {
            let read = self.input.read(&mut self.raw)?;
            self.ended = read == 0;
            self.raw_at = (0, read);
            self.total += read as u64;
            if self.total > self.most {
                return Err(io::Error::other(Overrun::Feed(self.most)));
            }
            let element = self.element.get() + read as u64;
            self.element.set(element);
            // What one reading ahead holds belongs to the elements before.
            if element > self.element_most + 2 * PIECE as u64 {
                return Err(io::Error::other(Overrun::Element(self.element_most)));
            }
        }
        let raw = self
            .raw
            .get(self.raw_at.0..self.raw_at.1)
            .unwrap_or_default();
        let (_, read, written, _) = self.decoder.decode_to_utf8(raw, &mut self.text, self.ended);
        self.raw_at.0 += read;
        self.text_at = (0, written);
        Ok(())
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.text_at.0 == self.text_at.1 {
            if self.ended && self.raw_at.0 == self.raw_at.1 {
                return Ok(0);
            }
            self.refill()?;
        }
        let text = self
            .text
            .get(self.text_at.0..self.text_at.1)
            .unwrap_or_default();
        let length = text.len().min(out.len());
        for (to, from) in out.iter_mut().zip(text) {
            *to = *from;
        }
        self.text_at.0 += length;
        Ok(length)
    }
}
