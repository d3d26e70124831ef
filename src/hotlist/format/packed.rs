//! Files of lists as they lie on disk: only plain files are opened, and gzip and ZIP (also with a
//! password) are unpacked while they are read.

use flate2::read::MultiGzDecoder;
use plated_core::config_file::is_credential;
use plated_core::error::{Context, Error, Kind, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;
use zip::ZipArchive;
use zip::result::ZipError;

/// No list unpacks to more bytes.
pub const MAX_UNPACKED: u64 = 4 << 30;
/// Text of lists packs to a tenth or so. Above [`FREE_RATIO`] bytes nothing may unpack to more than
/// this many times its size.
const MAX_RATIO: u64 = 200;
/// Up to so many bytes the ratio does not count.
const FREE_RATIO: u64 = 64 << 20;
/// Most files in an archive.
const MAX_MEMBERS: usize = 1000;
/// Longest password.
const MAX_PASSWORD: u64 = 1024;
/// `O_NONBLOCK` of Linux: a named pipe without a writer is opened at once, and then refused.
const NONBLOCK: i32 = 0o4000;

/// What is needed to open a packed list.
#[derive(Clone, Default)]
pub struct Packing {
    /// The password of a ZIP archive.
    pub password: Option<Zeroizing<String>>,
    /// Name of the list in a ZIP archive that holds several files.
    pub member: Option<String>,
}

impl std::fmt::Debug for Packing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packing {{ password: {}, member: {:?} }}", self.password.is_some(), self.member)
    }
}

impl Packing {
    /// With the password in a file of mode 0400.
    ///
    /// # Errors
    /// `Missing` when there is no such file, `Refused` when others may read it, `Config` when it holds
    /// no password.
    pub fn new(password_file: Option<&Path>, member: Option<&str>) -> Result<Self> {
        let password = password_file.map(read_password).transpose()?;
        Ok(Self { password, member: member.map(str::to_owned) })
    }
}

/// The password in a file of mode 0400, or in a credential.
///
/// # Errors
/// As of [`Packing::new`].
pub fn read_password(path: &Path) -> Result<Zeroizing<String>> {
    let what = || format!("could not read the password file {}", path.display());
    let file = open_plain(path).context(Kind::Missing, what)?;
    let mode = file.metadata().context(Kind::Missing, what)?.mode() & 0o7777;
    if !is_credential(path) && mode & 0o077 != 0 {
        let message = format!("the password file {} may be read by others (mode {mode:04o})", path.display());
        return Err(Error::new(Kind::Refused, format!("{message}; run `chmod 0400 {}`", path.display())));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_PASSWORD).read_to_string(&mut text).context(Kind::Config, what)?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if password.is_empty() {
        return Err(Error::new(Kind::Config, format!("the password file {} holds no password", path.display())));
    }
    Ok(password)
}

/// Opens a plain file. A folder, a named pipe, a socket or a device is refused at once, and none is
/// waited for.
///
/// # Errors
/// What the system says, and `InvalidInput` for what is no plain file.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path)?;
    let kind = file.metadata()?.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(file),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, no plain file")))
}

/// Gives `read` the bytes of a list, unpacked where they are packed, and its name: `name` is what the
/// file is called, and in an archive the list's name within follows it.
///
/// # Errors
/// `Input` when the file is packed and can't be unpacked, `Config` when its password or the name of
/// the list in it is missing or wrong, `Storage` when it can't be read, and what `read` says.
pub fn unpacked<F: Read + Seek, T>(
    mut file: F,
    name: &Path,
    packing: &Packing,
    read: impl FnOnce(&mut dyn Read, &Path) -> Result<T>,
) -> Result<T> {
    let beginning = || "its beginning could not be read".to_owned();
    let mut first = Vec::new();
    (&mut file).take(4).read_to_end(&mut first).context(Kind::Storage, beginning)?;
    let size = file.seek(SeekFrom::End(0)).context(Kind::Storage, beginning)?;
    file.seek(SeekFrom::Start(0)).context(Kind::Storage, beginning)?;
    if first.starts_with(b"\x1F\x8B") {
        let within = if name.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
            name.with_extension("")
        } else {
            name.to_owned()
        };
        return read(&mut Bounded::new(MultiGzDecoder::new(io::BufReader::new(file)), size), &within);
    }
    if [&b"PK\x03\x04"[..], b"PK\x05\x06", b"PK\x07\x08"].iter().any(|mark| first.starts_with(mark)) {
        few_members(&mut file, size)?;
        let mut archive = ZipArchive::new(io::BufReader::new(file)).map_err(|e| refused(&e))?;
        let (at, member_name) = member(&archive, packing.member.as_deref())?;
        let within = name.join(member_name);
        let member = match &packing.password {
            Some(password) => archive.by_index_decrypt(at, password.as_bytes()),
            None => archive.by_index(at),
        };
        return read(&mut Bounded::new(member.map_err(|e| refused(&e))?, size), &within);
    }
    read(&mut file, name)
}

