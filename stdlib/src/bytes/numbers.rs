//! Numbers as bytes: builders (`bytes.u16be`) and readers (`b.read_u16be(at)`).

use crate::raise;
use scn_runtime::{Fault, NativeDef, ready};

/// The error of a builder.
pub(super) fn outside(n: i64, range: &str) -> Fault {
    raise::argument(format!("{n} is outside of {range}"))
}

/// `N` bytes at a position.
fn array<const N: usize>(bytes: &[u8], at: i64) -> Result<[u8; N], Fault> {
    let from = usize::try_from(at).ok();
    let found = from.and_then(|from| bytes.get(from..from.checked_add(N)?));
    let found =
        found.ok_or_else(|| raise::range(at, Some(at.saturating_add(N as i64)), bytes.len()))?;
    Ok(found
        .try_into()
        .expect("the slice was taken with that length"))
}

macro_rules! ints {
    ($($ty:ty: $build:ident $to:ident, $read:ident $from:ident;)*) => {
        $(
            fn $build(n: i64) -> Result<Vec<u8>, Fault> {
                let value = <$ty>::try_from(n).map_err(|_| outside(n, &format!("{}..={}", <$ty>::MIN, <$ty>::MAX)))?;
                Ok(value.$to().to_vec())
            }

            fn $read(bytes: &[u8], at: i64) -> Result<i64, Fault> {
                let value = <$ty>::$from(array(bytes, at)?);
                i64::try_from(value).map_err(|_| raise::arithmetic(format!("{value} does not fit into an int")))
            }
        )*

        fn ints() -> Vec<NativeDef> {
            vec![$(
                ready(concat!("bytes.", stringify!($build)), $build),
                ready(concat!("bytes.", stringify!($read)), $read),
            )*]
        }
    };
}

// Conversions that cannot fail for one of the types can for another.
#[allow(clippy::useless_conversion, clippy::unnecessary_fallible_conversions)]
mod of_each_width {
    use super::{Fault, NativeDef, array, outside, raise, ready};

    ints! {
        u8: u8 to_be_bytes, read_u8 from_be_bytes;
        i8: i8 to_be_bytes, read_i8 from_be_bytes;
        u16: u16be to_be_bytes, read_u16be from_be_bytes;
        u16: u16le to_le_bytes, read_u16le from_le_bytes;
        i16: i16be to_be_bytes, read_i16be from_be_bytes;
        i16: i16le to_le_bytes, read_i16le from_le_bytes;
        u32: u32be to_be_bytes, read_u32be from_be_bytes;
        u32: u32le to_le_bytes, read_u32le from_le_bytes;
        i32: i32be to_be_bytes, read_i32be from_be_bytes;
        i32: i32le to_le_bytes, read_i32le from_le_bytes;
        u64: u64be to_be_bytes, read_u64be from_be_bytes;
        u64: u64le to_le_bytes, read_u64le from_le_bytes;
        i64: i64be to_be_bytes, read_i64be from_be_bytes;
        i64: i64le to_le_bytes, read_i64le from_le_bytes;
    }

    /// The natives of whole numbers.
    pub(super) fn natives() -> Vec<NativeDef> {
        ints()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn whole_numbers_of_each_width() {
            assert_eq!(u16be(258).ok(), Some(vec![1, 2]));
            assert_eq!(u16le(258).ok(), Some(vec![2, 1]));
            assert_eq!(i32le(-2).ok(), Some(vec![0xfe, 0xff, 0xff, 0xff]));
            assert_eq!(
                u8(256).expect_err("too large").message(),
                "256 is outside of 0..=255"
            );
            assert_eq!(read_i16be(&[0xff, 0xfe], 0).ok(), Some(-2));
            assert_eq!(
                read_u32be(&[0, 0xff, 0xff, 0xff, 0xff], 1).ok(),
                Some(u32::MAX.into())
            );
            assert_eq!(
                read_i64le(&i64le(i64::MIN).unwrap_or_default(), 0).ok(),
                Some(i64::MIN)
            );
            assert_eq!(
                read_u64be(&[0xff; 8], 0).expect_err("too large").kind(),
                "script.arithmetic"
            );
            assert!(u64be(-1).is_err());
        }
    }
}

fn u24be(n: i64) -> Result<Vec<u8>, Fault> {
    let value = u32::try_from(n).ok().filter(|value| *value < 1 << 24);
    let value = value.ok_or_else(|| outside(n, "0..=16777215"))?;
    Ok(value.to_be_bytes()[1..].to_vec())
}

fn read_u24be(bytes: &[u8], at: i64) -> Result<i64, Fault> {
    let [high, middle, low] = array(bytes, at)?;
    Ok(i64::from(u32::from_be_bytes([0, high, middle, low])))
}

macro_rules! floats {
    ($($ty:ty: $build:ident $to:ident, $read:ident $from:ident;)*) => {
        $(
            fn $build(value: f64) -> Vec<u8> {
                (value as $ty).$to().to_vec()
            }

            fn $read(bytes: &[u8], at: i64) -> Result<f64, Fault> {
                Ok(f64::from(<$ty>::$from(array(bytes, at)?)))
            }
        )*

        fn floats() -> Vec<NativeDef> {
            vec![$(
                ready(concat!("bytes.", stringify!($build)), $build),
                ready(concat!("bytes.", stringify!($read)), $read),
            )*]
        }
    };
}
floats! {
    f32: f32be to_be_bytes, read_f32be from_be_bytes;
    f32: f32le to_le_bytes, read_f32le from_le_bytes;
    f64: f64be to_be_bytes, read_f64be from_be_bytes;
    f64: f64le to_le_bytes, read_f64le from_le_bytes;
}

/// The natives of this part.
pub(super) fn natives() -> Vec<NativeDef> {
    let mut all = vec![
        ready("bytes.u24be", u24be),
        ready("bytes.read_u24be", read_u24be),
    ];
    all.extend(of_each_width::natives());
    all.extend(floats());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_refuse_what_is_not_there() {
        let message = |result: Result<i64, Fault>| result.expect_err("out of range").message();
        assert_eq!(
            message(read_u24be(&[1, 2, 3], 1)),
            "range 1..4 is outside of 0..3"
        );
        assert_eq!(
            message(read_u24be(&[1, 2, 3], -1)),
            "range -1..2 is outside of 0..3"
        );
        assert_eq!(
            message(read_u24be(&[1, 2, 3], i64::MAX)),
            format!("range {0}..{0} is outside of 0..3", i64::MAX)
        );
        assert_eq!(read_u24be(&[0, 1, 2, 3], 1).ok(), Some(0x0001_0203));
    }

    #[test]
    fn builders_refuse_what_does_not_fit() {
        assert_eq!(u24be(0x0001_0203).ok(), Some(vec![1, 2, 3]));
        assert_eq!(
            u24be(1 << 24).expect_err("too large").message(),
            "16777216 is outside of 0..=16777215"
        );
        assert!(u24be(-1).is_err());
        assert_eq!(f32be(1.5), [0x3f, 0xc0, 0, 0]);
        assert_eq!(read_f32be(&[0x3f, 0xc0, 0, 0], 0).ok(), Some(1.5));
        assert_eq!(read_f64le(&f64le(-0.1), 0).ok(), Some(-0.1));
    }
}
