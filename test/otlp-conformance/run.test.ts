/** The command line, as somebody with only Node and a URL meets it. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SpanSink } from "./span-sink.ts";
import type { Result } from "./suite.ts";
import { CASES } from "./suite.ts";
import type { WrongReceiver } from "./wrong-receivers.ts";
import { wrongHttp, yesToAll } from "./wrong-receivers.ts";

const RUN = fileURLToPath(new URL("run.ts", import.meta.url));

let receiver: WrongReceiver;
let url: string;
beforeAll(async () => {
  receiver = await wrongHttp(yesToAll);
  url = receiver.url.href;
});
afterAll(() => receiver.stop());

function run(...args: readonly string[]) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [RUN, ...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

describe("run.ts", () => {
  it("explains every option with --help", async () => {
    const { code, stdout } = await run("--help");
    expect(code).toBe(0);
    const options = ["http", "grpc", "sink", "header", "oversize", "patience", "timeout", "only"];
    for (const option of [...options, "json", "markdown", "name", "list", "help"]) {
      expect(stdout).toContain(`--${option}`);
    }
  });

  it("lists every case with --list", async () => {
    const { code, stdout } = await run("--list");
    expect(code).toBe(0);
    expect(stdout.trim().split("\n").length).toBe(CASES.length);
  });

  it("exits with 0 when no MUST fails, and tells what went over the wire", async () => {
    const { code, stdout } = await run("--http", url, "--only", "http-protobuf-accepted");
    expect(stdout).toMatch(/^pass +MUST +http-protobuf-accepted/);
    expect(stdout).toContain("received: 200, application/x-protobuf, no body");
    expect(stdout).toContain("1 cases: 1 passed, 0 failed");
    expect(code).toBe(0);
  });

  it("exits with 0 when only what is EXPECTED fails, and with 1 when a MUST does", async () => {
    const expected = await run("--http", url, "--only", "http-path-404");
    const must = await run("--http", url, "--only", "http-path");
    expect([expected.code, must.code]).toEqual([0, 1]);
    expect(expected.stdout).toContain("but: the code must be 404, not 200");
  });

  it("prints JSON, and a Markdown table", async () => {
    const json = await run("--http", url, "--only", "http-path", "--json");
    const results = JSON.parse(json.stdout) as Result[];
    expect(results.map(({ id, outcome }) => [id, outcome])).toEqual([
      ["http-path-404", "fail"],
      ["http-path-status-protobuf", "fail"],
      ["http-path-status-json", "fail"],
    ]);
    const markdown = await run(
      "--http",
      url,
      "--only",
      "http-path-404",
      "--markdown",
      "--name",
      "x",
    );
    expect(markdown.stdout.split("\n")).toEqual([
      expect.stringMatching(/^\| case +\| level +\| what it claims +\| x +\|$/),
      expect.stringMatching(/^\| -+ \| -+ \| -+ \| -+ \|$/),
      expect.stringMatching(/^\| `http-path-404` \| \[EXPECTED\]\(https:.*\| \*\*fail\*\* \|$/),
      "",
    ]);
  });

  it("sends the headers that it is given", async () => {
    const seen: (string | undefined)[] = [];
    const guarded = await wrongHttp((request, body, response) => {
      seen.push(request.headers.authorization);
      yesToAll(request, body, response);
    });
    const only = ["--only", "http-protobuf-accepted", "--only", "http-header-case"];
    await run("--http", guarded.url.href, "--header", "Authorization: Bearer a:b", ...only);
    await guarded.stop();
    expect(seen).toEqual(["Bearer a:b", "Bearer a:b", "Bearer a:b"]);
  });

  it("leaves out what it was given no address for, and says so", async () => {
    const { stdout } = await run("--http", url, "--only", "grpc-accepted", "--only", "data-many");
    expect(stdout).toMatch(/skipped MUST +grpc-accepted.*\n +because: it needs --grpc/);
    expect(stdout).toMatch(/skipped MUST +data-many.*\n +because: it needs --sink/);
  });

  it("exits with 2 and a reason when it cannot begin", async () => {
    const sink = new SpanSink(1);
    await sink.listen("127.0.0.1", 0);
    const { port } = new URL(sink.url);
    const wrong: (readonly [args: string[], reason: RegExp])[] = [
      [[], /--http or --grpc is needed/],
      [["--nonsense"], /Unknown option '--nonsense'/],
      [["--http", "ftp://x"], /--http: "ftp:\/\/x" is no http or https address/],
      [["--http", url, "--only", "nothing"], /there is no case nothing/],
      [["--http", url, "--header", "x"], /--header: "x" is not KEY:VALUE/],
      [["--http", url, "--oversize", "0"], /--oversize: "0" is no number above 0/],
      [["--http", "http://127.0.0.1:9"], /cannot connect to 127\.0\.0\.1: .*ECONNREFUSED/],
      [["--http", url, "--sink", "x"], /--sink: "x" is not \[HOST:\]PORT/],
      [["--http", url, "--sink", port], /--sink: .*EADDRINUSE/],
      [["--grpc", "x:1", "--sink", "1"], /--sink needs --http/],
    ];
    const answers = await Promise.all(wrong.map(([args]) => run(...args)));
    await sink.close();
    for (const [index, { code, stderr }] of answers.entries()) {
      expect(stderr).toMatch(wrong[index]?.[1] ?? "");
      expect(code).toBe(2);
    }
  });
});
