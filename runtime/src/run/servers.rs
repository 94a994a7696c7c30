//! Servers of a run or test: started before everything else, cancelled after it.

use super::Run;
use crate::event::{Event, SectionKind};
use crate::life::{self, LifeId};
use crate::user::NOBODY;
use scn_compiler::ir::{Global, GlobalKind, Server};
use std::io;
use std::sync::Arc;

impl Run<'_> {
    /// Runs `f` between the start and the end of all servers; not at all if one of them cannot start.
    pub(super) fn with_servers(&self, f: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut started = Vec::new();
        let well = self.start_servers(&mut started)?;
        if well {
            f()?;
        }
        started.iter().rev().try_for_each(|(index, life)| {
            self.ctx.worker().set_endpoint(*index, None);
            self.close(*life)
        })
    }

    fn start_servers(&self, started: &mut Vec<(i64, LifeId)>) -> io::Result<bool> {
        for (index, global) in (0i64..).zip(&self.linked.program.globals) {
            if let GlobalKind::Server(server) = &global.kind {
                let life = self.open(NOBODY, &global.name, &server.cells);
                self.ctx.worker().lives.borrow_mut()[life as usize].sheltered = true;
                started.push((index, life));
                if !self.start_server(index, global, server, life)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn start_server(
        &self,
        index: i64,
        global: &Global,
        server: &Server,
        life: LifeId,
    ) -> io::Result<bool> {
        let name: Arc<str> = global.name.as_str().into();
        let kind = SectionKind::Server;
        if let Some(state) = server.state
            && self.section(life, kind, &name, state, &[])?.is_none()
        {
            return Ok(false);
        }
        let Some([listener, _]) = self.section(life, kind, &name, server.start, &[])? else {
            return Ok(false);
        };
        if let Some(endpoint) = self.ctx.worker().endpoint(index) {
            let (name, protocol) = (global.name.clone(), server.protocol.clone());
            self.ctx.emit(Event::ServerStart {
                name,
                protocol,
                address: endpoint.address,
            });
        }
        life::start(self.ctx, life, kind, &name, server.main, &[listener]);
        Ok(true)
    }
}
