//! The runtime's own host functions (`rt.*`), with the signatures that `ARCHITECTURE.md` lists.

use super::tables::Tables;
use crate::ir::{NativeId, NativeParam, NativeRef, Ty};

const I: Ty = Ty::Int;
const F: Ty = Ty::Float;
const P: Ty = Ty::Ptr;

/// Name, parameters, results, waits, fails.
type Row = (&'static str, &'static [Ty], &'static [Ty], bool, bool);

/// All of them; owned parameters are in [`OWN`].
const ROWS: &[Row] = &[
    ("rt.sleep", &[I], &[], true, true),
    ("rt.sleep_between", &[I, I], &[], true, true),
    ("rt.sleep_until", &[I], &[], true, true),
    ("rt.think", &[I], &[], true, true),
    ("rt.think_between", &[I, I], &[], true, true),
    ("rt.now", &[], &[I], false, false),
    ("rt.next_tick", &[I, I], &[I], false, false),
    ("rt.stopping", &[], &[I], false, false),
    ("rt.backoff", &[I, I, I], &[I], false, false),
    ("rt.choose", &[I], &[I], false, false),
    ("rt.timeout_enter", &[I], &[I], false, false),
    ("rt.timeout_exit", &[I], &[], false, false),
    ("rt.timeout_caught", &[I], &[], false, false),
    ("rt.shield_enter", &[I], &[I], false, false),
    ("rt.shield_exit", &[I], &[], false, false),
    ("rt.defer_failed", &[], &[], false, false),
    ("rt.step_enter", &[I, P], &[I], false, false),
    ("rt.step_exit", &[I, I], &[], false, false),
    ("rt.check", &[I, P, I, P, P], &[], false, false),
    ("rt.check_error", &[I, P], &[], false, false),
    ("rt.expect_failed", &[I, P, P, P], &[], false, true),
    ("rt.expect_ok", &[I, P], &[], false, false),
    ("rt.fail", &[P, P], &[], false, true),
    ("rt.compare", &[P, P], &[I], false, false),
    ("rt.append_text", &[P, P], &[P], false, false),
    ("rt.concat_bytes", &[P, P], &[P], false, true),
    ("rt.concat_list", &[P, P], &[P], false, false),
    ("rt.decode", &[I, P], &[P], false, true),
    ("rt.decode_int", &[I, P], &[I], false, true),
    ("rt.decode_float", &[I, P], &[F], false, true),
    ("rt.is_absent", &[P], &[I], false, false),
    ("rt.secret", &[P], &[], false, false),
    ("rt.parse_int", &[I, P], &[I], false, true),
    ("rt.parse_float", &[I, P], &[F], false, true),
    ("rt.parse_object", &[I, P], &[P], false, true),
    ("rt.json_len", &[P], &[I], false, true),
    ("rt.json_at", &[P, I], &[P], false, false),
    ("rt.record_convert", &[I, P], &[P], false, false),
    ("rt.server_error", &[P], &[], false, false),
    ("rt.index_failed", &[I, I], &[], false, true),
    ("rt.key_missing", &[P], &[], false, true),
    ("server.listen", &[I, P, P, P], &[P], false, true),
    ("server.listen_udp", &[I, P, P, P], &[P], false, true),
    ("server.accept", &[P], &[P], true, true),
    ("server.handshake", &[P], &[P], true, true),
    ("server.read", &[P], &[P], true, true),
    ("server.route", &[P, P], &[I], false, false),
    ("server.param_int", &[P, I], &[I], false, false),
    ("server.param_string", &[P, I], &[P], false, false),
    ("server.respond", &[P, P, P], &[], true, true),
    ("server.respond_error", &[P], &[], true, true),
    ("server.respond_missing", &[P, P], &[], true, true),
];

/// Parameters that are taken over.
const OWN: &[(&str, usize)] = &[
    ("rt.append_text", 0),
    ("rt.concat_bytes", 0),
    ("rt.concat_list", 0),
];

impl Tables<'_> {
    /// A host function of the table, ready to be called.
    pub fn intrinsic(&mut self, name: &str) -> (NativeId, &'static Row) {
        let row = ROWS
            .iter()
            .find(|row| row.0 == name)
            .expect("the name is one of the table");
        let param = |(i, ty): (usize, &Ty)| NativeParam {
            ty: *ty,
            own: OWN.contains(&(row.0, i)),
        };
        let native = NativeRef {
            name: name.to_owned(),
            params: row.1.iter().enumerate().map(param).collect(),
            results: row.2.iter().copied().collect(),
            waits: row.3,
            fails: row.4,
            inout: false,
            typed: false,
        };
        (self.native(native), row)
    }
}
