//! Points in a plane with their front, as an SVG file that needs nothing but itself.

use std::fmt::Write as _;

use convwise_advisor::front::Aim;

use super::axis::label;
use super::chart::{Picture, Rank, Spot};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 600.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 60.0;
/// Height of a line of labels, and what one of their characters takes at the most.
const LINE: f64 = 13.0;
const CHARACTER: f64 = 6.6;

const STYLE: &str = "text{font:12px sans-serif;fill:#1b1f24}.title{font-size:15px;font-weight:bold}.label{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:3px}.note{font-size:11px;fill:#57606a}\
.grid{stroke:#e3e6ea}.axis{stroke:#57606a}.front{fill:none;stroke:#0b5fff;stroke-width:1.5}\
.on{fill:#0b5fff}.interval{stroke:#0b5fff;stroke-opacity:.45}.tied{fill:#d97706}.beaten{fill:#9aa4b0}";

/// The picture as a document. Equal pictures give equal bytes.
pub(crate) fn document(picture: &Picture) -> String {
    let (title, about) = (escaped(&picture.title), escaped(&described(picture)));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"title about\">\n<title id=\"title\">{title}</title>\n<desc id=\"about\">{about}</desc>\n\
         <style>{STYLE}</style>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"26\">{title}</text>\n"
    );
    for (note, y) in picture.notes.iter().zip([42.0, 56.0, 70.0]) {
        let _ = writeln!(out, "<text class=\"note\" x=\"{LEFT}\" y=\"{y}\">{}</text>", escaped(note));
    }
    legend(&mut out);
    axes(picture, &mut out);
    front_line(picture, &mut out);
    for spot in picture.spots.iter().rev() {
        point(picture, spot, &mut out);
    }
    labels(picture, &mut out);
    out.push_str("</svg>\n");
    out
}

/// The front in words, for those who do not see it.
fn described(picture: &Picture) -> String {
    let on_front = |s: &&Spot| matches!(s.rank, Rank::Front(_));
    let front = picture.spots.iter().filter(on_front);
    let points: Vec<_> = front.map(|s| format!("{} ({}, {})", s.name, s.x, s.y)).collect();
    format!("{} against {}. On the front: {}.", picture.y.title, picture.x.title, points.join("; "))
}

/// What the colours say.
fn legend(out: &mut String) {
    for (class, text, x) in
        [("on", "front", 0.0), ("tied", "ties with the front", 60.0), ("beaten", "beaten", 190.0)]
    {
        let x = WIDTH - RIGHT - 250.0 + x;
        let _ = writeln!(out, "<circle class=\"{class}\" cx=\"{x}\" cy=\"84\" r=\"4\"/>");
        let _ = writeln!(out, "<text class=\"note\" x=\"{}\" y=\"88\">{text}</text>", x + 8.0);
    }
}

fn x_of(picture: &Picture, value: f64) -> f64 {
    LEFT + picture.x.axis.place(value) * (WIDTH - LEFT - RIGHT)
}

fn y_of(picture: &Picture, value: f64) -> f64 {
    HEIGHT - BOTTOM - picture.y.axis.place(value) * (HEIGHT - TOP - BOTTOM)
}

fn axes(picture: &Picture, out: &mut String) {
    let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for tick in &picture.x.axis.ticks {
        let x = x_of(picture, *tick);
        let _ = writeln!(out, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{floor}\"/>");
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            floor + 18.0,
            label(*tick)
        );
    }
    for tick in &picture.y.axis.ticks {
        let y = y_of(picture, *tick);
        let _ = writeln!(out, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>");
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            label(*tick)
        );
    }
    let _ = writeln!(out, "<path class=\"axis\" fill=\"none\" d=\"M{LEFT} {TOP}V{floor}H{right}\"/>");
    let logarithmic = |is: bool| if is { ", logarithmic" } else { "" };
    let (x, y) = (&picture.x, &picture.y);
    let _ = writeln!(
        out,
        "<text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}{}</text>",
        HEIGHT - 18.0,
        escaped(&x.title),
        logarithmic(x.axis.is_logarithmic)
    );
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{}\">{}{}</text>",
        TOP - 8.0,
        escaped(&y.title),
        logarithmic(y.axis.is_logarithmic)
    );
}

