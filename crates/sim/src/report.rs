//! The table that a simulation prints.

use serde::Serialize;

use crate::scenario::Scenario;

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its value; null in JSON if it was never reached.
    pub value: f64,
    /// Its standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
    /// Its unit.
    pub unit: &'static str,
    /// What it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<String>,
    /// Whether it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, error: None, unit, aim: None, held: None }
    }
    pub(crate) fn error(self, error: f64) -> Self {
        Self { error: Some(error), ..self }
    }
    pub(crate) fn aim(self, aim: String, held: bool) -> Self {
        Self { aim: Some(aim), held: Some(held), ..self }
    }
}

/// A table.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// Miners at home.
    pub miners: usize,
    /// Full nodes.
    pub nodes: usize,
    /// Blocks measured.
    pub blocks: u64,
    /// The lines.
    pub figures: Vec<Figure>,
}

impl Report {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            scenario: scenario.name.clone(),
            seed: scenario.seed,
            miners: scenario.miners,
            nodes: scenario.nodes,
            blocks: scenario.blocks,
            figures: Vec::new(),
        }
    }
    pub(crate) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }
    /// Whether every aim is held.
    pub fn holds(&self) -> bool {
        self.figures.iter().all(|figure| figure.held != Some(false))
    }
    /// The value of a figure.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
    /// As a Markdown table.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "### {}\n\n{} miners, {} nodes, {} blocks, seed {}.\n\n| figure | value | aim | |\n|---|---|---|---|\n",
            self.scenario, self.miners, self.nodes, self.blocks, self.seed
        );
        for figure in &self.figures {
            let error = figure.error.map_or(String::new(), |error| format!(" ± {}", short(error)));
            let unit = if figure.unit.is_empty() { String::new() } else { format!(" {}", figure.unit) };
            let held = match figure.held {
                Some(true) => "held",
                Some(false) => "NOT held",
                None => "",
            };
            let aim = figure.aim.as_deref().unwrap_or("");
            text += &format!("| {} | {}{error}{unit} | {aim} | {held} |\n", figure.name, short(figure.value));
        }
        text
    }
    /// As JSON, one object.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures are plain data")
    }
}

/// Up to four digits that say something.
fn short(value: f64) -> String {
    if !value.is_finite() {
        return "never".into();
    }
    if value == value.round() && value.abs() < 1e9 {
        return format!("{value:.0}");
    }
    match value.abs() {
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
