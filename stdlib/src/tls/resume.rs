//! Session resumption among the connections of one user: a store that looks up the user that is running.
//!
//! So one configuration serves all users of a worker, and no user resumes another one's session.

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use scn_runtime::Ctx;

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

/// The sessions of a user. There are few servers, mostly one, and many users: no table and no spare room.
#[derive(Debug, Default)]
struct Sessions {
    servers: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    config: u32,
    name: ServerName<'static>,
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    /// The newest last.
    tls13: Vec<Tls13ClientSessionValue>,
}

impl UserSessions {
    fn with<T>(&self, name: &ServerName<'_>, look: impl FnOnce(&mut Known) -> T) -> T {
        Ctx::current(|ctx| {
            ctx.user_state::<Sessions, _>(|mut sessions| look(sessions.of(self.config, name)))
        })
    }
}

impl Sessions {
    /// What is known of a server; nothing yet if it is new.
    fn of(&mut self, config: u32, name: &ServerName<'_>) -> &mut Known {
        let is_it = |known: &Known| known.config == config && known.name == *name;
        let at = self.servers.iter().position(is_it).unwrap_or_else(|| {
            if self.servers.len() >= SERVERS {
                self.servers.clear();
            }
            self.servers.reserve_exact(1);
            self.servers.push(Known {
                config,
                name: name.to_owned(),
                group: None,
                tls12: None,
                tls13: Vec::new(),
            });
            self.servers.len() - 1
        });
        &mut self.servers[at]
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
                known.tls13.remove(0);
            }
            known.tls13.reserve_exact(1);
            known.tls13.push(value);
        });
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.with(name, |known| known.tls13.pop())
    }
}
