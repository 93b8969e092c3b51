//! Which format a file is in, judged by its content and never by its name.
//!
//! Portals rename and reorder columns, and two families share half of theirs. So a format is a set of required
//! columns under all names that they have had: the format that is whole and knows most of the header wins. A header
//! that is nearly a known one is an error that names what is missing, not a guess.

use std::io::Read;

use chrono::{NaiveDate, Utc};

use crate::csv_rows::{Cells, Form, Rows, Step};
use crate::encoding::{Encoding, mask_and_clip};
use crate::error::Fault;
use crate::fields::{self, Col, Row, Spec};
use crate::json_formats::{self, JsonFormat};
use crate::json_rows::Layout;
use crate::pncp_control::ControlNumber;
use crate::receita_shape as shape;
use crate::{
    Error, Input, comprasgov_contracts, ifms, portal_compras, portal_despesas, portal_licitacoes, portal_ui,
    sanction_lists, sanctions,
};
use crate::{licitacon, mg_compras, mg_empenhos, recife, sagres, sp_capital};
use crate::{pncp_df, receita};
use model::{Buyer, Record, Supplier};

/// Bytes of a file's beginning on which everything is decided.
const BEGINNING_BYTES: usize = 64 * 1024;
/// Bytes of the first line that an error shows.
const FIRST_LINE_BYTES: usize = 160;

/// The names of all sources.
pub const SOURCES: &[&str] = &[
    "portal-compras",
    "portal-licitacoes",
    "portal-ui",
    "pncp",
    "portal-ceis",
    "portal-cnep",
    "portal-sancoes-lista",
    "portal-despesas",
    "portal-api",
    "comprasgov-v1",
    "contratosgov",
    "ifms",
    "sagres-pb",
    "mg-empenhos",
    "mg-compras",
    "sp-capital",
    "recife",
    "licitacon-rs",
    "pncp-df",
    "receita",
    "ocds",
];

