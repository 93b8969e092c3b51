-- Version 5: tasks that were handed on to Redis Streams. The task stays here until it is done, so that Redis may forget everything.

-- Which entry of its stream it is; a task that was handed on is `sent`, and only the entry noted here counts.
alter table tasks add column entry integer;
create index tasks_sent on tasks (topic, entry) where state = 'sent';

-- Names this database's streams, so that two databases may share one Redis.
insert or ignore into meta (key, value) values ('streams', lower(hex(randomblob(8))));
