//! Small files in the data directory: the node's key, the ban list, the address book. Each is
//! written beside itself and renamed, so that a crash leaves the old or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use libp2p::identity::Keypair;

use crate::error::NetError;
use crate::limits::FILE_BYTES_MAX;

/// Bytes that a key file may have. An ed25519 key takes 68.
const KEY_BYTES_MAX: usize = 1024;

/// Reads a file of at most `bytes_max` bytes; none if it does not exist.
pub fn read(path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>, NetError> {
    let failed = |source| NetError::File { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > bytes_max {
        return Err(failed(std::io::Error::new(
            ErrorKind::FileTooLarge,
            "it is longer than such a file can be",
        )));
    }
    Ok(Some(bytes))
}

/// Writes a file that only its owner may read.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), NetError> {
    let failed = |source| NetError::File { path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}

/// Reads a text file of at most [`FILE_BYTES_MAX`]; empty if it does not exist.
pub fn read_text(path: &Path) -> Result<String, NetError> {
    let bytes = read(path, FILE_BYTES_MAX)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The node's key: read from the file, or made and written. A peer keeps its id, and with it its place in others' tables,
/// as long as the file is kept.
pub fn load_or_create_key(path: &Path) -> Result<Keypair, NetError> {
    let wrong = |reason: String| NetError::Key { path: path.to_owned(), reason };
    if let Some(bytes) = read(path, KEY_BYTES_MAX)? {
        return Keypair::from_protobuf_encoding(&bytes).map_err(|error| wrong(error.to_string()));
    }
    let key = Keypair::generate_ed25519();
    let bytes = key.to_protobuf_encoding().map_err(|error| wrong(error.to_string()))?;
    write(path, &bytes)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_kept_and_a_broken_file_is_not_overwritten() {
        let directory = std::env::temp_dir().join(format!("hysteron-net-key-{}", std::process::id()));
        let path = directory.join("peer.key");
        let _ = fs::remove_dir_all(&directory);
        let first = load_or_create_key(&path).unwrap().public();
        assert_eq!(load_or_create_key(&path).unwrap().public(), first);
        fs::write(&path, b"not a key").unwrap();
        assert!(matches!(load_or_create_key(&path), Err(NetError::Key { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"not a key");
        fs::remove_dir_all(&directory).unwrap();
    }
}
