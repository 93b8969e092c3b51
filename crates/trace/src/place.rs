//! A trace's context, as W3C Trace Context (level 1, section 3.2) writes it.

/// Bytes of a `traceparent` of version 00.
const LENGTH: usize = 55;

/// A place in a trace: the trace, the span that asks, and whether who began it records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The trace; never 0.
    pub trace: u128,
    /// The span; never 0.
    pub span: u64,
    /// Whether who asks records it.
    pub sampled: bool,
}

impl Place {
    /// A new trace.
    #[must_use]
    pub fn root(sampled: bool) -> Self {
        Self { trace: rand::random::<u128>().max(1), span: new_span(), sampled }
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: new_span(), ..self }
    }

    /// Reads a `traceparent`; what is malformed names no place. Of versions to come the part that is known is read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (version, rest) = (hex(bytes.get(..2)?)?, bytes.get(2..)?);
        let fits = match version {
            0xff => false,
            0 => bytes.len() == LENGTH,
            _ => bytes.len() == LENGTH || bytes.get(LENGTH) == Some(&b'-'),
        };
        let parts_at = [0, 33, 50].iter().all(|at| rest.get(*at) == Some(&b'-'));
        if !fits || !parts_at {
            return None;
        }
        let (trace, span) = (hex(rest.get(1..33)?)?, hex(rest.get(34..50)?)?);
        let flags = hex(rest.get(51..53)?)?;
        let span = u64::try_from(span).ok()?;
        (trace != 0 && span != 0).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }

    /// As it stands in a header.
    #[must_use]
    pub fn traceparent(self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

pub(crate) fn new_span() -> u64 {
    rand::random::<u64>().max(1)
}

/// Digits of base 16, in lower case.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn what_is_well_formed_is_read_and_written_back() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let place = Place::parse(text).unwrap();
        assert_eq!((place.span, place.sampled, place.traceparent().as_str()), (0x00f0_67aa_0ba9_02b7, true, text));
        let later = Place::parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-what-will-be").unwrap();
        assert_eq!((later.trace, later.sampled), (place.trace, false));
    }

    #[test]
    fn what_is_malformed_names_no_place() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-éé",
        ] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
