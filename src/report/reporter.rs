//! Tells what came of a run: writes every report and prints the verdict.

use std::io::Write;
use std::path::Path;

use crate::base::disk::Disk;
use crate::base::environment::Variables;
use crate::base::file::{FileId, OutputFile, is_loss};
use crate::report::ci::{self, Ci};
use crate::report::files::{Destination, Files, ReportFile};
use crate::report::people::VerdictStyle;
use crate::report::render::Format;
use crate::report::result::{OUTPUTS, Report};
use crate::report::{annotations, dotenv, people};
use crate::text::escape;
use crate::text::redact::Secrets;

/// Tells what came of a run.
pub struct Reporter {
    extracts: Vec<String>,
    ci: Ci,
    style: VerdictStyle,
    files: Files,
    run_url: String,
}

impl Reporter {
    /// Creates the files of all reports.
    ///
    /// # Errors
    /// Which cannot be created, with its flag and variable.
    pub fn new(
        reports: Vec<ReportFile>,
        extracts: Vec<String>,
        (ci, style): (Ci, VerdictStyle),
        (variables, disk, seed): (&Variables, &dyn Disk, u64),
        secrets: &Secrets,
    ) -> Result<Self, String> {
        let files = Self::files(reports, &extracts, (variables, disk, seed), secrets)?;
        let run_url = ci.run_url(variables);
        Ok(Self { extracts, ci, style, files, run_url })
    }

    /// Creates the files of all reports, and finds those that the CI system shares.
    ///
    /// # Errors
    /// Which cannot be created, with its flag and variable.
    fn files(
        mut reports: Vec<ReportFile>,
        extracts: &[String],
        (variables, disk, seed): (&Variables, &dyn Disk, u64),
        secrets: &Secrets,
    ) -> Result<Files, String> {
        let names: Vec<&str> = OUTPUTS.into_iter().chain(extracts.iter().map(String::as_str)).collect();
        let shared = ci::shared_files(variables);
        let found = |path: &Path| disk.find(path).ok().flatten();
        let places: Vec<FileId> = shared.iter().filter_map(|(.., path)| found(path)).collect();
        for report in &mut reports {
            if found(&report.path).is_some_and(|place| places.contains(&place)) {
                report.destination = Destination::Shared;
            }
        }
        let mut files = Files::create(&reports, &names, (disk, seed), secrets)?;
        shared.iter().try_for_each(|(format, variable, path)| files.share(*format, variable, path, disk))?;
        Ok(files)
    }

    /// Creates a file that is no report.
    ///
    /// # Errors
    /// Why it cannot be created, or that a report goes there.
    pub fn create_beside(&self, path: &Path, disk: &dyn Disk) -> Result<OutputFile, String> {
        let file = disk.create(path).map_err(|error| error.to_string())?;
        if self.files.is_taken(&file) { Err("a report would overwrite it".into()) } else { Ok(file) }
    }

    /// Whether a report names what was judged by its digest.
    pub fn attests(&self) -> bool {
        self.files.has(Format::Intoto)
    }

    /// What is lost already, before the first request.
    pub fn lost(&self) -> Option<String> {
        self.files.lost()
    }

    /// Writes every report and prints the verdict. What is lost on the way turns a pass into no answer.
    pub fn tell(
        mut self,
        mut report: Report,
        recorded: Result<(), String>,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> u8 {
        report.shorten();
        report.extracts = std::mem::take(&mut self.extracts);
        report.run_url = std::mem::take(&mut self.run_url);
        self.warn_of_what_dotenv_drops(&mut report);
        self.warn_of_links_that_are_left_out(&mut report);
        let missed = self.files.missed();
        report.targets.iter_mut().for_each(|verdict| verdict.warnings.extend(missed.iter().cloned()));
        if let Err(lost) = recorded.and_then(|()| self.files.write(&report)) {
            report.lose(&lost);
            // Whatever can still be written must not say that the gate passed.
            let _ = self.files.write(&report);
        }
        let missed = self.files.missed().into_iter().map(|why| format!("warning: {}\n", escape::line(&why)));
        let verdict = people::render(&report, self.style) + &self.ci.annotation(&report) + &missed.collect::<String>();
        let print =
            |stream: &mut dyn Write, text: &str| stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        let printed = match self.files.stdout() {
            None => print(out, &verdict),
            Some(format) => print(err, &verdict).and_then(|()| print(out, &self.files.render(&report, format))),
        };
        match printed {
            // A report that was asked for must arrive.
            Err(error) if is_loss(&error) || self.files.stdout().is_some() => {
                report.lose(&format!("the verdict could not be printed: {error}"));
                let _ = self.files.write(&report);
            }
            _ => {}
        }
        report.ending.code()
    }

    fn warn_of_links_that_are_left_out(&self, report: &mut Report) {
        let left_out = if self.files.has(Format::Annotations) { annotations::render(report).1 } else { 0 };
        if let (1.., Some(first)) = (left_out, report.targets.first_mut()) {
            first
                .warnings
                .push(format!("{left_out} links are left out of the annotations report: GitLab takes no more"));
        }
    }

    fn warn_of_what_dotenv_drops(&self, report: &mut Report) {
        if !self.files.has(Format::Dotenv) {
            return;
        }
        let left_out = dotenv::render(&report.outputs()).1;
        let asked_for = report.extracts.iter().filter(|name| left_out.contains(&name.as_str()));
        let warning = |name| {
            format!(
                "the output {name} is empty in the dotenv report, which carries no blanks, $ or %, and 4 KiB in all"
            )
        };
        let warnings: Vec<String> = asked_for.map(warning).collect();
        report.targets.iter_mut().for_each(|verdict| verdict.warnings.extend(warnings.iter().cloned()));
    }
}
