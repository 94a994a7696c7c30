//! A server that answers every request with one fixed response, as cheaply as an epoll server can, so that the client is
//! what is measured. Or, with `--echo`, one that sends back what it receives.
//!
//! It counts heads by their empty line and reads nothing else of a request: requests must not have a body.

use crate::os;
use memchr::memmem;
use mio::net::{TcpListener, TcpStream};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

const LISTENER: Token = Token(usize::MAX - 1);
const SIGNALS: Token = Token(usize::MAX - 2);
const CONTROL: Token = Token(usize::MAX - 3);

/// A JSON body of 250 bytes with the field that `json.scn` checks.
pub(crate) const JSON: &str = r#"{"user":{"id":4711,"name":"Ada Lovelace","mail":"ada@example.test","roles":["admin","author"],"active":true},"order":{"id":"A-1009","total":129.95,"items":[{"sku":"K-1","n":2},{"sku":"K-7","n":1}],"paid":false},"next":null,"took_ms":3,"more":[1,2,3]}"#;

/// Arguments of `scn-bench canned`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The port on 127.0.0.1; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Bytes of the body.
    #[arg(long, default_value_t = 47, conflicts_with = "json")]
    body: usize,
    /// Answer with a JSON body of 250 bytes.
    #[arg(long)]
    json: bool,
    /// Send back what comes, and count round trips of this many bytes.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    echo: Option<u64>,
    /// Close the connection after each response.
    #[arg(long, conflicts_with = "echo")]
    close: bool,
    /// Share the port with other processes that say the same.
    #[arg(long)]
    reuse_port: bool,
    /// Print the counts of answers and open connections for each byte that comes on the standard input, and end with the input.
    #[arg(long)]
    control: bool,
}

/// Serves until SIGTERM or SIGINT, and prints how much was answered.
pub(crate) fn serve(options: &Options) -> io::Result<()> {
    os::raise_descriptors()?;
    let mut server = Server::new(options)?;
    println!("listening on {}", server.listener.local_addr()?);
    server.run()?;
    println!("answered {}", server.answered());
    Ok(())
}

/// A connection, and what could not be sent at once.
struct Connection {
    stream: TcpStream,
    unsent: Vec<u8>,
    /// How much of an empty line ended the last read.
    matched: usize,
}

/// What is done with received bytes.
enum Answer {
    Fixed { response: Vec<u8>, close: bool },
    Echo { message: u64 },
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    /// Kept open because its descriptor is registered.
    _signals: OwnedFd,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    answer: Answer,
    /// Requests, or bytes when echoing.
    count: u64,
    buffer: Box<[u8]>,
}

impl Server {
    fn new(options: &Options) -> io::Result<Server> {
        let poll = Poll::new()?;
        let mut listener = listen(options)?;
        let signals = os::end_signals()?;
        let registry = poll.registry();
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        registry.register(
            &mut SourceFd(&signals.as_raw_fd()),
            SIGNALS,
            Interest::READABLE,
        )?;
        if options.control {
            registry.register(&mut SourceFd(&0), CONTROL, Interest::READABLE)?;
        }
        Ok(Server {
            poll,
            listener,
            _signals: signals,
            connections: Vec::new(),
            free: Vec::new(),
            answer: answer(options),
            count: 0,
            buffer: vec![0; 64 * 1024].into_boxed_slice(),
        })
    }

    fn answered(&self) -> u64 {
        match self.answer {
            Answer::Fixed { .. } => self.count,
            Answer::Echo { message } => self.count / message,
        }
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    SIGNALS => return Ok(()),
                    CONTROL => {
                        if !self.report()? {
                            return Ok(());
                        }
                    }
                    Token(index) => self.serve(index),
                }
            }
        }
    }

    /// Prints the count; false at the end of the input.
    fn report(&self) -> io::Result<bool> {
        let mut asked = [0; 64];
        if io::stdin().read(&mut asked)? == 0 {
            return Ok(false);
        }
        let open = self.connections.len() - self.free.len();
        println!("answered {} open {open}", self.answered());
        Ok(true)
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.adopt(stream)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn adopt(&mut self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let index = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream, Token(index), interest)?;
        self.connections[index] = Some(Connection {
            stream,
            unsent: Vec::new(),
            matched: 0,
        });
        Ok(())
    }

    /// Reads and answers; a connection that ended or failed is closed.
    fn serve(&mut self, index: usize) {
        let Some(connection) = self.connections[index].as_mut() else {
            return;
        };
        if let Ok((answered, goes_on)) = converse(connection, &self.answer, &mut self.buffer) {
            self.count += answered;
            if goes_on {
                return;
            }
        }
        self.connections[index] = None;
        self.free.push(index);
    }
}

fn listen(options: &Options) -> io::Result<TcpListener> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(options.reuse_port)?;
    socket.set_nonblocking(true)?;
    let address = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, options.port));
    socket.bind(&address.into())?;
    socket.listen(65_535)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn answer(options: &Options) -> Answer {
    if let Some(message) = options.echo {
        return Answer::Echo { message };
    }
    let (kind, body) = match options.json {
        true => ("application/json", JSON.to_owned()),
        false => ("text/plain", "x".repeat(options.body)),
    };
    let connection = if options.close {
        "connection: close\r\n"
    } else {
        ""
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n{connection}\r\n",
        body.len()
    );
    Answer::Fixed {
        response: (head + &body).into_bytes(),
        close: options.close,
    }
}

