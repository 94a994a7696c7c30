//! Params and data sets: given as text or by initialisers, then frozen.

use super::{Plan, Run, RunError, What, failed};
use crate::descs::is_pointer;
use crate::event::SectionKind;
use crate::fault::Fault;
use crate::life::LifeId;
use crate::link::Linked;
use crate::object::{decode, parse};
use crate::user::NOBODY;
use crate::value::Obj;
use scn_compiler::ir::{Desc, DescId, FuncId, GlobalKind, SlotKind, SlotType};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Refuses names that the program does not know, and params without a value.
pub(super) fn check_names(linked: &Linked, plan: &Plan) -> Result<(), RunError> {
    let params = || {
        linked
            .program
            .globals
            .iter()
            .filter_map(|global| match global.kind {
                GlobalKind::Param { init, .. } => Some((&global.name, init)),
                _ => None,
            })
    };
    if let Some((name, _)) = plan
        .params
        .iter()
        .find(|(given, _)| params().all(|(name, _)| name != given))
    {
        return Err(RunError::UnknownParam(name.clone()));
    }
    let is_given = |name: &String| plan.params.iter().any(|(given, _)| given == name);
    if let Some((name, _)) = params().find(|(name, init)| init.is_none() && !is_given(name)) {
        return Err(RunError::MissingParam(name.clone()));
    }
    let What::Scenarios(names) = &plan.what else {
        return Ok(());
    };
    let unknown = names.iter().find(|name| {
        linked
            .program
            .scenarios
            .iter()
            .all(|scenario| scenario.name != **name)
    });
    unknown.map_or(Ok(()), |name| Err(RunError::UnknownScenario(name.clone())))
}

impl Run<'_> {
    /// Gives params and data sets their values, in order; false if an initialiser has failed.
    pub(super) fn set_globals(&self) -> Result<bool, RunError> {
        let life = self.open(NOBODY, "", &[]);
        let result = self.set_each(life);
        let met = self.ctx.worker().user_of(life);
        self.secrets
            .borrow_mut()
            .extend(met.secrets.borrow().iter().cloned());
        self.close(life)?;
        result
    }

    fn set_each(&self, life: LifeId) -> Result<bool, RunError> {
        for (index, global) in (0u32..).zip(&self.linked.program.globals) {
            self.linked.cursor(index).store(0, Ordering::Release);
            let (given, init, secret) = match &global.kind {
                GlobalKind::Param { ty, secret, init } => {
                    (self.given(&global.name, *ty)?, *init, *secret)
                }
                GlobalKind::Data { init, .. } => (None, Some(*init), false),
                _ => continue,
            };
            let name: Arc<str> = global.name.as_str().into();
            let value = match (given, init) {
                (Some(value), _) => Some(value),
                (None, Some(init)) => self.initialise(life, &global.kind, &name, init)?,
                (None, None) => return Err(RunError::MissingParam(global.name.clone())),
            };
            let Some(value) = value else { return Ok(false) };
            self.linked.set_global(index, value);
            if secret {
                self.keep_secret(&global.kind, value);
            }
        }
        Ok(true)
    }

    fn initialise(
        &self,
        life: LifeId,
        kind: &GlobalKind,
        name: &Arc<str>,
        init: FuncId,
    ) -> io::Result<Option<u64>> {
        let pointer = match kind {
            GlobalKind::Param { ty, .. } => is_pointer(*ty),
            _ => true,
        };
        self.frozen_section(life, SectionKind::Global, name, init, pointer)
    }

    /// Runs a section whose result is frozen; nothing if it fails.
    pub(super) fn frozen_section(
        &self,
        life: LifeId,
        kind: SectionKind,
        name: &Arc<str>,
        func: FuncId,
        pointer: bool,
    ) -> io::Result<Option<u64>> {
        let Some([bits, _]) = self.section(life, kind, name, func, &[])? else {
            return Ok(None);
        };
        let returns = self.ctx.worker().shape(func).results.first().copied();
        match returns {
            None => Ok(Some(0)),
            Some(is_pointer) if is_pointer && pointer && bits != 0 => {
                let frozen = self.freeze(bits);
                if frozen.is_none() {
                    let why = "the value holds a handle, which lives no longer than a user";
                    failed(self.ctx, kind, name, Fault::invalid(why));
                }
                Ok(frozen)
            }
            Some(_) => Ok(Some(bits)),
        }
    }

    /// A copy that lives as long as the program; the original is given up.
    fn freeze(&self, bits: u64) -> Option<u64> {
        // SAFETY: a section has handed this reference over.
        unsafe {
            let frozen = self.linked.frozen().freeze(Obj::from_bits(bits));
            self.ctx.heap.release_slot(bits);
            frozen.ok().map(Obj::bits)
        }
    }

    /// The value of a param that the plan gives as text.
    fn given(&self, name: &str, ty: SlotType) -> Result<Option<u64>, RunError> {
        // The last one counts, as with any option of a command line.
        let Some((_, text)) = self
            .plan
            .params
            .iter()
            .rev()
            .find(|(given, _)| given == name)
        else {
            return Ok(None);
        };
        let bad = |why: String| RunError::BadParam {
            name: name.to_owned(),
            why,
        };
        let descs = self.ctx.descs();
        let desc = match ty.kind {
            SlotKind::Scalar(scalar) if !ty.optional => {
                return parse::scalar(descs, scalar, text)
                    .map(|value| Some(value.0))
                    .map_err(bad);
            }
            SlotKind::Scalar(scalar) => descs.box_of(scalar),
            SlotKind::Object(desc) => desc,
            SlotKind::Any | SlotKind::Unit => {
                return Err(bad("a value of its type has no text form".into()));
            }
        };
        self.parse_object(desc, text).map(Some).map_err(bad)
    }

    fn parse_object(&self, desc: DescId, text: &str) -> Result<u64, String> {
        let has_text_form = matches!(
            self.ctx.descs().desc(desc.0),
            Desc::String | Desc::Ip | Desc::Addr | Desc::Box(_)
        );
        if !has_text_form {
            return Err("a value of its type has no text form".into());
        }
        let object = decode::from_text(self.ctx, desc, text).map_err(|fault| fault.message())?;
        self.freeze(object.into_bits())
            .ok_or_else(|| "the value cannot be kept".into())
    }

    /// Every user is to mask the text of a secret param.
    fn keep_secret(&self, kind: &GlobalKind, bits: u64) {
        let GlobalKind::Param { ty, .. } = kind else {
            return;
        };
        if !is_pointer(*ty) || bits == 0 {
            return;
        }
        // SAFETY: the slot's type says that it is an object; it was frozen just now.
        let value = unsafe { crate::Any::from_obj(Obj::from_bits(bits)) };
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            self.secrets.borrow_mut().push(text.into());
        }
    }
}
