//! BR26: objects that do not say what is bought, in the Portal's tenders.

use serde_json::json;

use super::{CaseKey, Contest, Facts, Plan, Source, Wanted, YEARS, tender_id, weekday, year_of};
use crate::days::Month;
use crate::portal::Terms;
use crate::rng::Rng;
use crate::world::World;

const KINDS: [(&str, &str, &str); 4] = [
    ("nothing_said", "hit", "Aquisição de materiais diversos"),
    ("services_in_general", "hit", "Prestação de serviços diversos"),
    (
        "short_and_exact",
        "clear",
        "Aquisição de 480 resmas de papel sulfite A4, 75 g/m2, e 60 caixas de caneta esferográfica azul",
    ),
    ("object_not_stated", "not_computable", ""),
];

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng) {
    for year_index in 0..YEARS {
        for _ in 0..world.cases {
            for (case, expect, text) in KINDS {
                let (unit, year) = (world.free_unit(rng), year_of(year_index));
                let signed = weekday(rng, year, (2, 10), (12, 10));
                let result = signed.minus(5);
                let number = plan.tender_number(unit, signed);
                let contest =
                    Contest { number, opened: result.minus(20), result, losers: vec![plan.party(), plan.party()] };
                let terms = Terms::pregao(Terms::law_of(Month::containing(signed)));
                let facts = Facts { terms: Some(terms), tender: Some(contest), ..Facts::default() };
                let party = plan.party();
                // What is read of the third text.
                let activity = 0;
                let cents = World::target_cents(rng, activity, 0.8);
                let wanted = Wanted::plain(rng, Source::Portal, unit, signed, party, activity, cents);
                plan.sign(world, Wanted { facts, object: text.to_owned(), ..wanted });
                let subject = tender_id(world, unit, terms, number, signed.year());
                plan.note(CaseKey { flag: "BR26", year, case, expect }, Source::Portal, json!({"subject_id": subject}));
            }
        }
    }
}
