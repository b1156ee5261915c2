//! Opening the library, and meeting hosts of other versions.

use convwise_host::{Greeting, StrangeHost, Worker};

use super::Requirement;
use crate::room::Room;
use crate::verdict::{Verdict, broken, not_examined};

pub(super) const ALL: [Requirement; 4] = [
    Requirement {
        number: 1,
        title: "opens in a worker process",
        meaning: "The library loads with local symbols, exports convwise_runner_v1, and returns a table of this major \
                  version in which every function is present.",
        check: opens,
    },
    Requirement {
        number: 2,
        title: "refuses a host of another major version",
        meaning: "Given a cw_host whose major is not its own, the entry returns NULL instead of a table that the host \
                  would misread.",
        check: refuses_another_major,
    },
    Requirement {
        number: 3,
        title: "accepts a host of a later minor version",
        meaning: "A cw_host with a higher minor and a longer structure is as good as the one it was built for: fields \
                  that it does not know are not its business.",
        check: accepts_a_later_minor,
    },
    Requirement {
        number: 4,
        title: "reads no further than the host's structure",
        meaning: "What lies beyond cw_host.struct_size is not there: a structure without `log`, at the edge of readable \
                  memory, is met without a fault.",
        check: reads_no_further,
    },
];

fn opens(room: &Room<'_>) -> Verdict {
    room.worker()?;
    Ok("the table is whole".to_owned())
}

fn greeting(room: &Room<'_>, host: StrangeHost) -> Result<Greeting, crate::verdict::Failing> {
    match Worker::greeting(&room.spec(), host)? {
        Greeting::NoEntry => not_examined("it is part of this program and has no entry"),
        greeting => Ok(greeting),
    }
}

fn refuses_another_major(room: &Room<'_>) -> Verdict {
    match greeting(room, StrangeHost::NextMajor)? {
        Greeting::Refused => Ok("it returned NULL".to_owned()),
        _ => broken("it returned a table to a host whose major version it cannot know"),
    }
}

fn accepts_a_later_minor(room: &Room<'_>) -> Verdict {
    accepted(greeting(room, StrangeHost::LaterMinor)?)
}

fn reads_no_further(room: &Room<'_>) -> Verdict {
    accepted(greeting(room, StrangeHost::Short)?)
}

fn accepted(greeting: Greeting) -> Verdict {
    match greeting {
        Greeting::Accepted(Ok(name)) => Ok(format!("it returned its table and describes itself as {name}")),
        Greeting::Accepted(Err(why)) => {
            broken(format!("it returned a table, and could not describe itself: {why}"))
        }
        Greeting::Refused | Greeting::NoEntry => broken("it returned NULL"),
    }
}
