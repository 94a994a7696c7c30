//! How a Rust function becomes a host function that programs can call. `runtime/README.md` has a worked example.
//!
//! [`ready`] takes a plain function, [`waiting`] an `async fn` (or a function that returns a future). Both read the
//! register signature off the Rust types, so that linking can compare it with what the program expects.

pub mod args;
pub mod results;
mod waiting;

pub use args::{Arg, Nanos, RawOwn, RawSlot, Text, Unread};
pub use results::{New, Reply};
pub use waiting::{Cx, Waiting, Waits};

use crate::ctx::Ctx;
use scn_compiler::ir::{NativeRef, Ty};
use std::fmt;
use std::ptr::NonNull;

/// What a call gives back in two machine registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Ret {
    /// The result register.
    pub value: u64,
    /// [`OK`], [`ERROR`] or [`NONE`].
    pub status: u64,
}

/// The call went well.
pub const OK: u64 = 0;
/// The error is in `ctx.err`.
pub const ERROR: u64 = 1;
/// The call went well and there is no value.
pub const NONE: u64 = 2;

impl Ret {
    /// A value.
    pub const fn ok(value: u64) -> Ret {
        Ret { value, status: OK }
    }

    /// No value.
    pub const fn none() -> Ret {
        Ret {
            value: 0,
            status: NONE,
        }
    }

    /// An error, which is in `ctx.err`.
    pub const fn error() -> Ret {
        Ret {
            value: 0,
            status: ERROR,
        }
    }
}

/// The machine form of a host function that does not wait.
pub type Entry = unsafe extern "C" fn(ctx: *const Ctx, args: *mut u64) -> Ret;

/// What a host function takes in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An int, bool, duration, enum case, flag.
    Int,
    /// A float or rate.
    Float,
    /// A pointer or null.
    Ptr,
    /// A generic value in memory form: whatever the type in hand has.
    Slot,
}

impl Class {
    fn fits(self, ty: Ty) -> bool {
        match self {
            Class::Int => ty == Ty::Int,
            Class::Float => ty == Ty::Float,
            Class::Ptr => ty == Ty::Ptr,
            Class::Slot => true,
        }
    }
}

/// A register parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its class.
    pub class: Class,
    /// Whether a pointer is taken over.
    pub own: bool,
}

/// The signature of a host function as its Rust types tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// Register parameters.
    pub params: Vec<Param>,
    /// Result registers, without the receiver of an inout function: none, one, or (flag, payload).
    pub results: Vec<Class>,
    /// Whether it may suspend.
    pub waits: bool,
    /// Whether it may fail.
    pub fails: bool,
    /// Whether the first parameter is taken over and comes back.
    pub inout: bool,
    /// Whether the first parameter is the descriptor of the result.
    pub typed: bool,
    /// Extern types that it takes or makes.
    pub externs: Vec<&'static str>,
}

/// A host function.
#[derive(Clone, Debug)]
pub struct NativeDef {
    /// `http.get`, `list.push`, `rt.sleep`.
    pub name: &'static str,
    /// Its signature.
    pub signature: Signature,
    /// The code.
    pub call: Call,
}

/// The code of a host function.
#[derive(Clone, Copy)]
pub enum Call {
    /// Runs to its end at once.
    Ready(Entry),
    /// A future in a frame.
    Waiting(Waiting),
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Call::Ready(_) => "Ready",
            Call::Waiting(_) => "Waiting",
        })
    }
}

impl Signature {
    /// Says how the program's expectation differs, if it does.
    pub fn mismatch(&self, wanted: &NativeRef) -> Option<String> {
        let wanted_results = match wanted.results.as_slice() {
            [Ty::Ptr, rest @ ..]
                if wanted.inout && self.inout && wanted.results.len() > self.results.len() =>
            {
                rest
            }
            all => all,
        };
        let params_fit = self.params.len() == wanted.params.len()
            && self.params.iter().zip(&wanted.params).all(|(have, want)| {
                have.class.fits(want.ty) && (want.ty != Ty::Ptr || have.own == want.own)
            });
        let flags = [
            ("waits", self.waits, wanted.waits),
            ("inout", self.inout, wanted.inout),
            ("typed", self.typed, wanted.typed),
        ];
        if !params_fit {
            return Some(format!(
                "parameters: {:?}, the program has {:?}",
                self.params, wanted.params
            ));
        }
        if !self.results_fit(wanted_results) {
            return Some(format!(
                "results: {:?}, the program has {:?}",
                self.results, wanted.results
            ));
        }
        if self.fails && !wanted.fails {
            return Some("it can fail, the program says it cannot".to_owned());
        }
        let differs = flags.iter().find(|(_, have, want)| have != want);
        differs.map(|(flag, have, want)| format!("{flag}: {have}, the program says {want}"))
    }

    /// Whether the results fit. `T?` of a generic `T` is (flag, payload) of a scalar and one pointer of an object.
    fn results_fit(&self, wanted: &[Ty]) -> bool {
        if let ([Class::Int, Class::Slot], [Ty::Ptr]) = (self.results.as_slice(), wanted) {
            return true;
        }
        self.results.len() == wanted.len()
            && self
                .results
                .iter()
                .zip(wanted)
                .all(|(have, want)| have.fits(*want))
    }
}

