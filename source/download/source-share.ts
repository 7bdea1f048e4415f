import {describe, type KnownSource} from './source-book.ts';
import type {SourceShare} from './types.ts';

/** The same source's shares in several files as one: with the state of the one where most happens. */
export function combineShares(shares: readonly SourceShare[]): SourceShare[] {
	const byPeer = new Map<string, SourceShare>();
	for (const share of shares) {
		const known = byPeer.get(share.peer);
		if (!known) byPeer.set(share.peer, {...share});
		else {
			const {state, message} = share.speed > known.speed || known.state === 'idle' ? share : known;
			const [bytes, speed] = [known.bytes + share.bytes, known.speed + share.speed];
			byPeer.set(share.peer, {peer: share.peer, name: known.name, bytes, speed, state, ...(message && {message})});
		}
	}
	return [...byPeer.values()];
}

/** What one source gives, in the words of the details page. @param speed bytes per second, now */
export function shareOf(known: KnownSource, speed: number): SourceShare {
	const {source, bytes, gone, busy, retryAt, lastFault} = known;
	const share = {peer: source.peer, name: source.name, bytes, speed: Math.round(speed)};
	if (gone) return {...share, state: gone.forGood ? 'dropped' : 'failing', message: describe(gone.fault)};
	if (retryAt > performance.now()) {
		if (busy) return {...share, state: 'queued', ...(busy.place !== undefined && {message: `place ${busy.place}`})};
		return {...share, state: 'failing', ...(lastFault && {message: describe(lastFault)})};
	}
	const way = source.via === 'stream' ? {message: 'through its NAT'} : {};
	return {...share, state: speed > 0 ? 'active' : 'idle', ...way};
}
