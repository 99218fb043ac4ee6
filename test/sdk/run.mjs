// All SDK checks against one running simulator: node run.mjs PORTFILE
import { summary } from './lib/checks.mjs';
import { readPorts, Simulator } from './lib/simulator.mjs';
import { run as runBinance } from './binance.mjs';
import { run as runBybit } from './bybit.mjs';
import { run as runCcxt } from './ccxt.mjs';

const simulator = new Simulator(readPorts(process.argv[2]));
await runBybit(simulator);
await runBinance(simulator);
await runCcxt(simulator);
process.exit(summary() ? 0 : 1);      // SDKs keep timers of their own running
