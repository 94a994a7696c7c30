//! The table of codes: one row for each, never renumbered, with its explanation page.
//!
//! 00xx syntax, 01xx names, 02xx types, 03xx scenario and load; `W` are lints.

use super::Severity;
use std::fmt;

/// Declares the codes, their titles and their pages.
macro_rules! codes {
    ($($code:ident $title:literal)*) => {
        /// A diagnostic's code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// All codes in order.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The code as printed.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// Its explanation: what it means, a failing and a fixed example, and why the rule is there.
            pub fn page(self) -> &'static str {
                match self {
                    $(Code::$code => include_str!(concat!("../../explain/", stringify!($code), ".md")),)*
                }
            }

            /// What it is about, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }
        }
    };
}

codes! {
    E0001 "something else was expected"
    E0002 "a bracket is never closed"
    E0003 "nested too deeply"
    E0004 "a malformed literal"
    E0005 "a literal or comment that never ends"
    E0006 "an operator used wrongly"
    E0007 "a reserved word used as a name"
    E0008 "the file is not text"
    E0101 "an unknown name"
    E0102 "an unknown type"
    E0103 "a module has no such member"
    E0104 "a value has no such field or method"
    E0105 "a name is declared twice"
    E0106 "a file cannot be loaded"
    E0107 "files import each other in a circle"
    E0108 "a name that is not a value"
    E0109 "used before it is initialised"
    E0110 "a definition that refers to itself"
    E0111 "a variable of `init` used in a function"
    E0112 "something that cannot be called"
    E0113 "an item that cannot be imported"
    E0114 "only library declarations may do this"
    E0115 "an enum has no such case"
    E0201 "types differ"
    E0202 "a literal that needs an expected type"
    E0203 "an operator that does not take these types"
    E0204 "an optional used as a value"
    E0205 "the wrong number of arguments"
    E0206 "a wrong named argument"
    E0207 "a cast that is not possible"
    E0208 "something that cannot be iterated"
    E0209 "a match that misses cases"
    E0210 "a change of something immutable"
    E0211 "a path without return"
    E0212 "a value returned where none is expected"
    E0213 "a jump that leads nowhere"
    E0214 "a key or field given twice"
    E0215 "a record without a required field"
    E0216 "a secret would leak"
    E0217 "a constant that cannot be computed"
    E0218 "a constant is needed"
    E0219 "a malformed constant"
    E0220 "an unknown error kind"
    E0221 "a value is needed"
    E0222 "branches of different types"
    E0223 "a type that cannot be a map key"
    E0224 "an outer variable assigned in a parallel branch"
    E0225 "an initialiser that may wait"
    E0226 "a destructuring that does not fit"
    E0227 "a pattern of another type"
    E0228 "something that cannot be indexed"
    E0229 "a value that cannot be part of a text"
    E0230 "a type with the wrong number of type arguments"
    E0231 "a handle where only values may be"
    E0232 "something that cannot be assigned"
    E0301 "statements beside sections"
    E0302 "a section that is there twice"
    E0303 "a wrong section parameter"
    E0304 "a configuration line that is there twice"
    E0305 "two load models"
    E0306 "load lines that contradict each other"
    E0307 "a wrong number in a load line"
    E0308 "an incomplete load block"
    E0309 "a threshold on an unknown metric"
    E0310 "an aggregate that the metric does not have"
    E0311 "a threshold of the wrong unit"
    E0312 "an unknown tag in a threshold"
    E0313 "a pool range that overlaps another"
    E0314 "a reserved address outside the pool"
    E0315 "pools that wait for each other"
    E0316 "an empty pool"
    E0317 "an unknown word"
    E0318 "a wrong route"
    E0319 "a wrong metric type"
    E0320 "a data set that is no list"
    E0321 "wrong weights"
    E0322 "a wrong server"
    E0401 "a function that components do not have"
    E0402 "more users than one component leads"
    E0403 "a type that cannot leave a component"
    E0404 "a name that an interface cannot have"
    E0405 "what a component cannot be told"
    E0406 "a file that cannot be embedded"
    W0101 "an unused variable"
    W0102 "an unused item"
    W0103 "an unused import"
    W0104 "an unused parameter"
    W0105 "a variable that never changes"
    W0201 "unreachable code"
    W0202 "an unreachable arm"
    W0203 "an unused value"
    W0301 "more connections than local ports"
    W0302 "more users than addresses"
    W0303 "more connections than descriptors"
}

impl Code {
    /// Whether it is an error or a warning: the letter tells.
    pub fn severity(self) -> Severity {
        match self.as_str().as_bytes()[0] {
            b'W' => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// The code that is written like this.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The explanation page of a code such as `E0201`.
pub fn explain(code: &str) -> Option<&'static str> {
    Code::parse(code).map(Code::page)
}
