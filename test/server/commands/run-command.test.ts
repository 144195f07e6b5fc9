// The commands that run beside the server: their output, their effects and their errors.
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fingerprintOf } from "../../../rpc/dialling/dial.ts";
import { hashSecret } from "../../../server/auth/tokens.ts";
import { runCommandLine } from "../../../server/commands/run-command.ts";
import { writeServerFile } from "../../../server/files/server-file.ts";
import { openAccounts } from "../../../server/store/engines.ts";
import { CHEAP, cheapPasswords } from "../../support/cheap-passwords.ts";
import { fakeIo } from "./fake-io.ts";

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "parley-commands-"));
});
afterEach(() => rm(data, { recursive: true }));

async function run(command: string, input: string | Buffer = "") {
  const io = fakeIo(input);
  const code = await runCommandLine([...command.split(" "), "--data", data], io, { passwordCost: CHEAP });
  return { code, out: io.out, err: io.err };
}

const addUser = (name: string, password = "a long password") =>
  run(`user add ${name} --password-stdin`, `${password}\n`);

describe("user", () => {
  test("add, list and remove", async () => {
    expect(await addUser("yoda")).toEqual({ code: 0, out: "yoda can log in now.\n", err: "" });
    expect((await addUser("hans")).code).toBe(0);
    expect((await run("user list")).out).toBe("hans\nyoda\n");
    expect((await run("user remove hans")).code).toBe(0);
    expect((await run("user list")).out).toBe("yoda\n");
  });

  test("the password is the first line of standard input, without its newline", async () => {
    await run("user add yoda --password-stdin", "  wise @ !man \r\nmore\n");
    await using direct = await openAccounts(pathToFileURL(join(data, "parley.db")));
    const hash = (await direct.accounts.userByName("yoda"))?.passwordHash ?? "";
    expect(await cheapPasswords().verify("  wise @ !man ", hash)).toBe(true);
  });

  test("a byte order mark before the password is dropped, and a password that is not UTF-8 is refused", async () => {
    await run("user add yoda --password-stdin", "\ufeffwise@!man");
    await using direct = await openAccounts(pathToFileURL(join(data, "parley.db")));
    const hash = (await direct.accounts.userByName("yoda"))?.passwordHash ?? "";
    expect(await cheapPasswords().verify("wise@!man", hash)).toBe(true);
    const refused = await run("user add hans --password-stdin", Buffer.from("wise\xffman!", "latin1"));
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("not UTF-8") });
  });

  test("add refuses the names that sign-up refuses, and changes nothing", async () => {
    await addUser("yoda");
    for (const [name, problem] of [
      ["yoda", /taken/],
      ["Y0DA", /looks too much like/],
      ["yo\u0000da", /U\+0000/],
    ] as const) {
      const { code, out, err } = await addUser(name);
      expect(code).toBeGreaterThan(0);
      expect(out).toBe("");
      expect(err).toMatch(problem);
    }
    expect((await addUser("luke", "short")).err).toMatch(/at least 8 characters/);
    expect((await run("user list")).out).toBe("yoda\n");
  });

  test("without a terminal and without --password-stdin there is no prompt", async () => {
    expect(await run("user add yoda", "a long password\n")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--password-stdin"),
    });
  });

  test("each command finds a name however it was typed", async () => {
    await addUser("Zoe\u0308");
    expect((await run("user list")).out).toBe("Zoë\n");
    for (const action of ["promote", "demote", "remove"]) {
      const spelling = action === "promote" ? "Zoe\u0308" : "\uff3a\uff4f\u00eb";
      expect(await run(`user ${action} ${spelling}`)).toMatchObject({ code: 0, err: "" });
    }
  });

  test("the name of a removed user cannot be used again", async () => {
    await addUser("yoda");
    await run("user remove yoda");
    expect(await addUser("yoda")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/names are not reused/),
    });
  });

  test("removing a user that does not exist suggests the closest name", async () => {
    await addUser("chewbacca");
    expect(await run("user remove chewbaca")).toMatchObject({
      code: 1,
      err: expect.stringContaining("did you mean chewbacca?"),
    });
  });

  test("promote and demote change who is an administrator, and list shows them", async () => {
    for (const name of ["hans", "leia", "yoda"]) await addUser(name);
    expect(await run("user list --administrators")).toEqual({ code: 0, out: "", err: "" });
    expect(await run("user promote yoda")).toEqual({
      code: 0,
      out: "yoda is an administrator now.\n",
      err: "",
    });
    await run("user promote hans");
    // Promoting an administrator again has no effect.
    expect((await run("user promote hans")).code).toBe(0);
    expect((await run("user list --administrators")).out).toBe("hans\nyoda\n");
    expect((await run("user demote hans")).out).toBe("hans is no longer an administrator.\n");
    expect((await run("user list --administrators")).out).toBe("yoda\n");
    expect((await run("user list")).out).toBe("hans\nleia\nyoda  administrator\n");
    await run("user remove yoda");
    expect((await run("user list --administrators")).out).toBe("");
  });

  test.each(["promote", "demote"])(
    "%s of a user that does not exist suggests the closest name, and changes nothing",
    async (action) => {
      await addUser("chewbacca");
      expect(await run(`user ${action} chewbaca`)).toEqual({
        code: 1,
        out: "",
        err: "parley-server: there is no user chewbaca; did you mean chewbacca?\n",
      });
      expect((await run("user list --administrators")).out).toBe("");
    },
  );

  test.each([
    "user list",
    "user reset yoda",
    "invite list",
    "invite revoke 0123456789abcdef",
    "logins",
    "actions",
    "check",
  ])("%s names a data folder without data, and creates nothing in it", async (command) => {
    expect(await run(command)).toMatchObject({ code: 1, err: expect.stringContaining(data) });
    expect(await readdir(data)).toEqual([]);
  });
});

