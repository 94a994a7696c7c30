//! What host functions give back: how each Rust result type becomes value and status.

use super::{Class, Nanos, Params, Ret};
use crate::ctx::Ctx;
use crate::fault::Fault;
use crate::object::{Extern, Own, OwnSlot, VarList, VarMap};
use std::net::{IpAddr, SocketAddr};

/// A result type.
pub trait Reply {
    /// Whether it can be an error.
    const FAILS: bool = false;
    /// Declares the result registers.
    fn results(params: &mut Params);
    /// Turns it into value and status.
    fn reply(self, ctx: &Ctx) -> Ret;
}

impl Reply for () {
    fn results(_: &mut Params) {}
    fn reply(self, _: &Ctx) -> Ret {
        Ret::ok(0)
    }
}

impl<R: Reply> Reply for Result<R, Fault> {
    const FAILS: bool = true;
    fn results(params: &mut Params) {
        R::results(params);
    }
    fn reply(self, ctx: &Ctx) -> Ret {
        match self {
            Ok(value) => value.reply(ctx),
            Err(fault) => {
                ctx.raise(fault);
                Ret::error()
            }
        }
    }
}

macro_rules! scalar_replies {
    ($($ty:ty, $class:expr, $value:ident => $bits:expr;)*) => {$(
        impl Reply for $ty {
            fn results(params: &mut Params) {
                params.result($class);
            }
            fn reply(self, _: &Ctx) -> Ret {
                let $value = self;
                Ret::ok($bits)
            }
        }

        impl Reply for Option<$ty> {
            fn results(params: &mut Params) {
                params.result(Class::Int);
                params.result($class);
            }
            fn reply(self, _: &Ctx) -> Ret {
                self.map_or(Ret::none(), |$value| Ret::ok($bits))
            }
        }
    )*};
}
scalar_replies! {
    i64, Class::Int, value => value as u64;
    bool, Class::Int, value => u64::from(value);
    Nanos, Class::Int, value => value.0 as u64;
    f64, Class::Float, value => value.to_bits();
    OwnSlot, Class::Slot, value => value.into_bits();
}

/// A result that becomes an object. `Option` of it is null for none.
pub trait Object {
    /// The extern type.
    const EXTERN: Option<&'static str> = None;
    /// Makes the object.
    fn object(self, ctx: &Ctx) -> Own;
}

impl<T: Object> Reply for T {
    fn results(params: &mut Params) {
        params.result(Class::Ptr);
        T::EXTERN.into_iter().for_each(|name| params.external(name));
    }
    fn reply(self, ctx: &Ctx) -> Ret {
        Ret::ok(self.object(ctx).into_bits())
    }
}

impl<T: Object> Reply for Option<T> {
    fn results(params: &mut Params) {
        T::results(params);
    }
    fn reply(self, ctx: &Ctx) -> Ret {
        Ret::ok(self.map_or(0, |value| value.object(ctx).into_bits()))
    }
}

/// A new handle or library value.
#[derive(Clone, Copy, Debug)]
pub struct New<T>(pub T);

impl<T: Extern> Object for New<T> {
    const EXTERN: Option<&'static str> = Some(T::NAME);
    fn object(self, ctx: &Ctx) -> Own {
        ctx.heap.external(self.0)
    }
}

macro_rules! objects {
    ($($ty:ty, $value:ident, $ctx:ident => $make:expr;)*) => {$(
        impl Object for $ty {
            fn object(self, $ctx: &Ctx) -> Own {
                let $value = self;
                $make
            }
        }
    )*};
}
objects! {
    Own, value, _ctx => value;
    VarList, value, _ctx => value.into_own();
    VarMap, value, _ctx => value.into_own();
    &'static str, value, ctx => ctx.heap.string(value);
    String, value, ctx => ctx.heap.string(&value);
    Vec<u8>, value, ctx => ctx.heap.bytes(&value);
    IpAddr, value, ctx => ctx.heap.ip(value);
    SocketAddr, value, ctx => ctx.heap.addr(value);
    regex::Regex, value, ctx => ctx.heap.regex(value);
    Fault, value, ctx => ctx.heap.error(value);
}
