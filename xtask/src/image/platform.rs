//! What an image is built for.

use std::{fmt, str::FromStr};

use anyhow::{Error, bail};

/// Operating system and architecture of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// `linux/amd64`.
    LinuxAmd64,
    /// `linux/arm64`.
    LinuxArm64,
}

impl Platform {
    /// Returns the platform of this machine, or the nearest that is supported.
    pub fn of_this_machine() -> Self {
        if std::env::consts::ARCH == "aarch64" { Platform::LinuxArm64 } else { Platform::LinuxAmd64 }
    }

    /// Rust's name of the target that links statically, with musl.
    pub fn target(self) -> &'static str {
        match self {
            Platform::LinuxAmd64 => "x86_64-unknown-linux-musl",
            Platform::LinuxArm64 => "aarch64-unknown-linux-musl",
        }
    }

    /// Architecture as images call it (`GOARCH`).
    pub fn architecture(self) -> &'static str {
        match self {
            Platform::LinuxAmd64 => "amd64",
            Platform::LinuxArm64 => "arm64",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "linux/{}", self.architecture())
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let platforms = [Platform::LinuxAmd64, Platform::LinuxArm64];
        match platforms.into_iter().find(|platform| platform.to_string() == text) {
            Some(platform) => Ok(platform),
            None => bail!("{text:?} is not supported: write linux/amd64 or linux/arm64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_as_they_are_written() {
        for platform in [Platform::LinuxAmd64, Platform::LinuxArm64] {
            assert_eq!(platform.to_string().parse::<Platform>().unwrap(), platform);
        }
        let refusal = "linux/riscv64".parse::<Platform>().unwrap_err().to_string();
        assert!(refusal.contains("linux/riscv64") && refusal.contains("linux/arm64"), "{refusal}");
    }
}
