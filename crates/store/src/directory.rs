//! The data directory: which files it has, and whether they are ours.

use std::fs;
use std::io::Write;
use std::path::Path;

use hysteron_chain::storage::StorageError;

/// Version of the layout of files and columns. A program refuses directories of other versions.
pub const DIRECTORY_VERSION: u32 = 1;
/// The file that names the version: `hysteron data directory, version 1`.
pub const VERSION_FILE: &str = "VERSION";
/// The database.
pub const DATABASE_FILE: &str = "chain.redb";

const VERSION_PREFIX: &str = "hysteron data directory, version ";
/// Longer version files are not ours.
const VERSION_BYTES_MAX: u64 = 100;

fn failed(what: &str, path: &Path, error: &std::io::Error) -> StorageError {
    StorageError::Failed(format!("{what} {}: {error}", path.display()))
}

/// Makes the directory and its version file, or checks them.
pub(crate) fn prepare(directory: &Path) -> Result<(), StorageError> {
    fs::create_dir_all(directory).map_err(|e| failed("cannot make", directory, &e))?;
    let path = directory.join(VERSION_FILE);
    match fs::metadata(&path) {
        Ok(metadata) if metadata.len() > VERSION_BYTES_MAX => Err(foreign(&path, "something else")),
        Ok(_) => check(&path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if directory.join(DATABASE_FILE).exists() {
                return Err(StorageError::Foreign(format!(
                    "{} has a database but no {VERSION_FILE} file",
                    directory.display()
                )));
            }
            create(directory, &path)
        }
        Err(error) => Err(failed("cannot read", &path, &error)),
    }
}

fn check(path: &Path) -> Result<(), StorageError> {
    let text = fs::read_to_string(path).map_err(|e| failed("cannot read", path, &e))?;
    let version = text.trim_end().strip_prefix(VERSION_PREFIX).and_then(|rest| rest.parse::<u32>().ok());
    match version {
        Some(DIRECTORY_VERSION) => Ok(()),
        Some(other) => Err(foreign(path, &format!("version {other}"))),
        None => Err(foreign(path, "something else")),
    }
}

fn foreign(path: &Path, found: &str) -> StorageError {
    StorageError::Foreign(format!(
        "{} names {found}, this program reads version {DIRECTORY_VERSION}",
        path.display()
    ))
}

/// Written beside, synced, renamed: after a crash the file is whole or not there.
fn create(directory: &Path, path: &Path) -> Result<(), StorageError> {
    let beside = directory.join(format!("{VERSION_FILE}.new"));
    let write = || {
        let mut file = fs::File::create(&beside)?;
        writeln!(file, "{VERSION_PREFIX}{DIRECTORY_VERSION}")?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        fs::File::open(directory)?.sync_all()
    };
    write().map_err(|e| failed("cannot write", path, &e))
}
