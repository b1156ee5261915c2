//! The median time of a run, for `compare.py`: `latency MODEL SECONDS [option=value]...` prints nanoseconds.
#![expect(clippy::print_stdout, reason = "its answer is what it prints")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use convwise_libtorch::Libtorch;
use convwise_sdk::{Options, Runner, Session, Tensor};

/// Runs before the first that counts.
const WARM_UP: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (model, seconds) = words.next().zip(words.next()).ok_or("say MODEL and SECONDS")?;
    let options: Options = words
        .filter_map(|word| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect();
    let mut session = Libtorch.load(Path::new(&model), &options)?;
    for (index, info) in session.io()?.inputs.into_iter().enumerate() {
        let shape = info.shape_for_batch(1).map_err(|axis| format!("axis {axis} of an input has no size"))?;
        let values = vec![0.5; shape.iter().product()];
        session.set_input(index, Tensor::from_f32(&shape, &values)?.view())?;
    }
    for _ in 0..WARM_UP {
        session.run()?;
    }
    println!("{}", median(session.as_mut(), Duration::from_secs_f64(seconds.parse()?))?);
    Ok(())
}

fn median(session: &mut dyn Session, limit: Duration) -> Result<u128, Box<dyn Error>> {
    let start = Instant::now();
    let mut times = Vec::new();
    while start.elapsed() < limit || times.is_empty() {
        let begin = Instant::now();
        session.run()?;
        times.push(begin.elapsed().as_nanos());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}
