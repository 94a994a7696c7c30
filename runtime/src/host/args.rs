//! What host functions take: how each Rust parameter type reads its registers.

// Implementations of `read` repeat the trait's signature, lifetimes included.
#![allow(clippy::needless_lifetimes)]

use super::{Class, Params};
use crate::ctx::Ctx;
use crate::fault::Fault;
use crate::object::{Any, Extern, List, Map, Own, Slots, VarList, VarMap, layout, text};
use crate::value::{Obj, Value};
use scn_compiler::ir::DescId;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};

/// A parameter type.
///
/// # Safety
/// `params` declares `REGISTERS` registers, and `read` reads no more than them and by the classes declared.
pub unsafe trait Arg {
    /// The type with the lifetime of a call.
    type In<'a>;
    /// Number of registers.
    const REGISTERS: usize;
    /// Declares the registers.
    fn params(params: &mut Params);
    /// Reads them.
    ///
    /// # Safety
    /// `regs` points to the registers; what they point to lives for `'a`.
    unsafe fn read<'a>(ctx: &'a Ctx, regs: *mut u64) -> Self::In<'a>;
}

/// A parameter type that is a pointer. `Option` of it is nullable.
///
/// # Safety
/// As [`Arg`].
pub unsafe trait PtrArg {
    /// The type with the lifetime of a call.
    type In<'a>;
    /// Whether the reference is taken over.
    const OWN: bool = false;
    /// The extern type.
    const EXTERN: Option<&'static str> = None;
    /// Reads a pointer that is not null.
    ///
    /// # Safety
    /// It points to an object of the parameter's type that lives for `'a`.
    unsafe fn from_ptr<'a>(ctx: &'a Ctx, obj: Obj) -> Self::In<'a>;
}

fn ptr_param<A: PtrArg>(params: &mut Params) {
    params.push(Class::Ptr, A::OWN);
    if let Some(name) = A::EXTERN {
        params.external(name);
    }
}

// SAFETY: one pointer register, read as a pointer.
unsafe impl<A: PtrArg> Arg for A {
    type In<'a> = A::In<'a>;
    const REGISTERS: usize = 1;
    fn params(params: &mut Params) {
        ptr_param::<A>(params);
    }
    unsafe fn read<'a>(ctx: &'a Ctx, regs: *mut u64) -> A::In<'a> {
        // SAFETY: a parameter that is not optional is never null.
        unsafe { A::from_ptr(ctx, Obj::from_bits(regs.read())) }
    }
}

// SAFETY: one pointer register, read as a pointer or null.
unsafe impl<A: PtrArg> Arg for Option<A> {
    type In<'a> = Option<A::In<'a>>;
    const REGISTERS: usize = 1;
    fn params(params: &mut Params) {
        ptr_param::<A>(params);
    }
    unsafe fn read<'a>(ctx: &'a Ctx, regs: *mut u64) -> Option<A::In<'a>> {
        // SAFETY: the register holds null or a pointer to an object of the type.
        unsafe {
            let bits = regs.read();
            (bits != 0).then(|| A::from_ptr(ctx, Obj::from_bits(bits)))
        }
    }
}

/// The context takes no register.
// SAFETY: no registers.
unsafe impl Arg for &Ctx {
    type In<'a> = &'a Ctx;
    const REGISTERS: usize = 0;
    fn params(_: &mut Params) {}
    unsafe fn read<'a>(ctx: &'a Ctx, _: *mut u64) -> &'a Ctx {
        ctx
    }
}

/// A duration, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub i64);

impl Nanos {
    /// As a `Duration`; negative ones are zero.
    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

impl From<std::time::Duration> for Nanos {
    fn from(duration: std::time::Duration) -> Nanos {
        Nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

macro_rules! scalar_args {
    ($($ty:ty, $class:expr, $bits:ident => $read:expr;)*) => {$(
        // SAFETY: one register of the class.
        unsafe impl Arg for $ty {
            type In<'a> = $ty;
            const REGISTERS: usize = 1;
            fn params(params: &mut Params) {
                params.push($class, false);
            }
            unsafe fn read<'a>(_: &'a Ctx, regs: *mut u64) -> $ty {
                // SAFETY: the register is there.
                let $bits = unsafe { regs.read() };
                $read
            }
        }

        // SAFETY: two registers: the flag, then the payload of the class.
        unsafe impl Arg for Option<$ty> {
            type In<'a> = Option<$ty>;
            const REGISTERS: usize = 2;
            fn params(params: &mut Params) {
                params.push(Class::Int, false);
                params.push($class, false);
            }
            unsafe fn read<'a>(_: &'a Ctx, regs: *mut u64) -> Option<$ty> {
                // SAFETY: both registers are there.
                let (flag, $bits) = unsafe { (regs.read(), regs.add(1).read()) };
                (flag != 0).then(|| $read)
            }
        }
    )*};
}
scalar_args! {
    i64, Class::Int, bits => bits as i64;
    bool, Class::Int, bits => bits != 0;
    Nanos, Class::Int, bits => Nanos(bits as i64);
    f64, Class::Float, bits => f64::from_bits(bits);
}

/// The hidden first parameter of a `@typed` host function: the descriptor of its result.
// SAFETY: one int register.
unsafe impl Arg for DescId {
    type In<'a> = DescId;
    const REGISTERS: usize = 1;
    fn params(params: &mut Params) {
        params.typed();
    }
    unsafe fn read<'a>(_: &'a Ctx, regs: *mut u64) -> DescId {
        // SAFETY: the register is there.
        DescId(unsafe { regs.read() } as u32)
    }
}

