//! The only writer of files: created before the first request, replaced whole or not at all.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::NamedTempFile;

/// What tells a file from all others, whichever path leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileId {
    /// Its number on its device.
    Node(u64, u64),
    /// Its path with links resolved, where files have no numbers.
    Path(PathBuf),
}

impl FileId {
    /// Which file is there; `None` is a device or a pipe.
    ///
    /// # Errors
    /// Nothing is there.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let there = path.metadata()?;
        if !there.is_file() {
            return Ok(None);
        }
        #[cfg(unix)]
        let id = Self::Node(std::os::unix::fs::MetadataExt::dev(&there), std::os::unix::fs::MetadataExt::ino(&there));
        #[cfg(not(unix))]
        let id = Self::Path(path.canonicalize()?);
        Ok(Some(id))
    }
}

/// A file that will be written when the run ends.
pub struct OutputFile {
    /// With links resolved, so that a link stays one.
    path: PathBuf,
    way: Way,
}

/// How a file is written.
enum Way {
    /// A new file takes its place.
    Replace,
    /// Written in place: a file in a folder where no other can be created.
    InPlace,
    /// Written as it is: a device or a pipe has no content to lose.
    Device,
    /// What stdout or stderr leads to: written on from where that is.
    Inherited(File),
    /// Added to its end: CI systems share some files between steps.
    Append(File),
    /// Kept in memory, for tests.
    Memory(Kept),
}

/// What is kept of a file in memory.
pub type Kept = Arc<Mutex<Vec<u8>>>;

impl OutputFile {
    /// Creates the file, empty: a result that an earlier run left there must not be taken for this one's.
    ///
    /// # Errors
    /// Why it cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        let wrong = |error: io::Error| io::Error::new(error.kind(), format!("it cannot be created: {error}"));
        if let Ok(there) = path.metadata() {
            if there.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; it should be a file"));
            }
            refuse_pipes(path, &there)?;
            if !there.is_file() {
                OpenOptions::new().write(true).open(path).map_err(wrong)?;
                return Ok(Self { path: path.into(), way: Way::Device });
            }
            if let Some(file) = inherited(&there).map_err(wrong)? {
                return Ok(Self { path: path.canonicalize().map_err(wrong)?, way: Way::Inherited(file) });
            }
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(wrong)?;
        }
        File::create(path).map_err(wrong)?;
        let path = path.canonicalize().map_err(wrong)?;
        let way = if temporary(&path).is_ok() { Way::Replace } else { Way::InPlace };
        Ok(Self { path, way })
    }

    /// A file in memory.
    pub fn in_memory(path: &Path, kept: Kept) -> Self {
        Self { path: path.into(), way: Way::Memory(kept) }
    }

    /// Opens the file to add to its end.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn append(path: &Path) -> io::Result<Self> {
        let wrong = |error: io::Error| io::Error::new(error.kind(), format!("it cannot be opened: {error}"));
        path.metadata().map_or(Ok(()), |there| refuse_pipes(path, &there))?;
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(wrong)?;
        Ok(Self { path: path.canonicalize().map_err(wrong)?, way: Way::Append(file) })
    }

    /// Whether both are one file, where one would overwrite the other.
    pub fn is_same(&self, other: &Self) -> bool {
        let goes_on = |file: &Self| matches!(file.way, Way::Device | Way::Inherited(_));
        self.path == other.path && !(goes_on(self) && goes_on(other))
    }

    /// Writes the whole content.
    ///
    /// # Errors
    /// Which file, and why not.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = match &mut self.way {
            Way::Append(file) => {
                let before: &[u8] = if ends_within_a_line(&self.path) { b"\n" } else { b"" };
                file.write_all(&[before, bytes].concat()).and_then(|()| sync(file))
            }
            Way::Inherited(file) => file.write_all(bytes).and_then(|()| sync(file)),
            Way::InPlace | Way::Device => in_place(&self.path).and_then(|mut file| file.write_all(bytes)),
            Way::Memory(kept) => {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = bytes.into();
                Ok(())
            }
            Way::Replace => temporary(&self.path).and_then(|mut file| {
                file.write_all(bytes)?;
                persist(file, &self.path)
            }),
        };
        written.map_err(|error| format!("{} could not be written: {error}", self.path.display()))
    }

    /// Opens the file to be written bit by bit.
    ///
    /// # Errors
    /// Why not.
    pub fn stream(self) -> Result<Stream, String> {
        let stream = match self.way {
            Way::Append(file) | Way::Inherited(file) => Ok(Stream::InPlace(file)),
            Way::InPlace | Way::Device => in_place(&self.path).map(Stream::InPlace),
            Way::Memory(kept) => Ok(Stream::Memory(kept)),
            Way::Replace => temporary(&self.path).map(|file| Stream::Replace(file, self.path)),
        };
        stream.map_err(|error| format!("it cannot be created: {error}"))
    }
}

