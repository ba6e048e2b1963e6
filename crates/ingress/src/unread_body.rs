//! Closes a connection whose request was answered before its body came to an end.
//!
//! The server reads a chunked body that a handler has dropped on to its end, without any limit of
//! size or time; a client that never ends it would keep its connection. So the body is held until
//! the answer is out: the server closes the connection then, as it does when a body of known length
//! was not read.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use futures_util::Stream;
use futures_util::stream::poll_fn;

/// A body that outlives its handler.
pub(crate) type Held = Rc<RefCell<Payload>>;

/// Holds the body of a request, if its length is not known.
pub(crate) fn hold(request: &mut ServiceRequest) -> Option<Held> {
    if !request.headers().contains_key(TRANSFER_ENCODING) {
        return None;
    }
    let held = Rc::new(RefCell::new(request.take_payload()));
    let shared = held.clone();
    let read = poll_fn(move |cx| Pin::new(&mut *shared.borrow_mut()).poll_next(cx));
    request.set_payload(Payload::Stream {
        payload: Box::pin(read),
    });
    Some(held)
}

/// Lets go of the body when the answer is out.
pub(crate) fn release_after(answer: ServiceResponse, held: Option<Held>) -> ServiceResponse {
    match held {
        None => answer,
        Some(held) => answer.map_body(|_, body| BoxBody::new(Holding { body, _held: held })),
    }
}

struct Holding {
    body: BoxBody,
    _held: Held,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_pin_mut().poll_next(cx)
    }
}
