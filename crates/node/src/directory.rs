//! The data directory beyond the chain's database: the lock, and the node's own key.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use ed25519_dalek::SigningKey;

use crate::NodeError;

/// Locked while a node runs on the directory; it names that process.
const LOCK_FILE: &str = "LOCK";
/// The seed of the node's own account: 64 hexadecimal digits.
const KEY_FILE: &str = "account.key";

/// A data directory that belongs to this process until it is dropped.
pub(crate) struct Directory {
    _lock: File,
}

impl Directory {
    /// Makes the directory if need be, and locks it. The lock goes with the process, however it dies.
    pub(crate) fn open(path: &Path) -> Result<Self, NodeError> {
        let failed =
            |file: &Path, e: std::io::Error| NodeError::File { path: file.to_owned(), reason: e.to_string() };
        std::fs::create_dir_all(path).map_err(|e| failed(path, e))?;
        let lock_path = path.join(LOCK_FILE);
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|e| failed(&lock_path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NodeError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(e)) => return Err(failed(&lock_path, e)),
        }
        let write = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        write.map_err(|e| failed(&lock_path, e))?;
        Ok(Self { _lock: lock })
    }
}

/// The node's own account, made at the first start: it pays fees and bonds of workers' claims, and earns what is mined
/// inside the node when no address is given.
pub(crate) fn account_key(directory: &Path) -> Result<SigningKey, NodeError> {
    let path = directory.join(KEY_FILE);
    let failed = |reason: String| NodeError::File { path: path.clone(), reason };
    match File::open(&path) {
        Ok(file) => {
            let mut text = String::new();
            file.take(100).read_to_string(&mut text).map_err(|e| failed(e.to_string()))?;
            let seed: hysteron_api::Hex32 =
                text.trim_end().parse().map_err(|_| failed("it is not 64 hexadecimal digits".into()))?;
            Ok(SigningKey::from_bytes(&seed.0))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|e| failed(e.to_string()))?;
            let mut options = OpenOptions::new();
            options.create_new(true).write(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let write = |mut file: File| {
                writeln!(file, "{}", hysteron_api::Hex32(seed))?;
                file.sync_all()
            };
            options.open(&path).and_then(write).map_err(|e| failed(e.to_string()))?;
            Ok(SigningKey::from_bytes(&seed))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_a_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = Directory::open(directory.path()).expect("nobody has it");
        let error = Directory::open(directory.path()).err().expect("it is taken").to_string();
        assert!(error.contains("Another node") && error.contains("--data"), "{error}");
        drop(first);
        Directory::open(directory.path()).expect("it is free again");
    }

    #[test]
    fn the_key_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let first = account_key(directory.path()).expect("a new key");
        assert_eq!(account_key(directory.path()).expect("the same key").to_bytes(), first.to_bytes());
        std::fs::write(directory.path().join(KEY_FILE), "nonsense").expect("a file");
        assert!(account_key(directory.path()).is_err());
    }
}
