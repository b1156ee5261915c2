//! The policy as a decision graph, by zen-engine: one expression node, compiled beforehand.

use std::rc::Rc;

use futures::executor::block_on;
use zen_engine::model::DecisionContent;
use zen_engine::{Decision, DecisionEngine, EvaluationOptions, Variable};

use crate::candidates::Situation;
use crate::{Answer, Contestant, policy};

fn decision() -> Decision {
    let content: DecisionContent = serde_json::from_str(&policy("policy.json")).expect("the policy parses");
    let mut decision =
        DecisionEngine::default().create_decision(content.into()).expect("the policy is whole");
    decision.compile();
    decision
}

pub fn contestant(name: &'static str, situation: &Situation, trace: bool) -> Contestant {
    let inputs: Rc<Vec<Variable>> = Rc::new(situation.documents().into_iter().map(Variable::from).collect());
    let decision = Rc::new(decision());
    let one = move |decision: &Decision, input: &Variable| {
        let options = EvaluationOptions { trace, ..EvaluationOptions::default() };
        block_on(decision.evaluate_with_opts(input.clone(), options)).expect("it evaluates")
    };
    let (again, inputs_again) = (Rc::clone(&decision), Rc::clone(&inputs));
    Contestant {
        name,
        judge: Box::new(move || inputs.iter().map(|i| answer(&one(&decision, i).result)).collect()),
        run: Box::new(move || drop(inputs_again.iter().map(|i| one(&again, i)).collect::<Vec<_>>())),
    }
}

fn answer(result: &Variable) -> Answer {
    let document = result.to_value();
    let failed = document["failed"].as_object().into_iter().flatten();
    let said = failed.filter_map(|(id, reason)| Some((id.replace('_', "-"), reason.as_str()?.to_owned())));
    let mut failed: Vec<_> = said.collect();
    failed.sort();
    Answer { failed, preference: document["preference"].as_f64().expect("a preference") }
}
