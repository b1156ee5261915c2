//! The facts that come with the program, and the user's own in their place.

use std::fs;

use convwise_store::shipped::{self, Shipped};
use convwise_types::{Origin, Percent};

#[test]
fn the_embedded_files_have_no_errors() {
    let (shipped, problems) = Shipped::load(&[]);
    assert!(problems.is_empty(), "{}", problems.iter().map(ToString::to_string).collect::<String>());
    assert_eq!(shipped, Shipped::default());
    assert!(shipped::devices().len() >= 6 && shipped::datasets().len() >= 4);
    for device in shipped::devices() {
        assert!(device.source.starts_with("https://"), "{}", device.id);
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kb/devices/").to_owned()
            + device.id.as_str()
            + ".toml";
        assert!(fs::exists(&file).unwrap(), "{} is not named after its id", device.id);
        let rates = [device.macs_per_second, device.bytes_per_second];
        assert!(rates.into_iter().flatten().all(|rate| rate > 0.0));
    }
}

#[test]
fn half_widths_follow_the_binomial_formula() {
    let shipped = Shipped::default();
    let imagenet = shipped.dataset("imagenet-1k/val").unwrap();
    assert_eq!((imagenet.images, imagenet.classes), (50_000, 1000));
    let half = imagenet.half_width(Percent(75.0)).0;
    assert!((half - 0.379_552).abs() < 1e-5, "{half}");
    assert_eq!(imagenet.half_width(Percent(100.0)).0, 0.0);
    let smaller = shipped.dataset("imagenet-v2/matched-frequency").unwrap().half_width(Percent(75.0)).0;
    assert!((smaller / half - 5.0_f64.sqrt()).abs() < 1e-9);
    assert!(!shipped.dataset("coco/val2017").unwrap().metric("box_ap").unwrap().share_of_images);
}

#[test]
fn a_users_folder_replaces_entry_by_entry() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("kb/devices")).unwrap();
    let path = folder.path().join("kb/devices/mine.toml");
    let text =
        "id = \"stm32f746\"\nkind = \"mcu\"\ntitle = \"my board\"\nram = 1000\nsource = \"measured\"\n";
    fs::write(&path, text).unwrap();
    let (shipped, problems) = Shipped::load(&[folder.path()]);
    assert!(problems.is_empty());
    assert_eq!(shipped.device(&"stm32f746".into()).unwrap().title, "my board");
    let entry = shipped.devices.iter().find(|d| d.value.id.as_str() == "stm32f746").unwrap();
    assert_eq!(entry.origin, Origin::File(path.display().to_string()));
    assert_eq!(shipped.devices.len(), Shipped::default().devices.len());
}

#[test]
fn a_mistake_is_shown_with_its_line_and_the_rest_is_used() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("kb/devices")).unwrap();
    let device = "id = \"x\"\nkind = \"mcu\"\ntitle = \"x\"\nflahs = 5\nsource = \"y\"\n";
    fs::write(folder.path().join("kb/devices/x.toml"), device).unwrap();
    fs::write(folder.path().join("kb/datasets.toml"), "[[dataset]]\nid = \"a\nimages = 3\n").unwrap();
    let (shipped, problems) = Shipped::load(&[folder.path()]);
    assert_eq!(shipped, Shipped::default());
    let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n");
    insta::assert_snapshot!(text.replace(&folder.path().display().to_string(), "<folder>"));
}