/// A format of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Portal, bulk: contracts.
    PortalCompras,
    /// Portal, bulk: items of contracts.
    PortalItemCompra,
    /// Portal, bulk: amendments.
    PortalTermoAditivo,
    /// Portal, bulk: apostilles.
    PortalApostilamento,
    /// Portal, bulk: tenders.
    PortalLicitacao,
    /// Portal, bulk: items of tenders.
    PortalItemLicitacao,
    /// Portal, bulk: who took part in tenders.
    PortalParticipantes,
    /// Portal, bulk: commitments of tenders.
    PortalEmpenhos,
    /// Portal, export of the page that lists contracts.
    PortalUi,
    /// Portal, bulk: register CEIS.
    PortalCeis,
    /// Portal, bulk: register CNEP.
    PortalCnep,
    /// Portal, list of sanctions as its page shows it.
    PortalSancoesLista,
    /// PNCP: contracts.
    PncpContratos,
    /// PNCP: tenders.
    PncpContratacoes,
    /// PNCP: a page without records.
    PncpEmpty,
    /// Portal, bulk expenses: commitments.
    PortalDespesasEmpenho,
    /// Portal, bulk expenses: settlements.
    PortalDespesasLiquidacao,
    /// Portal, bulk expenses: payments.
    PortalDespesasPagamento,
    /// Portal, REST: contracts.
    PortalApiContratos,
    /// Portal, REST: tenders.
    PortalApiLicitacoes,
    /// Portal, REST: who took part in tenders.
    PortalApiParticipantes,
    /// Portal, REST: register CEIS.
    PortalApiCeis,
    /// Portal, REST: register CNEP.
    PortalApiCnep,
    /// Portal, REST: documents of expense.
    PortalApiDocumentos,
    /// Compras.gov.br, first API: purchases without tender.
    ComprasgovCompras,
    /// Compras.gov.br, first API: tenders.
    ComprasgovLicitacoes,
    /// Compras.gov.br, first API: items of purchases without tender.
    ComprasgovItensCompra,
    /// Compras.gov.br, first API: items of tenders.
    ComprasgovItensLicitacao,
    /// Compras.gov.br, first API: contracts.
    ComprasgovContratos,
    /// Compras.gov.br, first API: export of contracts.
    ComprasgovContratosCsv,
    /// Contratos.gov.br, open data: contracts.
    ContratosgovContratos,
    /// Contratos.gov.br, the system's own API: contracts.
    ContratosgovApi,
    /// Contratos.gov.br: history of contracts.
    ContratosgovHistorico,
    /// Contratos.gov.br: commitments of contracts.
    ContratosgovEmpenhos,
    /// Contratos.gov.br: invoices of contracts.
    ContratosgovFaturas,
    /// Contratos.gov.br: items of contracts.
    ContratosgovItens,
    /// IFMS: purchases.
    IfmsCompras,
    /// IFMS: contracts.
    IfmsContratos,
    /// SAGRES (Paraíba): tenders.
    SagresLicitacoes,
    /// SAGRES (Paraíba): contracts.
    SagresContratos,
    /// SAGRES (Paraíba): amendments.
    SagresAditivos,
    /// SAGRES (Paraíba): commitments.
    SagresEmpenhos,
    /// SAGRES (Paraíba): payments.
    SagresPagamentos,
    /// SAGRES (Paraíba): managing units.
    SagresUnidades,
    /// Minas Gerais: commitments and what was paid on them.
    MgEmpenhos,
    /// Minas Gerais: items bought in the pandemic.
    MgComprasItens,
    /// Minas Gerais: what suppliers won of processes in the pandemic.
    MgComprasResultados,
    /// São Paulo, the city: extracts of contracts.
    SpCapitalContratos,
    /// Recife: contracts.
    RecifeContratos,
    /// LicitaCon (Rio Grande do Sul): tenders.
    LicitaconLicitacoes,
    /// LicitaCon (Rio Grande do Sul): items of tenders.
    LicitaconItens,
    /// LicitaCon (Rio Grande do Sul): what was bid for items.
    LicitaconPropostas,
    /// LicitaCon (Rio Grande do Sul): who took part.
    LicitaconLicitantes,
    /// LicitaCon (Rio Grande do Sul): contracts.
    LicitaconContratos,
    /// LicitaCon (Rio Grande do Sul): items of contracts.
    LicitaconItensContrato,
    /// PNCP: items of a purchase.
    PncpItens,
    /// PNCP: results of items.
    PncpResultados,
    /// PNCP: terms that change a contract.
    PncpTermos,
    /// Study of the Federal District: purchases without bidding.
    PncpDfDispensas,
    /// Study of the Federal District: the companies of those purchases.
    PncpDfEmpresas,
    /// Receita: companies.
    ReceitaEmpresas,
    /// Receita: establishments.
    ReceitaEstabelecimentos,
    /// Receita: partners.
    ReceitaSocios,
    /// Receita: Simples and MEI.
    ReceitaSimples,
    /// Receita: list of activities.
    ReceitaCnaes,
    /// Receita: list of reasons of a status.
    ReceitaMotivos,
    /// Receita: list of municipalities.
    ReceitaMunicipios,
    /// Receita: list of legal natures.
    ReceitaNaturezas,
    /// Receita: list of countries.
    ReceitaPaises,
    /// Receita: list of roles.
    ReceitaQualificacoes,
    /// OCDS: releases.
    OcdsRelease,
    /// OCDS: records.
    OcdsRecord,
    /// OCDS: a package without releases or records.
    OcdsEmpty,
    /// Read by a user's mapping; its code names the table that it fills.
    Mapped(&'static str),
}

