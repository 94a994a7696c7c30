//! Raw clients: what a request or a round trip costs when nothing but the socket, the parser and a histogram is there.
//!
//! A connection is registered once, sends optimistically and receives once for each wake-up into one shared buffer.
//! Without a rate every connection sends as soon as it has its answer; with `--rate` connection k mod n sends at k / rate.

use crate::histogram::Histogram;
use crate::os::Timer;
use crate::sources::Sources;
use exchange::{Echo, Exchange, Http};
use mio::net::TcpStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

mod exchange;

const TIMER: Token = Token(usize::MAX - 1);
/// Connections that may be under way at once, so that the server's backlog never overflows.
const CONNECTING: usize = 512;

/// Arguments of `scn-bench peer-http` and `peer-echo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The server's address.
    #[arg(long, value_name = "IP:PORT")]
    target: SocketAddr,
    /// Number of connections.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,
    /// How long to run, in seconds.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Exchanges per second, all connections together; without it as many as it goes.
    #[arg(long)]
    rate: Option<f64>,
    /// Source addresses, as 127.0.0.2-127.0.0.9.
    #[arg(long)]
    sources: Option<Sources>,
    /// Bytes of a round trip of `peer-echo`.
    #[arg(long, default_value_t = 64)]
    message: usize,
}

/// Runs the HTTP client.
pub(crate) fn http(options: &Options) -> io::Result<()> {
    run(options, Http::new(options.target))
}

/// Runs the echo client.
pub(crate) fn echo(options: &Options) -> io::Result<()> {
    run(options, Echo::new(options.message))
}

