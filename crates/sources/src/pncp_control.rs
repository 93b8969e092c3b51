//! The control number of PNCP: `00000000000191-1-000003/2025`, that is body, kind, number and year.
//!
//! PNCP answers for the items of a purchase without saying of which purchase they are. Who keeps such answers keeps
//! the number in the name of the file or of a folder, as the number itself or as the address that was asked.

/// What a number is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Purchase,
    Contract,
}

impl Kind {
    const fn digit(self) -> u8 {
        match self {
            Self::Purchase => b'1',
            Self::Contract => b'2',
        }
    }
}

/// Bytes of a number with `-` for `/`.
const LENGTH: usize = 28;

/// A control number, with `-` for `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ControlNumber([u8; LENGTH]);

impl ControlNumber {
    /// The number that a path states; the last one, if it states several.
    pub(crate) fn in_path(path: &str) -> Option<Self> {
        Self::written_in(path.as_bytes()).or_else(|| Self::asked_in(path))
    }

    /// The number, if it is of that kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> Option<&str> {
        std::str::from_utf8(&self.0).ok().filter(|number| is_of_kind(number, kind))
    }

    /// `00000000000191-1-000003-2025`, also with `/` or `_` before the year.
    fn written_in(path: &[u8]) -> Option<Self> {
        let last = path.len().checked_sub(LENGTH)?;
        (0..=last).rev().find_map(|start| {
            let alone = (start == 0 || !path[start - 1].is_ascii_alphanumeric())
                && !path.get(start + LENGTH).is_some_and(u8::is_ascii_digit);
            let piece: [u8; LENGTH] = path[start..start + LENGTH].try_into().ok()?;
            (alone && is_number(&piece)).then(|| Self::with_dashes(piece))
        })
    }

    fn with_dashes(mut piece: [u8; LENGTH]) -> Self {
        piece[23] = b'-';
        Self(piece)
    }

    /// `…/00000000000191/compras/2025/3/…`, as the address has it.
    fn asked_in(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split(['/', '\\', '!']).collect();
        parts.windows(4).rev().find_map(|four| {
            let kind = match four[1] {
                "compras" => 1,
                "contratos" => 2,
                _ => return None,
            };
            let sequential: u32 = four[3].split(['.', '_']).next()?.parse().ok()?;
            let number = format!("{}-{kind}-{sequential:06}-{}", four[0], four[2]);
            let piece: [u8; LENGTH] = number.as_bytes().try_into().ok()?;
            is_number(&piece).then_some(Self(piece))
        })
    }
}

/// Whether a number, with `/` or `-` before its year, is of that kind.
pub(crate) fn is_of_kind(number: &str, kind: Kind) -> bool {
    number.as_bytes().get(15) == Some(&kind.digit())
}

fn is_number(piece: &[u8; LENGTH]) -> bool {
    piece[..14].iter().all(u8::is_ascii_alphanumeric)
        && piece[14] == b'-'
        && piece[15].is_ascii_digit()
        && piece[16] == b'-'
        && piece[17..23].iter().all(u8::is_ascii_digit)
        && matches!(piece[23], b'-' | b'_' | b'/' | b'\\')
        && piece[24..].iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_states_a_number_as_it_is_or_as_an_address() {
        let found = |path: &str, kind| ControlNumber::in_path(path).and_then(|n| n.of_kind(kind).map(str::to_owned));
        for path in [
            "/dados/00000000000191-1-000003-2025_itens.json",
            "00000000000191-1-000003/2025/itens.json",
            "a.zip!00000000000191-1-000003_2025.json",
            "/x/orgaos/00000000000191/compras/2025/3/itens.json",
            "00000000000191/compras/2025/3.json",
        ] {
            assert_eq!(found(path, Kind::Purchase).as_deref(), Some("00000000000191-1-000003-2025"), "{path}");
            assert_eq!(found(path, Kind::Contract), None, "{path}");
        }
        let contract = "/x/00000000000191-1-000003-2025/00000000000191-2-000007-2025_termos.json";
        assert_eq!(found(contract, Kind::Contract).as_deref(), Some("00000000000191-2-000007-2025"));
        for path in ["itens.json", "x00000000000191-1-000003-2025.json", "00000000000191-1-000003-20251.json", ""] {
            assert_eq!(ControlNumber::in_path(path), None, "{path}");
        }
    }
}
