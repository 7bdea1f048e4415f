import {limits} from '../api/limits.ts';
import {type ArrivingFile, ArrivingFiles, type ArrivingParts} from './arriving-files.ts';
import type {SourceConnection} from './connection.ts';
import {FileSink, FramesSink} from './file-sinks.ts';
import {type Fault, FaultError} from './types.ts';
import type {FilesOrder} from './worker-messages.ts';

/**
 * Requests under way at once on one connection. Files one by one are ready at the sender before the one before is through.
 * Lists are not asked for ahead: a source of an older version answers such a request with an error (see
 * net/requests-ahead.ts), and its other connections keep the line busy meanwhile.
 */
const ahead = {lists: 1, files: 32};

/** Written files that may wait for the disk before no more are asked for. */
const mostSyncing = 128;

/** What a run of files takes from its lane. */
export type FilesParts = ArrivingParts & {
	/** Holds the largest of the files, and 32 bytes. */
	buffer: Buffer;
	/** The source does not give that one. */
	refused(n: number, fault: Fault): void;
};

/**
 * Fetches whole files, the requests sent ahead of the answers, small ones many at a time; verifies each before a byte of
 * it is written. The disk takes them in while the next ones come: `syncing` holds what is not there yet at the end.
 *
 * @throws FaultError what ended it before all were asked for
 */
export async function runFiles({files, stallMs}: FilesOrder, connection: SourceConnection, parts: FilesParts) {
	const arriving = new ArrivingFiles(parts);
	const requests = new Requests(connection, arriving, parts.syncing);
	const {buffer} = parts;
	let singly = files;
	if (connection.takesLists) {
		singly = files.filter(({size}) => size > limits.slotFree);
		for (const list of listsOf(files)) {
			if (!(await requests.room(ahead.lists))) break;
			const sink = new FramesSink(list, buffer, arriving, (file, code) =>
				parts.refused(file.n, {kind: 'refused', code, message: 'it does not give that file'}),
			);
			const contents = list.map(({content}) => content).join();
			const answer = connection.get(`/v1/files?contents=${contents}`, undefined, sink, stallMs).then(
				() => sink.end(),
				error => {
					// What came before it broke off is there.
					arriving.sync();
					if (!isUnknownCall(error)) throw error;
					connection.takesLists = false;
					singly.push(...list);
				},
			);
			requests.add(answer);
		}
		await requests.settled();
	}
	for (const file of singly) {
		if (!(await requests.room(ahead.files))) break;
		const sink = new FileSink(file, buffer, arriving);
		const answer = connection.get(`/v1/files/${file.content}`, undefined, sink, stallMs).catch(error => {
			if (error instanceof FaultError && error.fault.kind === 'refused') parts.refused(file.n, error.fault);
			else throw error;
		});
		requests.add(answer);
	}
	await requests.settled();
	requests.check();
}

/** Small files, as many together as one call may ask for. */
function* listsOf(files: ArrivingFile[]): Generator<ArrivingFile[]> {
	let list: ArrivingFile[] = [];
	let bytes = 0;
	for (const file of files) {
		if (file.size > limits.slotFree) continue;
		if (list.length === limits.filesCall || bytes + file.size > limits.filesCallBytes) {
			yield list;
			list = [];
			bytes = 0;
		}
		list.push(file);
		bytes += file.size;
	}
	if (list.length > 0) yield list;
}

/** Whether the source refuses the call itself, as one does that is older than it, or has other limits. */
function isUnknownCall(error: unknown): boolean {
	return (
		error instanceof FaultError &&
		error.fault.kind === 'refused' &&
		['not-found', 'bad-request', 'too-large'].includes(error.fault.code)
	);
}

/** The requests of a run that are under way. */
class Requests {
	readonly #connection: SourceConnection;
	readonly #arriving: ArrivingFiles;
	readonly #syncing: Set<Promise<void>>;
	readonly #pending = new Set<Promise<void>>();
	#failure: unknown;

	constructor(connection: SourceConnection, arriving: ArrivingFiles, syncing: Set<Promise<void>>) {
		this.#connection = connection;
		this.#arriving = arriving;
		this.#syncing = syncing;
	}

	/** Waits until fewer than `most` are under way. @returns whether another makes sense */
	async room(most: number): Promise<boolean> {
		while (this.#pending.size >= most) await Promise.race(this.#pending);
		while (this.#arriving.unsynced >= mostSyncing) await Promise.race(this.#syncing);
		return this.#failure === undefined && this.#connection.open;
	}

	add(answer: Promise<void>): void {
		const pending = answer
			.catch(error => {
				this.#failure ??= error;
			})
			.finally(() => this.#pending.delete(pending));
		this.#pending.add(pending);
	}

	async settled(): Promise<void> {
		await Promise.all(this.#pending);
	}

	/** @throws FaultError what ended them */
	check(): void {
		if (this.#failure !== undefined) throw this.#failure;
		if (!this.#connection.open) throw new FaultError({kind: 'network', message: 'it closed the connection'});
	}
}
