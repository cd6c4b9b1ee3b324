#![no_main]

use hysteron_net::address_book::AddressBook;
use hysteron_net::bans::Bans;

// Ban lists and address books of any text: what is kept is written and read again without loss.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let (bans, _) = Bans::from_text(text);
    assert_eq!(Bans::from_text(&bans.to_text()), (bans, 0));
    let (book, _) = AddressBook::from_text(text);
    assert_eq!(AddressBook::from_text(&book.to_text()), (book, 0));
});
