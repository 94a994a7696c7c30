//! The interface of a program in WIT: its exported functions and the types that they name. Enter at [`describe`].

use super::names::kebab;
use super::{Errors, Naming};
use crate::diagnostics::{Diagnostic, target};
use crate::ir::{Desc, DescId, Export, Program, Scalar, SlotKind, SlotType};
use crate::wasm::Unbuilt;
use scn_grammar::Span;
use std::collections::HashMap;
use std::fmt::Write;

/// What an error is outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ErrorForm {
    /// A record of kind and message.
    Record,
    /// Its message.
    Text,
    /// A case of an enum of the program; the number of that for all other kinds.
    Enum { id: u32, other: u32 },
}

/// An interface in WIT.
pub(super) struct Description {
    naming: super::InterfaceName,
    items: Vec<String>,
    functions: Vec<String>,
    pub(super) errors: ErrorForm,
}

impl Description {
    /// The package with its interface and its world, which has further lines.
    pub(super) fn package(&self, further: &str) -> String {
        let (package, name) = (self.naming.package(), self.naming.name());
        let mut text = format!("package {package};\ninterface %{name} {{\n");
        for item in self.items.iter().chain(&self.functions) {
            let _ = writeln!(text, "  {item}");
        }
        let world = self.naming.world();
        let _ = write!(
            text,
            "}}\nworld {world} {{\n{further}  export %{name};\n}}\n"
        );
        text
    }
}

/// Describes what a program exports.
pub(super) fn describe(program: &Program, naming: &Naming) -> Result<Description, Unbuilt> {
    let mut writer = Writer {
        program,
        names: HashMap::new(),
        items: Vec::new(),
        found: Vec::new(),
    };
    for (slot, span) in &program.exported_types {
        writer.ty(*slot, *span);
    }
    let errors = error_form(program, &naming.errors).map_err(Unbuilt::Misnamed)?;
    let functions: Vec<String> = program
        .exports
        .iter()
        .map(|export| writer.function(export, &errors))
        .collect();
    match writer.found.is_empty() {
        true => Ok(Description {
            naming: naming.interface.clone(),
            items: writer.items,
            functions,
            errors,
        }),
        false => Err(Unbuilt::Refused(writer.found)),
    }
}

fn error_form(program: &Program, errors: &Errors) -> Result<ErrorForm, String> {
    let name = match errors {
        Errors::Record => return Ok(ErrorForm::Record),
        Errors::Text => return Ok(ErrorForm::Text),
        Errors::Enum(name) => name,
    };
    let mut enums = program.enums.iter();
    let at = enums
        .position(|one| one.name == *name)
        .ok_or_else(|| format!("there is no enum `{name}` whose cases errors could be"))?;
    let cases = &program.enums[at].cases;
    let other = cases.iter().position(|case| case == "other");
    let other = other.ok_or_else(|| {
        format!(
            "`{name}` has no case `other`, which stands for kinds of errors that it does not name"
        )
    })?;
    Ok(ErrorForm::Enum {
        id: at as u32,
        other: other as u32,
    })
}

/// What a name in the interface stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    Function,
    Enum(u32),
    Object(DescId),
    Duration,
    Rate,
    Address,
    Error,
}

/// A name that is taken: by what, and how the program calls it.
struct Taken {
    meaning: Meaning,
    name: String,
}

struct Writer<'p> {
    program: &'p Program,
    names: HashMap<String, Taken>,
    items: Vec<String>,
    found: Vec<Diagnostic>,
}

/// Stands for a type that was refused.
const REFUSED: &str = "bool";

