//! AVX2 and AVX-512 forms of the operations. Each is the array of registers that a row needs.

/// Evaluates an expression for each register of a row.
macro_rules! registers {
    ($count:expr, $zero:expr, |$r:ident| $body:expr) => {{
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe {
            let mut out = [$zero; $count];
            let mut $r = 0;
            while $r < $count {
                out[$r] = $body;
                $r += 1;
            }
            out
        }
    }};
}

mod avx2;
mod avx512;

pub use avx2::Avx2;
pub use avx512::Avx512;
