//! What the builder and the validator say about mistakes, word for word.

use convwise_graph::{
    Builder, Conv2d, Graph, GraphError, Named, NodeId, Op, Padding, Param, ParamRole, Pool, Shape, cost,
    infer,
};

fn conv(out_channels: usize) -> Op {
    Op::Conv2d(Conv2d {
        out_channels,
        kernel: [3, 3],
        stride: [1, 1],
        padding: Padding::symmetric(1, 1),
        dilation: [1, 1],
        groups: 1,
        bias: true,
    })
}

fn pool() -> Pool {
    Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default(), ceil: false }
}

/// A builder with an image `x` and a convolution `a.conv` over it.
fn started() -> (Builder, NodeId, NodeId) {
    let mut b = Builder::new("net");
    let x = b.add(Op::Input { dims: vec![3, 8, 8] }, &[], "x").unwrap();
    let a = b.add(conv(4), &[x], "a.conv").unwrap();
    (b, x, a)
}

/// A valid graph of three nodes.
fn graph() -> Graph {
    let (mut b, x, a) = started();
    b.add(Op::Concat { axis: 1 }, &[x, a], "join").unwrap();
    b.output("a", a).unwrap();
    b.finish().unwrap()
}

#[track_caller]
fn check<T: std::fmt::Debug>(got: Result<T, GraphError>, expect: &str) {
    assert_eq!(got.unwrap_err().to_string(), expect);
}

#[test]
fn operands_that_do_not_fit() {
    let (mut b, x, a) = started();
    let misfit = "`join` (add) over [1x3x8x8] and [1x4x8x8]: axis 1 has 3 and 4; \
                  expected equal extents, or 1 in one of them";
    check(b.add(Op::Add, &[x, a], "join"), misfit);
    check(b.add(Op::Add, &[x], "join"), "`join` (add): the number of operands is 1; expected 2");
    check(
        b.add(Op::Concat { axis: 1 }, &[], ""),
        "`concat` (concat): the number of operands is 0; expected at least 1",
    );
    check(
        b.add(Op::Input { dims: vec![0] }, &[], "y"),
        "`y` (input): the tensor [1x0] is empty; expected at least 1 along axis 1",
    );
    let groups =
        "`g` (channel_shuffle) over [1x3x8x8]: 2 groups of 3 channels; expected a divisor of the channels";
    check(b.add(Op::ChannelShuffle { groups: 2 }, &[x], "g"), groups);
}

#[test]
fn handles_of_another_graph() {
    let (mut b, x, _) = started();
    let foreign = NodeId(7);
    let words = "`join` refers to %7, which is not among the 2 nodes before it; use a tensor of this graph";
    check(b.add(Op::Add, &[x, foreign], "join"), words);
    let output = "`y` of the outputs refers to %7, which is not among the 2 nodes before it; use a tensor of this graph";
    check(b.output("y", foreign), output);
    assert_eq!(b.shape(foreign), None);
}

#[test]
fn names_are_given_once() {
    let (mut b, x, a) = started();
    check(b.add(conv(4), &[x], "a.conv"), "there are two nodes called `a.conv`; give each a name of its own");
    let unnamed =
        "node %2 (conv2d) has trained tensors and no name; give it the module's path in the state_dict";
    check(b.add(conv(4), &[x], ""), unnamed);
    let scale = Op::Scale { dims: vec![4, 1, 1] };
    let tensor = "there are two tensors called `a.conv.bias`; give each a name of its own";
    check(b.add(scale, &[a], "a.conv.bias"), tensor);
    b.output("y", a).unwrap();
    check(b.output("y", x), "there are two outputs called `y`; give each a name of its own");
    check(b.output("", x), "one of the outputs has no name; give it one, for example `logits`");
    b.stage("c2", a).unwrap();
    check(b.stage("c2", x), "there are two stages called `c2`; give each a name of its own");
}

#[test]
fn a_refused_node_leaves_no_trace() {
    let (mut b, x, a) = started();
    let before = b.graph().clone();
    assert!(b.add(Op::Add, &[x, a], "join").is_err());
    assert!(b.add(conv(0), &[x], "b.conv").is_err());
    assert_eq!(b.graph(), &before);
    b.add(conv(4), &[x], "b.conv").unwrap();
}

