//! Request files of anybody: each is a request, or a problem that is shown at its place.
#![no_main]

use std::collections::BTreeMap;

use convwise_advisor::draft::Surroundings;
use convwise_advisor::request_file::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let around = Surroundings { cores: 8, cores_of: &|id| (id == "known").then_some(6) };
    match parse("request.toml", text) {
        Err(problem) => assert!(!problem.render(true).is_empty()),
        Ok(draft) => match draft.complete(&around, BTreeMap::new()) {
            Err(problem) => assert!(!problem.to_string().is_empty()),
            Ok(request) => {
                let document = serde_json::to_string(&request).expect("a request is a document");
                let again = serde_json::from_str(&document).expect("and is read as it was written");
                assert_eq!(request, again);
            }
        },
    }
});
