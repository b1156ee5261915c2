//! The policy in Rego, by regorus: its interpreter and its virtual machine.

use std::rc::Rc;
use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};

use crate::candidates::Situation;
use crate::{Answer, Contestant, policy};

const ENTRY: &str = "data.policy.answer";

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.add_policy("policy.rego".to_owned(), policy("policy.rego")).expect("the policy parses");
    engine
}

fn inputs(situation: &Situation) -> Rc<Vec<Value>> {
    let read = |document: serde_json::Value| Value::from_json_str(&document.to_string()).expect("it is JSON");
    Rc::new(situation.documents().into_iter().map(read).collect())
}

pub fn interpreter(situation: &Situation) -> Contestant {
    let inputs = inputs(situation);
    let one = |engine: &mut Engine, input: &Value| {
        engine.set_input(input.clone());
        engine.eval_rule(ENTRY.to_owned()).expect("it evaluates")
    };
    let (mut first, mut second) = (engine(), engine());
    let again = Rc::clone(&inputs);
    Contestant {
        name: "regorus, interpreter",
        judge: Box::new(move || inputs.iter().map(|i| answer(&one(&mut first, i))).collect()),
        run: Box::new(move || drop(again.iter().map(|i| one(&mut second, i)).collect::<Vec<_>>())),
    }
}

fn machine() -> RegoVM {
    let entry = regorus::Rc::from(ENTRY);
    let compiled = engine().compile_with_entrypoint(&entry).expect("the policy compiles");
    let program = Compiler::compile_from_policy(&compiled, &[ENTRY]).expect("the policy compiles");
    let mut machine = RegoVM::new();
    machine.load_program(Arc::clone(&program));
    machine
}

pub fn virtual_machine(situation: &Situation) -> Contestant {
    let inputs = inputs(situation);
    let one = |machine: &mut RegoVM, input: &Value| {
        machine.set_input(input.clone());
        machine.execute().expect("it evaluates")
    };
    let (mut first, mut second) = (machine(), machine());
    let again = Rc::clone(&inputs);
    Contestant {
        name: "regorus, virtual machine",
        judge: Box::new(move || inputs.iter().map(|i| answer(&one(&mut first, i))).collect()),
        run: Box::new(move || drop(again.iter().map(|i| one(&mut second, i)).collect::<Vec<_>>())),
    }
}

fn answer(value: &Value) -> Answer {
    let document: serde_json::Value =
        serde_json::from_str(&value.to_json_str().expect("it can be written")).expect("it is JSON");
    let text = |v: &serde_json::Value| v.as_str().expect("text").to_owned();
    let failed = document["failed"].as_array().into_iter().flatten();
    let mut failed: Vec<_> = failed.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
    failed.sort();
    Answer { failed, preference: document["preference"].as_f64().expect("a preference") }
}
