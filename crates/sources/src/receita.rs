//! Receita Federal, the register of companies in bulk: companies, establishments, partners and Simples.
//!
//! The files have no header; [`crate::receita_shape`] tells them apart. A file speaks of the day in its name
//! (`K3241.K03200Y0.D40914.EMPRECSV`: 14 September 2024), so the newest publication wins whatever the order of files.
//! Addresses, telephones and e-mails are kept as hashes only, to be compared and never shown.

use model::{Cnpj, MaskedCpf, Partner, Record, Registration, Term};

use crate::contact::{address_key, email_key, phone_keys};
use crate::detect::{Draft, Mapper, Place};
use crate::error::{Fault, Reason};
use crate::fields::{Col, Row, columns};
use crate::receita_shape::{is_order, is_root};

columns! {
    /// `EMPRECSV`.
    Companies {
        root required ["cnpj basico"],
        name required ["razao social"],
        legal_nature required ["natureza juridica"],
        capital required ["capital social"],
        size required ["porte"],
    }
}

columns! {
    /// `ESTABELE`.
    Establishments {
        root required ["cnpj basico"],
        order required ["cnpj ordem"],
        check_digits required ["cnpj dv"],
        head_office required ["matriz ou filial"],
        trade_name required ["nome fantasia"],
        status required ["situacao cadastral"],
        status_on required ["data da situacao cadastral"],
        status_reason required ["motivo da situacao cadastral"],
        opened_on required ["data de inicio da atividade"],
        main_activity required ["cnae principal"],
        other_activities required ["cnae secundaria"],
        street_kind required ["tipo de logradouro"],
        street required ["logradouro"],
        street_number required ["numero"],
        complement required ["complemento"],
        postal_code required ["cep"],
        state required ["uf"],
        municipality required ["municipio"],
        area_1 required ["ddd 1"],
        phone_1 required ["telefone 1"],
        area_2 required ["ddd 2"],
        phone_2 required ["telefone 2"],
        area_fax required ["ddd do fax"],
        fax required ["fax"],
        email required ["correio eletronico"],
    }
}

columns! {
    /// `SOCIOCSV`.
    Partners {
        root required ["cnpj basico"],
        kind required ["identificador de socio"],
        name required ["nome do socio"],
        number required ["cnpj ou cpf do socio"],
        role required ["qualificacao do socio"],
        since_on required ["data de entrada na sociedade"],
        age_band required ["faixa etaria"],
    }
}

columns! {
    /// `SIMPLES.CSV`.
    Simples {
        root required ["cnpj basico"],
        simples_from required ["data de opcao pelo simples"],
        simples_until required ["data de exclusao do simples"],
        mei_from required ["data de opcao pelo mei"],
        mei_until required ["data de exclusao do mei"],
    }
}

columns! {
    /// `CNAECSV`, `MUNICCSV` and the other lists of codes.
    Terms {
        code required ["codigo"],
        meaning required ["descricao"],
    }
}

/// The day that the file speaks of, as its records' date.
fn dated(place: Place) -> Option<String> {
    place.release_day.map(|day| day.to_string())
}

fn root_of(row: &Row<'_>, col: Col) -> Result<String, Fault> {
    let root = row.code(col);
    if is_root(root) {
        return Ok(root.to_owned());
    }
    Err(Fault::at(row.name(col), Reason::RequiredField, "not the eight characters of a CNPJ's root"))
}

fn registered(id: String, record: Registration, updated_at: Option<&String>) -> Draft {
    Draft { updated_at: updated_at.cloned(), ..Draft::of(id, Record::Registration(record)) }
}

/// Maps companies.
pub(crate) struct MapCompanies {
    columns: Companies,
    updated_at: Option<String>,
}

impl MapCompanies {
    pub(crate) fn new(columns: Companies, place: Place) -> Self {
        Self { columns, updated_at: dated(place) }
    }
}

impl Mapper for MapCompanies {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let root = root_of(row, c.root)?;
        let (size, known) = size_of(row.code(c.size));
        if !known {
            row.leave_in_metadata(c.size);
        }
        let id = format!("receita:company:{root}");
        let company = Registration {
            scope: "company",
            cnpj_root: root,
            name: row.text(c.name),
            legal_nature: row.text(c.legal_nature),
            size,
            capital: row.amount(c.capital)?,
            ..Registration::default()
        };
        Ok(registered(id, company, self.updated_at.as_ref()))
    }
}

