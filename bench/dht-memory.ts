// What a node of the table takes that keeps many records: memory, time, disk, and searches in between.
//
//   npm run build && node bench/dht-memory.ts [--records 1000000] [--publishers 10] [--searches 200]
//
// The whole built program, as `p2p-tui --mode peer --dht --headless`; lists of files come to it over TLS from several
// publishers at two addresses, as in a network. A node takes 500,000 records from one address.
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {EngineBus} from '../source/core/events.ts';
import {ByteWriter} from '../source/dht/bytes.ts';
import {Dht} from '../source/dht/dht.ts';
import {contentBit} from '../source/dht/messages.ts';
import {NetworkKey} from '../source/dht/network-key.ts';
import {lanAddresses} from '../source/dht/node.ts';
import {keyWords} from '../source/dht/words.ts';
import {temporaryIdentity} from '../source/identity/identity.ts';
import {SecureClient} from '../source/net/secure-client.ts';
import {tableAnswerSchema, tablePath} from '../source/net/table-route.ts';
import {fileOf} from '../test/helpers/dht-group.ts';
import {percentile, short} from './index/statistics.ts';

const {values} = parseArgs({
	options: {
		records: {type: 'string', default: '1000000'},
		publishers: {type: 'string', default: '10'},
		searches: {type: 'string', default: '200'},
	},
});
const [records, publishers, searches] = [values.records, values.publishers, values.searches].map(Number) as [
	number,
	number,
	number,
];
const network = new NetworkKey('p2p-tui');
const atOnce = 1000;
const print = (line: string) => process.stdout.write(`${line}\n`);

const folder = mkdtempSync(path.join(tmpdir(), 'p2p-tui-dht-'));
const program = fileURLToPath(new URL('../dist/p2p-tui.js', import.meta.url));
const flags = [
	'--mode',
	'peer',
	'--dht',
	'--headless',
	'--json',
	'--port',
	'0',
	'--data-dir',
	path.join(folder, 'peer'),
];
const child = spawn(process.execPath, [program, ...flags, '--downloads', folder], {
	stdio: ['ignore', 'pipe', 'inherit'],
	env: {...process.env, P2P_TUI_MDNS: 'off'},
});
process.on('exit', () => {
	child.kill('SIGKILL');
	rmSync(folder, {recursive: true, force: true});
});
const lines = createInterface({input: child.stdout});
const heard: {listening?: {port: number; id: string}; joined?: {port: number}} = {};
const ready = Promise.withResolvers<void>();
lines.on('line', line => {
	const event = JSON.parse(line);
	if (event.event === 'listening') heard.listening = event;
	if (event.event === 'dht-joined') heard.joined = event;
	if (heard.listening && heard.joined) ready.resolve();
});
await ready.promise;
const {id, port} = heard.listening!;

const memory = () => {
	const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
	const field = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
	return `own ${field('RssAnon')} MiB, program and libraries ${field('RssFile')} MiB (RSS ${field('VmRSS')}, at most ${field('VmHWM')})`;
};

/** A list of files as a publisher would sign them; a node that keeps them leaves the check to who finds them. */
function listOf(from: number, to: number): Buffer {
	const [list, time] = [new ByteWriter(), Math.floor(Date.now() / 1000)];
	for (let index = from; index < to; index++) {
		const {path, size, content} = fileOf(index);
		// The share's name is in every path: from some thousand files on it stands in parts.
		const share = 2 ** keyWords(path).indexOf('share');
		list.number(2 ** 31 - 1 - share + contentBit, 4).number(share, 4);
		list
			.number(0, 1)
			.number(time, 4)
			.number(time + 80_000, 4)
			.size(size)
			.bytes(Buffer.from(content, 'hex'));
		list.text(path, 2).bytes(randomBytes(64));
	}
	return network.seal(list.done());
}

// What loads later than the first second: what everybody has who shares something.
await new Promise(resolve => setTimeout(resolve, 3000));
print(`a node with no records: ${memory()}`);
const hosts = ['127.0.0.1', ...lanAddresses()];
let waited = 0;
const calls: number[] = [];
for (let publisher = 0; publisher < publishers; publisher++) {
	const client = new SecureClient(await temporaryIdentity());
	const [first, last] = [publisher, publisher + 1].map(n => Math.floor((n * records) / publishers));
	for (let from = first!; from < last!; from += atOnce) {
		const body = listOf(from, Math.min(last!, from + atOnce));
		const began = performance.now();
		await client.json(
			{id, host: hosts[publisher % hosts.length]!, port},
			{
				...{method: 'POST', path: tablePath, schema: tableAnswerSchema},
				...{body, headers: {'content-type': 'application/octet-stream'}},
			},
		);
		calls.push(performance.now() - began);
	}
	waited = calls.reduce((sum, ms) => sum + ms, 0);
	await client.close();
	print(`${last!.toLocaleString('en')} records, taken in within ${short(waited / 1000)} s: ${memory()}`);
}
const ms = (list: number[]) => `${short(percentile(list, 0.5))} / ${short(percentile(list, 0.99))} ms`;
print(`a list of ${atOnce.toLocaleString('en')}, p50 / p99: ${ms(calls)}`);

const identity = await temporaryIdentity();
const asker = await Dht.start({
	...{identity, client: new SecureClient(identity), bus: new EngineBus(), dataDir: path.join(folder, 'asker')},
	...{keeps: false, bootstrap: [{host: hosts[1] ?? hosts[0]!, port: heard.joined!.port}]},
});
const times: number[] = [];
for (let turn = 0; turn < searches; turn++) {
	const {words} = fileOf(Math.floor((turn * records) / searches));
	const began = performance.now();
	// Nobody is there who signed these records: they are found and passed over.
	await asker.search(`${words[0]} ${words[1]}`);
	times.push(performance.now() - began);
}
print(`${searches} searches of two words, all there is, p50 / p99: ${ms(times)}; then ${memory()}`);
const disk = ['dht.db', 'dht.db-wal'].map(name => statSync(path.join(folder, 'peer', name)).size);
print(`on disk ${disk.map(bytes => `${Math.round(bytes / 2 ** 20)} MiB`).join(' and its journal ')}`);
process.exit(0);
