-- From version 1, once the rows are copied: new columns that the columns of old rows tell.

-- `portal-compras:{unit}-{number}`
update amendments set buyer_id = 'uasg:' || substr(contract_id, 16, instr(substr(contract_id, 16), '-') - 1)
    where source = 'portal-compras' and contract_id like 'portal-compras:%-%';
