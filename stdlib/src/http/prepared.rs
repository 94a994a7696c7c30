//! Calls that were made before: what a call site asks for is read once, and its request written once, as long as the
//! arguments stay the same. Only the path and query of the URL may differ.
//!
//! Enter at [`prepare`].

use super::job::{Arguments, Job};
use super::name;
use super::request::Wire;
use super::response::Known;
use super::session::KeyId;
use scn_runtime::metrics::NameId;
use scn_runtime::{Ctx, Fault};
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

/// What a call asks for, ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The call.
    pub(super) job: Job,
    /// The connections that fit.
    pub(super) key: KeyId,
    /// The request, without cookies.
    pub(super) wire: Wire,
    /// The URL in full.
    pub(super) shown: Rc<str>,
    /// The reporting site.
    pub(super) site: Option<u32>,
    /// The name in reports, if it was given or the site has a template.
    pub(super) name: Option<Rc<str>>,
    /// Name and method as the recorder knows them, once it was asked.
    pub(super) ids: Cell<Option<(NameId, NameId)>>,
    /// The head of the last response.
    pub(super) known: RefCell<Option<Known>>,
    /// Whether the method is HEAD.
    pub(super) head_only: bool,
    /// The URL as it was given.
    text: Box<str>,
    /// The end of scheme, host and port in that.
    origin: usize,
    /// Where path and query stand in the request.
    target: Range<usize>,
    /// Whether another path and query may take their place.
    varies: bool,
    /// The registers of the call. That of the URL is 0 if it may mean something else the next time.
    registers: Box<[u64]>,
}

/// The calls of a worker by their sites.
#[derive(Debug, Default)]
struct Sites {
    known: Vec<Option<Rc<Prepared>>>,
}

/// A call that is ready: what its site has prepared, and what is different this time.
pub(super) struct Ready {
    /// What was prepared.
    pub(super) prepared: Rc<Prepared>,
    /// Path and query, if they differ.
    pub(super) target: Option<Box<str>>,
}

/// Reads a call's arguments, unless its site knows them.
pub(super) fn prepare(
    ctx: &Ctx,
    arguments: &Arguments<'_>,
    site: Option<u32>,
) -> Result<Ready, Fault> {
    let known = site.and_then(|site| {
        ctx.run_state::<Sites, _>(|sites| sites.known.get(site as usize)?.clone())
    });
    if let Some(prepared) = known.filter(|known| known.fits(arguments)) {
        if prepared.is_same_url(arguments) {
            return Ok(Ready {
                prepared,
                target: None,
            });
        }
        match prepared.target_of(arguments.url(ctx)) {
            Target::Same => {
                return Ok(Ready {
                    prepared,
                    target: None,
                });
            }
            Target::Other(target) => {
                let target = Some(target.into());
                return Ok(Ready { prepared, target });
            }
            Target::Elsewhere => {}
        }
    }
    let prepared = Rc::new(Prepared::new(ctx, arguments, site)?);
    if let Some(site) = site
        && arguments.is_lasting()
    {
        ctx.run_state::<Sites, _>(|mut sites| {
            let site = site as usize;
            if sites.known.len() <= site {
                sites.known.resize(site + 1, None);
            }
            sites.known[site] = Some(prepared.clone());
        });
    }
    Ok(Ready {
        prepared,
        target: None,
    })
}

/// How a URL differs from the prepared one.
enum Target<'a> {
    /// Not at all.
    Same,
    /// In path and query.
    Other(&'a str),
    /// In more than that, or it needs a closer look.
    Elsewhere,
}

