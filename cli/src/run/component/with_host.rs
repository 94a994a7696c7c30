//! From the command line to a run of a component, and from what came of it to an exit status.

use super::HostArguments;
use crate::execute::{
    Screen, Watch, on_interrupt, prepare, random_seed, stop_on_interrupt, variables,
};
use crate::hosted::{self, Told};
use crate::inspect::peer as shown_peer;
use crate::outputs::{Outputs, Target};
use crate::render::numbers::Clock;
use crate::render::program::ProgramText;
use crate::run::closing::End;
use crate::run::{Lines, RunArguments, columns, detail, live, plan};
use crate::terminal::{Exit, Style, Terminal};
use scn_compiler::wasm::capabilities::{self, Capabilities};
use scn_compiler::wasm::section;
use scn_compiler::wasm::sources::{self, SourceMap};
use scn_host::{Denied, Ended, Grants, HostError, Line, Ran, Roots, Settings, Stop, Stream};
use scn_runtime::run::What;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Runs a component.
pub(in crate::run) fn run(
    arguments: &RunArguments,
    terminal: &mut Terminal<'_>,
) -> Result<Exit, Exit> {
    let shown = arguments.file.display();
    let bytes = std::fs::read(&arguments.file)
        .map_err(|error| terminal.refuse(&format!("cannot read `{shown}`: {error}"), None))?;
    if let Some(option) = arguments.options.not_for_components() {
        let message = format!("`{option}` is not for components");
        return Err(terminal.refuse(&message, Some("the host compiles and runs them")));
    }
    let mut settings = arguments
        .host
        .settings()
        .map_err(|(message, help)| terminal.refuse(&message, help))?;
    let map = section::find(&bytes, sources::SECTION).map(SourceMap::read);
    match map {
        Some(Ok(map)) => {
            let what = What::Scenarios(arguments.scenarios.clone());
            let (options, load) = (&arguments.options, arguments.load.overrides());
            let seed = options.seed.unwrap_or_else(random_seed);
            let told = hosted::arguments(&what, seed, load, options);
            settings.arguments.extend(told);
            of_scenario(arguments, &bytes, (&settings, seed), map, terminal)
        }
        Some(Err(why)) => {
            let message = format!("`{shown}` has a source map that cannot be read: {why}");
            Err(terminal.refuse(&message, Some("build it again with this scn")))
        }
        None => {
            settings.arguments.extend(arguments.scenarios.clone());
            foreign(arguments, &bytes, &settings, terminal)
        }
    }
}

/// Runs the component of a file of source, with what is granted; with everything if nothing is.
pub(in crate::run) fn run_source(
    arguments: &RunArguments,
    terminal: &mut Terminal<'_>,
) -> Result<Exit, Exit> {
    let options = &arguments.options;
    if !options.runs_component() {
        let option = arguments.host.given().unwrap_or("--allow");
        let message = format!("`{option}` is for components only");
        let help = "give --engine component as well, or build one (scn build) and run that";
        return Err(terminal.refuse(&message, Some(help)));
    }
    let mut settings = arguments
        .host
        .settings()
        .map_err(|(message, help)| terminal.refuse(&message, help))?;
    settings.grants.all |= arguments.host.grants_nothing();
    settings.environment.splice(0..0, variables());
    let prepared = prepare(&arguments.file, options.quiet, terminal)?;
    let plan = plan(arguments, &prepared, terminal)?;
    let bytes = prepared.component(&plan, terminal)?;
    let map = section::find(&bytes, sources::SECTION).map(SourceMap::read);
    let Some(Ok(map)) = map else {
        return Err(terminal.fail("the component that was built has no source map"));
    };
    let seed = options.seed.unwrap_or_else(random_seed);
    let told = hosted::arguments(&plan.what, seed, plan.overrides, options);
    settings.arguments.extend(told);
    of_scenario(arguments, &bytes, (&settings, seed), map, terminal)
}

