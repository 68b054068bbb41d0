//! Opens the sockets that the HTTP endpoints listen on.

use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs},
};

/// Length of the queue of connections that wait to be accepted. The kernel may cut it (`net.core.somaxconn`).
const BACKLOG: i32 = 1024;

/// Listens on an address, such as `127.0.0.1:8080`, `[::]:8080`, `:8080` (the same) or `localhost:8080`.
///
/// `[::]` accepts IPv4, too, whatever `net.ipv6.bindv6only` says; on a host without IPv6 it is `0.0.0.0`.
///
/// # Errors
/// The address cannot be parsed, resolved or listened on.
pub fn listen(address: &str) -> io::Result<TcpListener> {
    let address = if address.starts_with(':') { format!("[::]{address}") } else { address.to_owned() };
    listen_with(address.to_socket_addrs()?.collect(), open)
}

fn listen_with(
    addresses: Vec<SocketAddr>,
    open: impl Fn(SocketAddr) -> io::Result<TcpListener>,
) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        let opened = match open(address) {
            Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && has_no_ipv6(&error) => {
                open((Ipv4Addr::UNSPECIFIED, address.port()).into())
            }
            opened => opened,
        };
        match opened {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Returns whether the host has no IPv6: the kernel was built or started without it, or has no such address.
fn has_no_ipv6(error: &io::Error) -> bool {
    let unsupported = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
    error.raw_os_error() == Some(unsupported) || error.kind() == io::ErrorKind::AddrNotAvailable
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn the_unspecified_address_accepts_both_families() {
        for address in ["[::]:0", ":0"] {
            let listener = listen(address).unwrap();
            let port = listener.local_addr().unwrap().port();
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
                TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap();
            }
        }
    }

    #[test]
    fn an_address_of_one_family_stays_one() {
        let listener = listen("0.0.0.0:0").unwrap();
        assert!(listener.local_addr().unwrap().is_ipv4());
        let listener = listen("localhost:0").unwrap();
        assert!(listener.local_addr().unwrap().ip().is_loopback());
    }

    #[test]
    fn a_host_without_ipv6_listens_on_ipv4() {
        let unsupported = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
        for error in [unsupported, rustix::io::Errno::ADDRNOTAVAIL.raw_os_error()] {
            let without = |address: SocketAddr| match address {
                SocketAddr::V6(_) => Err(io::Error::from_raw_os_error(error)),
                SocketAddr::V4(_) => open(address),
            };
            let listener = listen_with(vec!["[::]:0".parse().unwrap()], without).unwrap();
            assert_eq!(listener.local_addr().unwrap().ip(), Ipv4Addr::UNSPECIFIED);
            // an address that somebody asks for by name is not replaced by all of another family
            assert!(listen_with(vec!["[::1]:0".parse().unwrap()], without).is_err());
        }
    }

    #[test]
    fn an_address_in_use_is_an_error() {
        let listener = listen("[::]:0").unwrap();
        let error = listen(&listener.local_addr().unwrap().to_string()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
