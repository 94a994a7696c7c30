//! Session resumption among the connections of one user: a store that looks up the user that is running.
//!
//! So one configuration serves all users of a worker, and no user resumes another one's session.

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use scn_runtime::Ctx;
use std::collections::{HashMap, VecDeque};

/// Tickets that are kept for a server; each is used once.
const TICKETS: usize = 8;

/// Servers that are remembered for a user.
const SERVERS: usize = 64;

/// The store of a configuration.
#[derive(Debug)]
pub(super) struct UserSessions {
    /// The configuration: sessions of another one are never used, since it may verify differently.
    pub(super) config: u32,
}

/// The sessions of a user.
#[derive(Debug, Default)]
struct Sessions {
    servers: HashMap<(u32, ServerName<'static>), Known>,
}

#[derive(Debug, Default)]
struct Known {
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tls13: VecDeque<Tls13ClientSessionValue>,
}

impl UserSessions {
    fn with<T>(&self, name: &ServerName<'_>, look: impl FnOnce(&mut Known) -> T) -> T {
        Ctx::current(|ctx| {
            ctx.user_state::<Sessions, _>(|mut sessions| {
                let key = (self.config, name.to_owned());
                if sessions.servers.len() >= SERVERS && !sessions.servers.contains_key(&key) {
                    sessions.servers.clear();
                }
                look(sessions.servers.entry(key).or_default())
            })
        })
    }
}

impl ClientSessionStore for UserSessions {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.with(&name, |known| known.group = Some(group));
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.with(name, |known| known.group)
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.with(&name, |known| known.tls12 = Some(value));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.with(name, |known| known.tls12.clone())
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.with(name, |known| known.tls12 = None);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.with(&name, |known| {
            if known.tls13.len() == TICKETS {
                known.tls13.pop_front();
            }
            known.tls13.push_back(value);
        });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.with(name, |known| known.tls13.pop_back())
    }
}
