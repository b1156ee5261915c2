//! Settings of an operation as short `key=value` words, for the text and DOT forms.

use std::fmt::{self, Display, Write as _};

use crate::op::Padding;

/// Collects settings in the order in which they are given.
#[derive(Default)]
pub(crate) struct Attributes(String);

impl Attributes {
    /// `key=value`.
    pub fn set(&mut self, key: &str, value: impl Display) {
        self.separate();
        _ = write!(self.0, "{key}={value}");
    }

    /// `key` alone, if it applies.
    pub fn flag(&mut self, key: &str, applies: bool) {
        if applies {
            self.separate();
            self.0.push_str(key);
        }
    }

    /// `key=7x7`.
    pub fn extents(&mut self, key: &str, [rows, columns]: [usize; 2]) {
        self.set(key, format_args!("{rows}x{columns}"));
    }

    /// `key=2`, or `key=2x1` where rows and columns differ.
    pub fn step(&mut self, key: &str, [rows, columns]: [usize; 2]) {
        if rows == columns { self.set(key, rows) } else { self.extents(key, [rows, columns]) }
    }

    /// `key=1`, `key=1x2` (rows x columns), or `key=top,left,bottom,right`.
    pub fn padding(&mut self, key: &str, p: Padding) {
        if p.top == p.bottom && p.left == p.right {
            self.step(key, [p.top, p.left]);
        } else {
            self.set(key, format_args!("{},{},{},{}", p.top, p.left, p.bottom, p.right));
        }
    }

    /// `key=[1,2,3]`.
    pub fn list(&mut self, key: &str, values: &[impl Display]) {
        self.set(key, List(values));
    }

    /// The words, separated by one space; empty if there are none.
    pub fn into_text(self) -> String {
        self.0
    }

    fn separate(&mut self) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
    }
}

struct List<'a, T>(&'a [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        for (i, value) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_char(',')?;
            }
            value.fmt(f)?;
        }
        f.write_char(']')
    }
}
