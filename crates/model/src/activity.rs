//! The line of activity (*ramo*) of a purchase, read from the text of its object.
//!
//! The law sums waivers by line of activity (Lei 14.133/2021, art. 75, § 1, II), and few sources state one. The best
//! answer is the catalogue class of the items, then the supplier's CNAE; this is the last resort. It is a rule of
//! keywords, all of them data (`law/activity.toml`), so that anyone can see why a text got its class. It promises:
//! the same text always gets the same class; a text without a keyword gets none, and never a default. A finding that
//! rests on it says so, and what it finds can never be the only ground of a grave breach.
//!
//! How a text is judged, in one pass over its words (folded by [`normal_name`]):
//!
//! - A keyword is a word, a stem (`limp*`) or two of them side by side; words such as "de" or "preventiva" are read
//!   over. Of the keywords that fit at one place the longest is taken, and its words are used up.
//! - A pair counts 6, a word 4, either 2 where it is a weak sign; half of that behind a word of purpose ("para",
//!   "com", "destinado"). Each keyword counts once.
//! - The class with the most wins; of equals, the one whose keyword stands first.

mod rules;

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use crate::text::normal_name;

use rules::{Class, Rules};

const ACTIVITY_TOML: &str = include_str!("../law/activity.toml");

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    Rules::read(ACTIVITY_TOML).expect("law/activity.toml is part of the program and its tests read it")
});

/// Names the state of the rule: 16 hexadecimal digits that change with any byte of `law/activity.toml`.
pub static ACTIVITY_VERSION: LazyLock<String> = LazyLock::new(|| format!("{:016x}", xxh3_64(ACTIVITY_TOML.as_bytes())));

/// A line of activity: one of the classes of `law/activity.toml`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Activity(u8);

impl Activity {
    /// All classes, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).zip(&RULES.classes).map(|(at, _)| Self(at))
    }

    /// Reads a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|activity| activity.code() == code)
    }

    /// Its code in every table and answer, such as `material_limpeza`.
    #[must_use]
    pub fn code(self) -> &'static str {
        &self.class().code
    }

    /// What a Brazilian reads.
    #[must_use]
    pub fn label_pt(self) -> &'static str {
        &self.class().pt
    }

    /// The same in English.
    #[must_use]
    pub fn label_en(self) -> &'static str {
        &self.class().en
    }

    fn class(self) -> &'static Class {
        &RULES.classes[usize::from(self.0)]
    }
}

/// The line of activity that the text of an object speaks of; `None` when it holds no keyword.
#[must_use]
pub fn activity_of_text(text: &str) -> Option<Activity> {
    RULES.judge(&normal_name(text)).map(Activity)
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Activity({})", self.code())
    }
}

impl Serialize for Activity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Activity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom(format!("`{code}` is no line of activity")))
    }
}

