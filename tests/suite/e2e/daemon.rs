//! Starts real servers on free ports in folders of their own, and stops them when the test ends.

use libtest_mimic::{Completion, Failed, Trial};
use scn_tests::folder::Folder;
use scn_tests::program::{Output, scn};
use scn_tests::tree;
use std::ffi::OsStr;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A test that needs a program; it is skipped, with the reason, where that is not installed.
pub fn needs(
    program: &'static str,
    name: &'static str,
    test: fn(&Path) -> Result<(), Failed>,
) -> Trial {
    Trial::ignorable_test(name, move || match find(program) {
        Some(path) => test(&path).map(|()| Completion::Completed),
        None => {
            eprintln!("skipped {name}: {program} is not installed");
            Ok(Completion::ignored_with(format!(
                "{program} is not installed"
            )))
        }
    })
}

/// Looks where programs are, and where those of administrators are.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// A port that nobody uses. Another program may take it before it is used; the tests' own do not.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// A server that runs.
#[derive(Debug)]
pub struct Daemon(Child);

impl Daemon {
    /// Starts a server with no input and its output in a file of its folder.
    pub fn start(command: &mut Command, folder: &Folder) -> Daemon {
        let output = std::fs::File::create(folder.path("output.log"))
            .expect("the test's own folder takes files");
        let errors = output.try_clone().expect("a file can be opened twice");
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn();
        Daemon(child.expect("an installed program starts"))
    }

    /// Waits until it accepts connections on a port.
    pub fn listens(&mut self, port: u16, folder: &Folder) -> Result<(), Failed> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        self.ready(folder, || {
            TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
        })
    }

    /// Waits until it answers datagrams on a port.
    pub fn answers(&mut self, port: u16, question: &[u8], folder: &Folder) -> Result<(), Failed> {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has free ports");
        socket
            .set_read_timeout(Some(Duration::from_millis(100)))
            .expect("a socket has limits");
        self.ready(folder, || {
            let sent = socket.send_to(question, ("127.0.0.1", port)).is_ok();
            sent && socket.recv(&mut [0; 512]).is_ok()
        })
    }

    fn ready(&mut self, folder: &Folder, probe: impl Fn() -> bool) -> Result<(), Failed> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if probe() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.0.try_wait() {
                return Err(format!(
                    "it ended at once ({status}): {}",
                    log(&folder.path("output.log"))
                )
                .into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(format!("it does not listen: {}", log(&folder.path("output.log"))).into())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A log file's text; servers may write after they answered, so readers look for what they need with [`eventually`].
pub fn log(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// Waits until a log holds a text.
pub fn eventually(path: &Path, wanted: &str) -> Result<(), Failed> {
    let start = Instant::now();
    while !log(path).contains(wanted) {
        if start.elapsed() > Duration::from_secs(10) {
            return Err(format!("no `{wanted}` in {}:\n{}", path.display(), log(path)).into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// The component of a program of `tests/e2e`.
pub fn built(program: &str, options: &[&str], folder: &Folder) -> Result<PathBuf, Failed> {
    let source = tree::root().join("tests/e2e").join(program);
    let component = folder.path("program.wasm");
    let mut args = vec!["build".as_ref(), source.as_os_str()];
    args.extend(options.iter().map(OsStr::new));
    args.extend(["-o".as_ref(), component.as_os_str()]);
    let built = scn(args);
    match built.status {
        0 => Ok(component),
        _ => Err(built.transcript().into()),
    }
}

/// The same as a component, which is granted what is given and nothing else.
pub fn all_hold_in_component(
    program: &str,
    scenario: &str,
    params: &[(&str, String)],
    grants: &[&str],
) -> Result<Output, Failed> {
    let folder = Folder::new("component");
    // Its name says what it is built for.
    let https = match program.contains("handover") {
        true => "--https=wasi-http",
        false => "--https=wasi-tls",
    };
    let shown = built(program, &[https], &folder)?.display().to_string();
    let mut args = ["run", &shown, scenario, "--time-limit", "60s"]
        .map(str::to_owned)
        .to_vec();
    args.extend(grants.iter().map(|&grant| grant.to_owned()));
    for (name, value) in params {
        args.extend(["--set".to_owned(), format!("{name}={value}")]);
    }
    let output = scn(args);
    match output.status {
        0 => Ok(output),
        _ => Err(output.transcript().into()),
    }
}

/// Runs a program of `tests/e2e` with params; everything in it must hold.
pub fn all_hold(
    program: &str,
    scenario: &str,
    params: &[(&str, String)],
) -> Result<Output, Failed> {
    let path = tree::root()
        .join("tests/e2e")
        .join(program)
        .to_string_lossy()
        .into_owned();
    let mut args = vec!["run".to_owned(), path, scenario.to_owned()];
    for (name, value) in params {
        args.push("--set".to_owned());
        args.push(format!("{name}={value}"));
    }
    let output = scn(args);
    match output.status {
        0 => Ok(output),
        _ => Err(output.transcript().into()),
    }
}

/// What components of the tests may reach, and an authority that they trust.
pub fn loopback_and(roots: &str) -> [&str; 8] {
    [
        "--allow",
        "127.0.0.0/8:*",
        "--allow",
        "localhost:*",
        "--source",
        "127.0.0.0/8",
        "--roots",
        roots,
    ]
}