/// One turn of a connection: what was answered, and whether it goes on.
fn converse(
    connection: &mut Connection,
    answer: &Answer,
    buffer: &mut [u8],
) -> io::Result<(u64, bool)> {
    if !connection.unsent.is_empty() {
        let unsent = std::mem::take(&mut connection.unsent);
        send(connection, &unsent)?;
    }
    let mut answered = 0;
    loop {
        let length = match connection.stream.read(buffer) {
            Ok(0) => return Ok((answered, false)),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok((answered, true)),
            Err(error) => return Err(error),
        };
        match answer {
            Answer::Echo { .. } => {
                answered += length as u64;
                send(connection, &buffer[..length])?;
            }
            Answer::Fixed { response, close } => {
                let heads = heads(&mut connection.matched, &buffer[..length]);
                for _ in 0..heads {
                    send(connection, response)?;
                }
                answered += heads;
                if *close && heads > 0 {
                    return Ok((answered, false));
                }
            }
        }
        // A read that did not fill the buffer took everything; the next event comes by itself.
        if length < buffer.len() {
            return Ok((answered, true));
        }
    }
}

/// Sends, and keeps what does not fit into the socket.
fn send(connection: &mut Connection, mut data: &[u8]) -> io::Result<()> {
    if connection.unsent.is_empty() {
        loop {
            match connection.stream.write(data) {
                Ok(sent) => data = &data[sent..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            if data.is_empty() {
                return Ok(());
            }
        }
    }
    connection.unsent.extend_from_slice(data);
    Ok(())
}

/// Counts the empty lines that end in this piece, one that began in an earlier piece included.
fn heads(matched: &mut usize, data: &[u8]) -> u64 {
    const END: &[u8] = b"\r\n\r\n";
    if *matched == 0 && data.ends_with(END) && memmem::find(data, END) == Some(data.len() - 4) {
        return 1;
    }
    let mut count = 0;
    for byte in data {
        *matched = match (*byte, *matched) {
            (b'\n', 3) => {
                count += 1;
                0
            }
            (b'\r', 2) => 3,
            (b'\n', 1) => 2,
            (b'\r', _) => 1,
            _ => 0,
        };
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn the_json_body_has_250_bytes_and_the_checked_field() {
        assert_eq!(JSON.len(), 250);
        let value: serde_json::Value = serde_json::from_str(JSON).expect("it is JSON");
        assert_eq!(value["user"]["id"], 4711);
    }

    /// Starts a server on a thread that ends with the tests.
    fn start(words: &[&str]) -> SocketAddr {
        let options = Words::try_parse_from([&["canned"], words].concat()).expect("good words");
        let (say, hear) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut server = Server::new(&options.options)?;
            say.send(server.listener.local_addr()?)
                .map_err(io::Error::other)?;
            server.run()
        });
        hear.recv().expect("it listens")
    }

    #[derive(clap::Parser)]
    struct Words {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn requests_in_pieces_and_in_one_piece_are_answered() {
        let mut stream = std::net::TcpStream::connect(start(&["--body", "3"])).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nxxx";
        for byte in request {
            stream.write_all(&[*byte]).expect("it reads");
        }
        stream.write_all(&request.repeat(2)).expect("it reads");
        let mut came = vec![0; answer.len() * 3];
        stream.read_exact(&mut came).expect("three answers");
        assert_eq!(came, answer.repeat(3));
    }

    #[test]
    fn a_closing_server_ends_each_connection() {
        let mut stream = std::net::TcpStream::connect(start(&["--close"])).expect("it listens");
        stream
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .expect("it reads");
        let mut came = String::new();
        stream
            .read_to_string(&mut came)
            .expect("an answer, then the end");
        assert!(
            came.contains("connection: close\r\n") && came.ends_with("xxx"),
            "{came}"
        );
    }

    #[test]
    fn an_echo_is_more_than_a_socket_holds() {
        let mut stream =
            std::net::TcpStream::connect(start(&["--echo", "64"])).expect("it listens");
        let sent: Vec<u8> = (0..8_000_000).map(|number: u32| number as u8).collect();
        let mut writer = stream.try_clone().expect("a socket");
        let copy = sent.clone();
        let written = std::thread::spawn(move || writer.write_all(&copy));
        let mut came = vec![0; sent.len()];
        stream.read_exact(&mut came).expect("all of it comes back");
        written
            .join()
            .expect("no panic")
            .expect("all of it is sent");
        assert!(came == sent);
    }

    #[test]
    fn heads_are_counted_across_any_cut() {
        let text = b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n\r";
        for cut in 0..text.len() {
            let mut matched = 0;
            let count = heads(&mut matched, &text[..cut]) + heads(&mut matched, &text[cut..]);
            assert_eq!(count, 2, "cut at {cut}");
        }
    }
}