describe("invite create", () => {
  const line = /^parley join (\S+?)\/([\w-]{43})\/(SHA256:[A-Za-z0-9+/]{43})\n$/;

  test("prints one line with address, invite and fingerprint; the database contains only the hash", async () => {
    const { code, out } = await run("invite create --public-name chat.example.org --listen 0.0.0.0:4000");
    const [, address, invite = "", fingerprint] = out.match(line) ?? [];
    expect(code).toBe(0);
    expect(address).toBe("chat.example.org:4000");
    expect(fingerprint).toBe(fingerprintOf((await run("cert")).out));
    await using direct = await openAccounts(pathToFileURL(join(data, "parley.db")));
    const user = {
      username: "luke",
      skeleton: "luke",
      passwordHash: "x",
      time: Date.now(),
      refuseLookAlike: true,
    };
    const inviteHash = hashSecret(invite);
    expect((await direct.accounts.addUser({ ...user, inviteHash })).status).toBe("added");
    expect((await direct.accounts.addUser({ ...user, username: "leia", inviteHash })).status).toBe(
      "invite-invalid",
    );
  });

  test("an invite can be used --uses times, until --expires", async () => {
    const { out } = await run("invite create --uses 2 --expires 1h");
    const inviteHash = hashSecret(out.match(line)?.[2] ?? "");
    await using direct = await openAccounts(pathToFileURL(join(data, "parley.db")));
    const add = async (username: string, time: number) => {
      const result = await direct.accounts.addUser({
        username,
        skeleton: username,
        passwordHash: "x",
        time,
        refuseLookAlike: true,
        inviteHash,
      });
      return result.status;
    };
    expect(await add("a", Date.now())).toBe("added");
    expect(await add("b", Date.now() + 3_601_000)).toBe("invite-invalid");
    expect(await add("b", Date.now())).toBe("added");
    expect(await add("c", Date.now())).toBe("invite-invalid");
  });

  test("the address of the running server wins over the settings", async () => {
    const facts = {
      host: "::1",
      port: 54321,
      publicNames: [],
      pid: 1,
      fingerprint: `SHA256:${"a".repeat(43)}`,
    };
    // The server has made the database before it writes the file.
    await run("invite create");
    await writeServerFile(join(data, "server.json"), facts);
    const { out, err } = await run("invite create");
    // It is quoted, because some shells take brackets for a pattern.
    expect(out).toMatch(/^parley join '\[::1\]:54321\/[\w-]{43}\/SHA256:a{43}'\n$/);
    expect(err).toMatch(/used only on this machine/);
    await writeServerFile(join(data, "server.json"), { ...facts, publicNames: ["chat.example.org"] });
    expect((await run("invite create")).out).toContain("join chat.example.org:54321/");
  });

  test.each([
    ["invite", /expected one of create, list, revoke/],
    ["invite crate", /did you mean create/],
    ["invite create --uses 0", /^parley-server: --uses: expected/],
    ["invite create --expires soon", /^parley-server: --expires: expected/],
    ["invite create --expires 0d", /^parley-server: --expires: expected/],
  ])("%s is a usage error", async (command, problem) => {
    expect(await run(command)).toMatchObject({ code: 2, out: "", err: expect.stringMatching(problem) });
  });

  test("without a known port it fails and prints nothing", async () => {
    expect(await run("invite create --listen 127.0.0.1:0")).toMatchObject({ code: 1, out: "" });
  });
});