/// Runs what was built from a scenario, and shows it as one.
fn of_scenario(
    arguments: &RunArguments,
    bytes: &[u8],
    (settings, seed): (&Settings, u64),
    map: SourceMap,
    terminal: &mut Terminal<'_>,
) -> Result<Exit, Exit> {
    let options = &arguments.options;
    let is_load = map.load || !arguments.load.overrides().is_empty();
    let serves = map.serves;
    let what = match serves {
        true => What::Servers,
        false => What::Scenarios(Vec::new()),
    };
    let program = ProgramText::of_map(map);
    let mut outputs = Outputs::open(&arguments.out, terminal)?;
    let to_err = arguments.out.iter().any(Target::is_stdout);
    let style = match to_err {
        true => terminal.err_style(),
        false => terminal.out_style(),
    };
    let clock = Clock {
        hidden: terminal.surroundings.hide_times,
    };
    let start = Instant::now();
    let detail = detail(options, &what);
    let mut lines = Lines::new(&program, detail, options, style, clock);
    let watch = Watch {
        live: is_load.then(|| live(options, terminal)).flatten(),
        outputs: Some(&mut outputs),
        to_err,
    };
    stop_on_interrupt(&settings.stop, &watch, terminal);
    let mut screen = Screen::new(&mut lines, watch, terminal);
    let load = hosted::Load {
        is_load,
        is_verbose: options.verbose,
        seed,
    };
    let told = hosted::run(bytes, settings, &program, load, &mut screen);
    screen.erase();
    let Told {
        outcome,
        refused,
        status,
        ran,
    } = told.map_err(|error| refuse(arguments, &error, terminal))?;
    if let Some(refused) = refused {
        return Err(terminal.refuse(&refused.message, refused.help.as_deref()));
    }
    let end = End {
        file: &arguments.file.display().to_string(),
        program: &program,
        outcome,
        tally: *lines.tally(),
        is_load,
        nanos: start.elapsed().as_nanos() as i64,
        style,
        clock,
        columns: columns(to_err, terminal),
        options,
        to_err,
        cut: hosted::cut(&ran),
    };
    let shown = end.close(outputs, terminal);
    let said = status.map_or(Exit::Success, Exit::of_code);
    say_denied(&ran, bytes, serves, &arguments.host, terminal);
    Ok(gravest([shown, said, ended(&ran, terminal)]))
}

