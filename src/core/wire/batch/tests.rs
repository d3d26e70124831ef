use super::*;
use crate::error::Result;
use crate::signing::{Purpose, Signer, Trust};
use proptest::prelude::*;

/// What a batch holds, as it was written and as it came out.
#[derive(Clone, Debug, Default, PartialEq)]
struct Content {
    reads: Vec<SealedRead>,
    documents: Vec<SealedDocument>,
    rows: Vec<SealedRow>,
    pictures: Vec<BatchPicture>,
}

impl Content {
    fn header(&self) -> BatchHeader {
        BatchHeader {
            batch: Uuid::from_u128(7),
            vehicle: "unit-7".into(),
            computer: None,
            sent: Timestamp::UNIX_EPOCH,
            waiting: None,
            audit_head: None,
            counts: BatchCounts {
                reads: self.reads.len(),
                pictures: self.pictures.len(),
                documents: self.documents.len(),
                audit_rows: self.rows.len(),
            },
        }
    }

    fn write(&self) -> Vec<u8> {
        self.write_with(&self.header(), |_| {})
    }

    fn write_with(&self, header: &BatchHeader, more: impl FnOnce(&mut BatchWriter<Vec<u8>>)) -> Vec<u8> {
        let mut writer = BatchWriter::new(Vec::new(), header).unwrap();
        self.reads.iter().for_each(|read| writer.read(read).unwrap());
        self.documents.iter().for_each(|document| writer.document(document).unwrap());
        self.rows.iter().for_each(|row| writer.audit_row(row).unwrap());
        more(&mut writer);
        self.pictures.iter().for_each(|picture| writer.picture(picture).unwrap());
        writer.finish().unwrap()
    }
}

/// Reads what comes in these pieces.
fn read_in<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Content> {
    let (mut reader, mut content) = (BatchReader::new(), Content::default());
    for mut piece in pieces {
        while let Some(event) = reader.next(&mut piece)? {
            match event {
                Event::Header(_) | Event::End => {}
                Event::Read(read) => content.reads.push(read),
                Event::Document(document) => content.documents.push(document),
                Event::AuditRow(row) => content.rows.push(row),
                Event::Picture(picture) => content.pictures.push(picture),
            }
        }
        assert!(piece.is_empty());
    }
    reader.finish()?;
    Ok(content)
}

