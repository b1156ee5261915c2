//! What this machine can compute on.

use convwise_sdk::{Device as Found, RunnerError};
use tch::{Cuda, Device};

/// Every device, the processor first.
pub(crate) fn present() -> Vec<Found> {
    let cpu = Found { id: "cpu".into(), kind: "cpu".into(), name: String::new() };
    let cards =
        (0..cards()).map(|n| Found { id: format!("cuda:{n}"), kind: "gpu".into(), name: String::new() });
    std::iter::once(cpu).chain(cards).collect()
}

/// Whether a device is there.
pub(crate) fn check(device: Device) -> Result<(), RunnerError> {
    let Device::Cuda(number) = device else { return Ok(()) };
    match cards() {
        0 => Err(RunnerError::unavailable(
            "there is no CUDA here: the libtorch in use is without it, or no card with a driver is found; use device=cpu",
        )),
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

fn cards() -> usize {
    if Cuda::is_available() { usize::try_from(Cuda::device_count()).unwrap_or(0) } else { 0 }
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
