//! What the host keeps for each instance: its contexts, its resources, its limits.

use crate::clock::Turn;
use crate::gate::Gate;
use crate::limits::Limits;
use crate::names::Lookup;
use crate::output::Lines;
use crate::requests::Requests;
use crate::settings::Settings;
use crate::stop::Requested;
use crate::tls::Provider;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::sockets::WasiSocketsCtxView;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
use wasmtime_wasi_tls::{WasiTlsCtx, WasiTlsCtxBuilder, WasiTlsCtxView, WasiTlsView};

/// The data of a store.
pub(crate) struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    requests: Requests,
    tls: WasiTlsCtx,
    gate: Arc<Gate>,
    asked: HashMap<u32, String>,
    /// Its memory.
    pub(crate) limits: Limits,
    /// How long it has run since it last gave way.
    pub(crate) turn: Turn,
}

impl State {
    /// The state of one instance.
    pub(crate) fn new(
        settings: &Settings,
        instance: u32,
        gate: &Arc<Gate>,
        tls: &TlsConnector,
        streams: [Lines; 2],
    ) -> State {
        let provider = Box::new(Provider(tls.clone()));
        State {
            table: ResourceTable::new(),
            wasi: wasi(settings, instance, gate, streams),
            http: WasiHttpCtx::new(),
            requests: Requests {
                gate: gate.clone(),
                tls: tls.clone(),
            },
            tls: WasiTlsCtxBuilder::new().provider(provider).build(),
            gate: gate.clone(),
            asked: HashMap::new(),
            limits: Limits::new(settings.memory),
            turn: Turn::new(),
        }
    }

    /// The view for looking up names.
    pub(crate) fn lookup(&mut self) -> Lookup<'_> {
        Lookup {
            sockets: WasiSocketsCtxView {
                ctx: self.wasi.sockets(),
                table: &mut self.table,
            },
            gate: &self.gate,
            asked: &mut self.asked,
        }
    }
}

fn wasi(settings: &Settings, instance: u32, gate: &Arc<Gate>, [out, err]: [Lines; 2]) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.stdout(out)
        .stderr(err)
        .args(&settings.arguments)
        .envs(&settings.environment)
        .allow_tcp(true)
        .allow_udp(true)
        // Which names, is decided before wasmtime is asked.
        .allow_ip_name_lookup(true);
    if settings.listens {
        wasi.stdin(Requested::of(&settings.stop));
    }
    if settings.instances > 1 {
        wasi.arg("--share");
        wasi.arg(format!("{instance}/{}", settings.instances));
    }
    let gate = gate.clone();
    wasi.socket_addr_check(move |address, what| {
        let allowed = gate.check(address, what);
        Box::pin(async move { allowed })
    });
    wasi.build()
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.requests,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

impl WasiTlsView for State {
    fn tls(&mut self) -> WasiTlsCtxView<'_> {
        WasiTlsCtxView {
            table: &mut self.table,
            ctx: &mut self.tls,
        }
    }
}