/// The size, and whether the code is a known one (`00` is "not stated").
fn size_of(code: &str) -> (Option<&'static str>, bool) {
    match code {
        "01" => (Some("ME"), true),
        "03" => (Some("EPP"), true),
        "05" => (Some("other"), true),
        "" | "00" => (None, true),
        _ => (None, false),
    }
}

/// Maps establishments.
pub(crate) struct MapEstablishments {
    columns: Establishments,
    updated_at: Option<String>,
}

impl MapEstablishments {
    pub(crate) fn new(columns: Establishments, place: Place) -> Self {
        Self { columns, updated_at: dated(place) }
    }

    fn cnpj(&self, row: &Row<'_>) -> Result<Cnpj, Fault> {
        let c = &self.columns;
        let wrong = |why: &str| Fault::at(row.name(c.root), Reason::RequiredField, why);
        let (root, order) = (row.code(c.root), row.code(c.order));
        if !is_root(root) || !is_order(order) {
            return Err(wrong("root, order and check digits are no CNPJ"));
        }
        let mut base = [0u8; 12];
        base[..8].copy_from_slice(root.as_bytes());
        base[8..].copy_from_slice(order.as_bytes());
        let cnpj = Cnpj::from_base(base).map_err(|_| wrong("root, order and check digits are no CNPJ"))?;
        if cnpj.as_str()[12..] != *row.code(c.check_digits) {
            return Err(wrong("the check digits of this CNPJ are wrong"));
        }
        Ok(cnpj)
    }
}

impl Mapper for MapEstablishments {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let cnpj = self.cnpj(row)?;
        let head_office = match row.code(c.head_office) {
            "1" => Some(true),
            "2" => Some(false),
            _ => None,
        };
        if head_office.is_none() {
            row.leave_in_metadata(c.head_office);
        }
        let address = [c.municipality, c.postal_code, c.street_kind, c.street, c.street_number, c.complement];
        let phones = [(c.area_1, c.phone_1), (c.area_2, c.phone_2), (c.area_fax, c.fax)];
        let establishment = Registration {
            scope: "establishment",
            cnpj_root: cnpj.root().to_owned(),
            trade_name: row.text(c.trade_name),
            head_office,
            status: status_of(row.code(c.status)),
            status_as_stated: row.text(c.status),
            status_on: row.compact_date(c.status_on)?,
            status_reason: row.text(c.status_reason),
            opened_on: row.compact_date(c.opened_on)?,
            main_activity: row.text(c.main_activity),
            other_activities: row.text(c.other_activities),
            state: row.text(c.state),
            municipality: row.text(c.municipality),
            address_key: address_key(address.map(|col| row.code(col))),
            phone_keys: phone_keys(phones.map(|(area, phone)| (row.code(area), row.code(phone)))),
            email_key: email_key(row.code(c.email)),
            cnpj: Some(cnpj.to_string()),
            ..Registration::default()
        };
        Ok(registered(format!("receita:establishment:{cnpj}"), establishment, self.updated_at.as_ref()))
    }
}

fn status_of(code: &str) -> Option<&'static str> {
    match code.trim_start_matches('0') {
        "1" => Some("null"),
        "2" => Some("active"),
        "3" => Some("suspended"),
        "4" => Some("unfit"),
        "8" => Some("closed"),
        _ => None,
    }
}

/// Maps partners.
pub(crate) struct MapPartners {
    columns: Partners,
    updated_at: Option<String>,
}

impl MapPartners {
    pub(crate) fn new(columns: Partners, place: Place) -> Self {
        Self { columns, updated_at: dated(place) }
    }
}

