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
    pub elsewhere: Vec<Elsewhere>,
}

/// One native library with everything that it needs to run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Library {
    /// What `install` calls it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The file or folder that keeps its place in convwise's home from version to version.
    pub link: String,
    /// The environment variable that points a runner to a build of one's own.
    pub variable: String,
    /// Where there are packages for.
    pub platform: Vec<Platform>,
}

/// What is taken on one kind of machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platform {
    /// Operating system and processor family.
    pub name: String,
    pub wheel: Vec<Wheel>,
}

/// A package file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wheel {
    pub package: String,
    pub version: String,
    /// File name.
    pub name: String,
    /// Size of the file.
    pub bytes: u64,
    /// Digest of the file.
    pub sha256: String,
    /// What is kept of it.
    pub member: Vec<Member>,
}

/// A file inside a wheel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// Its path in the wheel.
    pub path: String,
    /// Its path in the library's folder.
    pub to: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A library that cannot be pinned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Elsewhere {
    pub name: String,
    /// Why not.
    pub why: String,
    /// How it can be had; each alone will do.
    pub ways: Vec<String>,
    /// What is to be known besides.
    pub then: String,
}

/// The compatibility tags in a wheel's name (PEP 425).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tags<'a> {
    pub python: &'a str,
    pub abi: &'a str,
    pub platforms: Vec<&'a str>,
}

impl Pins {
    /// Those of the program.
    pub(crate) fn shipped() -> Result<Self, InstallError> {
        toml::from_str(PINS).map_err(|error| InstallError::Pins { message: error.to_string() })
    }

    /// Names that can be asked for.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let elsewhere = self.elsewhere.iter().map(|library| library.name.as_str());
        self.library.iter().map(|library| library.name.as_str()).chain(elsewhere)
    }

    /// The library called `name`.
    pub(crate) fn library(&self, name: &str) -> Result<&Library, InstallError> {
        if let Some(library) = self.library.iter().find(|library| library.name == name) {
            return Ok(library);
        }
        if let Some(Elsewhere { why, ways, then, .. }) = self.elsewhere.iter().find(|one| one.name == name) {
            let (why, then, ways) = (why.clone(), then.clone(), ways.clone());
            return Err(InstallError::Elsewhere { why, ways, then });
        }
        Err(InstallError::Unknown {
            name: name.to_owned(),
            known: self.names().collect::<Vec<_>>().join(", "),
            hint: did_you_mean(name, self.names()),
        })
    }
}

impl Library {
    /// What to take on a platform such as `linux/x86_64`.
    pub(crate) fn on(&self, platform: &str) -> Result<&Platform, InstallError> {
        let found = self.platform.iter().find(|known| known.name == platform);
        found.ok_or_else(|| InstallError::NoWheel {
            title: self.title.clone(),
            platform: platform.to_owned(),
            known: self.platform.iter().map(|known| known.name.as_str()).collect::<Vec<_>>().join(", "),
            variable: self.variable.clone(),
        })
    }
}

impl Platform {
    /// Everything that is kept.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.wheel.iter().flat_map(|wheel| &wheel.member)
    }
}

impl Wheel {
    /// The tags in its name; none if it is not a wheel's name.
    pub(crate) fn tags(&self) -> Option<Tags<'_>> {
        let mut parts = self.name.strip_suffix(".whl")?.rsplitn(4, '-');
        let (platforms, abi, python) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Tags { python, abi, platforms: platforms.split('.').collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use super::*;

    #[test]
    fn the_shipped_pins_are_whole() {
        let pins = Pins::shipped().unwrap();
        for library in &pins.library {
            assert!(!library.platform.is_empty());
            for platform in &library.platform {
                let linked = platform.members().any(|m| Path::new(&m.to).starts_with(&library.link));
                assert!(linked, "{} on {} has nothing at its link", library.name, platform.name);
                platform.wheel.iter().for_each(wheel_is_whole);
            }
        }
    }

    fn wheel_is_whole(wheel: &Wheel) {
        let file = wheel.package.replace('-', "_");
        assert!(wheel.name.starts_with(&format!("{file}-{}-", wheel.version)), "{}", wheel.name);
        assert!(wheel.tags().is_some() && !wheel.member.is_empty());
        let digests = wheel.member.iter().map(|m| &m.sha256).chain([&wheel.sha256]);
        assert!(digests.into_iter().all(|digest| digest.len() == 64), "{}", wheel.name);
        for member in &wheel.member {
            let plain = Path::new(&member.to).components().all(|part| matches!(part, Component::Normal(_)));
            assert!(plain && member.bytes > 0, "{}", member.to);
        }
    }

    #[test]
    fn tags_are_read_from_the_name() {
        let mut wheel = Pins::shipped().unwrap().library[0].platform[0].wheel[0].clone();
        wheel.name = "a_b-1.0-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl".into();
        let platforms = vec!["manylinux2014_x86_64", "manylinux_2_17_x86_64"];
        assert_eq!(wheel.tags(), Some(Tags { python: "py3", abi: "none", platforms }));
        wheel.name = "a-1.0.tar.gz".into();
        assert_eq!(wheel.tags(), None);
    }

    #[test]
    fn unknown_names_and_platforms_are_answered() {
        let pins = Pins::shipped().unwrap();
        assert_eq!(
            pins.library("onxruntime").unwrap_err().to_string(),
            "there is no `onxruntime` to install; there is onnxruntime, libtorch, onnxruntime-gpu, tensorrt; did you mean \
             `onnxruntime`?"
        );
        assert_eq!(
            pins.library("libtorch").unwrap().on("linux/riscv64").unwrap_err().to_string(),
            "libtorch has no package for linux/riscv64, only for linux/x86_64, linux/aarch64, macos/aarch64; build it \
             yourself and set LIBTORCH"
        );
    }

    #[test]
    fn what_cannot_be_pinned_says_where_it_is_to_be_had() {
        assert_eq!(
            Pins::shipped().unwrap().library("tensorrt").unwrap_err().to_string(),
            "there is no digest to check a download of TensorRT by: the package index holds only a placeholder, \
             tensorrt-cu13-libs, which fetches the libraries from NVIDIA when pip builds it; any one of these brings it:\n  \
             - `python3 -m pip install --no-deps tensorrt-cu13-libs==10.16.1.11` in a virtual environment; it is found \
             while that is active\n  \
             - `apt-get install libnvinfer10 libnvinfer-plugin10 libnvonnxparsers10` from NVIDIA's repository; it is found \
             by itself\n  \
             - unpack NVIDIA's archive of TensorRT 10 for CUDA 13 and set TENSORRT_HOME to its folder\n\
             everything else that it needs comes with `convwise runner install onnxruntime-gpu`"
        );
    }
}
