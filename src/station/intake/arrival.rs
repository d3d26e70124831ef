//! A batch as it comes in: parts gathered until its end was found right.

use super::room::{NoRoom, Place};
use plated_core::error::Error;
use plated_core::wire::batch::{BatchHeader, BatchPicture, BatchReader, Event, SealedDocument, SealedRead, SealedRow};

/// What a whole batch holds.
#[derive(Debug)]
pub struct Parts {
    /// Whose it is.
    pub header: BatchHeader,
    /// Reads.
    pub reads: Vec<SealedRead>,
    /// Documents.
    pub documents: Vec<SealedDocument>,
    /// Rows of audit logs.
    pub rows: Vec<SealedRow>,
    /// Pictures.
    pub pictures: Vec<BatchPicture>,
}

/// Why a batch is not taken.
#[derive(Debug)]
pub enum Refused {
    /// Its header names this vehicle, not the one of the certificate.
    OtherVehicle,
    /// It is no batch, or one that was changed.
    Malformed(Error),
    /// There is no memory for it now.
    NoRoom(NoRoom),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

impl From<NoRoom> for Refused {
    fn from(none: NoRoom) -> Self {
        Self::NoRoom(none)
    }
}

/// A batch that is arriving.
#[derive(Debug)]
pub struct Arrival {
    reader: BatchReader,
    place: Place,
    parts: Option<Parts>,
}

impl Arrival {
    pub fn new(place: Place) -> Self {
        Self { reader: BatchReader::new(), place, parts: None }
    }

    /// Takes the next bytes, of a batch that has to be this vehicle's.
    pub fn take(&mut self, vehicle: &str, mut bytes: &[u8]) -> Result<(), Refused> {
        self.place.grow(bytes.len())?;
        while let Some(event) = self.reader.next(&mut bytes)? {
            let parts = match (event, &mut self.parts) {
                (Event::Header(header), _) => {
                    if header.vehicle != vehicle {
                        return Err(Refused::OtherVehicle);
                    }
                    let (reads, documents, rows, pictures) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                    self.parts = Some(Parts { header, reads, documents, rows, pictures });
                    continue;
                }
                (event, Some(parts)) => (event, parts),
                // The reader gives the header first.
                (_, None) => continue,
            };
            match parts {
                (Event::Read(read), parts) => {
                    self.place.grow(read.record.len())?;
                    parts.reads.push(read);
                }
                (Event::Document(document), parts) => {
                    self.place.grow(document.body.len())?;
                    parts.documents.push(document);
                }
                (Event::AuditRow(row), parts) => {
                    self.place.grow(row.row.len())?;
                    parts.rows.push(row);
                }
                // Its bytes were counted as they came.
                (Event::Picture(picture), parts) => parts.pictures.push(picture),
                (Event::Header(_) | Event::End, _) => {}
            }
        }
        Ok(())
    }

    /// All of it; its memory is counted as long as the place lives.
    pub fn finish(self) -> Result<(Parts, Place), Refused> {
        self.reader.finish()?;
        match self.parts {
            Some(parts) => Ok((parts, self.place)),
            None => Err(Refused::Malformed(Error::new(plated_core::error::Kind::Input, "this is no batch"))),
        }
    }
}
