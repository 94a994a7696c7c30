//! What the library is made of in a component: bodies in scn, over memory and the host's interfaces.
//!
//! A native is known by its name, and its body by the same name with `_` for the dot: `string.trim` is `string_trim`,
//! `rt.check` is `rt_check`, `TcpConn.send` is `TcpConn_send`; those of the prelude are `prelude_env` and so on.
//! Enter at [`BODIES`], which the compiler reads when it builds a component.

use scn_compiler::source::Library;

/// Joins the declarations of the standard library with further modules, in that order.
macro_rules! with_bodies {
    ($($name:literal)*) => {{
        const BODIES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../component/", $name, ".scn")))),*];
        const DECLARED: &[(&str, &str)] = crate::LIBRARY.modules;
        const ALL: [(&str, &str); DECLARED.len() + BODIES.len()] = {
            let mut all = [("", ""); DECLARED.len() + BODIES.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = match at < DECLARED.len() {
                    true => DECLARED[at],
                    false => BODIES[at - DECLARED.len()],
                };
                at += 1;
            }
            all
        };
        &ALL
    }};
}

/// The standard library and the bodies behind its declarations.
pub const BODIES: Library = Library {
    modules: with_bodies! {
        "arrays" "asks" "casts" "cookies" "datagrams" "datas" "dates" "decimals" "digits" "dnss" "driver" "durations"
        "encodings" "errors" "exchanges" "faults" "files" "freezing" "handovers" "hashes" "heap" "histograms" "https" "ips" "joins"
        "json_reader" "jsons" "keeps" "letters" "links" "lists" "lives" "loads" "locations" "maps" "maths"
        "mem" "messages" "multiparts" "nets" "octets" "orders" "out" "plans" "queries" "rands" "ranges" "redirects"
        "reports" "refusals" "requests" "scopes" "seconds" "secures" "servers" "shows" "sockets" "sources" "spans"
        "stacks" "stages" "stops" "strings" "tables" "tcps" "texts" "times" "tlss" "transfers" "udps" "utf8" "uuids" "values"
        "wasi" "wit" "words" "buffers" "classes" "csvs" "givens" "json_paths" "matching" "options"
        "leases" "patterns" "places" "pools" "tallies" "wides" "regexes" "urls" "users" "replies" "routes" "visits"
        "exports" "lifting"
        "amounts" "bounds" "columns" "crowds" "digests" "meters" "overrides" "results" "secrets" "summaries" "sums" "verdicts"
    },
    prelude: crate::LIBRARY.prelude,
};
