/// One entry for each of [`Kernel::ALL`].
static COSTS: [Cost; Kernel::ALL.len()] = [Cost { step: [1000; TERMS], load: [1000; LOAD_TERMS] }; Kernel::ALL.len()];
