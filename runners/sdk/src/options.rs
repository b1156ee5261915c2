//! Options in: key/value strings.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::RunnerError;

/// The options of one call, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// The value given for `key`, if any.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The parsed value of `key`, or `default` where it is not given.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Invalid`] when the value does not parse.
    pub fn parse<T>(&self, key: &str, default: T) -> Result<T, RunnerError>
    where
        T: FromStr,
        T::Err: Display,
    {
        Ok(self.parse_optional(key)?.unwrap_or(default))
    }

    /// The parsed value of `key`, or nothing where it is not given.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Invalid`] when the value does not parse.
    pub fn parse_optional<T>(&self, key: &str) -> Result<Option<T>, RunnerError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(value) = self.get(key) else { return Ok(None) };
        value
            .parse()
            .map(Some)
            .map_err(|error| RunnerError::invalid(format!("option {key}: \"{value}\" does not fit: {error}")))
    }

    /// Accepts only the keys in `known`.
    ///
    /// # Errors
    /// [`crate::ErrorCode::Invalid`] naming the first unknown key and all known ones.
    pub fn expect_known(&self, known: &[&str]) -> Result<(), RunnerError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(RunnerError::invalid(format!(
                "there is no option {key}; this runner has {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ))),
        }
    }

    /// All options, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Options {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_parse_or_say_why_not() {
        let options: Options = [("threads", "4"), ("spin", "maybe")].into_iter().collect();
        assert_eq!(options.parse("threads", 1_usize), Ok(4));
        assert_eq!(options.parse("streams", 1_usize), Ok(1));
        let error = options.parse("spin", false).unwrap_err();
        assert!(error.to_string().starts_with("invalid argument: option spin: \"maybe\""), "{error}");
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let options: Options = [("thread", "4")].into_iter().collect();
        assert_eq!(
            options.expect_known(&["threads"]).unwrap_err().message,
            "there is no option thread; this runner has threads"
        );
        assert_eq!(options.expect_known(&["thread"]), Ok(()));
    }
}
