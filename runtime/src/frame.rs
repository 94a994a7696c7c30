//! Frames: the one shape of everything that waits, and the chunked stack that holds them.
//!
//! Script functions, waiting host functions and joins are all frames. A frame is a 16-byte header followed by
//! 8-byte slots; frames of one strand lie in linked chunks and never move, so natives may hold pointers into them.
//! Nothing here runs a frame: `driver` does. Enter at [`FrameStack`].

use crate::ctx::Ctx;
use crate::host::Waiting;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};

/// The head of a frame. Slots follow it directly.
#[repr(C)]
#[derive(Debug)]
pub struct Frame {
    /// Index into the side table of [`FrameCode`]: what the frame runs.
    pub code: u32,
    /// 0 is the start, `k` is "after wait `k`".
    pub state: u16,
    /// For the code's own use; 0 at the start.
    pub flags: u16,
    /// The caller's frame, null for the first one of a strand.
    pub prev: *mut Frame,
}

/// Bytes of a frame's header.
pub const HEADER: usize = size_of::<Frame>();

/// Bytes of a frame with this number of slots; results need two.
pub const fn frame_size(slots: usize) -> usize {
    HEADER + 8 * if slots < 2 { 2 } else { slots }
}

/// What a resumed frame answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Resume {
    /// It has set its own state and pushed a callee's frame: run that one.
    Call,
    /// It is finished; its results are in its slots 0 and 1.
    Done,
    /// It is finished; the error is in `ctx.err`.
    Error,
    /// It has arranged to be woken.
    Pending,
}

/// What a cancelled frame answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Cancel {
    /// All that it held is released: the driver pops it and takes the caller's error edge.
    Gone,
    /// It is unwinding (a join waits for its children); it ends with [`Resume::Error`] later.
    Unwinding,
}

/// Runs a frame until it waits, calls or ends.
pub type ResumeFn = unsafe fn(ctx: &Ctx, frame: *mut Frame) -> Resume;

/// Takes back what a frame holds: called on an unstarted frame, or on one that answered [`Resume::Pending`].
pub type CancelFn = unsafe fn(ctx: &Ctx, frame: *mut Frame) -> Cancel;

/// One row of the side table that [`Frame::code`] points into.
#[derive(Clone, Copy, Debug)]
pub struct FrameCode {
    /// Runs it.
    pub resume: ResumeFn,
    /// Cancels it. Script functions see this in state 0 only, and drop their owned arguments.
    pub cancel: CancelFn,
    /// Bytes with header.
    pub size: u32,
    /// Bytes of the frames of the deepest path of waits from here, as far as is known: what a strand reserves.
    pub reserve: u32,
    /// Whether a cancellation may reach it as soon as it is pushed: host functions and joins, not script functions.
    pub leaf: bool,
    /// Whether it counts for `script.depth`.
    pub recursive: bool,
    /// The host function, if it is one.
    pub host: Option<HostCode>,
}

/// A waiting host function as the driver runs it.
#[derive(Clone, Copy, Debug)]
pub struct HostCode {
    /// Its future.
    pub waiting: Waiting,
    /// Number of its registers.
    pub params: u32,
    /// Whether its result is a pair of flag and payload.
    pub pair: bool,
}

impl Frame {
    /// The slots behind a frame's header.
    ///
    /// # Safety
    /// `frame` points to a frame of a live stack.
    pub unsafe fn slots(frame: *mut Frame) -> *mut u64 {
        // SAFETY: slots follow the header inside of the same allocation.
        unsafe { frame.byte_add(HEADER).cast() }
    }
}

/// A piece of memory that frames lie in; the frames follow this header.
struct Chunk {
    prev: *mut Chunk,
    /// Where the stack below ended when this chunk was begun.
    below: *mut u8,
    /// Bytes with this header.
    size: usize,
}

const CHUNK_HEADER: usize = size_of::<Chunk>();
const CHUNK_ALIGN: usize = 16;

/// The smallest chunk.
pub const MIN_CHUNK: usize = 256;

/// Small chunks are multiples of this, since a user at rest pays for its chunk; large ones are powers of two.
const STEP: usize = 128;
const SMALL: usize = 1024;

/// The frames of one strand, innermost on top.
///
/// A popped frame's slots stay readable until the next push: that is how results reach the caller.
pub struct FrameStack {
    top: *mut Frame,
    end: *mut u8,
    limit: *mut u8,
    chunk: *mut Chunk,
    /// Chunks that pops have left, kept for results and for the next push.
    spare: *mut Chunk,
}

