//! `--report FORMAT=FILE`: creates and writes the file of each report.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::dotenv;
use super::render::{Format, render};
use super::result::Report;
use crate::base::disk::Disk;
use crate::base::file::OutputFile;
use crate::text::redact::Secrets;

/// `--report FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// What is written; `None` is `dir`, a file an output in a folder.
    pub format: Option<Format>,
    /// Where to.
    pub path: PathBuf,
    /// Whether other reports may be there already.
    pub destination: Destination,
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The gate's: it is replaced.
    Own,
    /// The CI system's: it is there, and it is added to.
    Shared,
}

/// The formats by their names; `dir` is no single file.
const FORMATS: [(&str, Option<Format>); 8] = [
    ("json", Some(Format::Json)),
    ("junit", Some(Format::Junit)),
    ("markdown", Some(Format::Markdown)),
    ("github", Some(Format::Github)),
    ("dotenv", Some(Format::Dotenv)),
    ("annotations", Some(Format::Annotations)),
    ("intoto", Some(Format::Intoto)),
    ("dir", None),
];

impl std::str::FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted =
            format!("it should be FORMAT=FILE with FORMAT one of {}", FORMATS.map(|(name, _)| name).join(", "));
        let (name, path) = text.split_once('=').ok_or(&wanted)?;
        let format = FORMATS.iter().find(|(format, _)| *format == name.trim());
        let (_, format) = format.ok_or_else(|| format!("\"{name}\" is not a format; {wanted}"))?;
        // The file of GitHub's outputs belongs to all steps.
        let destination = if *format == Some(Format::Github) { Destination::Shared } else { Destination::Own };
        match path.trim() {
            "" => Err(format!("the file is missing; {wanted}")),
            "-" if format.is_none() => Err("dir is a folder; stdout is none".into()),
            path => Ok(Self { format: *format, path: path.into(), destination }),
        }
    }
}

/// The files of all reports, open before the first request.
pub struct Files {
    /// What goes to stdout, in place of the verdict.
    stdout: Option<Format>,
    files: Vec<Output>,
    folders: Vec<Vec<(String, OutputFile)>>,
    lost: Vec<String>,
    missed: Vec<String>,
    /// Ends each output of GitHub's file.
    delimiter: String,
    /// What must not be told.
    secrets: Secrets,
}

/// One file.
struct Output {
    format: Format,
    file: OutputFile,
    /// Whether the gate added it by itself and nobody depends on it.
    is_extra: bool,
}

