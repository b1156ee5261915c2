//! What this machine can compute on.

use convwise_sdk::{Device as Found, RunnerError};
use tch::{Cuda, Device};

use crate::cuda;

/// Every device, the processor first. CUDA is only looked for where a driver is: its library takes hundreds of megabytes.
pub(crate) fn present() -> Vec<Found> {
    let cpu = Found { id: "cpu".into(), kind: "cpu".into(), name: String::new() };
    let count = if cuda::driver_is_here() { cards().unwrap_or(0) } else { 0 };
    let cards =
        (0..count).map(|n| Found { id: format!("cuda:{n}"), kind: "gpu".into(), name: String::new() });
    std::iter::once(cpu).chain(cards).collect()
}

/// Whether a device is there.
pub(crate) fn check(device: Device) -> Result<(), RunnerError> {
    let Device::Cuda(number) = device else { return Ok(()) };
    let missing =
        |why: String| RunnerError::unavailable(format!("there is no CUDA here: {why}; use device=cpu"));
    match cards().map_err(missing)? {
        0 => Err(missing("libtorch finds no card with a driver".to_owned())),
        count if number >= count => Err(RunnerError::unavailable(format!(
            "there is no cuda:{number}; the last one is cuda:{}",
            count - 1
        ))),
        _ => Ok(()),
    }
}

/// Waits until a device has done what it was told.
pub(crate) fn finish(device: Device) {
    if let Device::Cuda(number) = device {
        Cuda::synchronize(i64::try_from(number).unwrap_or(i64::MAX));
    }
}

/// CUDA's cards. The library is loaded before libtorch is asked: it remembers its first answer.
fn cards() -> Result<usize, String> {
    cuda::load()?;
    Ok(if Cuda::is_available() { usize::try_from(Cuda::device_count()).unwrap_or(0) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use convwise_sdk::ErrorCode;

    #[test]
    fn a_card_that_is_not_there_is_unavailable() {
        assert_eq!(check(Device::Cuda(1000)).unwrap_err().code, ErrorCode::Unavailable);
        assert_eq!(check(Device::Cpu), Ok(()));
        assert_eq!(present()[0].id, "cpu");
    }
}