impl Format {
    /// The source it belongs to. That of a mapped file is its mapping's to say; here it is `mapped`.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::PortalCompras | Self::PortalItemCompra | Self::PortalTermoAditivo | Self::PortalApostilamento => {
                "portal-compras"
            }
            Self::PortalLicitacao | Self::PortalItemLicitacao | Self::PortalParticipantes | Self::PortalEmpenhos => {
                "portal-licitacoes"
            }
            Self::PortalUi => "portal-ui",
            Self::PortalCeis => "portal-ceis",
            Self::PortalCnep => "portal-cnep",
            Self::PortalSancoesLista => "portal-sancoes-lista",
            Self::PncpContratos | Self::PncpContratacoes | Self::PncpEmpty => "pncp",
            Self::PortalDespesasEmpenho | Self::PortalDespesasLiquidacao | Self::PortalDespesasPagamento => {
                "portal-despesas"
            }
            Self::PortalApiContratos
            | Self::PortalApiLicitacoes
            | Self::PortalApiParticipantes
            | Self::PortalApiCeis
            | Self::PortalApiCnep
            | Self::PortalApiDocumentos => "portal-api",
            Self::ComprasgovCompras
            | Self::ComprasgovLicitacoes
            | Self::ComprasgovItensCompra
            | Self::ComprasgovItensLicitacao
            | Self::ComprasgovContratos
            | Self::ComprasgovContratosCsv => "comprasgov-v1",
            Self::ContratosgovContratos
            | Self::ContratosgovApi
            | Self::ContratosgovHistorico
            | Self::ContratosgovEmpenhos
            | Self::ContratosgovFaturas
            | Self::ContratosgovItens => "contratosgov",
            Self::IfmsCompras | Self::IfmsContratos => "ifms",
            Self::SagresLicitacoes
            | Self::SagresContratos
            | Self::SagresAditivos
            | Self::SagresEmpenhos
            | Self::SagresPagamentos
            | Self::SagresUnidades => "sagres-pb",
            Self::MgEmpenhos => "mg-empenhos",
            Self::MgComprasItens | Self::MgComprasResultados => "mg-compras",
            Self::SpCapitalContratos => "sp-capital",
            Self::RecifeContratos => "recife",
            Self::LicitaconLicitacoes
            | Self::LicitaconItens
            | Self::LicitaconPropostas
            | Self::LicitaconLicitantes
            | Self::LicitaconContratos
            | Self::LicitaconItensContrato => "licitacon-rs",
            Self::PncpItens | Self::PncpResultados | Self::PncpTermos => "pncp",
            Self::PncpDfDispensas | Self::PncpDfEmpresas => "pncp-df",
            Self::ReceitaEmpresas | Self::ReceitaEstabelecimentos | Self::ReceitaSocios | Self::ReceitaSimples => {
                "receita"
            }
            Self::ReceitaCnaes | Self::ReceitaMotivos | Self::ReceitaMunicipios => "receita",
            Self::ReceitaNaturezas | Self::ReceitaPaises | Self::ReceitaQualificacoes => "receita",
            Self::OcdsRelease | Self::OcdsRecord | Self::OcdsEmpty => "ocds",
            Self::Mapped(_) => "mapped",
        }
    }

    /// Its code in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PortalCompras => "portal-compras/compras",
            Self::PortalItemCompra => "portal-compras/item-compra",
            Self::PortalTermoAditivo => "portal-compras/termo-aditivo",
            Self::PortalApostilamento => "portal-compras/apostilamento",
            Self::PortalLicitacao => "portal-licitacoes/licitacao",
            Self::PortalItemLicitacao => "portal-licitacoes/item-licitacao",
            Self::PortalParticipantes => "portal-licitacoes/participantes",
            Self::PortalEmpenhos => "portal-licitacoes/empenhos",
            Self::PortalUi => "portal-ui/contratos",
            Self::PortalCeis => "portal-ceis/ceis",
            Self::PortalCnep => "portal-cnep/cnep",
            Self::PortalSancoesLista => "portal-sancoes-lista/lista",
            Self::PncpContratos => "pncp/contratos",
            Self::PncpContratacoes => "pncp/contratacoes",
            Self::PncpEmpty => "pncp/empty",
            Self::PortalDespesasEmpenho => "portal-despesas/empenho",
            Self::PortalDespesasLiquidacao => "portal-despesas/liquidacao",
            Self::PortalDespesasPagamento => "portal-despesas/pagamento",
            Self::PortalApiContratos => "portal-api/contratos",
            Self::PortalApiLicitacoes => "portal-api/licitacoes",
            Self::PortalApiParticipantes => "portal-api/participantes",
            Self::PortalApiCeis => "portal-api/ceis",
            Self::PortalApiCnep => "portal-api/cnep",
            Self::PortalApiDocumentos => "portal-api/documentos",
            Self::ComprasgovCompras => "comprasgov-v1/compras",
            Self::ComprasgovLicitacoes => "comprasgov-v1/licitacoes",
            Self::ComprasgovItensCompra => "comprasgov-v1/itens-compra",
            Self::ComprasgovItensLicitacao => "comprasgov-v1/itens-licitacao",
            Self::ComprasgovContratos => "comprasgov-v1/contratos",
            Self::ComprasgovContratosCsv => "comprasgov-v1/contratos-csv",
            Self::ContratosgovContratos => "contratosgov/contratos",
            Self::ContratosgovApi => "contratosgov/api-contratos",
            Self::ContratosgovHistorico => "contratosgov/historico",
            Self::ContratosgovEmpenhos => "contratosgov/empenhos",
            Self::ContratosgovFaturas => "contratosgov/faturas",
            Self::ContratosgovItens => "contratosgov/itens",
            Self::IfmsCompras => "ifms/compras",
            Self::IfmsContratos => "ifms/contratos",
            Self::SagresLicitacoes => "sagres-pb/licitacoes",
            Self::SagresContratos => "sagres-pb/contratos",
            Self::SagresAditivos => "sagres-pb/aditivos",
            Self::SagresEmpenhos => "sagres-pb/empenhos",
            Self::SagresPagamentos => "sagres-pb/pagamentos",
            Self::SagresUnidades => "sagres-pb/unidades",
            Self::MgEmpenhos => "mg-empenhos/empenhos",
            Self::MgComprasItens => "mg-compras/itens",
            Self::MgComprasResultados => "mg-compras/resultados",
            Self::SpCapitalContratos => "sp-capital/contratos",
            Self::RecifeContratos => "recife/contratos",
            Self::LicitaconLicitacoes => "licitacon-rs/licitacoes",
            Self::LicitaconItens => "licitacon-rs/itens",
            Self::LicitaconPropostas => "licitacon-rs/propostas",
            Self::LicitaconLicitantes => "licitacon-rs/licitantes",
            Self::LicitaconContratos => "licitacon-rs/contratos",
            Self::LicitaconItensContrato => "licitacon-rs/itens-contrato",
            Self::PncpItens => "pncp/itens",
            Self::PncpResultados => "pncp/resultados",
            Self::PncpTermos => "pncp/termos",
            Self::PncpDfDispensas => "pncp-df/dispensas",
            Self::PncpDfEmpresas => "pncp-df/empresas",
            Self::ReceitaEmpresas => "receita/empresas",
            Self::ReceitaEstabelecimentos => "receita/estabelecimentos",
            Self::ReceitaSocios => "receita/socios",
            Self::ReceitaSimples => "receita/simples",
            Self::ReceitaCnaes => "receita/cnaes",
            Self::ReceitaMotivos => "receita/motivos",
            Self::ReceitaMunicipios => "receita/municipios",
            Self::ReceitaNaturezas => "receita/naturezas",
            Self::ReceitaPaises => "receita/paises",
            Self::ReceitaQualificacoes => "receita/qualificacoes",
            Self::OcdsRelease => "ocds/release",
            Self::OcdsRecord => "ocds/record",
            Self::OcdsEmpty => "ocds/empty",
            Self::Mapped(code) => code,
        }
    }
}

