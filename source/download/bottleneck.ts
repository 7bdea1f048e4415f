import type {Bottleneck} from '../core/events.ts';

/** Where the time of a transfer's connections went over the last while. All in milliseconds. */
export type StageTimes = {
	/** Time that went by. */
	wall: number;
	/** Connections with a request under way, on average. */
	lanes: number;
	/** Time of all connections in which we did not read because of our own limit. */
	limit: number;
	/** Time of the threads in hashing, and in writing to the disk. */
	hash: number;
	write: number;
	/** Threads that these connections live in. */
	threads: number;
	/**
	 * What the senders said of their answers: time in which their disk, or their limit, held them up; and of all answers.
	 * Absent as long as no sender has told: it does so with the answer after.
	 */
	theirs: {disk: number; limit: number; total: number} | undefined;
	/** Bytes that came in. */
	bytes: number;
};

/** A share of the time from which on a stage counts as what everything waits for. */
const decisive = 0.4;

/**
 * What makes a transfer no faster. Judged from the near end to the far end: only what we do not hold up ourselves can be
 * held up by the other side, and what neither end holds up is the link.
 *
 * @param waiting set when no source sends: it has us queued, or there is none
 */
export function findBottleneck(times: StageTimes, waiting: {queued?: string; nobody?: string}): Bottleneck | undefined {
	if (times.lanes < 0.05 && times.bytes === 0) {
		if (waiting.queued !== undefined) return {stage: 'their-slot', text: waiting.queued};
		if (waiting.nobody !== undefined) return {stage: 'no-source', text: waiting.nobody};
	}
	if (times.wall <= 0 || times.lanes === 0) return undefined;
	const percent = (share: number) => `${Math.min(100, Math.round(share * 100))}%`;
	const limited = times.limit / (times.wall * times.lanes);
	if (limited > decisive)
		return {stage: 'our-limit', text: `our own limit holds it back ${percent(limited)} of the time`};
	const thread = times.wall * Math.max(1, times.threads);
	const [written, hashed] = [times.write / thread, times.hash / thread];
	if (written > decisive && written >= hashed)
		return {stage: 'our-disk', text: `our disk takes ${percent(written)} of the time`};
	if (hashed > decisive) return {stage: 'our-hashing', text: `checking takes ${percent(hashed)} of the time`};
	if (!times.theirs) return undefined;
	const {disk, limit, total} = times.theirs;
	if (total > 0 && limit / total > decisive)
		return {stage: 'their-limit', text: `their upload limit holds it back ${percent(limit / total)} of the time`};
	if (total > 0 && disk / total > decisive)
		return {stage: 'their-disk', text: `their disk takes ${percent(disk / total)} of the time`};
	if (waiting.queued !== undefined && times.bytes === 0) return {stage: 'their-slot', text: waiting.queued};
	return {stage: 'link', text: 'the link, or the other end, brings no more'};
}
