//! The identity of a network's structure.

use serde::Serialize;

use crate::graph::{Graph, Named, Node};

/// Raised whenever the same graph would hash differently.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Structure<'a> {
    version: u32,
    nodes: &'a [Node],
    outputs: &'a [Named],
}

/// BLAKE3 of what a graph computes and how its tensors are named, as 64 hexadecimal digits.
///
/// The network's own name and its stages are left out: they change nothing that can be measured.
#[must_use]
pub fn fingerprint(graph: &Graph) -> String {
    let structure = Structure { version: VERSION, nodes: &graph.nodes, outputs: &graph.outputs };
    let mut hash = blake3::Hasher::new();
    // Neither plain data nor a hasher can fail here; a float that JSON cannot hold is written as null.
    let written = serde_json::to_writer(&mut hash, &structure);
    debug_assert!(written.is_ok(), "a graph is plain data");
    hash.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::{Activation, Builder, Graph, Op};

    fn net(name: &str, last: Activation) -> Graph {
        let mut b = Builder::new(name);
        let x = b.add(Op::Input { dims: vec![3, 4, 4] }, &[], "input").unwrap();
        let y = b.add(Op::Activation(last), &[x], "act").unwrap();
        b.stage("c1", x).unwrap();
        b.output("y", y).unwrap();
        b.finish().unwrap()
    }

    #[test]
    fn tells_structures_apart_and_ignores_names_of_the_whole() {
        let relu = fingerprint(&net("a", Activation::Relu));
        assert_eq!(relu.len(), 64);
        assert_eq!(relu, fingerprint(&net("b", Activation::Relu)));
        assert_ne!(relu, fingerprint(&net("a", Activation::Relu6)));
    }

    /// A stored measurement refers to this value: a change needs a new `VERSION`.
    #[test]
    fn stays_what_it_was() {
        insta::assert_snapshot!(fingerprint(&net("a", Activation::Relu)), @"589bbbd9956fdc3472315ae943313bf6c519baee3ccb13de0ba7b784eb161aee");
    }
}
