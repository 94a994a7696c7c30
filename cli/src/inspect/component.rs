//! `scn inspect x.wasm`: what a component imports and exports, what it can reach, and the texts that it came from.
//!
//! Nothing is run and nothing of the host is needed. Enter at [`inspect`].

use crate::terminal::{Exit, Terminal};
use scn_compiler::ir::SiteKind;
use scn_compiler::wasm::capabilities::{self, Capabilities};
use scn_compiler::wasm::interfaces::{Interface, interfaces};
use scn_compiler::wasm::section;
use scn_compiler::wasm::sources::{self, SourceMap};
use std::fmt::Write;
use std::path::Path;

/// Prints what a component says of itself.
pub(super) fn inspect(path: &Path, terminal: &mut Terminal<'_>) -> Exit {
    let shown = path.display();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return terminal.refuse(&format!("cannot read `{shown}`: {error}"), None),
    };
    match told(&bytes) {
        Ok(text) => {
            let _ = terminal.out.write_all(text.as_bytes());
            Exit::Success
        }
        Err(why) => {
            let help = "scn build makes components of scenarios";
            terminal.refuse(&format!("`{shown}` is no component: {why}"), Some(help))
        }
    }
}

fn told(bytes: &[u8]) -> Result<String, String> {
    let (imports, exports) = interfaces(bytes)?;
    let mut out = format!("component of {} bytes\n", bytes.len());
    list_interfaces(&mut out, "imports", &imports);
    list_interfaces(&mut out, "exports", &exports);
    match section::find(bytes, capabilities::SECTION) {
        Some(data) => list_capabilities(&mut out, &Capabilities::read(data)?),
        None => out.push_str("\nreaches: it does not say\n"),
    }
    match section::find(bytes, sources::SECTION) {
        Some(data) => list_sources(&mut out, &SourceMap::read(data)?),
        None => out.push_str("\nsources: none\n"),
    }
    Ok(out)
}

fn list_interfaces(out: &mut String, title: &str, all: &[Interface]) {
    let _ = writeln!(
        out,
        "\n{title}:{}",
        if all.is_empty() { " nothing" } else { "" }
    );
    for interface in all {
        let _ = writeln!(out, "  {}", interface.name);
        for function in &interface.functions {
            let _ = writeln!(out, "    {function}");
        }
    }
}

fn list_capabilities(out: &mut String, found: &Capabilities) {
    let nothing = if found.is_empty() { " nothing" } else { "" };
    let _ = writeln!(out, "\nreaches:{nothing}");
    let from = |param: &Option<String>| {
        let param = param.as_ref();
        param.map_or(String::new(), |name| {
            format!(", the default of param {name}")
        })
    };
    for one in &found.peers {
        let host = peer(&one.host, one.port);
        let _ = writeln!(out, "  {host} by {}{}", one.by, from(&one.param));
    }
    for one in &found.names {
        let _ = writeln!(
            out,
            "  the name {} by {}{}",
            one.name,
            one.by,
            from(&one.param)
        );
    }
    for one in &found.sources {
        let _ = writeln!(out, "  from {} by {}", one.range, one.by);
    }
    for one in &found.listens {
        let _ = writeln!(
            out,
            "  at {} by {}{}",
            one.address,
            one.by,
            from(&one.param)
        );
    }
    for one in &found.open {
        let place = format!("{}:{}:{}", one.file, one.line, one.column);
        let _ = writeln!(
            out,
            "  what is known at run time only, by {} at {place}",
            one.by
        );
    }
}

fn list_sources(out: &mut String, map: &SourceMap) {
    let count = |kind: SiteKind| map.sites.iter().filter(|site| site.kind == kind).count();
    out.push_str("\nsources:\n");
    for file in &map.sources.all {
        let lines = file.text.lines().count();
        let _ = writeln!(out, "  {}: {lines} lines", file.name);
    }
    let _ = writeln!(
        out,
        "  functions: {}, checks: {}, expects: {}, steps: {}, calls: {}{}",
        map.functions.len(),
        count(SiteKind::Check),
        count(SiteKind::Expect),
        count(SiteKind::Step),
        count(SiteKind::Call),
        if map.load { ", with a load plan" } else { "" }
    );
}

/// `host:port`, with brackets where they are needed.
pub(crate) fn peer(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}