/// What a mapper makes of one row.
pub(crate) struct Draft {
    pub id: String,
    pub record: Record,
    pub buyer: Option<(String, Buyer)>,
    pub supplier: Option<(String, Supplier)>,
    /// When the source says it last changed the record (ISO 8601, as written).
    pub updated_at: Option<String>,
    /// What is not mapped, as a JSON object; the reader of CSV rows finds it out by itself where this is `None`.
    pub metadata: Option<String>,
    /// The row states only part of its records; see [`model::Sourced::partial`].
    pub partial: bool,
    /// What else the row states.
    pub more: Vec<Stated>,
}

/// Something that a row states beside its first record.
#[allow(dead_code, clippy::large_enum_variant, reason = "it stands in a list that most rows leave empty")]
pub(crate) enum Stated {
    /// Another record with its id; its hash is taken from its own values.
    Record(String, Record),
    Buyer(String, Buyer),
    Supplier(String, Supplier),
    /// A record that stands whole inside the row, with parties, date and leftovers of its own.
    Inner(Box<Draft>),
}

impl Draft {
    /// One record and nothing else.
    pub(crate) fn of(id: String, record: Record) -> Self {
        Self {
            id,
            record,
            buyer: None,
            supplier: None,
            updated_at: None,
            metadata: None,
            partial: false,
            more: Vec::new(),
        }
    }
}

/// Maps rows of one CSV format.
pub(crate) trait Mapper {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault>;
}

/// What a mapper may know of its file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub source: &'static str,
    pub separator: u8,
    /// The first day of the month in a name such as `202401_Compras.csv`.
    pub file_month: Option<NaiveDate>,
    /// The day in a name such as `20251231_CEIS.csv`: the day of which the list speaks.
    pub file_day: Option<NaiveDate>,
    /// The day in a name such as `K3241.K03200Y0.D40914.EMPRECSV`: the day of which the register speaks.
    pub release_day: Option<NaiveDate>,
    /// The number of PNCP that the file's name or folder states, for records that do not say of what they are.
    pub control: Option<ControlNumber>,
}

impl Place {
    pub(crate) fn of(input: &Input, source: &'static str, separator: u8) -> Self {
        let file = input.file_name();
        Self {
            source,
            separator,
            file_month: month_of(file),
            file_day: day_of(file),
            release_day: shape::release_day(file, Utc::now().with_timezone(&model::dates::brasilia()).date_naive()),
            control: ControlNumber::in_path(&input.name),
        }
    }
}

