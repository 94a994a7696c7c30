//! The harness: runs suites and prints what they measured as Markdown.
//!
//! It builds nothing. Clients are processes of their own, pinned to a core; CPU comes from the system's account of the
//! process, requests from the server's count. The suites whose clients take turns are in `suites`, the others have a
//! file each.

use crate::os;
use certificate::Certificate;
use child::Folder;
use clients::{Programs, find};
use servers::{Kind, Place, Server};
use std::path::{Path, PathBuf};

mod certificate;
pub(crate) mod child;
pub(crate) mod clients;
mod connected;
mod flat;
pub(crate) mod machine;
mod memory;
mod nginx;
mod open;
mod process;
pub(crate) mod report;
mod results;
mod scaling;
mod servers;
pub(crate) mod stats;
mod suites;
mod turns;

/// Arguments of `scn-bench compare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Suites: get, get-lua, json, https, handshake, echo, tools, or `all` for these; memory, connected, open, flat,
    /// scaling.
    #[arg(required = true, value_name = "SUITE")]
    suites: Vec<String>,
    /// Rounds.
    #[arg(long, default_value_t = 6)]
    rounds: usize,
    /// Length of each turn.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Connections or users.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Users of the suite `memory`.
    #[arg(long, default_value_t = 19_000)]
    users: usize,
    /// Length of the suite `flat`.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// The server's core; default is the last one.
    #[arg(long)]
    server_core: Option<usize>,
    /// The client's core; default is the server's.
    #[arg(long)]
    client_core: Option<usize>,
    /// Serve plain suites with nginx instead of `canned`.
    #[arg(long)]
    nginx_server: bool,
    /// Append the report to this file as well.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    #[command(flatten)]
    paths: Paths,
}

/// Where the programs are; names are looked up in `PATH`.
#[derive(Debug, clap::Args)]
struct Paths {
    /// scn; default is the one beside this program.
    #[arg(long)]
    scn: Option<PathBuf>,
    /// wrk.
    #[arg(long, default_value = "wrk")]
    wrk: PathBuf,
    /// oha.
    #[arg(long, default_value = "oha")]
    oha: PathBuf,
    /// hey.
    #[arg(long, default_value = "hey")]
    hey: PathBuf,
    /// k6.
    #[arg(long, default_value = "k6")]
    k6: PathBuf,
    /// nginx.
    #[arg(long, default_value = "nginx")]
    nginx: PathBuf,
    /// The folder with scenarios and scripts.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR")))]
    bench: PathBuf,
}

impl Paths {
    fn programs(&self) -> Result<Programs, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let found = |name: &Path| find(name).unwrap_or_else(|| name.to_owned());
        let scn = match &self.scn {
            Some(path) => found(path),
            None => own.with_file_name("scn"),
        };
        Ok(Programs {
            scn,
            wrk: found(&self.wrk),
            oha: found(&self.oha),
            hey: found(&self.hey),
            k6: found(&self.k6),
            nginx: found(&self.nginx),
            bench: self.bench.clone(),
            own,
        })
    }
}

/// What all suites share.
pub(crate) struct Bench {
    programs: Programs,
    certificate: Certificate,
    folder: Folder,
    rounds: usize,
    seconds: u64,
    connections: usize,
    server_core: usize,
    client_core: usize,
    /// The client's core where it is to have one of its own.
    apart_core: usize,
}

impl Bench {
    fn new(options: &Options) -> Result<Bench, String> {
        let folder = Folder::new().map_err(|error| error.to_string())?;
        let cores = os::cores().map_err(|error| error.to_string())?;
        let last = cores.last().copied().unwrap_or(0);
        let server_core = options.server_core.unwrap_or(last);
        let client_core = options.client_core.unwrap_or(server_core);
        let other = cores.iter().copied().find(|core| *core != server_core);
        Ok(Bench {
            programs: options.paths.programs()?,
            certificate: Certificate::make(folder.path())?,
            folder,
            rounds: options.rounds,
            seconds: options.seconds.max(1),
            connections: options.connections,
            server_core,
            client_core,
            apart_core: options.client_core.or(other).unwrap_or(client_core),
        })
    }

    fn place(&self) -> Place<'_> {
        Place {
            own: &self.programs.own,
            nginx: &self.programs.nginx,
            folder: self.folder.path(),
            core: self.server_core,
            certificate: &self.certificate,
        }
    }

    fn server(&self, kind: Kind) -> Result<Server, String> {
        Server::start(kind, &self.place()).map_err(|error| error.to_string())
    }
}

/// Runs the suites that are named.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let names = names(&options.suites);
    if let Some(unknown) = names.iter().find(|name| !is_suite(name)) {
        return Err(format!("there is no suite `{unknown}`"));
    }
    let bench = Bench::new(options)?;
    let markdown = options.markdown.as_deref();
    publish(markdown, &machine::describe(&bench.programs.versions()))?;
    for name in names {
        publish(markdown, &measure(&bench, options, name)?)?;
    }
    Ok(())
}

/// Suites that have a file of their own.
const SPECIAL: [&str; 5] = ["memory", "connected", "open", "flat", "scaling"];

fn is_suite(name: &str) -> bool {
    SPECIAL.contains(&name) || suites::named(name).is_some()
}

/// `all` stands for the suites whose clients take turns.
fn names(asked: &[String]) -> Vec<&str> {
    let mut names = Vec::new();
    for name in asked {
        match name.as_str() {
            "all" => names.extend(suites::SUITES.iter().map(|suite| suite.name)),
            other => names.push(other),
        }
    }
    names
}

fn measure(bench: &Bench, options: &Options, name: &str) -> Result<String, String> {
    match name {
        "memory" => return Ok(memory::run(bench, options.users)),
        "connected" => return connected::run(bench),
        "open" => return open::run(bench),
        "flat" => return flat::run(bench, options.minutes),
        "scaling" => return scaling::run(bench),
        _ => {}
    }
    let Some(suite) = suites::named(name) else {
        return Err(format!("there is no suite `{name}`"));
    };
    let kind = match (options.nginx_server, suite.server) {
        (true, Kind::Canned) => Kind::Nginx,
        (_, kind) => kind,
    };
    turns::run(bench, suite, kind)
}

/// Prints a part of the report, and appends it to the file.
pub(crate) fn publish(markdown: Option<&Path>, text: &str) -> Result<(), String> {
    println!("{text}");
    let Some(path) = markdown else {
        return Ok(());
    };
    use std::io::Write;
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path);
    file.and_then(|mut file| writeln!(file, "{text}"))
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stands_for_the_suites_in_turns() {
        let asked = ["all".to_owned(), "open".to_owned()];
        let found = names(&asked);
        assert_eq!((found.first(), found.last()), (Some(&"get"), Some(&"open")));
        assert!(found.iter().all(|name| is_suite(name)));
        assert!(!is_suite("gett"));
    }
}
