//! How much a script may do, and the engine that enforces it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rhai::module_resolvers::DummyModuleResolver;
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, OptimizationLevel};

use crate::numbers;

/// Upper limits for one script. Operations and time count anew for every call from the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Operations of one evaluation or call.
    pub operations: u64,
    /// Depth of nested calls.
    pub call_depth: usize,
    /// Depth of nested expressions.
    pub expression_depth: usize,
    /// Bytes of one text.
    pub text_bytes: usize,
    /// Elements of one list, those of the lists in it included.
    pub list_items: usize,
    /// Entries of one map, those of the maps in it included.
    pub map_entries: usize,
    /// Variables alive in one scope.
    pub variables: usize,
    /// Functions and closures of one script.
    pub functions: usize,
    /// Longest time of one evaluation or call. Bounds what counting operations cannot see.
    pub deadline: Duration,
}

impl Default for Budget {
    /// Ample for a rule file or a network of a thousand layers, harmless for a mistake.
    fn default() -> Self {
        Self {
            operations: 2_000_000,
            call_depth: 24,
            expression_depth: 48,
            text_bytes: 64 * 1024,
            list_items: 16_384,
            map_entries: 4_096,
            variables: 256,
            functions: 2_000,
            deadline: Duration::from_secs(5),
        }
    }
}

/// An engine without file, network, clock or `eval`, whose scripts stay within the budget.
///
/// Imports are refused until a [`crate::Library`] is set as its module resolver. What a script prints
/// goes nowhere.
#[must_use]
pub fn sandbox(budget: &Budget) -> Engine {
    let mut engine = Engine::new_raw();
    add_vocabulary(&mut engine);
    engine.set_module_resolver(DummyModuleResolver::new());
    engine.disable_symbol("eval");
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_strict_variables(true);
    engine.set_fail_on_invalid_map_property(true);
    apply_limits(&mut engine, budget);
    apply_deadline(&mut engine, budget.deadline);
    engine
}

/// The standard library less everything that reaches outside or waits: `sleep`, `exit`, `timestamp`, blobs.
fn add_vocabulary(engine: &mut Engine) {
    engine.register_global_module(ArithmeticPackage::new().as_shared_module());
    engine.register_global_module(LogicPackage::new().as_shared_module());
    engine.register_global_module(BasicMathPackage::new().as_shared_module());
    engine.register_global_module(BasicStringPackage::new().as_shared_module());
    engine.register_global_module(MoreStringPackage::new().as_shared_module());
    engine.register_global_module(BasicIteratorPackage::new().as_shared_module());
    engine.register_global_module(BasicArrayPackage::new().as_shared_module());
    engine.register_global_module(BasicMapPackage::new().as_shared_module());
    engine.register_global_module(BasicFnPackage::new().as_shared_module());
    numbers::register(engine);
}

fn apply_limits(engine: &mut Engine, budget: &Budget) {
    engine
        .set_max_operations(budget.operations)
        .set_max_call_levels(budget.call_depth)
        .set_max_expr_depths(budget.expression_depth, budget.expression_depth)
        .set_max_string_size(budget.text_bytes)
        .set_max_array_size(budget.list_items)
        .set_max_map_size(budget.map_entries)
        .set_max_variables(budget.variables)
        .set_max_functions(budget.functions)
        // An import is an operation like any other, and every call into a module makes one (see `facade`).
        .set_max_modules(usize::MAX);
}

thread_local! {
    /// When the evaluation that runs on this thread began.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Operations between two looks at the clock; a look costs as much as a few operations.
const CLOCK_EVERY: u64 = 512;

fn apply_deadline(engine: &mut Engine, deadline: Duration) {
    engine.on_progress(move |operations| {
        if operations == 1 {
            BEGAN.set(Some(Instant::now()));
        }
        let due = operations.is_multiple_of(CLOCK_EVERY);
        let late = due && BEGAN.get().is_some_and(|began| began.elapsed() > deadline);
        late.then(|| Dynamic::from(format!("{} s", deadline.as_secs_f64())))
    });
}
