import {shortFolder} from '../../store/folder.ts';
import {currentSetting} from '../../store/reduce-settings.ts';
import {entriesFor, type SettingEntry, type Settings, settingText} from '../../store/settings.ts';
import type {Overlay} from '../../store/state.ts';
import {Dialog, dialogInner} from '../components/dialog.tsx';
import type {PaneRow} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {fitCells} from '../draw/width.ts';
import {runCommand} from '../keys/commands.ts';
import {footerHints} from '../keys/hints.ts';
import type {Theme} from '../theme.ts';

const labelWidth = 20;

function settingRow(theme: Theme, inner: number, settings: Settings, entry: SettingEntry, isCurrent: boolean): string {
	const {glyphs} = theme;
	const value = theme.text(settingText(settings, entry));
	const isOff =
		(entry.kind === 'switch' && !settings[entry.id]) || (entry.kind === 'rate' && settings[entry.id] === null);
	return paintLine(theme, inner, [
		[isCurrent ? `  ${glyphs.pointer} ` : '    ', 'accent'],
		[fitCells(entry.label, labelWidth), isCurrent ? 'bold' : 'plain'],
		[isCurrent && entry.kind !== 'text' ? `${glyphs.less} ` : '  ', 'key'],
		[value, isOff ? 'muted' : 'count'],
		[isCurrent && entry.kind !== 'text' ? ` ${glyphs.into}` : '', 'key'],
	]);
}

/** What can be changed while it runs; all of it is kept for the next start. */
export function SettingsOverlay({overlay}: {overlay: Extract<Overlay, {kind: 'settings'}>}) {
	const {theme, context} = useUi();
	const [size, settings, screen, textMode, downloads, pending] = usePicked(state => [
		state.size,
		state.settings,
		state.screen,
		state.focus.textMode,
		state.peer?.downloads.folder,
		state.pendingSettings,
	]);
	const {glyphs} = theme;
	const inner = dialogInner(size, 70);
	const entries = entriesFor(screen === 'server' ? 'server' : 'peer');
	const current = currentSetting(context.store.get());
	const roomy = size.rows >= entries.length + 9;
	const visible = Math.max(1, Math.min(entries.length, size.rows - 5 - (roomy ? 3 : 0)));
	const top = Math.max(0, Math.min(entries.length - visible, overlay.index - Math.floor(visible / 2)));
	const rows: (PaneRow | readonly Span[])[] = entries.slice(top, top + visible).map(entry => {
		if (entry !== current || !textMode) return settingRow(theme, inner, settings, entry, entry === current);
		const before = paintLine(theme, labelWidth + 6, [
			[`  ${glyphs.pointer} `, 'accent'],
			[fitCells(entry.label, labelWidth), 'bold'],
		]);
		return {before, field: overlay.value, width: inner - labelWidth - 6};
	});
	if (roomy && screen === 'peer' && downloads !== undefined) {
		rows.push([
			[`    ${fitCells('Downloads go to', labelWidth)}  `, 'muted'],
			[theme.text(shortFolder(downloads)), 'muted'],
		]);
	}
	const waits = current && pending.includes(current.id);
	const about: Span[] = overlay.error
		? [['  '], [`${glyphs.cross} ${theme.text(overlay.error)}`, 'error']]
		: [[`  ${current?.help ?? ''}${current?.nextStart ? '; from the next start' : ''}`, waits ? 'warn' : 'muted']];
	const blank: Span[] = [['']];
	const below = roomy ? [blank, about, blank] : [about];
	return (
		<Dialog
			title="Settings"
			width={70}
			padded
			rows={[...rows, ...below]}
			scroll={{from: 0, rows: visible, top, total: entries.length}}
			hints={footerHints(context.store.get(), glyphs).hints}
			onRow={row => {
				if (row >= visible || textMode) return;
				const by = row + top - overlay.index;
				if (by === 0) runCommand(current?.kind === 'text' ? 'settings.enter' : 'settings.more', context);
				else context.store.dispatch({type: 'settings/move', by});
			}}
		/>
	);
}
