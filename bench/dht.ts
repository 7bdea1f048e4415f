// The distributed hash table, measured on loopback: joining, publishing, searching, and what is left when nodes are killed.
//
//   node bench/dht.ts [--nodes 10] [--files 1000,10000,100000] [--searches 300] [--kill 30,50] [--per-process 5] [--at-once 1]
//
// Prints the Markdown that docs/benchmarks.md quotes. Nodes are real: UDP, signatures, SQLite; some share a process.
import {cpus} from 'node:os';
import {parseArgs} from 'node:util';
import {fileOf, type Group, startGroup} from '../test/helpers/dht-group.ts';
import {percentile, short} from './index/statistics.ts';

const {values} = parseArgs({
	options: {
		nodes: {type: 'string', default: '10'},
		files: {type: 'string', default: '1000,10000'},
		searches: {type: 'string', default: '300'},
		kill: {type: 'string', default: '50'},
		'per-process': {type: 'string', default: '5'},
		'at-once': {type: 'string', default: '1'},
	},
});
const [nodes, searches, perProcess] = [Number(values.nodes), Number(values.searches), Number(values['per-process'])];
const atOnce = Number(values['at-once']);
const counts = values.files.split(',').map(Number);
const kills = values.kill.split(',').filter(Boolean).map(Number);

const groups: Group[] = [];
process.on('exit', () => {
	for (const {child} of groups) child.kill('SIGKILL');
});

const print = (line: string) => process.stdout.write(`${line}\n`);
const loopText = (loops: Array<{p99: number; most: number}>) =>
	`${short(Math.max(...loops.map(({p99}) => p99)))} / ${short(Math.max(...loops.map(({most}) => most)))}`;
const seconds = (ms: number) => `${short(ms / 1000)} s`;

/** Joins all nodes, so many processes of them at a time; the first one alone. */
async function joinAll(): Promise<void> {
	const [ports, times]: [number[], number[]] = [[], []];
	const began = performance.now();
	for (let left = nodes; left > 0; ) {
		const counts: number[] = [];
		for (; left > 0 && counts.length < (groups.length === 0 ? 1 : atOnce); left -= perProcess)
			counts.push(Math.min(perProcess, left));
		const joined = await Promise.all(
			counts.map(count => {
				const group = startGroup();
				groups.push(group);
				return group.tell('start', {count, bootstrap: ports.slice(0, 3)});
			}),
		);
		for (const each of joined) {
			ports.push(...each.ports);
			times.push(...each.ms);
		}
	}
	const how = atOnce === 1 ? 'one after the other' : `${atOnce} processes at a time`;
	print(`| joining, ${how}, p50 / most | ${short(percentile(times, 0.5))} / ${short(Math.max(...times))} ms |`);
	print(`| until all have joined, their start included | ${seconds(performance.now() - began)} |`);
}

/** Searches for files that are there, each from another node. */
async function search(alive: Group[], files: number, what: string): Promise<void> {
	const [first, full]: [number[], number[]] = [[], []];
	let found = 0;
	for (let turn = 0; turn < searches; turn++) {
		const {words, content, path} = fileOf(Math.floor((turn * files) / searches));
		const number = /(\d{6})\.\w+$/.exec(path)?.[1];
		const answer = await alive[turn % alive.length]!.tell('search', {
			node: 0,
			query: `${words[0]} ${words[1]} ${number}`,
			content,
		});
		if (answer.found) found++;
		if (Number.isFinite(answer.first)) first.push(answer.first);
		full.push(answer.ms);
	}
	const ms = (list: number[]) => `${short(percentile(list, 0.5))} / ${short(percentile(list, 0.99))}`;
	print(`| ${what}: recall | ${short((found / searches) * 100)}% of ${searches} |`);
	print(`| ${what}: first find, whole answer, p50 / p99 | ${ms(first)}, ${ms(full)} ms |`);
}

print(`${nodes} nodes, ${perProcess} a process, ${cpus().length} cores, Node ${process.version}\n`);
print('| | |\n|---|---|');
await joinAll();
const publisher = groups[0]!;
let published = 0;
for (const files of counts) {
	await Promise.all(groups.map(group => group.tell('stats', {})));
	const {ms, packets, retries} = await publisher.tell('publish', {node: 0, from: published, to: files});
	const loops = (await Promise.all(groups.map(group => group.tell('stats', {})))).map(({loop}) => loop);
	print(
		`| publishing ${(files - published).toLocaleString('en')} files | ${seconds(ms)}, ${packets.toLocaleString('en')} requests, ${retries} again |`,
	);
	const others = loops.slice(1);
	print(
		`| meanwhile its event loop held, p99 / most; the others' | ${loopText(loops.slice(0, 1))}; ${loopText(others)} ms |`,
	);
	published = files;
}
const stats = await Promise.all(groups.map(group => group.tell('stats', {})));
const memory = stats.map(({rss}) => rss / 1e6 / perProcess);
const records = stats.flatMap(each => each.records);
print(`| records a node, least / most | ${Math.min(...records)} / ${Math.max(...records)} |`);
print(
	`| memory a node (its share of the process) p50 / most | ${short(percentile(memory, 0.5))} / ${short(Math.max(...memory))} MB |`,
);
await search(groups, published, 'all alive');
// The publisher stays: what it shares would be gone with it in any case.
const others = groups.slice(1);
for (const kill of kills) {
	const dying = others.splice(
		0,
		Math.max(0, Math.round((groups.length * kill) / 100) - (groups.length - 1 - others.length)),
	);
	await Promise.all(dying.map(group => group.kill()));
	const dead = Math.round(((groups.length - 1 - others.length) / groups.length) * 100);
	await search([publisher, ...others], published, `${dead}% killed`);
}
await Promise.all(groups.map(group => group.kill()));
process.exit(0);
