//! From the nodes of a file to steps.

use std::collections::{HashMap, HashSet};

use convwise_onnx::proto::NodeProto;
use convwise_sdk::{RunnerError, TensorInfo};
use tch::{Device, Kind, Tensor};

use super::{Plan, Step, fuse, lifetime};
use crate::fault::Fault;
use crate::model::{Model, is_standard};
use crate::ops::{Node, Operands, Prepare, Slot, Surroundings, find};
use crate::settings::{Layout, Settings};

/// Makes a plan of a model.
pub(crate) fn compile(model: Model, settings: &Settings) -> Result<Plan, RunnerError> {
    let Model { opset, inputs, outputs, weights, nodes } = model;
    let mut builder = Builder::default();
    for (name, tensor) in weights {
        let tensor = placed(tensor, settings.device).map_err(|fault| fault.at(&format!("tensor {name}")))?;
        builder.define(&name, Some(tensor))?;
    }
    let inputs = inputs.into_iter().map(|info| Ok((builder.define(&info.name, None)?, info)));
    let inputs = inputs.collect::<Result<Vec<_>, RunnerError>>()?;
    let kept: HashSet<&str> = outputs.iter().map(|info| info.name.as_str()).collect();
    let nodes = fuse::fuse(nodes, &kept, &|name| builder.constant(name));
    let (layout, device) = (layout_for(&nodes, &builder, settings), settings.device);
    builder.surroundings = Some(Surroundings { opset, layout, device });
    for node in &nodes {
        builder.add(node).map_err(|fault| fault.at(&place(node, opset)))?;
    }
    let outputs = outputs.into_iter().map(|info| Ok((builder.output(&info)?, info)));
    let outputs = outputs.collect::<Result<Vec<_>, RunnerError>>()?;
    let notes = notes(&nodes);
    Ok(builder.finish(inputs, outputs, layout == Layout::ChannelsLast, notes))
}

/// A node's name, or that of its result.
fn name(node: &NodeProto) -> String {
    let first = node.output.first().map_or("", String::as_str);
    if node.name().is_empty() { first.to_owned() } else { node.name().to_owned() }
}

/// A node as errors name it while its operator is prepared.
fn place(node: &NodeProto, opset: i64) -> String {
    format!("node {} ({}, opset {opset})", name(node), node.op_type())
}

/// Numbers that are computed with go to the device; extents and the like stay where they are read.
fn placed(tensor: Tensor, device: Device) -> Result<Tensor, Fault> {
    let is_list = tensor.kind() == Kind::Int64 && tensor.dim() <= 1;
    Ok(if is_list { tensor } else { tensor.f_to(device)? })
}

fn notes(nodes: &[NodeProto]) -> Vec<String> {
    let whole =
        |node: &NodeProto| node.op_type().contains("QuantizeLinear") || node.op_type().starts_with("QLinear");
    if !nodes.iter().any(whole) {
        return vec![];
    }
    vec!["quantised layers are computed in floating point, to the same results: their speed says nothing of int8".into()]
}

/// What `auto` means for a network; the README has the measurements.
fn layout_for(nodes: &[NodeProto], builder: &Builder, settings: &Settings) -> Layout {
    match settings.layout {
        Layout::Auto if settings.device != Device::Cpu => Layout::ChannelsLast,
        Layout::Auto if nodes.iter().any(|node| is_depthwise(node, builder)) => Layout::ChannelsLast,
        Layout::Auto => Layout::Contiguous,
        told => told,
    }
}

/// Whether each channel has a window of its own.
fn is_depthwise(node: &NodeProto, builder: &Builder) -> bool {
    let weight = node.input.get(1).and_then(|name| builder.constant(name));
    let shape = weight.filter(|_| node.op_type() == "Conv").map(Tensor::size).unwrap_or_default();
    matches!(shape.as_slice(), [channels, 1, ..] if *channels > 1)
        && node.attribute.iter().any(|attribute| attribute.name() == "group" && attribute.i() > 1)
}

/// A plan under construction.
#[derive(Default)]
struct Builder {
    slots: HashMap<String, Slot>,
    /// What is known so far; nothing for what a run computes.
    values: Vec<Option<Tensor>>,
    steps: Vec<Step>,
    surroundings: Option<Surroundings>,
}

impl Builder {
    /// Gives a value its place.
    fn define(&mut self, name: &str, value: Option<Tensor>) -> Result<Slot, RunnerError> {
        let slot = self.values.len();
        if self.slots.insert(name.to_owned(), slot).is_some() {
            return Err(RunnerError::model(format!("two values of the model are called {name}")));
        }
        self.values.push(value);
        Ok(slot)
    }

    fn constant(&self, name: &str) -> Option<&Tensor> {
        self.values.get(*self.slots.get(name)?)?.as_ref()
    }

    fn output(&self, info: &TensorInfo) -> Result<Slot, RunnerError> {
        let slot = self.slots.get(&info.name).copied();
        slot.ok_or_else(|| RunnerError::model(format!("nothing computes the output {}", info.name)))
    }

