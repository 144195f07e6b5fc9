// The SQLite store passes the contract of all stores.
import { storeContract } from "../../contract/store.ts";
import { sqliteUnderTest } from "./temporary.ts";

storeContract("the SQLite store", sqliteUnderTest);
