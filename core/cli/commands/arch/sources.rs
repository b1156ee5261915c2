//! Where weights are, and how a file that convwise reads is made of them.

use std::fmt::Write as _;

use convwise_types::{Architecture, Coverage, TrainingData, Weights};

use crate::screen::{NAME, styled};

/// Where the weights are, what they expect, and how a file that convwise reads is made of them.
pub(super) fn sources(a: &Architecture) -> String {
    let mut out = String::new();
    for w in &a.weights {
        let _ = writeln!(out, "\n{}", styled(NAME, &w.tag));
        let mut line = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(out, "  {name:<15} {value}");
            }
        };
        line("licence", Some(w.licence.as_ref().map_or_else(|| "unknown".to_owned(), |l| l.spdx.clone())));
        line("fills", (w.covers == Coverage::Backbone).then(|| "the backbone alone".to_owned()));
        line("trained on", trained_on(w));
        line("found as", w.found_as.clone());
        line("file", w.url.clone());
        line("preprocessing", w.preprocessing.as_ref().map(ToString::to_string));
        line("to safetensors", to_safetensors(a, w));
    }
    out
}

/// What the weights were trained on, each with its owner's terms.
fn trained_on(weights: &Weights) -> Option<String> {
    let one = |data: &TrainingData| match &data.terms {
        Some(terms) => format!("{} ({})", data.id, terms.licence),
        None => data.id.clone(),
    };
    let all: Vec<_> = weights.trained_on.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// A command that writes the weights as a file for `export --weights`.
pub(super) fn to_safetensors(a: &Architecture, weights: &Weights) -> Option<String> {
    if !a.is_buildable() || weights.covers == Coverage::Backbone {
        return None;
    }
    let save = format!("save_model(m, '{}.safetensors')", a.id);
    let (package, _) = weights.tag.as_str().split_once('/')?;
    match (package, &weights.found_as, &weights.url) {
        ("torchvision", Some(found_as), _) => {
            let name = found_as.rsplit('.').next()?;
            Some(format!(
                "python -c \"import torchvision; from safetensors.torch import save_model; \
                 m = torchvision.models.get_model('{}', weights='{name}'); {save}\"",
                a.id
            ))
        }
        ("timm", Some(found_as), _) => Some(format!(
            "python -c \"import timm; from safetensors.torch import save_model; \
             m = timm.create_model('{}', pretrained=True); {save}\"",
            found_as.strip_prefix("timm/").unwrap_or(found_as)
        )),
        (_, _, Some(url)) if url.ends_with(".pth") => {
            let file = url.rsplit('/').next()?;
            Some(format!(
                "python -c \"import torch; from safetensors.torch import save_file; \
                 s = torch.load('{file}', map_location='cpu'); s = s.get('state_dict', s); \
                 save_file({{k: v.contiguous() for k, v in s.items()}}, '{}.safetensors')\"",
                a.id
            ))
        }
        _ => None,
    }
}
