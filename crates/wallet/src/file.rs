//! The keystore on disk: written whole or not at all, readable by its owner alone, never overwritten by a new wallet.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::WalletError;
use crate::keystore::{KEYSTORE_BYTES_MAX, Wallet};

/// Whether a file may be there already.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Existing {
    /// It must not be: a new wallet.
    Refuse,
    /// It is replaced: the same wallet, with another passphrase or account.
    Replace,
}

/// Reads and opens a keystore.
///
/// # Errors
/// [`WalletError::File`]; what [`Wallet::decrypt`] finds.
pub fn load(path: &Path, passphrase: &str) -> Result<Wallet, WalletError> {
    let failed = |source| WalletError::File { path: path.into(), doing: "read", source };
    let mut bytes = Vec::new();
    // One byte more than may be, so that a longer file shows.
    let file = File::open(path).map_err(failed)?;
    file.take(KEYSTORE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Wallet::decrypt(&bytes, passphrase)
}

/// Encrypts and writes a keystore: into a temporary file beside it, synced, then moved to its name, so that a crash leaves the
/// old file or the new one.
///
/// # Errors
/// [`WalletError::FileExists`], [`WalletError::File`]; what [`Wallet::encrypt`] finds.
pub fn save(path: &Path, wallet: &Wallet, passphrase: &str, existing: Existing) -> Result<(), WalletError> {
    let bytes = wallet.encrypt(passphrase)?;
    let failed = |source: io::Error| WalletError::File { path: path.into(), doing: "written", source };
    if existing == Existing::Refuse && path.symlink_metadata().is_ok() {
        return Err(WalletError::FileExists { path: path.into() });
    }
    let temporary = temporary_beside(path)?;
    let result = write_synced(&temporary, &bytes).and_then(|()| match existing {
        Existing::Replace => fs::rename(&temporary, path),
        // A hard link fails where a name exists, so that two creations at once cannot both succeed.
        Existing::Refuse => fs::hard_link(&temporary, path),
    });
    if result.is_err() || existing == Existing::Refuse {
        // The name may be gone already, by the rename; then there is nothing left to remove.
        let _ = fs::remove_file(&temporary);
    }
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(WalletError::FileExists { path: path.into() })
        }
        Err(error) => Err(failed(error)),
        Ok(()) => sync_directory(path).map_err(failed),
    }
}

/// An unused name beside `path`.
fn temporary_beside(path: &Path) -> Result<PathBuf, WalletError> {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|e| WalletError::Entropy(e.to_string()))?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{:016x}", u64::from_le_bytes(random)));
    Ok(path.with_file_name(name))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the name itself durable.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Words;

    /// A folder of its own for a test, removed when it ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("hysteron-wallet-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn saved_and_loaded() {
        let folder = Folder::new("saved");
        let path = folder.0.join("wallet.age");
        let mut wallet = Wallet::new("hysteron-devnet", Words::from_entropy(&[9; 32]));
        save(&path, &wallet, "a passphrase", Existing::Refuse).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(matches!(
            save(&path, &wallet, "a passphrase", Existing::Refuse),
            Err(WalletError::FileExists { .. })
        ));
        wallet.add_account();
        save(&path, &wallet, "another phrase", Existing::Replace).unwrap();
        let loaded = load(&path, "another phrase").unwrap();
        assert_eq!(loaded.accounts(), 2);
        assert_eq!(loaded.key(0).unwrap().address(), wallet.key(0).unwrap().address());
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "no temporary file stays");
        assert!(matches!(load(&folder.0.join("none"), "x"), Err(WalletError::File { .. })));
        fs::write(&path, vec![0; KEYSTORE_BYTES_MAX + 100]).unwrap();
        assert!(matches!(load(&path, "another phrase"), Err(WalletError::Format { .. })));
    }
}
