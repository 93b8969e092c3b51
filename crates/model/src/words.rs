//! Words with a fixed set of values: modalities and kinds of sanction.

/// How a purchase is made. Codes are ours; each source maps its own numbers and texts to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the law's own")]
pub enum Modality {
    Pregao,
    Concorrencia,
    Concurso,
    Leilao,
    DialogoCompetitivo,
    TomadaDePrecos,
    Convite,
    Dispensa,
    Inexigibilidade,
    ManifestacaoDeInteresse,
    PreQualificacao,
    Credenciamento,
    Rdc,
}

impl Modality {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Pregao,
        Self::Concorrencia,
        Self::Concurso,
        Self::Leilao,
        Self::DialogoCompetitivo,
        Self::TomadaDePrecos,
        Self::Convite,
        Self::Dispensa,
        Self::Inexigibilidade,
        Self::ManifestacaoDeInteresse,
        Self::PreQualificacao,
        Self::Credenciamento,
        Self::Rdc,
    ];

    /// Reads a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|modality| modality.code() == code)
    }

    /// Its code in every table and answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pregao => "pregao",
            Self::Concorrencia => "concorrencia",
            Self::Concurso => "concurso",
            Self::Leilao => "leilao",
            Self::DialogoCompetitivo => "dialogo_competitivo",
            Self::TomadaDePrecos => "tomada_de_precos",
            Self::Convite => "convite",
            Self::Dispensa => "dispensa",
            Self::Inexigibilidade => "inexigibilidade",
            Self::ManifestacaoDeInteresse => "manifestacao_de_interesse",
            Self::PreQualificacao => "pre_qualificacao",
            Self::Credenciamento => "credenciamento",
            Self::Rdc => "rdc",
        }
    }

    /// From PNCP's `modalidadeId`.
    #[must_use]
    pub const fn from_pncp(id: i64) -> Option<Self> {
        Some(match id {
            1 | 13 => Self::Leilao,
            2 => Self::DialogoCompetitivo,
            3 => Self::Concurso,
            4 | 5 => Self::Concorrencia,
            6 | 7 => Self::Pregao,
            8 => Self::Dispensa,
            9 => Self::Inexigibilidade,
            10 => Self::ManifestacaoDeInteresse,
            11 => Self::PreQualificacao,
            12 => Self::Credenciamento,
            _ => return None,
        })
    }

    /// From the words that the Portal and others write; `None` for words we do not know.
    #[must_use]
    pub fn from_words(words: &str) -> Option<Self> {
        let folded = crate::text::fold(words.trim());
        let starts = |prefix: &str| folded.starts_with(prefix);
        Some(match () {
            () if starts("pregao") => Self::Pregao,
            () if starts("concorrencia") => Self::Concorrencia,
            () if starts("concurso") => Self::Concurso,
            () if starts("leilao") => Self::Leilao,
            () if starts("dialogo competitivo") => Self::DialogoCompetitivo,
            () if starts("tomada de preco") => Self::TomadaDePrecos,
            () if starts("convite") => Self::Convite,
            () if starts("dispensa") => Self::Dispensa,
            () if starts("inexigibilidade") => Self::Inexigibilidade,
            () if starts("manifestacao de interesse") => Self::ManifestacaoDeInteresse,
            () if starts("pre-qualificacao") => Self::PreQualificacao,
            () if starts("credenciamento") => Self::Credenciamento,
            () if starts("rdc") || starts("regime diferenciado") => Self::Rdc,
            () => return None,
        })
    }
}

/// What a sanction forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the law's own")]
pub enum SanctionKind {
    Inidoneidade,
    Impedimento,
    Suspensao,
    /// A prohibition to contract (Lei 8.429, Lei 9.504, Lei 12.529, Lei 9.605 and court orders).
    Proibicao,
    Multa,
    Publicacao,
    /// Suspension of activities or dissolution (Lei 12.846 art. 19): no bar to contracting by itself.
    Interdicao,
    /// Loss of incentives and loans (Lei 12.846 art. 19 IV): no bar to contracting.
    ProibicaoDeIncentivos,
}

