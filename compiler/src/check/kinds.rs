//! The published list of error kinds, and the checks of what programs compare them with.

use super::Checker;
use crate::diagnostics::suggest::nearest;
use crate::diagnostics::values;
use crate::hir::{Const, Expr, ExprKind};
use scn_grammar::Span;

/// Every error kind, as `e.kind` shows it.
pub(super) const ERROR_KINDS: &[&str] = &[
    // Sockets.
    "connection_refused",
    "connection_reset",
    "connection_aborted",
    "network_unreachable",
    "address_in_use",
    "address_not_available",
    "timeout",
    "would_block",
    "invalid_input",
    "other",
    // Names.
    "dns.invalid_name",
    "dns.not_found",
    "dns.protocol",
    "dns.server_failure",
    "dns.timeout",
    // TLS.
    "tls.alpn",
    "tls.bad_certificate",
    "tls.certificate_rejected",
    "tls.certificate_required",
    "tls.config",
    "tls.expired",
    "tls.handshake",
    "tls.not_yet_valid",
    "tls.protocol",
    "tls.revoked",
    "tls.unknown_issuer",
    "tls.version",
    "tls.wrong_host",
    // HTTP.
    "http.bad_chunk",
    "http.bad_length",
    "http.bad_redirect",
    "http.bad_response",
    "http.body_too_large",
    "http.closed",
    "http.head_too_large",
    "http.incomplete",
    "http.invalid_request",
    "http.invalid_url",
    "http.too_many_redirects",
    "http.unsupported",
    // WebSockets.
    "ws.bad_frame",
    "ws.closed",
    "ws.handshake",
    // Pools of addresses, and what a machine runs out of.
    "pool.exhausted",
    "resource.descriptors",
    "resource.memory",
    "resource.ports",
    // Protocols written in scn have `protocol.*` for themselves.
    "protocol.error",
    // The program itself.
    "script.argument",
    "script.arithmetic",
    "script.data",
    "script.data_exhausted",
    "script.decode",
    "script.depth",
    "script.expect",
    "script.fail",
    "script.index",
    "script.memory",
    "script.parse",
];

/// Whether a kind is published, or of the family that programs own.
fn is_known(kind: &str) -> bool {
    ERROR_KINDS.contains(&kind)
        || kind
            .strip_prefix("protocol.")
            .is_some_and(|rest| !rest.is_empty())
}

impl Checker<'_> {
    /// `e.kind == "..."`: the literal must be a kind that exists.
    pub(super) fn check_kind_comparison(&mut self, left: &Expr, right: &Expr) {
        for (kind, literal) in [(left, right), (right, left)] {
            if self.is_error_kind(kind)
                && let ExprKind::Const(Const::String(text)) = &*literal.kind
            {
                self.check_kind(text, literal.span);
            }
        }
    }

    /// `e.kind in ["..."]`.
    pub(super) fn check_kinds_among(&mut self, list: &Expr, kind: &Expr) {
        if !self.is_error_kind(kind) {
            return;
        }
        if let ExprKind::List(items) = &*list.kind {
            for item in items {
                self.check_kind_comparison(kind, item);
            }
        }
    }

    /// Whether an expression reads the kind of an error.
    pub(super) fn is_error_kind(&self, expr: &Expr) -> bool {
        match &*expr.kind {
            ExprKind::CallNative { native, args } => {
                self.hir.natives[native.index()].name == "error.kind"
                    && args.first().is_some_and(|base| base.ty == self.basic.error)
            }
            _ => false,
        }
    }

    pub(super) fn check_kind(&mut self, kind: &str, span: Span) {
        if is_known(kind) {
            return;
        }
        let bare = ERROR_KINDS
            .iter()
            .find(|known| known.split_once('.').is_some_and(|(_, rest)| rest == kind));
        let near = bare
            .copied()
            .or_else(|| nearest(kind, ERROR_KINDS.iter().copied()));
        self.report(values::unknown_kind(kind, span, near));
    }
}
