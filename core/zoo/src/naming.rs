//! What other packages call the tensors of a family: rules that rewrite their names into ours.
//!
//! A rule rewrites one run of whole segments of a dotted name, `blocks.{i}.{j}.conv_pw` for example, where a
//! placeholder stands for a whole number, which may be counted on: `features.{i+1}.{j}.block.0.0`. The rules
//! of a naming apply in order, each at most once. A rule may offer several outcomes; then the first name that
//! the network really has is meant, because the place of a layer can depend on whether an optional one
//! precedes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use toml::Table;

/// How another package names the tensors of a variant, and how its implementation differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Naming {
    /// The package: `timm`.
    pub package: String,
    /// What it calls this variant.
    pub model: String,
    /// Arguments with which the variant is that package's network; mostly none.
    pub(crate) args: Table,
    rules: Vec<NameRule>,
}

impl Naming {
    pub(crate) fn new(package: &str, model: &str, args: Table, rules: Vec<NameRule>) -> Self {
        Self { package: package.to_owned(), model: model.to_owned(), args, rules }
    }

    /// Whether its network differs from the variant by arguments.
    #[must_use]
    pub fn differs(&self) -> bool {
        !self.args.is_empty()
    }

    /// For each tensor of ours that the file has, its name there. Of two names for one tensor the first counts.
    fn matches(&self, file: &[&str], ours: &BTreeSet<&str>) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for theirs in file {
            if let Some(our) = self.ours(theirs, |name| ours.contains(name)) {
                found.entry(our).or_insert_with(|| (*theirs).to_owned());
            }
        }
        found
    }

    /// Our name of a tensor that the package calls `theirs`: the first outcome of the rules that `exists`.
    pub fn ours(&self, theirs: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
        let mut names = vec![theirs.split('.').map(str::to_owned).collect::<Vec<_>>()];
        for rule in &self.rules {
            names = names.iter().flat_map(|name| rule.outcomes(name)).take(MAX_OUTCOMES).collect();
        }
        names.into_iter().map(|segments| segments.join(".")).find(|name| exists(name))
    }
}

/// The naming whose names a file of weights has, and for each tensor of ours that the file calls otherwise,
/// what it is called there.
///
/// `None` where no package's names fit more of the network's tensors than our own do.
#[must_use]
pub fn recognise<'a>(
    namings: &'a [Naming],
    file: &[&str],
    ours: &BTreeSet<&str>,
) -> Option<(&'a Naming, BTreeMap<String, String>)> {
    let own = file.iter().filter(|name| ours.contains(*name)).count();
    let matched = namings.iter().map(|naming| (naming, naming.matches(file, ours)));
    let best = matched.max_by_key(|(_, renamed)| renamed.len())?;
    (best.1.len() > own).then_some(best)
}

/// Most names that the rules together may offer for one tensor.
const MAX_OUTCOMES: usize = 64;

/// One rule: what stands in their names, and what may stand in ours.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Row")]
pub(crate) struct NameRule {
    pattern: Pattern,
    outcomes: Vec<Vec<Vec<Piece>>>,
}

/// `["theirs", "ours"]` or `["theirs", ["ours", "or ours"]]`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected [\"their.name\", \"our.name\"]")]
enum Row {
    One(String, String),
    Several(String, Vec<String>),
}

impl TryFrom<Row> for NameRule {
    type Error = BadRule;

    fn try_from(row: Row) -> Result<Self, BadRule> {
        let (theirs, ours) = match row {
            Row::One(theirs, ours) => (theirs, vec![ours]),
            Row::Several(theirs, ours) => (theirs, ours),
        };
        let pattern = Pattern::parse(&theirs)?;
        let outcomes = ours.iter().map(|text| outcome(text, &pattern)).collect::<Result<Vec<_>, _>>()?;
        if outcomes.is_empty() {
            return Err(BadRule(format!("the rule for `{theirs}` names no tensor of ours")));
        }
        Ok(Self { pattern, outcomes })
    }
}

/// What is wrong with a rule.
#[derive(Debug)]
pub(crate) struct BadRule(String);

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl NameRule {
    /// The names that `name` may become; itself where the rule does not apply.
    fn outcomes(&self, name: &[String]) -> Vec<Vec<String>> {
        let Some((at, numbers)) = self.pattern.find(name) else { return vec![name.to_vec()] };
        let (head, rest) = name.split_at(at);
        let tail = rest.get(self.pattern.segments.len()..).unwrap_or_default();
        let rewritten = |outcome: &Vec<Vec<Piece>>| {
            let middle = outcome.iter().map(|segment| write(segment, &numbers));
            head.iter().cloned().chain(middle).chain(tail.iter().cloned()).collect()
        };
        self.outcomes.iter().map(rewritten).collect()
    }
}

