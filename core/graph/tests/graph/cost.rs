//! Counts of whole networks, compared with the reference implementation (torchvision 0.28.0;
//! multiply-accumulates by `torch.utils.flop_counter` of PyTorch 2.13.0, halved).

use convwise_graph::memory::Order;
use convwise_graph::{Cost, Folding, Graph, cost, infer};
use convwise_types::Precision;

use crate::nets;

fn cost_of(graph: &Graph, batch: usize) -> Cost {
    graph.validate().unwrap();
    cost(graph, &infer(graph, batch).unwrap())
}

/// Parameters, buffers (without batch counters) and multiply-accumulates.
fn check(graph: &Graph, expect: [u64; 3]) {
    let cost = cost_of(graph, 1);
    assert_eq!([cost.params.0, cost.buffers, cost.macs.0], expect, "{}", graph.name);
}

#[test]
fn counts_agree_with_the_reference() {
    check(&nets::resnet("resnet18", [2, 2, 2, 2], false), [11_689_512, 9_600, 1_814_073_344]);
    check(&nets::resnet("resnet50", [3, 4, 6, 3], true), [25_557_032, 53_120, 4_089_184_256]);
    check(&nets::resnet("resnet101", [3, 4, 23, 3], true), [44_549_160, 105_344, 7_801_405_440]);
    check(&nets::mobilenet_v2(), [3_504_872, 34_112, 300_774_272]);
}

#[test]
fn depthwise_convolutions_are_counted_apart() {
    let cost = cost_of(&nets::mobilenet_v2(), 1);
    let hidden = [32, 96, 144, 144, 192, 192, 192, 384, 384, 384, 384, 576, 576, 576, 960, 960, 960];
    let side = [112, 56, 56, 28, 28, 28, 14, 14, 14, 14, 14, 14, 14, 7, 7, 7, 7];
    let expect = hidden.iter().zip(side).map(|(c, s)| c * s * s * 9).sum::<u64>();
    assert_eq!(cost.depthwise_macs.0, expect);
    assert_eq!(cost_of(&nets::resnet("resnet18", [2, 2, 2, 2], false), 1).depthwise_macs.0, 0);
}

#[test]
fn nodes_add_up_to_the_whole() {
    let graph = nets::resnet("resnet50", [3, 4, 6, 3], true);
    let cost = cost_of(&graph, 1);
    assert_eq!(cost.nodes.len(), graph.nodes.len());
    assert_eq!(cost.nodes.iter().map(|n| n.macs.0).sum::<u64>(), cost.macs.0);
    assert_eq!(cost.nodes.iter().map(|n| n.params.0).sum::<u64>(), cost.params.0);
    let by_op: Vec<_> = cost.ops.iter().map(|(name, n)| format!("{name} {n}")).collect();
    let expect = "add 16, batch_norm 53, conv2d 53, flatten 1, global_avg_pool 1, input 1, linear 1, max_pool 1, relu 49";
    assert_eq!(by_op.join(", "), expect);
    // Stem, four stages and classifier, each convolution's channels x height x width; 11.1 million in
    // timm's benchmark tables.
    let stages = 4_415_488 + 3_110_912 + 2_157_568 + 627_200;
    assert_eq!(cost.activations, 64 * 112 * 112 + stages + 1_000);
}

#[test]
fn a_batch_multiplies_work_and_memory_but_not_weights() {
    let graph = nets::mobilenet_v2();
    let (one, four) = (cost_of(&graph, 1), cost_of(&graph, 4));
    assert_eq!(four.macs.0, 4 * one.macs.0);
    assert_eq!(four.activations, 4 * one.activations);
    assert_eq!(four.memory.peak_elements, 4 * one.memory.peak_elements);
    assert_eq!(four.params, one.params);
}

#[test]
fn weights_are_counted_as_deployed() {
    let graph = nets::resnet("resnet18", [2, 2, 2, 2], false);
    assert_eq!(Folding::of(&graph).iter().count(), 20);
    let cost = cost_of(&graph, 1);
    // A bias for each of 4800 channels replaces gain and offset of the batch norms.
    let (biases, fc_bias) = (4_800, 1_000);
    let weights = 11_689_512 - 2 * 4_800 - fc_bias;
    assert_eq!(cost.weight_bytes(Precision::Fp32).0, 4 * (weights + biases + fc_bias));
    assert_eq!(cost.weight_bytes(Precision::Fp16).0, 2 * (weights + biases + fc_bias));
    assert_eq!(cost.weight_bytes(Precision::Int8).0, weights + 4 * (biases + fc_bias));
    assert_eq!(cost.state_bytes().0, 4 * (11_689_512 + 9_600));
}

#[test]
fn peaks_worked_out_by_hand() {
    // A bottleneck at 56x56: block input, 3x3 result and block output are live in its last convolution.
    let resnet = cost_of(&nets::resnet("resnet50", [3, 4, 6, 3], true), 1);
    assert_eq!(resnet.memory.peak_elements, (256 + 64 + 256) * 56 * 56);
    // The first strided depthwise convolution: 96 channels from 112x112 to 56x56.
    let mobilenet = cost_of(&nets::mobilenet_v2(), 1);
    assert_eq!(mobilenet.memory.peak_elements, 96 * (112 * 112 + 56 * 56));
    assert_eq!(mobilenet.peak_activation_bytes(Precision::Fp32).0, 4 * 1_505_280);
    assert_eq!(mobilenet.peak_activation_bytes(Precision::Int8).0, 1_505_280);
    assert_eq!((resnet.memory.order, mobilenet.memory.order), (Order::Optimal, Order::Optimal));
}