describe("cert", () => {
  test("prints the certificate that the server will use, and does not change it", async () => {
    const { out, err } = await run("cert --public-name chat.example.org");
    expect(err).toMatch(/^Created .*cert\.pem, for a server that uses this data folder/);
    expect(new X509Certificate(out).checkHost("chat.example.org")).toBe("chat.example.org");
    expect(await run("cert")).toMatchObject({ out, err: "" });
  });
  test("--out writes it to a file", async () => {
    const out = join(data, "out.pem");
    expect((await run(`cert --out ${out}`)).out).toBe("");
    expect(await readFile(out, "utf8")).toBe((await run("cert")).out);
  });
});

describe("usage errors", () => {
  test.each([
    ["usre add yoda", /usre: no such command, did you mean user\?/],
    ["user x yoda", /user x: no such command; expected one of add, /],
    ["invite xyzzy", /invite xyzzy: no such command; expected one of create, list, revoke/],
    ["user", /expected one of add, list, remove, promote, demote/],
    ["user ad yoda", /did you mean add\?/],
    ["user add", /expected one name/],
    ["user list yoda", /expected no name/],
    ["user promote", /expected one name/],
    ["user demot yoda", /did you mean demote\?/],
    ["user add yoda --administrators", /--administrators is only for user list/],
    ["cert now", /expected only flags/],
    ["user list --jsn", /There is no flag --jsn\./],
    ["constructor", /no such command/],
  ])("%s", async (command, problem) => {
    expect(await run(command)).toMatchObject({ code: 2, out: "", err: expect.stringMatching(problem) });
  });
});

describe("usage errors of the original's command line", () => {
  test.each([
    ["12000", /^parley-server: missing: BLOCK_SECONDS and TIMEOUT_SECONDS\n/],
    ["12000 60", /^parley-server: missing: TIMEOUT_SECONDS\n/],
    ["12000 60 120 7", /^parley-server: unexpected "7"\n/],
    ["port 60 120", /^parley-server: PORT: expected a whole number, 0 to 65535, not "port"\n/],
    ["70000 60 120", /^parley-server: PORT: .*not "70000"\n/],
    ["-12000 60 120", /^parley-server: PORT: .*not "-12000"\n/],
    [
      "12000 1m 120",
      /^parley-server: BLOCK_SECONDS: expected a whole number of seconds, 1 to 31536000, not "1m"\n/,
    ],
    ["12000 -60 120", /^parley-server: BLOCK_SECONDS: .*not "-60"\n/],
    ["12000 0 120", /^parley-server: BLOCK_SECONDS: .*not "0"\n/],
    ["12000 60 never", /^parley-server: TIMEOUT_SECONDS: .*0 to 31536000, not "never"\n/],
    ["12000 60 -120", /^parley-server: TIMEOUT_SECONDS: .*not "-120"\n/],
    ["12000 60 1.5", /^parley-server: TIMEOUT_SECONDS: .*not "1\.5"\n/],
    ["--ephemeral 12000 60", /^parley-server: missing: TIMEOUT_SECONDS\n/],
    ["12000 --lock strict 60 x", /^parley-server: TIMEOUT_SECONDS: /],
    ["port block timeout", /^parley-server: port: no such command\n/],
  ])("%s", async (command, problem) => {
    const { code, out, err } = await run(command);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(problem);
    expect(err).toContain("parley-server PORT BLOCK_SECONDS TIMEOUT_SECONDS, as in 12000 60 120.\n");
    expect(await readdir(data)).toEqual([]);
  });
});

describe("help", () => {
  test.each(["--help", "help", "user --help", "help invite", "invite create --help", "cert -h"])(
    "%s fits into 80 columns",
    async (command) => {
      const io = fakeIo();
      expect(await runCommandLine(command.split(" "), io)).toBe(0);
      expect(io.out).toContain("Usage:");
      for (const line of io.out.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    },
  );
  test("--version", async () => {
    const io = fakeIo();
    expect(await runCommandLine(["--version"], io)).toBe(0);
    expect(io.out).toMatch(/^parley-server \d+\.\d+\.\d+/);
  });
});
