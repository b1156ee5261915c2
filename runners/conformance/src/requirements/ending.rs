//! The end.

use super::Requirement;
use crate::room::Room;
use crate::verdict::Verdict;

pub(super) const ALL: [Requirement; 1] = [Requirement {
    number: 27,
    title: "releases and ends in order",
    meaning: "After release() the runner can load again, and the process ends with status 0 when it is asked to.",
    check: ends_in_order,
}];

fn ends_in_order(room: &Room<'_>) -> Verdict {
    room.must_read_onnx()?;
    let mut worker = room.ready()?;
    worker.run(1)?;
    worker.release()?;
    room.load(&mut worker, &room.plain()?)?;
    worker.close()?;
    Ok("released, loaded again, ended with status 0".to_owned())
}
