//! Suppliers: who they are follows from a number alone.
//!
//! Nothing about a supplier is stored, so their count costs no memory. The roots of their CNPJ lie in four
//! ranges of 99.xxx.xxx, one for each use, so that a case that is planted never meets an ordinary supplier.

use crate::bytes::{push_cnpj, push_padded, push_written_cnpj};
use crate::rng::{Alias, Rng, scramble};

/// Roots of ordinary suppliers begin here.
const ORDINARY_ROOT: u32 = 99_000_000;
/// Roots of sanctioned suppliers that have no contract.
const SANCTIONED_ROOT: u32 = 99_800_000;
/// Roots of the suppliers of planted cases.
const PLANTED_ROOT: u32 = 99_900_000;
/// Roots of public bodies.
pub(crate) const BODY_ROOT: u32 = 99_950_000;

/// Ranks of an activity's market that only companies hold.
const FIRST_RANKS: u32 = 30;

/// A supplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    /// One of the market's; a few are natural persons.
    Ordinary(u32),
    /// Sanctioned, without any contract.
    Sanctioned(u32),
    /// Of a planted case.
    Planted(u32),
    /// A natural person: the six middle digits of a CPF, and the number that makes the name.
    Person {
        digits: u32,
        name: u32,
    },
    Foreign(u32),
    /// The source does not say.
    NotStated,
}

/// PNCP's `tipoPessoa`, more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartyKind {
    Company,
    Person,
    Foreign,
    NotStated,
}

const FIRST_WORDS: &[&str] = &[
    "ALVORADA",
    "BRISA",
    "CERRADO",
    "DIAMANTE",
    "ESTRELA",
    "FAROL",
    "GAIVOTA",
    "HORIZONTE",
    "IPÊ",
    "JATOBÁ",
    "LAGOA",
    "MARÉ",
    "NEBLINA",
    "ORVALHO",
    "PINHEIRO",
    "QUARTZO",
    "RIACHO",
    "SERRA",
    "TUCANO",
    "UMBU",
    "VEREDA",
    "XINGÓ",
    "ZÉFIRO",
    "AURORA",
    "BÚZIO",
    "CORAL",
    "DUNA",
    "ESPIGA",
    "FIGUEIRA",
    "GRANITO",
    "HERA",
    "JUÁ",
];

const SECOND_WORDS: &[&str] =
    &["COMÉRCIO", "DISTRIBUIDORA", "SERVIÇOS", "INDÚSTRIA", "SOLUÇÕES", "COMERCIAL", "ATACADO", "EMPREENDIMENTOS"];

const ENDINGS: &[&str] = &["LTDA", "LTDA", "LTDA", "LTDA ME", "EPP LTDA", "S.A.", "EIRELI"];

const GIVEN_NAMES: &[&str] = &[
    "Aurélio",
    "Belmira",
    "Cândido",
    "Deolinda",
    "Eurico",
    "Felícia",
    "Genésio",
    "Hermínia",
    "Inácio",
    "Jacinta",
    "Leôncio",
    "Matilde",
    "Nicanor",
    "Ofélia",
    "Plínio",
    "Querubina",
    "Romualdo",
    "Sebastiana",
    "Teófilo",
    "Zulmira",
];

const FAMILY_NAMES: &[&str] = &[
    "Fictício da Aurora",
    "Fictícia do Vale",
    "Fictício Ribeirinho",
    "Fictícia das Dunas",
    "Fictício do Monte",
    "Fictícia da Serra",
    "Fictício Campestre",
    "Fictícia do Farol",
];

impl Party {
    pub(crate) fn kind(self) -> PartyKind {
        match self {
            Self::Ordinary(at) if person_of(at).is_some() => PartyKind::Person,
            Self::Person { .. } => PartyKind::Person,
            Self::Foreign(_) => PartyKind::Foreign,
            Self::NotStated => PartyKind::NotStated,
            Self::Ordinary(_) | Self::Sanctioned(_) | Self::Planted(_) => PartyKind::Company,
        }
    }

    pub(crate) fn root(self) -> u32 {
        match self {
            Self::Sanctioned(at) => SANCTIONED_ROOT + at,
            Self::Planted(at) => PLANTED_ROOT + at,
            Self::Ordinary(at) | Self::Foreign(at) => ORDINARY_ROOT + at,
            Self::Person { .. } | Self::NotStated => ORDINARY_ROOT,
        }
    }

