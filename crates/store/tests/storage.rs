//! The storage as the chain needs it, and the data directory's version.

mod common;

use common::TemporaryDirectory;
use hysteron_chain::conformance::check_storage;
use hysteron_chain::storage::{Batch, Column, Storage, StorageError};
use hysteron_store::{DATABASE_FILE, RedbStorage, VERSION_FILE};

#[test]
fn redb_conforms() {
    let directory = TemporaryDirectory::new("conforms");
    check_storage(&RedbStorage::open(directory.path()).expect("opens"));
}

#[test]
fn what_is_committed_is_there_again() {
    let directory = TemporaryDirectory::new("again");
    for round in 0u8..5 {
        let storage = RedbStorage::open(directory.path()).expect("opens");
        for earlier in 0..round {
            assert_eq!(storage.get(Column::Meta, &[earlier]).expect("reads"), Some(vec![earlier; 100]));
        }
        let mut batch = Batch::default();
        batch.put(Column::Meta, &[round], vec![round; 100]);
        storage.commit(&batch).expect("writes");
    }
}

#[test]
fn one_process_at_a_time() {
    let directory = TemporaryDirectory::new("twice");
    let first = RedbStorage::open(directory.path()).expect("opens");
    let error = RedbStorage::open(directory.path()).expect_err("is open already");
    assert!(error.to_string().contains("another"), "{error}");
    drop(first);
    RedbStorage::open(directory.path()).expect("opens again");
}

#[test]
fn directories_of_others_are_refused_and_left_alone() {
    let directory = TemporaryDirectory::new("version");
    drop(RedbStorage::open(directory.path()).expect("opens"));
    let version = directory.path().join(VERSION_FILE);
    let text = std::fs::read_to_string(&version).expect("is there");
    assert_eq!(text, "hysteron data directory, version 1\n");
    for other in ["hysteron data directory, version 2\n", "something else", "", &"x".repeat(1000)] {
        std::fs::write(&version, other).expect("is writable");
        let error = RedbStorage::open(directory.path()).expect_err("is refused");
        assert!(matches!(error, StorageError::Foreign(_)), "{error}");
        assert_eq!(std::fs::read_to_string(&version).expect("is there"), other);
    }
    std::fs::remove_file(&version).expect("is there");
    let error = RedbStorage::open(directory.path()).expect_err("a database without a version is refused");
    assert!(matches!(error, StorageError::Foreign(_)), "{error}");
    std::fs::write(&version, text).expect("is writable");
    RedbStorage::open(directory.path()).expect("opens again");
}

#[test]
fn a_database_that_is_none_is_an_error() {
    let directory = TemporaryDirectory::new("garbage");
    drop(RedbStorage::open(directory.path()).expect("opens"));
    std::fs::write(directory.path().join(DATABASE_FILE), vec![0x5a; 10_000]).expect("is writable");
    RedbStorage::open(directory.path()).expect_err("is no database");
}
