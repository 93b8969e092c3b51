//! Who there is: the agents that do real work here, what each can be asked to do, and what its word rests on.
//!
//! Flags say whose they are, so an agent that judges is in the roster when a flag of the catalogue is its own; one of whom there is no
//! flag and no tool is not in it.

use serde::{Deserialize, Serialize};

/// Words in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are the languages'")]
pub struct Words {
    pub pt: &'static str,
    pub en: &'static str,
}

const fn words(pt: &'static str, en: &'static str) -> Words {
    Words { pt, en }
}

/// What an agent can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A question becomes filters.
    ReadScope,
    /// Filters become steps.
    Plan,
    /// What is not held is asked of its source.
    Fetch,
    /// Flags are judged within the scope.
    Judge,
    /// What was found and concluded before of the same subjects.
    Recall,
    /// What came out is put into words.
    Write,
}

impl Action {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadScope => "read_scope",
            Self::Plan => "plan",
            Self::Fetch => "fetch",
            Self::Judge => "judge",
            Self::Recall => "recall",
            Self::Write => "write",
        }
    }

    /// What it is given, by name.
    #[must_use]
    pub fn takes(self) -> &'static [&'static str] {
        match self {
            Self::ReadScope => &["question"],
            Self::Plan => &["scope", "flags", "as_of", "known_at", "run"],
            Self::Fetch => &["from", "to", "deadline"],
            Self::Judge => &["scope", "flags", "contracts", "as_of", "known_at"],
            Self::Recall | Self::Write => &["investigation"],
        }
    }

    /// What it gives, by name.
    #[must_use]
    pub fn gives(self) -> &'static [&'static str] {
        match self {
            Self::ReadScope => &["scope", "flags", "understood", "not_understood"],
            Self::Plan => &["steps", "notes"],
            Self::Fetch => &["windows", "rows", "failed"],
            Self::Judge => &["findings", "outcome"],
            Self::Recall => &["investigations", "verdicts", "statements"],
            Self::Write => &["summary"],
        }
    }
}

/// An agent as it is described.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// Its name in addresses and metrics, such as `obaluaie`.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub does: Words,
    /// What it can be asked to do.
    #[serde(serialize_with = "as_cards")]
    pub actions: &'static [Action],
    /// The flags that it judges.
    pub flags: Vec<String>,
    /// What its word rests on.
    pub evidence: Words,
    /// Its work is done by instances out of a pool of its own.
    pub pooled: bool,
}

fn as_cards<S: serde::Serializer>(actions: &&'static [Action], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Card {
        name: &'static str,
        takes: &'static [&'static str],
        gives: &'static [&'static str],
    }
    to.collect_seq(actions.iter().map(|a| Card { name: a.name(), takes: a.takes(), gives: a.gives() }))
}

/// What a judging agent's word rests on.
const OF_FLAGS: Words = words(
    "Cada achado traz fórmula, parâmetros, as linhas das fontes com arquivo e hash, a base legal na data e o que o explicaria sem irregularidade.",
    "Each finding carries its formula, its parameters, the source rows with file and hash, the law as in force then, and what would explain it innocently.",
);

