//! Checks on constants: text in a literal that can never work is an error now, not at run time.

use super::Checker;
use super::fold;
use crate::diagnostics::values;
use crate::hir::{Const, Expr, ExprKind, Native, NativeParam, Part};
use scn_grammar::Span;
use std::net::{IpAddr, SocketAddr};

/// Why a pattern is no regular expression.
pub(super) fn regex_error(pattern: &str) -> Result<(), String> {
    match regex::Regex::new(pattern) {
        Ok(_) => Ok(()),
        Err(regex::Error::Syntax(text)) => {
            let last = text
                .lines()
                .rev()
                .find_map(|line| line.strip_prefix("error: "));
            Err(last
                .unwrap_or("the pattern is malformed")
                .trim_end_matches('.')
                .to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

impl Checker<'_> {
    /// Looks at the constant arguments of a library call.
    pub(super) fn check_call_constants(
        &mut self,
        native: &Native,
        params: &[NativeParam],
        args: &[Expr],
    ) {
        let module = native.name.split('.').next().unwrap_or_default();
        for (param, arg) in params.iter().zip(args) {
            match (module, param.name.as_str()) {
                ("http", "url") => self.check_url(arg, &["http", "https"]),
                ("ws", "url") => self.check_url(arg, &["ws", "wss"]),
                ("http" | "server", "ok" | "status") => self.check_status(arg),
                ("tcp" | "tls" | "udp", "to" | "on" | "address") => self.check_host_port(arg),
                (_, "port") => self.check_port(arg),
                ("http", name) if name.ends_with("timeout") => {
                    self.require_positive(inner(arg), false)
                }
                _ => {}
            }
        }
    }

    fn check_url(&mut self, arg: &Expr, schemes: &[&str]) {
        let Some((text, whole, span)) = certain_start(arg) else {
            return;
        };
        if let Some(why) = url_error(&text, whole, schemes) {
            self.report(values::bad_constant(
                "URL",
                &why,
                span,
                Some(format!("such as `{}://host/path`", schemes[0])),
            ));
        }
    }

    fn check_status(&mut self, arg: &Expr) {
        match plain(fold::constant(inner(arg))) {
            Some(Const::Int(status)) => self.check_status_number(status, arg.span),
            Some(Const::Range { start, end, .. }) => {
                if let (Const::Int(start), Const::Int(end)) = (*start, *end) {
                    self.check_status_number(start, arg.span);
                    self.check_status_number(end.min(599), arg.span);
                }
            }
            _ => {}
        }
    }

    fn check_status_number(&mut self, status: i64, span: Span) {
        if !(100..=599).contains(&status) {
            self.report(values::bad_constant(
                "status",
                "a status is between 100 and 599",
                span,
                None,
            ));
        }
    }

    fn check_port(&mut self, arg: &Expr) {
        if let Some(Const::Int(port)) = fold::constant(inner(arg))
            && !(0..=65535).contains(&port)
        {
            self.report(values::bad_constant(
                "port",
                "a port is between 0 and 65535",
                arg.span,
                None,
            ));
        }
    }

    fn check_host_port(&mut self, arg: &Expr) {
        let Some(Const::String(text)) = plain(fold::constant(inner(arg))) else {
            return;
        };
        if let Some(why) = host_port_error(&text) {
            self.report(values::bad_constant(
                "address",
                &why,
                arg.span,
                Some("such as `\"127.0.0.1:8080\"`".to_owned()),
            ));
        }
    }

    /// Calls that are constants when their argument is one: `ip("127.0.0.1")`, `float(2)`.
    pub(super) fn folded_call(&mut self, name: &str, call: Expr) -> Expr {
        let ExprKind::CallNative { args, .. } = &*call.kind else {
            return call;
        };
        let [arg] = args.as_slice() else { return call };
        let Some(arg_value) = fold::constant(arg) else {
            return call;
        };
        let value = match (name, arg_value) {
            ("ip", Const::String(text)) => match text.parse::<IpAddr>() {
                Ok(ip) => Const::Ip(ip),
                Err(_) => {
                    let why = format!("`{text}` is no IPv4 or IPv6 address");
                    return self.refused(values::bad_constant("address", &why, arg.span, None));
                }
            },
            ("addr", Const::String(text)) => match text.parse::<SocketAddr>() {
                Ok(addr) => Const::Addr(addr),
                Err(_) => {
                    let why = format!("`{text}` is no address with a port");
                    let help = Some("such as `127.0.0.1:8080` or `[::1]:8080`".to_owned());
                    return self.refused(values::bad_constant("address", &why, arg.span, help));
                }
            },
            ("float", Const::Int(n)) => Const::Float(n as f64),
            ("bytes", Const::String(text)) => Const::Bytes(text.into_bytes()),
            _ => return call,
        };
        Expr {
            kind: Box::new(ExprKind::Const(value)),
            ..call
        }
    }
}

/// A value without the conversions around it.
fn inner(expr: &Expr) -> &Expr {
    match &*expr.kind {
        ExprKind::Convert { value, .. } => inner(value),
        _ => expr,
    }
}

fn plain(value: Option<Const>) -> Option<Const> {
    match value {
        Some(Const::Any(_, value)) => Some(*value),
        other => other,
    }
}

/// The text that a string certainly starts with, whether that is all of it, and its place.
fn certain_start(expr: &Expr) -> Option<(String, bool, Span)> {
    match &*inner(expr).kind {
        ExprKind::Const(Const::String(text)) => Some((text.clone(), true, expr.span)),
        ExprKind::Interpolate(parts) => match parts.first() {
            Some(Part::Text(text)) => Some((text.clone(), false, expr.span)),
            _ => None,
        },
        _ => None,
    }
}

/// Why a text is no URL of these schemes; of a start only what cannot be repaired by what follows.
fn url_error(text: &str, whole: bool, schemes: &[&str]) -> Option<String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        let could_grow = !whole
            && schemes
                .iter()
                .any(|scheme| format!("{scheme}://").starts_with(text));
        return (!could_grow).then(|| match text.starts_with('/') {
            true => "it has no host".to_owned(),
            false => format!("it does not start with `{}://`", schemes[0]),
        });
    };
    if !schemes.contains(&scheme) {
        return Some(format!(
            "its scheme `{scheme}` is not {}",
            schemes.join(" or ")
        ));
    }
    let end = rest.find(['/', '?', '#']);
    if !whole && end.is_none() {
        return None;
    }
    let authority = &rest[..end.unwrap_or(rest.len())];
    authority_error(
        authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host),
    )
    .or_else(|| {
        text.contains(char::is_whitespace)
            .then(|| "it contains a blank".to_owned())
    })
}

