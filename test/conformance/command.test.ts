// The command of the kit, in this process: its rows, its messages and its exit codes.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../../conformance/command.ts";
import { makeCertificate } from "../rpc/certificates.ts";
import { TestServer } from "../support/server.ts";
import { usernames } from "./fixture.ts";
import { TamperingProxy } from "./tampering-proxy.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function kit(...argv: readonly string[]): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const code = await runCommand(argv, {
    print: (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

async function usersFile(server: TestServer, content = ""): Promise<string> {
  const file = join(server.folder, "users.txt");
  await writeFile(file, content || usernames.map((name) => `${name} password of ${name}\n`).join(""));
  return file;
}

test("the command prints a row for each check and a summary, and the exit code says whether a check failed", async () => {
  await using server = await TestServer.start({ users: usernames, signUp: "open" });
  const target = ["--target", `127.0.0.1:${server.port}`, "--plaintext"];
  const file = await usersFile(server);
  const passed = await kit(...target, "--users", file, "--only", "once.reused", "--only", "restart.goes-on");
  expect(passed).toMatchObject({ code: 0, stderr: "" });
  expect(passed.stdout).toMatch(/^passed {3}once\.reused .*$/m);
  expect(passed.stdout).toMatch(/^skipped {2}restart\.goes-on .*\n +because +no command to restart/m);
  expect(passed.stdout).toMatch(/\n1 passed, 0 failed, 1 skipped\n$/);

  const signedUp = await kit(...target, "--sign-up", "--only", "unknown", "--json");
  expect(signedUp.code).toBe(0);
  expect(JSON.parse(signedUp.stdout)).toMatchObject({ passed: 4, failed: 0, skipped: 0 });

  // A server that answers every SendMessage with an empty message.
  using proxy = await TamperingProxy.to(server.port, {
    unary: async ({ name, forward }) => (name === "SendMessage" ? new Uint8Array() : forward()),
  });
  const failed = await kit(
    ...["--target", `127.0.0.1:${proxy.port}`, "--plaintext", "--user", "ann:password of ann"],
    ...["--user", "ben:password of ben", "--user", "cat:password of cat", "--only", "once.reused"],
  );
  expect(failed).toMatchObject({ code: 1, stderr: "" });
  expect(failed.stdout).toMatch(/FAILED {3}once\.reused .*\n +expected .*\n +came .*\n +contract +/);
});

test("the exit code is 2 if no check could be run", async () => {
  await using server = await TestServer.start({ users: usernames });
  const file = await usersFile(server);
  const given = ["--target", `127.0.0.1:${server.port}`, "--plaintext", "--users", file];
  const skipped = await kit(...given, "--only", "restart.goes-on");
  expect(skipped).toMatchObject({ code: 2, stderr: "" });
  expect(skipped.stdout).toMatch(/\n0 passed, 0 failed, 1 skipped\n$/);
  await usersFile(server, "ann password of ann\nben another\ncat password of cat\n");
  const wrong = await kit(...given, "--only", "once");
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain("LogIn of ben failed: User name or password is wrong.");
});

test("a failed connection is reported with what to do", async () => {
  await using server = await TestServer.start({
    users: usernames,
    tls: makeCertificate({ names: ["localhost"] }),
  });
  const target = ["--target", `127.0.0.1:${server.port}`, "--sign-up"];
  const complaint = async (...argv: string[]): Promise<string> => {
    const ended = await kit(...argv);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    return ended.stderr;
  };
  expect(await complaint(...target, "--plaintext")).toContain("speaks TLS, and plaintext was asked for.");
  expect(await complaint(...target)).toMatch(
    /does not verify: .*\. Name its authority with --ca, or its key/,
  );
  const pem = join(server.folder, "ca.pem");
  expect(await complaint(...target, "--ca", pem)).toContain(
    `--ca: ${pem} cannot be read: no such file or directory.`,
  );
  await writeFile(pem, "nothing");
  expect(await complaint(...target, "--ca", pem)).toContain("contains no certificate in PEM.");
  expect(await complaint("--target", "127.0.0.1:1", "--plaintext", "--users", "/nope")).toContain(
    "--users: /nope cannot be read",
  );
  const long = await usersFile(server, "ann password of ann\n".repeat(60_000));
  expect(await complaint("--target", "127.0.0.1:1", "--plaintext", "--users", long)).toContain(
    `--users: ${long} cannot be read: longer than 1048576 bytes.`,
  );
  await writeFile(pem, "x".repeat(1_200_000));
  expect(await complaint(...target, "--ca", pem)).toContain("cannot be read: longer than 1048576 bytes.");
  const unreachable = await complaint("--target", "127.0.0.1:1", "--fingerprint", "SHA256:x", "--sign-up");
  expect(unreachable).toContain("No check could be run");
});

test.each([
  [["--target", "127.0.0.1:1", "--plaintext"], "Name the users by one of"],
  [["--only", "resume.everything"], 'no check or group "resume.everything"'],
  [
    ["--target", "127.0.0.1:1", "--patience", "0", "--sign-up"],
    "--patience must be a number of seconds above 0.",
  ],
  [["--target", "nowhere", "--sign-up"], '"nowhere" is not an address.'],
  [["--plaintxt"], "Did you mean --plaintext?"],
  [["once"], '"once" is not a flag.'],
  [["--list", "--list"], "--list is given twice."],
])("a wrong command line is reported, with exit code 2: %j", async (argv, message) => {
  const { code, stdout, stderr } = await kit(...argv);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr).toContain("\n--help shows all flags.\n");
});

test("--list prints the names of the checks, and --help the flags", async () => {
  const list = await kit("--list", "--only", "once");
  expect(list.stdout.split("\n").map((line) => line.split(" ")[0])).toEqual([
    "once.repeated",
    "once.reused",
    "once.ids",
    "once.per-device",
    "",
  ]);
  expect((await kit("--help")).stdout).toContain("--restart CMD");
});
