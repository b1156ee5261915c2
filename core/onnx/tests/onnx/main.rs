//! The crate from outside: small networks, exported, read back and run.

#[cfg(test)]
mod export;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod nets;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod safetensors;
