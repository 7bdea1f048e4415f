// What a node of the table takes that keeps many records: memory, disk, and searches in between.
//
//   node bench/dht-memory.ts [--records 1000000] [--publishers 10]
//
// A node in a process of its own; lists of files come to it over TLS from several publishers, as in a network.
import {randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {ByteWriter} from '../source/dht/bytes.ts';
import {contentBit} from '../source/dht/messages.ts';
import {NetworkKey} from '../source/dht/network-key.ts';
import {keyWords} from '../source/dht/words.ts';
import {temporaryIdentity} from '../source/identity/identity.ts';
import {SecureClient} from '../source/net/secure-client.ts';
import {tableAnswerSchema, tablePath} from '../source/net/table-route.ts';
import {fileOf, startGroup} from '../test/helpers/dht-group.ts';

const {values} = parseArgs({
	options: {records: {type: 'string', default: '1000000'}, publishers: {type: 'string', default: '10'}},
});
const [records, publishers] = [Number(values.records), Number(values.publishers)];
const network = new NetworkKey('p2p-tui');
const atOnce = 1000;
const group = startGroup();
process.on('exit', () => group.child.kill('SIGKILL'));
const {doors, ids} = await group.tell('start', {count: 1, bootstrap: []});

const memory = () => {
	const status = readFileSync(`/proc/${group.child.pid}/status`, 'utf8');
	const field = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1000);
	return `${field('VmRSS')} MB, at most ${field('VmHWM')} MB`;
};
const print = (line: string) => process.stdout.write(`${line}\n`);

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

print(`a node with no records: ${memory()}`);
const began = performance.now();
for (let publisher = 0; publisher < publishers; publisher++) {
	const client = new SecureClient(await temporaryIdentity());
	const [first, last] = [publisher, publisher + 1].map(n => Math.floor((n * records) / publishers));
	for (let from = first!; from < last!; from += atOnce)
		await client.json(
			{id: ids[0]!, host: '127.0.0.1', port: doors[0]!},
			{
				...{method: 'POST', path: tablePath, schema: tableAnswerSchema},
				...{body: listOf(from, Math.min(last!, from + atOnce)), headers: {'content-type': 'application/octet-stream'}},
			},
		);
	await client.close();
	const {records: kept} = await group.tell('stats', {});
	print(`${kept[0]!.toLocaleString('en')} records, ${Math.round((performance.now() - began) / 1000)} s: ${memory()}`);
}
const times: number[] = [];
for (let turn = 0; turn < 200; turn++) {
	const {words} = fileOf(Math.floor((turn * records) / 200));
	times.push((await group.tell('search', {node: 0, query: `${words[0]} ${words[1]}`})).ms);
}
times.sort((a, b) => a - b);
print(`200 searches: p50 / p99 ${times[100]!.toFixed(1)} / ${times[197]!.toFixed(1)} ms; then ${memory()}`);
process.exit(0);
