//! `convwise explain`: why or why not one network, and what would change that.

use convwise_advisor::explain::explain;

use super::request;
use crate::args::ExplainArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render;

pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<(), CliError> {
    let request = request(context, &args.request)?;
    let world = context.world()?;
    let explanation = explain(&world, &request, &args.architecture)?;
    if args.output.json {
        return context.screen.json(&explanation);
    }
    context.screen.result(&render::explain::explanation(&explanation, args.all))
}
