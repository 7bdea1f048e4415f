import {useEffect, useId} from 'react';
import type {Rect} from '../../store/layout.ts';
import {useUi} from './ui-context.ts';

/** Makes a part of the screen answer to clicks for as long as the component is drawn. */
export function useHitArea(rect: Rect | undefined, click: (x: number, y: number) => void, isOver = false): void {
	const {areas} = useUi().context;
	const id = useId();
	// Each time anew: where it lies and what it does belong to what was drawn last.
	useEffect(() => areas?.set(id, rect && {rect, click, isOver}));
	useEffect(() => () => areas?.set(id, undefined), [areas, id]);
}
