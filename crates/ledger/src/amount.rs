//! Amounts: u64 atoms, and their decimal form in HYS.

use crate::LedgerError;

/// Atoms of one HYS.
pub const ATOMS_PER_HYS: u64 = 1_000_000_000;
/// All coins that will ever be issued, in atoms: 100,000,000 HYS.
pub const CAP_ATOMS: u64 = 100_000_000 * ATOMS_PER_HYS;
/// The emission's divisor as a shift: a block issues `(cap - issued) >> 19`.
pub const EMISSION_SHIFT: u32 = 19;

/// What the next block issues, in atoms, when `issued` atoms exist or have been burned. It is 0 from the cap on.
pub const fn emission(issued: u64) -> u64 {
    CAP_ATOMS.saturating_sub(issued) >> EMISSION_SHIFT
}

/// `atoms` as a decimal number of HYS without needless zeros: `1.5`, `0.000000001`, `12`.
pub fn format_hys(atoms: u64) -> String {
    let (whole, fraction) = (atoms / ATOMS_PER_HYS, atoms % ATOMS_PER_HYS);
    if fraction == 0 {
        return whole.to_string();
    }
    let digits = format!("{fraction:09}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// The atoms of a decimal number of HYS such as `1.5`: digits, at most one point, at most nine decimals.
///
/// # Errors
/// [`LedgerError::AmountText`] for anything else, and for more than [`CAP_ATOMS`].
pub fn parse_hys(text: &str) -> Result<u64, LedgerError> {
    let refuse = |reason| LedgerError::AmountText { text: text.chars().take(40).collect(), reason };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(refuse("it has no digits"));
    }
    if fraction.len() > 9 {
        return Err(refuse("it has more than nine decimals"));
    }
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(refuse("it is not a plain decimal number"));
    }
    let too_much = || refuse("it is more than there will ever be");
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| too_much())? };
    let fraction = format!("{fraction:0<9}").parse::<u64>().expect("nine digits");
    whole
        .checked_mul(ATOMS_PER_HYS)
        .and_then(|atoms| atoms.checked_add(fraction))
        .filter(|&atoms| atoms <= CAP_ATOMS)
        .ok_or_else(too_much)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn emission_is_smooth_and_ends() {
        assert_eq!(emission(0), 190_734_863_281);
        assert_eq!(emission(CAP_ATOMS), 0);
        assert_eq!(emission(u64::MAX), 0);
        assert!(emission(CAP_ATOMS / 2) <= emission(0) / 2 + 1);
    }

    #[test]
    fn text_of_amounts() {
        assert_eq!(parse_hys("1.5").unwrap(), 1_500_000_000);
        assert_eq!(parse_hys(".5").unwrap(), 500_000_000);
        assert_eq!(parse_hys("100000000").unwrap(), CAP_ATOMS);
        for bad in ["", ".", "1e3", "-1", "+1", "0.0000000001", "100000000.000000001", "1.2.3", "١"] {
            assert!(parse_hys(bad).is_err(), "{bad}");
        }
        assert_eq!(format_hys(1), "0.000000001");
        assert_eq!(format_hys(12 * ATOMS_PER_HYS), "12");
    }

    proptest! {
        #[test]
        fn text_round_trips(atoms in 0..=CAP_ATOMS) {
            prop_assert_eq!(parse_hys(&format_hys(atoms)).unwrap(), atoms);
        }
    }
}
