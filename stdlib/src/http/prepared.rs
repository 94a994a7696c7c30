//! Calls that were made before: what a call site asks for is read once, and its request written once, as long as the
//! arguments stay the same. Only the path and query of the URL, headers and body may differ: then the request is written
//! anew, but nothing else is read.
//!
//! Enter at [`prepare`].

use super::job::{Arguments, Job};
use super::name;
use super::request::{Request, Wire, is_idempotent};
use super::response::Known;
use super::session::KeyId;
use super::url::Url;
use scn_runtime::metrics::NameId;
use scn_runtime::{Ctx, Fault, Map};
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

/// What a call asks for, ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The call.
    pub(super) job: Rc<Job>,
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
    /// Whether the request may be repeated.
    pub(super) is_idempotent: bool,
    /// The URL as it was given.
    text: Box<str>,
    /// The end of scheme, host and port in that.
    origin: usize,
    /// Where path and query stand in the request.
    target: Range<usize>,
    /// Whether another path and query may take their place.
    varies: bool,
    /// The registers of the call behind the URL.
    registers: Box<[u64]>,
    /// Those of them whose objects are others each time: of headers, of the body.
    loose: Box<[usize]>,
}

/// The calls of a worker by their sites.
#[derive(Debug, Default)]
struct Sites {
    known: Vec<Option<Rc<Prepared>>>,
}

/// A call that is ready: what its site has prepared, and what is different this time.
pub(super) struct Ready<'a> {
    /// What was prepared.
    pub(super) prepared: Rc<Prepared>,
    /// Path and query, if they differ.
    pub(super) target: Option<&'a str>,
}

/// Reads a call's arguments, unless its site knows them.
pub(super) fn prepare<'a>(
    ctx: &Ctx,
    arguments: &Arguments<'a>,
    site: Option<u32>,
) -> Result<Ready<'a>, Fault> {
    let known = site.and_then(|site| {
        ctx.run_state::<Sites, _>(|sites| {
            let known = sites.known.get(site as usize)?.as_ref();
            known.filter(|known| known.fits(arguments)).cloned()
        })
    });
    if let Some(prepared) = known {
        match prepared.compare(arguments.url) {
            Target::Same => {
                return Ok(Ready {
                    prepared,
                    target: None,
                });
            }
            Target::Other(target) => {
                return Ok(Ready {
                    prepared,
                    target: Some(target),
                });
            }
            Target::Elsewhere => {}
        }
    }
    let prepared = Rc::new(Prepared::new(ctx, arguments, site)?);
    keep(ctx, arguments, &prepared);
    Ok(Ready {
        prepared,
        target: None,
    })
}

/// Keeps what was prepared for the next call of the site, if that can be compared with it.
fn keep(ctx: &Ctx, arguments: &Arguments<'_>, prepared: &Rc<Prepared>) {
    if let Some(site) = prepared.site
        && arguments.loose().is_some()
    {
        ctx.run_state::<Sites, _>(|mut sites| {
            let site = site as usize;
            if sites.known.len() <= site {
                sites.known.resize(site + 1, None);
            }
            sites.known[site] = Some(prepared.clone());
        });
    }
}

/// The request of a call.
pub(super) struct Written {
    /// It, if it is not the prepared one.
    pub(super) wire: Option<Wire>,
    /// Whether its headers or its body are others.
    pub(super) differs: bool,
}

/// What a call is given that is not what was prepared.
struct Given<'a> {
    headers: Option<Pairs<'a>>,
    body: Option<(Vec<u8>, String)>,
}

