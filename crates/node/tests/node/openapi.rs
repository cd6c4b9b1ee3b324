//! The OpenAPI document: valid in its references, and complete.

use std::collections::BTreeSet;

use crate::common::TestNode;
use serde_json::Value;

/// Every route of the node. A route that is missing here or there fails the test.
const ROUTES: [&str; 34] = [
    "get /health/live",
    "get /health/ready",
    "get /metrics",
    "get /v1/accounts/{address}",
    "get /v1/accounts/{address}/history",
    "get /v1/blocks",
    "get /v1/blocks/{id}",
    "get /v1/blocks/{id}/raw",
    "get /v1/events",
    "get /v1/genesis",
    "get /v1/headers",
    "get /v1/jobs",
    "get /v1/jobs/{id}",
    "get /v1/jobs/{id}/assignment",
    "get /v1/jobs/{id}/events",
    "get /v1/jobs/{id}/receipt",
    "get /v1/mempool",
    "get /v1/mining",
    "get /v1/mining/template",
    "get /v1/network",
    "get /v1/openapi.json",
    "get /v1/peers",
    "get /v1/problems/{id}",
    "get /v1/quote",
    "get /v1/schedule",
    "get /v1/status",
    "get /v1/supply",
    "get /v1/tables/{id}",
    "get /v1/transactions/{id}",
    "get /v1/worker",
    "post /v1/mining/blocks",
    "post /v1/mining/claims",
    "post /v1/problems",
    "post /v1/transactions",
];

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let (true, Some(reference)) = (name == "$ref", field.as_str()) {
                    found.insert(reference);
                }
                references(field, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn the_document_is_valid_and_lists_every_route() {
    let document = serde_json::to_value(hysteron_node::openapi()).expect("a document");
    assert!(
        document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")),
        "{}",
        document["openapi"]
    );
    assert_eq!(document["info"]["version"], "1");
    let mut routes = BTreeSet::new();
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            routes.insert(format!("{method} {path}"));
            check_operation(path, operation);
            let name = operation["operationId"].as_str().expect("a name");
            names.insert(format!("{}-{name}", operation["tags"][0]));
        }
    }
    let expected: BTreeSet<String> = ROUTES.iter().map(|r| (*r).to_owned()).collect();
    assert_eq!(routes, expected);
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "answers have schemas");
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("references stay within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn check_operation(path: &str, operation: &Value) {
    let responses = operation["responses"].as_object().expect("responses");
    assert!(responses.keys().any(|status| status.starts_with('2') || status == "101"), "{path}");
    assert!(
        operation["summary"].is_string() || operation["description"].is_string(),
        "{path} says what it does"
    );
    let parameters: BTreeSet<&str> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "path")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    let named: BTreeSet<&str> =
        path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')).collect();
    assert_eq!(parameters, named, "{path} describes its parameters");
}

#[test]
fn the_node_serves_the_document() {
    let node = TestNode::new();
    let url = format!("{}/v1/openapi.json", node.client.url());
    let text = fetch(&url);
    let served: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(served, serde_json::to_value(hysteron_node::openapi()).expect("a document"));
}

fn fetch(url: &str) -> String {
    use std::io::{Read, Write};
    let address = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("a URL");
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    write!(stream, "GET /v1/openapi.json HTTP/1.0\r\nhost: x\r\n\r\n").expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
}
