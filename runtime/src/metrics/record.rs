//! How a worker's code records: by the context of the strand that runs.

use super::{ContextId, IterationEnd, Lack, Operation, Recorder};
use crate::ctx::Ctx;
use crate::fault::Fault;
use crate::report::{CheckExample, MetricKind};
use crate::timer::Nanos;
use crate::waker::StrandId;
use scn_compiler::ir::{GlobalKind, Scalar};

impl Ctx {
    /// The worker's recorder.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Where samples of the running strand belong; of the user in charge, if none runs.
    pub fn metric_context(&self) -> ContextId {
        let running = self
            .find_worker()
            .filter(|worker| worker.running() != StrandId::NONE);
        match running {
            Some(worker) => worker.with_running(|strand| strand.context),
            None => self.with_user(|user| user.context.get()),
        }
    }

    /// Records an operation of the running strand that has ended; the next one is intended from now on.
    pub fn record_operation(&self, operation: &Operation<'_>) {
        let running = self
            .find_worker()
            .filter(|worker| worker.running() != StrandId::NONE);
        let context = match running {
            Some(worker) => worker.with_running(|strand| {
                strand.intended = operation.done;
                strand.context
            }),
            None => self.metric_context(),
        };
        self.recorder.operation(context, operation);
    }

    /// Records a check of the running strand.
    pub(crate) fn record_check(&self, site: u32, ok: bool, example: impl FnOnce() -> CheckExample) {
        let (context, now) = (self.metric_context(), self.moment());
        self.recorder.check(context, site, now, ok, example);
    }

    /// Records a sample of a `metric` item: nanoseconds of durations, 0 and 1 of rates.
    pub fn record_sample(&self, global: i64, value: f64) {
        let GlobalKind::Metric { kind, sample } =
            &self.linked().program.globals[global as usize].kind
        else {
            return;
        };
        let kind = MetricKind::of_word(kind);
        let is_whole = !matches!(sample, Scalar::Float | Scalar::Rate);
        let (context, now) = (self.metric_context(), self.moment());
        self.recorder
            .sample(context, global as u32, kind, is_whole, now, value);
    }

    /// Records an error that ended an iteration or another section of users with this context.
    pub(crate) fn record_error(&self, context: ContextId, fault: &Fault) {
        let example = || {
            let mut example = fault.clone();
            self.mask_fault(&mut example);
            example
        };
        let context = fault.data().step.unwrap_or(context);
        self.recorder.error(context, self.moment(), fault, example);
    }

    /// Records an `init` or `exit` that an error ended.
    pub(crate) fn record_failed_section(&self, context: ContextId) {
        self.recorder.failed_section(context);
    }

    /// Records an iteration that has ended.
    pub(crate) fn record_iteration(&self, context: ContextId, nanos: i64, end: IterationEnd) {
        self.recorder.iteration(context, self.moment(), nanos, end);
    }

    /// Records it if an error says that this machine has run out of something. Where it arises, and once: handlers may
    /// catch it.
    pub fn record_lack_of(&self, fault: &Fault) {
        if let Some(lack) = Lack::of_kind(fault.kind()) {
            self.recorder.lack(lack);
        }
    }

    /// About now: it decides only over the second that a sample is counted in.
    fn moment(&self) -> Nanos {
        match self.find_worker() {
            Some(worker) => worker.reactor().recent(),
            None => self.now() as Nanos,
        }
    }
}