#[test]
fn labels_are_made_up_where_they_are_not_needed() {
    let (mut b, x, _) = started();
    b.add(Op::Flatten { from: 1 }, &[x], "global_avg_pool:3").unwrap();
    let pool = b.add(Op::GlobalAvgPool, &[x], "").unwrap();
    assert_eq!(b.graph().node(pool).unwrap().name, "global_avg_pool:3:");
}

#[test]
fn tensors_are_called_like_the_reference() {
    let (mut b, _, a) = started();
    let a = b.add(Op::BatchNorm { eps: 1e-5, frozen: false }, &[a], "a.bn").unwrap();
    let a = b.add(Op::Scale { dims: vec![4, 1, 1] }, &[a], "a.layer_scale").unwrap();
    b.output("y", a).unwrap();
    let graph = b.finish().unwrap();
    let names: Vec<_> = graph.params().map(|p| p.name.as_str()).collect();
    let norm = ["a.bn.weight", "a.bn.bias", "a.bn.running_mean", "a.bn.running_var"];
    assert_eq!(names, [&["a.conv.weight", "a.conv.bias"][..], &norm, &["a.layer_scale"]].concat());
}

#[test]
fn graphs_have_a_limit_and_an_output() {
    let (b, x, _) = started();
    let mut b = b.with_limit(3);
    b.add(Op::GlobalAvgPool, &[x], "").unwrap();
    let limit = "more than 3 nodes; check the script's loops, or raise the limit";
    check(b.add(Op::GlobalAvgPool, &[x], ""), limit);
    check(b.finish(), "the graph `net` has no output; name at least one");
}

#[test]
fn a_million_nodes_are_refused() {
    let mut b = Builder::new("loop");
    let mut x = b.add(Op::Input { dims: vec![1] }, &[], "x").unwrap();
    let added = (0..1_000_000).find_map(|_| {
        let next = b.add(Op::Activation(convwise_graph::Activation::Relu), &[x], "");
        next.map(|id| x = id).err()
    });
    assert_eq!(added, Some(GraphError::TooManyNodes { limit: 20_000 }));
}

#[track_caller]
fn check_changed(change: impl FnOnce(&mut Graph), expect: &str) {
    let mut graph = graph();
    graph.validate().unwrap();
    change(&mut graph);
    check(graph.validate(), expect);
}

#[test]
fn the_validator_looks_at_handles_first() {
    let forward =
        "`a.conv` refers to %2, which is not among the 1 nodes before it; use a tensor of this graph";
    check_changed(
        |g| {
            g.nodes[1].inputs[0] = NodeId(2);
            g.nodes[0].op = Op::Input { dims: vec![0] };
        },
        forward,
    );
    let own = "`a.conv` refers to %1, which is not among the 1 nodes before it; use a tensor of this graph";
    check_changed(|g| g.nodes[1].inputs[0] = NodeId(1), own);
    let output = "`late` refers to %9, which is not among the 3 nodes before it; use a tensor of this graph";
    check_changed(|g| g.outputs.push(Named { name: "late".into(), node: NodeId(9) }), output);
}

#[test]
fn the_validator_compares_tensors_with_the_operation() {
    let missing = "`a.conv` (conv2d) has the tensors weight [4x3x3x3]; expected weight [4x3x3x3], bias [4]";
    check_changed(|g| _ = g.nodes[1].params.pop(), missing);
    let shape =
        "`a.conv` (conv2d) has the tensors weight [4x3x3x3], bias [5]; expected weight [4x3x3x3], bias [4]";
    check_changed(|g| g.nodes[1].params[1].shape = Shape::from([5]), shape);
    let surplus = Param { name: "b".into(), role: ParamRole::Scale, shape: Shape::from([1]) };
    let extra = "`join` (concat) has the tensors scale [1]; expected none";
    check_changed(|g| g.nodes[2].params.push(surplus), extra);
}

