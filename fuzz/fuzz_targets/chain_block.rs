#![no_main]

use hysteron_chain::{Block, Chain, ChainOptions, MemoryStorage};
use hysteron_chain::testing::{StubRunner, easy_genesis};
use std::sync::{Arc, Mutex, OnceLock};

/// One chain for all inputs: nothing that fuzzing finds may become part of it but by a proof of work.
fn chain() -> &'static Mutex<Chain<MemoryStorage>> {
    static CHAIN: OnceLock<Mutex<Chain<MemoryStorage>>> = OnceLock::new();
    CHAIN.get_or_init(|| {
        let runner = Arc::new(StubRunner::without_problems());
        let chain = Chain::open(easy_genesis(), Arc::default(), runner, ChainOptions::default());
        Mutex::new(chain.expect("an empty storage opens"))
    })
}

// Blocks of any bytes: what decodes has one encoding and keeps the limits, and is judged without a panic.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(block) = Block::decode(bytes) else { return };
    assert_eq!(block.encode(), bytes);
    block.check_limits().expect("was checked");
    let _ = chain().lock().expect("no panic before").submit_block(block, 1_764_547_200);
});
