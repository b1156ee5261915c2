//! The shipped rules over every request of the corpus with every architecture there is.

use std::collections::BTreeSet;

use convwise_advisor::catalogue::{Catalogue, Form};
use convwise_advisor::corpus::corpus;
use convwise_judge::{Levels, RuleSet};
use convwise_store::shipped::Shipped;
use convwise_types::Domain;
use convwise_zoo::Zoo;

#[test]
fn the_shipped_rules_do_nothing_that_nobody_can_have_meant() {
    let shipped = Shipped::default();
    let catalogue = Catalogue::build(&Zoo::load(&[]).0, &shipped, Form::default());
    let corpus = corpus(&catalogue, &shipped);
    assert!(corpus.situations.len() >= 60, "{} requests", corpus.situations.len());
    assert!(corpus.situations.iter().all(|s| !s.candidates.is_empty()), "a request without candidates");
    let domains: BTreeSet<Domain> =
        corpus.situations.iter().filter_map(|s| s.inquiry.request.situation.domain).collect();
    assert_eq!(domains.len(), Domain::ALL.len(), "every domain is asked for");
    let (rules, _) = RuleSet::load(&[]);
    let shown: Vec<String> =
        rules.check(&corpus, &Levels::default()).iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
}