#[cfg(test)]
mod tests {
    use super::rules::{CLASSES_MAX, RuleError, Sense};
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> Option<&'static str> {
        activity_of_text(text).map(Activity::code)
    }

    fn rules(class: &str) -> Result<Rules, RuleError> {
        Rules::read(&format!("passing = [\"de\"]\npurpose = [\"para\"]\nnothing = [\"rua jardim\"]\n{class}"))
    }

    fn class(code: &str, words: &[&str]) -> String {
        format!("[[class]]\ncode = \"{code}\"\npt = \"x\"\nen = \"x\"\nwords = {words:?}\n")
    }

    #[test]
    fn objects_as_buyers_write_them() {
        for (expected, text) in [
            (
                "limpeza",
                "Contratação de serviços de limpeza, asseio e conservação, com fornecimento de mão de obra e material",
            ),
            ("material_limpeza", "AQUISIÇÃO DE MATERIAL DE LIMPEZA E HIGIENE PARA AS ESCOLAS MUNICIPAIS"),
            ("residuos", "Execução dos serviços de limpeza urbana e coleta de lixo"),
            ("vigilancia", "Prestação de serviços de vigilância armada nas dependências do campus"),
            ("alimentacao", "Gêneros alimentícios da Agricultura Familiar para a alimentação escolar"),
            ("alimentacao", "FORNECIMENTO DE ÁGUA MINERAL EM GARRAFÕES DE 20 LITROS"),
            ("agua_esgoto", "Serviços públicos de abastecimento de água e esgotamento sanitário"),
            ("medicamentos", "Registro de preços de MEDICAMENTOS ESSENCIAIS para a Central de Distribuição"),
            ("material_hospitalar", "Aquisição de materiais médico-hospitalares (seringas e luvas)"),
            ("equipamentos_medicos", "Aquisição de equipamentos odontológicos"),
            ("informatica", "Aquisição de notebooks e computadores para os laboratórios"),
            ("software", "Licenças de uso de software antivírus"),
            ("obras", "Execução das obras de pavimentação e drenagem da Rua do Sol"),
            (
                "engenharia_projetos",
                "Contratação de empresa para elaboração de projetos executivos de engenharia para construção de creche",
            ),
            ("manutencao_predial", "Manutenção predial preventiva e corretiva das unidades"),
            (
                "manutencao_veicular",
                "Manutenção preventiva e corretiva dos veículos da frota, com fornecimento de peças",
            ),
            ("locacao_veiculos", "LOCAÇÃO DE 02 VEÍCULOS SEM MOTORISTA E SEM COMBUSTÍVEL"),
            ("combustivel", "Aquisição de combustível (gasolina e diesel) para os veículos"),
            ("transporte", "Contratação de transporte escolar de alunos da zona rural"),
            ("passagens", "Emissão de passagens aéreas nacionais e internacionais"),
            (
                "locacao_imoveis",
                "Locação do imóvel situado na Rua Gervásio Pires para funcionamento do Conselho Tutelar",
            ),
            ("energia", "Fornecimento de energia elétrica para o campus"),
            ("telecomunicacoes", "Serviço de telefonia móvel pessoal e acesso à internet"),
            ("publicacao_oficial", "Publicação dos atos oficiais no Diário Oficial"),
            ("eventos", "Contratação da banda Forró Novo para show na festa de São João"),
            ("treinamento", "Capacitação de servidores no curso de licitações e contratos"),
            ("mobiliario", "Aquisição de mobiliário para laboratórios"),
            ("expediente", "Aquisição de material de expediente (papel A4 e canetas)"),
            ("vestuario", "Confecção de uniformes e camisetas"),
            ("graficos", "Serviços gráficos: banners e folders"),
            ("seguros", "Seguro total de veículos"),
            ("consultoria", "Consultoria em gestão da qualidade"),
            ("laboratorio", "Reagentes e vidrarias"),
            ("jardinagem", "Serviço de jardinagem e poda de árvores"),
            ("gases", "Recarga de oxigênio e gases medicinais"),
            ("livros", "Aquisição de livros para a biblioteca"),
            ("estagio_mao_de_obra", "Agente de integração de estágios"),
            ("ar_condicionado", "Manutenção de aparelhos de ar condicionado tipo split"),
            ("controle_pragas", "Dedetização e controle de pragas urbanas"),
            ("incendio", "Recarga de extintores de incêndio"),
            ("beneficios", "Fornecimento de vale-refeição"),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_text_without_a_keyword_has_no_class() {
        for text in [
            "",
            "Contratação direta",
            "Celebração de convênio",
            "Aquisição de produtos com valor inferior a R$ 17.600,00",
            "Termo aditivo 003/2020",
            "Atender a Secretaria de Saúde",
            "Ações de vigilância sanitária",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn words_that_only_look_like_a_line_of_activity() {
        for (expected, text) in [
            (Some("alimentacao"), "Aquisição de sal de mesa para as escolas"),
            (None, "Fornecimento de jogos de letras móveis"),
            (Some("material_hospitalar"), "Ionômero de vidro para restauração"),
            (Some("material_hospitalar"), "Aquisição de tubos para coleta de sangue"),
            (Some("material_hospitalar"), "Tubo de coleta a vácuo"),
            (Some("material_hospitalar"), "Cunhas de madeira e cimento odontológico"),
            (Some("ferramentas_construcao"), "Tubos de PVC e cimento"),
            (None, "Manta tensionada do Pavilhão de Exposições"),
            (Some("eventos"), "Montagem de estandes no Pavilhão de Exposições"),
            (None, "Aquisição imediata para atender as necessidades do laboratório do campus"),
            (Some("informatica"), "Aquisição de computadores para os laboratórios de química"),
            (Some("laboratorio"), "Aquisição de reagentes para o laboratório"),
            (None, "Aquisição de fechadura digital biométrica"),
            (Some("ferramentas_construcao"), "Aquisição de fechaduras e cadeados"),
            (Some("vidracaria"), "Aquisição de vidros para o refeitório"),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn of_two_equal_classes_the_first_to_be_named_wins() {
        assert_eq!(code("jardinagem e vigilância"), Some("jardinagem"));
        assert_eq!(code("vigilância e jardinagem"), Some("vigilancia"));
        assert_eq!(code("vigilância, jardinagem e poda"), Some("jardinagem"));
        assert_eq!(code("vigilância, jardinagem, jardinagem"), Some("vigilancia"));
    }

    #[test]
    fn what_it_is_for_counts_half() {
        assert_eq!(code("contratação, para o laboratório, de vidraria e mobiliário"), Some("laboratorio"));
        assert_eq!(code("moveis para laboratório"), Some("mobiliario"));
        assert_eq!(code("armários e cadeiras para laboratório de vidraria e reagentes"), Some("mobiliario"));
    }

    #[test]
    fn spelling_and_punctuation_do_not_matter() {
        assert_eq!(code("AR-CONDICIONADO"), code("ar condicionado"));
        assert_eq!(code("Genero  alimenticio"), code("GÊNEROS ALIMENTÍCIOS"));
    }

    #[test]
    fn each_keyword_alone_gives_its_class() {
        let mut shadowed = Vec::new();
        for keyword in RULES.by_head.values().flatten() {
            let Sense::Class { at, .. } = keyword.sense else { continue };
            let second = keyword.second.as_ref().map_or("", |second| second.text.as_str());
            let text = format!("{} {second}", keyword.first.text);
            if RULES.judge(text.trim()) != Some(at) {
                shadowed.push(text);
            }
        }
        assert!(shadowed.is_empty(), "{shadowed:?}");
    }

    #[test]
    fn codes_labels_and_json_agree() {
        assert!((35..CLASSES_MAX).contains(&Activity::all().count()));
        for activity in Activity::all() {
            assert_eq!(Activity::from_code(activity.code()), Some(activity));
            assert!(!activity.label_pt().is_empty() && !activity.label_en().is_empty());
            let json = serde_json::to_string(&activity).unwrap();
            assert_eq!(json, format!("\"{activity}\""));
            assert_eq!(serde_json::from_str::<Activity>(&json).unwrap(), activity);
        }
        assert!(serde_json::from_str::<Activity>("\"nada\"").is_err());
        assert_eq!(ACTIVITY_VERSION.len(), 16);
    }

    #[test]
    fn a_rule_that_cannot_work_is_refused() {
        assert!(rules(&class("a", &["poda", "generos aliment*"])).is_ok());
        for wrong in [&["um dois tres"][..], &["gas*"], &["Poda"], &["po*da"], &[""], &["poda de"], &["rua de"]] {
            assert!(matches!(rules(&class("a", wrong)), Err(RuleError::Pattern(_))), "{wrong:?}");
        }
        assert!(matches!(rules(&class("a", &["poda", "poda"])), Err(RuleError::Twice(_))));
        let unsorted = class("b", &["poda"]) + &class("a", &["grama"]);
        assert!(matches!(rules(&unsorted), Err(RuleError::Order(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_and_always_alike(text in "\\PC{0,80}") {
            prop_assert_eq!(activity_of_text(&text), activity_of_text(&text));
        }
    }
}
