//! `rules eject`: shipped rules, written out for editing.

use convwise_judge::{EjectError, eject};

use super::lines;
use crate::args::EjectArgs;
use crate::context::Context;
use crate::error::CliError;

pub(super) fn write_out(context: &Context, args: &EjectArgs) -> Result<(), CliError> {
    let ejection = eject(&args.dir, args.what.as_deref()).map_err(|error| match error {
        EjectError::Unknown(..) => CliError::invalid(error),
        _ => CliError::failed(error),
    })?;
    context.screen.result(&lines(&ejection.written))?;
    context.screen.remark(match &ejection.pack {
        Some(folder) => format!("it is in force from now on; edit it, or delete {} to switch it off", folder.display()),
        None => "edit them, then run `convwise rules check` and `convwise rules test`; after an update of convwise, \
                 `convwise rules diff` says what changed"
            .to_owned(),
    });
    Ok(())
}
