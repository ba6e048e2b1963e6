//! Why nothing could be asked of a server, told apart by what ends it.

use std::error::Error;
use std::io;

/// The cause of a failed connection, with its cure, from an error of any client. None when the error is about
/// something else. Nothing of the error's own words is repeated but what a certificate lacks.
pub fn connection_failure(error: &(dyn Error + 'static)) -> Option<String> {
    let chain: Vec<_> = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| {
        (*error).source()
    })
    .collect();
    let texts: Vec<_> = chain.iter().map(|error| error.to_string()).collect();
    let says = |parts: &[&str]| {
        texts
            .iter()
            .any(|text| parts.iter().any(|part| text.contains(part)))
    };
    if let Some(text) = texts.iter().rev().find(|text| text.contains("certificate")) {
        let lacks = text.rsplit(": ").next().unwrap_or(text);
        return Some(format!(
            "its TLS certificate is not accepted ({lacks}): check the host's name and the clock, and name a \
             private authority"
        ));
    }
    let known = KNOWN.iter().find(|(parts, _)| says(parts));
    let kind = chain
        .iter()
        .find_map(|error| error.downcast_ref::<io::Error>());
    let cure = known
        .map(|(_, cure)| *cure)
        .or_else(|| of_kind(kind?.kind()));
    cure.map(str::to_owned)
}

const UNKNOWN_HOST: &str = "the host name is unknown: check its spelling, and the network's DNS";
const NO_TLS: &str = "no TLS is spoken there: use the address without TLS, or the port that has it";
const OTHER: &str = "something else listens at this port: check the port, and http or https";
const CLOSED: &str =
    "the other side closed the connection: check the port, and whether it wants TLS";
const REFUSED: &str =
    "connection refused: nothing listens at this address; is it running, and is the port right?";
const SILENT: &str =
    "no answer in time: the host is down, a firewall is between, or one side speaks TLS alone";
const NO_WAY: &str = "there is no way to this address: check it, and the network between";

/// What libraries say; each of the operating system's resolvers has its own words.
const KNOWN: [(&[&str], &str); 7] = [
    (
        &[
            "failed to lookup address",
            "dns error",
            "Name or service not known",
            "nodename nor servname",
            "Temporary failure in name resolution",
        ],
        UNKNOWN_HOST,
    ),
    (
        &[
            "InvalidContentType",
            "corrupt message",
            "wrong version number",
        ],
        NO_TLS,
    ),
    (
        &[
            "invalid HTTP version",
            "HTTP/0.9",
            "invalid HTTP header",
            "http2 error",
            "received unexpected message from connection",
        ],
        OTHER,
    ),
    (
        &[
            "unexpected end of file",
            "unexpected EOF",
            "connection closed before message completed",
            "close_notify",
            "Connection reset",
            "Broken pipe",
        ],
        CLOSED,
    ),
    // Clients wrap an error so that its kind cannot be asked any more.
    (&["Connection refused"], REFUSED),
    (&["No route to host", "Network is unreachable"], NO_WAY),
    (&["timed out", "deadline has elapsed"], SILENT),
];

const fn of_kind(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    Some(match kind {
        Kind::ConnectionRefused => REFUSED,
        Kind::TimedOut => SILENT,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => NO_WAY,
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe
        | Kind::UnexpectedEof
        | Kind::NotConnected => CLOSED,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("error sending request")]
    struct Outer(#[source] io::Error);

    #[test]
    fn each_cause_has_its_own_cure() {
        for (error, cure) in [
            (io::ErrorKind::ConnectionRefused.into(), "nothing listens"),
            (io::Error::other("dns error"), "host name is unknown"),
            (
                io::Error::other("failed to lookup address information: Name or service not known"),
                "host name is unknown",
            ),
            (
                io::Error::other("invalid peer certificate: UnknownIssuer"),
                "(UnknownIssuer)",
            ),
            (
                io::Error::other("received corrupt message of type InvalidContentType"),
                "no TLS is spoken",
            ),
            (io::ErrorKind::TimedOut.into(), "firewall"),
            (
                io::Error::other("invalid HTTP version parsed"),
                "something else listens",
            ),
            (
                io::ErrorKind::ConnectionReset.into(),
                "closed the connection",
            ),
        ] {
            let said = connection_failure(&Outer(error)).unwrap();
            assert!(said.contains(cure), "{cure}: {said}");
        }
        assert_eq!(connection_failure(&Outer(io::Error::other("what?"))), None);
    }
}