impl Writer<'_> {
    fn function(&mut self, export: &Export, errors: &ErrorForm) -> String {
        let name = self.declared(Meaning::Function, &export.name, export.span);
        let mut known = Vec::new();
        let mut params = Vec::new();
        for param in &export.params {
            let name = self.part(&param.name, &mut known, param.span);
            self.refuse_secret(param.secret, param.span);
            params.push(format!("%{name}: {}", self.ty(param.slot, param.span)));
        }
        self.refuse_secret(export.secret, export.span);
        let result = export.result.map(|slot| self.ty(slot, export.span));
        let result = match (result, can_fail(self.program, export)) {
            (Some(ty), false) => format!(" -> {ty}"),
            (None, false) => String::new(),
            (ty, true) => {
                let (ty, error) = (
                    ty.as_deref().unwrap_or("_"),
                    self.error(errors, export.span),
                );
                format!(" -> result<{ty}, {error}>")
            }
        };
        let name = name.unwrap_or_default();
        let doc = export.doc.iter().flat_map(|doc| doc.lines());
        let doc: String = doc.map(|line| format!("/// {}\n  ", line.trim())).collect();
        format!("{doc}%{name}: func({}){result};", params.join(", "))
    }

    fn refuse_secret(&mut self, is_secret: bool, span: Span) {
        if is_secret {
            self.found.push(target::secret_outside(span));
        }
    }

    fn error(&mut self, errors: &ErrorForm, span: Span) -> String {
        match errors {
            ErrorForm::Text => "string".to_owned(),
            ErrorForm::Enum { id, .. } => self.enumeration(*id, span),
            ErrorForm::Record => {
                let record = "{ kind: string, message: string }";
                self.builtin(Meaning::Error, "error", "record", record, span)
            }
        }
    }

    /// The type of values of a slot.
    fn ty(&mut self, slot: SlotType, span: Span) -> String {
        let plain = match slot.kind {
            SlotKind::Scalar(scalar) => self.scalar(scalar, span),
            SlotKind::Object(desc) => self.object(desc, span),
            SlotKind::Any => {
                self.refuse("json", "pass its text, or a record of what is needed", span)
            }
            SlotKind::Unit => self.refuse("none", "leave it out", span),
        };
        match slot.optional {
            true => format!("option<{plain}>"),
            false => plain,
        }
    }

    fn scalar(&mut self, scalar: Scalar, span: Span) -> String {
        match scalar {
            Scalar::Bool => "bool".to_owned(),
            Scalar::Int => "s64".to_owned(),
            Scalar::Float => "f64".to_owned(),
            Scalar::Duration => self.builtin(Meaning::Duration, "duration", "type", "= s64;", span),
            Scalar::Rate => self.builtin(Meaning::Rate, "rate", "type", "= f64;", span),
            Scalar::Enum(id) => self.enumeration(id, span),
        }
    }

    fn object(&mut self, id: DescId, span: Span) -> String {
        match &self.program.descs[id.index()] {
            Desc::String => "string".to_owned(),
            Desc::Bytes => "list<u8>".to_owned(),
            Desc::Ip => self.address(span),
            Desc::Addr => {
                let ip = self.address(span);
                let record = format!("{{ address: {ip}, port: u16 }}");
                self.builtin(
                    Meaning::Object(id),
                    "socket-address",
                    "record",
                    &record,
                    span,
                )
            }
            Desc::List(element) => format!("list<{}>", self.ty(*element, span)),
            Desc::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.ty(*part, span)).collect();
                format!("tuple<{}>", parts.join(", "))
            }
            Desc::Record { name, fields } => self.record(id, name.as_deref(), fields, span),
            Desc::Extern {
                name,
                is_handle: true,
            } => self.named(Meaning::Object(id), name, span, |_| {
                "type % = u32;".to_owned()
            }),
            other => self.refuse_object(other, span),
        }
    }

    fn refuse_object(&mut self, desc: &Desc, span: Span) -> String {
        let program = self.program;
        let (shown, help) = match desc {
            Desc::Map(key, value) => {
                let (key, value) = (shown(program, *key), shown(program, *value));
                let pairs = format!("pass its entries: `list<({key}, {value})>`");
                (format!("map<{key}, {value}>"), pairs)
            }
            Desc::Regex => (
                "regex".to_owned(),
                "pass the expression as a `string`".to_owned(),
            ),
            Desc::Range(_) => ("a range".to_owned(), "pass its two ends".to_owned()),
            Desc::Error => (
                "error".to_owned(),
                "pass its kind and its message".to_owned(),
            ),
            Desc::Extern { name, .. } => (
                name.clone(),
                "pass what is needed of it, in a record".to_owned(),
            ),
            _ => ("json".to_owned(), "pass its text".to_owned()),
        };
        self.refuse(&shown, &help, span)
    }

    fn refuse(&mut self, shown: &str, help: &str, span: Span) -> String {
        self.found.push(target::no_outside_form(shown, help, span));
        REFUSED.to_owned()
    }

    fn address(&mut self, span: Span) -> String {
        let groups = "tuple<u16, u16, u16, u16, u16, u16, u16, u16>";
        let cases = format!("{{ ipv4(tuple<u8, u8, u8, u8>), ipv6({groups}) }}");
        self.builtin(Meaning::Address, "ip-address", "variant", &cases, span)
    }

    fn enumeration(&mut self, id: u32, span: Span) -> String {
        let info = &self.program.enums[id as usize];
        self.named(Meaning::Enum(id), &info.name, span, |writer| {
            let mut known = Vec::new();
            let cases = info.cases.iter();
            let cases = cases.map(|case| format!("%{}", writer.part(case, &mut known, span)));
            format!("enum % {{ {} }}", cases.collect::<Vec<_>>().join(", "))
        })
    }

    fn record(
        &mut self,
        id: DescId,
        name: Option<&str>,
        fields: &[(String, SlotType)],
        span: Span,
    ) -> String {
        let Some(name) = name else {
            let shown = shown(
                self.program,
                SlotType {
                    kind: SlotKind::Object(id),
                    optional: false,
                },
            );
            let help = format!("records outside have names: `type Name = {shown}`");
            return self.refuse(&shown, &help, span);
        };
        if fields.is_empty() {
            return self.refuse(name, "a record outside has fields", span);
        }
        self.named(Meaning::Object(id), name, span, |writer| {
            let mut known = Vec::new();
            let mut parts = Vec::new();
            for (field, slot) in fields {
                let field = writer.part(field, &mut known, span);
                parts.push(format!("%{field}: {}", writer.ty(*slot, span)));
            }
            format!("record % {{ {} }}", parts.join(", "))
        })
    }

    /// A type of ours that is declared once it is used.
    fn builtin(
        &mut self,
        meaning: Meaning,
        name: &str,
        word: &str,
        body: &str,
        span: Span,
    ) -> String {
        self.named(meaning, name, span, |_| format!("{word} % {body}"))
    }

    /// The name of a type, whose declaration has `%` in its place.
    fn named(
        &mut self,
        meaning: Meaning,
        name: &str,
        span: Span,
        declaration: impl FnOnce(&mut Self) -> String,
    ) -> String {
        let label = kebab(&name.replace('-', "_")).unwrap_or_default();
        let is_known = self
            .names
            .get(&label)
            .is_some_and(|taken| taken.meaning == meaning);
        if !is_known && self.declared(meaning, name, span).is_some() {
            let declaration = declaration(self).replacen("%", &format!("%{label}"), 1);
            self.items.push(declaration);
        }
        format!("%{label}")
    }

    /// Takes a name of the interface; none if it is no name there, or another one's.
    fn declared(&mut self, meaning: Meaning, name: &str, span: Span) -> Option<String> {
        let Some(label) = kebab(&name.replace('-', "_")) else {
            self.found.push(target::no_outside_name(name, span));
            return None;
        };
        if let Some(first) = self.names.get(&label) {
            let other = &first.name;
            self.found
                .push(target::same_outside_name(name, other, &label, span));
            return None;
        }
        let name = name.to_owned();
        self.names.insert(label.clone(), Taken { meaning, name });
        Some(label)
    }

    /// The name of a field, case or parameter, which has to differ from the others beside it.
    fn part(&mut self, name: &str, known: &mut Vec<(String, String)>, span: Span) -> String {
        let Some(label) = kebab(name) else {
            self.found.push(target::no_outside_name(name, span));
            return "refused".to_owned();
        };
        if let Some((_, other)) = known.iter().find(|(known, _)| *known == label) {
            self.found
                .push(target::same_outside_name(name, other, &label, span));
        }
        known.push((label.clone(), name.to_owned()));
        label
    }
}