/// A run of segments to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// Only at the beginning of a name.
    anchored: bool,
    segments: Vec<Vec<Piece>>,
}

/// A part of a segment: text, or a whole number under a name, of which an outcome may be counted on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number { name: String, factor: i64, offset: i64 },
}

/// The numbers that placeholders stand for.
type Numbers = BTreeMap<String, i64>;

impl Pattern {
    fn parse(text: &str) -> Result<Self, BadRule> {
        let (anchored, rest) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
        let pattern = Self { anchored, segments: segments(rest)? };
        let counted = |piece: &Piece| matches!(piece, Piece::Number { factor, offset, .. } if [*factor, *offset] != [1, 0]);
        if pattern.segments.iter().flatten().any(counted) {
            return Err(BadRule(format!("`{text}` counts on a number that it has yet to find; write {{i}}")));
        }
        Ok(pattern)
    }

    /// The first place where it stands, with the numbers found there.
    fn find(&self, name: &[String]) -> Option<(usize, Numbers)> {
        let places = if self.anchored { 1 } else { name.len() };
        (0..places).find_map(|at| self.matches(name.get(at..at + self.segments.len())?).map(|n| (at, n)))
    }

    fn matches(&self, run: &[String]) -> Option<Numbers> {
        let mut numbers = Numbers::new();
        self.segments
            .iter()
            .zip(run)
            .try_for_each(|(wanted, segment)| read(wanted, segment, &mut numbers))?;
        Some(numbers)
    }
}

/// Finds the pieces of a segment one after another; `None` where they do not make it up.
fn read(pieces: &[Piece], segment: &str, numbers: &mut Numbers) -> Option<()> {
    let mut rest = segment;
    for piece in pieces {
        match piece {
            Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
            Piece::Number { name, .. } => {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let (digits, after) = rest.split_at(end);
                let number = digits.parse().ok().filter(|n: &i64| n.to_string() == digits)?;
                numbers.insert(name.clone(), number);
                rest = after;
            }
        }
    }
    rest.is_empty().then_some(())
}

/// A segment of an outcome.
fn write(pieces: &[Piece], numbers: &Numbers) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Number { name, factor, offset } => {
            let number = numbers.get(name).copied().unwrap_or_default();
            number.saturating_mul(*factor).saturating_add(*offset).to_string()
        }
    };
    pieces.iter().map(text).collect()
}

fn outcome(text: &str, pattern: &Pattern) -> Result<Vec<Vec<Piece>>, BadRule> {
    let outcome = segments(text)?;
    let known: BTreeSet<_> = numbers_of(&pattern.segments).collect();
    let stranger = numbers_of(&outcome).find(|name| !known.contains(name)).map(str::to_owned);
    match stranger {
        Some(name) => Err(BadRule(format!("`{{{name}}}` in `{text}` stands nowhere in their name"))),
        None => Ok(outcome),
    }
}

fn numbers_of(segments: &[Vec<Piece>]) -> impl Iterator<Item = &str> {
    segments.iter().flatten().filter_map(|piece| match piece {
        Piece::Number { name, .. } => Some(name.as_str()),
        Piece::Text(_) => None,
    })
}

fn segments(text: &str) -> Result<Vec<Vec<Piece>>, BadRule> {
    text.split('.').map(|segment| pieces(segment, text)).collect()
}

/// The pieces of one segment of `whole`.
fn pieces(segment: &str, whole: &str) -> Result<Vec<Piece>, BadRule> {
    let mut found = Vec::new();
    let mut rest = segment;
    while let Some((text, after)) = rest.split_once('{') {
        let (term, after) =
            after.split_once('}').ok_or_else(|| BadRule(format!("`{whole}` has a `{{` without its `}}`")))?;
        let number = linear(term).ok_or_else(|| {
            BadRule(format!("`{{{term}}}` in `{whole}` is not understood; write {{i}}, {{i+1}} or {{2i+1}}"))
        })?;
        found.extend((!text.is_empty()).then(|| Piece::Text(text.to_owned())));
        found.push(number);
        rest = after;
    }
    found.extend((!rest.is_empty()).then(|| Piece::Text(rest.to_owned())));
    if found.is_empty() { Err(BadRule(format!("`{whole}` has an empty segment"))) } else { Ok(found) }
}

