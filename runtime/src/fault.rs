//! Errors as values: what failed, where, and why, formatted only when somebody looks.
//!
//! A [`Fault`] is one pointer. Host functions return it as their error; the runtime puts it into an `error` object
//! in `ctx.err`. A cancellation is a fault with a scope: it travels the same way and no handler sees it.

use crate::metrics::ContextId;
use scn_compiler::Span;
use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

/// Published kinds of errors (language.md, rule 20). A kind is its text, because scripts may raise kinds of their own.
pub mod kind {
    /// Nobody listens there.
    pub const CONNECTION_REFUSED: &str = "connection_refused";
    /// The peer ended the connection hard.
    pub const CONNECTION_RESET: &str = "connection_reset";
    /// The connection broke off.
    pub const CONNECTION_ABORTED: &str = "connection_aborted";
    /// No route.
    pub const NETWORK_UNREACHABLE: &str = "network_unreachable";
    /// The local address is taken.
    pub const ADDRESS_IN_USE: &str = "address_in_use";
    /// The local address is not of this machine.
    pub const ADDRESS_NOT_AVAILABLE: &str = "address_not_available";
    /// A time limit passed.
    pub const TIMEOUT: &str = "timeout";
    /// It would have to wait where waiting is not possible.
    pub const WOULD_BLOCK: &str = "would_block";
    /// An argument makes no sense.
    pub const INVALID_INPUT: &str = "invalid_input";
    /// Anything else.
    pub const OTHER: &str = "other";
    /// Overflow, division by zero, a shift outside 0..63.
    pub const SCRIPT_ARITHMETIC: &str = "script.arithmetic";
    /// An index or range outside.
    pub const SCRIPT_INDEX: &str = "script.index";
    /// The heap limit.
    pub const SCRIPT_MEMORY: &str = "script.memory";
    /// The depth limit.
    pub const SCRIPT_DEPTH: &str = "script.depth";
    /// A failed `expect`.
    pub const SCRIPT_EXPECT: &str = "script.expect";
    /// `fail`.
    pub const SCRIPT_FAIL: &str = "script.fail";
    /// JSON that is not of the wanted type.
    pub const SCRIPT_DECODE: &str = "script.decode";
    /// Text that is not of the wanted type.
    pub const SCRIPT_PARSE: &str = "script.parse";
    /// A pool of addresses without a free one.
    pub const POOL_EXHAUSTED: &str = "pool.exhausted";
    /// No local port is left for a source address and a peer.
    pub const RESOURCE_PORTS: &str = "resource.ports";
    /// No file descriptor is left.
    pub const RESOURCE_DESCRIPTORS: &str = "resource.descriptors";
    /// The system has no memory or buffers left.
    pub const RESOURCE_MEMORY: &str = "resource.memory";
    /// A data set without a further row.
    pub const SCRIPT_DATA_EXHAUSTED: &str = "script.data_exhausted";
}

/// A place in the program: a span of a function. Printed by whoever has the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// Index of the function, or [`Place::NO_FUNCTION`].
    pub function: u32,
    /// Where.
    pub span: Span,
}

impl Place {
    /// Stands for no function: host code outside of any call.
    pub const NO_FUNCTION: u32 = u32::MAX;
}

/// Why it failed, formatted lazily.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Nothing beyond the kind.
    None,
    /// A fixed text.
    Static(&'static str),
    /// A text made for the occasion.
    Text(Box<str>),
    /// An `errno`.
    Os(i32),
    /// An `errno` at a peer or local address.
    Address(i32, SocketAddr),
    /// An index and the length that it is outside of.
    Index(i64, i64),
    /// An index range and the length.
    Range(i64, i64, i64),
    /// An arithmetic operation and its operands.
    Arithmetic(&'static str, i64, i64),
    /// A time limit, in nanoseconds.
    Limit(i64),
}

/// What a fault holds.
#[derive(Clone, Debug)]
pub struct FaultData {
    /// The kind.
    pub kind: Cow<'static, str>,
    /// The operation: `tcp.connect`. The engine fills in the host function's name when it is empty.
    pub operation: Cow<'static, str>,
    /// The reason.
    pub detail: Detail,
    /// Where it arose.
    pub place: Option<Place>,
    /// The calls that led there, innermost first; at most [`TRACE_LIMIT`].
    pub trace: Vec<Place>,
    /// For cancellations: the scope that it unwinds to.
    pub scope: Option<Scope>,
    /// The innermost step that it ended, for who counts it.
    pub step: Option<ContextId>,
}

/// How many calls a trace keeps.
pub const TRACE_LIMIT: usize = 32;

/// What a cancellation unwinds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole strand: the end of the run, a failed sibling.
    Strand,
    /// The deadline scope of this token.
    Deadline(u64),
}

