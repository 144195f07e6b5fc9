// The SQLite store passes the contract of all stores: on worker threads, and on the thread of the test.
import { storeContract } from "../../contract/store.ts";
import { startInProcess } from "./in-process-thread.ts";
import { sqliteUnderTest } from "./temporary.ts";

storeContract("the SQLite store", () => sqliteUnderTest());
storeContract("the SQLite store without worker threads", () => sqliteUnderTest(startInProcess));
