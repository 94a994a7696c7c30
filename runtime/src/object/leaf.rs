//! Objects without parts: addresses, regexes, errors, boxed Rust values.

use super::{Own, layout};
use crate::fault::Fault;
use crate::heap::Heap;
use crate::value::{Header, Obj};
use scn_compiler::ir::{DescId, desc};
use std::net::{IpAddr, SocketAddr};

/// A Rust type behind an extern type of the declarations. Its `Drop` runs when the last reference goes;
/// it may reach the worker by [`crate::ctx::Ctx::current`].
pub trait Extern: 'static {
    /// The declared name: `TcpConn`.
    const NAME: &'static str;
}

impl Heap {
    /// A new object with a body behind its header.
    fn leaf<T>(&self, desc: DescId, body: impl FnOnce(Header) -> T) -> Own {
        let obj = self.object(size_of::<T>(), desc.0);
        // SAFETY: the memory has room for `T`, is aligned to 16, and only its header is initialised.
        unsafe {
            let header = obj.0.as_ptr().read();
            obj.0.cast::<T>().write(body(header));
            Own::from_obj(obj)
        }
    }

    /// A new address without port.
    pub fn ip(&self, ip: IpAddr) -> Own {
        self.leaf(desc::IP, |header| layout::Ip { header, ip })
    }

    /// A new address with port.
    pub fn addr(&self, addr: SocketAddr) -> Own {
        self.leaf(desc::ADDR, |header| layout::Addr { header, addr })
    }

    /// A new regex.
    pub fn regex(&self, regex: regex::Regex) -> Own {
        self.leaf(desc::REGEX, |header| layout::Regex { header, regex })
    }

    /// A new error.
    pub fn error(&self, fault: Fault) -> Own {
        self.leaf(desc::ERROR, |header| layout::Error { header, fault })
    }

    /// A new handle or library value.
    ///
    /// # Panics
    /// If the program was linked without a host function that has the type in its signature.
    pub fn external<T: Extern>(&self, value: T) -> Own {
        let desc = self.extern_desc(T::NAME);
        self.leaf(DescId(desc), |header| layout::Extern {
            header,
            value: Box::new(value),
        })
    }

    /// The descriptor of an extern type: looked up by name once, then by where its name lies.
    fn extern_desc(&self, name: &'static str) -> u32 {
        let mut known = self.externs.borrow_mut();
        if let Some((_, desc)) = known.iter().find(|(known, _)| std::ptr::eq(*known, name)) {
            return *desc;
        }
        let desc = self.descs().extern_type(name);
        let desc = desc.expect("linking gives each extern type of a host function a descriptor");
        known.push((name, desc));
        desc
    }

    /// The fault of an error object, to change it.
    ///
    /// # Safety
    /// It is an error object that nobody looks into at the moment.
    pub(crate) unsafe fn fault_mut<'a>(&self, error: Obj) -> &'a mut Fault {
        // SAFETY: upheld by the caller.
        unsafe { &mut error.body_mut::<layout::Error>().fault }
    }
}
