//! Variables by activity, greatest first.

/// A binary heap that knows where each variable is. Ties go to whoever was there first.
#[derive(Default)]
pub struct Heap {
    heap: Vec<u32>,
    /// By variable: its place, `u32::MAX` if it is not in.
    places: Vec<u32>,
}

impl Heap {
    /// Puts a variable in, if it is not.
    pub fn insert(&mut self, variable: u32, activities: &[f64]) {
        if self.places.len() <= variable as usize {
            self.places.resize(variable as usize + 1, u32::MAX);
        }
        if self.places[variable as usize] == u32::MAX {
            self.places[variable as usize] = self.heap.len() as u32;
            self.heap.push(variable);
            self.rise(variable, activities);
        }
    }

    /// Moves a variable up after its activity rose; nothing if it is not in.
    pub fn rise(&mut self, variable: u32, activities: &[f64]) {
        let mut place = self.places[variable as usize] as usize;
        if place == u32::MAX as usize {
            return;
        }
        while place > 0 {
            let above = (place - 1) / 2;
            let other = self.heap[above];
            if activities[other as usize] >= activities[variable as usize] {
                break;
            }
            self.put(place, other);
            place = above;
        }
        self.put(place, variable);
    }

    /// Takes the variable of greatest activity.
    pub fn pop(&mut self, activities: &[f64]) -> Option<u32> {
        let last = self.heap.pop()?;
        let Some(&first) = self.heap.first() else {
            self.places[last as usize] = u32::MAX;
            return Some(last);
        };
        self.places[first as usize] = u32::MAX;
        let mut place = 0;
        loop {
            let left = 2 * place + 1;
            let Some(&left_variable) = self.heap.get(left) else { break };
            let right = self.heap.get(left + 1).copied();
            let is_right = right.is_some_and(|r| activities[r as usize] > activities[left_variable as usize]);
            let below = left + usize::from(is_right);
            let other = self.heap[below];
            if activities[last as usize] >= activities[other as usize] {
                break;
            }
            self.put(place, other);
            place = below;
        }
        self.put(place, last);
        Some(first)
    }

    fn put(&mut self, place: usize, variable: u32) {
        self.heap[place] = variable;
        self.places[variable as usize] = place as u32;
    }
}
