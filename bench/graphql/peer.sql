-- The same rows for the peers as they would have them: narrow tables with text keys, foreign keys, and an index for each step of the query.
create schema peer;
create table peer.buyers as select rid, id, name from buyers;
create table peer.suppliers as select rid, id, name from suppliers;
create table peer.contracts as
    select rid, id, (select b.id from peer.buyers b where b.id = c.buyer_id) as buyer_id,
           (select s.id from peer.suppliers s where s.id = c.supplier_id) as supplier_id,
           object, coalesce(signed_on, '') as signed_on, (value_final / 10000.0)::numeric(24, 4)::text as value_final
    from contracts c;
create table peer.findings as
    select p.rid, p.id, (select s.id from peer.suppliers s where s.id = p.supplier_id) as supplier_id, p.flag, p.severity, p.gravity,
           p.body::json -> 'title' ->> 'pt' as title_pt
    from findings p
    where p.state = 'open' and (p.kind <> 'context' or exists
          (select 1 from findings o where o.buyer_id = p.buyer_id and o.state = 'open' and o.kind <> 'context'));
alter table peer.buyers add primary key (id);
alter table peer.suppliers add primary key (id);
alter table peer.contracts add primary key (id), add foreign key (buyer_id) references peer.buyers (id),
    add foreign key (supplier_id) references peer.suppliers (id);
alter table peer.findings add primary key (id), add foreign key (supplier_id) references peer.suppliers (id);
create index on peer.buyers (name, rid);
create index on peer.contracts (buyer_id, signed_on desc, rid desc);
create index on peer.contracts (supplier_id);
create index on peer.findings (supplier_id, gravity desc, rid desc);
analyze;
