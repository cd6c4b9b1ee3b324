//! Connected components: which variables belong together, and their numbers within.

/// A variable that belongs to no component.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Disjoint sets of variables.
pub(super) struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    pub fn new(variables: u32) -> Self {
        Self { parent: (0..variables).collect() }
    }

    pub fn find(&mut self, mut variable: u32) -> u32 {
        while self.parent[variable as usize] != variable {
            let grandparent = self.parent[self.parent[variable as usize] as usize];
            self.parent[variable as usize] = grandparent;
            variable = grandparent;
        }
        variable
    }

    /// The smaller root stays, so that a set's root is its smallest variable.
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high as usize] = low;
    }
}

/// Where each variable went.
pub(super) struct Placement {
    /// The component of each variable, or [`NOWHERE`].
    pub component: Vec<u32>,
    /// The variable's number within its component.
    pub index: Vec<u32>,
    /// For each component, its variables in increasing order.
    pub kept: Vec<Vec<u32>>,
    /// Connected components that were found.
    pub found: u64,
    /// Connected components that share the last one.
    pub packed: u64,
}

/// Numbers the sets, largest first and then by smallest variable; `alive` says which variables are
/// placed at all. All sets beyond the `components_max - 1` largest share the last component.
pub(super) fn place(
    sets: &mut Sets,
    alive: impl Fn(u32) -> bool,
    variables: u32,
    components_max: usize,
) -> Placement {
    let mut size = vec![0u32; variables as usize];
    for variable in (0..variables).filter(|&v| alive(v)) {
        size[sets.find(variable) as usize] += 1;
    }
    let mut roots: Vec<u32> = (0..variables).filter(|&v| size[v as usize] > 0).collect();
    roots.sort_by_key(|&root| (std::cmp::Reverse(size[root as usize]), root));
    let found = roots.len();
    let components = found.min(components_max.max(1));
    let mut number = vec![NOWHERE; variables as usize];
    for (rank, &root) in roots.iter().enumerate() {
        number[root as usize] = rank.min(components - 1) as u32;
    }
    let mut placement = Placement {
        component: vec![NOWHERE; variables as usize],
        index: vec![0; variables as usize],
        kept: vec![Vec::new(); components],
        found: found as u64,
        packed: if found > components { (found - components + 1) as u64 } else { 0 },
    };
    for variable in (0..variables).filter(|&v| alive(v)) {
        let component = number[sets.find(variable) as usize];
        placement.component[variable as usize] = component;
        let kept = &mut placement.kept[component as usize];
        placement.index[variable as usize] = kept.len() as u32;
        kept.push(variable);
    }
    placement
}
