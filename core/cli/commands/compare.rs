//! `convwise compare`: networks side by side.

use convwise_advisor::compare::{Compared, Comparison, compare};
use convwise_types::{Bytes, Deploy, Macs, Params, Task};

use super::request;
use crate::args::{CompareArgs, RequestArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::{evidence_cells, not_buildable};
use crate::render::table::{figures, table, text};
use crate::screen::{NAME, styled};

pub(crate) fn run(context: &Context, args: &CompareArgs) -> Result<(), CliError> {
    let request = request(context, &with_defaults(&args.request))?;
    let world = context.world()?;
    let comparison = compare(&world, &request, &args.architectures)?;
    if args.output.json {
        return context.screen.json(&comparison);
    }
    context.screen.result(&shown(&comparison))
}

/// A comparison needs no deployment; without one it is made for classification on this machine.
fn with_defaults(args: &RequestArgs) -> RequestArgs {
    let mut args = args.clone();
    if args.request.is_none() {
        args.task.get_or_insert(Task::Classify);
        args.deploy.get_or_insert(Deploy::CpuServer);
    }
    args
}

fn shown(comparison: &Comparison) -> String {
    let columns = [
        text("network"),
        text("weights"),
        figures("accuracy"),
        figures("latency"),
        text("95 % interval"),
        text("evidence"),
        figures("params"),
        figures("MACs"),
        figures("size"),
        figures("activations"),
        text("maturity"),
    ];
    let mut out = table(&columns, comparison.networks.iter().map(row));
    for remark in &comparison.remarks {
        out.push_str(remark);
        out.push('\n');
    }
    out
}

fn row(compared: &Compared) -> Vec<String> {
    let pick = &compared.pick;
    let unknown = || "unknown".to_owned();
    let [weights, accuracy, latency, interval, grade] = evidence_cells(pick);
    vec![
        format!("{} @{}{}", styled(NAME, &pick.architecture), pick.input_size, not_buildable(pick)),
        weights,
        accuracy,
        latency,
        interval,
        grade,
        pick.params.map_or_else(unknown, |v| Params(v).to_string()),
        pick.macs.map_or_else(unknown, |v| Macs(v).to_string()),
        pick.weight_bytes.map_or_else(unknown, |v| Bytes(v).to_string()),
        pick.peak_activation_bytes.map_or_else(unknown, |v| Bytes(v).to_string()),
        compared.maturity.map_or_else(unknown, |m| m.to_string()),
    ]
}
