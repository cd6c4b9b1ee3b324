//! The blocking client: one method an endpoint.

use std::fmt::Display;
use std::io::Read;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use crate::limits::{
    ANSWER_BYTES_MAX, ANSWER_S_MAX, BLOCK_BYTES_MAX, CONNECT_S_MAX, EVENTS_S_MAX, PROBLEM_BYTES_MAX,
    TABLE_BYTES_MAX, TRANSACTION_BYTES_MAX,
};
use crate::types::{
    Account, Block, BlockList, BlockQuery, ClaimUpload, Header, HeaderList, HeaderQuery, Health, HistoryPage,
    HistoryQuery, Job, JobAssignment, JobEvent, JobList, JobQuery, Mempool, Mining, Network, PeerList,
    ProblemReport, Quote, QuoteQuery, Receipt, Schedule, Status, Submitted, Supply, Template, Transaction,
};
use crate::{ClientError, Events, Hex32, Refusal};

/// A client of one node. Cheap to clone; connections are kept and shared.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
    agent: Agent,
    streams: Agent,
}

impl Client {
    /// A client of the node at `url`, `http://127.0.0.1:18080`. Nothing is sent yet.
    pub fn new(url: &str) -> Self {
        let agent = |answer_s: u64| {
            let config = Agent::config_builder()
                .timeout_connect(Some(Duration::from_secs(CONNECT_S_MAX)))
                .timeout_global(Some(Duration::from_secs(answer_s)))
                .http_status_as_error(false)
                .user_agent(concat!("hysteron/", env!("CARGO_PKG_VERSION")))
                .build();
            Agent::new_with_config(config)
        };
        let url = url.trim_end_matches('/').to_owned();
        Self { url, agent: agent(ANSWER_S_MAX), streams: agent(EVENTS_S_MAX) }
    }

