//! Numbers and sizes as tables write them.

use convwise_types::InputShape;

/// The marks that a table writes its numbers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// In front of the fraction.
    pub decimal: char,
    /// Between groups of three digits; without one, such a mark is refused rather than guessed at.
    pub thousands: Option<char>,
}

/// Reads a number that is finite.
pub(crate) fn real(text: &str, style: Style) -> Result<f64, String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let read = if plain && style.decimal == '.' {
        text.parse().ok()
    } else {
        rewritten(text, style).and_then(|plain| plain.parse().ok())
    };
    match read {
        Some(number) if f64::is_finite(number) => Ok(number),
        _ => Err(refusal(text, style)),
    }
}

/// The number with a point in front of its fraction and nothing between groups; `None` if it is none.
fn rewritten(text: &str, style: Style) -> Option<String> {
    let (whole, rest) = match text.find([style.decimal, 'e', 'E']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let whole = match style.thousands {
        Some(mark) if whole.contains(mark) => joined(whole, mark)?,
        _ => whole.to_owned(),
    };
    let rest = rest.replacen(style.decimal, ".", 1);
    let legal = |text: &str, marks: &[char]| text.chars().all(|c| c.is_ascii_digit() || marks.contains(&c));
    (legal(&whole, &['-', '+']) && legal(&rest, &['.', '-', '+', 'e', 'E'])).then(|| whole + &rest)
}

/// `1,013` without its marks: one to three digits, then groups of three.
fn joined(text: &str, mark: char) -> Option<String> {
    let mut groups = text.split(mark);
    let first = groups.next()?.trim_start_matches(['-', '+']);
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let sound = (1..=3).contains(&first.len()) && digits(first);
    (sound && groups.all(|group| group.len() == 3 && digits(group))).then(|| text.replace(mark, ""))
}

fn refusal(text: &str, style: Style) -> String {
    let shown = shortened(text);
    match text.to_lowercase().trim_start_matches(['-', '+']) {
        "" => "is empty".to_owned(),
        "nan" | "inf" | "infinity" => format!("`{shown}` is no figure"),
        _ => {
            let other = if style.decimal == '.' { ',' } else { '.' };
            let hint = if text.contains(other) && style.thousands != Some(other) {
                format!("; `{other}` is not expected here")
            } else {
                String::new()
            };
            format!("`{shown}` is not a number{hint}")
        }
    }
}

/// A text that fits a message.
pub(crate) fn shortened(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(41).collect();
    if plain.chars().count() <= 40 {
        return plain;
    }
    format!("{}...", plain.chars().take(40).collect::<String>())
}

/// A whole number from 1; `224.0` is one.
pub(crate) fn whole(text: &str, style: Style) -> Result<u64, String> {
    if let Ok(number) = text.parse::<u64>() {
        return if number > 0 { Ok(number) } else { Err(format!("`{text}` is not above 0")) };
    }
    let number = real(text, style)?;
    if number.fract() != 0.0 || number > LARGEST {
        return Err(format!("`{}` is not a whole number", shortened(text)));
    }
    counted(number).filter(|n| *n > 0).ok_or_else(|| format!("`{}` is not above 0", shortened(text)))
}

/// Above it, neighbouring floating-point numbers are more than 1 apart.
const LARGEST: f64 = 9e15;

/// The nearest whole number; `None` for what no count can be.
pub(crate) fn counted(number: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    (0.0..=LARGEST).contains(&number).then(|| number.round() as u64)
}

/// The size of an image: its side, rows and columns, or channels, rows and columns.
pub(crate) fn image(text: &str) -> Result<InputShape, String> {
    let shape = text.parse::<InputShape>().ok();
    let sane = |shape: &InputShape| {
        [shape.channels, shape.height, shape.width].iter().all(|side| (1..=1 << 20).contains(side))
    };
    let refused =
        || format!("`{}` is not the size of an image; write 224, 480x640 or 3x224x224", shortened(text));
    shape.filter(sane).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: Style = Style { decimal: '.', thousands: None };

    fn check(text: &str, style: Style, expect: Result<f64, &str>) {
        assert_eq!(real(text, style), expect.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn numbers_are_read_as_their_table_writes_them() {
        let comma = Style { decimal: ',', thousands: Some('.') };
        let grouped = Style { decimal: '.', thousands: Some(',') };
        check("81.5", POINT, Ok(81.5));
        check("+1.088", POINT, Ok(1.088));
        check("1e3", POINT, Ok(1000.0));
        check("81,5", comma, Ok(81.5));
        check("1.013,01", comma, Ok(1013.01));
        check("1,013.01", grouped, Ok(1013.01));
        check("-1,013", grouped, Ok(-1013.0));
        check("1,5", grouped, Err("`1,5` is not a number"));
        check("1,500", POINT, Err("`1,500` is not a number; `,` is not expected here"));
        check(
            "81.5",
            Style { decimal: ',', thousands: None },
            Err("`81.5` is not a number; `.` is not expected here"),
        );
    }

    #[test]
    fn what_is_no_figure_is_refused() {
        for text in ["NaN", "nan", "inf", "-inf", "Infinity"] {
            check(text, POINT, Err(&format!("`{text}` is no figure")));
        }
        check("", POINT, Err("is empty"));
        check("1e999", POINT, Err("`1e999` is not a number"));
        check("0x10", POINT, Err("`0x10` is not a number"));
        check("ten", POINT, Err("`ten` is not a number"));
        check(&"9".repeat(500), POINT, Err(&format!("`{}...` is not a number", "9".repeat(40))));
    }

    #[test]
    fn sizes() {
        assert_eq!(image("224"), Ok(InputShape::square(224)));
        assert_eq!(image("480x640"), Ok([3, 480, 640].into()));
        for wrong in ["", "0", "-1", "224.5", "1e3", "99999999", "a lot"] {
            assert!(image(wrong).unwrap_err().contains("is not the size of an image"), "{wrong}");
        }
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(whole("224", POINT), Ok(224));
        assert_eq!(whole("224.0", POINT), Ok(224));
        for (text, expect) in [
            ("0", "`0` is not above 0"),
            ("-3", "`-3` is not above 0"),
            ("1.5", "`1.5` is not a whole number"),
            ("1e30", "`1e30` is not a whole number"),
        ] {
            assert_eq!(whole(text, POINT), Err(expect.to_owned()));
        }
    }
}
