//! The table of torchvision's documentation as CSV: `Weight, Acc@1, Acc@5, Params, GFLOPS`.

use convwise_types::{InputShape, StatedMacs, Task};

use super::{Cited, Name, TorchvisionOptions, macs, place};
use crate::desk::{Desk, Problem};
use crate::input::Input;
use crate::number::{self, Style, counted};
use crate::row::Row;
use crate::rows::{Rows, for_each};

const STYLE: Style = Style { decimal: '.', thousands: None };

/// Where things stand.
struct Columns {
    name: usize,
    metrics: Vec<(usize, &'static str)>,
    params: Option<usize>,
    work: Option<usize>,
    size: Size,
}

/// Where the side of the images is stated.
enum Size {
    Column(usize),
    Stated(u64),
}

pub(super) fn read(
    options: &TorchvisionOptions,
    input: Input,
    desk: &mut Desk<'_, '_>,
) -> Result<(), Problem> {
    let mut rows = Rows::open(input, b',')?;
    let columns = Columns::find(&rows, options)?;
    for_each(&mut rows, desk, |row, desk| {
        if let Err(problem) = columns.hand(row, desk) {
            desk.problem(problem);
        }
    })
}

impl Columns {
    fn find(rows: &Rows, options: &TorchvisionOptions) -> Result<Self, Problem> {
        let any = |names: &[&str]| {
            let known = |column: &String| {
                names.iter().any(|name| column.trim_matches('*').eq_ignore_ascii_case(name))
            };
            rows.columns.iter().position(known)
        };
        let lacks = |name: &str| rows.lacks(&[name], "torchvision's table of weights");
        let metrics = [("acc@1", "top1"), ("acc@5", "top5")];
        let metrics: Vec<_> =
            metrics.into_iter().filter_map(|(theirs, ours)| Some((any(&[theirs])?, ours))).collect();
        let name = any(&["weight", "weights"]).ok_or_else(|| lacks("Weight"))?;
        if metrics.is_empty() {
            return Err(lacks("Acc@1"));
        }
        let size = match (any(&["crop_size", "input_size"]), options.input_size) {
            (Some(column), None) => Size::Column(column),
            (_, Some(side)) => Size::Stated(side),
            (None, None) => {
                let text = "the table does not say the size of the images; add a column `crop_size`, say it for all \
                            rows with --input-size, or use the JSON form (--help has the Python that writes it)";
                return Err(Problem::of_file(text));
            }
        };
        Ok(Self {
            name,
            metrics,
            params: any(&["params", "num_params"]),
            work: any(&["gflops", "gips"]),
            size,
        })
    }

    fn hand(&self, row: Row<'_>, desk: &mut Desk<'_, '_>) -> Result<(), Problem> {
        let name = Name::read(row.text(self.name)?).map_err(|why| row.wrong(self.name, why))?;
        let side = match self.size {
            Size::Column(at) => row.whole(at, STYLE)?,
            Size::Stated(side) => side,
        };
        for (at, metric) in &self.metrics {
            if row.filled(Some(*at)).is_none() {
                desk.report.blank += 1;
                continue;
            }
            let value = row.percent(*at, STYLE)?;
            let entry = name.result("imagenet-1k/val", metric, value, side, desk.source_at(row.line));
            desk.hand(entry, place(Some(row.line), row.name(*at), row.read));
        }
        self.hand_cost(row, &name, side, desk)
    }

    fn hand_cost(
        &self,
        row: Row<'_>,
        name: &Name,
        side: u64,
        desk: &mut Desk<'_, '_>,
    ) -> Result<(), Problem> {
        let filled = |at: Option<usize>| at.filter(|at| row.filled(Some(*at)).is_some());
        let params = filled(self.params).map(|at| params(row, at)).transpose()?;
        let work = filled(self.work).map(|at| {
            let billions = row.above_zero(at, STYLE)?;
            let count =
                macs(billions).ok_or_else(|| row.wrong(at, format!("`{}` is no count", row.cell(at))))?;
            Ok(StatedMacs { count, input: InputShape::square(side) })
        });
        let work = work.transpose()?;
        let Some(at) = params.and(self.params).or(work.and(self.work)) else { return Ok(()) };
        let cited = Cited { source: desk.source_at(row.line), note: "figures as rounded in the table" };
        let entry = name.cost(Task::Classify, params, work, cited);
        desk.hand(entry, place(Some(row.line), row.name(at), row.read));
        Ok(())
    }
}

/// `25.6M` as the documentation writes it, or `25557032` as `num_params` is.
fn params(row: Row<'_>, at: usize) -> Result<u64, Problem> {
    let text = row.text(at)?;
    let (digits, unit) = match text.strip_suffix(['M', 'm']) {
        Some(digits) => (digits.trim_end(), 1e6),
        None => (text, 1.0),
    };
    let number = number::real(digits, STYLE).map_err(|why| row.wrong(at, why))?;
    let count = counted(number * unit).filter(|count| *count > 0);
    count.ok_or_else(|| row.wrong(at, format!("`{text}` is no count")))
}
