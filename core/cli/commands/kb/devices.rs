//! `convwise kb devices`: the devices of `convwise device list`, under the name by which records are asked for.

pub(super) use crate::commands::device::list;
