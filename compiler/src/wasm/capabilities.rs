//! What a program can reach, as far as that is constant: for whoever grants it, and for `scn inspect`.
//!
//! It is JSON in the custom section [`SECTION`]:
//!
//! ```text
//! {"form": 1,
//!  "peers": [{"use": "http.get", "host": "a.test", "port": 443, "param": null | "base"}],
//!  "names": [{"use": "dns.resolve", "name": "a.test", "param": null}],
//!  "sources": [{"use": "pool clients", "range": "127.0.1.0-127.0.1.63"}],
//!  "listens": [{"use": "server.listen", "address": "127.0.0.1:0", "param": null}],
//!  "open": [{"use": "tcp.connect", "file": "x.scn", "line": 3, "column": 11}]}
//! ```
//!
//! `param` names the param whose default value it is: another value reaches elsewhere. `open` are calls whose target
//! is known when they run only. Which interfaces there are, the component itself says.
//! Enter at [`Capabilities::of`]; everything here is pure.

mod target;
pub(super) mod trace;

use crate::ir::{GlobalKind, Program};
use scn_grammar::Span;
use serde_json::{Value, json};
use std::net::IpAddr;

/// The name of the section.
pub const SECTION: &str = "scn:capabilities";

/// Goes up when a reader has to change.
const FORM: u64 = 1;

/// What a program can reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Peers that it connects and sends to.
    pub peers: Vec<Peer>,
    /// Names that it looks up by themselves.
    pub names: Vec<Name>,
    /// Local addresses that its pools hold.
    pub sources: Vec<Source>,
    /// Where it listens.
    pub listens: Vec<Listen>,
    /// Calls whose target is not constant.
    pub open: Vec<Open>,
}

/// A peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// The call: `http.get`.
    pub by: String,
    /// A name, or an address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The param whose default it is.
    pub param: Option<String>,
}

/// A name that is looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The call.
    pub by: String,
    /// The name.
    pub name: String,
    /// The param whose default it is.
    pub param: Option<String>,
}

/// Local addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// `pool clients`.
    pub by: String,
    /// First and last, with `-` between; one address alone.
    pub range: String,
}

/// A local address that is listened on, or bound by a datagram socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listen {
    /// The call.
    pub by: String,
    /// As it is written: `127.0.0.1:0`.
    pub address: String,
    /// The param whose default it is.
    pub param: Option<String>,
}

/// A call whose target is not constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// The call.
    pub by: String,
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1, in characters.
    pub column: u64,
}

impl Source {
    /// Whether an address is among them.
    pub fn holds(&self, ip: IpAddr) -> bool {
        let (first, last) = self
            .range
            .split_once('-')
            .unwrap_or((&self.range, &self.range));
        match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
            (Ok(first), Ok(last)) => first.is_ipv4() == ip.is_ipv4() && first <= ip && ip <= last,
            _ => false,
        }
    }
}

impl Capabilities {
    /// What a program can reach.
    pub fn of(program: &Program) -> Capabilities {
        let mut found = Capabilities::default();
        for call in trace::calls(program) {
            target::add(&mut found, program, &call);
        }
        found.sources = program.globals.iter().flat_map(pool_sources).collect();
        found.peers.sort();
        found.peers.dedup();
        found.names.sort();
        found.names.dedup();
        found.listens.sort();
        found.listens.dedup();
        found.open.sort();
        found.open.dedup();
        found
    }

    /// Whether it reaches nothing.
    pub fn is_empty(&self) -> bool {
        *self == Capabilities::default()
    }

    /// The content of the section.
    pub fn write(&self) -> Vec<u8> {
        let peer = |one: &Peer| json!({ "use": one.by, "host": one.host, "port": one.port, "param": one.param });
        let name = |one: &Name| json!({ "use": one.by, "name": one.name, "param": one.param });
        let source = |one: &Source| json!({ "use": one.by, "range": one.range });
        let listen =
            |one: &Listen| json!({ "use": one.by, "address": one.address, "param": one.param });
        let open = |one: &Open| json!({ "use": one.by, "file": one.file, "line": one.line, "column": one.column });
        let all = json!({
            "form": FORM,
            "peers": self.peers.iter().map(peer).collect::<Vec<_>>(),
            "names": self.names.iter().map(name).collect::<Vec<_>>(),
            "sources": self.sources.iter().map(source).collect::<Vec<_>>(),
            "listens": self.listens.iter().map(listen).collect::<Vec<_>>(),
            "open": self.open.iter().map(open).collect::<Vec<_>>(),
        });
        all.to_string().into_bytes()
    }

    /// Reads the content of a section; says what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Capabilities, String> {
        let all: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if all["form"] != FORM {
            return Err(format!("its form is {}, not {FORM}", all["form"]));
        }
        let peer = |one: &Value| {
            Some(Peer {
                by: text(one, "use")?,
                host: text(one, "host")?,
                port: one["port"].as_u64()?.try_into().ok()?,
                param: text(one, "param"),
            })
        };
        let name = |one: &Value| {
            Some(Name {
                by: text(one, "use")?,
                name: text(one, "name")?,
                param: text(one, "param"),
            })
        };
        let source = |one: &Value| {
            Some(Source {
                by: text(one, "use")?,
                range: text(one, "range")?,
            })
        };
        let listen = |one: &Value| {
            Some(Listen {
                by: text(one, "use")?,
                address: text(one, "address")?,
                param: text(one, "param"),
            })
        };
        let open = |one: &Value| {
            Some(Open {
                by: text(one, "use")?,
                file: text(one, "file")?,
                line: one["line"].as_u64()?,
                column: one["column"].as_u64()?,
            })
        };
        Ok(Capabilities {
            peers: list(&all["peers"], peer)?,
            names: list(&all["names"], name)?,
            sources: list(&all["sources"], source)?,
            listens: list(&all["listens"], listen)?,
            open: list(&all["open"], open)?,
        })
    }
}

fn text(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, String> {
    let items = value.as_array().into_iter().flatten();
    let items: Option<Vec<T>> = items.map(item).collect();
    items.ok_or_else(|| "an entry lacks a field".to_owned())
}

fn pool_sources(global: &crate::ir::Global) -> Vec<Source> {
    let GlobalKind::Pool(pool) = &global.kind else {
        return Vec::new();
    };
    let ranges = pool.ranges.iter().map(|range| Source {
        by: format!("pool {}", global.name),
        range: range_text(*range),
    });
    ranges.collect()
}

fn range_text((first, last): (IpAddr, IpAddr)) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    }
}

/// The place of a call.
fn place(program: &Program, span: Span) -> (String, u64, u64) {
    let Some((name, text)) = program.sources.get(span.source.0 as usize) else {
        return (String::new(), 0, 0);
    };
    let before = text.get(..span.start as usize).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].chars().count() + 1;
    (name.clone(), line as u64, column as u64)
}

#[cfg(test)]
mod tests;
