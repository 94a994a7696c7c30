//! What compiled code calls in the runtime: each entry is a Rust function with the C calling convention.
//!
//! Everything that is not a few machine operations is here: making and freeing objects, maps, text, errors, frames of
//! callees. Their addresses are written into the code. Enter at [`Entry`].

use crate::ctx::Ctx;
use crate::fault::{Detail, Fault, kind};
use crate::frame::Frame;
use crate::interp::{text_of, too_deep as depth_fault};
use crate::join;
use crate::object::{Any, Own, layout, order};
use crate::value::{Obj, Value};
use cranelift_codegen::ir::{Type, types};
use scn_compiler::ir::{DescId, FormatPart, FuncId, Reg, WaitOp};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};

/// A Rust type that travels in a register.
trait Register {
    const TYPE: Type;
}

macro_rules! registers {
    ($($ty:ty: $name:ident;)*) => {$(
        impl Register for $ty {
            const TYPE: Type = types::$name;
        }
    )*};
}
registers! {
    &Ctx: I64;
    u64: I64;
    i64: I64;
    f64: F64;
    *const u64: I64;
    *mut u64: I64;
    *const FormatPart: I64;
    *const WaitOp: I64;
    *const AtomicU64: I64;
    *mut Frame: I64;
}

macro_rules! entries {
    ($($variant:ident = $function:ident($($param:ty),*) $(-> $result:ty)?;)*) => {
        /// A function of the runtime that compiled code calls.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub(super) enum Entry {
            $($variant),*
        }

        impl Entry {
            /// All of them.
            pub(super) const ALL: &[Entry] = &[$(Entry::$variant),*];

            /// The name that listings show.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Entry::$variant => concat!("rt.", stringify!($function))),*
                }
            }

            /// Where it is.
            pub(super) fn address(self) -> *const u8 {
                match self {
                    $(Entry::$variant => {
                        let function: unsafe extern "C" fn($($param),*) $(-> $result)? = $function;
                        function as *const u8
                    })*
                }
            }

            /// Types of its parameters.
            pub(super) fn params(self) -> &'static [Type] {
                match self {
                    $(Entry::$variant => &[$(<$param as Register>::TYPE),*]),*
                }
            }

            /// The type of its result, if it has one.
            pub(super) fn result(self) -> Option<Type> {
                match self {
                    $(Entry::$variant => {
                        let results: &[Type] = &[$(<$result as Register>::TYPE)?];
                        results.first().copied()
                    })*
                }
            }
        }
    };
}

entries! {
    Free = free(&Ctx, u64);
    Release = release(&Ctx, u64);
    Slots = slots(&Ctx, u64, u64) -> u64;
    Boxed = boxed(&Ctx, u64, u64) -> u64;
    List = list(&Ctx, u64, u64) -> u64;
    Map = map(&Ctx, u64) -> u64;
    Unique = unique(&Ctx, u64) -> u64;
    ListPush = list_push(&Ctx, u64, u64) -> u64;
    MapGet = map_get(&Ctx, u64, u64, *mut u64) -> u64;
    MapTake = map_take(&Ctx, u64, u64, *mut u64) -> u64;
    MapInsert = map_insert(&Ctx, u64, u64, u64) -> u64;
    Equal = equal(&Ctx, u64, u64) -> u64;
    Format = format(&Ctx, *const FormatPart, u64, *const u64) -> u64;
    FormatOnce = format_once(&Ctx, *const FormatPart, u64, *const u64, *const AtomicU64) -> u64;
    CellLoad = cell_load(&Ctx, u64) -> u64;
    CellSwap = cell_swap(&Ctx, u64, u64) -> u64;
    ErrTake = err_take(&Ctx) -> u64;
    ErrSet = err_set(&Ctx, u64);
    ErrIsCancel = err_is_cancel(&Ctx) -> u64;
    ErrTrace = err_trace(&Ctx, u64);
    Arithmetic = arithmetic(&Ctx, u64, i64, i64, u64);
    NotAnInt = not_an_int(&Ctx, f64, u64);
    Outside = outside(&Ctx, i64, i64, u64);
    TooDeep = too_deep(&Ctx, u64);
    Poked = poked(&Ctx, u64) -> u64;
    Remainder = remainder(f64, f64) -> f64;
    Failed = failed(&Ctx, u64, u64);
    Landed = landed(&Ctx, u64);
    Push = push(&Ctx, u64) -> *mut Frame;
    PushFilled = push_filled(&Ctx, u64, *const u64, u64) -> *mut Frame;
    Join = join(&Ctx, *const WaitOp, *const u64);
    Spawn = spawn(&Ctx, u64, *const u64, u64);
    Results = results(&Ctx) -> *const u64;
}

