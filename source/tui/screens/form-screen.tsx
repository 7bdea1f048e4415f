import type {Action} from '../../store/actions.ts';
import type {Field, FormState} from '../../store/form.ts';
import {menuBox} from '../../store/layout.ts';
import {Footer} from '../components/footer.tsx';
import {PaneFrame, type PaneRow} from '../components/pane-frame.tsx';
import {Title, titleHeight} from '../components/title.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {useHitArea} from '../components/use-hit-area.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {cells, fitCells, wrapped} from '../draw/width.ts';
import type {Theme} from '../theme.ts';

const mostLabel = 16;
/** What a field keeps of a row that is nearly too narrow for it. */
const leastField = 6;

function fieldRow(theme: Theme, inner: number, field: Field, isCurrent: boolean): PaneRow {
	const {glyphs} = theme;
	const labelWidth = Math.max(1, Math.min(mostLabel, inner - 4 - leastField));
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
	const room = Math.max(0, inner - 4 - labelWidth);
	const beside = field.value === '' ? Math.max(0, room - 1) : 0;
	return {
		before: paintLine(theme, 4 + labelWidth, label),
		field: field.value,
		width: room - beside,
		after: theme.paint(fitCells(theme.text(field.empty), beside, {ellipsis: glyphs.ellipsis}), 'muted'),
	};
}

/** A row of the prompt, and what a click on it does. */
type FormRow = {row: PaneRow; click?: Action};

function formRows(theme: Theme, inner: number, form: FormState): FormRow[] {
	const {glyphs} = theme;
	const rows: FormRow[] = [];
	for (const [index, field] of form.fields.entries()) {
		rows.push({
			row: fieldRow(theme, inner, field, index === form.index && !form.busy),
			click: {type: 'form/move', by: index - form.index},
		});
		if (!field.error) continue;
		for (const [at, line] of wrapped(theme.text(field.error), inner - 8, glyphs.ellipsis).entries()) {
			const spans: Span[] = [
				[at === 0 ? `    ${glyphs.cross} ` : '      ', 'error'],
				[line, 'error'],
			];
			rows.push({row: paintLine(theme, inner, spans)});
		}
	}
	return rows;
}

/** The index servers of this network, below the field that one of them may go into. */
function foundRows(theme: Theme, inner: number, form: FormState, most: number): FormRow[] {
	const {glyphs} = theme;
	const shown = form.found.slice(0, most);
	const value = form.fields[form.index]?.value;
	const nameWidth = Math.min(20, Math.max(8, ...shown.map(server => cells(theme.text(server.name)))));
	const rows = shown.map((server, at): FormRow => {
		const spans: Span[] = [
			[`  ${server.address === value ? glyphs.on : glyphs.bullet} `, 'ok'],
			[fitCells(theme.text(server.name), nameWidth, {ellipsis: glyphs.ellipsis})],
			[`  ${theme.text(server.address)}`, 'count'],
			[server.private ? '  by invite' : '', 'warn'],
		];
		return {row: paintLine(theme, inner, spans), click: {type: 'form/found', at}};
	});
	const rest = form.found.length - shown.length;
	const title: Span[] = [
		[`  Found on this network${rest > 0 ? `, and ${rest} more` : ''}: `, 'muted'],
		['^n', 'key'],
		[' takes the next', 'muted'],
	];
	return [{row: paintLine(theme, inner, title)}, ...rows];
}

/** A prompt of the start menu. */
export function FormScreen() {
	const [form] = usePicked(state => [state.form]);
	return form ? <Form form={form} /> : null;
}

function Form({form}: {form: FormState}) {
	const {theme, context} = useUi();
	const [size] = usePicked(state => [state.size]);
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
	const words = wrapped(about, inner - 4, glyphs.ellipsis);
	// Beside fields and notes: title, empty rows, borders and the footer.
	const roomy = size.rows >= fields.length + words.length + 8;
	const line = (spans: readonly Span[]): FormRow => ({row: paintLine(theme, inner, spans)});
	const blank = line([]);
	const notes = words.slice(0, Math.max(1, size.rows - fields.length - 3)).map(text => line([['  '], [text, tone]]));
	const foundRoom = Math.min(5, size.rows - fields.length - notes.length - (roomy ? 10 : 4));
	if (current?.id === 'server' && form.found.length > 0 && !form.busy && foundRoom > 0)
		notes.push(...(roomy ? [blank] : []), ...foundRows(theme, inner, form, foundRoom));
	const rows = roomy
		? [blank, line([['  '], [form.title, 'bold']]), blank, ...fields, blank, ...notes]
		: [...fields, ...notes];
	const box = menuBox(size, rows.length + (roomy ? 3 : 2), titleHeight);
	useHitArea({...box, y: box.y + 1, height: rows.length}, (_, y) => {
		const click = rows[y]?.click;
		if (click) context.store.dispatch(click);
	});
	return (
		<>
			{box.withTitle && <Title y={box.y - titleHeight - 1} columns={size.columns} />}
			<PaneFrame
				rect={box}
				title={roomy ? [] : [[form.title, 'bold']]}
				focused={false}
				rows={rows.map(({row}) => row)}
			/>
			<Footer columns={size.columns} />
		</>
	);
}
