/** What `tidemark --help` says, and what it says of one command. Fits a terminal of 80 columns. */

const HELP = `tidemark: notices when a model's data or output drifts

  tidemark receive [--config FILE]
      Receives OTLP traces on 127.0.0.1:4317 (gRPC) and 4318 (HTTP), compares
      what the spans say with the reference, and serves verdicts and metrics on
      127.0.0.1:9464. Without a configuration every model's first 5,000
      predictions, over at least a day, become its reference.
      The file is read again when it changes, and on SIGHUP.

  tidemark status [--url URL | --config FILE] [--json]
      Asks a running receiver how it is: models, signals, alarms, log,
      endpoints. Exit codes: 0 fine, 1 a signal drifts, 2 no answer, 3 something
      else needs attention.

  tidemark check-config FILE
      Says whether a configuration can be used, and what is wrong with it.

  tidemark config-schema
      Prints the configuration's JSON Schema, for editors.

  tidemark baseline build DATA... --model NAME --out FILE.tidemark.json
      [--model-version V]       the model version it holds for; else all
      [--run-id ID]             the training run, such as an MLflow run
      [--prediction COL]        the predicted number
      [--class COL]             the predicted class
      [--confidence COL]        the probability of the predicted class
      [--columns COL[=NAME],…]  the columns that are features, or for each
                                --feature COL[=NAME]; else all others are
      [--ignore COL]            a column that is no feature
      [--category COL[=NAME]]   a feature of categories, numbers too
      [--numeric COL[=NAME]]    a feature of numbers; the rest is left out
      [--signal COL=SIGNAL]     a column that is any other signal
      Makes a reference of training data: CSV, JSON lines (both also .gz) or
      Parquet.

  tidemark baseline show FILE.tidemark.json [--json]
      Says what a reference holds.

  tidemark baseline merge FILE.tidemark.json... --out FILE.tidemark.json
      Makes one reference of several, such as those of a training set's parts.

  tidemark compare REFERENCE CURRENT [--json | --markdown | --html] [--out FILE]
      [--shift D]               standard deviations below which nobody wants to
                                be told; 0.25
      [--every DURATION]        how often this is run, for the promise of false
                                alarms; 1d
      Compares data with a reference, both of them a *.tidemark.json or a file
      of data, which takes the options of baseline build that name columns; or
      http://HOST:9464, the last day of the same model in a running receiver
      (http://HOST:9464/?hours=6 for less).
      Exit codes: 0 stable, 1 drifted, 2 failed, 3 nothing drifted but not
      everything could be compared (insufficient is not stable).

  tidemark report --model NAME [--json | --markdown] [--out FILE.html]
      [--model-version V]       which part of the model's traffic; all when left
      [--segment S]             out
      [--from T] [--to T]       such as 2026-11-23T09:30Z; up to now, all that
                                is known of a day
      [--window W]              whose verdicts are shown, such as 1h
      [--url URL]               of the receiver; http://127.0.0.1:9464.
                                TIDEMARK_TOKEN is its token
      Writes what a running receiver knows of a model as one file that needs
      nothing else.

  --help, of one command too; --version

Exit codes, but for status and compare: 0 fine, 1 failed, 2 wrong arguments.
`;

const PARTS = HELP.split(/\n\n(?= {2}(?:tidemark |--help))/);

/**
 * The help of the command that these words begin with, such as `compare` or `baseline show`, and
 * for `baseline` of all of its kind; of everything where they begin with none.
 */
export function helpOf(words: readonly string[]): string {
  for (const count of [2, 1]) {
    const begins = `  tidemark ${words.slice(0, count).join(" ")}`;
    const parts = PARTS.filter(
      (part) => part.startsWith(`${begins} `) || part.startsWith(`${begins}\n`),
    );
    if (parts.length > 0) return `${parts.join("\n\n")}\n`;
  }
  return HELP;
}