/// The operators of [`arithmetic`], by number.
pub(super) const OPERATORS: [&str; 8] = ["+", "-", "*", "/", "%", "<<", ">>", "neg"];

/// # Safety
/// The bits are an object of the worker's heap whose last reference was given up.
unsafe extern "C" fn free(ctx: &Ctx, bits: u64) {
    // SAFETY: upheld by the caller.
    unsafe { ctx.heap.free_unreferenced(Obj::from_bits(bits)) };
}

/// # Safety
/// The bits are null or an object of which the caller owns a reference.
unsafe extern "C" fn release(ctx: &Ctx, bits: u64) {
    // SAFETY: upheld by the caller.
    unsafe { ctx.heap.release_slot(bits) };
}

/// # Safety
/// The caller writes all slots before anything else looks at the object.
unsafe extern "C" fn slots(ctx: &Ctx, desc: u64, count: u64) -> u64 {
    let size = layout::slots_size(count as usize);
    ctx.heap.object(size, desc as u32).bits()
}

/// # Safety
/// The descriptor is one of a box.
unsafe extern "C" fn boxed(ctx: &Ctx, desc: u64, bits: u64) -> u64 {
    ctx.heap.boxed(DescId(desc as u32), Value(bits)).into_bits()
}

/// A list with room for as many elements; it has none yet.
///
/// # Safety
/// The descriptor is one of a list.
unsafe extern "C" fn list(ctx: &Ctx, desc: u64, capacity: u64) -> u64 {
    let obj = ctx.heap.list(DescId(desc as u32), capacity as usize);
    obj.bits()
}

/// # Safety
/// The descriptor is one of a map.
unsafe extern "C" fn map(ctx: &Ctx, desc: u64) -> u64 {
    ctx.heap.map(DescId(desc as u32)).bits()
}

/// # Safety
/// The object is owned and consumed.
unsafe extern "C" fn unique(ctx: &Ctx, bits: u64) -> u64 {
    // SAFETY: upheld by the caller.
    unsafe { ctx.heap.unique(Obj::from_bits(bits)).bits() }
}

/// # Safety
/// List and value are owned and consumed; the value has the type of the elements.
unsafe extern "C" fn list_push(ctx: &Ctx, list: u64, value: u64) -> u64 {
    // SAFETY: upheld by the caller.
    unsafe {
        let list = ctx.heap.unique(Obj::from_bits(list));
        ctx.heap.list_push(list, value);
        list.bits()
    }
}

/// Whether the key is there; its value goes to `out`.
///
/// # Safety
/// It is a map, the key is of its key type, and `out` is a place for a slot.
unsafe extern "C" fn map_get(ctx: &Ctx, map: u64, key: u64, out: *mut u64) -> u64 {
    // SAFETY: upheld by the caller.
    unsafe {
        let obj = Obj::from_bits(map);
        let at = ctx.heap.map_position(obj, key);
        out.write(at.map_or(0, |at| obj.body::<layout::Map>().entries()[at].value));
        u64::from(at.is_some())
    }
}

/// As [`map_get`], leaving null in the map.
///
/// # Safety
/// As [`map_get`], and the map is unique.
unsafe extern "C" fn map_take(ctx: &Ctx, map: u64, key: u64, out: *mut u64) -> u64 {
    // SAFETY: upheld by the caller.
    unsafe {
        let obj = Obj::from_bits(map);
        let at = ctx.heap.map_position(obj, key);
        let take =
            |at: usize| std::mem::take(&mut obj.body_mut::<layout::Map>().entries_mut()[at].value);
        out.write(at.map_or(0, take));
        u64::from(at.is_some())
    }
}