/// A Rust function that can be called without waiting. Implemented for functions whose parameters are [`Arg`]s and whose
/// result is a [`Reply`]; `M` is only there to tell the implementations apart.
pub trait Ready<M>: Copy + 'static {
    /// Its signature.
    fn signature() -> Signature;

    /// Reads the arguments and calls it.
    ///
    /// # Safety
    /// `args` holds the registers of the signature.
    unsafe fn run(self, ctx: &Ctx, args: *mut u64) -> Ret;
}

/// The value of a zero-sized type: that of a function item or of a closure that captures nothing.
fn conjure<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0, "a host function is a function item") };
    // SAFETY: reading zero bytes from a dangling, aligned pointer is allowed, and a value of `F` was there when the
    // host function was declared.
    unsafe { NonNull::<F>::dangling().read() }
}

/// # Safety
/// As [`Ready::run`], with the context of this thread.
unsafe extern "C" fn entry<M, F: Ready<M>>(ctx: *const Ctx, args: *mut u64) -> Ret {
    // SAFETY: upheld by the caller.
    unsafe { conjure::<F>().run(&*ctx, args) }
}

/// Declares a host function that does not wait.
pub fn ready<M: 'static, F: Ready<M>>(name: &'static str, _function: F) -> NativeDef {
    NativeDef {
        name,
        signature: F::signature(),
        call: Call::Ready(entry::<M, F>),
    }
}

/// Declares a host function that waits: an `async fn`, or a function that returns a future.
pub fn waiting<M: 'static, F: Waits<M>>(name: &'static str, _function: F) -> NativeDef {
    NativeDef {
        name,
        signature: F::signature(),
        call: Call::Waiting(F::waiting()),
    }
}

/// The signature of parameters, without results.
#[derive(Debug, Default)]
pub struct Params {
    signature: Signature,
}

impl Params {
    /// Adds a register.
    pub fn push(&mut self, class: Class, own: bool) {
        self.signature.params.push(Param { class, own });
    }

    /// Says that the first parameter is the receiver that comes back.
    pub fn inout(&mut self) {
        self.push(Class::Ptr, true);
        self.signature.inout = true;
    }

    /// Adds the descriptor of the result.
    pub fn typed(&mut self) {
        self.push(Class::Int, false);
        self.signature.typed = true;
    }

    /// Names an extern type.
    pub fn external(&mut self, name: &'static str) {
        self.signature.externs.push(name);
    }

    /// Whether a parameter so far is taken over.
    pub(crate) fn takes_over(&self) -> bool {
        self.signature.params.iter().any(|param| param.own)
    }

    /// Completes it with a result.
    pub fn with_reply<R: Reply>(mut self, waits: bool) -> Signature {
        R::results(&mut self);
        Signature {
            fails: R::FAILS,
            waits,
            ..self.signature
        }
    }

    pub(crate) fn result(&mut self, class: Class) {
        self.signature.results.push(class);
    }
}

macro_rules! ready {
    ($($arg:ident)*) => {
        impl<F, R, $($arg),*> Ready<fn($($arg),*) -> R> for F
        where
            F: Fn($($arg),*) -> R + for<'a> Fn($($arg::In<'a>),*) -> R + Copy + 'static,
            R: Reply,
            $($arg: Arg,)*
        {
            fn signature() -> Signature {
                #[allow(unused_mut)]
                let mut params = Params::default();
                $($arg::params(&mut params);)*
                params.with_reply::<R>(false)
            }

            #[allow(non_snake_case, unused_variables, unused_assignments, unused_mut)]
            unsafe fn run(self, ctx: &Ctx, args: *mut u64) -> Ret {
                // A host function has as many parameters as its declaration; the lifetime is unused where that is none.
                #[allow(clippy::too_many_arguments, clippy::extra_unused_lifetimes)]
                fn call<'a, R, $($arg: Arg),*>(
                    f: impl Fn($($arg::In<'a>),*) -> R, $($arg: $arg::In<'a>),*
                ) -> R {
                    f($($arg),*)
                }
                let mut at = 0;
                $(
                    // SAFETY: the caller hands in the registers of the signature, of which this argument's are next.
                    let $arg = unsafe { $arg::read(ctx, args.add(at)) };
                    at += $arg::REGISTERS;
                )*
                call::<R, $($arg),*>(self, $($arg),*).reply(ctx)
            }
        }
    };
}
macro_rules! all_arities {
    ($each:ident) => {
        $each!();
        $each!(A);
        $each!(A B);
        $each!(A B C);
        $each!(A B C D);
        $each!(A B C D E);
        $each!(A B C D E G);
        $each!(A B C D E G H);
        $each!(A B C D E G H I);
        $each!(A B C D E G H I J);
        $each!(A B C D E G H I J K);
        $each!(A B C D E G H I J K L);
        $each!(A B C D E G H I J K L N);
        $each!(A B C D E G H I J K L N O);
        $each!(A B C D E G H I J K L N O P);
        $each!(A B C D E G H I J K L N O P Q);
        $each!(A B C D E G H I J K L N O P Q S);
        $each!(A B C D E G H I J K L N O P Q S T);
        $each!(A B C D E G H I J K L N O P Q S T U);
        $each!(A B C D E G H I J K L N O P Q S T U V);
        $each!(A B C D E G H I J K L N O P Q S T U V W);
    };
}
pub(crate) use all_arities;
all_arities!(ready);