/// Runs any other component: what it prints is passed on.
fn foreign(
    arguments: &RunArguments,
    bytes: &[u8],
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<Exit, Exit> {
    if terminal.surroundings.interrupts {
        let stop = settings.stop.clone();
        on_interrupt(move || {
            stop.request();
        });
    }
    let ran = scn_host::run(bytes, settings, &mut |line: Line| {
        let writer = match line.stream {
            Stream::Out => &mut *terminal.out,
            Stream::Err => &mut *terminal.err,
        };
        // Whoever reads the output may be gone: the run goes on, its exit status still counts.
        let _ = writer.write_all(&line.bytes).and_then(|()| writer.flush());
    });
    let ran = ran.map_err(|error| refuse(arguments, &error, terminal))?;
    say_denied(&ran, bytes, false, &arguments.host, terminal);
    Ok(ended(&ran, terminal))
}

/// A message and what to do about it.
type Wrong = (String, Option<&'static str>);

impl HostArguments {
    /// Whether no peer and no address is granted.
    fn grants_nothing(&self) -> bool {
        !self.allow_all && self.allow.is_empty() && self.source.is_empty()
    }

    fn settings(&self) -> Result<Settings, Wrong> {
        let usual = Settings::default();
        Ok(Settings {
            grants: self.grants()?,
            memory: self.memory.unwrap_or(usual.memory),
            time: self.time_limit.map(Duration::from_nanos),
            environment: self.environment()?,
            roots: self.roots()?,
            instances: self.instances.unwrap_or(1),
            stop: Stop::default(),
            ..usual
        })
    }

    fn grants(&self) -> Result<Grants, Wrong> {
        let wrong = |error: scn_host::BadGrant| (error.to_string(), None);
        let allow = self.allow.iter().map(|text| text.parse());
        let sources = self.source.iter().map(|text| text.parse());
        Ok(Grants {
            all: self.allow_all,
            allow: allow.collect::<Result<_, _>>().map_err(wrong)?,
            sources: sources.collect::<Result<_, _>>().map_err(wrong)?,
        })
    }

    fn environment(&self) -> Result<Vec<(String, String)>, Wrong> {
        let variables = self.env.iter().map(|given| match given.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => match std::env::var(given) {
                Ok(value) => Ok((given.clone(), value)),
                Err(_) => Err((
                    format!("there is no variable `{given}` to give"),
                    Some("give it a value: --env NAME=VALUE"),
                )),
            },
        });
        variables.collect()
    }

    fn roots(&self) -> Result<Roots, Wrong> {
        let Some(path) = &self.roots else {
            return Ok(Roots::default());
        };
        let wrong = |why: String| (format!("cannot use `{}`: {why}", path.display()), None);
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        Roots::of_pem(&pem).map_err(wrong)
    }
}

/// Says why nothing ran.
fn refuse(arguments: &RunArguments, error: &HostError, terminal: &mut Terminal<'_>) -> Exit {
    let message = format!("cannot run `{}`: {error}", arguments.file.display());
    let help = match error {
        HostError::NotAComponent(_) => Some("scn build makes components of scenarios"),
        HostError::Missing(_) => Some("this host has WASI 0.2 with http and tls"),
        HostError::NoRun(_) => Some("scn inspect shows what it exports"),
        HostError::Unlinkable(_) => Some("it was built for another version of these interfaces"),
        HostError::TooMany(_) => None,
        HostError::System(_) => return terminal.fail(&message),
    };
    terminal.refuse(&message, help)
}

/// Says how instances ended that did not end by themselves, and the status that follows.
fn ended(ran: &Ran, terminal: &mut Terminal<'_>) -> Exit {
    let mut exits = Vec::new();
    for (instance, ended) in ran.ended.iter().enumerate() {
        let style = terminal.err_style();
        let who = match ran.ended.len() {
            1 => "the component".to_owned(),
            _ => format!("instance {instance}"),
        };
        let exit = match ended {
            Ended::Status(0) | Ended::Stopped => Exit::Success,
            Ended::Status(status) => Exit::of_code(*status),
            Ended::Late(_) | Ended::TimedOut(_) => Exit::Failed,
            Ended::Trap { .. } => Exit::Internal,
        };
        let how = match ended {
            Ended::Status(_) | Ended::Late(_) => None,
            Ended::Trap { .. } => Some("crashed"),
            Ended::TimedOut(_) | Ended::Stopped => Some("cut off"),
        };
        if let Some(how) = how {
            let _ = writeln!(terminal.err, "{}: {who}: {ended}", style.red(how));
        }
        exits.push(exit);
    }
    gravest(exits)
}

/// What was wanted and not granted, with the options that grant it. Of a pool's addresses one tells enough. What only
/// `serves` asks nothing of its own servers.
fn say_denied(
    ran: &Ran,
    bytes: &[u8],
    serves: bool,
    given: &HostArguments,
    terminal: &mut Terminal<'_>,
) {
    let style: Style = terminal.err_style();
    let wants = section::find(bytes, capabilities::SECTION).map(Capabilities::read);
    let wants = wants.and_then(Result::ok).unwrap_or_default();
    let mut told = Vec::new();
    for denied in &ran.denied {
        let option = grant(denied, &wants);
        if told.contains(&option) {
            continue;
        }
        let _ = writeln!(
            terminal.err,
            "{}: the component wanted {denied}\n  {}: grant it by {option}",
            style.yellow("denied"),
            style.cyan("help"),
        );
        told.push(option);
    }
    let all = options_for(&wants, serves);
    if !ran.denied.is_empty() && given.allow.is_empty() && !all.is_empty() {
        let _ = writeln!(
            terminal.err,
            "  {}: everything that it names: {}",
            style.cyan("help"),
            all.join(" ")
        );
    }
}

fn grant(denied: &Denied, wants: &Capabilities) -> String {
    match denied {
        Denied::Peer(address) if is_own(*address, wants) => {
            format!("--allow '{}'", any_port(address.ip()))
        }
        Denied::Peer(address) => format!("--allow {address}"),
        Denied::Source(address) => {
            let ip = address.ip();
            let pool = wants.sources.iter().find(|source| source.holds(ip));
            match pool {
                Some(source) => format!("--source {}", source.range),
                None => format!("--source {ip}"),
            }
        }
        Denied::Name(name) => format!("--allow '{name}:*'"),
        Denied::Request(host, port) => format!("--allow {}", shown_peer(host, *port)),
    }
}

/// Whether an address may be that of a server of the component's own, which gets another port in each run.
fn is_own(peer: SocketAddr, wants: &Capabilities) -> bool {
    own_servers(wants).any(|server| server.port() == 0 && reached_at(server) == peer.ip())
}

/// The addresses that a component says it listens at.
fn own_servers(wants: &Capabilities) -> impl Iterator<Item = SocketAddr> {
    let written = wants.listens.iter();
    written.filter_map(|listen| listen.address.parse().ok())
}

/// Where a server is reached on its own machine.
fn reached_at(server: SocketAddr) -> IpAddr {
    match server.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// All ports of an address, as they are granted.
fn any_port(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!("{ip}:*"),
        IpAddr::V6(ip) => format!("[{ip}]:*"),
    }
}

/// The options that grant what a component says that it wants.
fn options_for(wants: &Capabilities, serves: bool) -> Vec<String> {
    let peers = wants.peers.iter().map(|peer| {
        let host = shown_peer(&peer.host, peer.port);
        format!("--allow {host}")
    });
    let names = wants
        .names
        .iter()
        .map(|name| format!("--allow '{}:*'", name.name));
    let sources = wants
        .sources
        .iter()
        .map(|source| format!("--source {}", source.range));
    let servers: Vec<SocketAddr> = own_servers(wants).collect();
    let asked = servers.iter().filter(|_| !serves);
    let asked = asked.map(|server| match server.port() {
        0 => format!("--allow '{}'", any_port(reached_at(*server))),
        port => format!("--allow {}", SocketAddr::new(reached_at(*server), port)),
    });
    let bound = servers
        .iter()
        .map(|server| format!("--source {}", server.ip()));
    let mut told = BTreeSet::new();
    let all = peers.chain(names).chain(asked).chain(sources).chain(bound);
    all.filter(|option| told.insert(option.clone())).collect()
}

/// Of several statuses the one that counts: a failure of the tool, an invalid run, a failed one.
fn gravest(exits: impl IntoIterator<Item = Exit>) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Success => 0,
        Exit::Failed => 1,
        Exit::Invalid => 2,
        Exit::Usage => 3,
        Exit::Internal => 4,
    };
    exits.into_iter().max_by_key(rank).unwrap_or(Exit::Success)
}
