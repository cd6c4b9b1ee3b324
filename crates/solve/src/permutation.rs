//! Random orders.

/// The numbers below `count` in a random order (Fisher, Yates); `draw(n)` is a random number below `n`.
pub(crate) fn permutation(count: u32, mut draw: impl FnMut(usize) -> usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, draw(i + 1));
    }
    order
}
