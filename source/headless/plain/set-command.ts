// Changing limits and slots without a screen.
import {P2pError} from '../../core/errors.ts';
import type {LimitsRequest} from '../../engine/messages.ts';
import {parseSetting, type SettingEntry, settingEntries} from '../../store/settings.ts';
import type {PlainState} from './commands.ts';

/** How they are called here, and among the engine's limits. */
const names: Record<string, {id: SettingEntry['id']; limit?: keyof LimitsRequest}> = {
	'limit-down': {id: 'limitDown', limit: 'down'},
	'limit-up': {id: 'limitUp', limit: 'up'},
	slots: {id: 'slots', limit: 'slots'},
	running: {id: 'running', limit: 'running'},
	name: {id: 'name'},
};

/**
 * `set limit-down 5MB`: takes effect at once and, where there is a config file, at the next start. Without arguments
 * the names and what they do.
 *
 * @throws P2pError usage
 */
export async function setCommand({engine, save, print}: PlainState, argument: string): Promise<void> {
	const [, name = '', typed = ''] = /^(\S*)\s*(.*)$/.exec(argument) ?? [];
	const entryOf = (id: SettingEntry['id']) => settingEntries.find(entry => entry.id === id);
	if (name === '') {
		for (const [asked, {id}] of Object.entries(names)) print(`${asked}: ${entryOf(id)?.help}`);
		return;
	}
	const known = names[name.toLowerCase()];
	const entry = known && entryOf(known.id);
	if (!entry) throw new P2pError('usage', `There is no setting ${name}: set lists them`);
	if (typed === '')
		throw new P2pError(
			'usage',
			`To what? For example: set ${name} ${{rate: '5MB', text: 'laptop'}[entry.kind as string] ?? '4'}`,
		);
	const value = parseSetting(entry, typed);
	if (known.limit) await engine.commands.setLimits({[known.limit]: value});
	await save?.({[known.id]: value});
	print(`${name} is ${typed} ${entry.nextStart ? 'from the next start' : 'now'}`);
}
