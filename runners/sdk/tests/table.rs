//! A runner written against the traits, used through its C table only, as a host would.
#![expect(unsafe_code, reason = "calls through the C table")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a test that fails")]

use std::path::Path;
use std::ptr;
use std::slice;

use convwise_abi::{AbiError, AbiOption, AbiSession, AbiStr, AbiTensor, ClockTable, EXT_CLOCK, error_code};
use convwise_sdk::{
    DType, Description, Io, Options, Probe, Runner, RunnerError, Session, Tensor, TensorInfo, TensorView,
    runner_table,
};

struct Doubler;

impl Runner for Doubler {
    fn describe(&self) -> Description {
        Description { extensions: vec![EXT_CLOCK.into()], ..Description::new("doubler", "1.2.3") }
    }

    fn probe(&self, options: &Options) -> Result<Probe, RunnerError> {
        options.expect_known(&["threads"])?;
        Ok(Probe::cpu())
    }

    fn load(&self, model: &Path, _: &Options) -> Result<Box<dyn Session>, RunnerError> {
        match model.to_str() {
            Some("/panic") => panic!("cannot load {}", model.display()),
            Some("/bad") => Err(RunnerError::model("/bad: not a model")),
            _ => Ok(Box::new(Doubling { input: None, output: None, runs: 0 })),
        }
    }
}

struct Doubling {
    input: Option<Tensor>,
    output: Option<Tensor>,
    runs: u64,
}

impl Session for Doubling {
    fn io(&self) -> Result<Io, RunnerError> {
        let info = |name: &str| TensorInfo::fixed(name, DType::F32, &[2]);
        Ok(Io::new(vec![info("x")], vec![info("y")]))
    }

    fn set_input(&mut self, index: usize, tensor: TensorView<'_>) -> Result<(), RunnerError> {
        assert_eq!(index, 0, "there is one input");
        self.input = Some(tensor.to_owned());
        Ok(())
    }

    fn run(&mut self) -> Result<(), RunnerError> {
        let input = self.input.as_ref().ok_or_else(|| RunnerError::state("set input 0 first"))?;
        let doubled: Vec<f32> = input.to_f32()?.iter().map(|x| x * 2.0).collect();
        self.output = Some(Tensor::from_f32(input.shape(), &doubled)?);
        self.runs += 1;
        Ok(())
    }

    fn output(&mut self, _: usize) -> Result<TensorView<'_>, RunnerError> {
        self.output.as_ref().map(Tensor::view).ok_or_else(|| RunnerError::state("run first"))
    }

    fn last_run_ns(&mut self) -> Result<u64, RunnerError> {
        Ok(self.runs * 10)
    }
}

runner_table!(Doubler);

fn text(text: AbiStr) -> String {
    // SAFETY: the table's texts are UTF-8 and still owned by it.
    String::from_utf8(unsafe { slice::from_raw_parts(text.ptr.cast(), text.len) }.to_vec()).unwrap()
}

/// The code and message of an error, which is freed.
fn take(error: *mut AbiError) -> Option<(u32, String)> {
    // SAFETY: null or an error of the table.
    let taken = unsafe { error.as_ref() }.map(|error| (error.code, text(error.message)));
    // SAFETY: it is not used again.
    unsafe { table().error_free.unwrap()(error) };
    taken
}

fn load(path: &str) -> Result<*mut AbiSession, (u32, String)> {
    let mut session = ptr::null_mut();
    // SAFETY: borrowed text, no options, a place to write.
    let error = unsafe { table().load.unwrap()(AbiStr::borrow(path), ptr::null(), 0, &mut session) };
    take(error).map_or(Ok(session), Err)
}

fn set(session: *mut AbiSession, index: u32, shape: &[i64], data: &[f32]) -> Option<(u32, String)> {
    let tensor = AbiTensor {
        dtype: convwise_abi::dtype::F32,
        rank: u32::try_from(shape.len()).unwrap(),
        shape: shape.as_ptr(),
        data: data.as_ptr().cast(),
        bytes: size_of_val(data),
    };
    // SAFETY: a session of this table and a tensor that lives through the call.
    take(unsafe { table().set_input.unwrap()(session, index, &tensor) })
}

