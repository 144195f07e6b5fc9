// The model test with hundreds of random runs for each presence grace.
import { testReaders } from "../model/readers.ts";

testReaders(300, 3_600_000);
