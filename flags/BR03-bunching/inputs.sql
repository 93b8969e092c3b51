-- Every waiver of every unit: their p-values are corrected together.
with waivers as (
    select c.id, c.tender_id from contracts c left join tenders t on t.id = c.tender_id
    where  coalesce(c.modality, t.modality) = 'dispensa'
),
notices as (
    select id from tenders where modality = 'dispensa'
)
select 'contracts' as tbl, id from waivers
union all
select 'contracts', id from contracts where tender_id in (select id from notices)
union all
select 'tenders', id from notices
union all
select 'tenders', id from tenders where id in (select tender_id from waivers)