impl Prepared {
    fn new(ctx: &Ctx, arguments: &Arguments<'_>, site: Option<u32>) -> Result<Prepared, Fault> {
        let text = arguments.url(ctx);
        let job = arguments.job(ctx)?;
        let wire = job.request("").write()?;
        let from = job.method.len() + 1;
        let origin = text.find("://").map_or(0, |at| at + 3).min(text.len());
        let origin = text[origin..]
            .find(['/', '?', '#'])
            .map_or(text.len(), |at| origin + at);
        let template = site
            .and_then(|site| ctx.linked().program.sites.get(site as usize))
            .map(|site| site.label.as_str());
        let mut registers: Box<[u64]> = arguments.registers().into();
        if !arguments.has_lasting_url() {
            registers[arguments.url_register()] = 0;
        }
        let named = job.name.clone();
        let named = named.or_else(|| name::from_template(&job.method, template?));
        Ok(Prepared {
            key: job.dial.key(ctx, &job.url),
            target: from..from + job.url.target.len(),
            shown: job.url.to_string().into(),
            site,
            name: named.map(Rc::from),
            ids: Cell::new(None),
            known: RefCell::default(),
            head_only: job.method == "HEAD",
            origin,
            varies: !arguments.has_query() && !text.starts_with(char::is_whitespace),
            text: text.into(),
            registers,
            wire,
            job,
        })
    }

    /// Whether a call's arguments are the same but for the URL.
    fn fits(&self, arguments: &Arguments<'_>) -> bool {
        let (ours, theirs) = (&*self.registers, arguments.registers());
        let url = arguments.url_register();
        ours.len() == theirs.len()
            && ours[..url] == theirs[..url]
            && ours[url + 1..] == theirs[url + 1..]
    }

    /// Whether the URL is the very object that it was before, which is never freed.
    fn is_same_url(&self, arguments: &Arguments<'_>) -> bool {
        let at = arguments.url_register();
        self.registers[at] == arguments.registers()[at]
    }

    fn target_of<'a>(&self, url: &'a str) -> Target<'a> {
        if *url == *self.text {
            return Target::Same;
        }
        let (ours, theirs) = (self.text.as_bytes(), url.as_bytes());
        let same_origin = self.varies && theirs.starts_with(&ours[..self.origin]);
        match theirs.get(self.origin) {
            Some(b'/') if same_origin && is_plain(&theirs[self.origin..]) => {
                Target::Other(&url[self.origin..])
            }
            _ => Target::Elsewhere,
        }
    }

    /// The call with another path and query.
    pub(super) fn job_for(&self, target: Option<&str>) -> Job {
        let mut job = self.job.clone();
        if let Some(target) = target {
            target.clone_into(&mut job.url.target);
        }
        job
    }

    /// The request with another path and query.
    pub(super) fn wire_for(&self, target: &str) -> Wire {
        let old = &self.wire.bytes;
        let mut bytes = Vec::with_capacity(old.len() - self.target.len() + target.len());
        bytes.extend_from_slice(&old[..self.target.start]);
        bytes.extend_from_slice(target.as_bytes());
        bytes.extend_from_slice(&old[self.target.end..]);
        Wire {
            head_len: self.wire.head_len - self.target.len() + target.len(),
            last: self.wire.last,
            bytes,
        }
    }

    /// The URL in full, with another path and query.
    pub(super) fn shown_for(&self, target: Option<&str>) -> Rc<str> {
        match target {
            None => self.shown.clone(),
            Some(target) => {
                let origin = self.shown.len() - self.job.url.target.len();
                [&self.shown[..origin], target].concat().into()
            }
        }
    }
}

/// Whether path and query go into a request as they are.
fn is_plain(target: &[u8]) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut at = 0x21;
        while at < 0x7f {
            plain[at] = true;
            at += 1;
        }
        let mut other = 0;
        let encoded = b"\"<>\\^`{|}#";
        while other < encoded.len() {
            plain[encoded[other] as usize] = false;
            other += 1;
        }
        plain
    };
    target.iter().all(|byte| PLAIN[*byte as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::url::Url;

    #[test]
    fn what_is_plain_is_what_a_url_leaves_alone() {
        for byte in 0..=255u8 {
            let text = format!("/a{}", char::from(byte));
            let parsed = Url::parse(&format!("http://a{text}")).map(|url| url.target);
            let same = parsed.is_ok_and(|target| target == text);
            // Blanks at the end are trimmed, so they are never plain either.
            assert_eq!(is_plain(text.as_bytes()), same, "{byte}");
        }
    }
}
