//! What a customer's machine remembers of its jobs: which file each was opened with, so that the answer can be mapped
//! back without naming it again. Losing it loses nothing but that comfort.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use hysteron_api::Hex32;
use serde::{Deserialize, Serialize};

use crate::error::Failure;

/// The directory of the records, in the customer's own.
const DIRECTORY: &str = "jobs";
/// The most bytes of a record.
const RECORD_BYTES_MAX: u64 = 64 * 1024;

/// One job.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JobRecord {
    /// The job.
    pub job: Hex32,
    /// The network's name.
    pub network: String,
    /// The file, as an absolute path.
    pub file: PathBuf,
    /// The format that was given, if any.
    pub format: Option<String>,
    /// Whether a CNF was read as MaxSAT.
    pub maxsat: bool,
    /// Which instance of a file of several.
    pub instance: Option<usize>,
}

/// The records.
#[derive(Clone, Debug)]
pub struct JobBook {
    directory: PathBuf,
}

impl JobBook {
    /// The book in a customer's directory, which need not exist.
    pub fn new(home: &Path) -> Self {
        Self { directory: home.join(DIRECTORY) }
    }

    fn path(&self, job: Hex32) -> PathBuf {
        self.directory.join(format!("{job}.json"))
    }

    /// Writes a record down.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub fn write(&self, record: &JobRecord) -> Result<(), Failure> {
        let path = self.path(record.job);
        let failed = |error: std::io::Error| Failure::File {
            path: path.display().to_string(),
            reason: error.to_string(),
            mend: "The job itself is not affected; name its file when you ask for the result.".to_owned(),
        };
        let text = serde_json::to_vec_pretty(record).map_err(|error| failed(error.into()))?;
        fs::create_dir_all(&self.directory).map_err(failed)?;
        // Whole or not at all.
        let new = path.with_extension("new");
        let write = |file: &mut fs::File| file.write_all(&text).and_then(|()| file.sync_all());
        fs::File::create(&new).and_then(|mut file| write(&mut file)).map_err(failed)?;
        fs::rename(&new, &path).map_err(failed)
    }

    /// The record of a job, if there is one.
    ///
    /// # Errors
    /// [`Failure::File`] if it cannot be read.
    pub fn read(&self, job: Hex32) -> Result<Option<JobRecord>, Failure> {
        let path = self.path(job);
        let failed = |reason: String| Failure::File {
            path: path.display().to_string(),
            reason,
            mend: "Name the problem file on the command line.".to_owned(),
        };
        let mut text = Vec::new();
        match fs::File::open(&path) {
            Ok(file) => {
                file.take(RECORD_BYTES_MAX).read_to_end(&mut text).map_err(|e| failed(e.to_string()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
        };
        let record: JobRecord = serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))?;
        Ok((record.job == job).then_some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let home = tempfile::tempdir().expect("a directory");
        let book = JobBook::new(home.path());
        let job = Hex32([5; 32]);
        assert_eq!(book.read(job).expect("no record is no error"), None);
        let record = JobRecord {
            job,
            network: "n".into(),
            file: "/a/b.cnf".into(),
            format: Some("cnf".into()),
            maxsat: true,
            instance: None,
        };
        book.write(&record).expect("written");
        assert_eq!(book.read(job).expect("read"), Some(record));
        fs::write(book.path(job), "{").expect("damaged");
        assert!(matches!(book.read(job), Err(Failure::File { .. })));
    }
}
