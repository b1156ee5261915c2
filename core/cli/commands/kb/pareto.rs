//! `convwise kb pareto`: the rows that no other beats in two figures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use convwise_advisor::front::{Member, front};
use serde_json::{Map, Value, json};

use super::points::{Drawn, Plane, Points, Spot, drawn_field, grade_of, interval_of, name_of};
use super::rows::rows_of;
use crate::args::asking::{ParetoArgs, Table};
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::render::axis::Axis;
use crate::render::chart::{self, Picture, Rank, Side, drawn, mark};
use crate::render::rows::{First, number, plain, value_at};
use crate::render::svg;
use crate::render::table::{figures, table, text};
use crate::screen::{NAME, draws_unicode, styled, width};
use crate::tables::{FieldLine, Fields};

/// What was found, ready to be written in any form.
struct Found<'a> {
    table: Table,
    x: Drawn<'a>,
    y: Drawn<'a>,
    points: Points,
    members: Vec<Member>,
    setting: Option<String>,
    /// Rows for which the expression could not be decided.
    undecided: usize,
}

pub(super) fn run(context: &Context, args: &ParetoArgs) -> Result<(), CliError> {
    let fields = Fields::of(args.from);
    let x = drawn_field(&fields, &args.x, args.x_better, "--x-better").map_err(CliError::invalid)?;
    let y = drawn_field(&fields, &args.y, args.y_better, "--y-better").map_err(CliError::invalid)?;
    let found = rows_of(context, args.from, &args.expression, &args.setting, First::default())?;
    let (shipped, expression) = (context.shipped(), args.expression.as_str());
    let plane = Plane { table: args.from, x: x.field, y: y.field, expression, shipped };
    let points = plane.points(found.rows).map_err(CliError::invalid)?;
    let plain: Vec<_> = points.spots.iter().map(|spot| spot.point).collect();
    let members = front(&plain, x.aim, y.aim);
    let in_setting = |f: &FieldLine| f.path.starts_with("latency.") || f.path.starts_with("throughput.");
    let setting = found.setting.filter(|_| in_setting(x.field) || in_setting(y.field));
    let found = Found { table: args.from, x, y, points, members, setting, undecided: found.unknown };
    if let Some(file) = &args.svg {
        write(file, &svg::document(&found.picture()))?;
    }
    if args.output.json {
        return context.screen.json(&found.document());
    }
    context.screen.result(&found.shown())
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(file, text).map_err(|e| CliError::failed(format!("cannot write {}: {e}", file.display())))
}

