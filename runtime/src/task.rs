//! Waiting host functions as frames: the future lies behind the arguments.
//!
//! Slots hold the arguments, then comes the future's place. When the future is ready it is dropped, and the results
//! take slots 0 and 1. Cancelling drops the future at once. Enter at [`code`].

use crate::ctx::Ctx;
use crate::frame::{Cancel, Frame, FrameCode, HostCode, Resume, frame_size};
use crate::host::{ERROR, OK, Ret};
use crate::timer::NEVER;
use crate::waker::waker;
use std::task::Context;

/// The side table's row of a waiting host function.
pub(crate) fn code(host: HostCode) -> FrameCode {
    let size = (frame_size(host.params as usize) + host.waiting.size as usize) as u32;
    FrameCode {
        resume,
        cancel,
        size,
        reserve: size,
        leaf: true,
        recursive: false,
        host: Some(host),
    }
}

/// The future has not been made: the slots hold the arguments.
const START: u16 = 0;
/// The future is in its place.
const STARTED: u16 = 1;

/// # Safety
/// The frame is on top of the running strand and its code is a host function.
unsafe fn resume(ctx: &Ctx, frame: *mut Frame) -> Resume {
    // SAFETY: frames of host functions have room for arguments and future, as `code` has computed; the arguments are
    // there in state 0, the future afterwards.
    unsafe {
        let host = host_of(ctx, frame);
        let place = place(frame, host);
        if (*frame).state == START {
            (host.waiting.start)(ctx, Frame::slots(frame), place);
            (*frame).state = STARTED;
        }
        let worker = ctx.worker();
        worker.limit.set(NEVER);
        let waker = waker(worker.running());
        let Some(ret) = (host.waiting.poll)(ctx, place, &mut Context::from_waker(&waker)) else {
            worker.set_alarm();
            return Resume::Pending;
        };
        (host.waiting.drop)(place);
        if worker.reactor().is_virtual() {
            // The alarm must not be what the clock jumps to.
            worker.limit.set(NEVER);
            worker.set_alarm();
        }
        leave(host, ret, Frame::slots(frame))
    }
}

/// # Safety
/// As [`resume`].
unsafe fn cancel(ctx: &Ctx, frame: *mut Frame) -> Cancel {
    // SAFETY: as in `resume`. A future that was never polled takes the owned arguments over, and drops them.
    unsafe {
        let host = host_of(ctx, frame);
        let place = place(frame, host);
        if (*frame).state == START {
            (host.waiting.start)(ctx, Frame::slots(frame), place);
        }
        (host.waiting.drop)(place);
    }
    Cancel::Gone
}

/// # Safety
/// The slots are two at least.
unsafe fn leave(host: &HostCode, ret: Ret, slots: *mut u64) -> Resume {
    if ret.status == ERROR {
        return Resume::Error;
    }
    // SAFETY: upheld by the caller.
    unsafe {
        if host.pair {
            slots.write(u64::from(ret.status == OK));
            slots.add(1).write(ret.value);
        } else {
            slots.write(ret.value);
        }
    }
    Resume::Done
}

/// # Safety
/// The frame is live.
unsafe fn host_of(ctx: &Ctx, frame: *mut Frame) -> &HostCode {
    // SAFETY: upheld by the caller.
    let code = &ctx.worker().codes[unsafe { (*frame).code } as usize];
    code.host
        .as_ref()
        .expect("this code runs host functions only")
}

/// # Safety
/// The frame is live and its size was computed by [`code`].
unsafe fn place(frame: *mut Frame, host: &HostCode) -> *mut u8 {
    // SAFETY: the place lies inside of the frame.
    unsafe { frame.cast::<u8>().add(frame_size(host.params as usize)) }
}
