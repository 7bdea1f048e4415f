// The settings screen: what can be changed, in which steps, and how a typed value is read.
import {defaultPreferences, type Preferences} from '../config/preferences.ts';
import {parseRate} from '../config/settings.ts';
import {P2pError} from '../core/errors.ts';

/** All settings with their values. `name` is how others see this peer or server. */
export type Settings = Required<Preferences> & {name: string};

export type SettingId = keyof Settings;

/** Settings before the config file was read. */
export const defaultSettings: Settings = {...defaultPreferences, name: ''};

/** One line of the settings screen. */
export type SettingEntry = {
	id: SettingId;
	label: string;
	/** What it does, in one line. */
	help: string;
	kind: 'choice' | 'switch' | 'rate' | 'count' | 'text';
	/** Only a peer has it. */
	peerOnly?: true;
	/** Takes effect at the next start. */
	nextStart?: true;
};

const entry = (
	id: SettingId,
	kind: SettingEntry['kind'],
	label: string,
	help: string,
	more: Pick<SettingEntry, 'peerOnly' | 'nextStart'> = {},
): SettingEntry => ({id, kind, label, help, ...more});

/** All of them, in the order of the screen. */
export const settingEntries: readonly SettingEntry[] = [
	entry('theme', 'choice', 'Theme', 'Colours for a dark or a light background; auto asks the terminal'),
	entry('limitDown', 'rate', 'Download limit', 'All downloads together; type 5MB, or none', {peerOnly: true}),
	entry('limitUp', 'rate', 'Upload limit', 'All uploads together; type 5MB, or none', {peerOnly: true}),
	entry('slots', 'count', 'Upload slots', 'Peers that are sent to at once; the others queue', {peerOnly: true}),
	entry('running', 'count', 'Downloads at once', 'How many downloads run; the others wait', {peerOnly: true}),
	entry('name', 'text', 'Your name', 'How others see you', {nextStart: true}),
	entry('mouse', 'switch', 'Mouse', 'Wheel and click; Shift selects text meanwhile'),
	entry('bell', 'switch', 'Bell', 'Rings when a download ends', {peerOnly: true}),
	entry('title', 'switch', 'Window title', 'Shows the progress of downloads', {peerOnly: true}),
	entry('notify', 'switch', 'Notifications', 'Of the desktop, when a download ends', {peerOnly: true}),
];

/** Those that a mode has. */
export function entriesFor(screen: 'peer' | 'server'): readonly SettingEntry[] {
	return settingEntries.filter(({peerOnly}) => screen === 'peer' || !peerOnly);
}

const themes = ['auto', 'dark', 'light'] as const;
const megabyte = 1_000_000;
/** Steps of a limit, in bytes per second; none comes after the highest. */
const rates = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 250, 500].map(step => step * megabyte);
const mostOf: Partial<Record<SettingId, number>> = {slots: 500, running: 100};

/** The next value to the left or the right; undefined where there is none, or only typing helps. */
export function steppedSetting(
	settings: Settings,
	{id, kind}: SettingEntry,
	by: 1 | -1,
): Settings[SettingId] | undefined {
	const value = settings[id];
	switch (kind) {
		case 'choice':
			return themes[(themes.indexOf(settings.theme) + by + themes.length) % themes.length];
		case 'switch':
			return !value;
		case 'count': {
			const next = Number(value) + by;
			return next >= 1 && next <= (mostOf[id] ?? 1) ? next : undefined;
		}
		case 'rate':
			if (value === null) return by === -1 ? rates.at(-1) : undefined;
			if (by === 1) return rates.find(rate => rate > Number(value)) ?? null;
			return rates.findLast(rate => rate < Number(value));
		case 'text':
			return undefined;
	}
}

/** A limit as it is typed: exact, so that typing it again changes nothing. */
function rateText(bytes: number): string {
	for (const [size, unit] of [
		[1e9, 'G'],
		[1e6, 'M'],
		[1e3, 'K'],
	] as const)
		if (bytes >= size && Number.isInteger(bytes / (size / 1000))) return `${bytes / size}${unit}`;
	return `${bytes}B`;
}

/** A value as people read it. */
export function settingText(settings: Settings, {id, kind}: SettingEntry): string {
	const value = settings[id];
	if (kind === 'switch') return value ? 'on' : 'off';
	if (kind === 'rate') return value === null ? 'none' : `${rateText(Number(value))}/s`;
	return String(value);
}

/** What was typed as a value. @throws P2pError usage with what is wrong */
export function parseSetting({id, kind, label}: SettingEntry, typed: string): Settings[SettingId] {
	const text = typed.trim();
	const wrong = (message: string) => new P2pError('usage', message);
	switch (kind) {
		case 'rate': {
			if (/^(none|no|off|)$/i.test(text)) return null;
			return parseRate(text) ?? null;
		}
		case 'count': {
			const most = mostOf[id] ?? 1;
			const count = Number(text);
			if (!/^\d{1,6}$/.test(text) || count < 1 || count > most) throw wrong(`${label}: 1 to ${most}`);
			return count;
		}
		case 'text':
			if (text === '' || text.length > 64) throw wrong('A name has 1 to 64 characters');
			if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) throw wrong('A name has no control characters');
			return text;
		default:
			throw wrong(`${label} is chosen with the arrow keys`);
	}
}
