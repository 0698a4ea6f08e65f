import { readFileSync } from "node:fs";

/** Reads the CSV file into rows of features, by `location date`. */
export function readDays(file) {
  const [header, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  const names = header.split(",");
  return new Map(
    lines.map((line) => {
      const cells = line.split(",");
      const cell = (name) => cells[names.indexOf(name)];
      const [location, date] = [cell("location"), cell("date")];
      const features = {
        precipitation: Number(cell("precipitation")),
        wind: Number(cell("wind")),
        temp_min: Number(cell("temp_min")),
        season: seasonOf(date),
      };
      return [`${location} ${date}`, { location, date, ...features }];
    }),
  );
}

/** 0 December to February, 1 March to May, 2 June to August, 3 September to November. */
function seasonOf(date) {
  return Math.floor((Number(date.slice(5, 7)) % 12) / 3);
}
