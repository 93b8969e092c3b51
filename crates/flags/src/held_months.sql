-- The months of which each source holds contracts, by the day of signature: a year of which it holds a part is no whole year.
create or replace temp table held_months as
with names (m, pt, en) as (
    values (1, 'janeiro', 'January'), (2, 'fevereiro', 'February'), (3, 'março', 'March'), (4, 'abril', 'April'), (5, 'maio', 'May'),
           (6, 'junho', 'June'), (7, 'julho', 'July'), (8, 'agosto', 'August'), (9, 'setembro', 'September'), (10, 'outubro', 'October'),
           (11, 'novembro', 'November'), (12, 'dezembro', 'December')
),
held as (
    select distinct source, year(signed_on) as y, month(signed_on) as m from contracts where signed_on is not null
)
select h.source, h.y, h.m, n.pt, n.en from held h join names n on n.m = h.m
