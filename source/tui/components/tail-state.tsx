import {grouped} from '../draw/format.ts';
import type {Span} from '../draw/line.ts';
import type {Theme} from '../theme.ts';
import {Row} from './row.tsx';
import {TextField} from './text-field.tsx';
import {useUi} from './ui-context.ts';

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

/** The field of a filter, as a row of a pane. */
export function TailField({value, width}: {value: string; width: number}) {
	const {theme} = useUi();
	return (
		<>
			<Row text={theme.paint(' / ', 'key')} />
			<TextField value={value} width={width - 3} />
		</>
	);
}
