//! A translated expression in a scene -> its value. Reads are noted as the engine's getters note them.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString};

use super::operators::apply;
use super::{Comparison, Halt, Node, Path, Root, Value};
use crate::evaluate::Scene;
use crate::fields::Cell;
use crate::row::{Row, View, Words};
use crate::trace;
use crate::vocabulary::{self, MissingFact};

type Result<T> = std::result::Result<T, Halt>;

impl Node {
    /// The value of the expression.
    pub fn evaluate(&self, scene: &Scene) -> Result<Value> {
        match self {
            Self::Constant(value) => Ok(value.clone()),
            Self::Captured(_) | Self::AmongCaptured(..) => Err(Halt::Unusual),
            Self::Field(path) => path.read(scene, |value| Value::of(value).ok_or(Halt::Unusual)),
            Self::Has(root, path) => has(*root, path, scene),
            Self::Not(of) => of.flag(scene).map(|flag| Value::Flag(!flag)),
            Self::Minus(of) => negated(of.evaluate(scene)?),
            Self::And(all) => every(all, scene, true),
            Self::Or(all) => every(all, scene, false),
            Self::Binary(operator, pair) => {
                let [a, b] = pair.as_ref();
                apply(*operator, &a.evaluate(scene)?, &b.evaluate(scene)?).ok_or(Halt::Unusual)
            }
            Self::Among(word, list) => word.text(scene).map(|word| Value::Flag(list.contains(&word))),
            Self::InSet(set, word) => set.holds(word, scene),
            Self::If(parts) => {
                let [condition, yes, no] = parts.as_ref();
                if condition.flag(scene)? { yes.evaluate(scene) } else { no.evaluate(scene) }
            }
            Self::Interval(comparison, group, limit) => group.compare(*comparison, limit, scene),
            Self::Clamp(parts) => clamped(parts, scene),
        }
    }

    fn flag(&self, scene: &Scene) -> Result<bool> {
        match self.evaluate(scene)? {
            Value::Flag(flag) => Ok(flag),
            _ => Err(Halt::Unusual),
        }
    }

    fn text(&self, scene: &Scene) -> Result<ImmutableString> {
        match self.evaluate(scene)? {
            Value::Text(text) => Ok(text),
            _ => Err(Halt::Unusual),
        }
    }
}

/// `&&` if all must be true, else `||`: the first that differs decides.
fn every(all: &[Node], scene: &Scene, wanted: bool) -> Result<Value> {
    for node in all {
        if node.flag(scene)? != wanted {
            return Ok(Value::Flag(!wanted));
        }
    }
    Ok(Value::Flag(wanted))
}

fn negated(value: Value) -> Result<Value> {
    match value {
        Value::Whole(whole) => whole.checked_neg().map(Value::Whole).ok_or(Halt::Unusual),
        Value::Real(real) => Ok(Value::Real(-real)),
        Value::Flag(_) | Value::Text(_) => Err(Halt::Unusual),
    }
}

fn clamped(parts: &[Node; 3], scene: &Scene) -> Result<Value> {
    let [x, low, high] = parts;
    match (x.evaluate(scene)?, low.evaluate(scene)?, high.evaluate(scene)?) {
        (Value::Real(x), Value::Real(low), Value::Real(high)) => Ok(Value::Real(x.min(high).max(low))),
        (Value::Whole(x), Value::Whole(low), Value::Whole(high)) => Ok(Value::Whole(x.min(high).max(low))),
        _ => Err(Halt::Unusual),
    }
}

fn has(root: Root, path: &str, scene: &Scene) -> Result<Value> {
    let view = scene.root(root).ok_or(Halt::Unusual)?.read_lock::<View>().ok_or(Halt::Unusual)?;
    vocabulary::has(&view.0, path).map(Value::Flag).map_err(|_| Halt::Unusual)
}

impl Scene {
    fn root(&self, root: Root) -> Option<&Dynamic> {
        match root {
            Root::Net => self.net.as_ref(),
            Root::Need => Some(&self.need),
        }
    }
}

impl Path {
    /// Reads what stands at the end of the path.
    fn read<T>(&self, scene: &Scene, take: impl FnOnce(&Dynamic) -> Result<T>) -> Result<T> {
        let root = scene.root(self.root).ok_or(Halt::Unusual)?.read_lock::<View>().ok_or(Halt::Unusual)?;
        walk(&root.0, &self.steps, take)
    }

    fn holds(&self, word: &Node, scene: &Scene) -> Result<Value> {
        let words =
            self.read(scene, |set| set.read_lock::<Words>().map(|w| w.clone()).ok_or(Halt::Unusual))?;
        word.text(scene).map(|word| Value::Flag(words.contains(&word)))
    }

    fn compare(&self, comparison: Comparison, limit: &Node, scene: &Scene) -> Result<Value> {
        let group = self
            .read(scene, |group| group.read_lock::<View>().map(|v| Arc::clone(&v.0)).ok_or(Halt::Unusual))?;
        let limit = match limit.evaluate(scene)? {
            Value::Real(limit) => limit,
            Value::Whole(limit) => vocabulary::real(limit),
            Value::Flag(_) | Value::Text(_) => return Err(Halt::Unusual),
        };
        let answer = match comparison {
            Comparison::Within => vocabulary::within(&group, limit),
            Comparison::AtLeast => vocabulary::at_least(&group, limit),
        };
        answer.map(Value::Flag).map_err(|e| MissingFact::behind(&e).map_or(Halt::Unusual, Halt::Missing))
    }
}

fn walk<T>(row: &Row, steps: &[usize], take: impl FnOnce(&Dynamic) -> Result<T>) -> Result<T> {
    let Some((step, rest)) = steps.split_first() else { return Err(Halt::Unusual) };
    let cell = row.cells.get(*step).ok_or(Halt::Unusual)?;
    trace::read(row.table, *step, cell);
    match cell {
        Cell::Unknown(missing) => Err(Halt::Missing(Arc::clone(missing))),
        Cell::Known(value, _) if rest.is_empty() => take(value),
        Cell::Known(value, _) => walk(&value.read_lock::<View>().ok_or(Halt::Unusual)?.0, rest, take),
    }
}