    /// One in thirty ordinary suppliers sells through a branch.
    pub(crate) fn branch(self) -> u32 {
        match self {
            Self::Ordinary(at) if scramble(u64::from(at) ^ 0xB0).is_multiple_of(30) => 2,
            _ => 1,
        }
    }

    /// Its number as plain text: `99000001000155`, `***.123.456-**`, `ESTRANG0000001`, `-11`.
    pub(crate) fn push_code(self, out: &mut Vec<u8>) {
        match self.resolved() {
            Self::Person { digits, .. } => {
                out.extend_from_slice(b"***.");
                push_padded::<3>(out, u64::from(digits / 1000));
                out.push(b'.');
                push_padded::<3>(out, u64::from(digits % 1000));
                out.extend_from_slice(b"-**");
            }
            Self::Foreign(at) => {
                out.extend_from_slice(b"ESTRANG");
                push_padded::<7>(out, u64::from(at));
            }
            Self::NotStated => out.extend_from_slice(b"-11"),
            firm => push_cnpj(out, firm.root(), firm.branch()),
        }
    }

    /// Its number as the Portal's page writes it: `99.000.001/0001-55`.
    pub(crate) fn push_written_code(self, out: &mut Vec<u8>) {
        match self.resolved() {
            Self::Person { .. } | Self::Foreign(_) | Self::NotStated => self.push_code(out),
            firm => push_written_cnpj(out, firm.root(), firm.branch()),
        }
    }

    /// Its number as PNCP writes it: a masked CPF has no points.
    pub(crate) fn push_pncp_code(self, out: &mut Vec<u8>) {
        match self.resolved() {
            Self::Person { digits, .. } => {
                out.extend_from_slice(b"***");
                push_padded::<6>(out, u64::from(digits));
                out.extend_from_slice(b"**");
            }
            party => party.push_code(out),
        }
    }

    /// Its name.
    pub(crate) fn push_name(self, out: &mut Vec<u8>) {
        match self.resolved() {
            Self::Person { name, .. } => {
                let name = name as usize;
                out.extend_from_slice(GIVEN_NAMES[name % GIVEN_NAMES.len()].as_bytes());
                out.push(b' ');
                let family = FAMILY_NAMES[name / GIVEN_NAMES.len() % FAMILY_NAMES.len()];
                out.extend_from_slice(family.as_bytes());
                out.push(b' ');
                push_letters(out, name / (GIVEN_NAMES.len() * FAMILY_NAMES.len()));
            }
            Self::Foreign(at) => {
                out.extend_from_slice(b"FICTITIOUS ");
                out.extend_from_slice(FIRST_WORDS[at as usize % FIRST_WORDS.len()].as_bytes());
                out.extend_from_slice(b" GMBH");
            }
            Self::NotStated => out.extend_from_slice(b"Sigiloso"),
            firm => push_firm_name(out, firm.root()),
        }
    }

    /// Its name as a text.
    pub(crate) fn name(self) -> String {
        let mut out = Vec::with_capacity(64);
        self.push_name(&mut out);
        String::from_utf8(out).expect("every part is UTF-8")
    }

    /// Its number as a text.
    pub(crate) fn code(self) -> String {
        let mut out = Vec::with_capacity(18);
        self.push_code(&mut out);
        String::from_utf8(out).expect("codes are ASCII")
    }

    fn resolved(self) -> Self {
        match self {
            Self::Ordinary(at) => person_of(at).unwrap_or(self),
            other => other,
        }
    }
}

/// A natural person's name and masked number, by a number of their own.
pub(crate) fn person(number: u32) -> Party {
    Party::Person { digits: (scramble(u64::from(number) ^ 0x9E50) >> 30) as u32 % 800_000, name: 100_000_000 + number }
}

/// Two ordinary suppliers in a hundred are natural persons.
fn person_of(at: u32) -> Option<Party> {
    let bits = scramble(u64::from(at));
    bits.is_multiple_of(50).then_some(Party::Person { digits: (bits >> 40) as u32 % 800_000, name: at })
}

