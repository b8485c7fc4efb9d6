//! Files and standard input, as a run sees them: the machine's, or a test's.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::base::file::OutputFile;

/// Where a run reads and writes.
pub trait Disk {
    /// Reads all of a file; `-` is standard input.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The path of what is there, with links resolved.
    ///
    /// # Errors
    /// Nothing is there.
    fn find(&self, path: &Path) -> io::Result<PathBuf>;
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

    fn find(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn create(&self, path: &Path) -> io::Result<OutputFile> {
        OutputFile::create(path)
    }

    fn append(&self, path: &Path) -> io::Result<OutputFile> {
        OutputFile::append(path)
    }
}
