//! The suites in which clients take turns: which server, which clients, and what is claimed.

use super::clients::Client;
use super::servers::Kind;

/// A claim: the CPU of one client's request divided by another's.
pub(crate) struct Claim {
    /// The dividend.
    pub(crate) of: Client,
    /// The divisor.
    pub(crate) to: Client,
    /// The highest median that is good enough; none where the ratio is told for comparison only.
    pub(crate) bar: Option<f64>,
}

/// One suite.
pub(crate) struct Suite {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it compares.
    pub(crate) about: &'static str,
    /// The server unless another is asked for.
    pub(crate) server: Kind,
    /// In the order of the first round.
    pub(crate) clients: &'static [Client],
    /// What is to hold.
    pub(crate) claims: &'static [Claim],
}

const fn claim(of: Client, to: Client, bar: f64) -> Claim {
    Claim {
        of,
        to,
        bar: Some(bar),
    }
}

const fn aside(of: Client, to: Client) -> Claim {
    Claim { of, to, bar: None }
}

const GET: Client = Client::Scn("get.scn");
const JSON: Client = Client::Scn("json.scn");
const HTTPS: Client = Client::Scn("https.scn");
const HANDSHAKE: Client = Client::Scn("handshake.scn");
const VERIFIED: Client = Client::Scn("handshake_verified.scn");
const ECHO: Client = Client::Scn("echo.scn");
const COMPONENT: Client = Client::Component("get.scn");

/// All of them.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "get",
        about: "keep-alive GET with a checked status",
        server: Kind::Canned,
        clients: &[Client::Wrk, Client::PeerHttp, GET],
        claims: &[
            claim(GET, Client::Wrk, 0.85),
            aside(Client::PeerHttp, Client::Wrk),
            aside(GET, Client::PeerHttp),
        ],
    },
    Suite {
        name: "get-lua",
        about: "the same against wrk with a Lua hook that counts status 200",
        server: Kind::Canned,
        clients: &[Client::WrkLua, Client::Wrk, GET],
        claims: &[
            claim(GET, Client::WrkLua, 0.75),
            aside(Client::WrkLua, Client::Wrk),
        ],
    },
    Suite {
        name: "json",
        about: "a JSON body of 250 bytes parsed and one field checked, against wrk that looks at nothing",
        server: Kind::CannedJson,
        clients: &[Client::Wrk, Client::PeerHttp, JSON],
        claims: &[
            claim(JSON, Client::Wrk, 1.0),
            aside(Client::PeerHttp, Client::Wrk),
        ],
    },
    Suite {
        name: "https",
        about: "keep-alive GET over TLS 1.3",
        server: Kind::NginxTls,
        clients: &[Client::Wrk, HTTPS],
        claims: &[claim(HTTPS, Client::Wrk, 0.95)],
    },
    Suite {
        name: "handshake",
        about: "a connection with a full TLS 1.3 handshake for each request",
        server: Kind::NginxTls,
        clients: &[Client::WrkClose, HANDSHAKE, VERIFIED],
        claims: &[
            claim(HANDSHAKE, Client::WrkClose, 0.45),
            aside(VERIFIED, Client::WrkClose),
        ],
    },
    Suite {
        name: "echo",
        about: "TCP round trips of 64 bytes",
        server: Kind::CannedEcho,
        clients: &[Client::PeerEcho, ECHO],
        claims: &[claim(ECHO, Client::PeerEcho, 1.15)],
    },
    Suite {
        name: "component",
        about: "keep-alive GET with a checked status, natively and as a component",
        server: Kind::Canned,
        clients: &[GET, COMPONENT],
        claims: &[claim(COMPONENT, GET, 5.0)],
    },
    Suite {
        name: "tools",
        about: "keep-alive GET with a checked status, against oha, hey and k6",
        server: Kind::Canned,
        clients: &[Client::Wrk, Client::Oha, Client::Hey, Client::K6, GET],
        claims: &[
            claim(GET, Client::Oha, 0.65),
            claim(GET, Client::Hey, 0.28),
            claim(GET, Client::K6, 0.10),
            aside(Client::Oha, Client::Wrk),
            aside(Client::Hey, Client::Wrk),
            aside(Client::K6, Client::Wrk),
        ],
    },
];

/// The suite of a name.
pub(crate) fn named(name: &str) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_is_about_clients_that_take_part() {
        for suite in SUITES {
            for claim in suite.claims {
                for client in [claim.of, claim.to] {
                    assert!(
                        suite.clients.contains(&client),
                        "{}: {}",
                        suite.name,
                        client.name()
                    );
                }
            }
        }
    }

    #[test]
    fn every_scenario_that_is_named_exists() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        for client in SUITES.iter().flat_map(|suite| suite.clients) {
            if let Client::Scn(file) = client {
                assert!(folder.join(file).is_file(), "{file}");
            }
        }
    }
}
