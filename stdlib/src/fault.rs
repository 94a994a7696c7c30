//! Why a network operation failed: a kind of the published list and a message, formatted only when somebody reads it.
//!
//! Refused connections by the thousand are an ordinary run, so a fault of a socket holds numbers, not text.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The failure of a network operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operating system refused.
    System {
        /// What was tried: `connect`, `bind`, `send`...
        operation: &'static str,
        /// With which address.
        address: Option<SocketAddr>,
        /// The number of the error.
        errno: i32,
    },
    /// Anything else.
    Other {
        /// A kind of the published list.
        kind: &'static str,
        /// What happened.
        message: Cow<'static, str>,
    },
}

impl Fault {
    /// A fault with a constant message.
    pub const fn new(kind: &'static str, message: &'static str) -> Fault {
        Fault::Other {
            kind,
            message: Cow::Borrowed(message),
        }
    }

    /// A fault with a message made for it.
    pub fn with(kind: &'static str, message: impl Into<String>) -> Fault {
        Fault::Other {
            kind,
            message: Cow::Owned(message.into()),
        }
    }

    /// An error of the operating system.
    pub fn system(
        operation: &'static str,
        address: Option<SocketAddr>,
        error: &io::Error,
    ) -> Fault {
        match error.raw_os_error() {
            Some(errno) => Fault::System {
                operation,
                address,
                errno,
            },
            None => Fault::with(kind_of(error.kind()), format!("{operation}: {error}")),
        }
    }

    /// The kind, as `e.kind` shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::System { errno, .. } => kind_of_errno(*errno),
            Fault::Other { kind, .. } => kind,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Other { message, .. } => f.write_str(message),
            Fault::System {
                operation,
                address,
                errno,
            } => {
                f.write_str(operation)?;
                if let Some(address) = address {
                    write!(f, " {address}")?;
                }
                write!(f, ": {}", reason(*errno))?;
                if *errno == libc::EADDRNOTAVAIL
                    && matches!(*operation, "bind" | "bind to" | "listen on")
                {
                    f.write_str(
                        "; add the address to an interface of this machine, or allow foreign addresses \
                         (IP_FREEBIND with CAP_NET_ADMIN, or sysctl net.ipv4.ip_nonlocal_bind=1)",
                    )?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Fault {}

/// The message of an error number, in lower case and without the number that the standard library adds.
fn reason(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// The socket kind of an error number.
fn kind_of_errno(errno: i32) -> &'static str {
    match errno {
        libc::ECONNREFUSED => "connection_refused",
        libc::ECONNRESET | libc::EPIPE => "connection_reset",
        libc::ECONNABORTED => "connection_aborted",
        libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN | libc::EHOSTDOWN => {
            "network_unreachable"
        }
        libc::EADDRINUSE => "address_in_use",
        libc::EADDRNOTAVAIL => "address_not_available",
        libc::ETIMEDOUT => "timeout",
        libc::EAGAIN => "would_block",
        libc::EINVAL
        | libc::EAFNOSUPPORT
        | libc::ENOTCONN
        | libc::EISCONN
        | libc::EDESTADDRREQ
        | libc::EMSGSIZE
        | libc::EBADF
        | libc::EOPNOTSUPP
        | libc::EPROTOTYPE => "invalid_input",
        _ => "other",
    }
}

/// The socket kind of an error that has no number.
fn kind_of(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "connection_refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection_reset",
        io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => "connection_aborted",
        io::ErrorKind::AddrInUse => "address_in_use",
        io::ErrorKind::AddrNotAvailable => "address_not_available",
        io::ErrorKind::TimedOut => "timeout",
        io::ErrorKind::WouldBlock => "would_block",
        io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected => "invalid_input",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_fault_names_operation_and_address() {
        let error = io::Error::from_raw_os_error(libc::ECONNREFUSED);
        let fault = Fault::system("connect to", Some("127.0.0.1:9".parse().unwrap()), &error);
        assert_eq!(fault.kind(), "connection_refused");
        assert_eq!(
            fault.to_string(),
            "connect to 127.0.0.1:9: connection refused"
        );
    }

    #[test]
    fn a_foreign_source_address_says_what_would_allow_it() {
        let error = io::Error::from_raw_os_error(libc::EADDRNOTAVAIL);
        let fault = Fault::system("bind to", Some("192.0.2.1:0".parse().unwrap()), &error);
        assert_eq!(fault.kind(), "address_not_available");
        assert!(fault.to_string().contains("ip_nonlocal_bind"));
    }

    #[test]
    fn every_socket_kind_has_an_error_number() {
        let numbers = [
            (libc::EPIPE, "connection_reset"),
            (libc::ECONNABORTED, "connection_aborted"),
            (libc::EHOSTUNREACH, "network_unreachable"),
            (libc::EADDRINUSE, "address_in_use"),
            (libc::ETIMEDOUT, "timeout"),
            (libc::EAGAIN, "would_block"),
            (libc::EMSGSIZE, "invalid_input"),
            (libc::EACCES, "other"),
        ];
        for (errno, kind) in numbers {
            assert_eq!(kind_of_errno(errno), kind);
        }
    }
}
