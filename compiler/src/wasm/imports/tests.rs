//! Every function of the world goes through the generator, and the component around them is valid.

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, FunctionSection,
    ImportSection, Instruction, MemorySection, MemoryType, Module, TypeSection, ValType,
};

use super::super::component::wrap;
use super::super::wit::{Layouts, World};
use super::{Form, Import, Imports, SHIM_PARAMS, shim};

/// A core module that imports all of these and has a shim of each.
fn module(imports: &[&Import]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function(SHIM_PARAMS, []);
    types.ty().function([], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut imported = ImportSection::new();
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for (import, number) in imports.iter().zip(0..) {
        types
            .ty()
            .function(import.params.clone(), import.results.clone());
        imported.import(
            &import.module,
            &import.field,
            EntityType::Function(3 + number),
        );
        functions.function(0);
        let shim = shim(import, number);
        code.function(&written(&shim.locals, &shim.body));
    }
    for (ty, number) in [(1, 0), (2, 4096)] {
        functions.function(ty);
        code.function(&written(
            &[],
            &[Instruction::I32Const(number), Instruction::End],
        ));
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let own = u32::try_from(2 * imports.len()).expect("few imports");
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("wasi:cli/run@0.2.0#run", ExportKind::Func, own);
    exports.export("cabi_realloc", ExportKind::Func, own + 1);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(8), [0; 8]);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imported)
        .section(&functions);
    module.section(&memories).section(&exports);
    module.section(&code).section(&data);
    module.finish()
}

fn written(locals: &[ValType], body: &[Instruction]) -> wasm_encoder::Function {
    let mut function = wasm_encoder::Function::new_with_locals_types(locals.iter().copied());
    for instruction in body {
        function.instruction(instruction);
    }
    function
}

#[test]
fn every_function_of_the_world_goes_through_the_generator() {
    let imports: Vec<&Import> = Imports::iter().collect();
    let component = wrap(module(&imports), World::scenario()).expect("a valid component");
    wasmparser::Validator::new()
        .validate_all(&component)
        .expect("valid");
    let text = String::from_utf8_lossy(&component);
    for interface in ["wasi:tls/types@0.2.0-draft", "wasi:sockets/udp@0.2.0"] {
        assert!(text.contains(interface), "{interface}");
    }
}

#[test]
fn what_is_not_imported_is_not_in_the_component() {
    let component = wrap(module(&[]), World::scenario()).expect("a valid component");
    assert!(component.len() < 1_000, "{} bytes", component.len());
    assert!(!String::from_utf8_lossy(&component).contains("sockets"));
}

#[test]
fn a_module_of_other_types_is_refused() {
    let mut found = Imports::find("pollable_drop").expect("known").clone();
    found.params.push(ValType::I32);
    let refused = wrap(module(&[&found]), World::scenario()).expect_err("a wrong signature");
    assert!(refused.contains("resource-drop"), "{refused}");
}

#[test]
fn functions_have_the_names_that_bodies_use() {
    let field = |name| Imports::find(name).map(|import| import.field.as_str());
    assert_eq!(
        field("tcp_socket_start_connect"),
        Some("[method]tcp-socket.start-connect")
    );
    assert_eq!(
        field("incoming_body_finish"),
        Some("[static]incoming-body.finish")
    );
    assert_eq!(field("fields_new"), Some("[constructor]fields"));
    assert_eq!(field("tcp_socket_drop"), Some("[resource-drop]tcp-socket"));
    assert_eq!(
        field("instance_network_instance_network"),
        Some("instance-network")
    );
    assert_eq!(field("poll_poll"), Some("poll"));
}

#[test]
fn wide_functions_alone_are_called_by_address() {
    let wide: Vec<&str> = Imports::iter()
        .filter(|import| import.form == Form::Memory)
        .map(|import| import.name.as_str())
        .collect();
    assert_eq!(
        wide,
        [
            "tcp_socket_start_bind",
            "tcp_socket_start_connect",
            "udp_socket_start_bind",
            "udp_socket_stream"
        ]
    );
}

#[test]
fn layouts_are_those_of_the_canonical_abi() {
    for (name, value) in [
        ("tcp_socket_finish_connect_size", 12),
        ("tcp_socket_finish_connect_ok", 4),
        ("tcp_socket_finish_connect_ok_0", 4),
        ("tcp_socket_finish_connect_ok_1", 8),
        ("tcp_socket_start_bind_self", 0),
        ("tcp_socket_start_bind_local_address", 8),
        ("tcp_socket_start_bind_args", 40),
        ("ip_socket_address_payload", 4),
        ("ip_socket_address_size", 32),
        ("ipv6_socket_address_address", 8),
        ("outgoing_datagram_size", 44),
        ("future_client_streams_get_ok_ok_ok_2", 20),
        ("environment_get_environment_item", 16),
        ("error_code_permanent_resolver_failure", 20),
        ("http_error_code_internal_error", 38),
        ("http_error_code_size", 32),
        ("method_other", 9),
    ] {
        assert_eq!(Layouts::find(name), Some(value), "{name}");
    }
}
