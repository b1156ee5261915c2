//! The planner against an exhaustive search, and against peaks worked out by hand.

use super::buffers::Problem;
use super::*;
use crate::builder::Builder;
use crate::infer::infer;
use crate::live::Live;
use crate::op::{Activation, Conv2d, Op, Padding};

/// Every topological order's peak, the lowest of them.
fn exhaustive(problem: &Problem) -> u64 {
    fn extend(problem: &Problem, order: &mut Vec<usize>, best: &mut u64) {
        if order.len() == problem.steps.len() {
            let peak = problem.trace(order).iter().map(|m| m.during).max().unwrap_or(0);
            *best = peak.max(problem.initial()).min(*best);
            return;
        }
        for step in 0..problem.steps.len() {
            let written = |b: usize| problem.buffers[b].writer.is_none_or(|w| order.contains(&w));
            if !order.contains(&step) && problem.steps[step].reads.iter().all(|r| written(r.buffer)) {
                order.push(step);
                extend(problem, order, best);
                order.pop();
            }
        }
    }
    let mut best = u64::MAX;
    extend(problem, &mut Vec::new(), &mut best);
    best
}

/// The peak that a plan's own order needs, found through the nodes it lists.
fn replay(graph: &Graph, shapes: &Shapes, options: MemoryOptions, plan: &MemoryPlan) -> u64 {
    let problem = Problem::of(graph, shapes, options);
    let step_of = |id: &NodeId| {
        let buffer = problem.buffers.iter().find(|b| b.nodes.first() == Some(id))?;
        buffer.writer
    };
    let order: Vec<_> = plan.steps.iter().filter_map(step_of).collect();
    assert_eq!(order.len(), problem.steps.len());
    problem.trace(&order).iter().map(|m| m.during).max().unwrap_or(0).max(problem.initial())
}

fn assert_runs(graph: &Graph, order: &[NodeId]) {
    let live = Live::of(graph);
    assert_eq!(order.len(), graph.iter().filter(|(id, _)| live.contains(*id)).count());
    for (place, id) in order.iter().enumerate() {
        let operands = &graph.node(*id).unwrap().inputs;
        assert!(operands.iter().all(|o| order[..place].contains(o)), "%{} runs too early", id.0);
    }
}

/// A small deterministic generator (xorshift), so that every failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// A graph of small images with random operations, operands, sizes and outputs.
fn random_graph(seed: u64, nodes: usize) -> Graph {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut b = Builder::new("random");
    let mut known = vec![b.add(Op::Input { dims: vec![2, 4, 4] }, &[], "x").unwrap()];
    while known.len() < nodes {
        let pick = |dice: &mut Dice| known[dice.below(known.len())];
        let (x, y) = (pick(&mut dice), pick(&mut dice));
        let label = format!("n{}", known.len());
        let added = match dice.below(8) {
            0 => b.add(Op::Activation(Activation::Relu), &[x], &label),
            1 => b.add(Op::Concat { axis: 1 }, &[x, y], &label),
            2 => b.add(Op::Flatten { from: 1 }, &[x], &label),
            3 | 4 => b.add(Op::Add, &[x, y], &label),
            5 | 6 => {
                let channels = b.shape(x).and_then(|s| s.dim(1)).unwrap_or(1);
                b.add(conv(channels, 3, 1 + dice.below(2), channels), &[x], &label)
            }
            _ => b.add(conv(1 + dice.below(9), 1, 1, 1), &[x], &label),
        };
        known.extend(added.ok());
    }
    b.output("last", *known.last().unwrap()).unwrap();
    if dice.below(2) == 0 {
        b.output("other", known[dice.below(known.len())]).unwrap();
    }
    b.finish().unwrap()
}

fn conv(out_channels: usize, kernel: usize, stride: usize, groups: usize) -> Op {
    let (kernel, padding) = ([kernel, kernel], Padding::symmetric(kernel / 2, kernel / 2));
    let stride = [stride, stride];
    Op::Conv2d(Conv2d { out_channels, kernel, stride, padding, dilation: [1, 1], groups, bias: false })
}

const ALL_OPTIONS: [MemoryOptions; 4] = [
    MemoryOptions { in_place_elementwise: false, depthwise: Depthwise::Separate },
    MemoryOptions { in_place_elementwise: true, depthwise: Depthwise::Separate },
    MemoryOptions { in_place_elementwise: true, depthwise: Depthwise::Rows },
    MemoryOptions { in_place_elementwise: true, depthwise: Depthwise::Channel },
];

#[test]
fn plans_are_as_good_as_exhaustive_search() {
    let (mut improved, mut sharper) = (0, 0);
    for seed in 0..400 {
        let graph = random_graph(seed, 4 + seed as usize % 6);
        let shapes = infer(&graph, 1).unwrap();
        for options in ALL_OPTIONS {
            let plan = plan(&graph, &shapes, options);
            let problem = Problem::of(&graph, &shapes, options);
            assert_eq!(plan.order, Order::Optimal, "seed {seed}");
            let best = exhaustive(&problem);
            assert_eq!(plan.peak_elements, best, "seed {seed}");
            let (plain, sharp) = (problem.least(), problem.least_held());
            assert!(plain <= sharp && sharp <= best, "seed {seed}: {plain}, {sharp}, {best}");
            sharper += usize::from(sharp > plain);
            assert_eq!(replay(&graph, &shapes, options, &plan), plan.peak_elements, "seed {seed}");
            assert_runs(&graph, &plan.steps);
            let listed: Vec<_> = (0..problem.steps.len()).collect();
            let listed = problem.trace(&listed).iter().map(|m| m.during).max().unwrap_or(0);
            improved += usize::from(plan.peak_elements < listed);
        }
    }
    assert!(improved > 20, "only {improved} orders were worth changing; the graphs are too easy");
    assert!(sharper > 100, "only {sharper} bounds were sharper");
}