/// An error or a cancellation.
#[derive(Clone, Debug)]
pub struct Fault(Box<FaultData>);

impl Fault {
    /// An error of a kind.
    pub fn new(kind: impl Into<Cow<'static, str>>, detail: Detail) -> Fault {
        Fault(Box::new(FaultData {
            kind: kind.into(),
            operation: Cow::Borrowed(""),
            detail,
            place: None,
            trace: Vec::new(),
            scope: None,
            step: None,
        }))
    }

    /// An error with a message made for the occasion.
    pub fn text(kind: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Fault {
        Fault::new(kind, Detail::Text(message.into().into_boxed_str()))
    }

    /// An error with a fixed message.
    pub fn fixed(kind: &'static str, message: &'static str) -> Fault {
        Fault::new(kind, Detail::Static(message))
    }

    /// `invalid_input` with a message.
    pub fn invalid(message: impl Into<String>) -> Fault {
        Fault::text(kind::INVALID_INPUT, message)
    }

    /// An error of the operating system.
    pub fn os(error: &std::io::Error) -> Fault {
        match error.raw_os_error() {
            Some(errno) => Fault::new(errno_kind(errno), Detail::Os(errno)),
            None => Fault::text(io_kind(error.kind()), error.to_string()),
        }
    }

    /// An error of the operating system about an address.
    pub fn os_at(error: &std::io::Error, address: SocketAddr) -> Fault {
        match error.raw_os_error() {
            Some(errno) => Fault::new(errno_kind(errno), Detail::Address(errno, address)),
            None => Fault::text(io_kind(error.kind()), format!("{error}: {address}")),
        }
    }

    /// A time limit passed.
    pub fn timeout(limit_nanos: i64) -> Fault {
        Fault::new(kind::TIMEOUT, Detail::Limit(limit_nanos))
    }

    /// A cancellation towards a scope.
    pub fn cancellation(scope: Scope) -> Fault {
        let mut fault = Fault::fixed("cancelled", "cancelled");
        fault.0.scope = Some(scope);
        fault
    }

    /// Names the operation.
    #[must_use]
    pub fn during(mut self, operation: impl Into<Cow<'static, str>>) -> Fault {
        self.0.operation = operation.into();
        self
    }

    /// Names the operation, unless it has a name.
    pub(crate) fn name_operation(&mut self, name: &'static str) {
        if self.0.operation.is_empty() && !self.is_cancellation() {
            self.0.operation = Cow::Borrowed(name);
        }
    }

    /// Names the place, unless there is one.
    #[must_use]
    pub fn at(mut self, place: Place) -> Fault {
        self.0.place.get_or_insert(place);
        self
    }

    /// What it holds.
    pub fn data(&self) -> &FaultData {
        &self.0
    }

    /// What it holds, to change it.
    pub fn data_mut(&mut self) -> &mut FaultData {
        &mut self.0
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The message, without operation and place.
    pub fn message(&self) -> String {
        self.0.detail.to_string_or(&self.0.kind)
    }

    /// Whether it is a cancellation.
    pub fn is_cancellation(&self) -> bool {
        self.0.scope.is_some()
    }

    /// Adds a call's place to the trace.
    pub fn add_trace(&mut self, place: Place) {
        if self.0.trace.len() < TRACE_LIMIT {
            self.0.trace.push(place);
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0.operation {
            "" => f.write_str(&self.message()),
            operation => write!(f, "{operation}: {}", self.message()),
        }
    }
}

impl std::error::Error for Fault {}

impl Detail {
    fn to_string_or(&self, kind: &str) -> String {
        match self {
            Detail::None => kind.replace(['_', '.'], " "),
            Detail::Static(text) => (*text).to_owned(),
            Detail::Text(text) => text.to_string(),
            Detail::Os(errno) => errno_text(*errno),
            Detail::Address(errno, address) => format!("{}: {address}", errno_text(*errno)),
            Detail::Index(index, len) => format!("index {index} is outside of 0..{len}"),
            Detail::Range(from, to, len) => format!("range {from}..{to} is outside of 0..{len}"),
            Detail::Arithmetic(operator, left, right) => arithmetic_text(operator, *left, *right),
            Detail::Limit(nanos) => {
                format!("took longer than {}", crate::object::text::duration(*nanos))
            }
        }
    }
}

fn arithmetic_text(operator: &str, left: i64, right: i64) -> String {
    match operator {
        "/" | "%" if right == 0 => format!("division by zero: {left} {operator} 0"),
        "<<" | ">>" => format!("shift outside of 0..=63: {left} {operator} {right}"),
        "neg" => format!("integer overflow: -({left})"),
        _ => format!("integer overflow: {left} {operator} {right}"),
    }
}

/// The system's text of an `errno`, lower case and without the number; of what a load test runs out of, with the limit
/// and what to do.
fn errno_text(errno: i32) -> String {
    match errno {
        libc::EMFILE => return no_descriptor(),
        libc::ENFILE => {
            return "the system has no file descriptor left (`sysctl fs.file-max`)".to_owned();
        }
        libc::ENOBUFS | libc::ENOMEM => {
            return "the system has no memory left for sockets (`sysctl net.ipv4.tcp_mem`)"
                .to_owned();
        }
        _ => {}
    }
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

fn no_descriptor() -> String {
    match crate::load::descriptors::limit() {
        Ok(limit) => format!(
            "no file descriptor is left, a worker may have {}: raise the limit (`ulimit -Hn`), or run more `--workers`",
            limit.soft
        ),
        Err(_) => "no file descriptor is left".to_owned(),
    }
}

/// The kind of an `errno`.
pub fn errno_kind(errno: i32) -> &'static str {
    match errno {
        libc::ECONNREFUSED => kind::CONNECTION_REFUSED,
        libc::ECONNRESET | libc::EPIPE => kind::CONNECTION_RESET,
        libc::ECONNABORTED => kind::CONNECTION_ABORTED,
        libc::ENETUNREACH | libc::EHOSTUNREACH | libc::ENETDOWN => kind::NETWORK_UNREACHABLE,
        libc::EADDRINUSE => kind::ADDRESS_IN_USE,
        libc::EADDRNOTAVAIL => kind::ADDRESS_NOT_AVAILABLE,
        libc::ETIMEDOUT => kind::TIMEOUT,
        libc::EMFILE | libc::ENFILE => kind::RESOURCE_DESCRIPTORS,
        libc::ENOBUFS | libc::ENOMEM => kind::RESOURCE_MEMORY,
        libc::EAGAIN => kind::WOULD_BLOCK,
        libc::EINVAL
        | libc::EAFNOSUPPORT
        | libc::EDESTADDRREQ
        | libc::ENOTCONN
        | libc::EISCONN
        | libc::EMSGSIZE
        | libc::EBADF
        | libc::EOPNOTSUPP => kind::INVALID_INPUT,
        _ => kind::OTHER,
    }
}

fn io_kind(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind as E;
    match kind {
        E::ConnectionRefused => kind::CONNECTION_REFUSED,
        E::ConnectionReset | E::BrokenPipe => kind::CONNECTION_RESET,
        E::ConnectionAborted | E::UnexpectedEof | E::NotConnected => kind::CONNECTION_ABORTED,
        E::NetworkUnreachable | E::HostUnreachable | E::NetworkDown => kind::NETWORK_UNREACHABLE,
        E::AddrInUse => kind::ADDRESS_IN_USE,
        E::AddrNotAvailable => kind::ADDRESS_NOT_AVAILABLE,
        E::TimedOut => kind::TIMEOUT,
        E::WouldBlock => kind::WOULD_BLOCK,
        E::InvalidInput => kind::INVALID_INPUT,
        _ => kind::OTHER,
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        Fault::os(&error)
    }
}
