//! Enums, descriptors, constants, host functions, sites; globals, scenarios, tests.

use super::super::{
    ConstObject, Desc, DescId, EnumInfo, Global, GlobalKind, NativeParam, NativeRef, Scalar,
    Scenario, Server, Site, SiteKind, SlotKind, SlotType, Test, print,
};
use super::lexer::Token;
use super::{Parsed, Parser};
use scn_grammar::Span;
use std::net::IpAddr;

const SCALARS: [Scalar; 5] = [
    Scalar::Bool,
    Scalar::Int,
    Scalar::Float,
    Scalar::Duration,
    Scalar::Rate,
];

/// The scalar of a word: `int`, `enum3`.
pub(super) fn scalar_of(word: &str) -> Option<Scalar> {
    let plain = SCALARS
        .into_iter()
        .find(|scalar| print::scalar_word(*scalar) == word);
    plain.or_else(|| Some(Scalar::Enum(word.strip_prefix("enum")?.parse().ok()?)))
}

impl Parser {
    pub(super) fn enum_info(&mut self) -> Parsed<()> {
        self.lexer.mark('=')?;
        let name = self.lexer.text()?;
        let cases = self.list(|p| p.lexer.text())?;
        self.program.enums.push(EnumInfo { name, cases });
        Ok(())
    }

    fn scalar(&mut self) -> Parsed<Scalar> {
        let word = self.lexer.word()?;
        scalar_of(&word).ok_or_else(|| self.lexer.expected("a scalar"))
    }

    fn slot(&mut self) -> Parsed<SlotType> {
        let word = self.lexer.word()?;
        let (word, optional) = match word.strip_suffix('?') {
            Some(word) => (word, true),
            None => (word.as_str(), false),
        };
        let kind = match word {
            "any" => SlotKind::Any,
            "unit" => SlotKind::Unit,
            _ => match scalar_of(word) {
                Some(scalar) => SlotKind::Scalar(scalar),
                None => SlotKind::Object(DescId(self.id_of(word, "desc")?)),
            },
        };
        Ok(SlotType { kind, optional })
    }

    pub(super) fn desc(&mut self) -> Parsed<()> {
        self.lexer.mark('=')?;
        let word = self.lexer.word()?;
        let desc = match word.as_str() {
            "box" => Desc::Box(self.scalar()?),
            "range" => Desc::Range(self.scalar()?),
            "list" => Desc::List(self.slot()?),
            "map" => Desc::Map(self.slot()?, self.slot()?),
            "tuple" => Desc::Tuple(self.list(Self::slot)?),
            "record" => {
                let name = matches!(self.lexer.peek(), Token::Text(_))
                    .then(|| self.lexer.text())
                    .transpose()?;
                Desc::Record {
                    name,
                    fields: self.list(|p| Ok((p.lexer.text()?, p.slot()?)))?,
                }
            }
            "extern" => Desc::Extern {
                name: self.lexer.text()?,
                is_handle: self.lexer.skip_word("handle"),
            },
            _ => return Err(self.lexer.expected("a descriptor")),
        };
        self.program.descs.push(desc);
        Ok(())
    }

    pub(super) fn constant(&mut self) -> Parsed<()> {
        self.lexer.mark('=')?;
        let object = self.object()?;
        self.program.consts.push(object);
        Ok(())
    }

    fn object(&mut self) -> Parsed<ConstObject> {
        match self.lexer.next() {
            Token::Num(n) => Ok(ConstObject::Scalar(n as u64)),
            Token::Text(text) => Ok(ConstObject::String(text)),
            Token::Word(word) => self.object_of(&word),
            _ => Err(self.lexer.expected("a constant")),
        }
    }

    fn object_of(&mut self, word: &str) -> Parsed<ConstObject> {
        Ok(match word {
            "none" => ConstObject::None,
            "null" => ConstObject::Null,
            "regex" => ConstObject::Regex(self.lexer.text()?),
            "bytes" => {
                let hex = self.lexer.text()?;
                let byte = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
                let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
                ConstObject::Bytes(bytes.ok_or_else(|| self.lexer.expected("hex digits"))?)
            }
            "ip" => ConstObject::Ip(self.address()?),
            "addr" => {
                let text = self.lexer.text()?;
                ConstObject::Addr(
                    text.parse()
                        .map_err(|_| self.lexer.expected("an address"))?,
                )
            }
            "box" => ConstObject::Box(DescId(self.id("desc")?), self.lexer.num()? as u64),
            "list" => ConstObject::List(DescId(self.id("desc")?), self.list(Self::object)?),
            "slots" => ConstObject::Slots(DescId(self.id("desc")?), self.list(Self::object)?),
            "map" => {
                let desc = DescId(self.id("desc")?);
                let flat = self.list(Self::object)?;
                let pair =
                    |pair: &[ConstObject]| Some((pair.first()?.clone(), pair.get(1)?.clone()));
                let entries: Option<Vec<_>> = flat.chunks(2).map(pair).collect();
                ConstObject::Map(
                    desc,
                    entries.ok_or_else(|| self.lexer.expected("a value for each key"))?,
                )
            }
            _ => return Err(self.lexer.expected("a constant")),
        })
    }

