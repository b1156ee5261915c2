//! Points in a plane with their front, as a chart of characters.

use convwise_advisor::front::Aim;

use super::axis::{Axis, label};
use crate::screen::{FAINT, GOOD, WARN, styled};

/// What charts show, whether of characters or as SVG.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) title: String,
    /// What holds for all points.
    pub(crate) notes: Vec<String>,
    pub(crate) x: Side,
    pub(crate) y: Side,
    /// The points of the front first, in the order of their numbers.
    pub(crate) spots: Vec<Spot>,
}

/// One axis with what stands beside it.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) title: String,
    pub(crate) axis: Axis,
    pub(crate) aim: Aim,
}

/// How a point stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// On the front, with its number from 1.
    Front(usize),
    /// Beaten, and not to be told from a point of the front.
    Tied,
    /// Beaten.
    Beaten,
}

/// A point.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) name: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// The interval of x, where it has one.
    pub(crate) x_interval: Option<[f64; 2]>,
    pub(crate) rank: Rank,
}

/// Rows of the plane.
const ROWS: usize = 20;
/// The widest plane that still reads well.
const WIDEST: usize = 96;

/// Characters that draw a chart.
struct Pen {
    corner: char,
    across: char,
    down: char,
    beaten: char,
    tied: char,
}

const UNICODE: Pen = Pen { corner: '└', across: '─', down: '│', beaten: '·', tied: '∘' };
const ASCII: Pen = Pen { corner: '+', across: '-', down: '|', beaten: '.', tied: '~' };

/// The one character by which a point of the front goes: 1 to 9, then letters.
pub(crate) fn mark(number: usize) -> char {
    const MARKS: &str = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    number.checked_sub(1).and_then(|at| MARKS.chars().nth(at)).unwrap_or('*')
}

/// The chart in lines of at most `width` characters.
pub(crate) fn drawn(picture: &Picture, width: usize, unicode: bool) -> String {
    let pen = if unicode { UNICODE } else { ASCII };
    let labels: Vec<_> =
        picture.y.axis.ticks.iter().map(|tick| (row_of(&picture.y.axis, *tick), label(*tick))).collect();
    let margin = labels.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
    let columns = width.saturating_sub(margin + 2).clamp(20, WIDEST);
    let mut out = format!("{:margin$} {}\n", "", picture.y.title);
    for (row, cells) in plane(picture, columns, &pen).into_iter().enumerate() {
        let text = labels.iter().find(|(at, _)| *at == row).map_or("", |(_, text)| text);
        let line: String = cells.into_iter().collect();
        out.push_str(&format!("{text:>margin$} {}{}\n", pen.down, coloured(line.trim_end(), &pen)));
    }
    let across: String = std::iter::repeat_n(pen.across, columns).collect();
    out.push_str(&format!("{:margin$} {}{across}\n", "", pen.corner));
    out.push_str(&format!("{:margin$}  {}\n", "", under(&picture.x.axis, columns)));
    out.push_str(&format!("{:margin$}  {:>columns$}\n", "", picture.x.title));
    out
}

/// The cells of the plane, from the top row on; what matters more is drawn over what matters less.
fn plane(picture: &Picture, columns: usize, pen: &Pen) -> Vec<Vec<char>> {
    let mut cells = vec![vec![' '; columns]; ROWS];
    for spot in picture.spots.iter().rev() {
        let sign = match spot.rank {
            Rank::Front(number) => mark(number),
            Rank::Tied => pen.tied,
            Rank::Beaten => pen.beaten,
        };
        let (row, column) = (row_of(&picture.y.axis, spot.y), steps(picture.x.axis.place(spot.x), columns));
        if let Some(cell) = cells.get_mut(row).and_then(|cells| cells.get_mut(column))
            && (sign.is_alphanumeric() || *cell != pen.tied)
        {
            *cell = sign;
        }
    }
    cells
}

fn row_of(axis: &Axis, value: f64) -> usize {
    ROWS - 1 - steps(axis.place(value), ROWS)
}

/// The cell of so many in which a share of the whole lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of some hundred cells"
)]
fn steps(share: f64, cells: usize) -> usize {
    (share * (cells - 1) as f64).round() as usize
}

/// The labels of the horizontal axis, each under its tick; one that would run into the last is left out.
fn under(axis: &Axis, columns: usize) -> String {
    let mut line = String::new();
    for tick in &axis.ticks {
        let text = label(*tick);
        let middle = steps(axis.place(*tick), columns);
        let start = middle.saturating_sub(text.len() / 2).min(columns.saturating_sub(text.len()));
        if line.is_empty() || start > line.len() {
            line = format!("{line:start$}{text}");
        }
    }
    line
}

fn coloured(line: &str, pen: &Pen) -> String {
    let of = |c: char| match c {
        c if c == pen.beaten => styled(FAINT, c),
        c if c == pen.tied => styled(WARN, c),
        ' ' => c.to_string(),
        c => styled(GOOD, c),
    };
    line.chars().map(of).collect()
}
