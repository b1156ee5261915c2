//! `rules digest`: what a pack's files are, in 32 letters.

use std::fs;

use convwise_judge::{Layer, PACK_FILE, RuleFolder, with_digest};

use crate::args::DigestArgs;
use crate::context::Context;
use crate::error::CliError;

pub(super) fn digest(context: &Context, args: &DigestArgs) -> Result<(), CliError> {
    let folder = RuleFolder::read(&args.folder, Layer::Named);
    if !folder.problems.is_empty() {
        return Err(CliError::Source(folder.problems));
    }
    let digest = folder.digest();
    if args.write {
        let file = args.folder.join(PACK_FILE);
        let problem = |e: std::io::Error| CliError::failed(format!("{}: {e}", file.display()));
        let text = fs::read_to_string(&file).map_err(problem)?;
        fs::write(&file, with_digest(&text, &digest)).map_err(problem)?;
    }
    context.screen.result(&digest)
}
