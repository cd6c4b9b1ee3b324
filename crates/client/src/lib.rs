//! What a customer's program does beside the keys: prepares a problem file for the network, books it, follows it, and
//! maps the answer back to the file's own variables, scored again from the file. Whatever would be refused is found out
//! here, before anything is signed or sent.

mod booking;
mod connection;
mod describe;
mod error;
mod job_book;
mod keys;
mod prepare;
mod receipt;

pub use booking::{Booking, Offer, REVIEW_BLOCKS, elements_of, is_over, state_name};
pub use connection::{Connection, Sent, is_passing};
pub use describe::{describe_offer, describe_receipt, ending_name, line_of};
pub use error::Failure;
pub use job_book::{JobBook, JobRecord};
pub use keys::{DEVNET_ACCOUNTS, devnet_account};
pub use prepare::{FileAnswer, Preparation, PrepareError, Prepared, prepare};
pub use receipt::{CheckedReceipt, check_receipt};
