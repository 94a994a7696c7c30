//! The socket library and a client that was written without scn, composed to one component that a host program calls.

use super::host::Loaded;
use super::sockets::{OPTIONS, SOURCE};
use super::{build_file, interface_of};
use std::io::{Read, Write};
use std::net::TcpListener;
use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentInstanceSection, ComponentSectionId, RawSection,
};
use wasmparser::{Parser, Payload};
use wasmtime::component::Val;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

const WORLD: &str = "package tests:client;
world client {
  import scn:net/socket@0.1.0;
  /// Says ping to a port of this machine, and gives the answer.
  export ask: func(port: u16) -> string;
}
";

/// Results lie at 16 (`create`), 32 (those without a value) and 48 (`receive`, whose bytes are the answer).
const CLIENT: &str = r#"(module
  (import "scn:net/socket@0.1.0" "create" (func $create (param i32 i32 i32)))
  (import "scn:net/socket@0.1.0" "connect"
    (func $connect (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "scn:net/socket@0.1.0" "send" (func $send (param i32 i32 i32 i32)))
  (import "scn:net/socket@0.1.0" "receive" (func $receive (param i32 i64 i32)))
  (import "scn:net/socket@0.1.0" "close" (func $close (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 80) "ping")
  (global $next (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get 3))))
  (func $expect (param i32) (if (i32.load8_u (local.get 0)) (then unreachable)))
  (func (export "ask") (param $port i32) (result i32) (local $socket i32)
    (call $create (i32.const 0) (i32.const 0) (i32.const 16))
    (call $expect (i32.const 16))
    (local.set $socket (i32.load (i32.const 20)))
    (call $connect (local.get $socket) (i32.const 0)
      (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (local.get $port) (i32.const 32))
    (call $expect (i32.const 32))
    (call $send (local.get $socket) (i32.const 80) (i32.const 4) (i32.const 112))
    (call $expect (i32.const 112))
    (call $receive (local.get $socket) (i64.const 100) (i32.const 48))
    (call $expect (i32.const 48))
    (call $close (local.get $socket) (i32.const 32))
    (call $expect (i32.const 32))
    (i32.const 52)))"#;

/// The client, made for the interface that `scn build --emit wit` prints.
fn client() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let library = interface_of(SOURCE, OPTIONS);
    resolve
        .push_source("socket.wit", &library)
        .expect("what is printed is WIT");
    let package = resolve
        .push_source("client.wit", WORLD)
        .expect("the world is WIT");
    let world = resolve.packages[package].worlds["client"];
    let mut module = wat::parse_str(CLIENT).expect("the client is text of a module");
    let encoding = StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding)
        .expect("the module takes a section");
    let encoder = ComponentEncoder::default()
        .module(&module)
        .expect("it fits the world");
    encoder.validate(true).encode().expect("it fits the world")
}

const INTERFACE: &str = "scn:net/socket@0.1.0";

/// One component of both, which imports what the library imports and exports what the client exports.
fn composed(library: &[u8], client: &[u8]) -> Vec<u8> {
    let mut component = Component::new();
    let imports = imports(library, &mut component);
    for data in [library, client] {
        let id = ComponentSectionId::Component.into();
        component.section(&RawSection { id, data });
    }
    let instance = ComponentExportKind::Instance;
    let own = imports.len() as u32;
    let arguments = imports.iter().zip(0..);
    let arguments: Vec<_> = arguments
        .map(|(name, at)| (name.as_str(), instance, at))
        .collect();
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(0, arguments);
    component.section(&instances);
    component.section(&exported(own, instance, INTERFACE));
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(1, [(INTERFACE, instance, own + 1)]);
    component.section(&instances);
    component.section(&exported(own + 2, ComponentExportKind::Func, "ask"));
    let mut exports = ComponentExportSection::new();
    exports.export("ask", ComponentExportKind::Func, 0, None);
    component.section(&exports);
    component.finish()
}

/// Names what an instance exports.
fn exported(instance: u32, kind: ComponentExportKind, name: &str) -> ComponentAliasSection {
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::InstanceExport {
        instance,
        kind,
        name,
    });
    aliases
}

/// Imports what a component imports: its sections before its first module say what that is. The names in order.
fn imports(library: &[u8], component: &mut Component) -> Vec<String> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(library) {
        let payload = payload.expect("it is a component");
        match &payload {
            Payload::Version { .. } | Payload::CustomSection(_) => continue,
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone() {
                    let import = import.expect("the section is one of imports");
                    names.push(import.name.name.to_owned());
                }
            }
            Payload::ModuleSection { .. } => break,
            _ => {}
        }
        let (id, range) = payload
            .as_section()
            .expect("a component is made of sections");
        let data = &library[range];
        component.section(&RawSection { id, data });
    }
    names
}

#[test]
fn a_component_that_uses_the_library_is_called_by_a_host() {
    let component = composed(&build_file(SOURCE, OPTIONS), &client());
    let mut loaded = Loaded::of(&component, "");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = std::thread::spawn(move || {
        for answer in ["pong", "pang"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut text = [0; 4];
            stream.read_exact(&mut text).unwrap();
            assert_eq!(&text, b"ping");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    for answer in ["pong", "pang"] {
        let told = loaded.call("ask", &[Val::U16(port)]);
        assert_eq!(told, Some(Val::String(answer.to_owned())));
    }
    peer.join().unwrap();
}
