use std::any::Any;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;

/// A second handle on a client's socket, so that a fault can have the connection reset.
#[derive(Debug)]
pub(super) struct Connection(OwnedFd);

/// Keeps a handle on each new connection. It lives as long as the connection does.
pub(crate) fn remember_connection(io: &dyn Any, data: &mut Extensions) {
    let handle = io
        .downcast_ref::<TcpStream>()
        .and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
    if let Some(handle) = handle {
        data.insert(Connection(handle));
    }
}

impl Connection {
    /// Makes the closing of the connection a reset: what is unsent is thrown away.
    pub(super) fn reset_on_close(&self) -> std::io::Result<()> {
        SockRef::from(&self.0).set_linger(Some(Duration::ZERO))
    }
}
