// The thread that keeps this node's part of the table: see keeper-thread.ts. Calls are done in the order in which they
// come, but a long list lets others through between its parts.
import {parentPort, workerData} from 'node:worker_threads';
import {errorLine} from '../core/errors.ts';
import {isSendersFault, Keeper} from './keeper.ts';
import type {FullWords, KeeperAnswer, KeeperCall, KeeperData} from './keeper-thread.ts';
import {PostingStore} from './posting-store.ts';
import {keyWords} from './words.ts';

/** Milliseconds between two steps of forgetting what expired. */
const forgetEvery = 5000;

if (!parentPort) throw new Error('this file runs as a worker only');
const port = parentPort;
const {file, tag} = workerData as KeeperData;
const store = new PostingStore(file);
const keeper = new Keeper(store, view(tag));

const forgetting = setInterval(() => {
	try {
		store.forget(Math.floor(Date.now() / 1000), keyWords);
	} catch {
		// A full disk, or another's lock: what expired is named to nobody, and gone at a later turn.
	}
}, forgetEvery);

port.on('message', async ({id, call}: {id: number; call: KeeperCall}) => {
	if (call.kind === 'close') {
		clearInterval(forgetting);
		store.close();
		return port.close();
	}
	let answer: Omit<KeeperAnswer, 'id' | 'records'>;
	try {
		answer = {value: await done(call)};
	} catch (error) {
		answer = {[isSendersFault(error) ? 'wrong' : 'fault']: errorLine(error)};
	}
	port.postMessage({id, records: store.records, ...answer} satisfies KeeperAnswer);
});
port.postMessage({id: 0, records: store.records} satisfies KeeperAnswer);

async function done(call: Exclude<KeeperCall, {kind: 'close'}>): Promise<Uint8Array | FullWords | undefined> {
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
