//! Rule sets from files to answers: loading, judging, ranking, plans, queries, and the shipped rules themselves.

#[cfg(test)]
mod editing;
#[cfg(test)]
mod hearing;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod judging;
mod lints;
#[cfg(test)]
mod loading;
#[cfg(test)]
mod order;
#[cfg(test)]
mod packs;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod support;