#[test]
fn larger_graphs_get_an_order_that_runs() {
    let mut optimal = 0;
    for seed in 0..20 {
        let graph = random_graph(seed, 40 + 30 * (seed as usize % 5));
        let shapes = infer(&graph, 1).unwrap();
        let plan = plan(&graph, &shapes, MemoryOptions::default());
        assert_runs(&graph, &plan.steps);
        assert_eq!(
            replay(&graph, &shapes, MemoryOptions::default(), &plan),
            plan.peak_elements,
            "seed {seed}"
        );
        optimal += usize::from(plan.order == Order::Optimal);
    }
    assert!(optimal > 0);
}

fn peak(in_place_elementwise: bool, build: impl Fn(&mut Builder)) -> u64 {
    let mut b = Builder::new("net");
    build(&mut b);
    let graph = b.finish().unwrap();
    let shapes = infer(&graph, 1).unwrap();
    let options = MemoryOptions { in_place_elementwise, ..MemoryOptions::default() };
    plan(&graph, &shapes, options).peak_elements
}

fn linear(out_features: usize) -> Op {
    Op::Linear { out_features, bias: false, rows: None }
}

#[test]
fn the_smaller_branch_runs_last_when_its_operand_is_large() {
    // x(100) -> a(10) -> c(50) and x -> d(10); c is listed before d, which keeps x alive for it.
    let build = |b: &mut Builder| {
        let x = b.add(Op::Input { dims: vec![100] }, &[], "x").unwrap();
        let a = b.add(linear(10), &[x], "a").unwrap();
        let c = b.add(linear(50), &[a], "c").unwrap();
        let d = b.add(linear(10), &[x], "d").unwrap();
        let y = b.add(Op::Concat { axis: 1 }, &[c, d], "y").unwrap();
        b.output("y", y).unwrap();
    };
    // Listed: x + a + c = 160. Best: x + a + d = 120, then a + d + c = 70, then c + d + y = 120.
    assert_eq!(peak(true, build), 120);
}

#[test]
fn element_wise_results_overwrite_dying_operands_only() {
    let relu = |b: &mut Builder, x, name: &str| b.add(Op::Activation(Activation::Relu), &[x], name).unwrap();
    let chain = |b: &mut Builder| {
        let x = b.add(Op::Input { dims: vec![8] }, &[], "x").unwrap();
        let y = relu(b, x, "y");
        b.output("y", y).unwrap();
    };
    assert_eq!((peak(true, chain), peak(false, chain)), (8, 16));
    let residual = |b: &mut Builder| {
        let x = b.add(Op::Input { dims: vec![8] }, &[], "x").unwrap();
        let y = relu(b, x, "y");
        let sum = b.add(Op::Add, &[x, y], "sum").unwrap();
        b.output("sum", sum).unwrap();
    };
    assert_eq!((peak(true, residual), peak(false, residual)), (16, 24));
}

#[test]
fn views_take_no_memory_and_keep_their_operand() {
    let build = |b: &mut Builder| {
        let x = b.add(Op::Input { dims: vec![4, 4] }, &[], "x").unwrap();
        let flat = b.add(Op::Flatten { from: 1 }, &[x], "flat").unwrap();
        let y = b.add(linear(3), &[flat], "y").unwrap();
        b.output("y", y).unwrap();
        b.output("flat", flat).unwrap();
    };
    assert_eq!(peak(true, build), 19);
    assert_eq!(peak(false, build), 19);
}

#[test]
fn an_unused_input_takes_none() {
    let build = |b: &mut Builder| {
        b.add(Op::Input { dims: vec![1000] }, &[], "unused").unwrap();
        let x = b.add(Op::Input { dims: vec![4] }, &[], "x").unwrap();
        let y = b.add(linear(3), &[x], "y").unwrap();
        b.output("y", y).unwrap();
    };
    assert_eq!(peak(true, build), 7);
}

#[test]
fn depthwise_convolutions_can_overwrite_their_operand() {
    let depthwise = |b: &mut Builder| {
        let x = b.add(Op::Input { dims: vec![8, 6, 6] }, &[], "x").unwrap();
        let y = b.add(conv(8, 3, 1, 8), &[x], "y").unwrap();
        let z = b.add(conv(8, 3, 2, 8), &[y], "z").unwrap();
        b.output("z", z).unwrap();
    };
    let [_, separate, rows, channel] = ALL_OPTIONS.map(|options| {
        let mut b = Builder::new("net");
        depthwise(&mut b);
        let graph = b.finish().unwrap();
        plan(&graph, &infer(&graph, 1).unwrap(), options).peak_elements
    });
    let image = 8 * 6 * 6;
    assert_eq!(separate, 2 * image);
    // Three rows of all channels, and one channel of the larger result.
    assert_eq!(rows, image + 3 * 6 * 8);
    assert_eq!(channel, image + 6 * 6);
}

#[test]
fn layers_without_an_output_take_no_memory() {
    let build = |aux: bool| {
        move |b: &mut Builder| {
            let x = b.add(Op::Input { dims: vec![2, 4, 4] }, &[], "x").unwrap();
            let y = b.add(conv(3, 1, 1, 1), &[x], "y").unwrap();
            if aux {
                b.add(conv(900, 1, 1, 1), &[y], "aux").unwrap();
            }
            let z = b.add(conv(1, 1, 1, 1), &[y], "z").unwrap();
            b.output("z", z).unwrap();
        }
    };
    assert_eq!(peak(true, build(true)), peak(true, build(false)));
}
