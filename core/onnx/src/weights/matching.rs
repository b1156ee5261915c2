//! How the tensors of a file are matched with those of a network that is not quite the file's own.

use std::collections::BTreeMap;

use convwise_graph::{Param, Shape};

/// What may differ between a file and a network without the weights being wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// What the file calls a tensor of the network, where it calls it otherwise. Such a tensor may also have
    /// other extents of the same order: `[C, 1, 1]` for `[C]`, or a 1x1 convolution for a linear layer.
    pub renamed: BTreeMap<String, String>,
    /// Beginnings of names that only training uses; what the file has of them is left out.
    pub training_only: Vec<String>,
    /// Tensors of the network whose extents follow the number of classes, with those of the published
    /// network. Where the file still has these, the tensor begins anew.
    pub head: BTreeMap<String, Shape>,
}

/// What becomes of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is taken as it is.
    Taken,
    /// It is the old head; the network's begins anew.
    Anew,
    /// It does not fit.
    Misfit,
}

impl Matching {
    /// What the file calls a tensor of the network.
    pub(super) fn name_of<'a>(&'a self, param: &'a Param) -> &'a str {
        self.renamed.get(&param.name).unwrap_or(&param.name)
    }

    /// Whether a tensor of the file is left out on purpose.
    pub(super) fn leaves_out(&self, name: &str) -> bool {
        let under = |prefix: &String| {
            name.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.training_only.iter().any(under)
    }

    /// What becomes of a tensor of these extents that the file has for `param`.
    pub(super) fn fit(&self, param: &Param, found: &[usize]) -> Fit {
        let same = |shape: &Shape| match self.renamed.contains_key(&param.name) {
            true => same_order(&shape.0, found),
            false => shape.0 == found,
        };
        match self.head.get(&param.name) {
            _ if same(&param.shape) => Fit::Taken,
            Some(published) if same(published) => Fit::Anew,
            _ => Fit::Misfit,
        }
    }
}

/// Whether row-major elements stand in the same places, counted from the same first axis.
fn same_order(a: &[usize], b: &[usize]) -> bool {
    let elements = |dims: &[usize]| Shape(dims.to_vec()).elements();
    a.first() == b.first() && elements(a) == elements(b)
}

#[cfg(test)]
mod tests {
    use convwise_graph::ParamRole;

    use super::*;

    fn check(matching: &Matching, found: &[usize], expect: Fit) {
        let shape = Shape::from([10, 64]);
        let param = Param { name: "fc.weight".to_owned(), role: ParamRole::Weight, shape };
        assert_eq!(matching.fit(&param, found), expect, "{found:?}");
    }

    #[test]
    fn extents_differ_only_where_that_is_meant() {
        let mut matching = Matching::default();
        check(&matching, &[10, 64], Fit::Taken);
        check(&matching, &[10, 64, 1, 1], Fit::Misfit);
        check(&matching, &[1000, 64], Fit::Misfit);
        matching.head.insert("fc.weight".to_owned(), Shape::from([1000, 64]));
        check(&matching, &[1000, 64], Fit::Anew);
        check(&matching, &[10, 64], Fit::Taken);
        check(&matching, &[1000, 65], Fit::Misfit);
        matching.renamed.insert("fc.weight".to_owned(), "head.fc.weight".to_owned());
        check(&matching, &[10, 64, 1, 1], Fit::Taken);
        check(&matching, &[10, 8, 8], Fit::Taken);
        check(&matching, &[1000, 64, 1, 1], Fit::Anew);
        check(&matching, &[64, 10], Fit::Misfit);
    }

    #[test]
    fn whole_segments_begin_what_is_left_out() {
        let matching = Matching { training_only: vec!["aux1".to_owned()], ..Matching::default() };
        assert!(matching.leaves_out("aux1.conv.weight") && matching.leaves_out("aux1"));
        assert!(!matching.leaves_out("aux10.conv.weight"));
    }
}
