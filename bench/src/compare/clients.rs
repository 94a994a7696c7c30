//! The clients of a comparison: how each is called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// wrk as it is.
    Wrk,
    /// wrk with a hook in Lua that counts status 200.
    WrkLua,
    /// wrk, asking for a connection of its own for each request.
    WrkClose,
    /// oha.
    Oha,
    /// hey.
    Hey,
    /// k6 with one check.
    K6,
    /// The raw HTTP client.
    PeerHttp,
    /// The raw TCP client.
    PeerEcho,
    /// scn with a file of `bench/scenarios`.
    Scn(&'static str),
    /// scn with the component of such a file.
    Component(&'static str),
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// This program.
    pub(crate) own: PathBuf,
    /// The command `scn`.
    pub(crate) scn: PathBuf,
    /// The command `wrk`.
    pub(crate) wrk: PathBuf,
    /// The command `oha`.
    pub(crate) oha: PathBuf,
    /// The command `hey`.
    pub(crate) hey: PathBuf,
    /// The command `k6`.
    pub(crate) k6: PathBuf,
    /// The command `nginx`.
    pub(crate) nginx: PathBuf,
    /// The folder `bench`, with scenarios and scripts.
    pub(crate) bench: PathBuf,
}

impl Programs {
    /// A file of `bench/scenarios`.
    fn scenario(&self, file: &str) -> PathBuf {
        self.bench.join("scenarios").join(file)
    }

    /// The programs whose versions a report names, with the argument that makes them tell.
    pub(crate) fn versions(&self) -> [(&Path, &'static str); 5] {
        [
            (&self.scn, "--version"),
            (&self.wrk, "-v"),
            (&self.oha, "--version"),
            (&self.k6, "version"),
            (&self.nginx, "-v"),
        ]
    }
}

/// What a client is told.
pub(crate) struct Load<'a> {
    /// The URL, or the address for echo clients.
    pub(crate) target: &'a str,
    /// Connections or users.
    pub(crate) connections: usize,
    /// How long.
    pub(crate) seconds: u64,
    /// The authority of the server's certificate.
    pub(crate) roots: &'a Path,
    /// Where scn writes its results.
    pub(crate) results: &'a Path,
}

impl Client {
    /// The name in tables.
    pub(crate) fn name(self) -> String {
        match self {
            Client::Wrk => "wrk".to_owned(),
            Client::WrkLua => "wrk + Lua".to_owned(),
            Client::WrkClose => "wrk, closing".to_owned(),
            Client::Oha => "oha".to_owned(),
            Client::Hey => "hey".to_owned(),
            Client::K6 => "k6".to_owned(),
            Client::PeerHttp => "peer-http".to_owned(),
            Client::PeerEcho => "peer-echo".to_owned(),
            Client::Scn(file) => format!("scn {file}"),
            Client::Component(file) => format!("scn {file}, as a component"),
        }
    }

    /// Its program.
    pub(crate) fn program(self, programs: &Programs) -> &Path {
        match self {
            Client::Wrk | Client::WrkLua | Client::WrkClose => &programs.wrk,
            Client::Oha => &programs.oha,
            Client::Hey => &programs.hey,
            Client::K6 => &programs.k6,
            Client::PeerHttp | Client::PeerEcho => &programs.own,
            Client::Scn(_) | Client::Component(_) => &programs.scn,
        }
    }

    /// The exit status with which a client says that it was the limit itself. At full rate on one core it has to be, so a
    /// turn with that status counts.
    pub(crate) fn saturated_status(self) -> Option<i32> {
        matches!(self, Client::Scn(_) | Client::Component(_)).then_some(4)
    }

    /// Makes what the client runs, before anything is measured.
    pub(crate) fn prepare(self, programs: &Programs, folder: &Path) -> Result<(), String> {
        let Client::Component(file) = self else {
            return Ok(());
        };
        let mut command = Command::new(&programs.scn);
        command.arg("build").arg(programs.scenario(file));
        command.arg("-o").arg(component(file, folder));
        let output = command.output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// The command line.
    pub(crate) fn command(self, programs: &Programs, load: &Load<'_>) -> Command {
        let mut command = Command::new(self.program(programs));
        command.args(self.arguments(programs, load));
        command
    }

    fn arguments(self, programs: &Programs, load: &Load<'_>) -> Vec<String> {
        let url = format!("{}/", load.target);
        let peer = |name| peer(name, load);
        match self {
            Client::Wrk => wrk(load, &[], &url),
            Client::WrkLua => {
                let hook = programs.bench.join("peers/status.lua");
                wrk(load, &["-s".to_owned(), hook.display().to_string()], &url)
            }
            Client::WrkClose => {
                let close = ["-H".to_owned(), "connection: close".to_owned()];
                wrk(load, &close, &url)
            }
            Client::Oha => {
                let words = format!(
                    "--no-tui -c {} -z {}s {url}",
                    load.connections, load.seconds
                );
                words_of(&words)
            }
            Client::Hey => words_of(&format!(
                "-c {} -z {}s {url}",
                load.connections, load.seconds
            )),
            Client::K6 => {
                let script = programs.bench.join("peers/get.js");
                let (users, seconds) = (load.connections, load.seconds);
                let target = load.target;
                let words = format!(
                    "run --quiet --no-usage-report --vus {users} --duration {seconds}s -e TARGET={target}"
                );
                let mut words = words_of(&words);
                words.push(script.display().to_string());
                words
            }
            Client::PeerHttp => peer("peer-http"),
            Client::PeerEcho => peer("peer-echo"),
            Client::Scn(file) => {
                let file = programs.scenario(file);
                let mut words = scn("--workers 1", &file, load);
                if file.ends_with("handshake_verified.scn") {
                    words.extend([
                        "--set".to_owned(),
                        format!("roots={}", load.roots.display()),
                    ]);
                }
                words
            }
            Client::Component(file) => {
                let folder = load.results.parent().unwrap_or(Path::new(""));
                scn("--allow-all", &component(file, folder), load)
            }
        }
    }
}

/// Where the component of a scenario is.
fn component(file: &str, folder: &Path) -> PathBuf {
    folder.join(file).with_extension("wasm")
}

fn words_of(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn wrk(load: &Load<'_>, more: &[String], url: &str) -> Vec<String> {
    let mut words = words_of(&format!("-t1 -c{} -d{}s", load.connections, load.seconds));
    words.extend_from_slice(more);
    words.push(url.to_owned());
    words
}

fn peer(name: &str, load: &Load<'_>) -> Vec<String> {
    let target = load.target.trim_start_matches("http://");
    let (connections, seconds) = (load.connections, load.seconds);
    words_of(&format!(
        "{name} --target {target} --connections {connections} --seconds {seconds}"
    ))
}

/// The arguments of `scn run`, with further options.
pub(crate) fn scn(options: &str, file: &Path, load: &Load<'_>) -> Vec<String> {
    let (target, users, seconds) = (load.target, load.connections, load.seconds);
    let mut words = words_of(&format!("run {options}"));
    words.push(file.display().to_string());
    let rest = format!("--set target={target} --users {users} --for {seconds}s --quiet");
    words.extend(words_of(&rest));
    words.extend([
        "--out".to_owned(),
        format!("json={}", load.results.display()),
    ]);
    words
}

/// A program by its name: a path as it is, a name through `PATH`.
pub(crate) fn find(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return name.is_file().then(|| name.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs() -> Programs {
        let name = PathBuf::from;
        Programs {
            own: name("scn-bench"),
            scn: name("scn"),
            wrk: name("wrk"),
            oha: name("oha"),
            hey: name("hey"),
            k6: name("k6"),
            nginx: name("nginx"),
            bench: name("bench"),
        }
    }

    #[test]
    fn each_client_is_told_target_connections_and_time() {
        let load = Load {
            target: "http://127.0.0.1:9",
            connections: 64,
            seconds: 2,
            roots: Path::new("roots.pem"),
            results: Path::new("scn.json"),
        };
        let line = |client: Client| client.arguments(&programs(), &load).join(" ");
        assert_eq!(line(Client::Wrk), "-t1 -c64 -d2s http://127.0.0.1:9/");
        assert_eq!(
            line(Client::PeerHttp),
            "peer-http --target 127.0.0.1:9 --connections 64 --seconds 2"
        );
        assert_eq!(
            line(Client::Scn("handshake_verified.scn")),
            "run --workers 1 bench/scenarios/handshake_verified.scn --set target=http://127.0.0.1:9 --users 64 \
             --for 2s --quiet --out json=scn.json --set roots=roots.pem"
        );
        assert_eq!(line(Client::Hey), "-c 64 -z 2s http://127.0.0.1:9/");
    }

    #[test]
    fn programs_are_found_by_name_or_path() {
        let shell = find(Path::new("sh")).expect("every system has a shell");
        assert_eq!(find(&shell), Some(shell.clone()));
        assert_eq!(find(Path::new("no-such-program-at-all")), None);
        assert_eq!(find(Path::new("/no/such/program")), None);
    }
}
