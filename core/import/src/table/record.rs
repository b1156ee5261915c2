//! One record of one row.

use convwise_types::{
    AddedCost, AddedResult, AddedTiming, InputShape, Macs, Millis, Params, PerSecond, Percent,
    PublishedResult, StatedCost, StatedMacs,
};

use super::fields::{Kind, Value};
use super::mapping::{Given, Recipe};
use crate::desk::Problem;
use crate::number::{Style, counted, image, whole};
use crate::row::Row;
use crate::rows::Rows;
use crate::{Entry, Place};

/// A recipe whose columns were found.
pub(super) struct Bound<'m> {
    kind: Kind,
    parts: Vec<(&'static str, Value, Origin<'m>)>,
}

/// Where a field comes from.
#[derive(Clone, Copy)]
enum Origin<'m> {
    Constant(&'m str),
    Column { at: usize, factor: f64 },
}

/// Whether a text is a value of a kind; figures are not asked here.
pub(super) fn check(value: Value, text: &str) -> Result<(), String> {
    const PLAIN: Style = Style { decimal: '.', thousands: None };
    match value {
        Value::Text | Value::Figure(_) => Ok(()),
        Value::Whole => whole(text, PLAIN).map(|_| ()),
        Value::Image => image(text).map(|_| ()),
        Value::Word(known) => known(text),
    }
}

impl<'m> Bound<'m> {
    pub fn of(recipe: &'m Recipe, rows: &Rows) -> Self {
        let origin = |from: &'m Given| match from {
            Given::Constant(text) => Some(Origin::Constant(text)),
            Given::Column { name, factor } => {
                rows.column(name).map(|at| Origin::Column { at, factor: *factor })
            }
        };
        let parts = recipe.parts.iter();
        let parts = parts.filter_map(|part| Some((part.field.name, part.field.value, origin(&part.from)?)));
        Self { kind: recipe.kind, parts: parts.collect() }
    }

    /// The record of a row; `None` where the cells of all its figures are blank.
    pub fn read<'r>(
        &self,
        row: Row<'r>,
        style: Style,
        source: impl Fn() -> String,
    ) -> Result<Option<(Entry, Place<'r>)>, Problem> {
        let cells = Cells { bound: self, row, style };
        let Some(figure) = self.kind.figures().iter().find_map(|name| cells.filled(name)) else {
            return Ok(None);
        };
        let entry = match self.kind {
            Kind::Result => Entry::Result(cells.result(source)?),
            Kind::Timing => Entry::Timing(cells.timing(source)?),
            Kind::Cost => Entry::Cost(cells.cost(source)?),
        };
        let column = Some(row.name(figure));
        Ok(Some((entry, Place { line: Some(row.line), column, read: row.read })))
    }
}

/// The fields of one record in one row.
struct Cells<'a, 'm, 'r> {
    bound: &'a Bound<'m>,
    row: Row<'r>,
    style: Style,
}