impl FrameStack {
    /// An empty stack that has no memory yet.
    pub const fn new() -> FrameStack {
        FrameStack {
            top: ptr::null_mut(),
            end: ptr::null_mut(),
            limit: ptr::null_mut(),
            chunk: ptr::null_mut(),
            spare: ptr::null_mut(),
        }
    }

    /// Makes sure that the first chunk of an empty stack holds `bytes` of frames; the waiting call graph tells how many.
    /// What a pop has left is gone.
    pub fn reserve(&mut self, bytes: usize, pool: &mut ChunkPool) {
        if self.is_empty() && self.first_room() < bytes {
            self.free(pool);
            self.add_chunk(bytes, pool);
        }
    }

    /// Bytes of frames that the chunk of an empty stack holds.
    fn first_room(&self) -> usize {
        match self.chunk.is_null() {
            true => 0,
            // SAFETY: the stack's chunk is a live one.
            false => unsafe { (*self.chunk).size - CHUNK_HEADER },
        }
    }

    /// Gives all memory of an empty stack back until it is needed again. What a pop has left is gone.
    pub fn rest(&mut self, pool: &mut ChunkPool) {
        if self.is_empty() {
            self.free(pool);
        }
    }

    /// The innermost frame, null when the stack is empty.
    pub fn top(&self) -> *mut Frame {
        self.top
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.top.is_null()
    }

    /// Pushes a frame of `size` bytes in state 0. Its slots are not initialised.
    pub fn push(&mut self, code: u32, size: usize, pool: &mut ChunkPool) -> NonNull<Frame> {
        if (self.limit as usize) - (self.end as usize) < size {
            self.add_chunk(size, pool);
        }
        self.place(code, size)
    }

    /// Pushes a frame if the chunk has room for it, which needs no pool.
    #[inline]
    pub fn push_here(&mut self, code: u32, size: usize) -> Option<NonNull<Frame>> {
        let fits = (self.limit as usize) - (self.end as usize) >= size;
        fits.then(|| self.place(code, size))
    }

    /// Makes a frame in the chunk, which has room for it.
    #[inline]
    fn place(&mut self, code: u32, size: usize) -> NonNull<Frame> {
        debug_assert!(size >= frame_size(0) && size.is_multiple_of(8));
        debug_assert!((self.limit as usize) - (self.end as usize) >= size);
        let frame: *mut Frame = self.end.cast();
        // SAFETY: `end..end + size` is inside of the chunk, aligned to 8, and no frame lies there.
        unsafe {
            frame.write(Frame {
                code,
                state: 0,
                flags: 0,
                prev: self.top,
            });
            self.end = self.end.add(size);
        }
        self.top = frame;
        NonNull::new(frame).expect("a chunk is not at address null")
    }

    /// Pops the innermost frame and gives its slots, readable until the next push.
    #[inline]
    pub fn pop(&mut self) -> *mut u64 {
        debug_assert!(!self.top.is_null());
        let frame = self.top;
        // SAFETY: `top` is a live frame of the current chunk.
        unsafe {
            self.top = (*frame).prev;
            self.end = frame.cast();
            let chunk = self.chunk;
            if self.end == chunk.byte_add(CHUNK_HEADER).cast() && !(*chunk).prev.is_null() {
                self.leave_chunk();
            }
            Frame::slots(frame)
        }
    }

    /// Gives all memory back; the frames must be gone.
    pub fn free(&mut self, pool: &mut ChunkPool) {
        debug_assert!(self.top.is_null());
        for mut chunk in [self.spare, self.chunk] {
            while !chunk.is_null() {
                // SAFETY: the list holds chunks that this stack took from the pool and nobody else knows.
                chunk = unsafe {
                    let prev = (*chunk).prev;
                    pool.give(chunk);
                    prev
                };
            }
        }
        *self = FrameStack::new();
    }

    #[cold]
    fn add_chunk(&mut self, bytes: usize, pool: &mut ChunkPool) {
        let need = bytes + CHUNK_HEADER;
        let spare = self.spare;
        // SAFETY: a spare chunk is a live one of the pool that holds no frame; one from the pool is fresh.
        unsafe {
            if !spare.is_null() {
                self.spare = (*spare).prev;
            }
            let chunk = if !spare.is_null() && (*spare).size >= need {
                spare
            } else {
                if !spare.is_null() {
                    pool.give(spare);
                }
                pool.take(need)
            };
            (*chunk).prev = self.chunk;
            (*chunk).below = self.end;
            self.chunk = chunk;
            self.end = chunk.byte_add(CHUNK_HEADER).cast();
            self.limit = chunk.byte_add((*chunk).size).cast();
        }
    }

