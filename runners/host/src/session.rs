//! A loaded model in the worker: inputs, timed runs, outputs. Released when dropped.
#![expect(unsafe_code, reason = "calls through function pointers of the C ABI")]

use std::ptr;
use std::time::{Duration, Instant};

use convwise_abi::{AbiSession, AbiStr, AbiTensor};
use convwise_sdk::{DType, Io, Profile, RunnerError, TensorInfo, TensorView};

use crate::protocol::{OutputCheck, RunTimes};
use crate::table::{CallError, Clock, Table, parse};
use crate::trial::Promptness;

/// The most samples of one request, so that a wild count cannot exhaust memory.
const MAX_SAMPLES: usize = 1 << 22;

/// A session of a runner, used by this thread only.
pub(crate) struct RunningSession {
    table: Table,
    raw: *mut AbiSession,
    clock: Option<Clock>,
}

impl Drop for RunningSession {
    fn drop(&mut self) {
        // SAFETY: the session is ours and is not used again.
        unsafe { (self.table.release)(self.raw) };
    }
}

impl RunningSession {
    /// Takes over a session.
    ///
    /// # Safety
    /// `raw` is a session that `table` made and that nobody else uses or releases.
    pub(crate) unsafe fn new(table: Table, raw: *mut AbiSession, clock: Option<Clock>) -> Self {
        Self { table, raw, clock }
    }

    /// The model's inputs and outputs.
    pub(crate) fn io(&self) -> Result<Io, CallError> {
        let mut json = AbiStr::EMPTY;
        // SAFETY: our session, a place to write; the text stays valid until the next call.
        unsafe {
            self.table.check((self.table.io)(self.raw, &mut json))?;
            parse(json, "io")
        }
    }

    /// What the runner's own clock says about loading, if it has one.
    pub(crate) fn load_ns(&self) -> Result<Option<u64>, CallError> {
        let Some(clock) = self.clock else { return Ok(None) };
        let mut ns = 0;
        // SAFETY: our session and a place to write.
        unsafe { self.table.check((clock.load_ns)(self.raw, &mut ns)) }?;
        Ok(Some(ns))
    }

    /// Copies an input in.
    pub(crate) fn set_input(&mut self, index: usize, tensor: &TensorView<'_>) -> Result<(), CallError> {
        let shape: Vec<i64> =
            tensor.shape().iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect();
        let tensor = AbiTensor {
            dtype: tensor.dtype().to_abi(),
            rank: u32::try_from(shape.len()).unwrap_or(u32::MAX),
            shape: shape.as_ptr(),
            data: tensor.data().as_ptr().cast(),
            bytes: tensor.data().len(),
        };
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        // SAFETY: our session and a tensor that lives through the call.
        unsafe { self.table.check((self.table.set_input)(self.raw, index, &tensor)) }
    }

    /// Runs until `count` runs are done or the runs took `budget_ns` together; at least one run unless `count` is 0.
    pub(crate) fn run(&mut self, count: usize, budget_ns: u64) -> Result<RunTimes, CallError> {
        let count = count.min(MAX_SAMPLES);
        let mut nanos = Vec::with_capacity(count);
        let mut spent = 0_u64;
        while nanos.len() < count && (nanos.is_empty() || spent < budget_ns) {
            let sample = self.run_once()?;
            spent = spent.saturating_add(sample);
            nanos.push(sample);
        }
        Ok(RunTimes { nanos, own_clock: self.clock.is_some() })
    }

    /// One run and its nanoseconds. Between the two readings of the clock there is the runner's function and nothing
    /// else; the clock is the system's monotonic one, read without a system call.
    fn run_once(&mut self) -> Result<u64, CallError> {
        let (run, raw) = (self.table.run, self.raw);
        let before = Instant::now();
        // SAFETY: our session; the result is looked at after the clock.
        let error = unsafe { run(raw) };
        let elapsed = before.elapsed();
        // SAFETY: null or an error of this table.
        unsafe { self.table.check(error) }?;
        let Some(clock) = self.clock else {
            return Ok(nanos(elapsed));
        };
        let mut ns = 0;
        // SAFETY: our session and a place to write.
        unsafe { self.table.check((clock.last_run_ns)(raw, &mut ns)) }?;
        Ok(ns)
    }

