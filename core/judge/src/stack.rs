//! Folders of all layers -> packs in the order of their strength. A pack that must not be used is left out, with the reason.

use convwise_types::{Diagnostic, did_you_mean};

use crate::folder::RuleFolder;
use crate::manifest::{Manifest, PACK_FILE, Version};

/// A folder at its place.
#[derive(Clone, Debug)]
pub(crate) struct Placed<'a> {
    pub folder: &'a RuleFolder,
    /// 0 is the weakest; a rule replaces those of the same id that are weaker. Packs that do not build on each other
    /// may be equally strong.
    pub strength: usize,
    /// Why its rules may not be used, if so.
    pub refusal: Option<Diagnostic>,
}

/// Every folder of the layers (the weakest first) and every pack in them, the weakest first.
pub(crate) fn stack(layers: &[RuleFolder]) -> Vec<Placed<'_>> {
    let mut placed: Vec<Placed<'_>> = Vec::new();
    for layer in layers {
        let (rounds, circle) = rounds(&layer.packs);
        let rounds =
            rounds.into_iter().chain([circle.clone(), vec![layer]]).filter(|round| !round.is_empty());
        for round in rounds {
            let strength = placed.last().map_or(0, |last| last.strength + 1);
            let ready =
                |folder| Placed { folder, strength, refusal: refusal(folder, &placed, layer, &circle) };
            let ready: Vec<_> = round.into_iter().map(ready).collect();
            placed.extend(ready);
        }
    }
    placed
}

/// Packs of one layer by how many build on one another below them, and those that no order satisfies.
fn rounds(packs: &[RuleFolder]) -> (Vec<Vec<&RuleFolder>>, Vec<&RuleFolder>) {
    let (mut rounds, mut open): (Vec<Vec<&RuleFolder>>, Vec<&RuleFolder>) =
        (Vec::new(), packs.iter().collect());
    while !open.is_empty() {
        let waits = |pack: &&RuleFolder| open.iter().any(|other| builds_on(pack, other));
        let (waiting, ready): (Vec<_>, Vec<_>) = open.iter().copied().partition(waits);
        if ready.is_empty() {
            break;
        }
        rounds.push(ready);
        open = waiting;
    }
    (rounds, open)
}

fn builds_on(pack: &RuleFolder, other: &RuleFolder) -> bool {
    let name = other.manifest.as_ref().map(|m| m.name.as_str());
    name.is_some_and(|name| pack.manifest.as_ref().is_some_and(|m| m.extends.contains_key(name)))
}

/// Why a pack must not be used, if so: what was found when it was read, or what it builds on.
fn refusal(
    folder: &RuleFolder,
    below: &[Placed<'_>],
    layer: &RuleFolder,
    circle: &[&RuleFolder],
) -> Option<Diagnostic> {
    if folder.refusal.is_some() {
        return folder.refusal.clone();
    }
    let manifest = folder.manifest.as_ref()?;
    if manifest.extends.contains_key(&manifest.name) {
        return Some(in_circle(folder, manifest, &[folder]));
    }
    if circle.iter().any(|one| std::ptr::eq(*one, folder)) {
        return Some(in_circle(folder, manifest, circle));
    }
    let usable = below.iter().filter(|p| p.refusal.is_none());
    let usable: Vec<&Manifest> = usable.filter_map(|p| p.folder.manifest.as_ref()).collect();
    manifest.extends.iter().find_map(|(name, least)| match usable.iter().rev().find(|m| m.name == *name) {
        Some(there) if there.version.reaches(least) => None,
        Some(there) => Some(too_old(folder, manifest, there, least)),
        None => Some(absent(folder, manifest, name, layer, &usable)),
    })
}

fn in_circle(folder: &RuleFolder, manifest: &Manifest, circle: &[&RuleFolder]) -> Diagnostic {
    let names = circle.iter().filter_map(|one| Some(format!("`{}`", one.manifest.as_ref()?.name)));
    let names = names.collect::<Vec<_>>().join(", ");
    let message = format!("packs build on each other in a circle, or on packs that do: {names}");
    let problem = manifest.at(&folder.shown(PACK_FILE), "pack-circle", "extends", message);
    problem.with_help("take one of them out of `extends`")
}

fn too_old(folder: &RuleFolder, manifest: &Manifest, there: &Manifest, least: &Version) -> Diagnostic {
    let (name, other) = (&manifest.name, &there.name);
    let message = format!("`{name}` needs `{other}` {least} or later; here is {}", there.version);
    let help = format!("update `{other}`, or take an older version of `{name}`");
    manifest.at(&folder.shown(PACK_FILE), "old-pack", other, message).with_help(help)
}

fn absent(
    folder: &RuleFolder,
    manifest: &Manifest,
    name: &str,
    layer: &RuleFolder,
    below: &[&Manifest],
) -> Diagnostic {
    let above = layer.manifest.as_ref().is_some_and(|m| m.name == name);
    let near = did_you_mean(name, below.iter().map(|m| m.name.as_str()));
    let message = if above {
        format!("`{}` builds on `{name}`, in whose folder it lies: that one is stronger", manifest.name)
    } else {
        format!(
            "`{}` builds on `{name}`, and no weaker pack that can be used is called so{near}",
            manifest.name
        )
    };
    let help = format!("put `{name}` into a weaker layer or beside this one, or take it out of `extends`");
    manifest.at(&folder.shown(PACK_FILE), "no-pack", name, message).with_help(help)
}
