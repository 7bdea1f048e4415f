import type {FastifyReply, FastifyRequest} from 'fastify';
import {limits} from '../api/limits.ts';
import {isContentId} from '../content/content-id.ts';
import {P2pError} from '../core/errors.ts';
import {remotePeerId} from '../net/remote-id.ts';
import {BufferPool} from './buffer-pool.ts';
import {type Caller, callerOf} from './caller.ts';
import {contentDisposition} from './file-name.ts';
import {answerRange, type ByteRange, contentTag} from './http-range.ts';
import {asServedFile, checkVerified} from './partial-file.ts';
import {type ServeParts, serveFile} from './serve-file.ts';
import {serveSmall} from './serve-small.ts';
import type {ServedFile} from './served-catalog.ts';
import type {SlotGrant, UploadSlots} from './slots.ts';
import {type ReadFloor, SlowReaders} from './slow-readers.ts';
import type {SmallReader} from './small-reader.ts';
import type {TurnBudget} from './turn-budget.ts';

/** Answers under way, past which a further one gets small buffers. */
const crowded = 24;

/** The content ID in the path. @throws P2pError bad-request */
export function contentParameter(request: FastifyRequest): string {
	const {content} = request.params as {content: string};
	if (!isContentId(content)) throw new P2pError('bad-request', 'A content ID is 64 lower-case hex digits');
	return content;
}

/** The handler of `GET` and `HEAD /v1/files/:content`. */
export function fileRoute(
	parts: Omit<ServeParts, 'pool' | 'budget' | 'slowReaders'> & {
		slots: UploadSlots;
		small: SmallReader;
		budgets: Record<'crowd' | 'few', TurnBudget>;
		/** For tests. */
		readFloor?: ReadFloor;
	},
) {
	const large = new BufferPool({bytes: 512 * 1024, max: 48, perOwner: 12, oneEach: false});
	// What is written is copied as it is encrypted, so a buffer costs twice its bytes: those past the first dozens get
	// small ones.
	const crowd = new BufferPool({bytes: 64 * 1024, max: 256, perOwner: 2, oneEach: true});
	let answering = 0;
	const small = new BufferPool({bytes: limits.slotFree, max: 256, perOwner: 64, oneEach: false, shared: true});

	const othersWait = () => large.waiting > 0 || crowd.waiting > 0 || parts.slots.usage().queued > 0;
	const slowReaders = new SlowReaders(othersWait, parts.readFloor);

	return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
		const content = contentParameter(request);
		const shared = await parts.catalog.find(content, remotePeerId(request.raw.socket));
		const partial = shared.length === 0 ? parts.catalog.partial(content) : undefined;
		const files = partial ? [asServedFile(partial)] : shared;
		const [known] = files;
		if (!known) throw new P2pError('not-found', 'No such content is shared here');
		const answer = answerRange(request.headers, content, known.size, request.method);
		if (answer.status === 304) return reply.code(304).header('etag', contentTag(content)).send();
		if (answer.status === 412) {
			return reply.code(412).send({code: 'changed', message: 'This content has another entity tag'});
		}
		if (answer.status === 416) {
			reply.headers({'content-range': `bytes */${known.size}`, 'accept-ranges': 'bytes'});
			throw new P2pError('range-not-satisfiable', `The file has ${known.size} bytes`);
		}
		if (partial) checkVerified(partial, answer);
		const head = (file: ServedFile) => fileHeaders(file, answer, answer.status);
		if (request.method === 'HEAD') return reply.headers(head(known)).send();
		const caller = callerOf(request.raw);
		const needsSlot = known.size > limits.slotFree;
		const grant = needsSlot ? enterSlot(parts.slots, caller) : undefined;
		answering++;
		try {
			if (grant) grant.revoked = () => request.raw.socket.destroy();
			const pool = !needsSlot ? small : answering <= crowded ? large : crowd;
			const budget = answering <= crowded ? parts.budgets.few : parts.budgets.crowd;
			const current = () => !partial || parts.catalog.partial(content)?.have === partial.have;
			const what = {
				files,
				current,
				range: answer,
				status: answer.status,
				head,
				caller,
				reply,
				tooSlow: () => grant?.forfeit(),
			};
			if (needsSlot || partial) await serveFile({...parts, pool, budget, slowReaders}, what);
			else await serveSmall({...parts, pool, budget, slowReaders}, what);
		} finally {
			answering--;
			grant?.release();
		}
		return reply;
	};
}

/** @throws P2pError busy, with the place in the queue */
function enterSlot(slots: UploadSlots, caller: Caller): SlotGrant {
	const entered = slots.enter(caller.key);
	if ('release' in entered) return entered;
	const {position, queued, retryAfter} = entered;
	throw new P2pError('busy', `All ${slots.count} upload slots are taken; place ${position} of ${queued} in the queue`, {
		hint: `Try again in ${retryAfter} s: the place is kept meanwhile`,
		details: {position, queued, retryAfter},
	});
}

function fileHeaders(file: ServedFile, {start, end}: ByteRange, status: 200 | 206): Record<string, string | number> {
	return {
		etag: contentTag(file.content),
		'accept-ranges': 'bytes',
		'content-type': 'application/octet-stream',
		// Before the length: after it, Node takes the value for UTF-8 and refuses most of what is beyond ASCII.
		'content-disposition': contentDisposition(file.path),
		'content-length': end - start,
		...(status === 206 && {'content-range': `bytes ${start}-${end - 1}/${file.size}`}),
		'x-content-type-options': 'nosniff',
	};
}