fn read_whole(bytes: &[u8]) -> Result<Content> {
    read_in([bytes])
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

fn content() -> impl Strategy<Value = Content> {
    let id = || any::<u128>().prop_map(Uuid::from_u128);
    let read = (id(), bytes(300)).prop_map(|(id, record)| SealedRead { id, sha256: Sha256::of(&record), record });
    let document = ("[a-z_]{1,64}", bytes(300)).prop_map(|(kind, body)| SealedDocument::new(&kind, body));
    let row = (id(), any::<u64>(), bytes(300)).prop_map(|(log, number, row)| SealedRow::new(log, number, row));
    let picture = bytes(3000).prop_map(|jpeg| BatchPicture { sha256: Sha256::of(&jpeg), jpeg });
    let few = |n| 0..n;
    (
        prop::collection::vec(read, few(8)),
        prop::collection::vec(document, few(4)),
        prop::collection::vec(row, few(8)),
        prop::collection::vec(picture, few(4)),
    )
        .prop_map(|(reads, documents, rows, pictures)| Content { reads, documents, rows, pictures })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_written_is_read_at_any_split(content in content(), sizes in prop::collection::vec(1usize..700, 1..40)) {
        let batch = content.write();
        let (mut rest, mut pieces) = (&batch[..], Vec::new());
        for size in sizes.iter().cycle() {
            let (piece, tail) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&read_in(pieces).unwrap(), &content);
        prop_assert_eq!(&read_in(batch.chunks(1)).unwrap(), &content);
    }

    #[test]
    fn any_changed_byte_is_refused(content in content(), at in any::<prop::sample::Index>(), change in 1u8..) {
        let mut batch = content.write();
        let at = at.index(batch.len());
        batch[at] ^= change;
        prop_assert!(read_whole(&batch).is_err());
    }

    #[test]
    fn a_batch_that_is_cut_off_or_followed_by_something_is_refused(
        content in content(), at in any::<prop::sample::Index>(), more in 0u8..,
    ) {
        let mut batch = content.write();
        prop_assert!(read_whole(&batch[..at.index(batch.len())]).is_err());
        batch.push(more);
        prop_assert!(read_whole(&batch).is_err());
    }

    #[test]
    fn frames_of_unknown_kind_are_passed_over(content in content(), kind in any::<u8>(), unknown in bytes(5000)) {
        prop_assume!(!b"HZRDAPE".contains(&kind));
        let batch = content.write_with(&content.header(), |writer| writer.frame(kind, &[&unknown]).unwrap());
        prop_assert_eq!(read_whole(&batch).unwrap(), content);
    }

    #[test]
    fn any_bytes_are_refused_and_nothing_panics(rubbish in bytes(400), tail in bytes(400)) {
        prop_assert!(read_whole(&rubbish).is_err());
        let begun = Content::default().write();
        let begun = &begun[..begun.len() - 37];
        prop_assert!(read_in([begun, &rubbish[..], &tail[..]]).is_err());
    }
}

#[test]
fn a_packed_frame_that_grows_without_end_is_refused_before_it_fills_the_memory() {
    let bomb = zstd::bulk::compress(&vec![0; 1 << 30], 3).unwrap();
    assert!(bomb.len() < MAX_PACKED_BYTES);
    let counts = BatchCounts { reads: MAX_BATCH_READS, ..BatchCounts::default() };
    let header = BatchHeader { counts, ..Content::default().header() };
    let batch = Content::default().write_with(&header, |writer| writer.frame(b'Z', &[&bomb]).unwrap());
    // Zeros are frames of an unknown kind without content.
    assert!(read_whole(&batch).unwrap_err().chain().contains("grows too large"));
}

#[test]
fn a_frame_that_is_too_large_is_refused_by_its_length_alone() {
    for (kind, length) in [(b'P', MAX_PICTURE_BYTES + 33), (b'R', MAX_TEXT_BYTES + 1), (b'Z', MAX_PACKED_BYTES + 1)] {
        let begun = Content::default().write();
        let head = frames::head(kind, length).unwrap();
        let error = read_in([&begun[..begun.len() - 37], &head]).unwrap_err();
        assert!(error.chain().contains("too many"), "{}", error.chain());
    }
}

#[test]
fn numbers_that_do_not_fit_the_header_are_refused() {
    let read = SealedRead { id: Uuid::from_u128(1), sha256: Sha256::of(b"{}"), record: b"{}".to_vec() };
    let content = Content { reads: vec![read], ..Content::default() };
    let with = |reads| BatchHeader { counts: BatchCounts { reads, ..BatchCounts::default() }, ..content.header() };
    assert!(read_whole(&content.write_with(&with(0), |_| {})).unwrap_err().chain().contains("more than"));
    assert!(read_whole(&content.write_with(&with(2), |_| {})).unwrap_err().chain().contains("less than"));
    assert!(read_whole(&content.write_with(&with(501), |_| {})).unwrap_err().chain().contains("too many reads"));
    assert_eq!(read_whole(&content.write_with(&with(1), |_| {})).unwrap(), content);
}

#[test]
fn large_texts_travel_in_several_packed_frames() {
    let reads = (0..60u8).map(|n| {
        let record = vec![n; 100 << 10];
        SealedRead { id: Uuid::from_u128(n.into()), sha256: Sha256::of(&record), record }
    });
    let content = Content { reads: reads.collect(), ..Content::default() };
    let batch = content.write();
    assert!(batch.len() < 100 << 10, "small texts compress: {}", batch.len());
    assert_eq!(read_whole(&batch).unwrap(), content);
}

// policy: P-12
#[test]
fn a_receipt_counts_only_when_a_trusted_key_signed_exactly_this() {
    let (station, other) = (Signer::generate().unwrap(), Signer::generate().unwrap());
    let trust = Trust::only([station.public_key()]);
    let id = Uuid::from_u128(1);
    let durable = vec![Durable { id, sha256: Sha256::of(b"x") }];
    let receipt = Receipt {
        batch: Uuid::from_u128(7),
        station: "hq".into(),
        at: Timestamp::UNIX_EPOCH,
        reads: Verdicts { durable, ..Verdicts::default() },
        documents: Verdicts::default(),
        audit_rows: RowVerdicts::default(),
    };
    let travelling = |signer| serde_json::to_string(&SignedReceipt::sign(&receipt, signer).unwrap()).unwrap();
    let good = travelling(&station);
    assert_eq!(SignedReceipt::open(good.as_bytes(), &trust).unwrap(), receipt);
    assert!(SignedReceipt::open(travelling(&other).as_bytes(), &trust).is_err());
    let changed = good.replace(&id.to_string(), &Uuid::from_u128(2).to_string());
    assert_ne!(good, changed);
    assert!(SignedReceipt::open(changed.as_bytes(), &trust).is_err());
    let text = serde_json::to_string(&receipt).unwrap();
    let elsewhere = hex::encode(station.sign(Purpose::USERS, text.as_bytes()));
    let elsewhere = SignedReceipt { signature: elsewhere, ..SignedReceipt::sign(&receipt, &station).unwrap() };
    assert!(
        SignedReceipt::open(&serde_json::to_vec(&elsewhere).unwrap(), &trust).is_err(),
        "signed for another purpose"
    );
    assert!(SignedReceipt::open(text.as_bytes(), &trust).is_err());
}