    pub(super) fn address(&mut self) -> Parsed<IpAddr> {
        let text = self.lexer.text()?;
        text.parse().map_err(|_| self.lexer.expected("an address"))
    }

    pub(super) fn native(&mut self) -> Parsed<()> {
        self.lexer.mark('=')?;
        let name = self.lexer.text()?;
        self.lexer.mark('(')?;
        let mut params = Vec::new();
        while !self.lexer.skip_mark(')') {
            params.push(NativeParam {
                ty: self.class()?,
                own: self.lexer.skip_word("own"),
            });
            self.lexer.skip_mark(',');
        }
        let results = self.results()?;
        let [waits, fails, inout, typed] =
            ["waits", "fails", "inout", "typed"].map(|word| self.lexer.skip_word(word));
        self.program.natives.push(NativeRef {
            name,
            params,
            results,
            waits,
            fails,
            inout,
            typed,
        });
        Ok(())
    }

    pub(super) fn site(&mut self) -> Parsed<()> {
        self.lexer.mark('=')?;
        let word = self.lexer.word()?;
        let kinds = [
            SiteKind::Check,
            SiteKind::Expect,
            SiteKind::Step,
            SiteKind::Call,
        ];
        let kind = kinds
            .into_iter()
            .find(|kind| print::site_word(*kind) == word);
        let kind = kind.ok_or_else(|| self.lexer.expected("a kind of site"))?;
        self.program.sites.push(Site {
            kind,
            label: self.lexer.text()?,
            span: Span::default(),
        });
        Ok(())
    }

    pub(super) fn global(&mut self) -> Parsed<()> {
        let name = self.lexer.text()?;
        let word = self.lexer.word()?;
        let kind = match word.as_str() {
            "param" => {
                let (ty, secret) = (self.slot()?, self.lexer.skip_word("secret"));
                GlobalKind::Param {
                    ty,
                    secret,
                    init: self.maybe_id("fn").map(super::FuncId),
                }
            }
            "data" => GlobalKind::Data {
                list: DescId(self.id("desc")?),
                init: self.func()?,
            },
            "pool" => GlobalKind::Pool(self.pool()?),
            "metric" => GlobalKind::Metric {
                kind: self.lexer.text()?,
                sample: self.scalar()?,
            },
            "server" => self.server()?,
            _ => return Err(self.lexer.expected("a kind of global")),
        };
        self.program.globals.push(Global {
            name,
            doc: None,
            kind,
            span: Span::default(),
        });
        Ok(())
    }

    fn server(&mut self) -> Parsed<GlobalKind> {
        let protocol = self.lexer.text()?;
        let cells = self.list(Self::slot)?;
        let part = |p: &mut Self, word: &str| -> Parsed<Option<super::FuncId>> {
            if p.lexer.skip_word(word) {
                p.func().map(Some)
            } else {
                Ok(None)
            }
        };
        let (start, main, state) = (
            part(self, "start")?,
            part(self, "main")?,
            part(self, "state")?,
        );
        let (Some(start), Some(main)) = (start, main) else {
            return Err(self.lexer.expected("start and main"));
        };
        Ok(GlobalKind::Server(Server {
            protocol,
            cells,
            state,
            start,
            main,
        }))
    }

    pub(super) fn scenario(&mut self) -> Parsed<()> {
        let name = self.lexer.text()?;
        let cells = self.list(Self::slot)?;
        let mut sections = [None; 5];
        for (section, word) in sections
            .iter_mut()
            .zip(["setup", "init", "each", "exit", "teardown"])
        {
            if self.lexer.skip_word(word) {
                *section = Some(self.func()?);
            }
        }
        let [setup, init, each, exit, teardown] = sections;
        let span = Span::default();
        let scenario = Scenario {
            name,
            setup,
            init,
            each,
            exit,
            teardown,
            cells,
            source: self.maybe_global("source")?,
            tags: self.maybe_tags()?,
            load: self.maybe_plan()?,
            thresholds: self.maybe_thresholds()?,
            span,
        };
        self.program.scenarios.push(scenario);
        Ok(())
    }

    pub(super) fn test(&mut self) -> Parsed<()> {
        let test = Test {
            name: self.lexer.text()?,
            func: self.func()?,
            span: Span::default(),
        };
        self.program.tests.push(test);
        Ok(())
    }
}
