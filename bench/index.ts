// Measures the index server on a made-up network: npm run bench:index -- [--size 1000000] [--no-rivals] [--seconds 8]
// Prints a Markdown table. Everything is in a temporary folder that is removed at the end; with --keep FOLDER in that one,
// and where an index of such a size is there already, only searches are measured. --only TEXT: rivals and kinds over HTTPS
// whose names have it, --no-https, --no-process: without those parts.
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {limits} from '../source/api/limits.ts';
import {Corpus} from './index/corpus.ts';
import {load} from './index/load.ts';
import {mixedQueries, querySets} from './index/queries.ts';
import {registerAll} from './index/register.ts';
import {bm25, miniSearch, plocate, type RivalResult} from './index/rivals.ts';
import {steadyApart} from './index/search-load.ts';
import {ServerHandle, type Usage} from './index/server-handle.ts';
import {short} from './index/statistics.ts';

const {values} = parseArgs({
	options: {
		size: {type: 'string', default: '100000'},
		seconds: {type: 'string', default: '8'},
		'no-rivals': {type: 'boolean', default: false},
		keep: {type: 'string'},
		only: {type: 'string', default: ''},
		'no-https': {type: 'boolean', default: false},
		'no-process': {type: 'boolean', default: false},
	},
});
const size = Number(values.size);
const seconds = Number(values.seconds);
const folder = values.keep ?? mkdtempSync(path.join(tmpdir(), 'p2p-bench-'));
const corpus = new Corpus(size);
const sets = querySets(corpus);
const mixed = mixedQueries(corpus);
const print = (line = '') => process.stdout.write(`${line}\n`);
const memoryOf = ({rss, mapped}: Usage) => `${short((rss - mapped) / 2 ** 20)} / ${short(rss / 2 ** 20)} MB`;
const note = (line: string) => process.stderr.write(`${line}\n`);

const isThere = existsSync(path.join(folder, 'index.db'));
const server = await ServerHandle.start(path.join(folder, 'index.db'));
const ours = new Map<string, {p50: number; p99: number}>();

async function register(): Promise<void> {
	note('registering');
	await server.usage();
	const stopSearches = await steadyApart(server.port, mixed, 100);
	const before = await server.usage();
	const online = setInterval(() => void server.online(), 500);
	const {files, seconds: took} = await registerAll(server.port, corpus);
	clearInterval(online);
	const during = await stopSearches();
	const after = await server.usage();
	print('| registering through the API | |');
	print('|---|---|');
	print(`| files per second | ${short(files / took)} |`);
	print(`| CPU of the server per 1,000 files | ${short((after.cpuMs - before.cpuMs) / (files / 1000))} ms |`);
	print(
		`| 100 searches a second meanwhile, p50 / p99 | ${short(during.latency.p50)} / ${short(during.latency.p99)} ms |`,
	);
	print(`| event loop delay meanwhile, p99 / most | ${short(after.delay.p99)} / ${short(after.delay.max)} ms |`);
	note('merging');
	await server.online();
	const merged = await server.settled();
	print(`| disk | ${short(merged.disk / files)} bytes a file |`);
	print(`| memory of the server, without and with mapped files | ${memoryOf(merged)} |`);
	print();
}

async function searchInProcess(): Promise<void> {
	note('searching in process');
	print(`| search in process, a page of ${limits.searchDefault} | first time p50 / p99 ms | again p50 / p99 ms |`);
	print('|---|---|---|');
	for (const {kind, queries} of sets) {
		const {cold, warm} = await server.latency(kind, queries);
		ours.set(kind, cold);
		print(`| ${kind} | ${short(cold.p50)} / ${short(cold.p99)} | ${short(warm.p50)} / ${short(warm.p99)} |`);
	}
	print();
}

async function searchOverHttps(): Promise<void> {
	note('searching over HTTPS');
	print('| search over HTTPS, 64 connections | per second | p50 / p99 ms | server CPU per search | answer |');
	print('|---|---|---|---|---|');
	const kinds = sets.filter(({kind}) => ['rare word', 'common word', 'two words', 'typed, 3 letters'].includes(kind));
	const asked = [...kinds, {kind: 'all kinds mixed', queries: mixed}].map(set => ({...set, again: false}));
	asked.push({kind: 'all kinds mixed, the same ones again and again', queries: mixed, again: true});
	for (const {kind, queries, again} of asked) {
		if (!kind.includes(values.only)) continue;
		const start = await server.usage();
		const found = await load(server.port, queries, seconds, 64, again);
		const end = await server.usage();
		const cpu = ((end.cpuMs - start.cpuMs) * 1000) / found.answered;
		const {p50, p99} = found.latency;
		const bytes = found.bytes / found.answered / 1024;
		const errors = found.errors > 0 ? `, ${found.errors} errors` : '';
		print(
			`| ${kind} | ${short(found.perSecond)}${errors} | ${short(p50)} / ${short(p99)} | ${short(cpu)} µs | ${short(bytes)} KB |`,
		);
	}
	print();
	const end = await server.usage();
	print(`Memory of the server after the searches, without and with mapped files: ${memoryOf(end)}.`);
	print();
}

try {
	print(`### ${size.toLocaleString('en')} files of ${corpus.peers} peers`);
	print();
	if (isThere) {
		await server.online();
		await server.settled();
	} else await register();
	if (!values['no-process']) await searchInProcess();
	if (!values['no-https']) await searchOverHttps();
	await server.stop();

	if (!values['no-rivals']) {
		const rivals: RivalResult[] = [];
		const isAsked = (name: string) => name.includes(values.only);
		note('rivals');
		if (isAsked('bm25')) rivals.push(await bm25(corpus, sets, path.join(folder, 'bm25.db')));
		const located = isAsked('plocate') ? await plocate(corpus, sets, path.join(folder, 'plocate.db')) : undefined;
		if (located) rivals.push(located);
		else if (isAsked('plocate')) print('plocate is not installed here: left out.');
		if (!isAsked('MiniSearch')) note('without MiniSearch');
		else if (size <= 1_000_000) {
			note('MiniSearch');
			rivals.push(await miniSearch(corpus, sets));
		} else print('MiniSearch is left out: such an index does not fit its memory.');
		const compared = [...(rivals[0]?.byKind.keys() ?? [])];
		print(`| against, p50 ms (times ours) | ${compared.join(' | ')} | |`);
		print(`|---|${compared.map(() => '---').join('|')}|---|`);
		print(
			`| p2p-tui, first time | ${compared.map(kind => short(ours.get(kind)?.p50 ?? 0)).join(' | ')} | up to ${limits.sourcesPerSearchHit} sources a hit |`,
		);
		for (const {name, byKind, note: remark} of rivals) {
			const cells = compared.map(kind => {
				const theirs = byKind.get(kind)?.p50 ?? 0;
				return `${short(theirs)} (${short(theirs / (ours.get(kind)?.p50 ?? 1))}×)`;
			});
			print(`| ${name} | ${cells.join(' | ')} | ${remark} |`);
		}
	}
} finally {
	if (!values.keep) rmSync(folder, {recursive: true, force: true});
}
process.exit();