/// Parameters of type `T` that are read when somebody asks: for host functions that mostly need to know whether they are
/// called as they were the last time. None of the parameters may be `@own`.
#[derive(Debug)]
pub struct Unread<'a, T> {
    registers: &'a [u64],
    parameters: PhantomData<T>,
}

impl<T> Clone for Unread<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Unread<'_, T> {}

impl<'a, T: Arg> Unread<'a, T> {
    /// The registers as they are.
    pub fn registers(&self) -> &'a [u64] {
        self.registers
    }

    /// Reads the parameters.
    pub fn read<'c>(&self, ctx: &'c Ctx) -> T::In<'c>
    where
        'a: 'c,
    {
        // SAFETY: the registers are those of the parameters, and what they point to lives for `'a`.
        unsafe { T::read(ctx, self.registers.as_ptr().cast_mut()) }
    }

    /// Whether each register will mean the same in any later call in which it has the same bits: a scalar, null, or an
    /// object that is never freed.
    pub fn is_lasting(&self) -> impl Iterator<Item = bool> + use<'a, T> {
        let mut params = Params::default();
        T::params(&mut params);
        let classes = params.with_reply::<()>(false).params;
        self.registers
            .iter()
            .zip(classes)
            .map(|(bits, param)| match param.class {
                Class::Int | Class::Float => true,
                // SAFETY: a pointer register holds null or a live object.
                Class::Ptr => unsafe { Value(*bits).obj() }.is_none_or(Obj::is_immortal),
                Class::Slot => false,
            })
    }
}

// SAFETY: the registers of `T`, which are read by `T`, and only as long as the call lasts.
unsafe impl<T: Arg> Arg for Unread<'_, T> {
    type In<'a> = Unread<'a, T>;
    const REGISTERS: usize = T::REGISTERS;
    fn params(params: &mut Params) {
        T::params(params);
        assert!(
            !params.takes_over(),
            "parameters that are read later, or twice, are borrowed"
        );
    }
    unsafe fn read<'a>(_: &'a Ctx, regs: *mut u64) -> Unread<'a, T> {
        Unread {
            // SAFETY: the caller hands in that many registers, which nobody changes while the call lasts.
            registers: unsafe { std::slice::from_raw_parts(regs, T::REGISTERS) },
            parameters: PhantomData,
        }
    }
}

macro_rules! tuple_args {
    ($($($arg:ident)+;)+) => {$(
        /// Several parameters in a row as one: for host functions with more than Rust functions here can have.
        // SAFETY: each part declares its registers and reads them, in order.
        unsafe impl<$($arg: Arg),+> Arg for ($($arg,)+) {
            type In<'a> = ($($arg::In<'a>,)+);
            const REGISTERS: usize = 0 $(+ $arg::REGISTERS)+;
            fn params(params: &mut Params) {
                $($arg::params(params);)+
            }
            #[allow(non_snake_case, unused_assignments)]
            unsafe fn read<'a>(ctx: &'a Ctx, regs: *mut u64) -> Self::In<'a> {
                let mut at = 0;
                $(
                    // SAFETY: the registers of this part follow those of the parts before it.
                    let $arg = unsafe { $arg::read(ctx, regs.add(at)) };
                    at += $arg::REGISTERS;
                )+
                ($($arg,)+)
            }
        }
    )+};
}
tuple_args! {
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E G;
    A B C D E G H;
    A B C D E G H I;
    A B C D E G H I J;
    A B C D E G H I J K;
    A B C D E G H I J K L;
    A B C D E G H I J K L N;
}

/// A borrowed generic value in memory form; the receiver's descriptor tells its type.
#[derive(Clone, Copy, Debug)]
pub struct RawSlot(pub u64);

/// An owned generic value in memory form: give it to the receiver (`push_raw`, `insert_raw`) or drop it there.
#[derive(Debug)]
#[must_use]
pub struct RawOwn(pub u64);

