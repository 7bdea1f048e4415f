import type {FastifyReply, FastifyRequest} from 'fastify';
import {framedAnswerBytes} from '../api/file-frames.ts';
import {limits} from '../api/limits.ts';
import {filesQuerySchema} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {remotePeerId} from '../net/remote-id.ts';
import {BufferPool} from './buffer-pool.ts';
import {type Caller, callerOf} from './caller.ts';
import {sendBuffer} from './send-buffer.ts';
import {ownTurn, type ServeParts} from './serve-file.ts';
import type {ServedFile} from './served-catalog.ts';
import type {RequestRecord, UploadSessions} from './sessions.ts';
import {type ReadFloor, SlowReaders} from './slow-readers.ts';
import type {FramesResult, SmallReader, WantedFile} from './small-reader.ts';
import type {TurnBudget} from './turn-budget.ts';

/** Answers that are read and on their way at once: their memory is twice that, as what is written is copied. */
const buffers = {bytes: framedAnswerBytes, max: 24, perOwner: 3, oneEach: false, shared: true};

/** Answers under way, up to which they cannot hold the event loop up. */
const few = 8;

/**
 * The handler of `GET /v1/files?contents=…`: many small files in one answer, since a request costs more than such a file. They are
 * read before the first byte goes out; a file that cannot be given is said so in its place.
 */
export function filesRoute(
	parts: Omit<ServeParts, 'pool' | 'slowReaders' | 'budget'> & {
		small: SmallReader;
		budgets: Record<'crowd' | 'few', TurnBudget>;
		/** For tests. */
		readFloor?: ReadFloor;
	},
) {
	const pool = new BufferPool(buffers);
	const slowReaders = new SlowReaders(() => pool.waiting > 0, parts.readFloor);

	return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
		const parsed = filesQuerySchema.safeParse(request.query);
		if (!parsed.success)
			throw new P2pError('bad-request', `contents: 1 to ${limits.filesCall} content IDs, separated by commas`);
		const caller = callerOf(request.raw);
		const wanted = await lookUp(parts, parsed.data.contents, remotePeerId(request.raw.socket));
		// Requests of a connection get theirs in their order, so that none waits for one behind it.
		const buffer = await pool.acquire(caller.key, caller.signal);
		let isFree = true;
		try {
			const since = performance.now();
			const frames = await parts.small.readFrames(wanted, buffer);
			for (const {content, file} of frames.stale) parts.catalog.changed(fileOf(wanted, content, file));
			const waits = {disk: performance.now() - since, limit: 0};
			await ownTurn(reply.raw, caller.signal);
			const records = new FrameRecords(parts.sessions, caller, wanted, frames);
			isFree = false;
			const problem = await sendBuffer(
				{...parts, pool, slowReaders, budget: parts.budgets[pool.inUse <= few ? 'few' : 'crowd']},
				{
					...{status: 200, head, bytes: buffer.subarray(0, frames.bytes), caller, reply, waits},
					sent: bytes => records.sent(bytes),
				},
			);
			records.end(problem);
			isFree = problem === undefined;
		} finally {
			pool.release(caller.key, buffer, isFree);
		}
		return reply;
	};
}

const head = {'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff'};

/** Where each content lies, for this caller; as many as fit into an answer. */
async function lookUp({catalog}: Pick<ServeParts, 'catalog'>, contents: string[], peer: string | undefined) {
	const wanted: WantedFile[] = [];
	let bytes = 0;
	for (const content of contents) {
		const found = catalog.find(content, peer);
		const files = found instanceof Promise ? await found : found;
		const size = files[0]?.size ?? 0;
		if (files.length === 0) wanted.push({code: 'not-found'});
		else if (size > limits.slotFree || bytes + size > limits.filesCallBytes) wanted.push({code: 'too-large'});
		else {
			bytes += size;
			wanted.push(files.filter(file => file.size === size));
		}
	}
	return wanted;
}

function fileOf(wanted: WantedFile[], content: number, file: number): ServedFile {
	return (wanted[content] as readonly ServedFile[])[file]!;
}

/** The uploads that one answer is made of. */
class FrameRecords {
	readonly #sessions: UploadSessions;
	readonly #caller: Caller;
	readonly #files: {file: ServedFile; start: number}[];
	#record: RequestRecord | undefined;
	#at = 0;
	#done = 0;

	constructor(sessions: UploadSessions, caller: Caller, wanted: WantedFile[], {read}: FramesResult) {
		this.#sessions = sessions;
		this.#caller = caller;
		this.#files = read.map(({content, file, start}) => ({file: fileOf(wanted, content, file), start}));
	}

	/** That many more bytes of the answer are through. */
	sent(bytes: number): void {
		const from = this.#done;
		this.#done += bytes;
		for (let next = this.#files[this.#at]; next; next = this.#files[this.#at]) {
			const {file, start} = next;
			if (start > this.#done) return;
			const {key, name} = this.#caller;
			this.#record ??= this.#sessions.begin(key, name, file, {start: 0, end: file.size});
			this.#record.sent(Math.min(this.#done, start + file.size) - Math.max(from, start));
			if (this.#done < start + file.size) return;
			this.end(undefined);
			this.#at++;
		}
	}

	/** The file that is under way is through, or will not be. */
	end(problem: string | undefined): void {
		this.#record?.end(problem);
		this.#record = undefined;
	}
}
