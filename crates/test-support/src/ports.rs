use std::net::TcpListener;

/// A TCP port that nothing listens on right now.
///
/// # Panics
/// When the machine has none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
    listener.local_addr().expect("no address").port()
}
