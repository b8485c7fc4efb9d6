//! A disk in memory: what a run writes is there to be read, and nothing else is.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use deploy_gate::base::disk::Disk;
use deploy_gate::base::file::{FileId, Kept, OutputFile};

#[derive(Default)]
pub struct MemoryDisk(RefCell<BTreeMap<PathBuf, Kept>>);

impl MemoryDisk {
    /// The text of a file, `""` where there is none.
    pub fn text(&self, path: &str) -> String {
        self.read_text(Path::new(path)).unwrap_or_default()
    }

    pub fn put(&self, path: &str, text: &str) {
        self.kept(Path::new(path)).lock().expect("no panic").extend_from_slice(text.as_bytes());
    }

    fn kept(&self, path: &Path) -> Kept {
        Kept::clone(self.0.borrow_mut().entry(path.into()).or_default())
    }
}

impl Disk for MemoryDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let files = self.0.borrow();
        let kept = files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(kept.lock().expect("no panic").clone())
    }

    fn find(&self, path: &Path) -> io::Result<Option<FileId>> {
        self.read(path).map(|_| Some(FileId::Path(path.into())))
    }

    fn create(&self, path: &Path) -> io::Result<OutputFile> {
        Ok(OutputFile::in_memory(path, self.kept(path)))
    }

    fn append(&self, path: &Path) -> io::Result<OutputFile> {
        self.create(path)
    }
}