    /// One output of the last run, borrowed from the runner and checked against what `io` promised.
    pub(crate) fn output(
        &mut self,
        index: usize,
        promised: &TensorInfo,
    ) -> Result<TensorView<'_>, CallError> {
        let mut tensor = AbiTensor { dtype: 0, rank: 0, shape: ptr::null(), data: ptr::null(), bytes: 0 };
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        // SAFETY: our session and a place to write.
        unsafe { self.table.check((self.table.output)(self.raw, number, &mut tensor)) }?;
        let broken =
            |what: String| CallError::Contract(format!("output {index} ({}): {what}", promised.name));
        // SAFETY: the contract: what the tensor points to stays valid until the next call on this session.
        let view = unsafe { view_of(&tensor) }.map_err(broken)?;
        if view.dtype() != promised.dtype {
            let text = format!("it was said to hold {}, but holds {}", promised.dtype, view.dtype());
            return Err(broken(text));
        }
        if !promised.accepts(&view.shape()) {
            let text = format!("its shape {:?} is not one of those it was said to have", view.shape());
            return Err(broken(text));
        }
        Ok(view)
    }

    /// Runs `runs` times and fetches the first output after each.
    pub(crate) fn promptness(&mut self, runs: usize) -> Result<Promptness, CallError> {
        let promised = self.io()?.outputs;
        let first = promised.first().ok_or_else(|| CallError::Contract("the model has no output".into()))?;
        let mut seen = Promptness::default();
        for _ in 0..runs.min(MAX_SAMPLES) {
            let before = Instant::now();
            let own = self.run_once()?;
            seen.run_ns.push(nanos(before.elapsed()));
            if self.clock.is_some() {
                seen.own_ns.push(own);
            }
            let before = Instant::now();
            self.output(0, first)?;
            seen.output_ns.push(nanos(before.elapsed()));
        }
        Ok(seen)
    }

    /// Where the time of a run goes, by the engine's own profiler.
    pub(crate) fn profile(&mut self, runs: u32) -> Result<Profile, CallError> {
        let profile = self.table.profiler().ok_or_else(|| {
            RunnerError::unsupported("this runner has no profiler (extension convwise.profile/1)")
        })?;
        let mut json = AbiStr::EMPTY;
        // SAFETY: our session and a place to write; the text stays valid until the next call.
        unsafe {
            self.table.check(profile(self.raw, runs, &mut json))?;
            parse(json, "profile")
        }
    }

    /// Looks through all outputs of the last run.
    pub(crate) fn check_outputs(&mut self) -> Result<Vec<OutputCheck>, CallError> {
        let outputs = self.io()?.outputs;
        let check = |(index, promised)| Ok(look_through(promised, &self.output(index, promised)?));
        outputs.iter().enumerate().map(check).collect()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// # Safety
/// The tensor's pointers are valid for what its rank and byte count say, for the life of the view.
unsafe fn view_of<'a>(tensor: &AbiTensor) -> Result<TensorView<'a>, String> {
    const MAX_RANK: u32 = 64;
    let dtype = DType::from_abi(tensor.dtype)
        .ok_or_else(|| format!("there is no element type number {}", tensor.dtype))?;
    if tensor.rank > MAX_RANK {
        return Err(format!("it has {} dimensions", tensor.rank));
    }
    if (tensor.rank > 0 && tensor.shape.is_null()) || (tensor.bytes > 0 && tensor.data.is_null()) {
        return Err("it has no data".into());
    }
    // SAFETY: the caller's promise; neither pointer is null where its length is not zero.
    let (shape, data) = unsafe {
        let shape: &[i64] = match tensor.rank {
            0 => &[],
            rank => std::slice::from_raw_parts(tensor.shape, rank as usize),
        };
        let data: &[u8] = match tensor.bytes {
            0 => &[],
            bytes => std::slice::from_raw_parts(tensor.data.cast(), bytes),
        };
        (shape, data)
    };
    TensorView::from_abi_shape(dtype, shape, data).map_err(|error| error.to_string())
}

/// Counts what is not a number in one output.
fn look_through(promised: &TensorInfo, view: &TensorView<'_>) -> OutputCheck {
    let mut check = OutputCheck {
        name: promised.name.clone(),
        dtype: view.dtype(),
        shape: view.shape(),
        elements: view.len(),
        nan: 0,
        infinite: 0,
        min: None,
        max: None,
    };
    for value in elements(view) {
        if value.is_nan() {
            check.nan += 1;
        } else if value.is_infinite() {
            check.infinite += 1;
        } else {
            check.min = Some(check.min.map_or(value, |min| min.min(value)));
            check.max = Some(check.max.map_or(value, |max| max.max(value)));
        }
    }
    check
}

/// The elements as 64-bit floats.
fn elements<'a>(view: &TensorView<'a>) -> Box<dyn Iterator<Item = f64> + 'a> {
    fn decode<'a, const N: usize>(
        bytes: &'a [u8],
        read: impl Fn([u8; N]) -> f64 + 'a,
    ) -> Box<dyn Iterator<Item = f64> + 'a> {
        Box::new(bytes.as_chunks::<N>().0.iter().map(move |chunk| read(*chunk)))
    }
    let data = view.data();
    match view.dtype() {
        DType::F32 => decode(data, |bytes| f32::from_ne_bytes(bytes).into()),
        DType::F64 => decode(data, f64::from_ne_bytes),
        DType::F16 => decode(data, |bytes| half_to_f64(u16::from_ne_bytes(bytes))),
        DType::Bf16 => {
            decode(data, |bytes| f32::from_bits(u32::from(u16::from_ne_bytes(bytes)) << 16).into())
        }
        DType::U8 | DType::Bool => decode(data, |[byte]| byte.into()),
        DType::I8 => decode(data, |[byte]| i8::from_ne_bytes([byte]).into()),
        DType::U16 => decode(data, |bytes| u16::from_ne_bytes(bytes).into()),
        DType::I16 => decode(data, |bytes| i16::from_ne_bytes(bytes).into()),
        DType::I32 => decode(data, |bytes| i32::from_ne_bytes(bytes).into()),
        DType::I64 => decode(data, |bytes| i64::from_ne_bytes(bytes) as f64),
    }
}

/// The value of IEEE half-precision bits.
fn half_to_f64(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from((bits >> 10) & 0x1f), f64::from(bits & 0x3ff));
    sign * match (exponent, mantissa) {
        (31, 0.0) => f64::INFINITY,
        (31, _) => f64::NAN,
        (0, _) => mantissa * 2_f64.powi(-24),
        _ => (1.0 + mantissa / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_no_numbers_are_counted() {
        let values = [1.0, f32::NAN, f32::NEG_INFINITY, -3.0];
        let check = look_through(
            &TensorInfo::fixed("y", DType::F32, &[4]),
            &TensorView::from_f32(&[4], &values).unwrap(),
        );
        assert_eq!((check.nan, check.infinite, check.elements), (1, 1, 4));
        assert_eq!((check.min, check.max), (Some(-3.0), Some(1.0)));
        assert!(!check.is_finite());
    }

    #[test]
    fn halves_are_read() {
        assert_eq!(half_to_f64(0x3555), 0.333_251_953_125);
        assert_eq!(half_to_f64(0xc000), -2.0);
        assert_eq!(half_to_f64(0x0001), 2_f64.powi(-24));
        assert!(half_to_f64(0x7e00).is_nan() && half_to_f64(0xfc00).is_infinite());
    }
}
