//! Which provider took which node, by ONNX Runtime's own account of how it divided the graph
//! (`Session_GetEpGraphAssignmentInfo`, from version 1.24 on). It is written down while the model loads and costs a run
//! nothing. Nodes are those of the model after the optimisations that come before the division; a node that a provider
//! compiles into one kernel with others still counts as one.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char};

use convwise_sdk::RunnerError;
use ort::AsPointer;
use ort::session::Session;
use ort::sys;

use crate::error::from_ort;

/// The entry of a session's configuration that has the account written.
pub(crate) const CONFIG: &str = "session.record_ep_graph_assignment_info";

/// Most nodes that a refusal names.
const NAMED: usize = 5;

/// One node of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) provider: String,
    pub(crate) name: String,
    pub(crate) op: String,
}

/// All nodes of a loaded model.
pub(crate) fn placed(session: &Session) -> Result<Vec<Placed>, RunnerError> {
    read(session).map_err(|error| from_ort("say which provider took which node", &error))
}

/// Nodes per provider.
pub(crate) fn count(nodes: &[Placed]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for node in nodes {
        *counts.entry(node.provider.clone()).or_default() += 1;
    }
    counts
}

/// The error that names what runs elsewhere than on `provider`, if anything does.
pub(crate) fn refusal(nodes: &[Placed], provider: &str) -> Option<RunnerError> {
    let elsewhere: Vec<_> = nodes.iter().filter(|node| node.provider != provider).collect();
    if elsewhere.is_empty() {
        return None;
    }
    let named = elsewhere.iter().take(NAMED);
    let named: Vec<_> = named.map(|node| format!("{} {} on {}", node.op, node.name, node.provider)).collect();
    let more = elsewhere.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(RunnerError::unsupported(format!(
        "{provider} does not take {} of the model's {} nodes: {}{more}; option fallback=allow runs them there, and the \
         record says so",
        elsewhere.len(),
        nodes.len(),
        named.join(", ")
    )))
}

/// What to say of a model that runs in several places because that was allowed.
pub(crate) fn note(counts: &BTreeMap<String, u64>, provider: &str) -> Option<String> {
    let elsewhere: u64 = counts.iter().filter(|(name, _)| *name != provider).map(|(_, nodes)| nodes).sum();
    (elsewhere > 0)
        .then(|| format!("nodes that run elsewhere than on {provider}: {elsewhere} (fallback=allow)"))
}

/// A getter of the C API that answers an array.
type Array<O, I> = unsafe extern "system" fn(*const O, *mut *const *const I, *mut usize) -> sys::OrtStatusPtr;

/// A getter of the C API that answers a text.
type Text<O> = unsafe extern "system" fn(*const O, *mut *const c_char) -> sys::OrtStatusPtr;

fn read(session: &Session) -> ort::Result<Vec<Placed>> {
    let api = ort::api();
    let mut nodes = Vec::new();
    for &part in array(api.Session_GetEpGraphAssignmentInfo, session.ptr())? {
        let provider = text(api.EpAssignedSubgraph_GetEpName, part)?;
        for &node in array(api.EpAssignedSubgraph_GetNodes, part)? {
            let name = text(api.EpAssignedNode_GetName, node)?;
            let op = text(api.EpAssignedNode_GetOperatorType, node)?;
            nodes.push(Placed { provider: provider.clone(), name, op });
        }
    }
    Ok(nodes)
}

/// What a getter answers; it stays valid while the session lives, which every caller of this file has borrowed.
#[expect(unsafe_code, reason = "calls a function of a C library")]
fn array<'a, O, I>(get: Array<O, I>, of: *const O) -> ort::Result<&'a [*const I]> {
    let (mut items, mut count) = (std::ptr::null(), 0);
    // SAFETY: `of` is the session's or was handed out by it; the function writes the two places.
    unsafe { ort::Error::result_from_status(get(of, &mut items, &mut count)) }?;
    if items.is_null() {
        return Ok(&[]);
    }
    // SAFETY: the function promises as many items, for as long as the session lives.
    Ok(unsafe { std::slice::from_raw_parts(items, count) })
}

#[expect(unsafe_code, reason = "calls a function of a C library")]
fn text<O>(get: Text<O>, of: *const O) -> ort::Result<String> {
    let mut text = std::ptr::null();
    // SAFETY: `of` was handed out by the session; the function writes one place.
    unsafe { ort::Error::result_from_status(get(of, &mut text)) }?;
    if text.is_null() {
        return Ok(String::new());
    }
    // SAFETY: the function promises a terminated text, for as long as the session lives.
    Ok(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(provider: &str, name: &str, op: &str) -> Placed {
        Placed { provider: provider.into(), name: name.into(), op: op.into() }
    }

    #[test]
    fn nodes_are_counted() {
        let nodes = [node("A", "x", "Conv"), node("B", "y", "Resize"), node("A", "z", "Conv")];
        assert_eq!(count(&nodes), BTreeMap::from([("A".to_owned(), 2), ("B".to_owned(), 1)]));
        assert_eq!(
            note(&count(&nodes), "A").unwrap(),
            "nodes that run elsewhere than on A: 1 (fallback=allow)"
        );
        assert_eq!(note(&count(&nodes[..1]), "A"), None);
    }

    #[test]
    fn a_fallback_is_refused_by_name() {
        let cuda = "CUDAExecutionProvider";
        let mut nodes = vec![node(cuda, "conv1", "Conv")];
        assert_eq!(refusal(&nodes, cuda), None);
        nodes.push(node("CPUExecutionProvider", "head.nms", "NonMaxSuppression"));
        assert_eq!(
            refusal(&nodes, cuda).unwrap().to_string(),
            "not supported: CUDAExecutionProvider does not take 1 of the model's 2 nodes: NonMaxSuppression head.nms on \
             CPUExecutionProvider; option fallback=allow runs them there, and the record says so"
        );
        nodes.extend((0..6).map(|i| node("CPUExecutionProvider", &format!("n{i}"), "TopK")));
        assert!(
            refusal(&nodes, cuda).unwrap().message.contains("TopK n3 on CPUExecutionProvider and 2 more;")
        );
    }
}
