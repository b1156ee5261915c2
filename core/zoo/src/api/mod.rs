//! The graph API that scripts see: a `net` that opens inputs and names outputs, and tensors whose
//! methods add layers.
//!
//! Owns the translation between script values and [`convwise_graph::Op`]s, and the words in which a
//! wrong call is refused. It knows neither families nor files.

mod arrange;
mod layers;
mod net;
mod numbers;
mod numeric;
mod options;
mod stored;
#[cfg(test)]
mod tests;
mod usage;

use convwise_script::{Budget, Sources, sandbox};
use rhai::Engine;

pub(crate) use net::Net;

/// Raised whenever the API changes what a script builds, so that cached facts are computed anew.
pub const API_VERSION: u32 = 4;

/// A sandbox in which graph scripts run.
#[must_use]
pub(crate) fn engine() -> Engine {
    let mut engine = sandbox(&Budget::default());
    numbers::register(&mut engine);
    net::register(&mut engine);
    layers::register(&mut engine);
    arrange::register(&mut engine);
    numeric::register(&mut engine);
    stored::register(&mut engine);
    engine
}

/// Tells the sources how each function is used, for the help of an error.
pub(crate) fn document(sources: &mut Sources) {
    for (function, example) in usage::USAGE {
        sources.add_usage(*function, *example);
    }
}
