//! Text of several pieces, which interpolations are: its size is known before it is made, and it is made once.
//!
//! Pieces are lent where they are text already, and ints are written straight into the new text. Enter at
//! [`Heap::string_of`].

use super::{Any, Own, layout, show};
use crate::descs::Descs;
use crate::heap::Heap;
use crate::value::Value;
use scn_compiler::ir::{Scalar, desc};
use std::ptr;

/// A piece of a text.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    /// Text that is there.
    Text(&'a str),
    /// The digits of an int.
    Int(i64),
    /// What had to be shown first.
    Shown(String),
}

impl<'a> Piece<'a> {
    /// How an interpolation shows a scalar.
    pub fn of_scalar(descs: &Descs, scalar: Scalar, value: Value) -> Self {
        match scalar {
            Scalar::Int => Piece::Int(value.int()),
            _ => Piece::Shown(show::scalar(descs, scalar, value)),
        }
    }

    /// How it shows an object.
    pub fn of_object(descs: &'a Descs, any: Option<Any<'a>>) -> Self {
        match any.map(|any| (any, any.as_str())) {
            Some((_, Some(text))) => Piece::Text(text),
            Some((any, None)) => Piece::Shown(show::interpolated_object(descs, any)),
            None => Piece::Text("none"),
        }
    }

    /// How many bytes it takes.
    fn size(&self) -> usize {
        match self {
            Piece::Text(text) => text.len(),
            Piece::Int(int) => {
                let digits = int.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
                digits as usize + usize::from(*int < 0)
            }
            Piece::Shown(text) => text.len(),
        }
    }
}

impl Heap {
    /// A new string of pieces, in one allocation of its size.
    pub(crate) fn string_of(&self, pieces: &[Piece<'_>]) -> Own {
        let len: usize = pieces.iter().map(Piece::size).sum();
        let obj = self.object(layout::text_size(len), desc::STRING.0);
        // SAFETY: the object was made with room for the head and `len` bytes, which are written below before anybody
        // else has it; all of them are, as each piece takes its size.
        unsafe {
            let head = obj.0.cast::<layout::Text>().as_ptr();
            (&raw mut (*head).len).write(len as u64);
            let mut at = head.add(1).cast::<u8>();
            let end = at.add(len);
            let mut digits = itoa::Buffer::new();
            for piece in pieces {
                let text = match piece {
                    Piece::Text(text) => text,
                    Piece::Int(int) => digits.format(*int),
                    Piece::Shown(text) => text.as_str(),
                };
                debug_assert!(text.len() <= end.offset_from_unsigned(at));
                ptr::copy_nonoverlapping(text.as_ptr(), at, text.len());
                at = at.add(text.len());
            }
            debug_assert_eq!(at, end, "each piece takes its size");
            Own::from_obj(obj)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_ctx;
    use super::Piece;

    #[test]
    fn ints_take_their_size() {
        let mut ints = vec![0, 1, -1, 9, 10, -9, -10, i64::MAX, i64::MIN];
        ints.extend((0..18).map(|power| 10_i64.pow(power) - 1));
        ints.extend((0..18).map(|power| -(10_i64.pow(power))));
        for int in ints {
            assert_eq!(Piece::Int(int).size(), int.to_string().len(), "{int}");
        }
    }

    #[test]
    fn a_text_of_pieces_is_allocated_once_at_its_size() {
        with_ctx(|ctx| {
            let pieces = [
                Piece::Text("/users/"),
                Piece::Int(-42),
                Piece::Shown("?at=1.5".to_owned()),
                Piece::Text(""),
                Piece::Int(i64::MIN),
            ];
            let text = "/users/-42?at=1.5-9223372036854775808";
            let (objects, bytes) = (ctx.heap.live(), ctx.heap.account().bytes());
            let made = ctx.heap.string_of(&pieces);
            assert_eq!(made.as_any().as_str(), Some(text));
            assert_eq!(ctx.heap.live(), objects + 1);
            let taken = ctx.heap.account().bytes() - bytes;
            let same = ctx.heap.string(text);
            assert_eq!(ctx.heap.account().bytes() - bytes, 2 * taken);
            drop((made, same));
        });
    }
}