fn run<E: Exchange>(options: &Options, exchange: E) -> io::Result<()> {
    crate::os::raise_descriptors()?;
    let seconds = Duration::try_from_secs_f64(options.seconds)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let mut client = Client::new(options, exchange)?;
    let start = Instant::now();
    match options.rate {
        Some(rate) => client.run_paced(start, seconds, rate)?,
        None => client.run_closed(start, seconds)?,
    }
    client.tally.print(start.elapsed());
    match client.tally.done {
        0 => Err(io::Error::other("nothing was answered")),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unused,
    Connecting,
    Idle,
    Waiting,
    Failed,
}

struct Connection {
    stream: Option<TcpStream>,
    state: State,
    sent: Instant,
    /// The beginning of an answer that came in pieces; empty at rest, so it holds no memory.
    piece: Vec<u8>,
}

/// What is reported at the end.
struct Tally {
    done: u64,
    failed: u64,
    missed: u64,
    latency: Histogram,
}

impl Tally {
    fn print(&self, elapsed: Duration) {
        let micros = |share| self.latency.quantile(share) as f64 / 1e3;
        println!("requests {}", self.done);
        println!("failed {}", self.failed);
        println!("missed {}", self.missed);
        println!("rate {:.0}/s", self.done as f64 / elapsed.as_secs_f64());
        println!("p50 {:.1} us", micros(0.5));
        println!("p99 {:.1} us", micros(0.99));
    }
}

struct Client<E> {
    poll: Poll,
    connections: Vec<Connection>,
    connecting: usize,
    exchange: E,
    target: SocketAddr,
    sources: Option<Sources>,
    /// Whether an answer is followed by the next request at once.
    closed: bool,
    buffer: Box<[u8]>,
    tally: Tally,
}

impl<E: Exchange> Client<E> {
    fn new(options: &Options, exchange: E) -> io::Result<Client<E>> {
        let connection = || Connection {
            stream: None,
            state: State::Unused,
            sent: Instant::now(),
            piece: Vec::new(),
        };
        Ok(Client {
            poll: Poll::new()?,
            connections: (0..options.connections).map(|_| connection()).collect(),
            connecting: 0,
            exchange,
            target: options.target,
            sources: options.sources,
            closed: options.rate.is_none(),
            buffer: vec![0; 64 * 1024].into_boxed_slice(),
            tally: Tally {
                done: 0,
                failed: 0,
                missed: 0,
                latency: Histogram::new(),
            },
        })
    }

    fn run_closed(&mut self, start: Instant, seconds: Duration) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut next = 0;
        loop {
            while next < self.connections.len() && self.connecting < CONNECTING {
                self.connect(next)?;
                next += 1;
            }
            let Some(left) = seconds.checked_sub(start.elapsed()) else {
                return Ok(());
            };
            self.turn(&mut events, left)?;
        }
    }

    fn run_paced(&mut self, start: Instant, seconds: Duration, rate: f64) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let timer = Timer::new()?;
        let registry = self.poll.registry();
        registry.register(
            &mut SourceFd(&timer.descriptor()),
            TIMER,
            Interest::READABLE,
        )?;
        let due = |tick: u64| Duration::from_secs_f64(tick as f64 / rate);
        let mut tick = 0;
        loop {
            let now = start.elapsed();
            while due(tick) <= now {
                self.begin((tick % self.connections.len() as u64) as usize)?;
                tick += 1;
            }
            let Some(left) = seconds.checked_sub(now) else {
                return Ok(());
            };
            timer.set(due(tick).saturating_sub(start.elapsed()))?;
            self.turn(&mut events, left)?;
        }
    }

    /// Waits once, and serves what became ready.
    fn turn(&mut self, events: &mut Events, left: Duration) -> io::Result<()> {
        match self.poll.poll(events, Some(left)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in events.iter().filter(|event| event.token() != TIMER) {
            let Token(index) = event.token();
            if self.advance(index).is_err() {
                self.fail(index);
            }
        }
        Ok(())
    }

    /// One tick of a connection: it connects the first time, and sends then and afterwards.
    fn begin(&mut self, index: usize) -> io::Result<()> {
        match self.connections[index].state {
            State::Unused => self.connect(index),
            State::Idle => {
                if self.send(index, Instant::now()).is_err() {
                    self.fail(index);
                }
                Ok(())
            }
            State::Connecting | State::Waiting | State::Failed => {
                self.tally.missed += 1;
                Ok(())
            }
        }
    }

    fn connect(&mut self, index: usize) -> io::Result<()> {
        let mut stream = open(self.target, self.sources.map(|sources| sources.of(index)))?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream, Token(index), interest)?;
        let connection = &mut self.connections[index];
        connection.stream = Some(stream);
        connection.state = State::Connecting;
        self.connecting += 1;
        Ok(())
    }

    /// An event of a connection.
    fn advance(&mut self, index: usize) -> io::Result<()> {
        match self.connections[index].state {
            State::Connecting => {
                if !is_connected(&self.connections[index])? {
                    return Ok(());
                }
                self.connecting -= 1;
                self.connections[index].state = State::Idle;
                self.send(index, Instant::now())
            }
            State::Waiting => self.receive(index),
            State::Idle => self.receive(index),
            State::Unused | State::Failed => Ok(()),
        }
    }

    fn send(&mut self, index: usize, now: Instant) -> io::Result<()> {
        let request = self.exchange.request();
        let connection = &mut self.connections[index];
        let Some(stream) = connection.stream.as_mut() else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        connection.sent = now;
        connection.state = State::Waiting;
        // A request is far smaller than any socket's buffer, which is empty here.
        match stream.write(request)? == request.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// One receive; a complete answer is counted and, without a rate, followed by the next request.
    fn receive(&mut self, index: usize) -> io::Result<()> {
        let connection = &mut self.connections[index];
        let Some(stream) = connection.stream.as_mut() else {
            return Ok(());
        };
        let length = match stream.read(&mut self.buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        if connection.state != State::Waiting {
            return Err(io::Error::other("an answer that nobody asked for"));
        }
        let came = &self.buffer[..length];
        let complete = match connection.piece.is_empty() {
            true => self.exchange.is_complete(came)?,
            false => {
                connection.piece.extend_from_slice(came);
                self.exchange.is_complete(&connection.piece)?
            }
        };
        if !complete {
            if connection.piece.is_empty() {
                connection.piece.extend_from_slice(came);
            }
            return Ok(());
        }
        connection.piece = Vec::new();
        connection.state = State::Idle;
        // One reading of the clock is the end of this exchange and the start of the next.
        let now = Instant::now();
        let latency = now.duration_since(connection.sent);
        self.tally.latency.record(latency.as_nanos() as u64);
        self.tally.done += 1;
        match self.closed {
            true => self.send(index, now),
            false => Ok(()),
        }
    }

    fn fail(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        if connection.state == State::Connecting {
            self.connecting -= 1;
        }
        connection.state = State::Failed;
        connection.stream = None;
        self.tally.failed += 1;
    }
}

/// Starts to connect; a source address leaves the choice of the port to the connect.
fn open(target: SocketAddr, source: Option<std::net::Ipv4Addr>) -> io::Result<TcpStream> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = source {
        crate::os::choose_port_late(&socket)?;
        socket.bind(&SocketAddr::from((source, 0)).into())?;
    }
    match socket.connect(&target.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

/// Whether connecting has ended well; its error if it has failed.
fn is_connected(connection: &Connection) -> io::Result<bool> {
    let Some(stream) = &connection.stream else {
        return Ok(false);
    };
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(target: SocketAddr) -> Options {
        Options {
            target,
            connections: 2,
            seconds: 1.0,
            rate: None,
            sources: None,
            message: 64,
        }
    }

    /// Turns a client until so many exchanges have ended, well or not.
    fn turn_until(client: &mut Client<Echo>, ended: u64) {
        let mut events = Events::with_capacity(16);
        while client.tally.done + client.tally.failed < ended {
            client
                .turn(&mut events, Duration::from_secs(30))
                .expect("it can wait");
        }
    }

    #[test]
    fn answers_in_pieces_are_put_together() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let target = listener.local_addr().expect("it is bound");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream?;
                stream.set_nodelay(true)?;
                std::thread::spawn(move || {
                    let mut message = [0; 64];
                    while stream.read_exact(&mut message).is_ok() {
                        message
                            .chunks(5)
                            .try_for_each(|piece| stream.write_all(piece))?;
                    }
                    io::Result::Ok(())
                });
            }
            io::Result::Ok(())
        });
        let mut client = Client::new(&options(target), Echo::new(64)).expect("a poll");
        (0..2).for_each(|index| client.connect(index).expect("it listens"));
        turn_until(&mut client, 20);
        assert_eq!((client.tally.failed, client.connecting), (0, 0));
        assert!(client.tally.latency.quantile(0.5) > 0);
    }

    #[test]
    fn a_refused_connection_is_counted() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let target = listener.local_addr().expect("it is bound");
        drop(listener);
        let mut client = Client::new(&options(target), Echo::new(64)).expect("a poll");
        (0..2).for_each(|index| client.connect(index).expect("connecting begins"));
        turn_until(&mut client, 2);
        assert_eq!((client.tally.done, client.tally.failed), (0, 2));
    }
}
