// What else answers such questions, on the same names: bm25 over the same tokens in SQLite, MiniSearch, plocate.
import {execFileSync, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream, rmSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';
import {finished} from 'node:stream/promises';
import MiniSearch from 'minisearch';
import {tokenize, tokenSet} from '../../source/api/tokens.ts';
import type {Corpus} from './corpus.ts';
import type {QuerySet} from './queries.ts';
import {type Latency, latencies, percentile} from './statistics.ts';

export type RivalResult = {name: string; note: string; byKind: Map<string, Latency>};

/** Kinds that every rival can answer. */
const comparable = ['rare word', 'common word', 'two words', 'typed, 3 letters'];
/** Questions of each kind: the slow ones would take minutes. */
const few = 60;

function* distinct(corpus: Corpus): Generator<{content: string; path: string}> {
	const seen = new Set<string>();
	for (let peer = 0; peer < corpus.peers; peer++)
		for (const {content, path} of corpus.catalog(peer)) {
			if (seen.has(content)) continue;
			seen.add(content);
			yield {content, path};
		}
}

async function measure(sets: QuerySet[], ask: (query: string, kind: string) => unknown): Promise<Map<string, Latency>> {
	const byKind = new Map<string, Latency>();
	for (const {kind, queries} of sets) {
		if (!comparable.includes(kind)) continue;
		byKind.set(kind, await latencies(queries.slice(0, few), query => ask(query, kind)));
	}
	return byKind;
}

/** FTS5 with its own ranking: every row that matches is scored. */
export async function bm25(corpus: Corpus, sets: QuerySet[], file: string): Promise<RivalResult> {
	const database = new DatabaseSync(file);
	try {
		database.exec(`PRAGMA page_size=8192; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;
			CREATE VIRTUAL TABLE plain USING fts5(t, content='', tokenize='ascii', prefix='1 2 3', columnsize=1); BEGIN;`);
		const insert = database.prepare('INSERT INTO plain(rowid, t) VALUES(?, ?)');
		let row = 0;
		for (const {path} of distinct(corpus)) insert.run(++row, [...tokenSet(path)].join(' '));
		database.exec("COMMIT; INSERT INTO plain(plain) VALUES('optimize'); PRAGMA mmap_size=2147418112;");
		const search = database.prepare('SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY bm25(plain) LIMIT 50');
		const byKind = await measure(sets, query => {
			const words = tokenize(query).sequence.map(word => `"${word}"`);
			search.all(`${words.join(' AND ')} *`);
		});
		return {name: 'bm25 (FTS5)', note: `${row.toLocaleString('en')} contents, prefix='1 2 3'`, byKind};
	} finally {
		database.close();
		rmSync(file, {force: true});
	}
}

/** An index in the memory of the JavaScript process. */
export async function miniSearch(corpus: Corpus, sets: QuerySet[]): Promise<RivalResult> {
	const index = new MiniSearch<{id: number; path: string}>({
		fields: ['path'],
		tokenize: text => tokenize(text).sequence,
		processTerm: term => term,
		searchOptions: {combineWith: 'AND', prefix: (_term, at, terms) => at === terms.length - 1},
	});
	let id = 0;
	for (const {path} of distinct(corpus)) index.add({id: ++id, path});
	const byKind = await measure(sets, query => index.search(query).slice(0, 50));
	const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
	return {name: 'MiniSearch', note: `${id.toLocaleString('en')} contents, process of ${memory} MB`, byKind};
}

/** plocate, with the time that it takes to start and find nothing taken off. Not ranked, parts of words, one line a path. */
export async function plocate(corpus: Corpus, sets: QuerySet[], file: string): Promise<RivalResult | undefined> {
	if (spawnSync('plocate', ['--version']).error || spawnSync('plocate-build', ['--version']).error) return undefined;
	const list = `${file}.txt`;
	const out = createWriteStream(list);
	for (const {path} of distinct(corpus)) if (!out.write(`/${path}\n`)) await once(out, 'drain');
	out.end();
	await finished(out);
	execFileSync('plocate-build', ['--plaintext', list, file]);
	const ask = (...words: string[]) =>
		spawnSync('plocate', ['--database', file, '--ignore-case', '--limit', '50', '--', ...words]);
	const starts: number[] = [];
	for (let i = 0; i < 30; i++) {
		const started = performance.now();
		ask('no such name anywhere 0192837465');
		starts.push(performance.now() - started);
	}
	const start = percentile(starts, 0.5);
	const byKind = await measure(sets, query => ask(...query.split(' ')));
	for (const latency of byKind.values())
		for (const key of ['p50', 'p99'] as const) latency[key] = Math.max(0.05, latency[key] - start);
	for (const one of [file, list]) rmSync(one, {force: true});
	return {name: 'plocate', note: `net of ${start.toFixed(1)} ms for its start; first 50 lines, unranked`, byKind};
}
