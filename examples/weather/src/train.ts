/** Writes the model and its training data into a folder: `node dist/train.js [FOLDER]`. */
import { fileURLToPath } from "node:url";
import { ensureArtifacts } from "./training.js";

const [folder = fileURLToPath(new URL("../.cache", import.meta.url))] = process.argv.slice(2);
const data = fileURLToPath(new URL("../data/weather.csv", import.meta.url));
const { model, trainingCsv } = ensureArtifacts(data, folder);
process.stdout.write(`${model}\n${trainingCsv}\n`);
