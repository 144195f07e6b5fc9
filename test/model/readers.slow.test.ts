// The model test with few runs. The long set has many.
import { testReaders } from "./readers.ts";

testReaders(8, 120_000);
