// The limit of connections from one address.
import { once } from "node:events";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { unfinishedLimits } from "../../rpc/calls/unfinished-requests.ts";
import { Connections } from "../../rpc/listening/connections.ts";
import { ManualClock } from "../support/manual-clock.ts";

let ports = 0;

class FakeSocket extends Socket {
  override readonly remoteAddress: string;
  override readonly remotePort = ++ports;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
}

const limits = { ...unfinishedLimits, refusalsAtOnce: 60, connections: 100, connectionsPerAddress: 2 };

function admitted(connections: Connections, addresses: readonly string[]): boolean[] {
  return addresses.map((address) => connections.admit(new FakeSocket(address)));
}

test.each([
  ["an IPv4 address", ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"]],
  ["a /64 of IPv6", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2:3:4:5:6"]],
  ["a short /64 of IPv6", ["2001:db8::1", "2001:db8:0:0:9::", "2001:db8::7:7"]],
])("%s counts as one address", (_, addresses) => {
  expect(admitted(new Connections(limits), addresses)).toEqual([true, true, false]);
});

test("other addresses count separately, and loopback is exempt", () => {
  const others = [
    "192.0.2.1",
    "192.0.2.1",
    "192.0.2.2",
    "2001:db8:1:2::1",
    "2001:db8:1:3::1",
    "2001:db8:1:2::1",
  ];
  expect(admitted(new Connections(limits), others)).not.toContain(false);
  const loopback = ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1", "::1", "127.0.0.1"];
  expect(admitted(new Connections(limits), loopback)).not.toContain(false);
});

test("a closed connection no longer counts", async () => {
  const connections = new Connections(limits);
  const first = new FakeSocket("192.0.2.1");
  connections.admit(first);
  connections.admit(new FakeSocket("192.0.2.1"));
  expect(connections.admit(new FakeSocket("192.0.2.1"))).toBe(false);
  const closed = new Promise((resolve) => first.once("close", resolve));
  first.destroy();
  await closed;
  expect(connections.admit(new FakeSocket("192.0.2.1"))).toBe(true);
  connections.cutAll();
  await connections.whenEmpty();
  expect(connections.count).toBe(0);
});

test("the connections of one address share a pace of refusals, which is ten times that of one", () => {
  const connections = new Connections({ ...limits, connectionsPerAddress: 100 });
  const delayOf = (socket: Socket): number => connections.of(socket).refusals.delay(0);
  const sockets = Array.from({ length: 12 }, () => new FakeSocket("192.0.2.1"));
  for (const socket of sockets) connections.admit(socket);
  const [last, ...first] = sockets.toReversed();
  const delays = first.slice(1).flatMap((socket) => Array.from({ length: 60 }, () => delayOf(socket)));
  expect(delays).toEqual(delays.map(() => 0));
  expect(last && delayOf(last)).toBe(2);
  const elsewhere = new FakeSocket("192.0.2.2");
  connections.admit(elsewhere);
  expect(delayOf(elsewhere)).toBe(0);
});

test("an address that connects again gains no refusals, until its pace has recovered", async () => {
  const clock = new ManualClock();
  const connections = new Connections(limits, clock);
  const connect = (): FakeSocket => {
    const socket = new FakeSocket("192.0.2.1");
    connections.admit(socket);
    return socket;
  };
  const delayAfter600 = async (): Promise<number> => {
    let delay = 0;
    for (let round = 0; round < 10; round++) {
      const socket = connect();
      const { refusals } = connections.of(socket);
      for (let count = 0; count < 60; count++) delay = refusals.delay(clock.monotonic());
      const closed = once(socket, "close");
      socket.destroy();
      await closed;
    }
    return delay;
  };
  expect(await delayAfter600()).toBe(0);
  const refused = connections.of(connect()).refusals;
  expect(refused.delay(clock.monotonic())).toBe(2);
  connections.cutAll();
  await connections.whenEmpty();
  clock.advance(2_000);
  expect(await delayAfter600()).toBe(0);
});