/// Steps between the points of the front: what is reached anywhere along them.
fn front_line(picture: &Picture, out: &mut String) {
    let front = picture.spots.iter().filter(|s| matches!(s.rank, Rank::Front(_)));
    let mut path = String::new();
    for spot in front {
        let (x, y) = (x_of(picture, spot.x), y_of(picture, spot.y));
        let _ = match (path.is_empty(), picture.x.aim) {
            (true, _) => write!(path, "M{x:.1} {y:.1}"),
            (false, Aim::Lower) => write!(path, "H{x:.1}V{y:.1}"),
            (false, Aim::Higher) => write!(path, "V{y:.1}H{x:.1}"),
        };
    }
    let _ = writeln!(out, "<path class=\"front\" d=\"{path}\"/>");
}

fn point(picture: &Picture, spot: &Spot, out: &mut String) {
    let (x, y) = (x_of(picture, spot.x), y_of(picture, spot.y));
    let (class, radius) = match spot.rank {
        Rank::Front(_) => ("on", 4.5),
        Rank::Tied => ("tied", 3.5),
        Rank::Beaten => ("beaten", 2.5),
    };
    if let (Rank::Front(_), Some([low, high])) = (spot.rank, spot.x_interval) {
        let (low, high) = (x_of(picture, low), x_of(picture, high));
        let _ = writeln!(out, "<path class=\"interval\" d=\"M{low:.1} {y:.1}H{high:.1}\"/>");
    }
    let about = escaped(&format!("{}: {}, {}", spot.name, spot.x, spot.y));
    let _ = writeln!(
        out,
        "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"><title>{about}</title></circle>"
    );
}

/// Names of the front's points, where there is room for them beside the point: first on the side where nothing is better.
fn labels(picture: &Picture, out: &mut String) {
    let dot = |s: &Spot| {
        let (x, y) = (x_of(picture, s.x), y_of(picture, s.y));
        [x - 3.0, y - 3.0, x + 3.0, y + 3.0]
    };
    let mut taken: Vec<[f64; 4]> = picture.spots.iter().map(dot).collect();
    for spot in picture.spots.iter().filter(|s| matches!(s.rank, Rank::Front(_))) {
        let length = spot.name.chars().fold(0.0, |sum, _| sum + CHARACTER);
        let free = |place: &(f64, f64)| {
            let room = room_of(*place, length);
            let [left, _, right, _] = room;
            let is_inside = left >= LEFT && right <= WIDTH;
            is_inside && taken.iter().all(|other| !overlap(&room, other))
        };
        if let Some((x, y)) = places(picture, spot, length).into_iter().find(free) {
            taken.push(room_of((x, y), length));
            let _ = writeln!(
                out,
                "<text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
                escaped(&spot.name)
            );
        }
    }
}

/// Where the name of a point may stand.
fn places(picture: &Picture, spot: &Spot, length: f64) -> [(f64, f64); 4] {
    let (x, y) = (x_of(picture, spot.x), y_of(picture, spot.y));
    let (left, right, above, below) = (x - 7.0 - length, x + 7.0, y - 5.0, y + 14.0);
    let (out, inside) = if picture.x.aim == Aim::Lower { (left, right) } else { (right, left) };
    let (up, down) = if picture.y.aim == Aim::Higher { (above, below) } else { (below, above) };
    [(out, up), (inside, up), (inside, down), (out, down)]
}

/// What a label takes that begins at a place.
fn room_of((x, y): (f64, f64), length: f64) -> [f64; 4] {
    [x, y - LINE + 2.0, x + length, y + 2.0]
}

fn overlap([a_left, a_top, a_right, a_end]: &[f64; 4], [left, top, right, end]: &[f64; 4]) -> bool {
    a_left < right && left < a_right && a_top < end && top < a_end
}

/// Text as XML has it; characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