fn authority_error(authority: &str) -> Option<String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) => {
                if host.parse::<std::net::Ipv6Addr>().is_err() {
                    return Some(format!("`{host}` is no IPv6 address"));
                }
                (host, port.strip_prefix(':').unwrap_or(port))
            }
            None => return Some("`[` is never closed".to_owned()),
        },
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    if host.is_empty() {
        return Some("it has no host".to_owned());
    }
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return Some(format!("`{port}` is no port"));
    }
    let strange = host
        .chars()
        .find(|c| c.is_whitespace() || "<>\"{}|\\^`".contains(*c));
    strange.map(|c| format!("`{c}` cannot be in a host"))
}

/// Why a text is no `host:port`.
pub(super) fn host_port_error(text: &str) -> Option<String> {
    if text.parse::<SocketAddr>().is_ok() {
        return None;
    }
    if text.parse::<IpAddr>().is_ok() {
        return Some(format!("`{text}` has no port"));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Some(format!("`{text}` has no port"));
    };
    if port.parse::<u16>().is_err() {
        return Some(format!("`{port}` is no port"));
    }
    let numeric = host.chars().all(|c| c.is_ascii_digit() || c == '.') && !host.is_empty();
    if numeric && host.parse::<IpAddr>().is_err() {
        return Some(format!("`{host}` is no IPv4 address"));
    }
    (host.is_empty() || host.contains(char::is_whitespace)).then(|| "it has no host".to_owned())
}