/// Whether a call can fail: by itself, or because a number stands for no handle.
pub(super) fn can_fail(program: &Program, export: &Export) -> bool {
    let mut params = export.params.iter();
    export.fails || params.any(|param| holds_handle(program, param.slot))
}

fn holds_handle(program: &Program, slot: SlotType) -> bool {
    let SlotKind::Object(id) = slot.kind else {
        return false;
    };
    match &program.descs[id.index()] {
        Desc::Extern { is_handle, .. } => *is_handle,
        Desc::List(element) => holds_handle(program, *element),
        Desc::Tuple(parts) => parts.iter().any(|part| holds_handle(program, *part)),
        Desc::Record { fields, .. } => fields.iter().any(|field| holds_handle(program, field.1)),
        _ => false,
    }
}

/// A type as the program writes it.
fn shown(program: &Program, slot: SlotType) -> String {
    let plain = match slot.kind {
        SlotKind::Scalar(Scalar::Bool) => "bool".to_owned(),
        SlotKind::Scalar(Scalar::Int) => "int".to_owned(),
        SlotKind::Scalar(Scalar::Float) => "float".to_owned(),
        SlotKind::Scalar(Scalar::Duration) => "duration".to_owned(),
        SlotKind::Scalar(Scalar::Rate) => "rate".to_owned(),
        SlotKind::Scalar(Scalar::Enum(id)) => program.enums[id as usize].name.clone(),
        SlotKind::Object(desc) => shown_object(program, &program.descs[desc.index()]),
        SlotKind::Any => "json".to_owned(),
        SlotKind::Unit => "none".to_owned(),
    };
    if slot.optional { plain + "?" } else { plain }
}

fn shown_object(program: &Program, desc: &Desc) -> String {
    let of = |slot: &SlotType| shown(program, *slot);
    match desc {
        Desc::String => "string".to_owned(),
        Desc::Bytes => "bytes".to_owned(),
        Desc::Ip => "ip".to_owned(),
        Desc::Addr => "addr".to_owned(),
        Desc::Regex => "regex".to_owned(),
        Desc::Error => "error".to_owned(),
        Desc::List(element) => format!("list<{}>", of(element)),
        Desc::Map(key, value) => format!("map<{}, {}>", of(key), of(value)),
        Desc::Tuple(parts) => {
            let parts: Vec<String> = parts.iter().map(of).collect();
            format!("({})", parts.join(", "))
        }
        Desc::Record {
            name: Some(name), ..
        }
        | Desc::Extern { name, .. } => name.clone(),
        Desc::Record { name: None, fields } => {
            let fields = fields
                .iter()
                .map(|(name, slot)| format!("{name}: {}", of(slot)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => "json".to_owned(),
    }
}