#[test]
fn documents_come_out_as_json() {
    let mut json = AbiStr::EMPTY;
    // SAFETY: a place to write.
    assert_eq!(take(unsafe { table().describe.unwrap()(&mut json) }), None);
    let description: Description = serde_json::from_str(&text(json)).unwrap();
    assert_eq!((description.name.as_str(), description.version.as_str()), ("doubler", "1.2.3"));
    // SAFETY: a place to write, no options.
    assert_eq!(take(unsafe { table().probe.unwrap()(ptr::null(), 0, &mut json) }), None);
    assert!(serde_json::from_str::<Probe>(&text(json)).unwrap().usable);
}

#[test]
fn unknown_options_are_refused() {
    let mut json = AbiStr::EMPTY;
    let option = AbiOption { key: AbiStr::borrow("thread"), value: AbiStr::borrow("1") };
    // SAFETY: one option, a place to write.
    let (code, message) = take(unsafe { table().probe.unwrap()(&option, 1, &mut json) }).unwrap();
    assert_eq!(code, error_code::INVALID);
    assert_eq!(message, "there is no option thread; this runner has threads");
}

#[test]
fn a_session_computes_and_reports_its_clock() {
    let session = load("/model").unwrap();
    let functions = table();
    // SAFETY: a session of this table, used by this thread only; released once at the end.
    unsafe {
        let early = take(functions.run.unwrap()(session)).unwrap();
        assert_eq!(early, (error_code::STATE, "set input 0 first".into()));
        assert_eq!(set(session, 0, &[2], &[1.5, -4.0]), None);
        assert_eq!(take(functions.run.unwrap()(session)), None);
        let mut tensor = AbiTensor { dtype: 0, rank: 0, shape: ptr::null(), data: ptr::null(), bytes: 0 };
        assert_eq!(take(functions.output.unwrap()(session, 0, &mut tensor)), None);
        assert_eq!(slice::from_raw_parts(tensor.shape, tensor.rank as usize), [2]);
        assert_eq!(slice::from_raw_parts(tensor.data.cast::<f32>(), 2), [3.0, -8.0]);
        let clock = functions.extension.unwrap()(AbiStr::borrow(EXT_CLOCK)).cast::<ClockTable>();
        let mut ns = 0;
        assert_eq!(take((*clock).last_run_ns.unwrap()(session, &mut ns)), None);
        assert_eq!(ns, 10);
        assert!(functions.extension.unwrap()(AbiStr::borrow("convwise.none/1")).is_null());
        functions.release.unwrap()(session);
        functions.release.unwrap()(ptr::null_mut());
    }
}

#[test]
fn wrong_tensors_are_errors() {
    let session = load("/model").unwrap();
    let (code, message) = set(session, 0, &[3], &[1.0, 2.0]).unwrap();
    assert_eq!(
        (code, message.as_str()),
        (error_code::INVALID, "a f32 tensor of shape [3] has 12 bytes, not 8")
    );
    let (code, _) = set(session, 0, &[-1], &[]).unwrap();
    assert_eq!(code, error_code::INVALID);
    // SAFETY: released once.
    unsafe { table().release.unwrap()(session) };
}

#[test]
fn a_panic_is_an_error_and_ends_the_session() {
    assert_eq!(load("/bad").unwrap_err(), (error_code::MODEL, "/bad: not a model".into()));
    assert_eq!(
        load("/panic").unwrap_err(),
        (error_code::INTERNAL, "the runner panicked: cannot load /panic".into())
    );
    let session = load("/model").unwrap();
    assert_eq!(set(session, 7, &[1], &[0.0]).unwrap().0, error_code::INTERNAL);
    assert_eq!(set(session, 0, &[1], &[0.0]).unwrap().0, error_code::STATE, "a broken session stays broken");
    // SAFETY: released once.
    unsafe { table().release.unwrap()(session) };
}

#[test]
fn another_major_version_of_the_host_is_refused() {
    let mut host = convwise_abi::HostServices {
        struct_size: size_of::<convwise_abi::HostServices>(),
        major: convwise_abi::ABI_MAJOR,
        minor: convwise_abi::ABI_MINOR + 1,
        ctx: ptr::null_mut(),
        log: None,
    };
    // SAFETY: the host's services outlive the call, and this entry keeps nothing of them.
    unsafe {
        assert!(!convwise_sdk::__entry(&host, table).is_null());
        host.major += 1;
        assert!(convwise_sdk::__entry(&host, table).is_null());
        assert!(convwise_sdk::__entry(ptr::null(), table).is_null());
    }
}
