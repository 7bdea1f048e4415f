import type {Field, FormState} from '../../store/form.ts';
import {Footer} from '../components/footer.tsx';
import {PaneFrame, type PaneRow} from '../components/pane-frame.tsx';
import {Row} from '../components/row.tsx';
import {Screen} from '../components/screen.tsx';
import {TextField} from '../components/text-field.tsx';
import {Title, titleHeight} from '../components/title.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {cut, fitCells} from '../draw/width.ts';
import type {Theme} from '../theme.ts';
import {menuBox} from './menu-screen.tsx';

const labelWidth = 16;

function fieldRow(theme: Theme, inner: number, field: Field, isCurrent: boolean): PaneRow {
	const {glyphs} = theme;
	const label: Span[] = [
		[isCurrent ? `  ${glyphs.pointer} ` : '    ', 'accent'],
		[fitCells(field.label, labelWidth - 1), isCurrent ? 'bold' : 'plain'],
		[' '],
	];
	if (!isCurrent) {
		const value: Span =
			field.value === ''
				? [theme.text(field.empty), 'muted']
				: [theme.text(field.value), field.error ? 'error' : 'plain'];
		return paintLine(theme, inner, [...label, value]);
	}
	const room = inner - 4 - labelWidth;
	const beside = field.value === '' ? room - 1 : 0;
	return {
		node: (
			<>
				<Row text={paintLine(theme, 4 + labelWidth, label)} />
				<TextField value={field.value} width={room - beside} />
				{beside > 0 && (
					<Row text={theme.paint(fitCells(theme.text(field.empty), beside, {ellipsis: glyphs.ellipsis}), 'muted')} />
				)}
			</>
		),
	};
}

/** Words of a long message in lines of at most `width` cells. */
function wrapped(text: string, width: number, ellipsis: string): string[] {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(' ')) {
		if (line !== '' && line.length + 1 + word.length > width) {
			lines.push(line);
			line = '';
		}
		line += (line === '' ? '' : ' ') + word;
	}
	return [...lines, line].map(part => cut(part, width, ellipsis));
}

function formRows(theme: Theme, inner: number, form: FormState): PaneRow[] {
	const {glyphs} = theme;
	const rows: PaneRow[] = [];
	for (const [index, field] of form.fields.entries()) {
		rows.push(fieldRow(theme, inner, field, index === form.index && !form.busy));
		if (!field.error) continue;
		for (const [at, line] of wrapped(theme.text(field.error), inner - 8, glyphs.ellipsis).entries()) {
			rows.push(
				paintLine(
					theme,
					inner,
					[[at === 0 ? `    ${glyphs.cross} ` : '      '], [line]].map(([text]) => [text ?? '', 'error'] as const),
				),
			);
		}
	}
	return rows;
}

/** A prompt of the start menu. */
export function FormScreen() {
	const {theme} = useUi();
	const [size, form] = usePicked(state => [state.size, state.form]);
	if (!form) return null;
	const {glyphs} = theme;
	const inner = Math.min(58, size.columns - 2) - 2;
	const fields = formRows(theme, inner, form);
	const current = form.fields[form.index];
	const about = form.busy
		? `starting${glyphs.ellipsis}`
		: form.error
			? `${glyphs.cross} ${theme.text(form.error)}`
			: (current?.help ?? '');
	const tone = form.error && !form.busy ? 'error' : 'muted';
	const roomy = size.rows >= fields.length + 9;
	const notes = wrapped(about, inner - 4, glyphs.ellipsis).map(line => paintLine(theme, inner, [['  '], [line, tone]]));
	const blank = ' '.repeat(inner);
	const rows: PaneRow[] = roomy
		? [blank, paintLine(theme, inner, [['  '], [form.title, 'bold']]), blank, ...fields, blank, ...notes]
		: [...fields, ...notes];
	const box = menuBox(size, rows.length + (roomy ? 3 : 2));
	return (
		<Screen bottom={<Footer columns={size.columns} />}>
			{box.withTitle && <Title y={box.y - titleHeight - 1} columns={size.columns} />}
			<PaneFrame rect={box} title={roomy ? [] : [[form.title, 'bold']]} focused={false} rows={rows} />
		</Screen>
	);
}