impl Cells<'_, '_, '_> {
    fn part(&self, name: &str) -> Option<(Value, Origin<'_>)> {
        self.bound.parts.iter().find(|(part, _, _)| *part == name).map(|(_, value, origin)| (*value, *origin))
    }

    /// The column of a field whose cell is not blank.
    fn filled(&self, name: &str) -> Option<usize> {
        match self.part(name)?.1 {
            Origin::Column { at, .. } => self.row.filled(Some(at)).map(|_| at),
            Origin::Constant(_) => None,
        }
    }

    /// A text that is what its field wants.
    fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        let Some((value, origin)) = self.part(name) else { return Ok(None) };
        match origin {
            Origin::Constant(text) => Ok(Some(text)),
            Origin::Column { at, .. } => {
                let Some(text) = self.row.filled(Some(at)) else { return Ok(None) };
                match value {
                    Value::Whole => self.row.whole(at, self.style).map(|_| ())?,
                    value => check(value, text).map_err(|why| self.row.wrong(at, why))?,
                }
                Ok(Some(text))
            }
        }
    }

    fn owned(&self, name: &str) -> Result<Option<String>, Problem> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    fn needed(&self, name: &str) -> Result<&str, Problem> {
        self.text(name)?.ok_or_else(|| match self.part(name) {
            Some((_, Origin::Column { at, .. })) => self.row.wrong(at, "is empty"),
            _ => Problem::at(self.row.line, format!("`{name}` is not said")),
        })
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<T, Problem> {
        let text = self.needed(name)?;
        text.parse().map_err(|e| Problem::at(self.row.line, format!("`{name}`: {e}")))
    }

    fn image(&self) -> Result<InputShape, Problem> {
        image(self.needed("input_size")?).map_err(|why| Problem::at(self.row.line, why))
    }

    fn count(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        whole(text, self.style).map(Some).map_err(|e| Problem::at(self.row.line, format!("`{name}`: {e}")))
    }

    /// A figure in our unit.
    fn figure(&self, name: &str) -> Result<Option<(f64, usize)>, Problem> {
        let Some(at) = self.filled(name) else { return Ok(None) };
        let Some((_, Origin::Column { factor, .. })) = self.part(name) else { return Ok(None) };
        let number = self.row.real(at, self.style)?;
        // A division by a round factor is exact where a multiplication by its inverse is not.
        let inverse = (1.0 / factor).round();
        Ok(Some((if factor < 1.0 { number / inverse } else { number * factor }, at)))
    }

    fn above_zero(&self, name: &str) -> Result<Option<f64>, Problem> {
        match self.figure(name)? {
            Some((number, _)) if number > 0.0 => Ok(Some(number)),
            Some((_, at)) => Err(self.row.wrong(at, format!("`{}` is not above 0", self.row.cell(at)))),
            None => Ok(None),
        }
    }

    fn counted(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some((number, at)) = self.figure(name)? else { return Ok(None) };
        let count = counted(number).filter(|count| *count > 0);
        count.map(Some).ok_or_else(|| self.row.wrong(at, format!("`{}` is no count", self.row.cell(at))))
    }

    fn source(&self, otherwise: impl Fn() -> String) -> Result<String, Problem> {
        Ok(self.owned("source")?.unwrap_or_else(otherwise))
    }

    fn result(&self, source: impl Fn() -> String) -> Result<AddedResult, Problem> {
        let shape = self.image()?;
        let (value, at) = self.figure("value")?.unwrap_or((f64::NAN, 0));
        if !(0.0..=100.0).contains(&value) {
            return Err(self.row.wrong(at, format!("`{}` is outside 0 to 100 percent", self.row.cell(at))));
        }
        let result = PublishedResult {
            dataset: self.needed("dataset")?.to_owned(),
            metric: self.needed("metric")?.to_owned(),
            value: Percent(value),
            input_size: shape.height.min(shape.width),
            precision: self.parsed("precision")?,
            source: self.source(source)?,
        };
        Ok(AddedResult {
            package: self.owned("package")?,
            architecture: self.needed("architecture")?.into(),
            weights: self.text("weights")?.map(Into::into),
            result,
            note: self.owned("note")?,
        })
    }

    fn timing(&self, source: impl Fn() -> String) -> Result<AddedTiming, Problem> {
        Ok(AddedTiming {
            package: self.owned("package")?,
            architecture: self.needed("architecture")?.into(),
            weights: self.text("weights")?.map(Into::into),
            workload: self.parsed("workload")?,
            device: self.needed("device")?.to_owned(),
            runtime: self.needed("runtime")?.to_owned(),
            options: self.owned("options")?,
            precision: self.needed("precision")?.to_owned(),
            layout: self.owned("layout")?,
            threads: self.count("threads")?,
            batch: self.count("batch")?.ok_or_else(|| Problem::at(self.row.line, "`batch` is empty"))?,
            input: self.image()?,
            latency: self.above_zero("latency")?.map(Millis),
            throughput: self.above_zero("throughput")?.map(PerSecond),
            source: self.source(source)?,
        })
    }

    fn cost(&self, source: impl Fn() -> String) -> Result<AddedCost, Problem> {
        let macs = match self.counted("macs")? {
            Some(count) => Some(StatedMacs { count: Macs(count), input: self.image()? }),
            None => None,
        };
        let cost = StatedCost {
            params: self.counted("params")?.map(Params),
            macs,
            source: self.source(source)?,
            note: self.owned("note")?,
        };
        Ok(AddedCost {
            package: self.owned("package")?,
            architecture: self.needed("architecture")?.into(),
            task: self.parsed("task")?,
            cost,
        })
    }
}
