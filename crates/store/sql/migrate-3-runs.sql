-- Version 3: a run says with which parameters it judged, as JSON: {"BR05": {"z_min": 3.5}}. Empty for runs of before. What it read
-- (`segments`) is JSON from now on: {"count", "rows", "sha256"}; for runs of before, a number.
alter table runs add column parameters text not null default '';