/// Some names, and how many more there are.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 2;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl Found<'_> {
    fn spot(&self, at: usize) -> Option<&Spot> {
        self.points.spots.get(at)
    }

    /// Positions of the points that are beaten, by whether they tie with one of the front.
    fn beaten(&self) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let front: BTreeSet<_> = self.members.iter().map(|m| m.at).collect();
        let near: BTreeSet<_> = self.members.iter().flat_map(|m| m.ties.iter().copied()).collect();
        (0..self.points.spots.len()).filter(|at| !front.contains(at)).partition(|at| near.contains(at))
    }

    fn picture(&self) -> Picture {
        let spots = &self.points.spots;
        let side = |drawn: &Drawn<'_>, values: Vec<f64>| Side {
            title: drawn.title(),
            axis: Axis::over(values.into_iter()),
            aim: drawn.aim,
        };
        let (tied, beaten) = self.beaten();
        let front = self.members.iter().enumerate().map(|(i, m)| (m.at, Rank::Front(i + 1)));
        let others = tied
            .into_iter()
            .map(|at| (at, Rank::Tied))
            .chain(beaten.into_iter().map(|at| (at, Rank::Beaten)));
        let drawn = front.chain(others).filter_map(|(at, rank)| Some(self.drawn(self.spot(at)?, rank)));
        Picture {
            title: self.title(),
            notes: self.shared(),
            x: side(&self.x, spots.iter().map(|s| s.point.x.value).collect()),
            y: side(&self.y, spots.iter().map(|s| s.point.y.value).collect()),
            spots: drawn.collect(),
        }
    }

    fn drawn(&self, spot: &Spot, rank: Rank) -> chart::Spot {
        chart::Spot {
            name: name_of(&spot.row),
            x: spot.point.x.value,
            y: spot.point.y.value,
            x_interval: interval_of(&spot.row, &self.x.field.path).map(|i| [i.low, i.high]),
            rank,
        }
    }

    fn title(&self) -> String {
        let rows = count_of(self.points.spots.len(), "row");
        let table = self.table.name();
        format!(
            "{} and {}: {} of {rows} of {table} on the front",
            self.x.field.name,
            self.y.field.name,
            self.members.len()
        )
    }

    fn shown(&self) -> String {
        let mut out = format!("{}\n", self.title());
        out.extend(self.remarks().into_iter().map(|remark| format!("{remark}\n")));
        if self.members.is_empty() {
            return out;
        }
        out.push('\n');
        out.push_str(&drawn(&self.picture(), width(), draws_unicode()));
        out.push('\n');
        out.push_str(&self.table());
        out
    }

    /// What holds for all points.
    fn shared(&self) -> Vec<String> {
        let mut out: Vec<_> = self.setting.iter().map(|s| format!("latency on {s}")).collect();
        let shared = self.points.shared.iter().filter(|(path, _)| !path.starts_with("latency."));
        let shared: Vec<_> = shared.map(|(p, v)| format!("{} {}", p.replace('.', "_"), plain(v))).collect();
        out.extend((!shared.is_empty()).then(|| shared.join(", ")));
        let evidence: Vec<_> =
            [&self.x, &self.y].into_iter().filter_map(|d| self.evidence(d.field)).collect();
        out.extend((!evidence.is_empty()).then(|| evidence.join("; ")));
        out
    }

    /// How many points have a figure on which evidence.
    fn evidence(&self, field: &FieldLine) -> Option<String> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for grade in self.points.spots.iter().filter_map(|s| grade_of(self.table, &s.row, &field.path)) {
            *counts.entry(grade).or_default() += 1;
        }
        let counts: Vec<_> = counts.iter().map(|(grade, points)| format!("{points} {grade}")).collect();
        (!counts.is_empty()).then(|| format!("{}: {}", field.name, counts.join(", ")))
    }

    /// What holds for all points, and what is not among them.
    fn remarks(&self) -> Vec<String> {
        let mut out = self.shared();
        let undecided = "a field that the expression needs is unknown";
        let reasons = [
            (self.points.unknown[0], format!("{} is unknown", self.x.field.name)),
            (self.points.unknown[1], format!("{} is unknown", self.y.field.name)),
            (self.undecided, undecided.to_owned()),
        ];
        let left = reasons.into_iter().filter(|(rows, _)| *rows > 0);
        out.extend(left.map(|(rows, why)| format!("{} left out: {why}", count_of(rows, "row"))));
        if !self.points.left_out.is_empty() {
            out.push(format!("left out: {}; choose them with --where", self.points.left_out.join("; ")));
        }
        out
    }

    /// The front; columns that nothing stands in are left out.
    fn table(&self) -> String {
        let columns = [
            text("#"),
            text("row"),
            text("weights"),
            figures(&self.x.field.name),
            text("95 % interval"),
            text("evidence"),
            figures(&self.y.field.name),
            text("evidence"),
            text("ties with"),
        ];
        let rows = self.members.iter().enumerate().filter_map(|(i, m)| self.line(i + 1, m));
        let rows: Vec<_> = rows.collect();
        let is_used =
            |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|cell| !cell.is_empty()));
        let used: Vec<_> = (0..columns.len()).filter(|column| is_used(*column)).collect();
        let columns: Vec<_> = used.iter().filter_map(|column| columns.get(*column).copied()).collect();
        let cells = |row: &Vec<String>| used.iter().filter_map(|column| row.get(*column).cloned()).collect();
        table(&columns, rows.iter().map(cells))
    }

    fn line(&self, place: usize, member: &Member) -> Option<Vec<String>> {
        let spot = self.spot(member.at)?;
        let row = &spot.row;
        let interval = interval_of(row, &self.x.field.path);
        let evidence = |field: &FieldLine| grade_of(self.table, row, &field.path).unwrap_or_default();
        Some(vec![
            mark(place).to_string(),
            styled(NAME, name_of(row)),
            row.get("weights").filter(|v| !v.is_null()).map(plain).unwrap_or_default(),
            number(spot.point.x.value),
            interval.map_or_else(String::new, |i| format!("{} … {}", number(i.low), number(i.high))),
            evidence(self.x.field),
            number(spot.point.y.value),
            evidence(self.y.field),
            few(&self.tied_names(member)),
        ])
    }

    fn tied_names(&self, member: &Member) -> Vec<String> {
        let names = member.ties.iter().filter_map(|at| Some(name_of(&self.spot(*at)?.row)));
        let distinct: BTreeSet<_> = names.collect();
        distinct.into_iter().collect()
    }

    fn document(&self) -> Value {
        let axis =
            |d: &Drawn<'_>| json!({"field": d.field.name, "unit": d.field.unit, "better": d.aim.as_str()});
        let (tied, beaten) = self.beaten();
        let shared: Map<_, _> =
            self.points.shared.iter().map(|(path, value)| (path.replace('.', "_"), value.clone())).collect();
        let front =
            self.members.iter().filter_map(|m| Some(self.entry(self.spot(m.at)?, self.tied_names(m))));
        let others = |of: BTreeSet<usize>| -> Vec<_> {
            of.into_iter().filter_map(|at| Some(self.entry(self.spot(at)?, Vec::new()))).collect()
        };
        json!({
            "schema": "convwise.pareto/1",
            "from": self.table.name(),
            "x": axis(&self.x),
            "y": axis(&self.y),
            "shared": shared,
            "front": front.collect::<Vec<_>>(),
            "tied": others(tied),
            "beaten": others(beaten),
            "unknown": {"x": self.points.unknown[0], "y": self.points.unknown[1], "where": self.undecided},
            "left_out": self.points.left_out,
        })
    }

    fn entry(&self, spot: &Spot, ties: Vec<String>) -> Value {
        let row = &spot.row;
        let interval = |field: &FieldLine| interval_of(row, &field.path).map(|i| [i.low, i.high]);
        let (x, y) = (self.x.field, self.y.field);
        json!({
            "row": name_of(row),
            "id": row.get("id"),
            "weights": value_at(row, "weights"),
            "x": spot.point.x.value,
            "x_interval": interval(x),
            "x_grade": grade_of(self.table, row, &x.path),
            "y": spot.point.y.value,
            "y_interval": interval(y),
            "y_grade": grade_of(self.table, row, &y.path),
            "ties_with": ties,
        })
    }
}
