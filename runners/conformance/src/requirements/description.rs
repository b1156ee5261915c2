//! What a runner says of itself.

use convwise_host::{Observation, Trial};

use super::Requirement;
use crate::room::Room;
use crate::verdict::{Verdict, broken, not_examined};

pub(super) const ALL: [Requirement; 4] = [
    Requirement {
        number: 5,
        title: "describes itself, always alike",
        meaning: "describe() gives a document of schema 1 with the name and version of the manifest, at least one format, \
                  and the option `threads`; the second answer equals the first.",
        check: describes_itself,
    },
    Requirement {
        number: 6,
        title: "starts nothing by describing itself",
        meaning: "Listing runners must be instant and safe: describe() starts no thread, opens no file and loads no \
                  library.",
        check: starts_nothing,
    },
    Requirement {
        number: 7,
        title: "has the extensions it lists, and no others",
        meaning: "extension() returns a table that is long enough for every listed id, and NULL for any other.",
        check: has_its_extensions,
    },
    Requirement {
        number: 8,
        title: "can run here",
        meaning: "probe() says that it is usable and on which devices, or what is missing and the one command that gets \
                  it. Without this, nothing that needs a model is examined.",
        check: can_run,
    },
];

fn describes_itself(room: &Room<'_>) -> Verdict {
    let mut worker = room.worker()?;
    let (first, second) = (worker.describe()?, worker.describe()?);
    if first != second {
        return broken("the second description differs from the first");
    }
    if let Some((name, version)) = &room.subject.manifest
        && (*name != first.name || *version != first.version)
    {
        let said = format!("{} {}", first.name, first.version);
        return broken(format!("it says that it is {said}, its manifest {name} {version}"));
    }
    if first.version.is_empty() || first.formats.is_empty() {
        return broken("its version or its list of formats is empty");
    }
    if !first.options.iter().any(|option| option.name == "threads") {
        return broken("its list of options lacks `threads`");
    }
    Ok(format!("{} {}, for {}", first.name, first.version, first.formats.join(", ")))
}

fn starts_nothing(room: &Room<'_>) -> Verdict {
    let Observation::Started(started) = room.worker()?.try_out(Trial::Describe)? else {
        return not_examined("the trial gave no answer");
    };
    if started == Default::default() {
        return Ok("no thread, no file, no library".to_owned());
    }
    let libraries = started.libraries.join(", ");
    broken(format!(
        "it started {} threads, opened {} files and loaded {} libraries {libraries}",
        started.threads,
        started.descriptors,
        started.libraries.len()
    ))
}

fn has_its_extensions(room: &Room<'_>) -> Verdict {
    let Observation::Extensions(seen) = room.worker()?.try_out(Trial::Extensions)? else {
        return not_examined("the trial gave no answer");
    };
    if seen.answers_anything {
        return broken("it returned a table for a name that nobody has");
    }
    if !seen.missing.is_empty() {
        return broken(format!(
            "it lists {}, and returns NULL or a table that is too short",
            seen.missing.join(", ")
        ));
    }
    if !seen.unlisted.is_empty() {
        return broken(format!(
            "it returns a table for {}, which it does not list",
            seen.unlisted.join(", ")
        ));
    }
    Ok(if seen.present.is_empty() { "none".to_owned() } else { seen.present.join(", ") })
}

fn can_run(room: &Room<'_>) -> Verdict {
    let probe = room.probe()?;
    if !probe.usable {
        let missing = probe.missing.iter().map(|missing| format!("{}; try `{}`", missing.what, missing.how));
        return broken(missing.collect::<Vec<_>>().join("; "));
    }
    if probe.devices.is_empty() {
        return broken("it says that it is usable, on no device");
    }
    let devices: Vec<_> = probe.devices.iter().map(|device| device.id.as_str()).collect();
    Ok(format!("on {}", devices.join(", ")))
}