/// A CSV format that we know.
pub(crate) struct Known {
    pub format: Format,
    spec: &'static [Spec],
    /// Columns that this format needs though the layout it shares does not.
    also_required: &'static [&'static str],
    /// Columns that show a file of another format: a list of bodies has no numbers of contracts.
    barred: &'static [&'static str],
    pub form: Form,
    pub build: fn(&[Col], Place) -> Box<dyn Mapper>,
}

macro_rules! known {
    ($format:ident, $layout:ty, $mapper:path $(, needs $($also:literal),+)?) => {
        known!($format, $layout, $mapper, form Form::USUAL $(, needs $($also),+)?)
    };
    ($format:ident, $layout:ty, $mapper:path, unless $($barred:literal),+) => {
        Known { barred: &[$($barred),+], ..known!($format, $layout, $mapper) }
    };
    ($format:ident, $layout:ty, $mapper:path, form $form:expr $(, needs $($also:literal),+)?) => {
        Known {
            format: Format::$format,
            spec: <$layout as fields::Layout>::SPEC,
            also_required: &[$($($also),+)?],
            barred: &[],
            form: $form,
            build: |slots, place| Box::new($mapper(<$layout as fields::Layout>::bind(slots), place)),
        }
    };
}

const KNOWN: &[Known] = &[
    known!(PortalCompras, portal_compras::Contracts, portal_compras::MapContracts::new),
    known!(PortalItemCompra, portal_compras::Items, portal_compras::MapItems::new),
    known!(PortalTermoAditivo, portal_compras::Amendments, portal_compras::MapAmendments::amendments),
    known!(PortalApostilamento, portal_compras::Apostilles, portal_compras::MapAmendments::apostilles),
    known!(PortalLicitacao, portal_licitacoes::Tenders, portal_licitacoes::MapTenders::new),
    known!(PortalItemLicitacao, portal_licitacoes::Items, portal_licitacoes::MapItems::new),
    known!(PortalParticipantes, portal_licitacoes::Bids, portal_licitacoes::MapBids::new),
    known!(PortalEmpenhos, portal_licitacoes::Commitments, portal_licitacoes::MapCommitments::new),
    known!(PortalUi, portal_ui::Contracts, portal_ui::MapContracts::new),
    known!(PortalCeis, sanctions::Register, sanctions::MapRegister::new),
    known!(PortalCnep, sanctions::Register, sanctions::MapRegister::new, needs "valor da multa"),
    known!(PortalSancoesLista, sanction_lists::List, sanction_lists::MapList::new),
    known!(PortalDespesasEmpenho, portal_despesas::Commitments, portal_despesas::MapExpenses::commitments),
    known!(PortalDespesasLiquidacao, portal_despesas::Settlements, portal_despesas::MapExpenses::settlements),
    known!(PortalDespesasPagamento, portal_despesas::Payments, portal_despesas::MapExpenses::payments),
    known!(ComprasgovContratosCsv, comprasgov_contracts::Contracts, comprasgov_contracts::MapContracts::new),
    known!(IfmsCompras, ifms::Purchases, ifms::MapPurchases::new),
    known!(IfmsContratos, ifms::Contracts, ifms::MapContracts::new),
    known!(SagresLicitacoes, sagres::Tenders, sagres::MapTenders::new),
    known!(SagresContratos, sagres::Contracts, sagres::MapContracts::new),
    known!(SagresAditivos, sagres::Amendments, sagres::MapAmendments::new),
    known!(SagresEmpenhos, sagres::Commitments, sagres::MapCommitments::new),
    known!(SagresPagamentos, sagres::Payments, sagres::MapPayments::new),
    known!(
        SagresUnidades,
        sagres::Units,
        sagres::MapUnits::new,
        unless "nu licitacao",
        "nu contrato",
        "nu empenho",
        "nu aditivo",
        "nu cpfcnpj"
    ),
    known!(MgEmpenhos, mg_empenhos::Commitments, mg_empenhos::MapCommitments::new),
    known!(MgComprasItens, mg_compras::Items, mg_compras::MapItems::new),
    known!(MgComprasResultados, mg_compras::Awards, mg_compras::MapAwards::new),
    known!(SpCapitalContratos, sp_capital::Extracts, sp_capital::MapExtracts::new, form sp_capital::FORM),
    known!(RecifeContratos, recife::Contracts, recife::MapContracts::new),
    known!(LicitaconLicitacoes, licitacon::Tenders, licitacon::MapTenders::new),
    known!(LicitaconItens, licitacon::TenderItems, licitacon::MapTenderItems::new),
    known!(LicitaconPropostas, licitacon::Bids, licitacon::MapBids::new),
    known!(LicitaconLicitantes, licitacon::Bidders, licitacon::MapBidders::new),
    known!(LicitaconContratos, licitacon::Contracts, licitacon::MapContracts::new),
    known!(LicitaconItensContrato, licitacon::ContractItems, licitacon::MapContractItems::new),
    known!(PncpDfEmpresas, pncp_df::Awards, pncp_df::MapAwards::new),
];

