//! Host functions that wait: the future is stored in the frame, behind the arguments.
//!
//! The future may borrow its arguments for its whole life, because the caller's slots hold them and frames do not
//! move. That is told to Rust here, once: the arguments are read with the lifetime `'static`. An `async fn` is
//! generic over its lifetimes, so it cannot make anything of that.

// Implementations of `read` repeat the trait's signature, lifetimes included.
#![allow(clippy::needless_lifetimes)]

use super::args::Arg;
use super::results::Reply;
use super::{Params, Ret, Signature, all_arities, conjure};
use crate::ctx::Ctx;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll};

/// The worker as a waiting host function reaches it: by [`Cx::with`], never across an await.
#[derive(Clone, Copy, Debug)]
pub struct Cx {
    /// Not sendable: the worker is that of the thread.
    thread: PhantomData<*mut ()>,
}

impl Cx {
    /// The worker of this thread.
    pub fn new() -> Cx {
        Cx {
            thread: PhantomData,
        }
    }

    /// Runs `f` with the context.
    pub fn with<R>(self, f: impl FnOnce(&Ctx) -> R) -> R {
        Ctx::current(f)
    }
}

impl Default for Cx {
    fn default() -> Cx {
        Cx::new()
    }
}

/// The worker takes no register.
// SAFETY: no registers.
unsafe impl Arg for Cx {
    type In<'a> = Cx;
    const REGISTERS: usize = 0;
    fn params(_: &mut Params) {}
    unsafe fn read<'a>(_: &'a Ctx, _: *mut u64) -> Cx {
        Cx::new()
    }
}

/// The code of a waiting host function.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Bytes of the future's place in the frame, a multiple of 8. The place is aligned to 8.
    pub size: u32,
    /// Reads the arguments and puts the future into its place. Does not run it.
    ///
    /// # Safety
    /// `args` holds the registers of the signature, borrowed ones alive until the future is dropped;
    /// `place` has room.
    pub start: unsafe fn(ctx: &Ctx, args: *mut u64, place: *mut u8),
    /// Runs the future; `None` is pending. Afterwards it must still be dropped.
    ///
    /// # Safety
    /// A future was started in `place`, is not dropped and has not been ready before.
    pub poll: unsafe fn(ctx: &Ctx, place: *mut u8, task: &mut Context<'_>) -> Option<Ret>,
    /// Drops the future: when it is ready, and to cancel it.
    ///
    /// # Safety
    /// A future was started in `place` and is not dropped.
    pub drop: unsafe fn(place: *mut u8),
}

/// A Rust function that waits.
pub trait Waits<M>: Copy + 'static {
    /// Its signature.
    fn signature() -> Signature;
    /// Its code.
    fn waiting() -> Waiting;
}

/// Futures beyond this many bytes are boxed.
const INLINE: usize = 512;

const fn is_boxed<T>() -> bool {
    size_of::<T>() > INLINE || align_of::<T>() > 8
}

const fn place_size<T>() -> u32 {
    let size = if is_boxed::<T>() {
        size_of::<Box<T>>()
    } else {
        size_of::<T>()
    };
    size.next_multiple_of(8) as u32
}

/// # Safety
/// `place` has room for [`place_size`].
unsafe fn store<T>(place: *mut u8, future: T) {
    // SAFETY: the place is aligned to 8 and has room for the future or its box.
    unsafe {
        if is_boxed::<T>() {
            place.cast::<Box<T>>().write(Box::new(future));
        } else {
            place.cast::<T>().write(future);
        }
    }
}

/// # Safety
/// As [`Waiting::poll`].
unsafe fn poll<T: Future<Output: Reply>>(
    ctx: &Ctx,
    place: *mut u8,
    task: &mut Context<'_>,
) -> Option<Ret> {
    // SAFETY: the future is in its place, or in a box there, and neither moves before it is dropped.
    let future = unsafe {
        Pin::new_unchecked(if is_boxed::<T>() {
            &mut **place.cast::<Box<T>>()
        } else {
            &mut *place.cast::<T>()
        })
    };
    match future.poll(task) {
        Poll::Ready(output) => Some(output.reply(ctx)),
        Poll::Pending => None,
    }
}

/// # Safety
/// As [`Waiting::drop`].
unsafe fn drop_place<T>(place: *mut u8) {
    // SAFETY: the future or its box is in the place and not used any more.
    unsafe {
        if is_boxed::<T>() {
            ptr::drop_in_place(place.cast::<Box<T>>());
        } else {
            ptr::drop_in_place(place.cast::<T>());
        }
    }
}

macro_rules! waits {
    ($($arg:ident)*) => {
        impl<F, Fut, R, $($arg),*> Waits<fn($($arg),*) -> R> for F
        where
            F: Fn($($arg),*) -> Fut + Copy + 'static,
            Fut: Future<Output = R> + 'static,
            R: Reply,
            $($arg: Arg<In<'static> = $arg> + 'static,)*
        {
            fn signature() -> Signature {
                #[allow(unused_mut)]
                let mut params = Params::default();
                $($arg::params(&mut params);)*
                params.with_reply::<R>(true)
            }

            fn waiting() -> Waiting {
                #[allow(non_snake_case, unused_variables, unused_assignments, unused_mut)]
                unsafe fn start<F, Fut, $($arg),*>(ctx: &Ctx, args: *mut u64, place: *mut u8)
                where
                    F: Fn($($arg),*) -> Fut + Copy + 'static,
                    $($arg: Arg<In<'static> = $arg> + 'static,)*
                {
                    // SAFETY: see the head of this file: the arguments and the worker outlive the future.
                    let ctx: &'static Ctx = unsafe { &*ptr::from_ref(ctx) };
                    let mut at = 0;
                    $(
                        // SAFETY: the caller hands in the registers of the signature, of which these are next.
                        let $arg: $arg = unsafe { $arg::read(ctx, args.add(at)) };
                        at += $arg::REGISTERS;
                    )*
                    // SAFETY: the caller says that the place has room.
                    unsafe { store(place, conjure::<F>()($($arg),*)) };
                }
                Waiting {
                    size: place_size::<Fut>(),
                    start: start::<F, Fut, $($arg),*>,
                    poll: poll::<Fut>,
                    drop: drop_place::<Fut>,
                }
            }
        }
    };
}
all_arities!(waits);