/// # Safety
/// Map, key and value are owned and consumed; key and value are of the map's types.
unsafe extern "C" fn map_insert(ctx: &Ctx, map: u64, key: u64, value: u64) -> u64 {
    // SAFETY: upheld by the caller.
    unsafe {
        let map = ctx.heap.unique(Obj::from_bits(map));
        ctx.heap.map_insert(map, key, value);
        map.bits()
    }
}

/// # Safety
/// Both are null or live objects.
unsafe extern "C" fn equal(ctx: &Ctx, left: u64, right: u64) -> u64 {
    if left == right {
        return 1;
    }
    // SAFETY: upheld by the caller; nothing changes while they are compared.
    unsafe {
        match (Value(left).obj(), Value(right).obj()) {
            (Some(left), Some(right)) => u64::from(order::equal_objects(
                ctx.descs(),
                Any::from_obj(left),
                Any::from_obj(right),
            )),
            _ => 0,
        }
    }
}

/// # Safety
/// The parts live as long as the program; there is a value for each one that is not literal text.
unsafe extern "C" fn format(
    ctx: &Ctx,
    parts: *const FormatPart,
    count: u64,
    values: *const u64,
) -> u64 {
    // SAFETY: upheld by the caller.
    let parts = unsafe { std::slice::from_raw_parts(parts, count as usize) };
    let mut next = values;
    let value = |_: Reg| {
        // SAFETY: there is a value for each part that reads a register, in order.
        let bits = unsafe { next.read() };
        // SAFETY: at most one behind the last value.
        next = unsafe { next.add(1) };
        bits
    };
    // SAFETY: objects are live or null.
    unsafe { text_of(ctx, parts, value) }
}

/// As [`format`] of parts that are the same each time: the text is kept, for all workers. Two of them may make it at
/// once, and both are right.
///
/// # Safety
/// As [`format`]; `place` is the place of that text in the program's code.
unsafe extern "C" fn format_once(
    ctx: &Ctx,
    parts: *const FormatPart,
    count: u64,
    values: *const u64,
    place: *const AtomicU64,
) -> u64 {
    // SAFETY: upheld by the caller; `format` gives a string with one reference.
    unsafe {
        let made = format(ctx, parts, count, values);
        let Ok(frozen) = ctx.linked().frozen().freeze(Obj::from_bits(made)) else {
            return made;
        };
        ctx.heap.release_slot(made);
        (*place).store(frozen.bits(), Ordering::Release);
        frozen.bits()
    }
}

/// # Safety
/// The user in charge has that cell.
unsafe extern "C" fn cell_load(ctx: &Ctx, cell: u64) -> u64 {
    ctx.with_user(|user| user.cells[cell as usize].get())
}

/// Puts a value into a cell and gives what was there.
///
/// # Safety
/// The user in charge has that cell, and the value is of its type.
unsafe extern "C" fn cell_swap(ctx: &Ctx, cell: u64, bits: u64) -> u64 {
    ctx.with_user(|user| user.cells[cell as usize].replace(bits))
}

/// # Safety
/// None.
unsafe extern "C" fn err_take(ctx: &Ctx) -> u64 {
    ctx.take_err().map_or(0, Own::into_bits)
}

/// # Safety
/// The bits are an owned error, which is consumed.
unsafe extern "C" fn err_set(ctx: &Ctx, bits: u64) {
    // SAFETY: upheld by the caller.
    ctx.set_err(Some(unsafe { Own::from_bits(bits) }));
}

/// # Safety
/// None.
unsafe extern "C" fn err_is_cancel(ctx: &Ctx) -> u64 {
    u64::from(ctx.err_is_cancellation())
}

/// # Safety
/// None.
unsafe extern "C" fn err_trace(ctx: &Ctx, place: u64) {
    ctx.trace_error(place);
}

/// # Safety
/// None.
unsafe extern "C" fn arithmetic(ctx: &Ctx, operator: u64, left: i64, right: i64, place: u64) {
    let detail = Detail::Arithmetic(OPERATORS[operator as usize], left, right);
    ctx.raise_at(Fault::new(kind::SCRIPT_ARITHMETIC, detail), place);
}

/// # Safety
/// None.
unsafe extern "C" fn not_an_int(ctx: &Ctx, float: f64, place: u64) {
    ctx.raise_at(crate::interp::not_an_int(float), place);
}

