//! `W03xx`: plans that need more than a machine has.

use super::{Code, Diagnostic};
use scn_grammar::Span;

pub(crate) fn too_few_ports(users: u64, ports: u64, whose: Span) -> Diagnostic {
    let needed = users.div_ceil(ports);
    Diagnostic::new(
        Code::W0301,
        format!("{users} users need more local ports than one address has"),
        whose,
        "their connections have one source address",
    )
    .help(format!(
        "an address has {ports} ports for one target unless the system is told otherwise: add `source` and a pool of \
         at least {needed} addresses"
    ))
}

pub(crate) fn too_few_ports_in_pool(
    pool: &str,
    (addresses, needed, ports): (u64, u64, u64),
    users: u64,
    span: Span,
    whose: Span,
) -> Diagnostic {
    Diagnostic::new(
        Code::W0301,
        format!("{users} users need more local ports than the addresses of pool `{pool}` have"),
        whose,
        format!("up to {users} users at once"),
    )
    .label(span, format!("number of addresses: {addresses}"))
    .help(format!(
        "an address has {ports} ports for one target unless the system is told otherwise: let the pool have at least \
         {needed} addresses"
    ))
}

pub(crate) fn too_few_addresses(
    pool: &str,
    addresses: u64,
    users: u64,
    span: Span,
    whose: Span,
) -> Diagnostic {
    Diagnostic::new(
        Code::W0302,
        format!("{users} users need more addresses than pool `{pool}` has"),
        whose,
        format!("up to {users} users at once"),
    )
    .label(span, format!("number of addresses: {addresses}"))
    .help(
        "users that find none fail with `pool.exhausted`: let the pool have more addresses, or say \
         `when exhausted share`",
    )
}

pub(crate) fn too_few_descriptors(users: u64, limit: u64, workers: u64, whose: Span) -> Diagnostic {
    Diagnostic::new(
        Code::W0303,
        format!("{users} users need more descriptors than this process may have"),
        whose,
        format!("up to {users} users at once, each with a connection"),
    )
    .help(format!(
        "the limit here is {limit}: raise it (`ulimit -Hn`), or the run takes at least {workers} workers with a table \
         of descriptors each, where the system lets it"
    ))
}
