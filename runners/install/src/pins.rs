//! What can be installed: read from `pins.toml`, which is part of the program.

use convwise_types::did_you_mean;
use serde::Deserialize;

use crate::error::InstallError;

const PINS: &str = include_str!("../pins.toml");

/// All of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pins {
    pub library: Vec<Library>,
}

/// One native library.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Library {
    /// What `install` calls it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The package that contains it.
    pub package: String,
    /// The version of both.
    pub version: String,
    /// Its name in convwise's home.
    pub file: String,
    /// Whose wheels to take.
    pub python: Python,
    /// One a platform.
    pub wheel: Vec<Wheel>,
}

/// The compatibility tags of the wheels, apart from the platform (PEP 425).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Python {
    pub version: String,
    pub implementation: String,
    pub abi: String,
}

/// The wheel of one platform.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wheel {
    /// Operating system and processor family.
    pub platform: String,
    /// Platform tags of the wheel's name.
    pub tags: Vec<String>,
    /// File name.
    pub name: String,
    /// Digest of the file.
    pub sha256: String,
    /// The library inside it.
    pub member: String,
    /// Digest of the library.
    pub library_sha256: String,
    /// Size of the library.
    pub library_bytes: u64,
}

impl Pins {
    /// Those of the program.
    pub(crate) fn shipped() -> Result<Self, InstallError> {
        toml::from_str(PINS).map_err(|error| InstallError::Pins { message: error.to_string() })
    }

    /// The library called `name`.
    pub(crate) fn library(&self, name: &str) -> Result<&Library, InstallError> {
        let known = || self.library.iter().map(|library| library.name.as_str());
        self.library.iter().find(|library| library.name == name).ok_or_else(|| InstallError::Unknown {
            name: name.to_owned(),
            known: known().collect::<Vec<_>>().join(", "),
            hint: did_you_mean(name, known()),
        })
    }
}

impl Library {
    /// The wheel for a platform such as `linux/x86_64`.
    pub(crate) fn wheel(&self, platform: &str) -> Result<&Wheel, InstallError> {
        let found = self.wheel.iter().find(|wheel| wheel.platform == platform);
        found.ok_or_else(|| InstallError::NoWheel {
            title: self.title.clone(),
            platform: platform.to_owned(),
            known: self.wheel.iter().map(|wheel| wheel.platform.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_pins_are_whole() {
        let pins = Pins::shipped().unwrap();
        for library in &pins.library {
            assert!(!library.wheel.is_empty());
            for wheel in &library.wheel {
                assert!(
                    [&wheel.sha256, &wheel.library_sha256].iter().all(|digest| digest.len() == 64),
                    "{wheel:?}"
                );
                assert!(wheel.name.contains(&library.version) && wheel.name.contains(&library.python.abi));
                assert!(wheel.tags.iter().any(|tag| wheel.name.contains(tag)), "{wheel:?}");
            }
        }
    }

    #[test]
    fn unknown_names_and_platforms_are_answered() {
        let pins = Pins::shipped().unwrap();
        assert_eq!(
            pins.library("onxruntime").unwrap_err().to_string(),
            "there is no `onxruntime` to install; there is onnxruntime; did you mean `onnxruntime`?"
        );
        assert_eq!(
            pins.library("onnxruntime").unwrap().wheel("linux/riscv64").unwrap_err().to_string(),
            "ONNX Runtime has no package for linux/riscv64, only for linux/x86_64, linux/aarch64, macos/aarch64; build \
             it yourself and set ORT_DYLIB_PATH to its path"
        );
    }
}
