// The thread that keeps this process's parts of tables: see keeper-thread.ts. Calls are done in the order in which they
// come, but a long list lets others through between its parts.
import {parentPort} from 'node:worker_threads';
import {errorLine} from '../core/errors.ts';
import {giveWay} from '../core/thread-priority.ts';
import {isSendersFault, Keeper} from './keeper.ts';
import type {FullWords, KeeperAnswer, KeeperCall, KeeperMessage} from './keeper-thread.ts';
import {PostingStore} from './posting-store.ts';
import {keyWords} from './words.ts';

/** Milliseconds between two steps of forgetting what expired. */
const forgetEvery = 5000;
/** Threads that drive transfers and screens go first; but somebody waits for answers here too. */
const niceness = 5;

type Part = {store: PostingStore; keeper: Keeper; forgetting: NodeJS.Timeout};

if (!parentPort) throw new Error('this file runs as a worker only');
const port = parentPort;
const parts = new Map<number, Part>();
giveWay(niceness);

port.on('message', async ({id, part, call}: KeeperMessage) => {
	let answer: KeeperAnswer;
	try {
		const value = call.kind === 'open' ? open(part, call) : await done(part, call);
		answer = {id, value, records: parts.get(part)?.store.records ?? 0};
	} catch (error) {
		answer = isSendersFault(error) ? {id, wrong: errorLine(error)} : {id, fault: errorLine(error)};
	}
	port.postMessage(answer);
});

function open(part: number, {file, tag}: Extract<KeeperCall, {kind: 'open'}>): undefined {
	const store = new PostingStore(file);
	const forgetting = setInterval(() => {
		try {
			store.forget(Math.floor(Date.now() / 1000), keyWords);
		} catch {
			// A full disk: what expired is named to nobody, and gone at a later turn.
		}
	}, forgetEvery);
	parts.set(part, {store, keeper: new Keeper(store, view(tag)), forgetting});
}

async function done(
	part: number,
	call: Exclude<KeeperCall, {kind: 'open'}>,
): Promise<Uint8Array | FullWords | undefined> {
	const {store, keeper, forgetting} = parts.get(part) ?? {};
	if (!store || !keeper) return undefined;
	if (call.kind === 'close') {
		clearInterval(forgetting);
		parts.delete(part);
		store.close();
		return undefined;
	}
	if (call.kind === 'list') {
		const full = await keeper.keepList(call.publisher, view(call.body), call.address);
		return full && [...full.entries()].filter(([, mask]) => mask !== 0);
	}
	const bytes =
		call.kind === 'get'
			? keeper.get(view(call.message))
			: keeper.put(view(call.message), view(call.nodeId), view(call.token), call.address);
	// A small Buffer is a view of a pool, all of which a message would copy.
	return bytes && new Uint8Array(bytes);
}

function view(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
