//! Extents of convolutions and poolings against PyTorch's, over settings drawn at random.

use convwise_graph::{Builder, Conv2d, Op, Padding, Pool};

/// `conv|pool|pool-ceil HxW k=HxW s=HxW p=HxW d=HxW -> HxW`, or `-> none` where PyTorch refuses.
/// Written with `torch.nn.functional` of PyTorch 2.13.0.
const CASES: &str = include_str!("windows.txt");

fn pair(text: &str) -> [usize; 2] {
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let (rows, columns) = digits.split_once('x').unwrap();
    [rows.parse().unwrap(), columns.parse().unwrap()]
}

fn operation(kind: &str, [kernel, stride, pad, dilation]: [[usize; 2]; 4]) -> Op {
    let padding = Padding::symmetric(pad[0], pad[1]);
    match kind {
        "conv" => {
            Op::Conv2d(Conv2d { out_channels: 1, kernel, stride, padding, dilation, groups: 1, bias: false })
        }
        _ => Op::MaxPool(Pool { kernel, stride, padding, ceil: kind == "pool-ceil" }),
    }
}

fn extents(image: [usize; 2], op: Op) -> String {
    let mut b = Builder::new("window");
    let x = b.add(Op::Input { dims: vec![1, image[0], image[1]] }, &[], "x").unwrap();
    match b.add(op, &[x], "y").map(|y| b.shape(y).unwrap().nchw().unwrap()) {
        Ok([.., height, width]) => format!("{height}x{width}"),
        Err(_) => "none".to_owned(),
    }
}

#[test]
fn extents_agree_with_the_reference() {
    let mut seen = 0;
    for line in CASES.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [kind, image, kernel, stride, pad, dilation, "->", expect] = words[..] else {
            panic!("not a case: {line}");
        };
        let settings = [kernel, stride, pad, dilation].map(pair);
        assert_eq!(extents(pair(image), operation(kind, settings)), expect, "{line}");
        seen += 1;
    }
    assert_eq!(seen, 150);
}