/// Everyone whom the design knows by a tool or by flags; those without any are left out by [`Roster::of`].
fn everyone() -> Vec<Agent> {
    let tool = |key, name, does, actions, evidence| Agent {
        key,
        name,
        does,
        actions,
        flags: Vec::new(),
        evidence,
        pooled: key != "ayrton_senna",
    };
    let judge = |key, name, does| tool(key, name, does, &[Action::Judge] as &[Action], OF_FLAGS);
    vec![
        tool(
            "ayrton_senna",
            "Ayrton Senna",
            words(
                "Lê a pergunta e a transforma em filtros e sinais.",
                "Reads the question and makes it filters and flags.",
            ),
            &[Action::ReadScope],
            words(
                "Diz que palavras viraram que filtro e quais não foram entendidas.",
                "Says which words became which filter, and which were not understood.",
            ),
        ),
        tool(
            "abaporu",
            "Abaporu",
            words(
                "Planeja a investigação e reúne os resultados.",
                "Plans the investigation and brings its results together.",
            ),
            &[Action::Plan],
            words("O plano, passo a passo, antes e durante.", "The plan, step by step, before and while it runs."),
        ),
        tool(
            "oxossi",
            "Oxóssi",
            words(
                "Busca nas fontes públicas o que falta ao período perguntado.",
                "Fetches from public sources what is missing of the days asked about.",
            ),
            &[Action::Fetch],
            words(
                "Cada página como veio, com endereço, hora e hash; o que a fonte não deu é dito.",
                "Each page as it came, with address, time and hash; what the source did not give is said.",
            ),
        ),
        judge("zumbi", "Zumbi", words("Preços, duplicatas e dígitos.", "Prices, duplicates and digits.")),
        judge("anita", "Anita", words("Concentração e tempo.", "Concentration and timing.")),
        judge("lampiao", "Lampião", words("Comparações regionais.", "Regional comparisons.")),
        judge("bonifacio", "Bonifácio", words("Lei e limites.", "Law and limits.")),
        judge("obaluaie", "Obaluaiê", words("Redes, sanções e cartéis.", "Networks, sanctions and cartels.")),
        judge("machado", "Machado", words("Textos.", "Texts.")),
        judge("ceuci", "Céuci", words("Séries e previsões.", "Series and forecasts.")),
        tool(
            "nana",
            "Nanã",
            words(
                "Lembra investigações, veredictos e manifestações anteriores sobre os mesmos sujeitos.",
                "Recalls earlier investigations, verdicts and statements about the same subjects.",
            ),
            &[Action::Recall],
            words("Os ids do que lembra, com data e autor.", "The ids of what it recalls, with day and author."),
        ),
        tool(
            "tiradentes",
            "Tiradentes",
            words("Escreve o que se apurou.", "Writes what came out."),
            &[Action::Write],
            words(
                "Só números que estão nos achados; o que não foi verificado é dito.",
                "Only figures that stand in the findings; what was not checked is said.",
            ),
        ),
    ]
}

/// The name of an agent by its key, whether or not it has work here.
#[must_use]
pub fn name_of(key: &str) -> Option<&'static str> {
    everyone().into_iter().find(|agent| agent.key == key).map(|agent| agent.name)
}

/// The agents of a catalogue.
#[derive(Debug, Clone)]
pub struct Roster {
    agents: Vec<Agent>,
}

impl Roster {
    /// Those who do real work when these are the flags: code, and the agent that each says to be of.
    pub fn of<'a>(flags: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut agents = everyone();
        for (code, name) in flags {
            if let Some(agent) = agents.iter_mut().find(|agent| agent.name == name) {
                agent.flags.push(code.to_owned());
            }
        }
        agents.retain(|agent| agent.actions != [Action::Judge] || !agent.flags.is_empty());
        Self { agents }
    }

    /// All of them.
    #[must_use]
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// The one of this key, or name; accents and case do not matter.
    #[must_use]
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        let asked = model::text::fold(name);
        self.agents.iter().find(|agent| agent.key == name || model::text::fold(agent.name) == asked)
    }

    /// Whose flag it is.
    #[must_use]
    pub fn of_flag(&self, code: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.flags.iter().any(|flag| flag == code))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_flags_and_no_tool_is_not_there() {
        let roster = Roster::of([("BR01", "Obaluaiê"), ("BR05", "Zumbi"), ("BR15", "Obaluaiê")].into_iter());
        assert!(roster.agent("lampiao").is_none() && roster.agent("drummond").is_none());
        assert_eq!(roster.agent("OBALUAIÊ").unwrap().flags, ["BR01", "BR15"]);
        assert_eq!(roster.of_flag("BR05").unwrap().key, "zumbi");
        assert!(roster.agent("nana").is_some());
    }
}
