export interface Entry {
  kind: "fleet" | "alerts" | "location" | "battery";
  name: string;
  detail: string;
  to: string;
}

interface Sources {
  pages: readonly Entry[];
  locations: readonly { location_id: string; name: string }[];
  batteryIds: readonly string[];
  /** What the gateway found, by serial number too. */
  found: readonly { battery_id: string; serial_number: string }[];
}

const MOST = 40;

/** Entries that hold every word of the text in any order; without text the pages and locations. */
export function findEntries(text: string, { pages, locations, batteryIds, found }: Sources): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (candidate: string) => words.every((word) => candidate.toLowerCase().includes(word));
  const places = locations
    .filter(({ location_id: id, name }) => holds(`${id} ${name}`))
    .map(({ location_id: id, name }): Entry => ({ kind: "location", name, detail: id, to: `/locations/${id}` }));
  const fixed = [...pages.filter(({ name }) => holds(name)), ...places];
  if (words.length === 0) return fixed;

  const serials = new Map(found.map((battery) => [battery.battery_id, battery.serial_number]));
  const nameOf = new Map(locations.map(({ location_id: id, name }) => [id, name]));
  const known = batteryIds.filter((id) => holds(`${id} ${nameOf.get(id.slice(4, 13)) ?? ""}`)).sort();
  const batteries = [...new Set([...known, ...serials.keys()])].map(
    (id): Entry => ({ kind: "battery", name: id, detail: serials.get(id) ?? "", to: `/batteries/${id}` }),
  );
  return [...fixed, ...batteries].slice(0, MOST);
}
