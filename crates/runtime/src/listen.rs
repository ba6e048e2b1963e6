use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

const BACKLOG: i32 = 1024;
/// What a peer may send before it is read, for each connection: small, because peers may be many,
/// and what the kernel holds of them is read into memory as a whole.
const RECEIVE_BUFFER: usize = 16 * 1024;

/// Listens on `port` of one address; without one for IPv6 and IPv4 alike: private networks of some hosts have IPv6 only
/// (such as Railway's, <https://docs.railway.com/reference/private-networking>). Where the machine has
/// no IPv6, for IPv4 alone. Port 0 takes any free one.
///
/// # Errors
/// When the port is taken or not allowed, or the address is not this machine's.
pub fn listen(address: Option<IpAddr>, port: u16) -> io::Result<TcpListener> {
    if let Some(address) = address {
        let address = SocketAddr::from((address, port));
        return bind(Domain::for_address(address), address);
    }
    match bind(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            bind(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, port).into())
        }
        bound => bound,
    }
}

fn bind(domain: Domain, address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn both_families_reach_the_listener() {
        let listener = listen(None, 0).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        if listener.local_addr().unwrap().is_ipv6() {
            assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok());
        }
        assert_eq!(
            listen(None, port).unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
    }

    #[test]
    fn one_address_is_all_that_is_listened_on() {
        for address in [
            IpAddr::from(Ipv4Addr::LOCALHOST),
            Ipv4Addr::UNSPECIFIED.into(),
        ] {
            let listener = listen(Some(address), 0).unwrap();
            assert_eq!(listener.local_addr().unwrap().ip(), address);
        }
        let elsewhere = IpAddr::from([192, 0, 2, 1]);
        assert!(listen(Some(elsewhere), 0).is_err());
    }
}
