// Reads a profile (profile.proto, gzipped) from a file; prints what it counts and the sums at each function, as JSON.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";

const profile = Profile.decode(gunzipSync(readFileSync(process.argv[2])));
const text = (number) => profile.stringTable.strings[Number(number)];
const functions = new Map(profile.function.map((f) => [Number(f.id), text(f.name)]));
const places = new Map(profile.location.map((l) => [Number(l.id), l.line.map((line) => functions.get(Number(line.functionId)))]));
const sums = {};
for (const sample of profile.sample) {
  const names = new Set(sample.locationId.flatMap((id) => places.get(Number(id))));
  for (const name of names) {
    sums[name] ??= sample.value.map(() => 0);
    sample.value.forEach((value, kind) => (sums[name][kind] += Number(value)));
  }
}
console.log(
  JSON.stringify({
    kinds: profile.sampleType.map((kind) => `${text(kind.type)}/${text(kind.unit)}`),
    seconds: Number(profile.durationNanos) / 1e9,
    samples: profile.sample.length,
    sums,
  }),
);
