//! `convwise export`: a network as an ONNX file.

use std::fs::File;
use std::path::Path;

use convwise_advisor::catalogue::Form;
use convwise_advisor::find_buildable;
use convwise_onnx::{Batch, ExportOptions, Model, export};
use convwise_types::Bytes;
use serde_json::json;

use crate::args::ExportArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::weights::{Weighted, weighted};

pub(crate) fn run(context: &Context, args: &ExportArgs) -> Result<(), CliError> {
    let batch = batch(&args.batch)?;
    let zoo = context.zoo();
    let variant = match zoo.find(&args.architecture) {
        Ok(variant) => variant,
        // The knowledge base may know more of it, and is opened for that alone.
        Err(_) => find_buildable(&context.world()?, &args.architecture)?,
    };
    let input = zoo.architecture(variant).input;
    let input = args.input_size.map_or(input, |size| size.of(input));
    let wanted = Form { classes: args.classes, postprocess: args.postprocess }.at(input);
    let Weighted { graph, weights, fitting } = weighted(zoo, variant, &wanted, &args.weights)?;
    let options = ExportOptions { batch, keep_batchnorm: args.keep_batchnorm, ..ExportOptions::default() };
    let model = export(&graph, weights.as_ref(), &options).map_err(CliError::invalid)?;
    let bytes = save(&model, &args.output)?;
    for remark in fitting.remarks() {
        context.screen.remark(remark);
    }
    if args.json.json {
        return context.screen.json(&json!({
            "schema": "convwise.export/1",
            "architecture": variant.id(),
            "file": args.output,
            "bytes": bytes,
            "weights": weights.describe(),
            "input": input,
            "batch": args.batch,
            "opset": options.opset,
            "classes": args.classes,
            "postprocess": args.postprocess,
            "names": fitting.names.as_ref().map(|(package, model)| format!("{package}/{model}")),
            "begun_anew": fitting.begun_anew,
            "left_out": fitting.left_out,
        }));
    }
    context.screen.result(&format!(
        "{}: {} at {input}, batch {}, weights {}, opset {}, {}",
        args.output.display(),
        variant.id(),
        args.batch,
        weights.describe(),
        options.opset,
        Bytes(bytes)
    ))
}

fn batch(text: &str) -> Result<Batch, CliError> {
    if text == "dynamic" {
        return Ok(Batch::Dynamic);
    }
    match text.parse::<usize>() {
        Ok(n) if (1..=4096).contains(&n) => Ok(Batch::Fixed(n)),
        _ => Err(CliError::invalid(format!("`{text}` is not a batch size; write 1 to 4096, or `dynamic`"))),
    }
}

/// Writes beside the file and renames, so that a full disk leaves no half file. Answers the bytes of all files.
fn save(model: &Model, path: &Path) -> Result<u64, CliError> {
    let problem = |e: std::io::Error| CliError::failed(format!("cannot write {}: {e}", path.display()));
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new().prefix(".convwise-").tempdir_in(parent).map_err(problem)?;
    let name = path.file_name().ok_or_else(|| {
        CliError::invalid(format!("{} names no file; write for example -o net.onnx", path.display()))
    })?;
    let mut bytes = 0;
    // The weights first: a model that is there is whole.
    for file in model.save(&folder.path().join(name)).map_err(problem)?.into_iter().rev() {
        bytes += std::fs::metadata(&file).map_err(problem)?.len();
        readable_by_all(&File::open(&file).map_err(problem)?).map_err(problem)?;
        let target = parent.join(file.file_name().unwrap_or_default());
        std::fs::rename(&file, target).map_err(problem)?;
    }
    Ok(bytes)
}

/// Temporary files are private; a model that was asked for is not.
#[cfg(unix)]
fn readable_by_all(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &File) -> std::io::Result<()> {
    Ok(())
}
