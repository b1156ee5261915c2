//! How answers look: tables, text, Markdown. JSON is the documents themselves.

pub(crate) mod advice;
pub(crate) mod axis;
pub(crate) mod bench;
pub(crate) mod chart;
pub(crate) mod explain;
pub(crate) mod markdown;
pub(crate) mod postprocess;
pub(crate) mod profile;
pub(crate) mod records;
pub(crate) mod rows;
pub(crate) mod sensitivity;
pub(crate) mod svg;
pub(crate) mod table;
pub(crate) mod what_if;