fn push_firm_name(out: &mut Vec<u8>, root: u32) {
    let bits = scramble(u64::from(root) ^ 0xF1C7) as usize;
    if bits % 200 == 7 {
        // A one-person firm: its name ends in its owner's CPF, which the Portal masks so.
        out.extend_from_slice("FICTÍCIA ".as_bytes());
        out.extend_from_slice(FIRST_WORDS[bits / 256 % FIRST_WORDS.len()].as_bytes());
        out.extend_from_slice(b" ***");
        push_padded::<6>(out, (bits >> 30) as u64 % 1_000_000);
        out.extend_from_slice(b"**");
        return;
    }
    out.extend_from_slice("FICTÍCIA ".as_bytes());
    out.extend_from_slice(FIRST_WORDS[bits / 256 % FIRST_WORDS.len()].as_bytes());
    out.push(b' ');
    out.extend_from_slice(SECOND_WORDS[bits / 16_384 % SECOND_WORDS.len()].as_bytes());
    out.push(b' ');
    push_letters(out, (root % 1_000_000) as usize);
    out.push(b' ');
    out.extend_from_slice(ENDINGS[bits / 262_144 % ENDINGS.len()].as_bytes());
}

/// A number as capitals: 0 is `A`, 26 is `BA`; it keeps names apart without looking like a register.
fn push_letters(out: &mut Vec<u8>, mut number: usize) {
    let start = out.len();
    loop {
        out.push(b'A' + (number % 26) as u8);
        number /= 26;
        if number == 0 {
            break;
        }
    }
    out[start..].reverse();
}

/// The suppliers of the market and how often each is chosen.
#[derive(Debug)]
pub(crate) struct Market {
    ranks: Alias,
    size: u32,
    groups: u32,
}

impl Market {
    /// A twentieth of the contracts, from 300 up; the more there are, the more they keep to one trade.
    pub(crate) fn new(contracts: u64, activities: u32) -> Self {
        let suppliers = (contracts / 20).clamp(300, 780_000) as u32;
        let groups = (suppliers / 300).clamp(1, activities);
        let size = suppliers / groups;
        Self { ranks: Alias::zipf(size as usize, 0.9), size, groups }
    }

    /// A supplier for an activity.
    pub(crate) fn supplier(&self, rng: &mut Rng, activity: u8) -> Party {
        let group = u32::from(activity) % self.groups;
        let turn = u32::from(activity) / self.groups * 37;
        let mut rank = self.ranks.sample(rng);
        loop {
            let party = Party::Ordinary(group * self.size + (rank + turn) % self.size);
            // Natural persons are many but small: none is among the first.
            if rank >= FIRST_RANKS || party.kind() == PartyKind::Company {
                return party;
            }
            rank += 1;
        }
    }

    /// As [`Self::supplier`], and sometimes what only sources know: a foreigner, or nobody named.
    pub(crate) fn supplier_or_quirk(&self, rng: &mut Rng, activity: u8) -> Party {
        match rng.below(1000) {
            0 => Party::Foreign(rng.below(400)),
            1..=3 => Party::NotStated,
            _ => self.supplier(rng, activity),
        }
    }

    /// How many suppliers there are.
    pub(crate) fn suppliers(&self) -> u32 {
        self.size * self.groups
    }

    /// The trade that an ordinary supplier is registered for: the first activity that its group sells.
    pub(crate) fn trade_of(&self, at: u32) -> u8 {
        (at / self.size % self.groups) as u8
    }

    /// The trade that those who sell an activity are registered for.
    pub(crate) fn trade(&self, activity: u8) -> u8 {
        (u32::from(activity) % self.groups) as u8
    }

    /// Any ordinary supplier, all alike.
    pub(crate) fn any(&self, rng: &mut Rng) -> Party {
        Party::Ordinary(rng.below(self.size * self.groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supplier_is_marked_as_fictitious() {
        for party in [Party::Ordinary(1), Party::Sanctioned(7), Party::Person { digits: 12_345, name: 99 }] {
            assert!(party.name().to_lowercase().contains("fict"), "{}", party.name());
        }
        assert_eq!(Party::Person { digits: 12_345, name: 0 }.code(), "***.012.345-**");
        assert!(Party::Planted(3).code().starts_with("999000030001"));
    }

    #[test]
    fn persons_are_about_two_in_a_hundred() {
        let persons = (0..10_000).filter(|at| Party::Ordinary(*at).kind() == PartyKind::Person).count();
        assert!((150..250).contains(&persons), "{persons}");
    }

    #[test]
    fn names_of_different_suppliers_differ() {
        let mut names: Vec<String> = (0..2_000).map(|at| Party::Ordinary(at).name()).collect();
        names.sort();
        names.dedup();
        assert!(names.len() > 1_990);
    }
}
