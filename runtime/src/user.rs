//! What lives with a user as host functions see it: its account, randomness, cells, extensions and secrets.
//!
//! The driver makes users and switches between them ([`crate::ctx::Ctx::enter_user`]); libraries keep their state here.

use crate::crew::Shared;
use crate::heap::{Account, USER_LIMIT};
use crate::metrics::ContextId;
use crate::object::show;
use crate::source::Source;
use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;

/// The number of users that are nobody's in particular: initialisers, setups, servers.
pub const NOBODY: u64 = u64::MAX;

/// A user.
#[derive(Debug)]
pub struct User {
    /// Its number: the global spawn index.
    pub id: u64,
    /// Iterations so far.
    pub iteration: Cell<u64>,
    /// Its scenario's name, empty in tests and servers.
    pub scenario: Rc<str>,
    /// Where its samples belong, outside of any step.
    pub context: Cell<ContextId>,
    /// What it shares with the scenario's users on other workers.
    pub(crate) shared: Option<Arc<Shared>>,
    /// Its memory.
    pub account: Account,
    /// Its random numbers.
    pub rng: Rng,
    /// Slots of its `init` variables or of the server's state.
    pub cells: Box<[Cell<u64>]>,
    /// State of libraries: cookie jars, connection pools.
    pub extensions: Extensions,
    /// Where its connections come from.
    pub source: Source,
    /// Texts that reports mask.
    pub secrets: RefCell<Vec<Rc<str>>>,
}

impl User {
    /// A user with cells that are all null.
    pub fn new(id: u64, scenario: impl Into<Rc<str>>, seed: u64, cells: usize) -> User {
        User {
            id,
            iteration: Cell::new(0),
            scenario: scenario.into(),
            context: Cell::new(ContextId::NONE),
            shared: None,
            account: Account::new(USER_LIMIT),
            rng: Rng::new(seed),
            cells: (0..cells).map(|_| Cell::new(0)).collect(),
            extensions: Extensions::default(),
            source: Source::default(),
            secrets: RefCell::default(),
        }
    }

    /// Registers a text to mask, also as JSON and URLs write it.
    pub fn add_secret(&self, text: &str) {
        let mut secrets = self.secrets.borrow_mut();
        for form in [
            text.to_owned(),
            escaped(text),
            percent(text, "%20"),
            percent(text, "+"),
        ] {
            if !form.is_empty() && !secrets.iter().any(|known| **known == form) {
                secrets.push(form.into());
            }
        }
    }

    /// Registers what another user masks.
    pub fn share_secrets(&self, other: &User) {
        for secret in other.secrets.borrow().iter() {
            self.add_secret(secret);
        }
    }

    /// Registers an encoding of a text if there is a secret in it.
    pub fn add_encoded_secret(&self, text: &str, encoded: &str) {
        let holds_one = self
            .secrets
            .borrow()
            .iter()
            .any(|secret| text.contains(&**secret));
        if holds_one {
            self.add_secret(encoded);
        }
    }

    /// The text with each secret as `***`.
    pub fn mask(&self, text: &str) -> String {
        let secrets = self.secrets.borrow();
        let mut sorted: Vec<&str> = secrets.iter().map(|secret| &**secret).collect();
        sorted.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        sorted
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// A text as it stands between the quotes of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = show::json_string(text);
    quoted[1..quoted.len() - 1].to_owned()
}

/// A text with everything but unreserved characters (RFC 3986) as `%XX`, and blanks as given.
fn percent(text: &str, blank: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push_str(blank),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// One value for each type, made when it is first asked for and dropped in the reverse order.
#[derive(Debug, Default)]
pub struct Extensions {
    /// There are few, so that looking through them is faster than hashing.
    values: RefCell<Vec<(TypeId, Rc<dyn Any>)>>,
}

impl Extensions {
    /// The value of a type, shared: keep the `Rc` as long as needed, borrow the cell briefly.
    pub fn shared<T: Default + 'static>(&self) -> Rc<RefCell<T>> {
        let wanted = TypeId::of::<T>();
        let values = self.values.borrow();
        let found = values.iter().find(|(known, _)| *known == wanted);
        let Some(value) = found.map(|(_, value)| value.clone()) else {
            drop(values);
            return self.make();
        };
        debug_assert!(value.is::<RefCell<T>>());
        // SAFETY: what stands beside the id of a type was made by `make` for that type.
        unsafe { Rc::from_raw(Rc::into_raw(value).cast()) }
    }

    #[cold]
    fn make<T: Default + 'static>(&self) -> Rc<RefCell<T>> {
        let value = Rc::new(RefCell::new(T::default()));
        let mut values = self.values.borrow_mut();
        // Most users have one or two; a vector that grows by itself would begin with room for four.
        values.reserve_exact(1);
        values.push((TypeId::of::<T>(), value.clone()));
        value
    }

    /// Runs `f` with the value of a type.
    #[inline]
    pub fn with<T: Default + 'static, R>(&self, f: impl FnOnce(RefMut<'_, T>) -> R) -> R {
        f(self.shared::<T>().borrow_mut())
    }

    /// Drops all values, for the end of the user while its context is still there.
    pub fn clear(&self) {
        let mut values = self.values.take();
        while let Some(value) = values.pop() {
            drop(value);
        }
    }
}

/// The seed of a user's random stream: the same whatever else runs (FNV-1a over seed, scenario and number).
pub(crate) fn stream(seed: u64, scenario: &str, id: u64) -> u64 {
    let bytes = seed
        .to_le_bytes()
        .into_iter()
        .chain(scenario.bytes())
        .chain(id.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A small, fast random stream (xoshiro256++, Blackman and Vigna 2019), seeded by splitmix64.
#[derive(Clone, Debug)]
pub struct Rng {
    state: Cell<[u64; 4]>,
}

impl Rng {
    /// A stream of a seed.
    pub fn new(seed: u64) -> Rng {
        let mut at = seed;
        let mut next = || {
            at = at.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = at;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Rng {
            state: Cell::new([next(), next(), next(), next()]),
        }
    }

    /// 64 random bits.
    pub fn next(&self) -> u64 {
        let [a, b, c, d] = self.state.get();
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c2, d2) = (c ^ a, d ^ b);
        self.state
            .set([a ^ d2, b ^ c2, c2 ^ (b << 17), d2.rotate_left(45)]);
        result
    }

    /// Uniform in `0..bound`; 0 if the bound is 0. Without bias (Lemire 2019).
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let wide = u128::from(self.next()) * u128::from(bound);
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Uniform in `0.0..1.0`.
    pub fn unit(&self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_every_form() {
        let user = User::new(0, "", 0, 0);
        user.add_secret("a b\"ü");
        user.add_secret("");
        let text = r#"plain a b"ü, json a b\"ü, url a%20b%22%C3%BC, form a+b%22%C3%BC, other ab"#;
        assert_eq!(
            user.mask(text),
            "plain ***, json ***, url ***, form ***, other ab"
        );
        user.add_encoded_secret("user:a b\"ü", "dXNlcg");
        user.add_encoded_secret("nothing", "bm8");
        assert_eq!(user.mask("dXNlcg bm8"), "*** bm8");
    }
}