    /// The node's URL, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `GET /health/live`: whether the process answers.
    ///
    /// # Errors
    /// [`ClientError`], as of all methods; `Refused` says what the node says.
    pub fn live(&self) -> Result<Health, ClientError> {
        self.get("/health/live")
    }
    /// `GET /health/ready`: whether the node can serve.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn ready(&self) -> Result<Health, ClientError> {
        self.get("/health/ready")
    }
    /// `GET /v1/status`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn status(&self) -> Result<Status, ClientError> {
        self.get("/v1/status")
    }
    /// `GET /v1/network`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn network(&self) -> Result<Network, ClientError> {
        self.get("/v1/network")
    }
    /// `GET /v1/genesis`: borsh.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn genesis(&self) -> Result<Vec<u8>, ClientError> {
        self.get_bytes("/v1/genesis", ANSWER_BYTES_MAX)
    }
    /// `GET /v1/headers`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn headers(&self, query: &HeaderQuery) -> Result<Vec<Header>, ClientError> {
        self.get_with("/v1/headers", query).map(|list: HeaderList| list.headers)
    }
    /// `GET /v1/blocks`: newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn blocks(&self, query: &BlockQuery) -> Result<BlockList, ClientError> {
        self.get_with("/v1/blocks", query)
    }
    /// `GET /v1/blocks/{id}`; `id` is a height or a hash.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn block(&self, id: impl Display) -> Result<Block, ClientError> {
        self.get(&format!("/v1/blocks/{id}"))
    }
    /// `GET /v1/blocks/{id}/raw`: borsh.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn block_bytes(&self, id: impl Display) -> Result<Vec<u8>, ClientError> {
        self.get_bytes(&format!("/v1/blocks/{id}/raw"), BLOCK_BYTES_MAX)
    }
    /// `POST /v1/transactions`: the borsh of a signed transaction. The data of a problem that it brings must have been
    /// uploaded before, [`Self::upload_problem`].
    ///
    /// # Errors
    /// [`ClientError`]; a transaction that no block could take is refused with the reason.
    pub fn submit(&self, transaction: &[u8]) -> Result<Submitted, ClientError> {
        self.within("transaction", transaction, TRANSACTION_BYTES_MAX)?;
        self.post("/v1/transactions", transaction)
    }
    /// `GET /v1/transactions/{id}`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn transaction(&self, id: Hex32) -> Result<Transaction, ClientError> {
        self.get(&format!("/v1/transactions/{id}"))
    }
    /// `GET /v1/mempool`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn mempool(&self) -> Result<Mempool, ClientError> {
        self.get("/v1/mempool")
    }
    /// `GET /v1/accounts/{address}`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn account(&self, address: &str) -> Result<Account, ClientError> {
        self.get(&format!("/v1/accounts/{}", path_part(address)))
    }
    /// `GET /v1/accounts/{address}/history`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn history(&self, address: &str, query: &HistoryQuery) -> Result<HistoryPage, ClientError> {
        self.get_with(&format!("/v1/accounts/{}/history", path_part(address)), query)
    }
    /// `POST /v1/problems`: the canonical borsh of a problem. It is kept for a while, for the transaction that opens a job.
    ///
    /// # Errors
    /// [`ClientError`]; a problem that the network does not take is refused with the reason.
    pub fn upload_problem(&self, problem: &[u8]) -> Result<ProblemReport, ClientError> {
        self.within("problem", problem, PROBLEM_BYTES_MAX)?;
        self.post("/v1/problems", problem)
    }
    /// `GET /v1/problems/{id}`: canonical borsh. The caller checks that it has this id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn problem(&self, id: Hex32) -> Result<Vec<u8>, ClientError> {
        self.get_bytes(&format!("/v1/problems/{id}"), PROBLEM_BYTES_MAX)
    }
    /// `GET /v1/quote`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn quote(&self, query: &QuoteQuery) -> Result<Quote, ClientError> {
        self.get_with("/v1/quote", query)
    }
    /// `GET /v1/jobs`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn jobs(&self, query: &JobQuery) -> Result<JobList, ClientError> {
        self.get_with("/v1/jobs", query)
    }
    /// `GET /v1/jobs/{id}`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn job(&self, id: Hex32) -> Result<Job, ClientError> {
        self.get(&format!("/v1/jobs/{id}"))
    }
    /// `GET /v1/jobs/{id}/assignment`; not found while there is none.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn job_assignment(&self, id: Hex32) -> Result<JobAssignment, ClientError> {
        self.get(&format!("/v1/jobs/{id}/assignment"))
    }
    /// `GET /v1/jobs/{id}/events`: what happened to it, oldest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn job_events(&self, id: Hex32) -> Result<Vec<JobEvent>, ClientError> {
        self.get(&format!("/v1/jobs/{id}/events"))
    }
    /// `GET /v1/jobs/{id}/receipt`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn receipt(&self, id: Hex32) -> Result<Receipt, ClientError> {
        self.get(&format!("/v1/jobs/{id}/receipt"))
    }
    /// `GET /v1/schedule`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn schedule(&self) -> Result<Schedule, ClientError> {
        self.get("/v1/schedule")
    }
    /// `GET /v1/peers`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn peers(&self) -> Result<PeerList, ClientError> {
        self.get("/v1/peers")
    }
    /// `GET /v1/supply`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn supply(&self) -> Result<Supply, ClientError> {
        self.get("/v1/supply")
    }
    /// `GET /v1/mining`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn mining(&self) -> Result<Mining, ClientError> {
        self.get("/v1/mining")
    }
    /// `GET /v1/mining/template`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn template(&self, address: &str) -> Result<Template, ClientError> {
        self.get(&format!("/v1/mining/template?address={}", path_part(address)))
    }
    /// `POST /v1/mining/blocks`: the borsh of a header whose base this node gave as a template.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn submit_header(&self, header: &[u8]) -> Result<Header, ClientError> {
        self.post("/v1/mining/blocks", header)
    }
    /// `POST /v1/mining/claims`: the borsh of a claim; the node wraps it into a transaction of its own.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn submit_claim(&self, claim: &[u8]) -> Result<ClaimUpload, ClientError> {
        self.post("/v1/mining/claims", claim)
    }
    /// `GET /v1/tables/{id}`: borsh. The caller checks that it has this id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn table(&self, id: Hex32) -> Result<Vec<u8>, ClientError> {
        self.get_bytes(&format!("/v1/tables/{id}"), TABLE_BYTES_MAX)
    }
    /// `GET /v1/events`: blocks, and the progress of `job` or of all jobs. The stream ends with an error after
    /// [`EVENTS_S_MAX`]; open it anew then.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn events(&self, job: Option<Hex32>) -> Result<Events, ClientError> {
        let query = job.map(|job| format!("?job={job}")).unwrap_or_default();
        let response = self.streams.get(format!("{}/v1/events{query}", self.url)).call();
        let response = self.accepted(response)?;
        Ok(Events::new(self.url.clone(), Box::new(response.into_body().into_reader())))
    }
    /// `GET /metrics`: Prometheus text.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn metrics(&self) -> Result<String, ClientError> {
        let bytes = self.get_bytes("/metrics", ANSWER_BYTES_MAX)?;
        String::from_utf8(bytes).map_err(|e| self.malformed(e.to_string()))
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.json(self.agent.get(format!("{}{path}", self.url)).call())
    }
    fn get_with<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<T, ClientError> {
        // Queries are structs of optional numbers, words and hashes.
        let fields = serde_json::to_value(query).map_err(|e| self.malformed(e.to_string()))?;
        let mut request = self.agent.get(format!("{}{path}", self.url));
        for (name, value) in fields.as_object().into_iter().flatten() {
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => request = request.query(name, text),
                other => request = request.query(name, other.to_string()),
            }
        }
        self.json(request.call())
    }
    fn get_bytes(&self, path: &str, bytes_max: u64) -> Result<Vec<u8>, ClientError> {
        let response = self.accepted(self.agent.get(format!("{}{path}", self.url)).call())?;
        self.read(response, bytes_max)
    }
    fn post<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T, ClientError> {
        let request = self.agent.post(format!("{}{path}", self.url)).content_type("application/octet-stream");
        self.json(request.send(body))
    }

    /// What a node would refuse by its length is not sent at all.
    fn within(&self, what: &str, bytes: &[u8], most: u64) -> Result<(), ClientError> {
        if bytes.len() as u64 <= most {
            return Ok(());
        }
        Err(ClientError::Refused(Box::new(Refusal {
            kind: "too-large".into(),
            title: "Too much for one request".into(),
            status: StatusCode::PAYLOAD_TOO_LARGE.as_u16(),
            detail: format!("The {what} has {} bytes; a node takes at most {most}.", bytes.len()),
            mend: "Send less.".into(),
        })))
    }

    fn json<T: DeserializeOwned>(
        &self,
        response: Result<Response<Body>, ureq::Error>,
    ) -> Result<T, ClientError> {
        let bytes = self.read(self.accepted(response)?, ANSWER_BYTES_MAX)?;
        serde_json::from_slice(&bytes).map_err(|e| self.malformed(e.to_string()))
    }
    /// The answer, if it is of success.
    fn accepted(&self, response: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, ClientError> {
        let response = response.map_err(|e| self.unreachable(e.to_string()))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let bytes = self.read(response, ANSWER_BYTES_MAX)?;
        match serde_json::from_slice::<Refusal>(&bytes) {
            Ok(refusal) => Err(ClientError::Refused(Box::new(refusal))),
            // A proxy between us and the node, most often.
            Err(_) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(self.unreachable(format!("status {status}")))
            }
            Err(_) => Err(self.malformed(format!("status {status} without a reason"))),
        }
    }
    fn read(&self, response: Response<Body>, bytes_max: u64) -> Result<Vec<u8>, ClientError> {
        let mut bytes = Vec::new();
        let reader = response.into_body().into_reader();
        // One byte more than allowed tells that there are more.
        reader.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|e| self.unreachable(e.to_string()))?;
        if bytes.len() as u64 > bytes_max {
            return Err(self.malformed(format!("the answer has more than {bytes_max} bytes")));
        }
        Ok(bytes)
    }
    fn unreachable(&self, reason: String) -> ClientError {
        ClientError::Unreachable { url: self.url.clone(), reason }
    }
    fn malformed(&self, reason: String) -> ClientError {
        ClientError::Malformed { url: self.url.clone(), reason }
    }
}

/// What a user typed, as one part of a path: everything but letters and digits is escaped.
fn path_part(text: &str) -> String {
    let mut part = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            part.push(byte as char);
        } else {
            part.push_str(&format!("%{byte:02X}"));
        }
    }
    part
}
