fn main() {
    let args: Vec<String> = std::env::args().collect();
    let n: u64 = args[3].parse().unwrap();
    let store = convwise_store::Store::open(std::path::Path::new(&args[2]), &Default::default()).unwrap();
    let t = std::time::Instant::now();
    let out = store.take_over::<convwise_store::StoreError>(false, |intake| {
        for i in 0..n { if args[1]=="m" { intake.take(data::measurement(i).into()).unwrap() } else { intake.take(data::timing(i).into()).unwrap() } }
        eprintln!("taken {:?}", t.elapsed());
        Ok(())
    }).unwrap();
    println!("{} new {} known {} repeated {:?}: {:.0}/s", out.new, out.known, out.repeated, t.elapsed(), n as f64 / t.elapsed().as_secs_f64());
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", s.lines().find(|l| l.starts_with("VmHWM")).unwrap());
    let stats = store.stats().unwrap();
    println!("journal {} index {}", stats.journal_bytes >> 20, stats.index_bytes >> 20);
}
mod data;