    fn add(&mut self, node: &NodeProto) -> Result<(), Fault> {
        let prepare = prepare(node)?;
        let mut inputs = node.input.iter().map(|name| self.operand(name)).collect::<Result<Vec<_>, _>>()?;
        let surroundings = self.surroundings.ok_or_else(|| Fault::model("it has no operator set"))?;
        let view = Node::new(node, &inputs, &self.values, surroundings);
        let kernel = prepare(&view)?;
        let known = (0..view.operands()).all(|index| !view.has(index) || view.known(index).is_some());
        let taken = view.taken();
        let results = match known {
            true => Some(kernel.compute(&Operands::new(&self.values, &inputs))?),
            false => None,
        };
        for index in taken {
            if let Some(slot) = inputs.get_mut(index) {
                *slot = None;
            }
        }
        let mut results = results.map(Vec::into_iter);
        let mut outputs = Vec::with_capacity(node.output.len());
        for name in &node.output {
            let value = results.as_mut().and_then(Iterator::next);
            let slot =
                if name.is_empty() { None } else { Some(self.define(name, value).map_err(duplicate)?) };
            outputs.push(slot);
        }
        if !known {
            self.steps.push(Step {
                kernel,
                node: name(node),
                operator: node.op_type().to_owned(),
                inputs,
                outputs,
                overwritten: None,
                dying: vec![],
                on_card: Some(surroundings.device).filter(|device| device.is_cuda()),
            });
        }
        Ok(())
    }

    fn operand(&self, name: &str) -> Result<Option<Slot>, Fault> {
        if name.is_empty() {
            return Ok(None);
        }
        let slot = self.slots.get(name).copied();
        slot.map(Some)
            .ok_or_else(|| Fault::model(format!("it reads {name}, which nothing before it computes")))
    }

    fn finish(
        mut self,
        inputs: Vec<(Slot, TensorInfo)>,
        outputs: Vec<(Slot, TensorInfo)>,
        channels_last: bool,
        notes: Vec<String>,
    ) -> Plan {
        let kept: HashSet<Slot> = outputs.iter().map(|(slot, _)| *slot).collect();
        lifetime::drop_idle(&mut self.steps, &kept);
        let read: HashSet<Slot> =
            self.steps.iter().flat_map(|step| step.inputs.iter().flatten().copied()).collect();
        for (slot, value) in self.values.iter_mut().enumerate() {
            // What kernels have taken in, and what only led to constants.
            if !read.contains(&slot) && !kept.contains(&slot) {
                *value = None;
            }
        }
        let mut lasting: HashSet<Slot> = inputs.iter().map(|(slot, _)| *slot).chain(kept).collect();
        lasting.extend(
            self.values.iter().enumerate().filter(|(_, value)| value.is_some()).map(|(slot, _)| slot),
        );
        lifetime::settle(&mut self.steps, &lasting);
        Plan { steps: self.steps, values: self.values, inputs, outputs, channels_last, notes }
    }
}

fn duplicate(error: RunnerError) -> Fault {
    Fault::model(error.message)
}

fn prepare(node: &NodeProto) -> Result<Prepare, Fault> {
    let (domain, operator) = (node.domain(), node.op_type());
    let joined = domain == fuse::DOMAIN;
    // The names that fusing gives are nobody else's.
    let hidden = fuse::OWN.contains(&operator) && !joined;
    let found = find(operator).filter(|_| (is_standard(domain) || joined) && !hidden);
    found.ok_or_else(|| {
        let whose = if is_standard(domain) { String::new() } else { format!(" of {domain}") };
        Fault::unsupported(format!("this runner has no operator {operator}{whose}"))
    })
}

#[cfg(test)]
mod tests {
    use convwise_sdk::Options;

    use super::*;
    use crate::ops::testing::{int, node};

    fn layout(groups: i64, weight: [i64; 4], told: &str) -> Layout {
        let mut builder = Builder::default();
        builder.define("w", Some(Tensor::zeros(weight, (Kind::Float, Device::Cpu)))).unwrap();
        let mut conv = node("Conv", &["x", "w"], "y");
        conv.attribute.push(int("group", groups));
        let options: Options = [("layout", told)].into_iter().collect();
        layout_for(&[conv], &builder, &Settings::read(&options).unwrap())
    }

    #[test]
    fn depthwise_networks_lie_with_channels_last_and_others_do_not() {
        assert_eq!(layout(8, [8, 1, 3, 3], "auto"), Layout::ChannelsLast);
        assert_eq!(layout(1, [8, 4, 3, 3], "auto"), Layout::Contiguous);
        assert_eq!(layout(1, [8, 1, 3, 3], "auto"), Layout::Contiguous, "one channel in");
        assert_eq!(layout(2, [8, 4, 3, 3], "auto"), Layout::Contiguous);
        assert_eq!(layout(1, [8, 4, 3, 3], "channels-last"), Layout::ChannelsLast);
        assert_eq!(layout(8, [8, 1, 3, 3], "contiguous"), Layout::Contiguous);
    }
}
