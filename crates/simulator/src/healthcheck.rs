use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Asks the simulator on this machine and port for `/health/live`. Blocks for 5 s at most.
///
/// # Errors
///
/// When it cannot be reached or does not answer 200.
pub fn healthcheck(port: u16) -> anyhow::Result<()> {
    const LIMIT: Duration = Duration::from_secs(5);
    let address = (Ipv4Addr::LOCALHOST, port).into();
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)
        .with_context(|| format!("nothing listens on port {port}"))?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "not alive");
    Ok(())
}