/// A CSV format whose files have no header.
struct Headerless {
    known: Known,
    /// What the columns are called, in the order of the file.
    names: &'static [&'static str],
    /// Whether a row of a file of that name is in this format.
    is: fn(&str, Cells<'_>) -> bool,
}

macro_rules! headerless {
    ($format:ident, $layout:ty, $mapper:path, $names:path, $is:path) => {
        Headerless { known: known!($format, $layout, $mapper), names: $names, is: $is }
    };
}

#[rustfmt::skip]
const HEADERLESS: &[Headerless] = &[
    headerless!(ReceitaEmpresas, receita::Companies, receita::MapCompanies::new, shape::COMPANIES, shape::is_company),
    headerless!(ReceitaEstabelecimentos, receita::Establishments, receita::MapEstablishments::new, shape::ESTABLISHMENTS, shape::is_establishment),
    headerless!(ReceitaSocios, receita::Partners, receita::MapPartners::new, shape::PARTNERS, shape::is_partner),
    headerless!(ReceitaSimples, receita::Simples, receita::MapSimples::new, shape::SIMPLES, shape::is_simples),
    headerless!(ReceitaCnaes, receita::Terms, receita::MapTerms::activities, shape::TERMS, shape::is_activity),
    headerless!(ReceitaMotivos, receita::Terms, receita::MapTerms::reasons, shape::TERMS, shape::is_reason),
    headerless!(ReceitaMunicipios, receita::Terms, receita::MapTerms::municipalities, shape::TERMS, shape::is_municipality),
    headerless!(ReceitaNaturezas, receita::Terms, receita::MapTerms::natures, shape::TERMS, shape::is_nature),
    headerless!(ReceitaPaises, receita::Terms, receita::MapTerms::countries, shape::TERMS, shape::is_country),
    headerless!(ReceitaQualificacoes, receita::Terms, receita::MapTerms::roles, shape::TERMS, shape::is_role),
];

/// Rows on which a file without a header is judged.
const JUDGED_ROWS_MAX: usize = 16;

impl Headerless {
    /// Whether the first row is of this format, and three of four of those behind it.
    fn fits(&self, file_name: &str, beginning: &[u8], encoding: Encoding) -> bool {
        let mut rows = Rows::new(beginning, b';', encoding);
        let (mut judged, mut fitting) = (0, 0);
        while judged < JUDGED_ROWS_MAX {
            let fits = match rows.step() {
                Ok(Step::Row) => (self.is)(file_name, rows.cells()),
                Ok(Step::Bad(_)) => false,
                Ok(Step::End) | Err(_) => break,
            };
            if judged == 0 && !fits {
                return false;
            }
            judged += 1;
            fitting += usize::from(fits);
        }
        fitting * 4 >= judged * 3 && judged > 0
    }
}

fn sniff_headerless(input: &Input, beginning: &[u8], encoding: Encoding) -> Option<Shape> {
    let found = HEADERLESS.iter().find(|known| known.fits(input.file_name(), beginning, encoding))?;
    let header = fields::Header::named(found.names);
    let place = Place::of(input, found.known.format.source(), b';');
    Some(Shape::Csv { known: &found.known, header, place, encoding, header_rows: 0 })
}

impl Known {
    fn required(&self) -> impl Iterator<Item = &'static [&'static str]> + '_ {
        let shared = self.spec.iter().filter(|s| s.required).map(|s| s.names);
        shared.chain(self.also_required.iter().map(std::slice::from_ref))
    }

    fn missing(&self, header: &fields::Header) -> Vec<String> {
        let stands = |names: &[&str]| names.iter().any(|name| header.normal.iter().any(|n| n == name));
        self.required().filter(|names| !stands(names)).map(|names| names[0].to_uppercase()).collect()
    }

    fn bound(&self, header: &fields::Header) -> usize {
        self.slots(header).iter().filter(|c| c.0.is_some()).count() + self.also_required.len()
    }

    pub(crate) fn slots(&self, header: &fields::Header) -> Vec<Col> {
        header.slots(self.spec)
    }
}

