//! What programs reach, derived from their IR.

use super::*;
use crate::source::{Library, Loader};

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<crate::source::Source, String> {
        Err(format!("there is no {path}"))
    }
}

/// As much of the library's declarations as the programs below call.
const LIBRARY: Library = Library {
    modules: &[
        (
            "http",
            "//! Requests.\n\n/// A response.\nextern type Response\n\n/// Fetches.\n@waits @fails\nextern fn get(@wire url: string, timeout: duration = 30s) -> Response\n",
        ),
        (
            "dns",
            "//! Names.\n\n/// Resolves.\n@waits @fails @typed\nextern fn resolve(name: string, server: (string | ip | addr)? = none) -> list<ip>\n",
        ),
        (
            "tcp",
            "//! TCP.\n\n/// A connection.\nextern type TcpConn\n\n/// Connects.\n@waits @fails\nextern fn connect(to: string | addr) -> TcpConn\n",
        ),
    ],
    prelude: &[],
};

fn of(text: &str) -> Capabilities {
    let source = crate::source::Source {
        name: "x.scn".to_owned(),
        text: text.to_owned(),
    };
    let checked = crate::check(source, &NoFiles, &LIBRARY);
    let hir = checked.hir.as_ref();
    let hir = hir.unwrap_or_else(|| panic!("it is well formed: {:?}", checked.diagnostics));
    Capabilities::of(&crate::lower(&checked.sources, hir))
}

fn peer(by: &str, host: &str, port: u16, param: Option<&str>) -> Peer {
    Peer {
        by: by.to_owned(),
        host: host.to_owned(),
        port,
        param: param.map(str::to_owned),
    }
}

#[test]
fn constants_and_defaults_of_params_are_followed() {
    let found = of(r#"
param base: string = "http://shop.test:8080"
scenario s {
  for i in 0..3 {
    let _a = http.get("https://api.test/items/${i}?x=1")
    let _b = http.get("${base}/cart")
    let _c = tcp.connect("[::1]:9")
  }
}
"#);
    assert_eq!(
        found.peers,
        [
            peer("http.get", "api.test", 443, None),
            peer("http.get", "shop.test", 8080, Some("base")),
            peer("tcp.connect", "::1", 9, None),
        ]
    );
    assert_eq!(found.open, []);
}

#[test]
fn what_only_the_run_knows_is_told_with_its_place() {
    let found = of(r#"
fn reach(host: string) -> bool {
  let _a = http.get("http://${host}/")
  return true
}
scenario s {
  let _ok = reach("a.test")
  let _d = dns.resolve("b.test")
  let _e = dns.resolve("b.test", server: "10.0.0.1")
}
"#);
    assert_eq!(
        found.names,
        [Name {
            by: "dns.resolve".to_owned(),
            name: "b.test".to_owned(),
            param: None
        }]
    );
    assert_eq!(found.peers, [peer("dns.resolve", "10.0.0.1", 53, None)]);
    assert_eq!(found.open.len(), 1);
    assert_eq!((found.open[0].line, found.open[0].column), (3, 12));
}

#[test]
fn pools_are_sources_and_all_of_it_can_be_read_again() {
    let found = of(r#"
pool clients {
  range "127.0.1.0/30"
  range "10.0.0.5"
}
scenario s {
  source clients
  let _c = tcp.connect("a.test:9")
}
"#);
    let ranges: Vec<&str> = found.sources.iter().map(|one| one.range.as_str()).collect();
    assert_eq!(ranges, ["127.0.1.0-127.0.1.3", "10.0.0.5"]);
    assert_eq!(Capabilities::read(&found.write()), Ok(found));
    assert!(of("scenario s { check 1 == 1 }").is_empty());
}

#[test]
fn what_is_broken_is_refused() {
    for broken in [
        "",
        "{}",
        r#"{"form": 1, "peers": [{"use": "x", "host": "a", "port": 70000}]}"#,
    ] {
        assert!(Capabilities::read(broken.as_bytes()).is_err(), "{broken}");
    }
}
