//! Encoded tables by content id, for workers that fetch them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use hysteron_api::worker::Work;
use hysteron_work::{Hash, Table};

use crate::limits::{TABLE_BYTES_MAX, TABLES_MAX};

/// See the [module](self).
#[derive(Default)]
pub(super) struct Tables {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By the block after which they hold: id and length.
    ids: VecDeque<(Hash, Hash, u32)>,
    tables: BTreeMap<Hash, Arc<Vec<u8>>>,
    bytes: usize,
}

impl Tables {
    /// Keeps the table after `parent`; gives its content id and length.
    pub(super) fn put(&self, parent: &Hash, table: &Table) -> (Hash, u32) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, id, length)) = inner.ids.iter().find(|(block, _, _)| block == parent) {
            return (*id, *length);
        }
        let bytes = borsh::to_vec(table).expect("writing to memory does not fail");
        let (id, length) = (Work::table_id(&bytes), u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        while inner.ids.len() >= TABLES_MAX
            || (inner.bytes + bytes.len() > TABLE_BYTES_MAX && !inner.ids.is_empty())
        {
            let Some((_, oldest, _)) = inner.ids.pop_front() else { break };
            if inner.ids.iter().all(|(_, id, _)| *id != oldest)
                && let Some(gone) = inner.tables.remove(&oldest)
            {
                inner.bytes -= gone.len();
            }
        }
        inner.ids.push_back((*parent, id, length));
        if let std::collections::btree_map::Entry::Vacant(entry) = inner.tables.entry(id) {
            let added = bytes.len();
            entry.insert(Arc::new(bytes));
            inner.bytes += added;
        }
        (id, length)
    }

    /// The bytes of a table.
    pub(super) fn get(&self, id: &Hash) -> Option<Arc<Vec<u8>>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).tables.get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_kept_by_content_and_forgotten_in_order() {
        let tables = Tables::default();
        let table = |capacity_chips| Table { capacity_chips, ..Table::default() };
        let (first, length) = tables.put(&[0; 32], &table(1));
        assert_eq!(tables.put(&[0; 32], &table(2)), (first, length), "one table a block");
        assert_eq!(tables.put(&[1; 32], &table(1)), (first, length), "one id a content");
        let bytes = tables.get(&first).expect("it is kept");
        assert_eq!(Table::decode(&bytes), Ok(table(1)));
        assert_eq!(bytes.len(), length as usize);
        for i in 2..TABLES_MAX as u8 + 2 {
            tables.put(&[i; 32], &table(u64::from(i)));
        }
        assert!(tables.get(&first).is_none());
    }
}
