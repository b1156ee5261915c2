//! Names of things, one type each so that they cannot be mixed up.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

id! {
    /// A variant of a family, e.g. `resnet50`.
    ArchitectureId
}
id! {
    /// Which trained weights, e.g. `torchvision/IMAGENET1K_V2`.
    WeightsTag
}
id! {
    /// A rule, e.g. `latency-over-budget`.
    RuleId
}
id! {
    /// A content-addressed record of the knowledge base: 32 hexadecimal digits.
    RecordId
}
id! {
    /// A device: a digest of its fingerprint, or the short name of a shipped one (`stm32f746`).
    DeviceId
}
id! {
    /// A runner, e.g. `rten`.
    RunnerName
}