impl<'a> Given<'a> {
    fn of(
        ctx: &'a Ctx,
        prepared: &Prepared,
        arguments: &Arguments<'a>,
    ) -> Result<Given<'a>, Fault> {
        let mut given = Given {
            headers: None,
            body: None,
        };
        for register in &prepared.loose {
            if !Arguments::is_headers(*register) {
                given.body = arguments.body(ctx)?;
                continue;
            }
            let headers = pairs(ctx, arguments.headers(ctx));
            let same = headers.iter().copied().eq(prepared
                .job
                .headers
                .iter()
                .map(|(name, value)| (&**name, &**value)));
            given.headers = (!same).then_some(headers);
        }
        Ok(given)
    }

    fn differs(&self) -> bool {
        self.headers.is_some() || self.body.is_some()
    }
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
        let text = arguments.url;
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
            registers: arguments.registers().into(),
            loose: arguments.loose().unwrap_or_default().into(),
            wire,
            is_idempotent: is_idempotent(&job.method),
            job: Rc::new(job),
        })
    }

    /// Whether a call's arguments are the same but for the URL and what is loose.
    fn fits(&self, arguments: &Arguments<'_>) -> bool {
        let (ours, theirs) = (&*self.registers, arguments.registers());
        let same = match &*self.loose {
            [] => *ours == *theirs,
            loose => {
                let fits = |at, ours, theirs| ours == theirs || theirs != 0 && loose.contains(&at);
                let mut both = ours.iter().zip(theirs).enumerate();
                ours.len() == theirs.len() && both.all(|(at, (a, b))| fits(at, *a, *b))
            }
        };
        same && *arguments.method == *self.job.method
    }

    /// Path and query of a URL, if they are not the prepared ones. Scheme, host and port are.
    pub(super) fn target_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        match self.compare(url) {
            Target::Other(target) => Some(target),
            Target::Same | Target::Elsewhere => None,
        }
    }

    fn compare<'a>(&self, url: &'a str) -> Target<'a> {
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

    /// The call, with its own path and query, headers and body.
    pub(super) fn job_for(
        &self,
        ctx: &Ctx,
        arguments: &Arguments<'_>,
        differs: bool,
    ) -> Result<Rc<Job>, Fault> {
        if differs {
            return arguments.job(ctx).map(Rc::new);
        }
        let mut job = self.job.clone();
        if let Some(target) = self.target_of(arguments.url) {
            target.clone_into(&mut Rc::make_mut(&mut job).url.target);
        }
        Ok(job)
    }

    /// The URL with another path and query.
    pub(super) fn url_for(&self, target: Option<&str>) -> Url {
        let mut url = self.job.url.clone();
        if let Some(target) = target {
            target.clone_into(&mut url.target);
        }
        url
    }

    /// Writes the request of a call, if it is not the prepared one.
    pub(super) fn write(
        &self,
        ctx: &Ctx,
        arguments: &Arguments<'_>,
        target: Option<&str>,
        cookie: &str,
    ) -> Result<Written, Fault> {
        let given = Given::of(ctx, self, arguments)?;
        if cookie.is_empty() && !given.differs() {
            let wire = target.map(|target| self.wire_for(target));
            let differs = false;
            return Ok(Written { wire, differs });
        }
        let own: Pairs<'_>;
        let headers = match &given.headers {
            Some(headers) => headers,
            None => {
                own = self.job.headers.iter().map(|(n, v)| (&**n, &**v)).collect();
                &own
            }
        };
        let body = given.body.as_ref().or(self.job.body.as_ref());
        let request = Request {
            method: &self.job.method,
            url: &self.job.url,
            headers,
            cookie,
            authorization: &self.job.authorization,
            body: body.map(|(body, media_type)| (&**body, &**media_type)),
            sending: self.job.sending(),
            expect_continue: self.job.expect_continue,
        };
        let target = target.unwrap_or(&self.job.url.target);
        Ok(Written {
            wire: Some(request.write_with(target)?),
            differs: given.differs(),
        })
    }

    /// The request with another path and query.
    fn wire_for(&self, target: &str) -> Wire {
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

/// Names and values of headers.
type Pairs<'a> = SmallVec<[(&'a str, &'a str); 8]>;

fn pairs<'a>(ctx: &'a Ctx, map: Option<Map<'a>>) -> Pairs<'a> {
    let all = map.into_iter().flat_map(|map| map.iter(ctx.descs()));
    all.map(|(name, value)| {
        (
            name.str().unwrap_or_default(),
            value.str().unwrap_or_default(),
        )
    })
    .collect()
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
