/// One entry for each of [`Kernel::ALL`]; the terms are in the order of [`TERM_NAMES`], those of metered kernels of
/// [`metered_terms`].
static COSTS: [Cost; Kernel::ALL.len()] = [
    // Table
    Cost { step: [534, 255, 2239, 0, 0, 10690, 0, 0, 0, 0, 493, 4559], load: [127180, 3854, 6551910] },
    // Memory
    Cost { step: [0, 767, 2785, 2885, 327, 9147, 594167, 0, 0, 575, 0, 4585], load: [127803, 23429, 11664555] },
    // General
    Cost { step: [1411, 1000, 3500, 0, 0, 47000, 0, 600, 4265, 0, 0, 5000], load: [354097, 115864, 23305360] },
    // Memcomputing
    Cost { step: [0, 812, 8284, 3548, 48844, 4404, 0, 0, 0, 4318, 0, 17129], load: [0, 994397, 0] },
    // MemcomputingWeighted
    Cost { step: [1847, 900, 8284, 0, 39095, 17855, 4495730, 0, 35, 4318, 0, 17129], load: [0, 865394, 0] },
    // CrossbarUnitBytes
    Cost { step: [499, 332, 1491, 0, 0, 4774, 232914, 0, 0, 0, 415, 1160], load: [287184, 0, 3560691] },
    // CrossbarBytes
    Cost { step: [738, 449, 1198, 0, 0, 4085, 189057, 0, 0, 0, 200, 1505], load: [323155, 0, 4491016] },
    // CrossbarUnitWords
    Cost { step: [594, 424, 1491, 0, 0, 4774, 232914, 0, 0, 0, 415, 1160], load: [287184, 0, 3560691] },
    // CrossbarWords
    Cost { step: [1247, 656, 8201, 0, 0, 6759, 1870536, 0, 0, 0, 760, 1845], load: [350488, 0, 0] },
    // CrossbarLongs
    Cost { step: [2249, 181, 17647, 0, 0, 15856, 1498727, 0, 0, 0, 1146, 1425], load: [304826, 0, 24913952] },
    // AnnealBytes
    Cost { step: [180, 90, 20255, 47735, 3, 10, 0, 0, 0, 0, 0, 0], load: [52412, 0, 0] },
    // AnnealWords
    Cost { step: [660, 74, 25834, 0, 18, 36, 0, 0, 0, 0, 0, 0], load: [59395, 0, 0] },
    // AnnealLongs
    Cost { step: [1008, 87, 14804, 44530, 0, 116, 0, 0, 0, 0, 0, 0], load: [68356, 0, 0] },
    // AnnealLists
    Cost { step: [342, 760, 22556, 0, 1042, 3803, 0, 0, 0, 0, 0, 0], load: [21765, 0, 2489518] },
    // TabuBytes
    Cost { step: [133, 0, 51152, 0, 0, 60, 0, 0, 0, 0, 0, 0], load: [44126, 0, 0] },
    // TabuWords
    Cost { step: [127, 0, 52585, 0, 19, 228, 0, 0, 0, 0, 0, 0], load: [39264, 0, 0] },
    // TabuLongs
    Cost { step: [156, 0, 56502, 0, 0, 314, 0, 0, 0, 0, 0, 0], load: [43311, 0, 0] },
    // TabuLists
    Cost { step: [48, 1073, 0, 53458, 1042, 3803, 0, 0, 0, 0, 0, 0], load: [14814, 0, 2327888] },
];