/// # Safety
/// None.
unsafe extern "C" fn outside(ctx: &Ctx, at: i64, len: i64, place: u64) {
    ctx.raise_at(
        Fault::new(kind::SCRIPT_INDEX, Detail::Index(at, len)),
        place,
    );
}

/// # Safety
/// None.
unsafe extern "C" fn too_deep(ctx: &Ctx, place: u64) {
    ctx.raise_at(depth_fault(), place);
}

/// Whether the poll point fails, with the error in `ctx.err`.
///
/// # Safety
/// None.
unsafe extern "C" fn poked(ctx: &Ctx, place: u64) -> u64 {
    match crate::driver::poked(ctx, place) {
        Ok(()) => 0,
        Err(fault) => {
            ctx.raise_at(fault, place);
            1
        }
    }
}

/// # Safety
/// None.
unsafe extern "C" fn remainder(left: f64, right: f64) -> f64 {
    left % right
}

/// A host function has failed: names it in the error and says where.
///
/// # Safety
/// None.
unsafe extern "C" fn failed(ctx: &Ctx, native: u64, place: u64) {
    let name = ctx.linked().natives[native as usize].def.name;
    ctx.change_err(|fault| fault.name_operation(name));
    ctx.place_error(place);
}

/// A wait for something else has failed.
///
/// # Safety
/// None.
unsafe extern "C" fn landed(ctx: &Ctx, place: u64) {
    ctx.place_error(place);
}

/// # Safety
/// The row is one of the side table; the caller writes the arguments into the frame's slots and answers `Call`.
unsafe extern "C" fn push(ctx: &Ctx, row: u64) -> *mut Frame {
    ctx.worker().push_frame(row as u32).as_ptr()
}

/// As [`push`], with the first slots of the frame copied from a template.
///
/// # Safety
/// As [`push`]; the template has `count` words, and the frame as many slots.
unsafe extern "C" fn push_filled(
    ctx: &Ctx,
    row: u64,
    template: *const u64,
    count: u64,
) -> *mut Frame {
    let frame = ctx.worker().push_frame(row as u32).as_ptr();
    // SAFETY: upheld by the caller.
    unsafe { Frame::slots(frame).copy_from_nonoverlapping(template, count as usize) };
    frame
}

/// Begins a join.
///
/// # Safety
/// The operation is a join, with a value for each of its operands in their order.
unsafe extern "C" fn join(ctx: &Ctx, op: *const WaitOp, values: *const u64) {
    let mut next = values;
    let mut value = || {
        // SAFETY: there is a value for each operand, in order.
        let bits = unsafe { next.read() };
        // SAFETY: at most one behind the last value.
        next = unsafe { next.add(1) };
        bits
    };
    let mut branches = |branches: &[(FuncId, Vec<Reg>)]| -> Vec<join::Branch> {
        let branch =
            |(func, args): &(FuncId, Vec<Reg>)| (*func, args.iter().map(|_| value()).collect());
        branches.iter().map(branch).collect()
    };
    // SAFETY: the operation is part of the program, which outlives the call.
    match unsafe { &*op } {
        WaitOp::Parallel(result, list) => join::push_parallel(ctx, *result, branches(list)),
        WaitOp::Race(list) => join::push_race(ctx, branches(list)),
        WaitOp::ForEach {
            result,
            func,
            captures,
            ..
        } => {
            // SAFETY: the value is a list, which the frame's slots keep alive across the wait.
            let list = unsafe { Obj::from_bits(value()) };
            let captures: SmallVec<[u64; 8]> = captures.iter().map(|_| value()).collect();
            join::push_for_each(ctx, *result, list, *func, &captures, value() as i64);
        }
        WaitOp::Call(..) | WaitOp::Host(..) => unreachable!("these push a frame of their own"),
    }
}

/// Starts a strand of its own.
///
/// # Safety
/// There are `count` owned arguments of the function.
unsafe extern "C" fn spawn(ctx: &Ctx, func: u64, args: *const u64, count: u64) {
    // SAFETY: upheld by the caller.
    let args = unsafe { std::slice::from_raw_parts(args, count as usize) };
    ctx.worker().spawn_here(FuncId(func as u32), args);
}

/// The results of the call that has just ended.
///
/// # Safety
/// None.
unsafe extern "C" fn results(ctx: &Ctx) -> *const u64 {
    ctx.worker().results()
}
