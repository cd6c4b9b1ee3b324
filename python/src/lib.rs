//! The extension module of the Python package: problems from arrays, searches that let Python run on, jobs on the
//! network. Everything that users see is in `python/hysteron/*.py`; this crate converts, and waits without the GIL.

mod constrained;
mod network;
mod problem;
mod reads;
mod scale;
mod search;

use pyo3::prelude::*;

/// The native part of `hysteron`. Private: names and arguments may change.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::constrained::Constrained;
    #[pymodule_export]
    use crate::network::{Node, Order, verify_receipt};
    #[pymodule_export]
    use crate::problem::Problem;
    #[pymodule_export]
    use crate::search::solve;

    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
