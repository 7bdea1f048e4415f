// The screens over a scripted engine of 100,000 results, 1,000 transfers and a log at full rate, drawn into nothing:
// what one frame costs. Prints JSON. Arguments: columns, rows, frames.
import {Writable} from 'node:stream';
import {runTui} from '../../source/tui/run-tui.tsx';
import {fixturePeer} from '../../test/helpers/tui-fixture-engine.ts';

const [columns = 120, rows = 36, frames = 300] = process.argv.slice(2).map(Number);

/** A terminal that counts what it is sent. */
class NullTerminal extends Writable {
	isTTY = true;
	columns = columns;
	rows = rows;
	bytes = 0;
	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		this.bytes += chunk.length;
		done();
	}
}

const stdout = new NullTerminal();
const listeners: ((chunk: Buffer) => void)[] = [];
const stdin = {
	isTTY: true,
	on: (event: string, listener: (chunk: Buffer) => void) => event === 'data' && listeners.push(listener),
	off: () => {},
	resume: () => {},
	pause: () => {},
};
const type = (text: string) => {
	for (const listener of listeners) listener(Buffer.from(text));
};
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

const engine = fixturePeer({state: 'overfull'});
void runTui({
	start: {kind: 'engine', mode: 'peer', handle: engine},
	launch: () => Promise.reject(new Error('nothing to launch')),
	settings: {theme: 'dark', ascii: false, noColor: false},
	defaults: {serverPort: 45_000, peerPort: 25_000},
	stdin: stdin as never,
	stdout: stdout as never,
});
await pause(300);
type('/');
await pause(50);
type('ubuntu');
await pause(400);
type('\r');

/** A frame: the running transfers have moved, the log has a new line, all rates are others. */
async function frame(number: number): Promise<void> {
	engine.advance(100);
	// One frame is drawn per pause: longer than Ink's shortest distance between two.
	await pause(number % 2 === 0 ? 20 : 21);
}
for (let number = 0; number < 60; number++) await frame(number);
const [cpu, bytes] = [process.cpuUsage(), stdout.bytes];
for (let number = 0; number < frames; number++) await frame(number);
const used = process.cpuUsage(cpu);
const written = stdout.bytes - bytes;
process.stderr.write(
	`${JSON.stringify({cpuMs: (used.user + used.system) / 1000 / frames, bytes: written / frames})}\n`,
	() => process.exit(0),
);