    /// Goes back to the chunk below; the current one becomes the spare.
    unsafe fn leave_chunk(&mut self) {
        // SAFETY: the caller checked that there is a chunk below.
        unsafe {
            let left = self.chunk;
            let below = (*left).prev;
            self.end = (*left).below;
            self.limit = below.byte_add((*below).size).cast();
            self.chunk = below;
            (*left).prev = self.spare;
            self.spare = left;
        }
    }
}

impl Default for FrameStack {
    fn default() -> FrameStack {
        FrameStack::new()
    }
}

/// Free chunks of a worker, by their sizes.
#[derive(Default)]
pub struct ChunkPool {
    free: [Vec<NonNull<Chunk>>; CLASSES],
    live: usize,
}

/// Up to 64 KiB; larger chunks go back to the allocator.
const CLASSES: usize = SMALL / STEP + 7;

impl ChunkPool {
    /// How many chunks are in use.
    pub fn live(&self) -> usize {
        self.live
    }

    fn take(&mut self, need: usize) -> *mut Chunk {
        self.live += 1;
        let size = match need {
            ..=SMALL => need.next_multiple_of(STEP).max(MIN_CHUNK),
            _ => need.next_power_of_two(),
        };
        if let Some(chunk) = self.free.get_mut(class(size)).and_then(Vec::pop) {
            return chunk.as_ptr();
        }
        let layout = chunk_layout(size);
        // SAFETY: the layout is not empty, and the header is written before anyone reads it.
        unsafe {
            let chunk: *mut Chunk = alloc(layout).cast();
            if chunk.is_null() {
                handle_alloc_error(layout);
            }
            chunk.write(Chunk {
                prev: ptr::null_mut(),
                below: ptr::null_mut(),
                size,
            });
            chunk
        }
    }

    /// Takes a chunk back.
    unsafe fn give(&mut self, chunk: *mut Chunk) {
        self.live -= 1;
        // SAFETY: the caller gives up a chunk that `take` made.
        let size = unsafe { (*chunk).size };
        match (self.free.get_mut(class(size)), NonNull::new(chunk)) {
            (Some(list), Some(chunk)) => list.push(chunk),
            // SAFETY: made by `take` with this very layout.
            _ => unsafe { dealloc(chunk.cast(), chunk_layout(size)) },
        }
    }
}

impl Drop for ChunkPool {
    fn drop(&mut self) {
        for chunk in self.free.iter().flatten() {
            // SAFETY: free chunks belong to the pool alone; made by `take` with this layout.
            unsafe { dealloc(chunk.as_ptr().cast(), chunk_layout(chunk.as_ref().size)) };
        }
    }
}

fn class(size: usize) -> usize {
    match size {
        ..=SMALL => size / STEP,
        _ => SMALL / STEP + (size / SMALL).trailing_zeros() as usize,
    }
}

fn chunk_layout(size: usize) -> Layout {
    Layout::from_size_align(size, CHUNK_ALIGN)
        .expect("a chunk's size is a power of two below the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_never_move_and_results_outlive_the_pop() {
        let mut pool = ChunkPool::default();
        let mut stack = FrameStack::new();
        let frames: Vec<_> = (0..100)
            .map(|code| stack.push(code, frame_size(10), &mut pool))
            .collect();
        for (code, frame) in frames.iter().enumerate().rev() {
            assert_eq!(stack.top(), frame.as_ptr());
            // SAFETY: the frame is live, and its slots stay readable until the next push.
            unsafe {
                assert_eq!(frame.as_ref().code, code as u32);
                Frame::slots(frame.as_ptr()).write(code as u64);
                assert_eq!(stack.pop().read(), code as u64);
            }
        }
        assert!(stack.is_empty());
        stack.free(&mut pool);
        assert_eq!(pool.live(), 0);
    }

    #[test]
    fn a_reserved_stack_stays_in_one_chunk() {
        let mut pool = ChunkPool::default();
        let mut stack = FrameStack::new();
        stack.reserve(1000, &mut pool);
        for _ in 0..9 {
            stack.push(0, frame_size(10), &mut pool);
        }
        assert_eq!(pool.live(), 1);
        (0..9).for_each(|_| {
            stack.pop();
        });
        stack.free(&mut pool);
    }

    #[test]
    fn a_frame_larger_than_a_chunk_gets_its_own() {
        let mut pool = ChunkPool::default();
        let mut stack = FrameStack::new();
        stack.push(0, frame_size(2), &mut pool);
        stack.push(1, frame_size(100_000), &mut pool);
        stack.pop();
        stack.push(2, frame_size(2), &mut pool);
        stack.pop();
        stack.pop();
        stack.free(&mut pool);
        assert_eq!(pool.live(), 0);
    }
}
