//! Files and standard input, as a run sees them: the machine's, or a test's.

use std::cell::RefCell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::base::file::{FileId, OutputFile};

/// Where a run reads and writes.
pub trait Disk {
    /// Reads all of a file; `-` is standard input.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Which file is there; `None` is a device or a pipe, which has no content to lose.
    ///
    /// # Errors
    /// Nothing is there.
    fn find(&self, path: &Path) -> io::Result<Option<FileId>>;
    /// Creates a file, and the folders that it is in.
    ///
    /// # Errors
    /// Why it cannot be created.
    fn create(&self, path: &Path) -> io::Result<OutputFile>;
    /// Opens a file to add to its end.
    ///
    /// # Errors
    /// Why it cannot be opened.
    fn append(&self, path: &Path) -> io::Result<OutputFile>;

    /// Reads all of a text file; `-` is standard input.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read_text(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
    }
}

/// Text without the byte order mark that some editors and shells put at its head.
pub fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    bytes
}

/// The machine's own.
pub struct RealDisk;

impl Disk for RealDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path.as_os_str() != "-" {
            return std::fs::read(path).map(without_mark);
        }
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        Ok(without_mark(bytes))
    }

    fn find(&self, path: &Path) -> io::Result<Option<FileId>> {
        FileId::of(path)
    }

    fn create(&self, path: &Path) -> io::Result<OutputFile> {
        OutputFile::create(path)
    }

    fn append(&self, path: &Path) -> io::Result<OutputFile> {
        OutputFile::append(path)
    }
}

/// A disk on which nothing is overwritten that was read.
pub struct SparesInputs<'d> {
    disk: &'d dyn Disk,
    read: RefCell<Vec<(FileId, PathBuf)>>,
}

impl<'d> SparesInputs<'d> {
    /// Nothing of the disk was read so far.
    pub fn new(disk: &'d dyn Disk) -> Self {
        Self { disk, read: RefCell::default() }
    }

    fn refuse(&self, path: &Path) -> io::Result<()> {
        let there = self.disk.find(path).ok().flatten();
        let read = self.read.borrow();
        match read.iter().find(|(id, _)| Some(id) == there.as_ref()) {
            None => Ok(()),
            Some((_, input)) => {
                let why = format!("it would overwrite {}, which the run reads", input.display());
                Err(io::Error::new(io::ErrorKind::InvalidInput, why))
            }
        }
    }
}

impl Disk for SparesInputs<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let found = self.disk.find(path).ok().flatten();
        self.read.borrow_mut().extend(found.map(|id| (id, path.into())));
        self.disk.read(path)
    }

    fn find(&self, path: &Path) -> io::Result<Option<FileId>> {
        self.disk.find(path)
    }

    fn create(&self, path: &Path) -> io::Result<OutputFile> {
        self.refuse(path)?;
        self.disk.create(path)
    }

    fn append(&self, path: &Path) -> io::Result<OutputFile> {
        self.refuse(path)?;
        self.disk.append(path)
    }
}
