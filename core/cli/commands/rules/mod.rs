//! `convwise rules`: the decision logic, as its authors see it. One file a subcommand.

mod check;
mod diff;
mod digest;
mod eject;
mod fields;
mod list;
mod new;
mod scenarios;
mod show;
mod test;
mod watch;

use crate::args::RulesCommand;
use crate::context::Context;
use crate::error::CliError;

pub(crate) fn run(context: &Context, command: &RulesCommand) -> Result<(), CliError> {
    match command {
        RulesCommand::List(args) if args.lints => show::lints(context, args.output.json),
        RulesCommand::List(args) => list::list(context, args),
        RulesCommand::Show { id, output } => show::show(context, id, output.json),
        RulesCommand::Check(args) => check::check(context, args),
        RulesCommand::Test(args) if args.watch => watch::watch(context, args),
        RulesCommand::Test(args) => test::test(context, args),
        RulesCommand::Fields(args) => fields::fields(context, args),
        RulesCommand::Digest(args) => digest::digest(context, args),
        RulesCommand::New(args) => new::new(context, args),
        RulesCommand::Eject(args) => eject::write_out(context, args),
        RulesCommand::Diff(args) => diff::diff(context, args),
    }
}

/// Paths, one a line.
fn lines(paths: &[std::path::PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n")
}
