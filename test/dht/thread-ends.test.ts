// The thread that keeps this process's parts of the table ends: it is started anew with what was committed, answers again,
// and what came meanwhile is not lost.
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import type {Worker} from 'node:worker_threads';
import {expect, onTestFinished, test} from 'vitest';
import type {CatalogChange} from '../../source/api/schemas.ts';
import {PostingStore} from '../../source/dht/posting-store.ts';
import {RemoteKeeper} from '../../source/dht/remote-keeper.ts';
import {type DhtTestNode, startDhtNode} from '../helpers/dht-node.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** A catalog of so many files, which may become more. */
function catalog() {
	const epoch = '0'.repeat(32);
	const changes: CatalogChange[] = [];
	return {
		epoch,
		get version() {
			return changes.length;
		},
		get files() {
			return changes.length;
		},
		get bytes() {
			return 10 * changes.length;
		},
		add(files: number) {
			for (const to = changes.length + files; changes.length < to; ) {
				const content = changes.length.toString(16).padStart(64, '0');
				changes.push({op: 'add', path: `share/lantern no${changes.length}.txt`, size: 10, content});
			}
		},
		changesSince(from: number, limit: number) {
			const to = Math.min(changes.length, from + limit);
			return {epoch, changes: changes.slice(from, to), to, last: to === changes.length};
		},
	};
}

/** The threads that this process starts from now on. */
function startedThreads(): Worker[] {
	const threads: Worker[] = [];
	const started = (worker: Worker) => threads.push(worker);
	process.on('worker', started);
	onTestFinished(() => void process.off('worker', started));
	return threads;
}

/** Two nodes of this process, which share the thread; the first one shares files. */
async function pair() {
	const threads = startedThreads();
	const folder = await tempFolder();
	const files = catalog();
	const warnings: string[] = [];
	const start = async (name: string, shared: ReturnType<typeof catalog>, bootstrap: number[]) => {
		const node = await startDhtNode({name, dataDir: path.join(folder, name), catalog: shared, bootstrap});
		onTestFinished(() => node.stop());
		node.bus.on('log', ({level, message}) => level === 'warn' && warnings.push(`${name}: ${message}`));
		return node;
	};
	const alice = await start('alice', files, []);
	const bob = await start('bob', catalog(), [alice.dht.port]);
	const committed = (name: string) => {
		const database = new DatabaseSync(path.join(folder, name, 'dht.db'), {readOnly: true});
		try {
			return Number(database.prepare('SELECT count(*) AS n FROM record').get()!.n);
		} finally {
			database.close();
		}
	};
	const share = (more: number) => {
		files.add(more);
		alice.dht.catalogChanged();
	};
	const keep = (records: number) =>
		waitFor(`both to keep ${records}`, () => alice.dht.records === records && bob.dht.records === records, 120_000);
	return {alice, bob, share, keep, committed, warnings, threads};
}

const finds = async (node: DhtTestNode, number: number) => {
	const {hits} = await node.dht.search(`lantern no${number}`);
	return hits.some(({content}) => content === number.toString(16).padStart(64, '0'));
};

test('it is started anew with what was committed and answers again, and what is published meanwhile arrives', async () => {
	const {alice, bob, share, keep, committed, warnings, threads} = await pair();
	share(60);
	await keep(60);
	await waitFor('all of it to be committed', () => committed('alice') === 60 && committed('bob') === 60);
	expect(threads).toHaveLength(1);

	await threads[0]!.terminate();
	// Lists find nobody who takes them now, and a question waits.
	share(50);
	await waitFor('an answer', () => finds(bob, 59));
	expect(threads).toHaveLength(2);
	for (const name of ['alice', 'bob']) expect(warnings.filter(line => line.startsWith(name))).toHaveLength(1);
	expect(warnings[0]).toContain('started anew');
	await keep(110);
	await waitFor('a new file to be found', () => finds(bob, 105));

	// A few files are packets, no list.
	await waitFor('all of it to be committed', () => committed('alice') === 110 && committed('bob') === 110);
	await threads[1]!.terminate();
	share(3);
	await keep(113);
	await waitFor('a newer one to be found', () => finds(alice, 112));
	expect(threads).toHaveLength(3);
});

test('it ends while lists come in: what it had not committed is found again', async () => {
	const {alice, bob, share, threads} = await pair();
	share(3000);
	await waitFor('the first of it', () => alice.dht.records > 0);
	await threads[0]!.terminate();
	await waitFor('the publisher to keep all again', () => alice.dht.records === 3000, 120_000);
	for (const number of [0, 999, 1000, 2500, 2999])
		await waitFor(`file ${number} to be found`, () => finds(bob, number), 120_000);
	expect(threads).toHaveLength(2);
});

test('one that is stopped while it is started anew leaves neither a thread nor an open file', async () => {
	const threads = startedThreads();
	const part = {file: path.join(await tempFolder(), 'dht.db'), tag: Buffer.alloc(16)};
	const anew: string[] = [];
	const keeper = await RemoteKeeper.start(part, {log: () => undefined, startedAnew: () => anew.push('anew')});
	await threads[0]!.terminate();
	const question = keeper.get(Buffer.alloc(1));
	await waitFor('the next thread', () => threads.length === 2);
	await keeper.stop();
	// A thread that ended has no number.
	expect(threads.map(({threadId}) => threadId)).toEqual([-1, -1]);
	expect(await question).toBeUndefined();
	expect(await keeper.get(Buffer.alloc(1))).toBeUndefined();
	expect(anew).toEqual([]);
});

test('a part that somebody else holds is not begun anew', async () => {
	const file = path.join(await tempFolder(), 'dht.db');
	new PostingStore(file).close();
	const other = new DatabaseSync(file);
	other.exec("BEGIN IMMEDIATE; INSERT INTO publisher(key, address) VALUES (x'00', 'here')");
	expect(() => new PostingStore(file)).toThrow('locked');
	other.exec('COMMIT');
	new PostingStore(file).close();
	expect(other.prepare('SELECT address FROM publisher').all()).toEqual([{address: 'here'}]);
	other.close();
});