#[test]
fn the_validator_wants_names_and_outputs() {
    check_changed(
        |g| g.nodes[2].name = "x".into(),
        "there are two nodes called `x`; give each a name of its own",
    );
    check_changed(
        |g| g.nodes[2].name.clear(),
        "one of the nodes has no name; give it one, for example `logits`",
    );
    let tensors = "there are two tensors called `a.conv.bias`; give each a name of its own";
    check_changed(|g| g.nodes[1].params[0].name = "a.conv.bias".into(), tensors);
    check_changed(|g| g.outputs.clear(), "the graph `net` has no output; name at least one");
    let operands = "`join` (concat): the number of operands is 0; expected at least 1";
    check_changed(|g| g.nodes[2].inputs.clear(), operands);
}

#[test]
fn a_batch_has_at_least_one_image() {
    let words = "`x` (input): the tensor [0x3x8x8] is empty; expected at least 1 along axis 0";
    check(infer(&graph(), 0), words);
    assert_eq!(infer(&graph(), 5).unwrap().of(NodeId(2)).to_string(), "[5x7x8x8]");
    assert!(infer(&graph(), usize::MAX).is_err());
}

#[test]
fn a_shared_module_has_its_tensors_once() {
    let (mut b, x, a) = started();
    let half = b.add(Op::MaxPool(pool()), &[x], "").unwrap();
    let again = b.add_shared(conv(4), &[half], "a.conv").unwrap();
    check(b.add(conv(4), &[x], "a.conv"), "there are two nodes called `a.conv`; give each a name of its own");
    let unlike = "a shared module has the tensors a.conv.weight [4x3x3x3], a.conv.bias [4] at its first use and \
                  a.conv.weight [5x3x3x3], a.conv.bias [5] here; expected the same";
    check(b.add_shared(conv(5), &[x], "a.conv"), unlike);
    b.output("a", a).unwrap();
    b.output("b", again).unwrap();
    let graph = b.finish().unwrap();
    assert_eq!(graph.node(again).map(|n| n.name.as_str()), Some("a.conv@2"));
    graph.validate().unwrap();
    let shapes = infer(&graph, 1).unwrap();
    let cost = cost(&graph, &shapes);
    assert_eq!((cost.params.0, cost.macs.0), (4 * 27 + 4, 4 * 27 * (64 + 16)));
    assert_eq!(graph.params().count(), 2);
    let mut stolen = graph.clone();
    stolen.nodes[3].params[1].name = "b".into();
    assert!(stolen.validate().unwrap_err().to_string().starts_with("a shared module has the tensors"));
    let mut circle = graph;
    circle.nodes[3].shares = Some(NodeId(3));
    check(
        circle.validate(),
        "`a.conv@2` refers to %3, which is not among the 3 nodes before it; use a tensor of this graph",
    );
}

#[test]
fn a_frozen_norm_is_stored_but_not_trained() {
    let norm = || Op::BatchNorm { eps: 1e-5, frozen: false };
    let (mut b, _, a) = started();
    b.freeze_norms("body.");
    let a = b.add(norm(), &[a], "body.bn").unwrap();
    let a = b.add(norm(), &[a], "head.bn").unwrap();
    b.output("a", a).unwrap();
    let graph = b.finish().unwrap();
    let cost = cost(&graph, &infer(&graph, 1).unwrap());
    assert_eq!((cost.params.0, cost.buffers), (4 * 27 + 4 + 2 * 4, 4 * 4 + 2 * 4));
}

#[test]
fn places_and_numbers_are_not_exchanged() {
    let (mut b, x, _) = started();
    let row = b.add(Op::Flatten { from: 1 }, &[x], "").unwrap();
    let places = b.add(Op::TopPlaces { count: 3 }, &[row], "best").unwrap();
    let sum = "`sum` (add): operand 0 is places; expected numbers";
    check(b.add(Op::Add, &[places, row], "sum"), sum);
    check(b.add(Op::Rows, &[row, row], "r"), "`r` (rows): operand 1 is numbers; expected places");
    b.add(Op::Rows, &[row, places], "r").unwrap();
}
