import {grouped} from '../draw/format.ts';
import type {Span} from '../draw/line.ts';
import type {Theme} from '../theme.ts';
import type {PaneRow} from './pane-frame.tsx';

/** What the border of a following list says: live, or paused with how much is new. */
export function tailState(theme: Theme, isFrozen: boolean, fresh: number): Span[] {
	const {glyphs} = theme;
	if (!isFrozen)
		return [
			[`${glyphs.on} `, 'ok'],
			['live', 'muted'],
		];
	return [
		[`${glyphs.paused} paused`, 'warn'],
		[fresh > 0 ? ` ${grouped(fresh)} new` : '', 'count'],
	];
}

/** The field of a filter, as a row of a pane of this inner width. */
export function filterRow(theme: Theme, value: string, inner: number): PaneRow {
	return {before: theme.paint(' / ', 'key'), field: value, width: inner - 3};
}
