//! `<service> healthcheck`: asks the running service whether it lives. Needs no shell and no curl
//! in the image.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(3);

/// Why the check failed.
#[derive(Debug, thiserror::Error)]
pub enum HealthcheckError {
    /// Nothing listens, or it does not answer.
    #[error("no answer on port {port}")]
    NoAnswer {
        /// The port that was asked.
        port: u16,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// The service answered something else than 200.
    #[error("the service answered: {0}")]
    Unhealthy(String),
}

/// Asks `/health/live` on this machine, of the service that listens on `bind`.
///
/// # Errors
/// When the answer is not 200.
pub fn healthcheck(bind: Option<IpAddr>, port: u16) -> Result<(), HealthcheckError> {
    let answer = ask(bind, port).map_err(|source| HealthcheckError::NoAnswer { port, source })?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split_whitespace().nth(1) == Some("200") {
        Ok(())
    } else {
        Err(HealthcheckError::Unhealthy(status.to_owned()))
    }
}

fn ask(bind: Option<IpAddr>, port: u16) -> std::io::Result<String> {
    let bind = bind.filter(|address| !address.is_unspecified());
    let address = bind.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let mut stream = TcpStream::connect_timeout(&(address, port).into(), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