/// All that was found out about a file before its rows are read.
pub(crate) enum Shape {
    Csv {
        known: &'static Known,
        header: fields::Header,
        place: Place,
        encoding: Encoding,
        /// Rows before the first of the data.
        header_rows: usize,
    },
    Json {
        known: &'static JsonFormat,
        layout: Layout,
        place: Place,
    },
}

impl Shape {
    pub(crate) fn format(&self) -> Format {
        match self {
            Self::Csv { known, .. } => known.format,
            Self::Json { known, .. } => known.format,
        }
    }

    /// The header as a line of text; empty where the file has none.
    pub(crate) fn head(&self) -> String {
        match self {
            Self::Csv { header, place, header_rows: 1.., .. } => header.written(place.separator),
            Self::Csv { .. } | Self::Json { .. } => String::new(),
        }
    }

    pub(crate) fn encoding(&self) -> Encoding {
        match self {
            Self::Csv { encoding, .. } => *encoding,
            Self::Json { .. } => Encoding::Utf8,
        }
    }
}

/// The shape of a file in a CSV format that was found out before, under the header that it had then.
pub(crate) fn shape_of(input: &Input, format: &str, head: &str) -> Result<Shape, Error> {
    let encoding = Encoding::Utf8;
    if let Some(found) = HEADERLESS.iter().find(|headerless| headerless.known.format.code() == format) {
        let place = Place::of(input, found.known.format.source(), b';');
        let header = fields::Header::named(found.names);
        return Ok(Shape::Csv { known: &found.known, header, place, encoding, header_rows: 0 });
    }
    let known = KNOWN.iter().find(|known| known.format.code() == format);
    let (known, (header, separator)) =
        known.zip(read_header(head.as_bytes(), encoding)).ok_or_else(|| unknown(input, head.as_bytes(), encoding))?;
    let place = Place::of(input, known.format.source(), separator);
    Ok(Shape::Csv { known, header, place, encoding, header_rows: 1 })
}

/// Finds out the format of an input.
pub(crate) fn sniff(input: &Input, hint: Option<&str>) -> Result<Shape, Error> {
    if let Some(hint) = hint
        && !SOURCES.contains(&hint)
    {
        return Err(Error::UnknownSource { hint: hint.to_owned(), known: SOURCES.join(", ") });
    }
    let (text, encoding) = read_beginning(input)?;
    if text.trim_ascii_start().starts_with(b"{") || text.trim_ascii_start().starts_with(b"[") {
        let found = json_formats::sniff(input, hint)?;
        let (known, layout) = found.ok_or_else(|| unknown(input, &text, encoding))?;
        check_hint(input, hint, known.format.source())?;
        return Ok(Shape::Json { known, layout, place: Place::of(input, known.format.source(), b',') });
    }
    if let Some(shape) = sniff_headerless(input, &text, encoding) {
        check_hint(input, hint, shape.format().source())?;
        return Ok(shape);
    }
    sniff_csv(input, hint, &text, encoding)
}

/// The first bytes of a text, without a mark, and its encoding as they tell it.
pub(crate) fn read_beginning(input: &Input) -> Result<(Vec<u8>, Encoding), Error> {
    let mut beginning = input.with_bytes(|bytes| {
        let mut beginning = Vec::with_capacity(BEGINNING_BYTES);
        let read = bytes.take(BEGINNING_BYTES as u64).read_to_end(&mut beginning);
        read.map(|_| beginning).map_err(|cause| Error::io(&input.name, cause))
    })?;
    if beginning.starts_with(b"\xFF\xFE") || beginning.starts_with(b"\xFE\xFF") {
        // Two such bytes also begin what is no text at all.
        return Err(if is_utf16(&beginning) {
            Error::Utf16 { name: input.name.clone() }
        } else {
            unknown(input, &beginning, Encoding::Cp1252)
        });
    }
    let whole = beginning.len() < BEGINNING_BYTES;
    let encoding = Encoding::of_beginning(&beginning, whole);
    if beginning.starts_with(crate::encoding::BOM) {
        beginning.drain(..crate::encoding::BOM.len());
    }
    if beginning.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::Empty { name: input.name.clone() });
    }
    Ok((beginning, encoding))
}

/// Whether most letters behind the mark are ASCII, as they are in any text of ours.
fn is_utf16(beginning: &[u8]) -> bool {
    let blanks = beginning[2..].iter().filter(|b| **b == 0).count();
    blanks * 3 >= beginning.len()
}

