export interface Entry {
  kind: "fleet" | "alerts" | "remainingLife" | "location" | "battery";
  name: string;
  detail: string;
  to: string;
}

interface Sources {
  pages: readonly Entry[];
  locations: readonly { location_id: string; name: string }[];
  batteryIds: readonly string[];
  /** Batteries that the gateway found, by serial number too. */
  serialMatches: readonly { battery_id: string; serial_number: string }[];
}

const MOST = 40;

/** Entries that contain every word of the text in any order; without text, pages and locations. */
export function findEntries(text: string, { pages, locations, batteryIds, serialMatches }: Sources): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (candidate: string) => words.every((word) => candidate.toLowerCase().includes(word));
  const locationEntries = locations
    .filter(({ location_id: id, name }) => matches(`${id} ${name}`))
    .map(({ location_id: id, name }): Entry => ({ kind: "location", name, detail: id, to: `/locations/${id}` }));
  const fixed = [...pages.filter(({ name }) => matches(name)), ...locationEntries];
  if (words.length === 0) return fixed;

  const serials = new Map(serialMatches.map((battery) => [battery.battery_id, battery.serial_number]));
  const nameOf = new Map(locations.map(({ location_id: id, name }) => [id, name]));
  const byId = batteryIds.filter((id) => matches(`${id} ${nameOf.get(id.slice(4, 13)) ?? ""}`)).sort();
  const batteries = [...new Set([...byId, ...serials.keys()])].map(
    (id): Entry => ({ kind: "battery", name: id, detail: serials.get(id) ?? "", to: `/batteries/${id}` }),
  );
  return [...fixed, ...batteries].slice(0, MOST);
}
