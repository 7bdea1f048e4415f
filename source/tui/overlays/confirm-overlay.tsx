import type {Overlay} from '../../store/state.ts';
import {Dialog, dialogInner, hintSpans} from '../components/dialog.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import type {Span} from '../draw/line.ts';
import {cells, cut} from '../draw/width.ts';

/** A question before what cannot be taken back. */
export function ConfirmOverlay({overlay}: {overlay: Extract<Overlay, {kind: 'confirm'}>}) {
	const {theme} = useUi();
	const [size] = usePicked(state => [state.size]);
	const lines = overlay.lines.map(line => theme.text(line));
	const width = Math.max(46, Math.min(76, ...lines.map(line => cells(line) + 6)));
	const inner = dialogInner(size, width);
	const body = lines.map((line): Span[] => [['  '], [cut(line, inner - 4, theme.glyphs.ellipsis, 'middle')]]);
	const hints = hintSpans([
		{key: 'y', label: overlay.yes},
		{key: 'n', label: overlay.no},
	]);
	return <Dialog title={overlay.title} width={width} padded rows={[...body, [['']] as Span[], hints]} />;
}
