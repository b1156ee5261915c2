//! Facts that come with the program (`kb/`): devices and datasets, each figure with its source.
//!
//! A user's folder has the same layout (`kb/devices/*.toml`, `kb/datasets.toml`) and replaces entries one by one, by
//! id. Where an entry comes from is kept with it.

mod dataset;
mod read;

use std::path::Path;

use convwise_types::{DeviceId, Diagnostic, Origin, ShippedDevice};
use include_dir::{Dir, include_dir};

pub use dataset::{Corpus, Dataset, Metric};

static KB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../kb");

/// An entry and where it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Sourced<T> {
    /// The entry.
    pub value: T,
    /// Where it was read from.
    pub origin: Origin,
}

/// Devices and datasets, each in order of their ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Shipped {
    /// Devices.
    pub devices: Vec<Sourced<ShippedDevice>>,
    /// Datasets that results are published for.
    pub datasets: Vec<Sourced<Dataset>>,
    /// Data that weights are trained on.
    pub corpora: Vec<Sourced<Corpus>>,
}

impl Default for Shipped {
    /// What comes with the program. A test keeps the embedded files free of errors.
    fn default() -> Self {
        Self::embedded().0
    }
}

impl Shipped {
    /// What comes with the program, overridden entry by entry by the `kb` folders below the given folders; the first
    /// folder wins. A file with an error is left out and described in the second value.
    #[must_use]
    pub fn load(folders: &[&Path]) -> (Self, Vec<Diagnostic>) {
        let (mut shipped, mut problems) = Self::embedded();
        for folder in folders.iter().rev() {
            let (texts, mut unreadable) = read::texts_below(&folder.join("kb"));
            problems.append(&mut unreadable);
            for text in texts {
                shipped.take(&text, &mut problems);
            }
        }
        (shipped, problems)
    }

    /// The dataset with an id such as `imagenet-1k/val`.
    #[must_use]
    pub fn dataset(&self, id: &str) -> Option<&Dataset> {
        self.datasets.iter().map(|entry| &entry.value).find(|dataset| dataset.id == id)
    }

    /// The training data with an id such as `imagenet-1k`.
    #[must_use]
    pub fn corpus(&self, id: &str) -> Option<&Corpus> {
        self.corpora.iter().map(|entry| &entry.value).find(|corpus| corpus.id == id)
    }

    /// The device with an id such as `stm32f746`.
    #[must_use]
    pub fn device(&self, id: &DeviceId) -> Option<&ShippedDevice> {
        self.devices.iter().map(|entry| &entry.value).find(|device| device.id == *id)
    }

    fn embedded() -> (Self, Vec<Diagnostic>) {
        let mut shipped = Self { devices: Vec::new(), datasets: Vec::new(), corpora: Vec::new() };
        let mut problems = Vec::new();
        for text in read::embedded(&KB) {
            shipped.take(&text, &mut problems);
        }
        (shipped, problems)
    }

    /// Reads one file; its entries replace those with the same id.
    fn take(&mut self, text: &read::Text, problems: &mut Vec<Diagnostic>) {
        let problem = match text.what {
            read::What::Device => text
                .parse::<ShippedDevice>()
                .map(|device| put(&mut self.devices, text.sourced(device), |d| d.id.to_string())),
            read::What::Datasets => text.parse::<dataset::Datasets>().map(|file| {
                for dataset in file.dataset {
                    put(&mut self.datasets, text.sourced(dataset), |d| d.id.clone());
                }
                for corpus in file.corpus {
                    put(&mut self.corpora, text.sourced(corpus), |c| c.id.clone());
                }
            }),
        };
        problems.extend(problem.err().map(|boxed| *boxed));
    }
}

/// Puts an entry in its place in the order of ids, replacing one with the same id.
fn put<T>(entries: &mut Vec<Sourced<T>>, entry: Sourced<T>, id: impl Fn(&T) -> String) {
    match entries.binary_search_by_key(&id(&entry.value), |old| id(&old.value)) {
        Ok(at) => {
            if let Some(old) = entries.get_mut(at) {
                *old = entry;
            }
        }
        Err(at) => entries.insert(at, entry),
    }
}

/// The devices that come with the program, in order of their ids.
#[must_use]
pub fn devices() -> Vec<ShippedDevice> {
    Shipped::default().devices.into_iter().map(|entry| entry.value).collect()
}

/// The datasets that come with the program, in order of their ids.
#[must_use]
pub fn datasets() -> Vec<Dataset> {
    Shipped::default().datasets.into_iter().map(|entry| entry.value).collect()
}
