//! Sets of tags, interned by the conductor: samples of all workers meet under the same texts.

use super::hash::FastMap;
use super::names::{Context, OTHER};
use super::{ContextId, NameId, OperationKey};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What stands between the names of steps in steps.
pub(super) const INSIDE: &str = " > ";

/// Names of operations that a report tells apart.
const NAMES: usize = 1000;

/// Number of a set of tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TagsId(pub u32);

/// Tags in the order of their names.
pub(super) type Tags = Vec<(String, String)>;

/// All sets of tags, and what workers call them.
#[derive(Debug, Default)]
pub(super) struct TagSets {
    all: Vec<Tags>,
    known: HashMap<Tags, TagsId>,
    names: HashSet<Arc<str>>,
    views: Vec<View>,
}

/// What a worker's ids stand for.
#[derive(Debug, Default)]
struct View {
    names: Vec<Arc<str>>,
    contexts: Vec<Context>,
    operations: FastMap<OperationKey, TagsId>,
    /// Of contexts.
    sets: FastMap<u32, TagsId>,
}

impl TagSets {
    /// Learns the ids of a worker that are new.
    pub fn learn(&mut self, worker: u32, names: Vec<Box<str>>, contexts: Vec<Context>) {
        let view = self.view(worker);
        view.names.extend(names.into_iter().map(Arc::from));
        view.contexts.extend(contexts);
    }

    fn view(&mut self, worker: u32) -> &mut View {
        let worker = worker as usize;
        if self.views.len() <= worker {
            self.views.resize_with(worker + 1, View::default);
        }
        &mut self.views[worker]
    }

    /// The tags of a set.
    pub fn tags(&self, id: TagsId) -> &Tags {
        &self.all[id.0 as usize]
    }

    /// A tag of a set.
    pub fn tag(&self, id: TagsId, name: &str) -> &str {
        let tags = self.tags(id).iter();
        let mut found = tags.filter(|(known, _)| known == name);
        found.next().map_or("", |(_, value)| value.as_str())
    }

    /// A worker's name.
    pub fn name(&mut self, worker: u32, id: NameId) -> Arc<str> {
        self.view(worker).names[id.0 as usize].clone()
    }

    /// The scenario of a worker's context.
    pub fn scenario(&mut self, worker: u32, context: ContextId) -> String {
        self.view(worker).contexts[context.0 as usize]
            .scenario
            .to_string()
    }

    /// The tags of a worker's context.
    pub fn of_context(&mut self, worker: u32, context: ContextId) -> TagsId {
        if let Some(known) = self.view(worker).sets.get(&context.0) {
            return *known;
        }
        let id = self.with(worker, context, &[]);
        self.view(worker).sets.insert(context.0, id);
        id
    }

    /// The tags of a worker's operations.
    pub fn of_operation(&mut self, worker: u32, key: &OperationKey) -> TagsId {
        if let Some(known) = self.view(worker).operations.get(key) {
            return *known;
        }
        let texts = [key.name, key.method, key.kind].map(|id| self.name(worker, id));
        let name = self.bounded(texts[0].clone());
        let status = match key.status {
            0 => String::new(),
            status => status.to_string(),
        };
        let own = [
            ("kind", &*texts[2]),
            ("method", &*texts[1]),
            ("name", &*name),
            ("status", status.as_str()),
        ];
        let id = self.with(worker, key.context, &own);
        self.view(worker).operations.insert(*key, id);
        id
    }

    /// Each worker tells so many names apart; all of them together do, too.
    fn bounded(&mut self, name: Arc<str>) -> Arc<str> {
        if !self.names.contains(&name) && self.names.len() >= NAMES {
            return OTHER.into();
        }
        self.names.insert(name.clone());
        name
    }

    /// The tags of a worker's context and some more; those without text are left out.
    pub fn with(&mut self, worker: u32, context: ContextId, own: &[(&str, &str)]) -> TagsId {
        let context = &self.view(worker).contexts[context.0 as usize];
        let step = context.steps.join(INSIDE);
        let mut tags = context.tags.clone();
        let own = own.iter().copied();
        let more = own.chain([("scenario", &*context.scenario), ("step", &step)]);
        tags.extend(
            more.filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        self.intern(tags)
    }

    /// The number of a set.
    pub fn intern(&mut self, mut tags: Tags) -> TagsId {
        tags.sort();
        if let Some(known) = self.known.get(&tags) {
            return *known;
        }
        let id = TagsId(self.all.len() as u32);
        self.all.push(tags.clone());
        self.known.insert(tags, id);
        id
    }
}

/// Whether a set of tags has what a filter asks for. A step is asked for by its whole path, or by its own name wherever
/// it is: what happens in steps inside of it happens in it, too, unless the sample is the step's own duration.
pub(super) fn fits(tags: &Tags, filter: &[(String, String)], is_step: bool) -> bool {
    filter.iter().all(|(name, wanted)| {
        let found = tags.iter().find(|(known, _)| known == name);
        found.is_some_and(|(_, value)| match name.as_str() {
            "step" => value == wanted || is_inside(value, wanted, is_step),
            _ => value == wanted,
        })
    })
}

fn is_inside(path: &str, step: &str, innermost: bool) -> bool {
    let mut steps = path.rsplit(INSIDE);
    match innermost {
        true => steps.next() == Some(step),
        false => steps.any(|one| one == step),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(all: &[(&str, &str)]) -> Tags {
        let all = all.iter();
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn filters_are_equalities_and_steps_hold_steps() {
        let of = |filter: &[(&str, &str)], is_step| {
            let have = tags(&[("status", "200"), ("step", "shop > buy")]);
            fits(&have, &tags(filter), is_step)
        };
        assert!(of(&[], false));
        assert!(of(&[("status", "200"), ("step", "buy")], false));
        assert!(!of(&[("status", "20")], false));
        assert!(!of(&[("kind", "timeout")], false));
        assert!(of(&[("step", "shop")], false));
        assert!(!of(&[("step", "shop")], true));
        assert!(of(&[("step", "buy")], true));
        assert!(of(&[("step", "shop > buy")], true));
    }

    #[test]
    fn workers_meet_under_the_same_texts() {
        let mut sets = TagSets::default();
        let context = |scenario: &str, base| Context {
            base: ContextId(base),
            scenario: scenario.into(),
            ..Context::default()
        };
        sets.learn(
            0,
            vec![],
            vec![context("", 0), context("a", 1), context("b", 2)],
        );
        sets.learn(1, vec![], vec![context("", 0), context("b", 1)]);
        let one = sets.of_context(0, ContextId(2));
        assert_eq!(one, sets.of_context(1, ContextId(1)));
        assert_eq!(sets.tag(one, "scenario"), "b");
        assert_eq!(sets.tag(one, "step"), "");
    }
}
