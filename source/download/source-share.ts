import {describe, type KnownSource} from './source-book.ts';
import type {SourceShare} from './types.ts';

/** What one source gives, in the words of the details page. @param speed bytes per second, now */
export function shareOf(known: KnownSource, speed: number): SourceShare {
	const {source, bytes, gone, busy, retryAt, lastFault} = known;
	const share = {peer: source.peer, name: source.name, bytes, speed: Math.round(speed)};
	if (gone) return {...share, state: gone.forGood ? 'dropped' : 'failing', message: describe(gone.fault)};
	if (retryAt > performance.now()) {
		if (busy) return {...share, state: 'queued', ...(busy.place !== undefined && {message: `place ${busy.place}`})};
		return {...share, state: 'failing', ...(lastFault && {message: describe(lastFault)})};
	}
	return {...share, state: speed > 0 ? 'active' : 'idle'};
}
