//! What a run will do, with everything that can fail before the wait behind it, and how its end is told.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::base::environment::Variables;
use crate::base::file::OutputFile;
use crate::base::file::is_loss;
use crate::judge::assertion::Assertion;
use crate::judge::extract::Extract;
use crate::net::connection::Connection;
use crate::report::ci::{self, Ci};
use crate::report::files::{Files, Format, Place as Whose, ReportFile};
use crate::report::progress::Manner;
use crate::report::{self, Report, dotenv, people};
use crate::text::color::Paint;
use crate::text::defuse;
use crate::text::redact::Secrets;
use crate::watch::Rules;

/// What a run will do, with everything that can fail before the wait behind it.
pub struct Plan {
    /// What is asked of each target.
    pub question: Question,
    /// How the end is told.
    pub teller: Teller,
}

/// What is asked of each target.
pub struct Question {
    /// For the watch.
    pub rules: Rules,
    /// The first and the longest wait between looks.
    pub intervals: (Duration, Duration),
    /// What must be true.
    pub assertions: Vec<Assertion>,
    /// What later steps want to know.
    pub extracts: Vec<Extract>,
    /// How much of the log of a failed deploy is shown.
    pub log_lines: usize,
    /// How the log of the run looks.
    pub manner: Manner,
    /// Where the targets are.
    pub place: Place,
}

/// Tells what came of a run.
pub struct Teller {
    extracts: Vec<String>,
    ci: Ci,
    paint: Paint,
    files: Files,
}

impl Teller {
    /// Creates the files of all reports.
    ///
    /// # Errors
    /// Which cannot be created, with its flag and variable.
    pub fn new(
        reports: Vec<ReportFile>,
        extracts: Vec<String>,
        (ci, paint): (Ci, Paint),
        variables: &Variables,
        secrets: &Secrets,
    ) -> Result<Self, String> {
        let files = Self::files(reports, &extracts, variables, secrets)?;
        Ok(Self { extracts, ci, paint, files })
    }

    /// Creates the files of all reports, and finds those that the CI system shares.
    ///
    /// # Errors
    /// Which cannot be created, with its flag and variable.
    fn files(
        mut reports: Vec<ReportFile>,
        extracts: &[String],
        variables: &Variables,
        secrets: &Secrets,
    ) -> Result<Files, String> {
        let names: Vec<&str> = report::OUTPUTS.into_iter().chain(extracts.iter().map(String::as_str)).collect();
        let shared = ci::shared_files(variables);
        let places: Vec<PathBuf> = shared.iter().filter_map(|(.., path)| path.canonicalize().ok()).collect();
        for report in &mut reports {
            if report.path.canonicalize().is_ok_and(|path| places.contains(&path)) {
                report.place = Whose::Shared;
            }
        }
        let mut files = Files::create(&reports, &names, secrets)?;
        shared.iter().try_for_each(|(format, variable, path)| files.share(*format, variable, path))?;
        Ok(files)
    }

    /// Creates a file that is no report.
    ///
    /// # Errors
    /// Why it cannot be created, or that a report goes there.
    pub fn create_beside(&self, path: &Path) -> Result<OutputFile, String> {
        let file = OutputFile::create(path).map_err(|error| error.to_string())?;
        if self.files.is_taken(&file) { Err("a report would overwrite it".into()) } else { Ok(file) }
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
        report.extracts = std::mem::take(&mut self.extracts);
        self.warn_of_what_dotenv_drops(&mut report);
        let missed = self.files.missed();
        report.targets.iter_mut().for_each(|verdict| verdict.warnings.extend(missed.iter().cloned()));
        if let Err(lost) = recorded.and_then(|()| self.files.write(&report)) {
            report.lose(&lost);
            // Whatever can still be written must not say that the gate passed.
            let _ = self.files.write(&report);
        }
        let missed = self.files.missed().into_iter().map(|why| format!("warning: {}\n", defuse::line(&why)));
        let verdict = people::render(&report, self.paint) + &self.ci.annotation(&report) + &missed.collect::<String>();
        let print =
            |stream: &mut dyn Write, text: &str| stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        let printed = match self.files.stdout() {
            None => print(out, &verdict),
            Some(format) => print(err, &verdict).and_then(|()| print(out, &report.render(format))),
        };
        match printed {
            // A report that was asked for must arrive.
            Err(error) if is_loss(&error) || self.files.stdout().is_some() => {
                report.lose(&format!("the verdict could not be printed: {error}"));
                let _ = self.files.write(&report);
            }
            _ => {}
        }
        report.exit_code
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

/// Where the API is, and what is known of its dashboard.
#[derive(Debug, Default)]
pub struct Place {
    /// The URL of the API; `""` in a replay.
    pub api: String,
    /// The org, if one is known.
    pub org: Option<String>,
    /// The URL of the dashboard, once it was asked for; `""` if it is not known.
    pub dashboard: OnceLock<String>,
    /// Set once the server has shown that it knows deploys by the older of two paths.
    pub older_paths: OnceLock<()>,
}

impl Place {
    /// The place that a connection leads to.
    pub fn of(connection: &Connection) -> Self {
        Self {
            api: format!("{}{}", connection.origin, connection.base),
            org: connection.org.clone(),
            ..Self::default()
        }
    }
}
