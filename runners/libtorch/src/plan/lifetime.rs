//! What dies where, and what may be written over.
//!
//! Several values may lie in the same memory, because an operator answered a view. They form a family, and the memory may
//! be written over only where the whole family has its last reader.

use std::collections::{HashMap, HashSet};

use super::Step;
use crate::ops::{Kernel, Sharing, Slot};

/// Takes out steps whose results nothing reads.
pub(super) fn drop_idle(steps: &mut Vec<Step>, kept: &HashSet<Slot>) {
    let mut needed = kept.clone();
    let mut used: Vec<bool> = steps
        .iter()
        .rev()
        .map(|step| {
            let used = step.outputs.iter().flatten().any(|slot| needed.contains(slot));
            if used {
                needed.extend(step.inputs.iter().flatten());
            }
            used
        })
        .collect();
    steps.retain(|_| used.pop().unwrap_or(true));
}

/// Says of every step what dies with it and what it writes over. What is `lasting` does neither.
pub(super) fn settle(steps: &mut [Step], lasting: &HashSet<Slot>) {
    let families = Families::of(steps);
    let mut last_reader: HashMap<Slot, usize> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        for slot in step.outputs.iter().chain(&step.inputs).flatten() {
            last_reader.insert(*slot, at);
        }
    }
    let mut family_end: HashMap<Slot, usize> = HashMap::new();
    for (&slot, &at) in &last_reader {
        let end = family_end.entry(families.root(slot)).or_default();
        *end = (if lasting.contains(&slot) { usize::MAX } else { at }).max(*end);
    }
    for (at, step) in steps.iter_mut().enumerate() {
        step.overwritten = overwritten(
            step,
            |slot| {
                let root = families.root(slot);
                !families.is_fixed(root) && family_end.get(&root) == Some(&at)
            },
            &families,
        );
        let touched: HashSet<Slot> = step.inputs.iter().chain(&step.outputs).flatten().copied().collect();
        step.dying = touched
            .into_iter()
            .filter(|slot| !lasting.contains(slot) && last_reader.get(slot) == Some(&at))
            .collect();
    }
}

/// The first operand that may be written over: its family ends here, and no other operand is of it.
fn overwritten(step: &Step, ends: impl Fn(Slot) -> bool, families: &Families) -> Option<usize> {
    let Kernel::InPlace { candidates, .. } = &step.kernel else { return None };
    let alone = |slot: Slot| {
        let related =
            step.inputs.iter().flatten().filter(|other| families.root(**other) == families.root(slot));
        related.count() == 1
    };
    let slots = step.inputs.iter().take(*candidates).enumerate();
    slots
        .filter_map(|(index, slot)| Some((index, (*slot)?)))
        .find(|&(_, slot)| ends(slot) && alone(slot))
        .map(|(index, _)| index)
}

/// Which values may lie in the same memory.
struct Families {
    parents: HashMap<Slot, Slot>,
    /// Roots of families with memory in which several elements lie in one place.
    fixed: HashSet<Slot>,
}

impl Families {
    fn of(steps: &[Step]) -> Self {
        let mut families = Self { parents: HashMap::new(), fixed: HashSet::new() };
        for step in steps.iter().filter(|step| step.kernel.sharing() != Sharing::Nothing) {
            let mut members = step.inputs.iter().chain(&step.outputs).flatten();
            let Some(&first) = members.next() else { continue };
            for &member in members {
                families.join(first, member);
            }
        }
        let spread = steps.iter().filter(|step| step.kernel.sharing() == Sharing::Elements);
        let fixed: HashSet<Slot> =
            spread.flat_map(|step| step.outputs.iter().flatten()).map(|&slot| families.root(slot)).collect();
        families.fixed = fixed;
        families
    }

    fn join(&mut self, a: Slot, b: Slot) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.parents.insert(b, a);
        }
    }

    fn root(&self, mut slot: Slot) -> Slot {
        while let Some(&parent) = self.parents.get(&slot) {
            slot = parent;
        }
        slot
    }

    fn is_fixed(&self, root: Slot) -> bool {
        self.fixed.contains(&root)
    }
}