/// A file that grows while the run goes on, and takes its place at the end.
pub enum Stream {
    /// Takes the place of the path when it is finished.
    Replace(NamedTempFile, PathBuf),
    /// Is in its place already.
    InPlace(File),
    /// Is kept in memory.
    Memory(Kept),
}

impl Stream {
    /// Puts the file in its place, its lines as `finally` has them.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn finish(self, finally: impl FnOnce(Vec<String>) -> Vec<String>) -> Result<(), String> {
        match self {
            Stream::Replace(file, path) => {
                let replace = || {
                    let mut whole = temporary(&path)?;
                    let lines = BufReader::new(file.reopen()?).lines().collect::<io::Result<_>>()?;
                    finally(lines).into_iter().try_for_each(|line| writeln!(whole, "{line}"))?;
                    persist(whole, &path)
                };
                replace().map_err(|error| format!("{} could not be written: {error}", path.display()))
            }
            Stream::InPlace(_) | Stream::Memory(_) => Ok(()),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Replace(file, _) => file.write(bytes),
            Stream::InPlace(file) => file.write(bytes),
            Stream::Memory(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Replace(file, _) => file.flush(),
            Stream::InPlace(file) => file.flush(),
            Stream::Memory(_) => Ok(()),
        }
    }
}

/// The stdout or stderr of the gate, if it leads to this file: replaced, all that is printed would be lost.
#[cfg(unix)]
fn inherited(wanted: &Metadata) -> io::Result<Option<File>> {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    for stream in [io::stdout().as_fd(), io::stderr().as_fd()] {
        let file = File::from(stream.try_clone_to_owned()?);
        let found = file.metadata()?;
        if (found.dev(), found.ino()) == (wanted.dev(), wanted.ino()) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

#[cfg(not(unix))]
fn inherited(_: &Metadata) -> io::Result<Option<File>> {
    Ok(None)
}

/// Opening a named pipe or a socket waits for somebody who reads it, and holds up the run. What the shell hands on as
/// `/dev/fd/N` is read already.
#[cfg(unix)]
fn refuse_pipes(path: &Path, there: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;

    let is_pipe = there.file_type().is_fifo() || there.file_type().is_socket();
    let is_handed_on = path.starts_with("/dev") || path.starts_with("/proc");
    if is_pipe && !is_handed_on {
        let why = "it is a named pipe or a socket, which could hold up the run; it should be a file, or /dev/fd/N";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_pipes(_: &Path, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Whether what an earlier step wrote lacks its last line break. A file that cannot be read is taken for whole.
fn ends_within_a_line(path: &Path) -> bool {
    let last = || {
        let mut file = File::open(path)?;
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        io::Result::Ok(last)
    };
    path.is_file() && last().is_ok_and(|last| last != *b"\n")
}

fn in_place(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).truncate(true).open(path)
}

/// A new file beside `path`, readable by the next step even if that is another user.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".deploy-gate-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder.tempfile_in(folder)
}

fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    sync(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A full disk can show here first. Pipes and some file systems know no sync, which is no loss.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

/// Whether an error of stdout means that somebody does not get what they asked for; a closed pipe does not.
pub fn is_loss(error: &std::io::Error) -> bool {
    error.kind() != std::io::ErrorKind::BrokenPipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_on_where_it_is_can_be_shared() {
        let file = |way| OutputFile { path: "/a".into(), way };
        assert!(file(Way::InPlace).is_same(&file(Way::InPlace)));
        assert!(file(Way::Replace).is_same(&file(Way::Device)));
        assert!(!file(Way::Device).is_same(&file(Way::Device)));
        assert!(!file(Way::InPlace).is_same(&OutputFile { path: "/b".into(), way: Way::InPlace }));
    }
}
