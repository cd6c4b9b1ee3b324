//! What every storage must do, as one function that the tests of each implementation call.

use crate::storage::{Batch, Column, Storage};

/// Runs the suite on an empty storage.
///
/// # Panics
/// At the first difference; this is a test.
pub fn check_storage(storage: &dyn Storage) {
    empty(storage);
    writes_and_removals(storage);
    order_and_paging(storage);
    columns_are_apart(storage);
    large_values(storage);
    random_batches_equal_a_model(storage);
}

fn empty(storage: &dyn Storage) {
    for column in Column::ALL {
        assert_eq!(storage.get(column, b"nothing").expect("reads"), None);
        assert_eq!(storage.range(column, b"", 10).expect("reads"), vec![]);
    }
    storage.commit(&Batch::default()).expect("an empty batch is fine");
}

fn writes_and_removals(storage: &dyn Storage) {
    let mut batch = Batch::default();
    batch.put(Column::Meta, b"a", vec![1]);
    batch.put(Column::Meta, b"b", vec![]);
    batch.remove(Column::Meta, b"never there");
    batch.put(Column::Meta, b"c", vec![3]);
    batch.remove(Column::Meta, b"c");
    batch.put(Column::Meta, b"a", vec![2]);
    storage.commit(&batch).expect("writes");
    assert_eq!(storage.get(Column::Meta, b"a").expect("reads"), Some(vec![2]), "the later change wins");
    assert_eq!(storage.get(Column::Meta, b"b").expect("reads"), Some(vec![]), "an empty value is a value");
    assert_eq!(storage.get(Column::Meta, b"c").expect("reads"), None);
    let mut batch = Batch::default();
    batch.remove(Column::Meta, b"a");
    batch.remove(Column::Meta, b"b");
    storage.commit(&batch).expect("writes");
    assert_eq!(storage.range(Column::Meta, b"", 10).expect("reads"), vec![]);
}

fn order_and_paging(storage: &dyn Storage) {
    let mut batch = Batch::default();
    for i in [3u8, 1, 255, 0, 2] {
        batch.put(Column::Canonical, &[i], vec![i]);
        batch.put(Column::Canonical, &[i, 0], vec![i, 0]);
    }
    storage.commit(&batch).expect("writes");
    let all = storage.range(Column::Canonical, b"", usize::MAX).expect("reads");
    let keys: Vec<&[u8]> = all.iter().map(|(key, _)| key.as_slice()).collect();
    let expected: [&[u8]; 10] =
        [&[0], &[0, 0], &[1], &[1, 0], &[2], &[2, 0], &[3], &[3, 0], &[255], &[255, 0]];
    assert_eq!(keys, expected, "the order of bytes");
    let page = storage.range(Column::Canonical, &[1, 0], 3).expect("reads");
    assert_eq!(page, all[3..6].to_vec(), "from is included, count_max holds");
    assert_eq!(storage.range(Column::Canonical, &[255, 1], 3).expect("reads"), vec![]);
    assert_eq!(storage.range(Column::Canonical, b"", 0).expect("reads"), vec![]);
}

fn columns_are_apart(storage: &dyn Storage) {
    let mut batch = Batch::default();
    for (i, column) in Column::ALL.into_iter().enumerate() {
        batch.put(column, b"a key of all columns", vec![i as u8]);
    }
    storage.commit(&batch).expect("writes");
    for (i, column) in Column::ALL.into_iter().enumerate() {
        assert_eq!(storage.get(column, b"a key of all columns").expect("reads"), Some(vec![i as u8]));
    }
}

fn large_values(storage: &dyn Storage) {
    let value: Vec<u8> = (0..5u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut batch = Batch::default();
    batch.put(Column::Problems, &[7; 32], value.clone());
    storage.commit(&batch).expect("writes");
    assert_eq!(storage.get(Column::Problems, &[7; 32]).expect("reads"), Some(value));
}

fn random_batches_equal_a_model(storage: &dyn Storage) {
    let model = crate::storage::MemoryStorage::default();
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut draw = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for _ in 0..40 {
        let mut batch = Batch::default();
        for _ in 0..draw(30) {
            let key = draw(50).to_be_bytes();
            match draw(3) {
                0 => batch.remove(Column::Transactions, &key),
                _ => batch.put(Column::Transactions, &key, draw(1 << 30).to_le_bytes().to_vec()),
            }
        }
        storage.commit(&batch).expect("writes");
        model.commit(&batch).expect("writes");
    }
    let cut = |storage: &dyn Storage| {
        let mut pairs = storage.range(Column::Transactions, b"", 1000).expect("reads");
        pairs.retain(|(key, _)| key.len() == 8);
        pairs
    };
    assert_eq!(cut(storage), cut(&model));
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_conforms() {
        super::check_storage(&crate::storage::MemoryStorage::default());
    }
}