impl SanctionKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Inidoneidade,
        Self::Impedimento,
        Self::Suspensao,
        Self::Proibicao,
        Self::Multa,
        Self::Publicacao,
        Self::Interdicao,
        Self::ProibicaoDeIncentivos,
    ];

    /// Reads a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Its code in every table and answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Inidoneidade => "inidoneidade",
            Self::Impedimento => "impedimento",
            Self::Suspensao => "suspensao",
            Self::Proibicao => "proibicao",
            Self::Multa => "multa",
            Self::Publicacao => "publicacao",
            Self::Interdicao => "interdicao",
            Self::ProibicaoDeIncentivos => "proibicao_de_incentivos",
        }
    }

    /// Whether it bars contracting with the public administration.
    #[must_use]
    pub const fn bars_contracting(self) -> bool {
        matches!(self, Self::Inidoneidade | Self::Impedimento | Self::Suspensao | Self::Proibicao)
    }

    /// The reach that the law gives it: 0 the sanctioning body, 2 its sphere, 3 everywhere; `None` where no law we
    /// know fixes one. Lei 14.133 art. 156 §§ 4–5 (impedimento: the sphere; inidoneidade: all); Lei 8.666 art. 87
    /// III (suspension: the body), IV (inidoneidade: the whole administration); Lei 10.520 art. 7 (the sphere).
    #[must_use]
    pub const fn reach_by_law(self) -> Option<i64> {
        match self {
            Self::Inidoneidade => Some(3),
            Self::Impedimento => Some(2),
            Self::Suspensao => Some(0),
            _ => None,
        }
    }

    /// From a register's category and legal basis.
    ///
    /// The registers put one category over several laws, so the basis decides first: "Impedimento/proibição de
    /// contratar" under Lei 8.429 is a prohibition, and nothing of Lei 12.846 bars contracting.
    #[must_use]
    pub fn from_words(category: &str, basis: &str) -> Option<Self> {
        let (category, basis) = (crate::text::fold(category), crate::text::fold(basis));
        let category = category.trim();
        let anticorruption = ["12846", "12.846"].iter().any(|law| category.contains(law) || basis.contains(law));
        if category.starts_with("multa") {
            return Some(Self::Multa);
        }
        if category.starts_with("publicacao") {
            return Some(Self::Publicacao);
        }
        if category.contains("interdicao") || category.starts_with("dissolucao") {
            return Some(Self::Interdicao);
        }
        if anticorruption && category.starts_with("proibi") {
            return Some(Self::ProibicaoDeIncentivos);
        }
        if category.contains("inidoneidade") {
            return Some(Self::Inidoneidade);
        }
        let courts = ["8429", "8.429", "9504", "9.504", "12529", "12.529", "9605", "9.605"];
        if category.starts_with("impedimento") {
            let by_court = category.contains("proibi") && courts.iter().any(|law| basis.contains(law));
            return Some(if by_court { Self::Proibicao } else { Self::Impedimento });
        }
        if category.starts_with("suspensao") {
            return Some(Self::Suspensao);
        }
        if category.starts_with("proibi") || category.starts_with("decisao judicial") {
            return Some(Self::Proibicao);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portals_words_and_pncps_numbers_meet() {
        assert_eq!(Modality::from_words("Pregão - Registro de Preço"), Some(Modality::Pregao));
        assert_eq!(Modality::from_words("Dispensa de Licitação"), Modality::from_pncp(8));
        assert_eq!(Modality::from_words("Sem Informação"), None);
        assert_eq!(Modality::from_pncp(99), None);
    }

    #[test]
    fn only_some_sanctions_bar_contracting() {
        let kind = |c: &str, b: &str| SanctionKind::from_words(c, b);
        let limited = "Impedimento/proibicao de contratar com prazo determinado";
        assert_eq!(kind(limited, "LEI 14133 - ART. 156, III"), Some(SanctionKind::Impedimento));
        assert_eq!(kind(limited, "LEI 8429 - ART. 12"), Some(SanctionKind::Proibicao));
        assert_eq!(kind("Multa - Lei 12.846/13", ""), Some(SanctionKind::Multa));
        assert_eq!(kind("Suspensão/Interdição das atividades - Lei 12.846/13", ""), Some(SanctionKind::Interdicao));
        assert_eq!(kind("Proibição - Lei 12.846/13", ""), Some(SanctionKind::ProibicaoDeIncentivos));
        assert_eq!(kind("Suspensão - Lei de Licitações", ""), Some(SanctionKind::Suspensao));
        assert!(!SanctionKind::ProibicaoDeIncentivos.bars_contracting());
        assert_eq!(kind("Advertência", ""), None);
    }
}