/// Refuses an archive of too many files by its last record, before memory is taken for each of them.
fn few_members(file: &mut (impl Read + Seek), size: u64) -> Result<()> {
    const RECORD: usize = 22;
    let unreadable = || "the end of the archive could not be read".to_owned();
    let mut end = Vec::new();
    // A comment of at most 64 KiB may follow the record.
    file.seek(SeekFrom::Start(size.saturating_sub(RECORD as u64 + 0xFFFF))).context(Kind::Storage, unreadable)?;
    file.read_to_end(&mut end).context(Kind::Storage, unreadable)?;
    file.seek(SeekFrom::Start(0)).context(Kind::Storage, unreadable)?;
    let records = end.windows(RECORD).filter(|record| record.starts_with(b"PK\x05\x06"));
    let most = records.map(|record| usize::from(u16::from_le_bytes([record[10], record[11]]))).max().unwrap_or(0);
    if most > MAX_MEMBERS {
        return Err(Error::new(Kind::Input, format!("it is an archive of too many files; the most is {MAX_MEMBERS}")));
    }
    Ok(())
}

/// The list in an archive: the file that was named, or the only one.
fn member<R: Read + Seek>(archive: &ZipArchive<R>, wanted: Option<&str>) -> Result<(usize, PathBuf)> {
    if archive.len() > MAX_MEMBERS {
        let message = format!("it is an archive of {} files; the most is {MAX_MEMBERS}", archive.len());
        return Err(Error::new(Kind::Input, message));
    }
    // What systems put beside: folders, hidden files, macOS's own.
    let is_clutter = |name: &str| {
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        last.is_empty() || last.starts_with('.') || name.starts_with("__MACOSX/")
    };
    // Also a name that can't be read is a file's.
    let name = |at| archive.name_for_index(at).map(|name| name.unwrap_or("?".into()));
    let files = (0..archive.len()).filter_map(|at| Some((at, name(at)?.into_owned())));
    let files: Vec<(usize, String)> = files.filter(|(_, name)| !is_clutter(name)).collect();
    let path = |name: &str| PathBuf::from(name.rsplit(['/', '\\']).next().unwrap_or_default());
    let found: Vec<&(usize, String)> = match wanted {
        Some(wanted) => files.iter().filter(|(_, name)| *name == wanted || path(name) == Path::new(wanted)).collect(),
        None => files.iter().collect(),
    };
    let refuse = |kind, message: String| Err(Error::new(kind, message));
    match (&found[..], wanted) {
        ([(at, name)], _) => Ok((*at, path(name))),
        ([], Some(wanted)) => refuse(Kind::Config, format!("it is an archive without a file \"{wanted}\"")),
        ([], None) => refuse(Kind::Input, "it is an archive without a file".into()),
        (several, _) => refuse(
            Kind::Config,
            format!(
                "it is an archive of {} files; say which is the list (archive_member, or --archive-member)",
                several.len()
            ),
        ),
    }
}

fn refused(e: &ZipError) -> Error {
    match e {
        ZipError::Io(e) if e.raw_os_error().is_some() => {
            Error::new(Kind::Storage, format!("the archive could not be read: {e}"))
        }
        ZipError::UnsupportedArchive(why) if *why == ZipError::PASSWORD_REQUIRED => {
            let message =
                "it is an archive with a password; name the file that holds it (password_file, or --password-file)";
            Error::new(Kind::Config, message)
        }
        ZipError::InvalidPassword => Error::new(Kind::Config, "the password does not open the archive"),
        ZipError::CompressionMethodNotSupported(_) => {
            Error::new(Kind::Input, "it is packed by a method that is not known; pack it with deflate")
        }
        e => Error::new(Kind::Input, format!("it is a damaged archive: {e}")),
    }
}

/// A reader that ends with an error where more comes out than a list can hold. All errors but the
/// system's are of kind `InvalidData`: the packed file is at fault.
struct Bounded<R> {
    inner: R,
    given: u64,
    limit: u64,
}

impl<R: Read> Bounded<R> {
    fn new(inner: R, packed: u64) -> Self {
        let limit = packed.saturating_mul(MAX_RATIO).clamp(FREE_RATIO, MAX_UNPACKED);
        Self { inner, given: 0, limit }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let fault = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        let n = self.inner.read(to).map_err(|e| match e.kind() {
            io::ErrorKind::Interrupted => e,
            _ if e.raw_os_error().is_some() => e,
            _ => fault(format!("the packed file is damaged or was cut off, or its password is wrong ({e})")),
        })?;
        self.given += n as u64;
        if self.given > self.limit {
            return Err(fault(format!("the packed file unpacks to more than {} MiB", self.limit >> 20)));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::unstable::write::FileOptionsExt;
    use zip::write::SimpleFileOptions;

    const LIST: &[u8] = b"plate,state\n7ABC123,CA\n";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn archive(files: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            out.start_file(*name, options).unwrap();
            out.write_all(bytes).unwrap();
        }
        out.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8], name: &str, packing: &Packing) -> Result<(Vec<u8>, String)> {
        unpacked(Cursor::new(bytes), Path::new(name), packing, |input, within| {
            let mut out = Vec::new();
            input.read_to_end(&mut out).map_err(|e| super::super::lines::unreadable(&e, || "unread".into()))?;
            Ok((out, within.display().to_string()))
        })
    }

