//! Numbers and registry codes, written straight into a buffer.

/// Appends a number.
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends the last `WIDTH` digits of a number, with leading zeros.
pub(crate) fn push_padded<const WIDTH: usize>(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&digits);
}

/// `6058,6000`, as the Portal's bulk files write 6058.60.
pub(crate) fn push_bulk_money(out: &mut Vec<u8>, cents: i64) {
    if cents < 0 {
        out.push(b'-');
    }
    push_number(out, cents.unsigned_abs() / 100);
    out.push(b',');
    push_padded::<2>(out, cents.unsigned_abs() % 100);
    out.extend_from_slice(b"00");
}

/// `- 24.312,82`, as the Portal's page exports it.
pub(crate) fn push_page_money(out: &mut Vec<u8>, cents: i64) {
    if cents < 0 {
        out.extend_from_slice(b"- ");
    }
    let whole = (cents.unsigned_abs() / 100).to_string();
    for (at, digit) in whole.bytes().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(b'.');
        }
        out.push(digit);
    }
    out.push(b',');
    push_padded::<2>(out, cents.unsigned_abs() % 100);
}

/// `33351.2`, `1100.0`, as PNCP writes it.
pub(crate) fn push_json_money(out: &mut Vec<u8>, cents: i64) {
    if cents < 0 {
        out.push(b'-');
    }
    let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    push_number(out, whole);
    out.push(b'.');
    if rest.is_multiple_of(10) { push_number(out, rest / 10) } else { push_padded::<2>(out, rest) }
}

/// Appends the fourteen digits of the CNPJ with this root (eight digits) and branch.
pub(crate) fn push_cnpj(out: &mut Vec<u8>, root: u32, branch: u32) {
    let start = out.len();
    push_padded::<8>(out, u64::from(root));
    push_padded::<4>(out, u64::from(branch));
    for _ in 0..2 {
        let check = check_digit(&out[start..]);
        out.push(check);
    }
}

/// The next check digit of a CNPJ: each character counts its ASCII code less 48, weights 2 to 9 from the right,
/// modulo 11 (Instrução Normativa RFB 2.229/2024; for digits the rule that has always held).
fn check_digit(base: &[u8]) -> u8 {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let weights = &WEIGHTS[WEIGHTS.len() - base.len()..];
    let sum: u32 = base.iter().zip(weights).map(|(c, weight)| u32::from(c - 48) * weight).sum();
    match sum % 11 {
        0 | 1 => b'0',
        rest => b'0' + (11 - rest) as u8,
    }
}

/// `99.000.001/0001-55`.
pub(crate) fn push_written_cnpj(out: &mut Vec<u8>, root: u32, branch: u32) {
    let mut plain = Vec::with_capacity(14);
    push_cnpj(&mut plain, root, branch);
    for (part, after) in [(0..2, &b"."[..]), (2..5, b"."), (5..8, b"/"), (8..12, b"-"), (12..14, b"")] {
        out.extend_from_slice(&plain[part]);
        out.extend_from_slice(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn money_is_written_as_each_source_writes_it() {
        assert_eq!(written(|o| push_bulk_money(o, 605_860)), "6058,6000");
        assert_eq!(written(|o| push_bulk_money(o, -5)), "-0,0500");
        assert_eq!(written(|o| push_page_money(o, -2_431_282)), "- 24.312,82");
        assert_eq!(written(|o| push_page_money(o, 123_456_789)), "1.234.567,89");
        assert_eq!(written(|o| push_page_money(o, 0)), "0,00");
        assert_eq!(written(|o| push_json_money(o, 110_000)), "1100.0");
        assert_eq!(written(|o| push_json_money(o, 3_335_120)), "33351.2");
        assert_eq!(written(|o| push_json_money(o, 3_335_105)), "33351.05");
    }

    #[test]
    fn check_digits_are_those_of_the_register() {
        assert_eq!(written(|o| push_cnpj(o, 0, 1)), "00000000000191");
        assert_eq!(written(|o| push_written_cnpj(o, 11_222_333, 1)), "11.222.333/0001-81");
        // The example that the Receita publishes for alphanumeric numbers: 12.ABC.345/01DE-35.
        assert_eq!((check_digit(b"12ABC34501DE"), check_digit(b"12ABC34501DE3")), (b'3', b'5'));
    }
}
