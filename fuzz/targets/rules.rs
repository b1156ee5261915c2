//! Rule files of anybody: whatever they say, they are refused or they judge within their budget.
#![no_main]

use convwise_fuzz::{candidates, folder, inquiries};
use convwise_judge::{Corpus, Levels, RuleFolder, RuleSet};
use convwise_types::Verdict;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let files = folder(text);
    let mine = RuleFolder::of_texts("mine", files.iter().map(|(name, text)| (*name, text.as_str())));
    // Without the shipped rules, which would take most of the time.
    let (rules, problems) = RuleSet::load_layers(&[mine]);
    for problem in problems.iter().chain(&rules.check(&Corpus::default(), &Levels::default())) {
        assert!(!problem.render(true).is_empty());
    }
    let _ = rules.test(None);
    let candidates = candidates();
    for inquiry in inquiries() {
        let judged = rules.judge(&inquiry, &candidates);
        assert_eq!(judged.len(), candidates.len());
        assert!(judged.iter().all(|j| (0.0..=1.0).contains(&j.preference)));
        // The same files say the same twice.
        assert_eq!(judged, rules.judge(&inquiry, &candidates));
        for (candidate, judgement) in candidates.iter().zip(&judged) {
            assert_eq!(rules.explain(&inquiry, candidate).verdict, judgement.verdict);
            let _ = rules.steps(&inquiry, candidate);
        }
        let pairs: Vec<_> = candidates.iter().zip(&judged).collect();
        let feasible = judged.iter().filter(|j| j.verdict != Verdict::Rejected).count();
        assert_eq!(rules.rank(&inquiry, &pairs).len(), feasible);
    }
});
