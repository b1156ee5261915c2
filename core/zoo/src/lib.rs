//! The zoo: architecture plugins (`family.toml` + `graph.rhai`) -> facts and layer graphs.
//!
//! A family is a script, a variant is arguments to it. Shipped families are embedded; folders of the
//! user override them, family by family. This crate knows no ONNX, no runner and no rule.

mod api;
mod arguments;
mod build;
mod check;
mod digest;
mod eject;
mod error;
mod facts;
mod family;
mod folder;
mod latency;
mod manifest;
mod naming;
mod problem;
mod scaffold;
pub mod verify;
mod zoo;

pub use api::API_VERSION;
pub use build::BuildOptions;
pub use eject::{Ejected, eject};
pub use error::ZooError;
pub use facts::facts;
pub use family::{Family, Variant};
pub use folder::PluginFolder;
pub use naming::{Naming, recognise};
pub use scaffold::scaffold;
pub use zoo::{Zoo, unknown};
