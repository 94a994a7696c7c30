//! Where a connection comes from: the address that `bind:` names, one of the user's pool, or whatever the system takes.

use super::address::Target;
use super::resolve::resolve;
use scn_runtime::io::Io;
use scn_runtime::pool::Family;
use scn_runtime::source::Sourced;
use scn_runtime::{Cx, Fault};
use std::net::{IpAddr, SocketAddr};

/// The source of a connection.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// What to bind.
    pub(crate) bind: Option<SocketAddr>,
    sourced: Option<Sourced>,
}

impl Origin {
    /// The source for a connection to a target: `bind` if there is one, else an address of the user's pool, for which
    /// it may wait. That is no part of connecting: ask before a time limit starts.
    pub(crate) async fn of(
        cx: Cx,
        target: &Target,
        bind: Option<SocketAddr>,
    ) -> Result<Origin, Fault> {
        let Some(only) = cx.source_family().filter(|_| bind.is_none()) else {
            return Ok(Origin {
                bind,
                sourced: None,
            });
        };
        let wanted = match (target.host.parse::<IpAddr>(), only) {
            (Ok(ip), _) => Some(Family::of(ip)),
            (Err(_), Some(_)) => only,
            // The pool has both, so that the name decides.
            (Err(_), None) => resolve(cx, &target.host)
                .await?
                .first()
                .copied()
                .map(Family::of),
        };
        let sourced = cx.source_address(wanted).await?;
        Ok(Origin {
            bind: sourced
                .as_ref()
                .map(|sourced| SocketAddr::new(sourced.ip, 0)),
            sourced,
        })
    }

    /// Leaves the address with its connection, for as long as that is open.
    pub(crate) fn stay_with(self, io: &Io) {
        if let Some(sourced) = self.sourced {
            io.keep_source(sourced);
        }
    }
}