fn check_hint(input: &Input, hint: Option<&str>, found: &str) -> Result<(), Error> {
    match hint {
        Some(hint) if hint != found => {
            Err(Error::WrongSource { name: input.name.clone(), hint: hint.to_owned(), found: found.to_owned() })
        }
        _ => Ok(()),
    }
}

fn sniff_csv(input: &Input, hint: Option<&str>, beginning: &[u8], encoding: Encoding) -> Result<Shape, Error> {
    let Some((header, separator)) = read_header(beginning, encoding) else {
        return Err(unknown(input, beginning, encoding));
    };
    let barred = |k: &Known| k.barred.iter().any(|name| header.normal.iter().any(|n| n == name));
    let allowed = || KNOWN.iter().filter(|k| hint.is_none_or(|h| h == k.format.source()) && !barred(k));
    // The last of equals would win with max_by_key; the catalogue's order is the order of preference.
    let whole = allowed().filter(|k| k.missing(&header).is_empty()).rev().max_by_key(|k| k.bound(&header));
    if let Some(known) = whole {
        let place = Place::of(input, known.format.source(), separator);
        return Ok(Shape::Csv { known, header, place, encoding, header_rows: 1 });
    }
    let near = allowed()
        .map(|k| (k, k.missing(&header), k.required().count()))
        .filter(|(_, missing, required)| (required - missing.len()) * 10 >= required * 7)
        .min_by_key(|(_, missing, required)| missing.len() * 1000 / required);
    if let Some((known, missing, _)) = near {
        return Err(Error::HeaderChanged { name: input.name.clone(), format: known.format.code(), missing });
    }
    match hint {
        Some(hint) => {
            let found = sniff_csv(input, None, beginning, encoding)
                .map_or_else(|_| "nothing that we know".to_owned(), |shape| shape.format().source().to_owned());
            Err(Error::WrongSource { name: input.name.clone(), hint: hint.to_owned(), found })
        }
        None => Err(unknown(input, beginning, encoding)),
    }
}

/// The header and the separator that splits it into most columns.
fn read_header(beginning: &[u8], encoding: Encoding) -> Option<(fields::Header, u8)> {
    let split_by = |separator: u8| {
        let mut rows = Rows::new(beginning, separator, encoding);
        match rows.step() {
            Ok(Step::Row) => Some((fields::Header::of(rows.cells()), separator)),
            _ => None,
        }
    };
    let found = separators().into_iter().filter_map(split_by).max_by_key(|(h, _)| h.names.len())?;
    (found.0.names.len() > 1).then_some(found)
}

/// What may separate columns; of those that split a header into as many, the last is it.
pub(crate) const fn separators() -> [u8; 4] {
    [b'|', b',', b'\t', b';']
}

fn month_of(file_name: &str) -> Option<NaiveDate> {
    let digits = file_name.get(..7)?.strip_suffix('_')?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    NaiveDate::from_ymd_opt(digits[..4].parse().ok()?, digits[4..].parse().ok()?, 1)
        .filter(|day| model::dates::parse_iso(&day.to_string()).is_ok())
}

fn day_of(file_name: &str) -> Option<NaiveDate> {
    let digits = file_name.get(..9)?.strip_suffix('_')?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let day = format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]);
    model::dates::parse_iso(&day).ok()
}

fn unknown(input: &Input, beginning: &[u8], encoding: Encoding) -> Error {
    let start = beginning.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or_default();
    let line = beginning[start..].split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
    let near = &line[..line.len().min(FIRST_LINE_BYTES * 4)];
    let shown: String = encoding.decode_lossy(near).chars().map(|c| if c.is_control() { '.' } else { c }).collect();
    Error::UnknownFormat {
        name: input.name.clone(),
        first_line: mask_and_clip(&shown, FIRST_LINE_BYTES),
        known: SOURCES.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_of_a_bulk_file_is_read_from_its_name() {
        assert_eq!(month_of("202401_Compras.csv"), NaiveDate::from_ymd_opt(2024, 1, 1));
        for name in ["202413_Compras.csv", "Compras.csv", "20240_x", "999901_x", ""] {
            assert_eq!(month_of(name), None, "{name}");
        }
    }

    #[test]
    fn every_format_is_of_a_listed_source_and_names_each_column_once() {
        for known in KNOWN.iter().chain(HEADERLESS.iter().map(|h| &h.known)) {
            assert!(SOURCES.contains(&known.format.source()));
            let mut names: Vec<_> = known.spec.iter().flat_map(|s| s.names).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{}", known.format.code());
        }
    }
}
