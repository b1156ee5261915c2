//! Writing the journal again without what cannot be used: repairing and compacting.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::catalog::id_bytes;
use crate::error::StoreError;
use crate::files::{Layout, size_of};
use crate::journal::Journal;
use crate::line::Line;
use crate::section::Section;
use crate::store::Store;
use crate::survey::{Damage, Stretch, survey};
use crate::upkeep::DamagedLine;

/// What became of a damaged line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAside {
    /// The line.
    #[serde(flatten)]
    pub damage: DamagedLine,
    /// Where its bytes are kept.
    pub kept: PathBuf,
}

/// What writing the journal again did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rewritten {
    /// Lines before.
    pub lines: u64,
    /// Records now, each once.
    pub records: u64,
    /// Lines that were left out because their record came before.
    pub repeated: u64,
    /// Damaged lines; what of them is proved whole was kept.
    pub damaged: Vec<SetAside>,
    /// Bytes of the journal before.
    pub journal_before: u64,
    /// Bytes of the journal now.
    pub journal_after: u64,
    /// Bytes of the index before.
    pub index_before: u64,
    /// Bytes of the index now.
    pub index_after: u64,
}

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// The journal was written again.
    pub journal: Option<Rewritten>,
    /// The index was made again.
    pub index_rebuilt: bool,
}

impl Store {
    /// Puts right what [`Store::check`] finds. Damaged lines are kept in quarantine; records in them that are proved
    /// whole are kept in the journal; the index is made again. Where nothing is wrong, nothing is done.
    ///
    /// # Errors
    /// The knowledge base cannot be written; then the journal is as before.
    pub fn repair(&self) -> Result<Repaired, StoreError> {
        let _session = self.session()?;
        self.with(|section| section.writable())?;
        let found = self.check()?;
        if found.is_sound() {
            return Ok(Repaired::default());
        }
        if found.damaged.is_empty() {
            self.rebuild()?;
            return Ok(Repaired { journal: None, index_rebuilt: true });
        }
        Ok(Repaired { journal: Some(self.compact()?), index_rebuilt: true })
    }

    /// Writes journal and index again without repeated and damaged lines.
    ///
    /// # Errors
    /// The knowledge base cannot be written; then the journal is as before.
    pub fn compact(&self) -> Result<Rewritten, StoreError> {
        let report = self.with(Section::rewrite)?;
        // Its size is settled when it is closed.
        Ok(Rewritten { index_after: size_of(&self.path().join("index")), ..report })
    }
}

impl Section {
    fn rewrite(&mut self) -> Result<Rewritten, StoreError> {
        self.writable()?;
        let layout = self.terms.layout.clone();
        let mut report = Rewritten {
            journal_before: size_of(&layout.journal),
            index_before: size_of(&layout.index),
            ..Rewritten::default()
        };
        let damages = self.set_damage_aside(&layout, &mut report)?;
        self.replace_journal(|section, out| section.copy_usable(&damages, out, &mut report))?;
        report.journal_after = size_of(&layout.journal);
        Ok(report)
    }

    /// Puts another journal in place of this one: the old one stays until the new one is complete and on disk. The index
    /// is taken away before, so that it never stands beside a journal that it was not made from.
    pub(crate) fn replace_journal(
        &mut self,
        write: impl FnOnce(&mut Self, &mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let layout = self.terms.layout.clone();
        let mut discarded = false;
        let written = layout.write(&layout.journal, |out| {
            write(self, out)?;
            discarded = true;
            layout.discard_index()
        });
        // Whatever came of it, this is the file that is there now.
        self.journal = Some(Journal::writable(&layout.journal)?);
        if discarded {
            self.reindex()?;
        }
        written
    }

    /// Copies what is damaged into quarantine.
    fn set_damage_aside(&self, layout: &Layout, report: &mut Rewritten) -> Result<Vec<Damage>, StoreError> {
        let mut damages = Vec::new();
        let Some(journal) = &self.journal else { return Ok(damages) };
        report.lines = survey(journal.pieces(0, journal.length()?)?, |stretch| {
            if let Stretch::Damaged(damage) = stretch {
                let place = damage.place;
                let copied = layout.copy_aside(place.offset, place.length);
                let (kept, _) = copied.map_err(|e| StoreError::io("write", &layout.quarantine, e))?;
                report.damaged.push(SetAside { damage: DamagedLine::from(&damage), kept });
                damages.push(damage);
            }
            Ok(())
        })?;
        Ok(damages)
    }

    /// Copies every usable line once, and what was saved of the damaged ones in their place.
    fn copy_usable(
        &self,
        damages: &[Damage],
        out: &mut dyn Write,
        report: &mut Rewritten,
    ) -> Result<(), StoreError> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let mut seen = BTreeSet::new();
        let mut damages = damages.iter().peekable();
        for piece in journal.pieces(0, journal.length()?)? {
            let piece = piece?;
            while damages.next_if(|damage| damage.place.end() <= piece.place.offset).is_some() {}
            let lines = match damages.peek() {
                Some(damage) if damage.place.offset == piece.place.offset => damage.saved.clone(),
                Some(damage) if damage.place.offset < piece.place.offset => Vec::new(),
                _ => vec![piece.bytes],
            };
            for bytes in lines {
                let Ok(line) = Line::decode(bytes.strip_suffix(b"\n").unwrap_or(&bytes)) else { continue };
                if seen.insert(id_bytes(&line.id)) {
                    let written = out.write_all(&line.journalled(0));
                    written.map_err(|e| StoreError::io("write", &self.terms.layout.journal, e))?;
                } else {
                    report.repeated += 1;
                }
            }
        }
        report.records = seen.len() as u64;
        Ok(())
    }
}