/// `2i+1`.
fn linear(term: &str) -> Option<Piece> {
    let digits = term.find(|c: char| !c.is_ascii_digit())?;
    let (factor, rest) = term.split_at(digits);
    let factor = if factor.is_empty() { 1 } else { factor.parse().ok()? };
    let end = rest.find(['+', '-']).unwrap_or(rest.len());
    let (name, offset) = rest.split_at(end);
    let offset = if offset.is_empty() { 0 } else { offset.parse().ok()? };
    let word = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    word.then(|| Piece::Number { name: name.to_owned(), factor, offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(rules: &[(&str, &[&str])]) -> Naming {
        let rule = |(theirs, ours): &(&str, &[&str])| {
            let ours = ours.iter().map(|o| (*o).to_owned()).collect();
            NameRule::try_from(Row::Several((*theirs).to_owned(), ours)).unwrap()
        };
        Naming::new("timm", "net", Table::new(), rules.iter().map(rule).collect())
    }

    fn check(rules: &[(&str, &[&str])], theirs: &str, ours: &str) {
        assert_eq!(naming(rules).ours(theirs, |_| true).as_deref(), Some(ours), "{theirs}");
    }

    #[test]
    fn rules_rewrite_whole_segments_in_order() {
        let rules: &[(&str, &[&str])] = &[
            ("blocks.{i}.{j}", &["features.{i+1}.{j}"]),
            ("conv_pw", &["block.0.0"]),
            ("^stem", &["features.0"]),
        ];
        check(rules, "blocks.2.10.conv_pw.weight", "features.3.10.block.0.0.weight");
        check(rules, "stem.weight", "features.0.weight");
        check(rules, "a.stem.weight", "a.stem.weight");
        check(rules, "xblocks.2.1.w", "xblocks.2.1.w");
        check(rules, "blocks.02.1.w", "blocks.02.1.w");
        check(&[("s.{i}", &["f.{2i+1}"])], "s.3.w", "f.7.w");
        check(&[("s.{i}", &["f.{i-1}"])], "s.3.w", "f.2.w");
        check(&[("s{s}.b{b}", &["block{s}.block{s}-{b-1}"])], "s2.b10.w", "block2.block2-9.w");
        check(&[("s{s}.b{b}", &["block{s}"])], "s2x.b10.w", "s2x.b10.w");
        // Each rule applies once.
        check(&[("a", &["b"])], "a.a.w", "b.a.w");
    }

    #[test]
    fn the_first_outcome_that_exists_is_meant() {
        let rules = naming(&[("pwl", &["3.0", "2.0"]), ("bn3", &["3.1", "2.1"])]);
        let small = |name: &str| ["block.2.0", "block.2.1"].contains(&name);
        assert_eq!(rules.ours("block.pwl", small).as_deref(), Some("block.2.0"));
        assert_eq!(rules.ours("block.bn3", small).as_deref(), Some("block.2.1"));
        assert_eq!(rules.ours("block.pwl", |_| true).as_deref(), Some("block.3.0"));
        assert_eq!(rules.ours("other", small), None);
    }

    fn refused(theirs: &str, ours: &str) -> String {
        NameRule::try_from(Row::One(theirs.to_owned(), ours.to_owned())).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(refused("a.{i}", "b.{j}"), "`{j}` in `b.{j}` stands nowhere in their name");
        let unread = "`{I!}` in `a.{I!}` is not understood; write {i}, {i+1} or {2i+1}";
        assert_eq!(refused("a.{I!}", "b"), unread);
        assert_eq!(
            refused("a.{i+1}", "b"),
            "`a.{i+1}` counts on a number that it has yet to find; write {i}"
        );
        assert_eq!(refused("a", "b{i"), "`b{i` has a `{` without its `}`");
        assert_eq!(
            refused("a.{i}", "b.{i*2}"),
            "`{i*2}` in `b.{i*2}` is not understood; write {i}, {i+1} or {2i+1}"
        );
        assert_eq!(refused("a..b", "c"), "`a..b` has an empty segment");
        assert_eq!(refused("a", ""), "`` has an empty segment");
    }
}