// SAFETY: one register of whatever class.
unsafe impl Arg for RawSlot {
    type In<'a> = RawSlot;
    const REGISTERS: usize = 1;
    fn params(params: &mut Params) {
        params.push(Class::Slot, false);
    }
    unsafe fn read<'a>(_: &'a Ctx, regs: *mut u64) -> RawSlot {
        // SAFETY: the register is there.
        RawSlot(unsafe { regs.read() })
    }
}

// SAFETY: one register of whatever class, taken over.
unsafe impl Arg for RawOwn {
    type In<'a> = RawOwn;
    const REGISTERS: usize = 1;
    fn params(params: &mut Params) {
        params.push(Class::Slot, true);
    }
    unsafe fn read<'a>(_: &'a Ctx, regs: *mut u64) -> RawOwn {
        // SAFETY: the register is there.
        RawOwn(unsafe { regs.read() })
    }
}

/// `string | bytes`.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The bytes of either.
    pub bytes: &'a [u8],
    /// The object.
    pub any: Any<'a>,
}

impl<'a> Text<'a> {
    /// The text, if it is a string.
    pub fn as_str(self) -> Option<&'a str> {
        self.any.as_str()
    }
}

macro_rules! ptr_args {
    ($($(#[$doc:meta])* ($($generics:tt)*) $ty:ty => $in:ty, $ctx:ident, $obj:ident, $read:expr;)*) => {$(
        $(#[$doc])*
        // SAFETY: the declared type of the parameter is the one that is read.
        unsafe impl$($generics)* PtrArg for $ty {
            type In<'a> = $in;
            unsafe fn from_ptr<'a>($ctx: &'a Ctx, $obj: Obj) -> $in {
                // SAFETY: the caller hands in an object of this type that lives for `'a`.
                unsafe { $read }
            }
        }
    )*};
}
ptr_args! {
    (<>) &str => &'a str, _ctx, obj, text::str_of(obj);
    (<>) &[u8] => &'a [u8], _ctx, obj, text::bytes_of(obj);
    (<>) Text<'_> => Text<'a>, _ctx, obj, Text { bytes: text::bytes_of(obj), any: Any::from_obj(obj) };
    (<>) IpAddr => IpAddr, _ctx, obj, obj.body::<layout::Ip>().ip;
    (<>) SocketAddr => SocketAddr, _ctx, obj, obj.body::<layout::Addr>().addr;
    (<>) &regex::Regex => &'a regex::Regex, _ctx, obj, &obj.body::<layout::Regex>().regex;
    (<>) &Fault => &'a Fault, _ctx, obj, &obj.body::<layout::Error>().fault;
    (<>) Any<'_> => Any<'a>, _ctx, obj, Any::from_obj(obj);
    (<>) List<'_> => List<'a>, _ctx, obj, List::from_obj(obj);
    (<>) Map<'_> => Map<'a>, _ctx, obj, Map::from_obj(obj);
    (<>) Slots<'_> => Slots<'a>, _ctx, obj, Slots::from_obj(obj);
}

/// A handle or library value.
// SAFETY: the value's type is checked.
unsafe impl<T: Extern> PtrArg for &T {
    type In<'a> = &'a T;
    const EXTERN: Option<&'static str> = Some(T::NAME);
    unsafe fn from_ptr<'a>(_: &'a Ctx, obj: Obj) -> &'a T {
        // SAFETY: the caller hands in an extern object that lives for `'a`.
        let value = unsafe { &obj.body::<layout::Extern>().value };
        value
            .downcast_ref()
            .expect("the declaration and the host function name the same extern type")
    }
}

macro_rules! own_args {
    ($($(#[$doc:meta])* $ty:ty, $obj:ident => $read:expr;)*) => {$(
        $(#[$doc])*
        // SAFETY: the declared type of the parameter is the one that is read, and it is declared `@own`.
        unsafe impl PtrArg for $ty {
            type In<'a> = $ty;
            const OWN: bool = true;
            unsafe fn from_ptr<'a>(_: &'a Ctx, $obj: Obj) -> $ty {
                // SAFETY: the caller gives its reference away.
                unsafe { $read }
            }
        }
    )*};
}
own_args! {
    Own, obj => Own::from_obj(obj);
    VarList, obj => VarList::from_bits(obj.bits());
    VarMap, obj => VarMap::from_bits(obj.bits());
}

macro_rules! inout_args {
    ($($ty:ty)*) => {$(
        /// The receiver of a host function that changes it.
        // SAFETY: one pointer register, in which the changed receiver is left.
        unsafe impl Arg for &mut $ty {
            type In<'a> = &'a mut $ty;
            const REGISTERS: usize = 1;
            fn params(params: &mut Params) {
                params.inout();
            }
            unsafe fn read<'a>(_: &'a Ctx, regs: *mut u64) -> &'a mut $ty {
                // SAFETY: the register holds an owned object of this type, and the type is a transparent pointer.
                unsafe { &mut *regs.cast::<$ty>() }
            }
        }
    )*};
}
inout_args!(VarList VarMap Own);
