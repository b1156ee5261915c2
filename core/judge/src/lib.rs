//! Rule sets: load them, check them, judge candidates with them, test them.
//!
//! A rule is plain Rhai over the fields of [`fields`]. This crate decides what rules may read, runs
//! each on its own within a budget, and combines what they say with one total function. It knows
//! nothing of files beyond rule folders, of runners, of the knowledge base or of the command line.

mod account;
mod cases;
mod catalogue;
mod clauses;
mod corpus;
mod diff;
mod direct;
mod draft;
mod eject;
mod ejected;
mod evaluate;
mod facts;
pub mod fields;
mod folder;
mod hearing;
mod inquiry;
mod judge;
mod judgement;
mod layer;
mod ledger;
mod lint;
mod load;
mod manifest;
mod pack;
mod plan;
mod pool;
mod query;
mod rank;
mod reference;
mod reserved;
mod row;
mod rule;
mod ruleset;
mod scaffold;
mod settle;
mod shares;
mod sheets;
mod source;
mod stack;
mod stamp;
mod text;
mod trace;
mod traces;
mod vocabulary;

pub use account::{Account, Margin, Reading};
pub use cases::{Blessed, CaseOutcome, CaseResult, RuleCoverage, TestReport, covered_percent, replace_value};
pub use catalogue::RuleInfo;
pub use clauses::{CLAUSES, ClauseSpec, RuleKind};
pub use corpus::{Corpus, Situation};
pub use diff::{Change, RuleDiff, State};
pub use eject::{EjectError, Ejection, eject};
pub use folder::{RuleFolder, SHIPPED_PACK};
pub use hearing::{Hearing, Outline};
pub use inquiry::{Inquiry, Target};
pub use judgement::{Judgement, Opinion, Share};
pub use layer::Layer;
pub use lint::{ExampleFile, LINTS, Level, LevelError, Levels, Lint};
pub use manifest::{Manifest, PACK_FILE, RULES_SCHEMA, Version, with_digest};
pub use pack::Pack;
pub use plan::{Plan, PlanError};
pub use query::{QueryAnswer, QueryRow, SelectError, Selection, query, select};
pub use rank::{Contest, Entrant, Formula, Ranked};
pub use reference::{
    DEFINITIONS_FILE, FUNCTIONS, FunctionSpec, Reference, definitions, reference, why_unknown,
};
pub use rule::Status;
pub use ruleset::{RuleSet, ScenarioText};
pub use scaffold::{Scaffold, scaffold, scaffold_pack};
pub use sheets::Sheets;
pub use trace::NeedFields;
pub use traces::Traces;
