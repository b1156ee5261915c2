//! `rules fields`: what rules may read, declare and call.

use convwise_judge::{definitions, reference};

use crate::args::FieldsArgs;
use crate::context::Context;
use crate::error::CliError;

pub(super) fn fields(context: &Context, args: &FieldsArgs) -> Result<(), CliError> {
    if args.definitions {
        return context.screen.result(definitions().trim_end());
    }
    let reference = reference().about(&args.words);
    if reference.tables.is_empty() && reference.kinds.is_empty() && reference.functions.is_empty() {
        return Err(CliError::invalid(format!(
            "no field, clause or function is about `{}`; `convwise rules fields` prints all",
            args.words.join(" ")
        )));
    }
    if args.output.json {
        return context.screen.json(&reference);
    }
    context.screen.result(reference.markdown().trim_end())
}