impl Mapper for MapPartners {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let root = root_of(row, c.root)?;
        let kind = match row.code(c.kind) {
            "1" => "company",
            "2" => "person",
            "3" => "foreign",
            _ => return Err(Fault::at(row.name(c.kind), Reason::Type, "neither 1, 2 nor 3")),
        };
        let name = row.text(c.name);
        let partner_id = partner_id(kind, row.code(c.number), name.as_deref().unwrap_or_default());
        if partner_id.is_none() {
            row.leave_in_metadata(c.number);
        }
        let (role, since_on) = (row.text(c.role), row.compact_date(c.since_on)?);
        let id = {
            let who = match &partner_id {
                Some(id) => id.clone(),
                None => format!("name:{}", model::text::normal_name(name.as_deref().unwrap_or_default())),
            };
            let since = since_on.map(|day| day.to_string()).unwrap_or_default();
            format!("receita:partner:{root}|{kind}|{who}|{}|{since}", role.as_deref().unwrap_or_default())
        };
        let age_band = row.text(c.age_band);
        let partner = Partner { company_root: root, kind, partner_id, name, role, since_on, age_band };
        Ok(Draft { updated_at: self.updated_at.clone(), ..Draft::of(id, Record::Partner(partner)) })
    }
}

/// Who a partner is, keyed as suppliers are; `None` where the number is blank or one digit over and over.
fn partner_id(kind: &str, number: &str, name: &str) -> Option<String> {
    let mut digits = number.bytes().filter(u8::is_ascii_digit);
    let first = digits.next();
    let one_digit_only = first.is_some_and(|first| digits.all(|d| d == first));
    if one_digit_only {
        return None;
    }
    let (id, _) = model::supplier(number, name)?;
    // A kind and a number that contradict each other name nobody.
    let fits = match kind {
        "company" => id.starts_with("cnpj:"),
        "person" => MaskedCpf::parse(number).is_some(),
        _ => true,
    };
    if !fits {
        return None;
    }
    Some(id.strip_prefix("unv:").map(|rest| format!("ext:{rest}")).unwrap_or(id))
}

/// Maps the tax regime of small companies.
pub(crate) struct MapSimples {
    columns: Simples,
    updated_at: Option<String>,
}

impl MapSimples {
    pub(crate) fn new(columns: Simples, place: Place) -> Self {
        Self { columns, updated_at: dated(place) }
    }
}

impl Mapper for MapSimples {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let root = root_of(row, c.root)?;
        let id = format!("receita:simples:{root}");
        let simples = Registration {
            scope: "simples",
            cnpj_root: root,
            simples_from: row.compact_date(c.simples_from)?,
            simples_until: row.compact_date(c.simples_until)?,
            mei_from: row.compact_date(c.mei_from)?,
            mei_until: row.compact_date(c.mei_until)?,
            ..Registration::default()
        };
        Ok(registered(id, simples, self.updated_at.as_ref()))
    }
}

/// Maps a list of codes.
pub(crate) struct MapTerms {
    columns: Terms,
    list: &'static str,
    updated_at: Option<String>,
}

macro_rules! lists {
    ($($name:ident: $list:literal;)*) => {$(
        pub(crate) fn $name(columns: Terms, place: Place) -> Self {
            Self { columns, list: $list, updated_at: dated(place) }
        }
    )*};
}

impl MapTerms {
    lists! {
        activities: "cnae";
        reasons: "status_reason";
        municipalities: "municipality";
        natures: "legal_nature";
        countries: "country";
        roles: "role";
    }
}

impl Mapper for MapTerms {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let code = row.key(c.code)?;
        let meaning = row
            .text(c.meaning)
            .ok_or_else(|| Fault::at(row.name(c.meaning), Reason::RequiredField, "blank, and a code means nothing"))?;
        let id = format!("receita:term:{}:{code}", self.list);
        let term = Term { list: self.list, code, meaning };
        Ok(Draft { updated_at: self.updated_at.clone(), ..Draft::of(id, Record::Term(term)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_is_known_by_number_and_name_or_not_at_all() {
        let person = partner_id("person", "***982247**", "JOSÉ DA SILVA");
        assert_eq!(person.as_deref(), Some("cpf:***.982.247-**|jose da silva"));
        assert_eq!(partner_id("company", "00000000000191", "X").as_deref(), Some("cnpj:00000000000191"));
        assert_eq!(partner_id("foreign", "123456", "ACME").as_deref(), Some("ext:123456|acme"));
        for (kind, number) in [
            ("person", "***000000**"),
            ("foreign", "***999999**"),
            ("foreign", ""),
            ("person", "00000000000191"),
            ("company", "***982247**"),
        ] {
            assert_eq!(partner_id(kind, number, "X"), None, "{kind} {number}");
        }
    }
}