    fn with(password: &str) -> Packing {
        Packing { password: Some(Zeroizing::new(password.into())), member: None }
    }

    #[test]
    fn plain_gzip_and_zip_files_give_the_same_list_and_its_own_name() {
        let plain = Packing::default();
        assert_eq!(read(LIST, "svs.tbl", &plain).unwrap(), (LIST.to_vec(), "svs.tbl".into()));
        assert_eq!(read(&gzip(LIST), "svs.tbl.gz", &plain).unwrap(), (LIST.to_vec(), "svs.tbl".into()));
        let files: [(&str, &[u8]); 3] = [("__MACOSX/x", b"x"), ("lists/.DS_Store", b"x"), ("lists/SVS.TBL", LIST)];
        let zip = archive(&files, SimpleFileOptions::default());
        assert_eq!(read(&zip, "today.zip", &plain).unwrap(), (LIST.to_vec(), "today.zip/SVS.TBL".into()));
    }

    #[test]
    fn a_password_opens_an_archive_by_either_encryption_and_a_wrong_one_is_told() {
        let plain = SimpleFileOptions::default();
        let aes = plain.with_aes_encryption(zip::AesMode::Aes256, "secret");
        let old = plain.with_deprecated_encryption(b"secret").unwrap();
        for options in [aes, old] {
            let zip = archive(&[("svs.tbl", LIST)], options);
            assert_eq!(read(&zip, "a.zip", &with("secret")).unwrap().0, LIST);
            let why = read(&zip, "a.zip", &Packing::default()).unwrap_err().chain();
            assert!(why.contains("password_file"), "{why}");
            // One in 256 wrong passwords is only noticed at the end.
            let why = read(&zip, "a.zip", &with("wrong")).unwrap_err().chain();
            assert!(why.contains("password"), "{why}");
        }
    }

    #[test]
    fn an_archive_of_several_files_needs_the_name_of_the_list() {
        let zip = archive(&[("in/svs.tbl", LIST), ("sfr.tbl", b"")], SimpleFileOptions::default());
        let why = read(&zip, "a.zip", &Packing::default()).unwrap_err();
        assert!(why.kind() == Kind::Config && why.chain().contains("2 files"), "{why}");
        for name in ["svs.tbl", "in/svs.tbl"] {
            let named = Packing { member: Some(name.into()), ..Packing::default() };
            assert_eq!(read(&zip, "a.zip", &named).unwrap().0, LIST);
        }
        let none = Packing { member: Some("slr.tbl".into()), ..Packing::default() };
        assert!(read(&zip, "a.zip", &none).unwrap_err().chain().contains("slr.tbl"));
        assert!(read(&archive(&[], SimpleFileOptions::default()), "a.zip", &none).is_err());
        let names: Vec<String> = (0..=MAX_MEMBERS).map(|n| format!("{n}.tbl")).collect();
        let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), LIST)).collect();
        let why = read(&archive(&many, SimpleFileOptions::default()), "a.zip", &none).unwrap_err().chain();
        assert!(why.contains("too many files"), "{why}");
    }

    #[test]
    fn what_is_damaged_cut_off_or_too_large_is_the_files_fault() {
        let mut lines = Vec::new();
        (0..5000).for_each(|n| writeln!(lines, "{}ABC{n:04},CA", n % 9).unwrap());
        let (gz, zip) = (gzip(&lines), archive(&[("svs.tbl", &lines)], SimpleFileOptions::default()));
        for packed in [&gz, &zip] {
            let mut flipped = packed.clone();
            flipped[packed.len() / 3] ^= 0x55;
            let cut = &packed[..packed.len() / 2];
            for bytes in [&flipped[..], cut] {
                assert_eq!(read(bytes, "a", &Packing::default()).unwrap_err().kind(), Kind::Input);
            }
        }
        let bomb = gzip(&vec![b'7'; (FREE_RATIO + (1 << 20)) as usize]);
        let why = read(&bomb, "a.gz", &Packing::default()).unwrap_err().chain();
        assert!(why.contains("unpacks to more than 64 MiB"), "{why}");
    }

    #[test]
    fn only_plain_files_are_opened_and_nothing_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for (path, expected) in
            [(dir.path(), "a folder"), (&pipe, "a named pipe"), (Path::new("/dev/null"), "a device")]
        {
            assert!(open_plain(path).unwrap_err().to_string().contains(expected), "{}", path.display());
        }
        assert!(open_plain(&socket).is_err() && open_plain(&dir.path().join("absent")).is_err());
    }

    #[test]
    fn a_password_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "secret \n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o400);
        assert_eq!(Packing::new(Some(&path), None).unwrap().password.unwrap().as_str(), "secret ");
        mode(0o440);
        let why = Packing::new(Some(&path), None).unwrap_err();
        assert!(why.kind() == Kind::Refused && why.chain().contains("chmod 0400"), "{why}");
        assert!(!format!("{:?}", with("secret")).contains("secret"));
    }
}