impl Files {
    /// Creates every file, so that a bad path fails before the wait. `outputs` are the names that the run will have.
    ///
    /// # Errors
    /// The first that cannot be created, or two that are one.
    pub fn create(
        reports: &[ReportFile],
        outputs: &[&str],
        (disk, seed): (&dyn Disk, u64),
        secrets: &Secrets,
    ) -> Result<Self, String> {
        let (files, folders, lost, missed) = Default::default();
        let mut dice = fastrand::Rng::with_seed(seed);
        let delimiter = uuid::Builder::from_random_bytes(std::array::from_fn(|_| dice.u8(..))).into_uuid();
        let delimiter = format!("ghadelimiter_{delimiter}");
        let mut all = Self { stdout: None, files, folders, lost, missed, delimiter, secrets: secrets.clone() };
        for report in reports {
            let complain = |why: String| format!("--report (DEPLOY_GATE_REPORT) {}: {why}", report.path.display());
            if report.path.as_os_str() == "-" {
                if report.format == Some(Format::Dotenv) {
                    dotenv::names(outputs)?;
                }
                if std::mem::replace(&mut all.stdout, report.format).is_some() {
                    return Err(complain("two reports would be mixed on stdout".into()));
                }
                continue;
            }
            let is_stdout =
                ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].map(Path::new).contains(&report.path.as_path());
            if is_stdout && reports.iter().any(|other| other.path.as_os_str() == "-") {
                return Err(complain("two reports would be mixed on stdout".into()));
            }
            let opened = match (report.format, report.destination) {
                (None, _) => folder(&report.path, outputs, disk).map(|folder| all.folders.push(folder)),
                (Some(format), destination) => {
                    if format == Format::Dotenv {
                        dotenv::names(outputs)?;
                    }
                    let file = match destination {
                        Destination::Own => disk.create(&report.path),
                        Destination::Shared => disk.append(&report.path),
                    };
                    file.map(|file| all.files.push(Output { format, file, is_extra: false }))
                }
            };
            match opened {
                Err(error) if is_no_fault_of_the_path(&error) => all.lost.push(complain(error.to_string())),
                other => other.map_err(|error| complain(error.to_string()))?,
            }
            let files: Vec<&OutputFile> = all.all().collect();
            let clash =
                files.iter().enumerate().any(|(index, file)| files[..index].iter().any(|other| other.is_same(file)));
            if clash {
                return Err(complain("two reports would overwrite each other there".into()));
            }
        }
        Ok(all)
    }

    /// Takes up a file of the CI system, which has to be there.
    ///
    /// # Errors
    /// Another report goes there.
    pub fn share(&mut self, format: Format, variable: &str, path: &Path, disk: &dyn Disk) -> Result<(), String> {
        match disk.find(path).and_then(|_| disk.append(path)) {
            Ok(file) if self.files.iter().any(|output| output.format == format && output.file.is_same(&file)) => {}
            Ok(file) if self.is_taken(&file) => {
                return Err(format!(
                    "--report (DEPLOY_GATE_REPORT) {}: that is the file of {variable}",
                    path.display()
                ));
            }
            Ok(file) => self.files.push(Output { format, file, is_extra: format == Format::Markdown }),
            Err(error) => {
                let why = format!("{variable} {}: {error}", path.display());
                if format == Format::Markdown { self.missed.push(why) } else { self.lost.push(why) }
            }
        }
        Ok(())
    }

    /// Whether a report goes to this file.
    pub fn is_taken(&self, file: &OutputFile) -> bool {
        self.all().any(|other| other.is_same(file))
    }

    fn all(&self) -> impl Iterator<Item = &OutputFile> {
        let in_folders = self.folders.iter().flatten().map(|(_, file)| file);
        self.files.iter().map(|output| &output.file).chain(in_folders)
    }

    /// Whether a report of this format will be written.
    pub fn has(&self, format: Format) -> bool {
        self.stdout == Some(format) || self.files.iter().any(|output| output.format == format)
    }

    /// What goes to stdout, in place of the verdict.
    pub fn stdout(&self) -> Option<Format> {
        self.stdout
    }

    /// What could not be written that nobody asked for, since this was last asked.
    pub fn missed(&mut self) -> Vec<String> {
        std::mem::take(&mut self.missed)
    }

    /// What is lost already, before the first request.
    pub fn lost(&self) -> Option<String> {
        (!self.lost.is_empty()).then(|| self.lost.join("; "))
    }

    /// A report as it is written.
    pub fn render(&self, report: &Report, format: Format) -> String {
        render(report, format, &self.delimiter)
    }

    /// Writes every report.
    ///
    /// # Errors
    /// What could not be written; the others are written all the same.
    pub fn write(&mut self, report: &Report) -> Result<(), String> {
        let mut lost = Vec::new();
        for Output { format, file, is_extra } in &mut self.files {
            let failed = if *is_extra { &mut self.missed } else { &mut lost };
            failed.extend(file.write(self.secrets.redact(&render(report, *format, &self.delimiter)).as_bytes()).err());
        }
        let outputs = report.outputs();
        for (name, file) in self.folders.iter_mut().flatten() {
            let value = outputs.iter().find(|(output, _)| output == name).map_or("", |(_, value)| value.as_str());
            lost.extend(file.write(self.secrets.redact(value).as_bytes()).err());
        }
        if lost.is_empty() { Ok(()) } else { Err(lost.join("; ")) }
    }
}

/// A file an output, empty.
fn folder(path: &Path, outputs: &[&str], disk: &dyn Disk) -> std::io::Result<Vec<(String, OutputFile)>> {
    outputs.iter().map(|name| Ok(((*name).to_owned(), disk.create(&path.join(name))?))).collect()
}

/// Whether the user asked for something right that this machine cannot do now.
fn is_no_fault_of_the_path(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
