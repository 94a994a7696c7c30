//! Ways from Rust into pure functions, whose arguments travel in registers by their types: one for each signature.
//!
//! The interpreter takes them when a function that it runs calls one that was compiled meanwhile. Enter at
//! [`Unit::define_thunks`].

use super::emit::trusted;
use super::shape::{Shape, machine_type};
use super::unit::Unit;
use super::{CompileError, Thunk};
use crate::ctx::Ctx;
use crate::host::ERROR;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, Value, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Module};
use scn_compiler::ir::{Function, Ty};
use smallvec::SmallVec;
use std::collections::HashMap;

/// What thunks differ by: classes of parameters and results, and the shape.
type Key = (Vec<Ty>, SmallVec<[Ty; 2]>, Shape);

fn key(function: &Function, shape: Shape) -> Key {
    let params = function.params.iter();
    let params = params.map(|param| function.regs[param.reg.index()]);
    (params.collect(), function.results.clone(), shape)
}

/// The signature of [`Thunk`].
fn signature(unit: &Unit<'_>) -> Signature {
    let mut signature = Signature::new(unit.conv());
    signature.params = vec![AbiParam::new(types::I64); 5];
    signature.returns.push(AbiParam::new(types::I64));
    signature
}

impl Unit<'_> {
    /// Makes the thunks: for each pure function, its own.
    pub(super) fn define_thunks(&mut self) -> Result<Vec<Option<FuncId>>, CompileError> {
        let mut known: HashMap<Key, FuncId> = HashMap::new();
        let mut thunks = Vec::new();
        let functions = self.linked.program.functions.iter();
        for (at, function) in functions.enumerate() {
            if function.waits {
                thunks.push(None);
                continue;
            }
            let key = key(function, self.shapes[at]);
            let id = match known.get(&key) {
                Some(id) => *id,
                None => self.define_thunk(function, self.shapes[at])?,
            };
            known.insert(key, id);
            thunks.push(Some(id));
        }
        Ok(thunks)
    }

    fn define_thunk(&mut self, function: &Function, shape: Shape) -> Result<FuncId, CompileError> {
        let mut context = self.module.make_context();
        let mut builder = FunctionBuilderContext::new();
        context.func.signature = signature(self);
        let id = self
            .module
            .declare_anonymous_function(&context.func.signature)?;
        let mut b = FunctionBuilder::new(&mut context.func, &mut builder);
        let block = b.create_block();
        b.append_block_params_for_function_params(block);
        b.switch_to_block(block);
        let [ctx, code, args, out, depth] = *b.block_params(block) else {
            unreachable!("thunks have five parameters")
        };
        let mut values = vec![ctx];
        values.extend(shape.counts_depth.then_some(depth));
        for (at, param) in (0i32..).zip(&function.params) {
            let ty = machine_type(function.regs[param.reg.index()]);
            values.push(b.ins().load(ty, trusted(), args, 8 * at));
        }
        let callee = super::shape::signature(function, shape, self.conv());
        let callee = b.import_signature(callee);
        let call = b.ins().call_indirect(callee, code, &values);
        let returned = b.inst_results(call).to_vec();
        let status = hand_over(&mut b, function, shape, &returned, out);
        b.ins().return_(&[status]);
        b.seal_all_blocks();
        b.finalize(self.config());
        self.module.define_function(id, &mut context)?;
        self.note(id, "scn call".to_owned(), &context);
        Ok(id)
    }
}

/// Writes the results as the interpreter has them, and gives whether there was an error.
fn hand_over(
    b: &mut FunctionBuilder<'_>,
    function: &Function,
    shape: Shape,
    returned: &[Value],
    out: Value,
) -> Value {
    let mut values = returned.to_vec();
    let mut failed = b.ins().iconst(types::I64, 0);
    if let Some(status) = shape.fails.then(|| values.pop()).flatten() {
        let is_error = b.ins().icmp_imm_s(IntCC::Equal, status, ERROR as i64);
        failed = b.ins().uextend(types::I64, is_error);
        if function.results.len() == 2 {
            let some = b.ins().icmp_imm_s(IntCC::Equal, status, 0);
            values.insert(0, b.ins().uextend(types::I64, some));
        }
    }
    for (at, value) in (0i32..).zip(values) {
        b.ins().store(trusted(), value, out, 8 * at);
    }
    failed
}

impl super::Native {
    /// Runs a pure function, whose calls are as deep as told; false if it has failed, with the error in `ctx.err`.
    ///
    /// # Safety
    /// The arguments are those of the function, owned where it owns them; the context is entered and runs a strand.
    pub(crate) unsafe fn call(
        &self,
        ctx: &Ctx,
        function: u32,
        depth: u32,
        args: &[u64],
        results: &mut [u64; 2],
    ) -> bool {
        let (thunk, code): (Thunk, usize) =
            self.pure[function as usize].expect("only what waits has no thunk");
        // SAFETY: upheld by the caller; the thunk was made for functions of this signature.
        let failed = unsafe {
            thunk(
                ctx,
                code,
                args.as_ptr(),
                results.as_mut_ptr(),
                u64::from(depth),
            )
        };
        failed == 0
    }
}
