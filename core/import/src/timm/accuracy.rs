//! timm's `results-*.csv`: top-1 and top-5 of weights on one dataset.

use convwise_types::{AddedResult, Percent, Precision, PublishedResult};

use super::{Model, PACKAGE, STYLE, TimmOptions, image, name, place};
use crate::Entry;
use crate::desk::{Desk, Problem};
use crate::row::Row;
use crate::rows::Rows;

/// Where accuracies stand, and what they are of.
pub(super) struct Columns {
    size: usize,
    metrics: Vec<(usize, &'static str)>,
    crop: Option<usize>,
    interpolation: Option<usize>,
    dataset: String,
    precision: Precision,
    unstated: bool,
}

impl Columns {
    /// The columns, if the table has accuracies.
    pub fn find(rows: &Rows, options: &TimmOptions, file: &str) -> Result<Option<Self>, Problem> {
        let metrics = ["top1", "top5"].into_iter().filter_map(|name| Some((rows.column(name)?, name)));
        let metrics: Vec<_> = metrics.collect();
        if metrics.is_empty() {
            return Ok(None);
        }
        let size = rows.column("img_size");
        let size = size.ok_or_else(|| rows.lacks(&["img_size"], "timm's table of accuracies"))?;
        let dataset = match &options.dataset {
            Some(dataset) => dataset.clone(),
            None => name::dataset(file).map_err(Problem::of_file)?.to_owned(),
        };
        let stated = options.precision.as_deref().map(str::parse::<Precision>).transpose();
        let stated = stated.map_err(|e| Problem::of_file(e.to_string()))?;
        Ok(Some(Self {
            size,
            metrics,
            crop: rows.column("crop_pct"),
            interpolation: rows.column("interpolation"),
            dataset,
            precision: stated.unwrap_or(Precision::Fp32),
            unstated: stated.is_none(),
        }))
    }

    /// Hands over the accuracies of a row.
    pub fn hand(&self, row: Row<'_>, model: &Model, desk: &mut Desk<'_, '_>) -> Result<(), Problem> {
        let shape = image(row, self.size)?;
        for (at, metric) in &self.metrics {
            if row.filled(Some(*at)).is_none() {
                desk.report.blank += 1;
                continue;
            }
            let result = PublishedResult {
                dataset: self.dataset.clone(),
                metric: (*metric).to_owned(),
                value: Percent(row.percent(*at, STYLE)?),
                input_size: shape.height.min(shape.width),
                precision: self.precision,
                source: desk.source_at(row.line),
            };
            let entry = AddedResult {
                package: Some(PACKAGE.to_owned()),
                architecture: model.architecture.clone(),
                weights: model.weights.clone(),
                result,
                note: self.note(row),
            };
            desk.hand(Entry::Result(entry), place(row, *at));
        }
        Ok(())
    }

    /// How the image was prepared, and that the number format is not stated.
    fn note(&self, row: Row<'_>) -> Option<String> {
        let crop = row.filled(self.crop).map(|share| format!("crop {share}"));
        let interpolation = row.filled(self.interpolation).map(str::to_owned);
        let format = self.unstated.then(|| "number format not stated".to_owned());
        let parts: Vec<String> = [crop, interpolation, format].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
